// SPDX-License-Identifier: GPL-2.0
/*
 * Keys are columns of rows that are there, or such with something changed. SQLite is asked
 * for all rows where the columns IS those, with the index's collations.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "column.h"
#include "compare.h"
#include "random.h"
#include "text.h"

#define MAX_KEY		8

/**
 * struct both - one index, both ways
 * @index: its name, NULL: rowid or primary key
 * @parts: columns that keys can have
 * @name, @collation: of each
 */
struct both {
	sqlite3 *db;
	const char *table;
	const char *index;
	struct carom_index *ix;
	struct carom_reader *rd;
	int parts;
	char *name[MAX_KEY];
	char *collation[MAX_KEY];
	struct compared *all;
};

/* Rows as texts, sorted, since neither order is promised by SQLite. */
struct rows {
	char **row;
	size_t nr;
};

static void rows_add(struct rows *r, char *row)
{
	r->row = realloc(r->row, (r->nr + 1) * sizeof(*r->row));
	r->row[r->nr++] = row;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void rows_free(struct rows *r)
{
	while (r->nr)
		free(r->row[--r->nr]);
	free(r->row);
}

/* ---- the two ways ---- */

static void ask_sqlite(const struct both *b, const struct carom_column *key, int nr,
		       struct rows *found)
{
	sqlite3_str *s = sqlite3_str_new(b->db);
	sqlite3_stmt *st;
	char *text;
	int i, ret;

	sqlite3_str_appendf(s, "SELECT * FROM \"%w\" WHERE ", b->table);
	for (i = 0; i < nr; i++)
		sqlite3_str_appendf(s, "%s\"%w\" COLLATE %s IS ?", i ? " AND " : "", b->name[i],
				    b->collation[i]);
	text = sqlite3_str_finish(s);
	sql_ok(b->db, sqlite3_prepare_v2(b->db, text, -1, &st, NULL));
	sqlite3_free(text);
	for (i = 0; i < nr; i++)
		bind_column(st, i + 1, &key[i]);
	while ((ret = sqlite3_step(st)) == SQLITE_ROW)
		rows_add(found, text_of_row(st));
	sql_ok(b->db, ret);
	sqlite3_finalize(st);
}

static int ask_carom(const struct both *b, const struct carom_column *key, int nr,
		     struct rows *found)
{
	struct carom_error err;
	struct carom_value val;
	static char buf[1 << 20];
	size_t size = sizeof(buf);
	int ret;

	ret = carom_index__key(b->ix, key, (size_t)nr, buf, &size, &err);
	if (ret == -EINVAL && !b->index && nr == 1)
		return -EINVAL;		/* no rowid */
	if (ret)
		fail_msg("%s", err.text);
	ret = carom_reader__get(b->rd, buf, size, &val);
	while (!ret) {
		rows_add(found, text_of_value(b->ix, &val));
		ret = carom_reader__next(b->rd, &val);
	}
	if (ret != CAROM_NOTFOUND)
		fail_msg("%s: %d %s", b->index ? b->index : "rowid", ret,
			 carom_reader__error(b->rd)->text);
	/* And no further. */
	assert_int_equal(carom_reader__next(b->rd, &val), CAROM_NOTFOUND);
	return 0;
}

static void show(const char *who, const struct rows *r)
{
	size_t i;

	print_message("# %s: %zu rows\n", who, r->nr);
	for (i = 0; i < r->nr && i < 10; i++)
		print_message("#   %.200s\n", r->row[i]);
}

static void show_key(const struct carom_column *key, int nr)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int i;

	for (i = 0; i < nr; i++)
		text_of_column(f, &key[i]);
	fclose(f);
	print_message("# key: %.200s\n", text);
	free(text);
}

