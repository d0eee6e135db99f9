/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values on several pages: every backend and every room that slots can have for them.
 */
#ifndef CAROM_TESTS_VALUES_H
#define CAROM_TESTS_VALUES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <carom/carom.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MOST		65536

/* The file of the test that is under way. */
extern char values_path[4096];
/* 1 << 20 bytes and some, none of which are like those a few thousand further on. */
extern const unsigned char *values_bytes;

/**
 * struct setting - what a file is opened with
 * @room: value_room
 * @max_hops: 0: the default
 * @queue: look up in a queue, not in a reader
 */
struct setting {
	enum carom_backend backend;
	size_t room;
	unsigned int max_hops;
	bool queue;
};

/* Call @run with each backend of CAROM_VALUES_BACKENDS, each room, and reader and queue. */
void each_setting(void (*run)(const struct setting *s, void *ctx), void *ctx);

/**
 * struct opened - a file that is open, and the last lookup
 * @hops: nodes that its chains have read
 * @error: of the lookup
 */
struct opened {
	struct carom_index *ix;
	struct carom_reader *rd;
	struct carom_queue *q;
	const struct carom_completion *c;
	struct carom_value val;
	uint64_t hops;
	const struct carom_error *error;
};

/* @table: NULL for LMDB. */
void values_open(struct opened *o, const struct setting *s, const char *table);
int values_get(struct opened *o, const void *key, size_t len);
void values_close(struct opened *o);

/*
 * Every setting must refuse @key (SQLite: a rowid, @table) of the file as it is now, in
 * the same words, which have @what in them.
 */
void values_refused(const char *table, const void *key, size_t len, const char *what);
/* Key of @table for rowid @id; returns its length. */
size_t values_rowid(const struct opened *o, int64_t id, void *key, size_t size);

/* XFS removes no file that is sealed, and a ring lets go of its files in its own time. */
void values_remove(void);

/* Put @bytes into the file at @at. */
void values_poke(uint64_t at, const void *bytes, size_t len);

extern const struct CMUnitTest values_lmdb[], values_sqlite[];
extern const size_t values_lmdb_nr, values_sqlite_nr;

#endif /* CAROM_TESTS_VALUES_H */
