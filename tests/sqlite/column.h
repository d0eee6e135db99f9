/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_TESTS_SQLITE_COLUMN_H
#define CAROM_TESTS_SQLITE_COLUMN_H

#include <sqlite3.h>

#include <carom/carom.h>

/* Column @i of the row that @st has; texts and blobs are its own, until its next step. */
static inline struct carom_column column_of(sqlite3_stmt *st, int i)
{
	struct carom_column c = {
		.integer = sqlite3_column_int64(st, i), .real = sqlite3_column_double(st, i),
	};

	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		c.type = CAROM_TYPE_INTEGER;
		break;
	case SQLITE_FLOAT:
		c.type = CAROM_TYPE_REAL;
		break;
	case SQLITE_NULL:
		c.type = CAROM_TYPE_NULL;
		break;
	default:
		c.type = sqlite3_column_type(st, i) == SQLITE_TEXT ? CAROM_TYPE_TEXT :
								     CAROM_TYPE_BLOB;
		c.data = sqlite3_column_blob(st, i);
		c.len = (size_t)sqlite3_column_bytes(st, i);
	}
	return c;
}

/* Parameter @i of the statement. */
static inline void bind_column(sqlite3_stmt *st, int i, const struct carom_column *c)
{
	switch (c->type) {
	case CAROM_TYPE_INTEGER:
		sqlite3_bind_int64(st, i, c->integer);
		break;
	case CAROM_TYPE_REAL:
		sqlite3_bind_double(st, i, c->real);
		break;
	case CAROM_TYPE_TEXT:
		sqlite3_bind_text(st, i, c->len ? c->data : "", (int)c->len, SQLITE_STATIC);
		break;
	case CAROM_TYPE_BLOB:
		sqlite3_bind_blob(st, i, c->len ? c->data : "", (int)c->len, SQLITE_STATIC);
		break;
	default:
		sqlite3_bind_null(st, i);
	}
}

#endif /* CAROM_TESTS_SQLITE_COLUMN_H */
