// SPDX-License-Identifier: GPL-2.0
/*
 * Rows as texts that differ if the rows do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "text.h"

#define MAX_ROW_COLS	128

static void put(FILE *f, int type, int64_t integer, double real, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t i;

	switch (type) {
	case SQLITE_INTEGER:
		fprintf(f, "i%lld|", (long long)integer);
		break;
	case SQLITE_FLOAT:
		fprintf(f, "r%a|", real);
		break;
	case SQLITE_NULL:
		fprintf(f, "n|");
		break;
	default:
		fputc(type == SQLITE_TEXT ? 't' : 'b', f);
		for (i = 0; i < len; i++)
			fprintf(f, "%02x", p[i]);
		fputc('|', f);
	}
}

char *text_of_row(sqlite3_stmt *st)
{
	int nr = sqlite3_column_count(st), i;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (i = 0; i < nr; i++) {
		int type = sqlite3_column_type(st, i);
		const void *data = type == SQLITE_TEXT ? (void *)sqlite3_column_text(st, i) :
				   type == SQLITE_BLOB ? sqlite3_column_blob(st, i) : NULL;

		put(f, type, sqlite3_column_int64(st, i), sqlite3_column_double(st, i), data,
		    data ? (size_t)sqlite3_column_bytes(st, i) : 0);
	}
	fclose(f);
	return text;
}

static const int type_of[] = {
	[CAROM_TYPE_NULL] = SQLITE_NULL, [CAROM_TYPE_INTEGER] = SQLITE_INTEGER,
	[CAROM_TYPE_REAL] = SQLITE_FLOAT, [CAROM_TYPE_TEXT] = SQLITE_TEXT,
	[CAROM_TYPE_BLOB] = SQLITE_BLOB,
};

void text_of_column(FILE *f, const struct carom_column *c)
{
	put(f, type_of[c->type], c->integer, c->real, c->data, c->len);
}

char *text_of_value(const struct carom_index *ix, const struct carom_value *val)
{
	struct carom_column cols[MAX_ROW_COLS];
	size_t nr = carom_index__columns(ix), i, len;
	struct carom_error err;
	char *text;
	FILE *f;

	assert_true(nr && nr <= MAX_ROW_COLS);
	if (carom_index__row(ix, val, cols, nr, &err))
		fail_msg("%s", err.text);
	f = open_memstream(&text, &len);
	for (i = 0; i < nr; i++)
		text_of_column(f, &cols[i]);
	fclose(f);
	return text;
}
