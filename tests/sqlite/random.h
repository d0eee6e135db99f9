/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SQLite databases made at random, and what SQLite finds in them.
 */
#ifndef CAROM_TESTS_SQLITE_RANDOM_H
#define CAROM_TESTS_SQLITE_RANDOM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_COLS	8

/* Seed from CAROM_TEST_SEED, or a fixed one; printed. */
void rnd_init(void);
uint64_t rnd(void);
unsigned int rnd_below(unsigned int n);

void sql_ok(sqlite3 *db, int ret);
__attribute__((format(printf, 2, 3)))
void sql(sqlite3 *db, const char *fmt, ...);

/**
 * struct layout - what a file is to be like
 * @page_size: in bytes
 * @reserved: bytes at the end of each page
 * @rowids: else WITHOUT ROWID
 * @rows: how many are inserted
 * @longest: bytes of a text or blob, now and then
 */
struct layout {
	unsigned int page_size;
	unsigned int reserved;
	bool rowids;
	unsigned int rows;
	unsigned int longest;
};

/* Make a new file: table t, and indexes of it. The connection can be written to. */
sqlite3 *random_database(const char *path, const struct layout *l);

#endif /* CAROM_TESTS_SQLITE_RANDOM_H */
