/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same lookups through libcarom and through SQLite.
 */
#ifndef CAROM_TESTS_SQLITE_COMPARE_H
#define CAROM_TESTS_SQLITE_COMPARE_H

#include <carom/carom.h>
#include <sqlite3.h>

/**
 * struct compared - what has been compared
 * @keys: keys looked up
 * @absent: of them, how many are in no row
 * @rows: rows that both have found
 * @stats: of all readers
 */
struct compared {
	unsigned long keys;
	unsigned long absent;
	unsigned long rows;
	struct carom_reader_stats stats;
};

/**
 * compare_table() - look up by rowid or primary key, and by every index
 * @db: a connection that reads the file; whatever it has open must be committed
 * @path: the file
 * @table: the table
 * @backend: which backend; it must be the one that is used
 * @keys: by each of them, so many keys that are there, and some that are not
 * @all: counted up
 *
 * Fails the test where they differ.
 */
void compare_table(sqlite3 *db, const char *path, const char *table,
		   enum carom_backend backend, unsigned int keys, struct compared *all);

#endif /* CAROM_TESTS_SQLITE_COMPARE_H */
