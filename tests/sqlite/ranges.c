// SPDX-License-Identifier: GPL-2.0
/*
 * All rows in the order of an index, and how many of them come before a key. SQLite sorts
 * and counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "column.h"
#include "random.h"
#include "ranges.h"
#include "text.h"

/* ---- trees ---- */

static void find_parts(sqlite3 *db, const char *index, struct tree *t)
{
	sqlite3_stmt *st;

	sql_ok(db, sqlite3_prepare_v2(db, "SELECT name, coll, desc FROM pragma_index_xinfo(?1) "
				      "WHERE key ORDER BY seqno", -1, &st, NULL));
	sqlite3_bind_text(st, 1, index, -1, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW && t->parts < MAX_PARTS) {
		t->name[t->parts] = strdup((const char *)sqlite3_column_text(st, 0));
		t->collation[t->parts] = strdup((const char *)sqlite3_column_text(st, 1));
		t->desc[t->parts++] = sqlite3_column_int(st, 2);
	}
	sqlite3_finalize(st);
}

int oracle_trees(sqlite3 *db, struct tree *trees)
{
	sqlite3_stmt *st;
	bool rowids = true;
	int nr = 1;

	memset(trees, 0, MAX_TREES * sizeof(*trees));
	sql_ok(db, sqlite3_prepare_v2(db, "SELECT l.name, l.origin = 'pk' AND t.wr FROM "
				      "pragma_table_list t, pragma_index_list('t') l "
				      "WHERE t.name = 't' AND t.schema = 'main'", -1, &st, NULL));
	while (sqlite3_step(st) == SQLITE_ROW && nr < MAX_TREES) {
		const char *index = (const char *)sqlite3_column_text(st, 0);

		if (sqlite3_column_int(st, 1)) {
			find_parts(db, index, &trees[0]);
			rowids = false;
			continue;
		}
		find_parts(db, index, &trees[nr]);
		trees[nr++].index = strdup(index);
	}
	sqlite3_finalize(st);
	if (!rowids)
		return nr;
	trees[0].rowids = true;
	trees[0].parts = 1;
	trees[0].name[0] = strdup("rowid");
	trees[0].collation[0] = strdup("BINARY");
	return nr;
}

void tree_free(struct tree *tree)
{
	while (tree->parts) {
		free(tree->name[--tree->parts]);
		free(tree->collation[tree->parts]);
	}
	free(tree->index);
}

/* ---- rows ---- */

