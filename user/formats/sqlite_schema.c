// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Which table, and what is in its records: as SQLite itself reads it from
 * sqlite_schema.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "sqlite_schema.h"

/* ---- statements ---- */

static int db_error(const struct reading *rd)
{
	if (sqlite3_errcode(rd->db) == SQLITE_NOMEM)
		return sqlite_no_memory(rd->err);
	return carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: the schema cannot be read: %s", rd->path, sqlite3_errmsg(rd->db));
}

/* A statement with @name for its parameter. 0 or negative errno. */
int sqlite_prepare(const struct reading *rd, const char *sql, const char *name,
		   sqlite3_stmt **st)
{
	if (sqlite3_prepare_v2(rd->db, sql, -1, st, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(*st, 1, name, -1, SQLITE_STATIC) == SQLITE_OK)
		return 0;
	sqlite3_finalize(*st);
	*st = NULL;
	return db_error(rd);
}

/* 1: a row; 0: no more; negative errno. */
int sqlite_step(const struct reading *rd, sqlite3_stmt *st)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_error(rd);
	}
}

const char *sqlite_text_of(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text ? text : "";
}

bool sqlite_same_name(const char *a, const char *b)
{
	return !sqlite3_stricmp(a, b);
}

int sqlite_refuse(const struct reading *rd, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int ret;

	va_start(ap, fmt);
	text = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	ret = carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EOPNOTSUPP, "%s: %s", rd->path,
			      text ? text : "out of memory");
	sqlite3_free(text);
	return ret;
}

/* ---- the table ---- */

/* The rules of "Determination Of Column Affinity" in SQLite's documentation. */
static enum sqlite_affinity affinity_of(const char *type, bool strict)
{
	if (strict && sqlite_same_name(type, "ANY"))
		return SQLITE_AFFINITY_BLOB;
	if (!sqlite3_strlike("%INT%", type, 0))
		return SQLITE_AFFINITY_NUMERIC;
	if (!sqlite3_strlike("%CHAR%", type, 0) || !sqlite3_strlike("%CLOB%", type, 0) ||
	    !sqlite3_strlike("%TEXT%", type, 0))
		return SQLITE_AFFINITY_TEXT;
	if (!*type || !sqlite3_strlike("%BLOB%", type, 0))
		return SQLITE_AFFINITY_BLOB;
	if (!sqlite3_strlike("%REAL%", type, 0) || !sqlite3_strlike("%FLOA%", type, 0) ||
	    !sqlite3_strlike("%DOUB%", type, 0))
		return SQLITE_AFFINITY_REAL;
	return SQLITE_AFFINITY_NUMERIC;
}

/* The schema's own table, which has no entry in itself. */
static bool is_schema(const char *name)
{
	return sqlite_same_name(name, "sqlite_schema") || sqlite_same_name(name, "sqlite_master");
}

/* What table_list says of it: 0, with @strict set, or negative errno. */
static int table_kind(const struct reading *rd, bool *strict)
{
	sqlite3_stmt *st;
	int ret;

	ret = sqlite_prepare(rd, "SELECT name, type, wr, strict FROM pragma_table_list "
		      "WHERE schema = 'main' AND name = ?1 COLLATE NOCASE",
		      is_schema(rd->table) ? "sqlite_schema" : rd->table, &st);
	if (ret)
		return ret;
	ret = sqlite_step(rd, st);
	if (!ret) {
		ret = carom_error_set(rd->err, CAROM_FAULT_USAGE, -ENOENT,
			"%s: no table %s in this file", rd->path, rd->table);
	} else if (ret > 0) {
		const char *type = sqlite_text_of(st, 1);

		ret = 0;
		rd->s->rowids = !sqlite3_column_int(st, 2);
		*strict = sqlite3_column_int(st, 3);
		rd->s->name = strdup(sqlite_text_of(st, 0));
		if (!rd->s->name)
			ret = sqlite_no_memory(rd->err);
		else if (!strcmp(type, "view") || !strcmp(type, "virtual"))
			ret = sqlite_refuse(rd, "%s is a %s%s, which has no tree of its own",
				     rd->table, type, type[2] == 'r' ? " table" : "");
	}
	sqlite3_finalize(st);
	return ret;
}

/* Root page of a table or index. 0 or negative errno. */
int sqlite_root_of(const struct reading *rd, const char *type, const char *name, __u32 *root)
{
	sqlite3_stmt *st;
	int ret;

	if (is_schema(name)) {
		*root = 1;
		return 0;
	}
	ret = sqlite_prepare(rd, "SELECT rootpage, type FROM sqlite_schema "
		      "WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'index')", name, &st);
	if (ret)
		return ret;
	while ((ret = sqlite_step(rd, st)) > 0) {
		if (strcmp(sqlite_text_of(st, 1), type))
			continue;
		*root = (__u32)sqlite3_column_int64(st, 0);
		if (*root == sqlite3_column_int64(st, 0) && *root > 1)
			break;
		ret = carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: %s %s has root page %lld", rd->path, type, name,
			sqlite3_column_int64(st, 0));
		break;
	}
	sqlite3_finalize(st);
	if (!ret)
		return carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: %s %s is not in sqlite_schema", rd->path, type, name);
	return ret < 0 ? ret : 0;
}

