/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_TESTS_MODES_H
#define CAROM_TESTS_MODES_H

#include "queued.h"

/* One way to read a file that works without carom.ko. */
struct mode {
	enum carom_backend backend;
	bool direct;
};

#define NR_MODES 4
extern const struct mode modes[NR_MODES];

/* An index that has room for a queue of @depth, or NULL where it cannot be had. */
struct carom_index *mode_open(const struct mode *mode, const char *path, const char *db,
			      unsigned int depth);

/* A file of its own, that mode_done() removes. */
const char *mode_file(void);
void mode_done(void);

/* Run @test in each mode that works here, on an index of that file with room for @depth. */
void each_mode(unsigned int depth, void (*test)(const struct mode *mode, struct carom_index *ix));

/* Of a group of tests: the file is a database, and is removed. */
int mode_setup(void **state);
int mode_teardown(void **state);

#endif /* CAROM_TESTS_MODES_H */
