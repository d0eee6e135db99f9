// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Which index, and what is in its entries.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite_schema.h"

static int collation_of(const struct reading *rd, const char *index, const char *name,
			enum carom_sqlite_collation *collation)
{
	static const char *const known[] = {
		[CAROM_SQLITE_BINARY] = "BINARY",
		[CAROM_SQLITE_NOCASE] = "NOCASE",
		[CAROM_SQLITE_RTRIM] = "RTRIM",
	};
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (sqlite_same_name(name, known[i])) {
			*collation = i;
			return 0;
		}
	}
	return sqlite_refuse(rd, "index %s is in the order of collation %s; only BINARY, NOCASE and "
		      "RTRIM are known", index, name);
}

static int take_part(const struct reading *rd, sqlite3_stmt *st, struct sqlite_tree *tree)
{
	struct sqlite_part *all, *part;
	int cid = sqlite3_column_int(st, 0);
	bool key = sqlite3_column_int(st, 3);

	all = realloc(tree->parts, (tree->nr + 1) * sizeof(*all));
	if (!all)
		return sqlite_no_memory(rd->err);
	tree->parts = all;
	part = &all[tree->nr++];
	*part = (struct sqlite_part){ .column = cid, .desc = sqlite3_column_int(st, 1) };
	tree->keys += key;
	if (cid == -2)
		return sqlite_refuse(rd, "index %s is on an expression, which is not supported",
			      tree->name);
	if (cid >= (int)rd->s->nr || cid < -1)
		return carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: index %s has column %d of a table of %u", rd->path,
			tree->name, cid, rd->s->nr);
	part->affinity = cid < 0 ? SQLITE_AFFINITY_NUMERIC : rd->s->columns[cid].affinity;
	return key ? collation_of(rd, tree->name, sqlite_text_of(st, 2), &part->collation) : 0;
}

static int take_parts(const struct reading *rd, struct sqlite_tree *tree)
{
	sqlite3_stmt *st;
	int ret;

	ret = sqlite_prepare(rd, "SELECT cid, \"desc\", coll, key FROM pragma_index_xinfo(?1) "
		      "ORDER BY seqno", tree->name, &st);
	if (ret)
		return ret;
	while ((ret = sqlite_step(rd, st)) > 0) {
		ret = take_part(rd, st, tree);
		if (ret)
			break;
	}
	sqlite3_finalize(st);
	if (!ret && (!tree->keys || tree->keys > tree->nr))
		ret = carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: index %s has no columns", rd->path, tree->name);
	return ret;
}

static int take_index(const struct reading *rd, sqlite3_stmt *st, struct sqlite_tree *tree,
		      bool primary)
{
	int ret;

	tree->name = strdup(sqlite_text_of(st, 0));
	if (!tree->name)
		return sqlite_no_memory(rd->err);
	tree->unique = sqlite3_column_int(st, 1);
	if (sqlite3_column_int(st, 3))
		return sqlite_refuse(rd, "index %s is partial (it has a WHERE), which is not supported",
			      tree->name);
	ret = take_parts(rd, tree);
	if (ret || primary)
		return ret;
	return sqlite_root_of(rd, "index", tree->name, &tree->root);
}

/* The index list's entry of that name or origin. 1, 0 or negative errno. */
static int find_index(const struct reading *rd, const char *name, sqlite3_stmt **st)
{
	int ret;

	ret = sqlite_prepare(rd, "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)",
		      rd->table, st);
	if (ret)
		return ret;
	while ((ret = sqlite_step(rd, *st)) > 0)
		if (name ? sqlite_same_name(sqlite_text_of(*st, 0), name) :
			   !strcmp(sqlite_text_of(*st, 2), "pk"))
			break;
	return ret;
}

/*
 * The primary key. WITHOUT ROWID its columns are the first of the table's tree; if
 * there are rowids and it has an index, it is none of them.
 */
int sqlite_take_primary(const struct reading *rd)
{
	struct sqlite_schema *s = rd->s;
	sqlite3_stmt *st = NULL;
	unsigned int i, keys = 0;
	int ret;

	ret = find_index(rd, NULL, &st);
	if (ret > 0 && !s->rowids)
		ret = take_index(rd, st, &s->primary, true);
	else if (!ret && !s->rowids)
		ret = carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: table %s has neither rowids nor a primary key", rd->path,
			s->name);
	else if (ret > 0)
		for (i = 0, ret = 0; i < s->nr; i++)
			s->columns[i].is_rowid = false;
	sqlite3_finalize(st);
	for (i = 0; !ret && !s->rowids && i < s->primary.nr; i++) {
		s->columns[s->primary.parts[i].column].place = i;
		keys += s->primary.parts[i].column >= 0;
	}
	if (!ret && !s->rowids && keys != s->nr)
		return sqlite_refuse(rd, "table %s: its records have %d columns of %d", s->name,
			      (int)keys, (int)s->nr);
	s->primary.root = s->root;
	s->primary.unique = true;
	return ret;
}

/* Where in the entries of the index the primary key is. */
static int map_primary(const struct reading *rd)
{
	struct sqlite_schema *s = rd->s;
	unsigned int i, j;

	if (s->primary.keys > CAROM_SQLITE_MAX_COLUMNS)
		return sqlite_refuse(rd, "the primary key of table %s has %d columns; with an index at "
			      "most %d are supported", s->name, (int)s->primary.keys,
			      CAROM_SQLITE_MAX_COLUMNS);
	for (i = 0; i < s->primary.keys; i++) {
		for (j = 0; j < s->index.nr; j++)
			if (s->index.parts[j].column == s->primary.parts[i].column)
				break;
		if (j == s->index.nr)
			return carom_error_set(rd->err, CAROM_FAULT_FORMAT, -EBADMSG,
				"%s: damaged: index %s lacks the primary key", rd->path,
				s->index.name);
		s->from[i] = j;
	}
	return 0;
}

static int no_such_index(const struct reading *rd, const char *index)
{
	sqlite3_stmt *st;
	int ret;

	ret = sqlite_prepare(rd, "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND "
		      "name = ?1 COLLATE NOCASE", index, &st);
	if (ret)
		return ret;
	ret = sqlite_step(rd, st);
	if (ret >= 0)
		ret = carom_error_set(rd->err, CAROM_FAULT_USAGE, -ENOENT,
			"%s: no index %s of table %s in this file%s%s", rd->path, index,
			rd->s->name, ret ? ": it is one of table " : "",
			ret ? sqlite_text_of(st, 0) : "");
	sqlite3_finalize(st);
	return ret;
}

int sqlite_take_index(const struct reading *rd, const char *index)
{
	struct sqlite_schema *s = rd->s;
	sqlite3_stmt *st = NULL;
	int ret;

	if (!s->rowids && sqlite_same_name(index, s->primary.name))
		return 0;
	ret = find_index(rd, index, &st);
	if (ret > 0)
		ret = take_index(rd, st, &s->index, false);
	else if (!ret)
		ret = no_such_index(rd, index);
	sqlite3_finalize(st);
	if (ret)
		return ret;
	s->by_index = true;
	return s->rowids ? 0 : map_primary(rd);
}