static void compare_key(const struct both *b, const struct carom_column *key, int nr)
{
	struct rows sqlite = { 0 }, carom = { 0 };
	bool same;
	size_t i;
	int ret;

	ret = ask_carom(b, key, nr, &carom);
	if (!ret) {
		ask_sqlite(b, key, nr, &sqlite);
		if (sqlite.nr)
			qsort(sqlite.row, sqlite.nr, sizeof(*sqlite.row), by_text);
		if (carom.nr)
			qsort(carom.row, carom.nr, sizeof(*carom.row), by_text);
		same = sqlite.nr == carom.nr;
		for (i = 0; same && i < sqlite.nr; i++)
			same = !strcmp(sqlite.row[i], carom.row[i]);
		b->all->keys++;
		b->all->rows += sqlite.nr;
		b->all->absent += !sqlite.nr;
		if (!same) {
			show_key(key, nr);
			show("sqlite", &sqlite);
			show("carom", &carom);
			fail_msg("table %s, index %s, %d columns of the key", b->table,
				 b->index ? b->index : "none", nr);
		}
	}
	rows_free(&sqlite);
	rows_free(&carom);
}

/* ---- keys ---- */

/* Something else than the column has: of another type, a bit more or less, in capitals. */
static void change(struct carom_column *c, char *buf, size_t size)
{
	size_t len = c->len < size - 4 ? c->len : size - 4;

	if (c->type == CAROM_TYPE_INTEGER && rnd_below(2)) {
		c->type = CAROM_TYPE_REAL;
		c->real = (double)c->integer + (rnd_below(2) ? 0 : 0.5);
	} else if (c->type == CAROM_TYPE_INTEGER) {
		c->integer = (int64_t)((uint64_t)c->integer + rnd_below(3) - 1);
		if (rnd_below(2)) {
			c->len = (size_t)snprintf(buf, size, "%lld", (long long)c->integer);
			c->data = buf;
			c->type = CAROM_TYPE_TEXT;
		}
	} else if (c->type == CAROM_TYPE_REAL) {
		c->real = rnd_below(2) ? c->real + 0.125 : (double)(int)rnd_below(50);
	} else if (c->type == CAROM_TYPE_NULL) {
		c->type = CAROM_TYPE_TEXT;
		c->data = "";
		c->len = 0;
	} else {
		if (len)
			memcpy(buf, c->data, len);
		switch (rnd_below(5)) {
		case 0:
			buf[len++] = ' ';
			break;
		case 1:
			buf[len++] = rnd_below(2) ? '\0' : 'z';
			break;
		case 2:
			len -= len > 0;
			break;
		case 3:
			if (len)
				buf[rnd_below((unsigned int)len)] ^= ' ';
			break;
		default:
			c->type = c->type == CAROM_TYPE_TEXT ? CAROM_TYPE_BLOB : CAROM_TYPE_TEXT;
		}
		c->data = buf;
		c->len = len;
	}
}

static void compare_row(const struct both *b, sqlite3_stmt *st)
{
	struct carom_column key[MAX_KEY];
	static char buf[1 << 20];
	int i, nr;

	for (i = 0; i < b->parts; i++)
		key[i] = column_of(st, i);
	compare_key(b, key, b->parts);
	nr = 1 + (int)rnd_below((unsigned int)b->parts);
	if (nr < b->parts)
		compare_key(b, key, nr);
	change(&key[rnd_below((unsigned int)nr)], buf, sizeof(buf));
	compare_key(b, key, nr);
}

static unsigned int count_rows(const struct both *b)
{
	char *text = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", b->table);
	unsigned int nr = 0;
	sqlite3_stmt *st;

	sql_ok(b->db, sqlite3_prepare_v2(b->db, text, -1, &st, NULL));
	if (sqlite3_step(st) == SQLITE_ROW)
		nr = (unsigned int)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_free(text);
	return nr;
}

