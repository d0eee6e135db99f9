/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files that read an SQLite schema.
 */
#ifndef CAROM_FORMAT_SQLITE_SCHEMA_H
#define CAROM_FORMAT_SQLITE_SCHEMA_H

#include "sqlite.h"

/**
 * struct reading - a schema that is being read
 * @table: as the caller has named it
 */
struct reading {
	sqlite3 *db;
	const char *path;
	const char *table;
	struct sqlite_schema *s;
	struct carom_error *err;
};

/* A statement with @name for its parameter. 0 or negative errno. */
int sqlite_prepare(const struct reading *rd, const char *sql, const char *name,
		   sqlite3_stmt **st);
/* 1: a row; 0: no more; negative errno. */
int sqlite_step(const struct reading *rd, sqlite3_stmt *st);
/* A column of a row; "" for NULL. */
const char *sqlite_text_of(sqlite3_stmt *st, int i);
bool sqlite_same_name(const char *a, const char *b);
/* Returns -EOPNOTSUPP; the file's name comes before what is said. */
__attribute__((format(printf, 2, 3)))
int sqlite_refuse(const struct reading *rd, const char *fmt, ...);
/* Root page of a "table" or "index". 0 or negative errno. */
int sqlite_root_of(const struct reading *rd, const char *type, const char *name, __u32 *root);

/* ---- sqlite_schema_index.c ---- */

/* The primary key, and what it says of the columns. 0 or negative errno. */
int sqlite_take_primary(const struct reading *rd);
/* The index that keys are of. 0 or negative errno. */
int sqlite_take_index(const struct reading *rd, const char *index);

#endif /* CAROM_FORMAT_SQLITE_SCHEMA_H */
