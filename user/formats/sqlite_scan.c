// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Scans of SQLite files: which entries, and what becomes of those that the walker leaves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <carom/sqlite_scan.h>
#include "sqlite_range.h"

/* bpf/sqlite*_scan.bpf.c, built natively. */
extern const struct carom_native_walker carom_walker_sqlite512_scan,
	carom_walker_sqlite1024_scan, carom_walker_sqlite2048_scan, carom_walker_sqlite4096_scan,
	carom_walker_sqlite8192_scan, carom_walker_sqlite16384_scan,
	carom_walker_sqlite32768_scan, carom_walker_sqlite65536_scan;

static const struct carom_native_walker *const walkers[] = {
	&carom_walker_sqlite512_scan, &carom_walker_sqlite1024_scan,
	&carom_walker_sqlite2048_scan, &carom_walker_sqlite4096_scan,
	&carom_walker_sqlite8192_scan, &carom_walker_sqlite16384_scan,
	&carom_walker_sqlite32768_scan, &carom_walker_sqlite65536_scan,
};

/**
 * struct sqlite_scan - the format's state of a scan
 * @query: as each first chain has it
 * @range: of an index
 * @column: of the table, for totals; -1: none
 * @key: the key, or the row's, that was made last; @room bytes of memory
 */
struct sqlite_scan {
	struct carom_sqlite_scan_query query;
	struct sqlite_range range;
	int column;
	__u8 *key;
	size_t room;
};

static struct carom_sqlite_scan *scan_scratch(struct carom_reader *rd)
{
	return (struct carom_sqlite_scan *)carom_reader_mem(rd)->scratch;
}

static const struct carom_native_walker *scan_walker(void *data)
{
	const struct sqlite_index *ix = data;
	size_t i = 0;

	/* sqlite_pick() has seen that it is one of them. */
	while (walkers[i]->node_size != ix->file.page_size)
		i++;
	return walkers[i];
}

static void scan_forget(void *state)
{
	free(((struct sqlite_scan *)state)->key);
}

/* ---- the range of a table ---- */

/* The least rowid that is not less than the key. CAROM_NOTFOUND: none; NULL is not comparable. */
static int least_rowid(const void *key, size_t len, bool *null, __s64 *rowid,
		       struct carom_error *err)
{
	struct carom_sqlite_column q = { 0 };
	struct carom_column col = { 0 };

	if (sqlite_key_columns_of(key, len, &col, 1) < 0)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key is no record of one column; carom_index__key() makes them");
	*null = col.type == CAROM_TYPE_NULL;
	*rowid = col.integer;
	if (*null || col.type == CAROM_TYPE_INTEGER)
		return 0;
	if (col.type != CAROM_TYPE_REAL)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key is no number; rowids are integers");
	sqlite_query_real(&q, col.real);
	*rowid = q.as_int;
	return q.flags & CAROM_SQLITE_OVER_INT ? CAROM_NOTFOUND : 0;
}

static int take_to(struct carom_sqlite_scan_query *q, const struct carom_scan_opts *opts,
		   struct carom_error *err)
{
	bool null;
	__s64 rowid;
	int ret = least_rowid(opts->to, opts->to_len, &null, &rowid, err);

	if (ret == CAROM_NOTFOUND)
		return 0;	/* all are less */
	if (ret)
		return ret;
	if (null || rowid == INT64_MIN)
		return CAROM_NOTFOUND;
	q->flags |= CAROM_SQLITE_SCAN_HIGH;
	q->high = rowid - 1;
	return 0;
}

static int take_rowids(struct carom_sqlite_scan_query *q, const struct carom_scan_opts *opts,
		       struct carom_error *err)
{
	bool null = false;
	int ret = 0;

	q->flags |= CAROM_SQLITE_SCAN_TABLE;
	if (opts->prefix)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"prefix: rowids are integers, and have none; name an index");
	if (opts->from) {
		ret = least_rowid(opts->from, opts->from_len, &null, &q->low, err);
		q->flags |= CAROM_SQLITE_SCAN_LOW;
	}
	if (!ret && null)
		ret = CAROM_NOTFOUND;
	if (!ret && opts->to)
		ret = take_to(q, opts, err);
	if (!ret && (q->flags & CAROM_SQLITE_SCAN_LOW) && (q->flags & CAROM_SQLITE_SCAN_HIGH) &&
	    q->low > q->high)
		ret = CAROM_NOTFOUND;
	return ret;
}

