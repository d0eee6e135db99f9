// SPDX-License-Identifier: GPL-2.0
/*
 * Databases made at random: columns of all types, collations and orders, values that are
 * often equal or nearly so, and some that go on in overflow pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "random.h"

static uint64_t rnd_state;

void rnd_init(void)
{
	const char *seed = getenv("CAROM_TEST_SEED");

	rnd_state = seed ? strtoull(seed, NULL, 0) : 20261121;
	print_message("# CAROM_TEST_SEED=%llu\n", (unsigned long long)rnd_state);
}

/* splitmix64 */
uint64_t rnd(void)
{
	uint64_t z = rnd_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned int rnd_below(unsigned int n)
{
	return (unsigned int)(rnd() % n);
}

void sql_ok(sqlite3 *db, int ret)
{
	if (ret != SQLITE_OK && ret != SQLITE_ROW && ret != SQLITE_DONE)
		fail_msg("sqlite3: %s", sqlite3_errmsg(db));
}

void sql(sqlite3 *db, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("sqlite3: %s: %s", sqlite3_errmsg(db), text);
	sqlite3_free(text);
}

/* ---- values ---- */

/* What is near other values: of few kinds, so that many are equal. */
static int64_t some_int(void)
{
	static const int64_t edges[] = {
		0, 1, -1, 127, 128, -128, -129, 32767, 32768, 8388607, -8388609, 2147483647,
		2147483648, 140737488355327, -140737488355329, 9007199254740993,
		INT64_MAX, INT64_MIN,
	};

	switch (rnd_below(4)) {
	case 0:
		return edges[rnd_below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return (int64_t)rnd() >> rnd_below(64);
	default:
		return (int64_t)rnd_below(100) - 50;
	}
}

static double some_real(void)
{
	static const double edges[] = {
		0.0, -0.0, 0.5, 1e300, -1e300, 9223372036854775808.0, -9223372036854775808.0,
		9007199254740992.0, 1e-310, 3.0, -1.5, 1e19,
	};

	if (!rnd_below(3))
		return edges[rnd_below(sizeof(edges) / sizeof(edges[0]))];
	return ((double)rnd_below(400) - 200) / 8;
}

/* Texts that differ late, in case, or in spaces at their end; some are numbers. */
static size_t some_text(char *to, size_t longest)
{
	static const char letters[] = "aAbBzZ[@ ";
	size_t len = rnd_below(6), i;

	switch (rnd_below(8)) {
	case 0:
		return (size_t)sprintf(to, "%d", (int)rnd_below(60) - 30);
	case 1:
		return (size_t)sprintf(to, " %u.5e0 ", rnd_below(20));
	case 2:
		len = rnd_below((unsigned int)longest);
		break;
	default:
		break;
	}
	memset(to, 'a', len);
	for (i = 0; i < 3 && i < len; i++)
		to[len - 1 - rnd_below(i + 1)] = letters[rnd_below(sizeof(letters) - 1)];
	if (len > 8 && !rnd_below(3))
		memset(to + len - rnd_below(8), ' ', rnd_below(8));
	if (len && !rnd_below(4))
		to[rnd_below((unsigned int)len)] = "\x01\x1f\xc3\x7f"[rnd_below(4)];
	if (len && !rnd_below(20))
		to[rnd_below((unsigned int)len)] = '\0';
	if (len && !rnd_below(3))
		to[0] = letters[rnd_below(4)];
	return len;
}

static void bind_some(sqlite3_stmt *st, int i, size_t longest)
{
	char *text;
	size_t len;

	switch (rnd_below(8)) {
	case 0:
		sqlite3_bind_null(st, i);
		return;
	case 1:
	case 2:
		sqlite3_bind_int64(st, i, some_int());
		return;
	case 3:
		sqlite3_bind_double(st, i, some_real());
		return;
	default:
		text = malloc(longest + 64);
		len = some_text(text, longest);
		if (rnd_below(4))
			sqlite3_bind_text(st, i, text, (int)len, free);
		else
			sqlite3_bind_blob(st, i, text, (int)len, free);
	}
}

/* ---- schema ---- */

static const char *some_collation(void)
{
	static const char *const names[] = {
		"", "", " COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY",
	};

	return names[rnd_below(sizeof(names) / sizeof(names[0]))];
}

static int make_table(sqlite3 *db, const struct layout *l)
{
	static const char *const types[] = { "", "TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC" };
	int cols = 3 + (int)rnd_below(4), i;
	sqlite3_str *s = sqlite3_str_new(db);
	char *text;

	sqlite3_str_appendall(s, "CREATE TABLE t (");
	for (i = 0; i < cols; i++)
		sqlite3_str_appendf(s, "%sc%d %s%s%s", i ? ", " : "", i,
				    types[rnd_below(sizeof(types) / sizeof(types[0]))],
				    some_collation(), !l->rowids && i < 2 ? " NOT NULL" : "");
	if (l->rowids && rnd_below(2))
		sqlite3_str_appendf(s, ", id INTEGER PRIMARY KEY");
	else if (!l->rowids)
		sqlite3_str_appendf(s, ", PRIMARY KEY (%s)", rnd_below(2) ? "c1, c0 DESC" : "c1");
	sqlite3_str_appendf(s, ")%s", l->rowids ? "" : " WITHOUT ROWID");
	text = sqlite3_str_finish(s);
	sql(db, "%s", text);
	sqlite3_free(text);
	return cols;
}

static void make_index(sqlite3 *db, int nr, int cols)
{
	sqlite3_str *s = sqlite3_str_new(db);
	int parts = 1 + (int)rnd_below(3), first = (int)rnd_below((unsigned int)cols), i;
	char *text;

	sqlite3_str_appendf(s, "CREATE%s INDEX i%d ON t (", rnd_below(3) ? "" : " UNIQUE", nr);
	for (i = 0; i < parts; i++)
		sqlite3_str_appendf(s, "%sc%d%s%s", i ? ", " : "", (first + i) % cols,
				    some_collation(), rnd_below(2) ? " DESC" : "");
	sqlite3_str_appendall(s, ")");
	text = sqlite3_str_finish(s);
	sql(db, "%s", text);
	sqlite3_free(text);
}

static void insert_rows(sqlite3 *db, const struct layout *l, int cols, unsigned int rows)
{
	sqlite3_str *s = sqlite3_str_new(db);
	sqlite3_stmt *st;
	unsigned int n;
	char *text;
	int i;

	sqlite3_str_appendall(s, l->rowids ? "INSERT OR IGNORE INTO t (rowid" :
					     "INSERT OR IGNORE INTO t (");
	for (i = 0; i < cols; i++)
		sqlite3_str_appendf(s, "%sc%d", i || l->rowids ? ", " : "", i);
	sqlite3_str_appendall(s, ") VALUES (?");
	for (i = 1; i < cols + l->rowids; i++)
		sqlite3_str_appendall(s, ", ?");
	sqlite3_str_appendall(s, ")");
	text = sqlite3_str_finish(s);
	sql_ok(db, sqlite3_prepare_v2(db, text, -1, &st, NULL));
	sqlite3_free(text);
	for (n = 0; n < rows; n++) {
		for (i = 1; i <= cols; i++)
			bind_some(st, i + l->rowids, l->longest);
		if (l->rowids)
			sqlite3_bind_int64(st, 1, rnd_below(20) ? (int64_t)n + 1 : some_int());
		/* NOT NULL, and others' keys. */
		sqlite3_step(st);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
}

sqlite3 *random_database(const char *path, const struct layout *l)
{
	int reserved = (int)l->reserved, cols, i;
	sqlite3 *db;

	unlink(path);
	sql_ok(NULL, sqlite3_open(path, &db));
	sql(db, "PRAGMA page_size = %u; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF",
	    l->page_size);
	if (reserved)
		sql_ok(db, sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES,
						&reserved));
	sql(db, "BEGIN");
	cols = make_table(db, l);
	for (i = 0; i < 4; i++)
		make_index(db, i, cols);
	insert_rows(db, l, cols, l->rows / 2);
	sql(db, "ALTER TABLE t ADD COLUMN added %s", rnd_below(2) ? "REAL DEFAULT 7" :
	    "TEXT DEFAULT 'it''s'");
	sql(db, "DELETE FROM t WHERE %s %% 7 = 3", l->rowids ? "rowid" : "length(c1)");
	insert_rows(db, l, cols, l->rows - l->rows / 2);
	sql(db, "COMMIT");
	return db;
}
