/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What SQLite has to say of ranges of an index.
 */
#ifndef CAROM_TESTS_SQLITE_RANGES_H
#define CAROM_TESTS_SQLITE_RANGES_H

#include <carom/carom.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PARTS	8
#define MAX_TREES	8
#define MAX_ROW		24

/**
 * struct tree - a table by rowid or primary key, or an index of it
 * @index: its name, NULL: rowids or primary key
 * @rowids: keys are rowids
 * @parts: columns of its key
 */
struct tree {
	char *index;
	bool rowids;
	int parts;
	char *name[MAX_PARTS];
	char *collation[MAX_PARTS];
	bool desc[MAX_PARTS];
};

/**
 * struct row - a row
 * @text: all of it
 * @type: SQLite's, of each column
 * @integer: likewise
 */
struct row {
	char *text;
	int type[MAX_ROW];
	int64_t integer[MAX_ROW];
};

/**
 * struct oracle - table t of a file, in the order of a tree
 * @column: names, @cols of them
 * @real: of these columns, which are REAL
 */
struct oracle {
	sqlite3 *db;
	struct tree tree;
	int cols;
	char *column[MAX_ROW];
	bool real[MAX_ROW];
	struct row *row;
	size_t nr;
};

/* The trees of table t: how many. */
int oracle_trees(sqlite3 *db, struct tree *trees);
void tree_free(struct tree *tree);

/* Read all rows in the order of o->tree. */
void oracle_read(struct oracle *o);
void oracle_free(struct oracle *o);

/* Rows that come before the key; it has @nr columns, as they would be stored. */
size_t oracle_before(const struct oracle *o, const struct carom_column *key, int nr);
/*
 * The rows from *@first to before *@end begin with the key: its columns, the last of which,
 * if it is a text or blob, begins the row's.
 */
void oracle_prefix(const struct oracle *o, const struct carom_column *key, int nr, size_t *first,
		   size_t *end);

#endif /* CAROM_TESTS_SQLITE_RANGES_H */