/* ---- the column of totals ---- */

/* Where in an entry of the tree column @i of the table is, or -1. */
static int place_in(const struct sqlite_schema *s, const struct sqlite_tree *tree, unsigned int i)
{
	unsigned int p;

	if (tree == &s->primary || !tree)
		return (int)s->columns[i].place;
	for (p = 0; p < tree->nr; p++)
		if (tree->parts[p].column == (int)i ||
		    (s->columns[i].is_rowid && tree->parts[p].column == -1))
			return (int)p;
	return -1;
}

static int take_column(struct sqlite_scan *s, const struct sqlite_index *ix, const char *name,
		       struct carom_error *err)
{
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	const struct sqlite_column *c = ix->schema.columns;
	unsigned int i = 0;
	int place;

	while (i < ix->schema.nr && strcasecmp(c[i].name, name))
		i++;
	if (i == ix->schema.nr)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"no column %s in table %s", name, ix->schema.name);
	if (c[i].affinity == SQLITE_AFFINITY_REAL)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"column %s of table %s is REAL; totals are of integers", name,
			ix->schema.name);
	place = place_in(&ix->schema, tree, i);
	if (place < 0)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"column %s is not in index %s; name another index, or none", name,
			tree->name);
	s->column = (int)i;
	s->query.column = (__u32)place;
	s->query.flags |= CAROM_SQLITE_SCAN_COLUMN;
	if (!tree && c[i].is_rowid)
		s->query.flags |= CAROM_SQLITE_SCAN_ROWIDS;
	return 0;
}

static int scan_open(struct carom_reader *rd, struct carom_reader *point,
		     const struct carom_scan_opts *opts, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	struct sqlite_scan *s = carom_reader_state(rd);
	int ret = 0;

	memset(&s->query, 0, sizeof(s->query));
	s->column = -1;
	s->query.scan.flags = opts->reverse ? CAROM_SCAN_REVERSE : 0;
	s->query.scan.limit = opts->limit ? opts->limit : UINT64_MAX;
	s->query.scan.pages = CAROM_SCAN_HOPS;
	if (opts->column)
		ret = take_column(s, ix, opts->column, err);
	if (ret)
		return ret;
	if (!sqlite_key_tree(&ix->schema))
		return take_rowids(&s->query, opts, err);
	return sqlite_range_find(point, opts, &s->range, err);
}

/* ---- chains ---- */

/* Begin where the range has its one end, and end at the other. */
static void begin_index(const struct sqlite_scan *s, struct carom_sqlite_scan *to, __u32 *page)
{
	bool reverse = s->query.scan.flags & CAROM_SCAN_REVERSE;
	const struct sqlite_bound *first = reverse ? &s->range.high : &s->range.low;
	const struct sqlite_bound *last = reverse ? &s->range.low : &s->range.high;

	if (last->set)
		to->query.end = last->path[last->level];
	to->walk.mode = CAROM_SQLITE_SCAN_EDGE;
	if (!first->set)
		return;
	to->walk.mode = CAROM_SQLITE_SCAN_AT;
	to->walk.level = first->level;
	memcpy(to->walk.path, first->path, sizeof(to->walk.path));
	*page = first->path[first->level].page;
}

static int scan_begin(struct carom_reader *rd, bool totals, __u64 *offset,
		      struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	const struct sqlite_scan *s = carom_reader_state(rd);
	struct carom_sqlite_scan *to = scan_scratch(rd);
	__u32 page = tree ? tree->root : ix->schema.root;

	(void)err;
	memset(to, 0, sizeof(*to));
	to->base.query.usable = ix->file.usable;
	to->base.query.pages = ix->file.pages;
	to->base.answer.bad_cell = CAROM_SQLITE_NO_CELL;
	to->query = s->query;
	if (totals)
		to->query.scan.flags |= CAROM_SCAN_TOTALS;
	to->answer.totals.min = UINT64_MAX;
	if (tree)
		begin_index(s, to, &page);
	*offset = sqlite_offset_of(ix, page);
	return CAROM_CHAIN;
}