static int take_column(const struct reading *rd, sqlite3_stmt *st, bool strict)
{
	struct sqlite_schema *s = rd->s;
	struct sqlite_column *all, *c;

	all = realloc(s->columns, (s->nr + 1) * sizeof(*all));
	if (!all)
		return sqlite_no_memory(rd->err);
	s->columns = all;
	c = &all[s->nr];
	*c = (struct sqlite_column){ .place = s->nr };
	c->name = strdup(sqlite_text_of(st, 0));
	if (!c->name)
		return sqlite_no_memory(rd->err);
	s->nr++;
	c->affinity = affinity_of(sqlite_text_of(st, 1), strict);
	c->is_rowid = s->rowids && sqlite3_column_int(st, 2) == 1 &&
		      sqlite_same_name(sqlite_text_of(st, 1), "INTEGER");
	/* 2 is a generated column that is not stored, 3 one that is. */
	if (sqlite3_column_int(st, 3) == 2)
		return sqlite_refuse(rd, "column %s of table %s is generated and not stored (VIRTUAL), "
			      "which is not supported", c->name, s->name);
	return 0;
}

static int take_columns(const struct reading *rd, bool strict)
{
	sqlite3_stmt *st;
	int ret;

	ret = sqlite_prepare(rd, "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1) "
		      "ORDER BY cid", rd->table, &st);
	if (ret)
		return ret;
	while ((ret = sqlite_step(rd, st)) > 0) {
		ret = take_column(rd, st, strict);
		if (ret)
			break;
	}
	sqlite3_finalize(st);
	return ret;
}

/* ---- columns that were added ---- */

/*
 * Records that were written before ALTER TABLE ADD COLUMN end earlier; the default
 * is a constant then.
 */
static int take_default(const struct reading *rd, const char *expr, struct carom_column *to)
{
	sqlite3_stmt *st = NULL;
	char *sql, *copy;
	int ret = 0;

	sql = sqlite3_mprintf("SELECT %s", expr);
	if (!sql)
		return sqlite_no_memory(rd->err);
	/* What is no constant is NULL, as SQLite has it. */
	if (sqlite3_prepare_v2(rd->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		sqlite3_value *v = sqlite3_column_value(st, 0);

		to->type = CAROM_TYPE_NULL;
		switch (sqlite3_value_type(v)) {
		case SQLITE_INTEGER:
			to->type = CAROM_TYPE_INTEGER;
			to->integer = sqlite3_value_int64(v);
			break;
		case SQLITE_FLOAT:
			to->type = CAROM_TYPE_REAL;
			to->real = sqlite3_value_double(v);
			break;
		case SQLITE_TEXT:
		case SQLITE_BLOB:
			to->type = sqlite3_value_type(v) == SQLITE_TEXT ? CAROM_TYPE_TEXT :
									  CAROM_TYPE_BLOB;
			to->len = (size_t)sqlite3_value_bytes(v);
			copy = malloc(to->len + 1);
			if (!copy)
				ret = sqlite_no_memory(rd->err);
			else if (to->len)
				memcpy(copy, sqlite3_value_blob(v), to->len);
			to->data = copy;
			break;
		}
	}
	sqlite3_finalize(st);
	sqlite3_free(sql);
	return ret;
}

static int take_defaults(const struct reading *rd)
{
	sqlite3_stmt *st;
	unsigned int i = 0;
	int ret;

	ret = sqlite_prepare(rd, "SELECT dflt_value FROM pragma_table_xinfo(?1) ORDER BY cid",
			     rd->table, &st);
	if (ret)
		return ret;
	while ((ret = sqlite_step(rd, st)) > 0 && i < rd->s->nr) {
		ret = *sqlite_text_of(st, 0) ?
		      take_default(rd, sqlite_text_of(st, 0), &rd->s->columns[i].missing) : 0;
		if (ret)
			break;
		i++;
	}
	sqlite3_finalize(st);
	return ret < 0 ? ret : 0;
}

int sqlite_schema_read(sqlite3 *db, const char *path, const char *table, const char *index,
		       struct sqlite_schema *s, struct carom_error *err)
{
	const struct reading rd = { .db = db, .path = path, .table = table, .s = s, .err = err };
	bool strict = false;
	int ret;

	ret = table_kind(&rd, &strict);
	if (!ret)
		ret = sqlite_root_of(&rd, "table", s->name, &s->root);
	if (!ret)
		ret = take_columns(&rd, strict);
	if (!ret)
		ret = sqlite_take_primary(&rd);
	if (!ret)
		ret = take_defaults(&rd);
	if (!ret && index)
		ret = sqlite_take_index(&rd, index);
	return ret;
}

static void tree_free(struct sqlite_tree *tree)
{
	free(tree->name);
	free(tree->parts);
}

void sqlite_schema_free(struct sqlite_schema *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		free(s->columns[i].name);
		free((void *)s->columns[i].missing.data);
	}
	free(s->columns);
	tree_free(&s->primary);
	tree_free(&s->index);
	free(s->name);
}