/* About @keys of the rows. */
static void compare_rows(struct both *b, unsigned int keys)
{
	unsigned int one_in = count_rows(b) / keys + 1;
	sqlite3_str *s = sqlite3_str_new(b->db);
	sqlite3_stmt *st;
	char *text;
	int i, ret;

	sqlite3_str_appendall(s, "SELECT ");
	for (i = 0; i < b->parts; i++)
		sqlite3_str_appendf(s, "%s\"%w\"", i ? ", " : "", b->name[i]);
	sqlite3_str_appendf(s, " FROM \"%w\"", b->table);
	text = sqlite3_str_finish(s);
	sql_ok(b->db, sqlite3_prepare_v2(b->db, text, -1, &st, NULL));
	sqlite3_free(text);
	while ((ret = sqlite3_step(st)) == SQLITE_ROW)
		if (!rnd_below(one_in))
			compare_row(b, st);
	sql_ok(b->db, ret);
	sqlite3_finalize(st);
}

/* ---- indexes ---- */

static void find_parts(struct both *b, const char *index)
{
	sqlite3_stmt *st;

	sql_ok(b->db, sqlite3_prepare_v2(b->db, "SELECT name, coll FROM pragma_index_xinfo(?1) "
					 "WHERE key ORDER BY seqno", -1, &st, NULL));
	sqlite3_bind_text(st, 1, index, -1, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW && b->parts < MAX_KEY) {
		b->name[b->parts] = strdup((const char *)sqlite3_column_text(st, 0));
		b->collation[b->parts++] = strdup((const char *)sqlite3_column_text(st, 1));
	}
	sqlite3_finalize(st);
	if (b->parts)
		return;
	b->name[0] = strdup("rowid");
	b->collation[0] = strdup("BINARY");
	b->parts = 1;
}

static void count_stats(const struct both *b)
{
	struct carom_reader_stats st, *all = &b->all->stats;

	carom_reader__stats(b->rd, &st, sizeof(st));
	all->lookups += st.lookups;
	all->hops += st.hops;
	all->kernel_hops += st.kernel_hops;
	all->fallbacks += st.fallbacks;
	if (st.last_abort)
		all->last_abort = st.last_abort;
}

/* @parts_of: the index that keys are of, NULL: rowids. */
static void compare_index(struct both *b, const char *path, const char *parts_of,
			  enum carom_backend backend, unsigned int keys)
{
	static const size_t rooms[] = { 0, 1, 512, 65536 };
	const struct carom_index_opts opts = {
		.sz = sizeof(opts), .format = "sqlite", .table = b->table, .index = b->index,
		.backend = backend, .max_readers = 1, .max_in_flight = 1,
		.value_room = rooms[rnd_below(4)],
	};
	struct carom_error err;

	if (carom_index__open(path, &opts, &b->ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_index__backend(b->ix), backend);
	if (carom_reader__new(b->ix, &b->rd, &err))
		fail_msg("%s", err.text);
	find_parts(b, parts_of ? parts_of : "");
	compare_rows(b, keys);
	count_stats(b);
	carom_reader__free(b->rd);
	carom_index__close(b->ix);
	while (b->parts) {
		free(b->name[--b->parts]);
		free(b->collation[b->parts]);
	}
}

void compare_table(sqlite3 *db, const char *path, const char *table,
		   enum carom_backend backend, unsigned int keys, struct compared *all)
{
	struct both b = { .db = db, .table = table, .all = all };
	char *primary = NULL;
	bool rowids = true;
	sqlite3_stmt *st;

	sql_ok(db, sqlite3_prepare_v2(db, "SELECT wr FROM pragma_table_list WHERE name = ?1 "
				      "AND schema = 'main'", -1, &st, NULL));
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		rowids = !sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sql_ok(db, sqlite3_prepare_v2(db, "SELECT name, origin = 'pk' FROM pragma_index_list(?1) "
				      "WHERE NOT partial AND NOT EXISTS (SELECT 1 FROM "
				      "pragma_index_xinfo(name) WHERE cid = -2)", -1, &st, NULL));
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW) {
		b.index = (const char *)sqlite3_column_text(st, 0);
		if (sqlite3_column_int(st, 1) && !rowids)
			primary = strdup(b.index);
		compare_index(&b, path, b.index, backend, keys);
	}
	sqlite3_finalize(st);
	b.index = NULL;
	compare_index(&b, path, primary, backend, keys);
	free(primary);
}