static int chain_result(struct carom_reader *rd, const struct carom_lookup *res, int ret,
			struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);

	if (ret == -ENODATA)
		return sqlite_truncated_error(rd, res->at / ix->file.page_size + 1, err);
	if (ret)
		return ret;
	if (res->end == CAROM_END_WALKER)
		return sqlite_walker_error(rd, res->code, err);
	return res->end == CAROM_END_DONE ? 0 :
	       sqlite_walker_error(rd, CAROM_SQLITE_E_QUERY, err);
}

/* @ret, unless somebody has written meanwhile. */
static int settle(struct carom_reader *rd, int ret, struct carom_error *err)
{
	int changed = sqlite_file_unchanged(rd, carom_reader_format_data(rd), err);

	return changed ? changed : ret;
}

static int scan_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       struct carom_error *err)
{
	return settle(rd, chain_result(rd, res, ret, err), err);
}

static struct carom_scan_answer *scan_answer(struct carom_reader *rd)
{
	return &scan_scratch(rd)->answer;
}

/* ---- entries ---- */

static const __u8 *scan_area(struct carom_reader *rd, size_t *size)
{
	*size = CAROM_SQLITE_SCAN_ROOM;
	return scan_scratch(rd)->area;
}

static int scan_value(struct carom_reader *rd, const struct carom_scan_entry *entry,
		      const __u8 *key, struct carom_value *val, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	int ret;

	(void)key;
	ret = sqlite_payload_at(rd, &ix->file, !sqlite_key_tree(&ix->schema), entry->value_at,
				entry->value_len, val, err);
	return settle(rd, ret, err);
}

static int damaged_entry(struct carom_reader *rd, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);

	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: %s %s: an entry is no record, or its columns are missing",
		carom_reader_path(rd), ix->schema.by_index ? "index" : "table",
		ix->schema.by_index ? ix->schema.index.name : ix->schema.name);
}

/* Make a record in the scan's own memory. */
static int make_key(struct carom_reader *rd, const struct carom_column *cols, unsigned int nr,
		    struct carom_value *key, struct carom_error *err)
{
	struct sqlite_scan *s = carom_reader_state(rd);
	size_t len = sqlite_record_make(cols, nr, NULL, 0);

	if (len > s->room) {
		free(s->key);
		s->key = malloc(len);
		s->room = s->key ? len : 0;
		if (!s->key)
			return sqlite_no_memory(err);
	}
	sqlite_record_make(cols, nr, s->key, len);
	*key = (struct carom_value){ .data = s->key, .len = len };
	return 0;
}

static int scan_key(struct carom_reader *rd, const struct carom_value *entry,
		    struct carom_value *key, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS] = { 0 };
	unsigned int nr = 1, i;
	__u64 rowid;

	if (!tree) {
		if (!sqlite_get_varint(entry->data, entry->len, &rowid))
			return damaged_entry(rd, err);
		cols[0].type = CAROM_TYPE_INTEGER;
		cols[0].integer = (int64_t)rowid;
	} else {
		nr = tree->keys < CAROM_SQLITE_MAX_COLUMNS ? tree->keys : CAROM_SQLITE_MAX_COLUMNS;
		for (i = 0; i < nr; i++)
			if (sqlite_entry_column(entry, i, &cols[i]))
				return damaged_entry(rd, err);
	}
	return make_key(rd, cols, nr, key, err);
}

/* @rowid: NULL: there is none. */
static int no_integer(struct carom_reader *rd, const struct sqlite_column *c,
		      enum carom_type type, const __u64 *rowid, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	char where[40] = "";

	if (rowid)
		snprintf(where, sizeof(where), " in row %lld", (long long)*rowid);
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"%s: column %s of table %s has a %s%s; totals are of integers",
		carom_reader_path(rd), c->name, ix->schema.name,
		type == CAROM_TYPE_REAL ? "REAL" : type == CAROM_TYPE_TEXT ? "TEXT" : "BLOB",
		where);
}

/* 1: the record has the column; 0: it has not, and so what the table says instead; or -EBADMSG. */
static int find_column(const struct carom_value *entry, size_t skip, unsigned int place,
		       struct carom_column *col)
{
	struct sqlite_record r;
	int ret;