static void find_columns(struct oracle *o)
{
	sqlite3_stmt *st;

	sql_ok(o->db, sqlite3_prepare_v2(o->db, "SELECT name, type = 'REAL' FROM "
					 "pragma_table_info('t')", -1, &st, NULL));
	while (sqlite3_step(st) == SQLITE_ROW && o->cols < MAX_ROW) {
		o->real[o->cols] = sqlite3_column_int(st, 1);
		o->column[o->cols++] = strdup((const char *)sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
}

static void add_row(struct oracle *o, sqlite3_stmt *st)
{
	struct row *r;
	int i;

	o->row = realloc(o->row, (o->nr + 1) * sizeof(*o->row));
	r = &o->row[o->nr++];
	for (i = 0; i < o->cols; i++) {
		r->type[i] = sqlite3_column_type(st, i);
		r->integer[i] = r->type[i] == SQLITE_INTEGER ? sqlite3_column_int64(st, i) : 0;
	}
	r->text = text_of_row(st);
}

/* In SQLite indexes end in the rowid, or in what they have not yet of the primary key. */
void oracle_read(struct oracle *o)
{
	sqlite3_str *s = sqlite3_str_new(o->db);
	sqlite3_stmt *st;
	char *text;
	int i, ret;

	find_columns(o);
	sqlite3_str_appendall(s, "SELECT * FROM t");
	if (o->tree.index)
		sqlite3_str_appendf(s, " INDEXED BY \"%w\"", o->tree.index);
	sqlite3_str_appendall(s, " ORDER BY ");
	for (i = 0; i < o->tree.parts; i++)
		sqlite3_str_appendf(s, "%s\"%w\" COLLATE %s%s", i ? ", " : "", o->tree.name[i],
				    o->tree.collation[i], o->tree.desc[i] ? " DESC" : "");
	text = sqlite3_str_finish(s);
	sql_ok(o->db, sqlite3_prepare_v2(o->db, text, -1, &st, NULL));
	sqlite3_free(text);
	while ((ret = sqlite3_step(st)) == SQLITE_ROW)
		add_row(o, st);
	sql_ok(o->db, ret);
	/* It has gone through the index, and not sorted, or rows that are alike come anyhow. */
	assert_int_equal(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_SORT, 0), 0);
	sqlite3_finalize(st);
}

void oracle_free(struct oracle *o)
{
	while (o->nr)
		free(o->row[--o->nr].text);
	free(o->row);
	while (o->cols)
		free(o->column[--o->cols]);
	memset(o, 0, sizeof(*o));
}

/* ---- keys ---- */

static size_t count(const struct oracle *o, sqlite3_str *s, const struct carom_column *key, int nr)
{
	char *text = sqlite3_str_finish(s);
	sqlite3_stmt *st;
	size_t n;
	int i;

	sql_ok(o->db, sqlite3_prepare_v2(o->db, text, -1, &st, NULL));
	for (i = 0; i < nr; i++)
		bind_column(st, i + 1, &key[i]);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_free(text);
	return n;
}

/* Column @i of the row comes before the key's. NULL is first, and last in descending order. */
static void put_less(const struct oracle *o, sqlite3_str *s, int i)
{
	const char *name = o->tree.name[i], *coll = o->tree.collation[i];

	if (o->tree.desc[i])
		sqlite3_str_appendf(s, "(\"%w\" IS NOT NULL AND (?%d IS NULL OR "
				    "\"%w\" COLLATE %s > ?%d))", name, i + 1, name, coll, i + 1);
	else
		sqlite3_str_appendf(s, "(?%d IS NOT NULL AND (\"%w\" IS NULL OR "
				    "\"%w\" COLLATE %s < ?%d))", i + 1, name, name, coll, i + 1);
}

static void put_same(const struct oracle *o, sqlite3_str *s, int i)
{
	sqlite3_str_appendf(s, "\"%w\" COLLATE %s IS ?%d", o->tree.name[i], o->tree.collation[i],
			    i + 1);
}

size_t oracle_before(const struct oracle *o, const struct carom_column *key, int nr)
{
	sqlite3_str *s = sqlite3_str_new(o->db);
	int i, j;

	sqlite3_str_appendall(s, "SELECT count(*) FROM t NOT INDEXED WHERE ");
	for (i = 0; i < nr; i++) {
		sqlite3_str_appendall(s, i ? " OR (" : "(");
		for (j = 0; j < i; j++) {
			put_same(o, s, j);
			sqlite3_str_appendall(s, " AND ");
		}
		put_less(o, s, i);
		sqlite3_str_appendall(s, ")");
	}
	return count(o, s, key, nr);
}

/* Rows that begin so, or come before those that do. */
static size_t count_prefix(const struct oracle *o, const struct carom_column *key, int nr)
{
	bool text = key[nr - 1].type == CAROM_TYPE_TEXT, nocase;
	sqlite3_str *s = sqlite3_str_new(o->db);
	const char *name = o->tree.name[nr - 1];
	int i;

	sqlite3_str_appendall(s, "SELECT count(*) FROM t NOT INDEXED WHERE ");
	for (i = 0; i < nr - 1; i++) {
		put_same(o, s, i);
		sqlite3_str_appendall(s, " AND ");
	}
	nocase = text && !strcmp(o->tree.collation[i], "NOCASE");
	/* Of an empty one substr() would make NULL. */
	if ((text || key[i].type == CAROM_TYPE_BLOB) && !key[i].len)
		sqlite3_str_appendf(s, "typeof(\"%w\") = '%s'", name, text ? "text" : "blob");
	else if (text || key[i].type == CAROM_TYPE_BLOB)
		sqlite3_str_appendf(s, "typeof(\"%w\") = '%s' AND substr(CAST(%s(\"%w\") AS BLOB), "
				    "1, %d) = CAST(%s(?%d) AS BLOB)", name, text ? "text" : "blob",
				    nocase ? "lower" : "", name, (int)key[i].len,
				    nocase ? "lower" : "", i + 1);
	else
		put_same(o, s, i);
	return count(o, s, key, nr);
}

/* Where they are is where the key would be: all that come before it are less, or behind it. */
void oracle_prefix(const struct oracle *o, const struct carom_column *key, int nr, size_t *first,
		   size_t *end)
{
	size_t n = count_prefix(o, key, nr), before = oracle_before(o, key, nr);
	bool bytes = key[nr - 1].type == CAROM_TYPE_TEXT || key[nr - 1].type == CAROM_TYPE_BLOB;
	sqlite3_str *s;
	int i;

	*first = before;
	/* In descending order the key itself is the last of them. */
	if (bytes && o->tree.desc[nr - 1]) {
		s = sqlite3_str_new(o->db);
		sqlite3_str_appendall(s, "SELECT count(*) FROM t NOT INDEXED WHERE ");
		for (i = 0; i < nr; i++) {
			put_same(o, s, i);
			sqlite3_str_appendall(s, i + 1 < nr ? " AND " : "");
		}
		*first = before + count(o, s, key, nr) - n;
	}
	*end = *first + n;
}