	if (!sqlite_record_begin(&r, (const __u8 *)entry->data + skip, entry->len - skip))
		return -EBADMSG;
	do {
		ret = sqlite_record_next(&r, col);
	} while (ret > 0 && place--);
	return ret;
}

/* The walker could not tell what the column has. */
static int scan_add(struct carom_reader *rd, const struct carom_value *entry,
		    struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	struct carom_scan_totals *t = &scan_answer(rd)->totals;
	const struct sqlite_scan *s = carom_reader_state(rd);
	bool table = !sqlite_key_tree(&ix->schema);
	const struct sqlite_column *c;
	struct carom_column col = { 0 };
	__u64 rowid = 0;
	size_t skip = table ? sqlite_get_varint(entry->data, entry->len, &rowid) : 0;
	int ret;

	if (s->column < 0 || (table && !skip))
		return damaged_entry(rd, err);
	c = &ix->schema.columns[s->column];
	ret = find_column(entry, skip, s->query.column, &col);
	if (ret < 0 || (!ret && ix->schema.by_index))
		return damaged_entry(rd, err);
	if (!ret)
		col = c->missing;
	if (col.type == CAROM_TYPE_NULL)
		return 0;
	if (col.type != CAROM_TYPE_INTEGER)
		return no_integer(rd, c, col.type, table ? &rowid : NULL, err);
	carom_scan_add(t, (__u64)col.integer, 1ULL << 63);
	t->values++;
	return 0;
}

/* ---- rows that entries name ---- */

static bool scan_names(const struct carom_reader *rd)
{
	return ((const struct sqlite_index *)carom_reader_format_data(rd))->schema.by_index;
}

static int scan_row_key(struct carom_reader *rd, const struct carom_value *entry,
			struct carom_value *key, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	const struct sqlite_schema *schema = &ix->schema;
	unsigned int nr = schema->rowids ? 1 : schema->primary.keys, i;
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS] = { 0 };

	for (i = 0; i < nr; i++)
		if (sqlite_entry_column(entry, schema->rowids ? schema->index.nr - 1 :
					schema->from[i], &cols[i]))
			return damaged_entry(rd, err);
	if (schema->rowids && cols[0].type != CAROM_TYPE_INTEGER)
		return damaged_entry(rd, err);
	return make_key(rd, cols, nr, key, err);
}

/* A key is what scan_row_key() has made. */
static int rows_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		      struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS];
	int nr = sqlite_key_columns_of(key, key_len, cols, CAROM_SQLITE_MAX_COLUMNS);
	struct sqlite_lookup *l = carom_reader_state(rd);

	if (nr < 0)
		return damaged_entry(rd, err);
	l->parts.got = 0;
	if (ix->schema.rowids)
		return sqlite_begin_rowid(rd, ix, &cols[0], offset, err);
	l->stage = SQLITE_STAGE_PRIMARY;
	return sqlite_begin_key(rd, ix, &ix->schema.primary, &l->primary, cols, (unsigned int)nr,
				offset, err);
}

static int rows_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);

	ret = sqlite_finish(rd, res, ret, offset, val, err);
	if (ret != CAROM_NOTFOUND)
		return ret;
	return sqlite_page_error(rd, res->at / ix->file.page_size + 1,
		"the index has an entry for rowid %lld, the table has no such row",
		(unsigned long long)sqlite_scratch(rd)->walk.rowid, err);
}

static const struct carom_format rows = {
	.name = "sqlite",
	.lookup_size = sizeof(struct sqlite_lookup),
	.start = rows_start,
	.finish = rows_finish,
	.forget = sqlite_forget,
};

const struct carom_scan_format carom_scan_sqlite = {
	.format = &carom_format_sqlite,
	.walker = scan_walker,
	.state_size = sizeof(struct sqlite_scan),
	.forget = scan_forget,
	.open = scan_open,
	.begin = scan_begin,
	.finish = scan_finish,
	.answer = scan_answer,
	.area = scan_area,
	.value = scan_value,
	.key = scan_key,
	.add = scan_add,
	.rows = &rows,
	.names = scan_names,
	.row_key = scan_row_key,
};
