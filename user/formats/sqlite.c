// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * SQLite outside the walker: lookups, from the key to the row.
 *
 * A lookup by rowid, by the index of a table with rowids, or by the key of a table
 * WITHOUT ROWID is one chain. It is more if the walker hands an entry back that cannot
 * be compared in its page. A table WITHOUT ROWID is looked up by index in two chains,
 * because an entry names its row by a key that has to be put together first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite.h"

/* ---- chains ---- */

static void begin_query(struct carom_reader *rd, const struct sqlite_index *ix, __u32 op)
{
	struct carom_sqlite_scratch *s = sqlite_scratch(rd);

	s->query.op = op;
	s->query.flags = 0;
	s->query.usable = ix->file.usable;
	s->query.pages = ix->file.pages;
	s->query.table_root = ix->schema.root;
	s->query.columns = 0;
	memset(&s->walk, 0, sizeof(s->walk));
	memset(&s->answer, 0, sizeof(s->answer));
	sqlite_rest_begin(rd);
	s->walk.step = CAROM_SQLITE_FIRST_STEP(ix->file.page_size);
	s->answer.bad_cell = CAROM_SQLITE_NO_CELL;
}

int sqlite_rowid(const struct carom_column *col, int64_t *rowid)
{
	*rowid = col->integer;
	if (col->type == CAROM_TYPE_INTEGER)
		return 0;
	if (col->type == CAROM_TYPE_NULL)
		return CAROM_NOTFOUND;
	if (col->type != CAROM_TYPE_REAL)
		return -EINVAL;
	/* No rowid is between two integers; the least is none that SQLite finds so. */
	if (!(col->real > -SQLITE_TWO_63 && col->real < SQLITE_TWO_63))
		return CAROM_NOTFOUND;
	*rowid = (int64_t)col->real;
	return (double)*rowid == col->real ? 0 : CAROM_NOTFOUND;
}

int sqlite_begin_rowid(struct carom_reader *rd, const struct sqlite_index *ix,
		       const struct carom_column *col, __u64 *offset, struct carom_error *err)
{
	struct sqlite_lookup *l = carom_reader_state(rd);
	int64_t rowid;
	int ret = sqlite_rowid(col, &rowid);

	if (ret < 0)
		return carom_error_set(err, CAROM_FAULT_USAGE, ret,
			"key is no number; rowids are integers");
	if (ret)
		return ret;
	begin_query(rd, ix, CAROM_SQLITE_ROWID);
	sqlite_scratch(rd)->walk.rowid = rowid;
	l->stage = SQLITE_STAGE_ENTRY;
	*offset = sqlite_offset_of(ix, ix->schema.root);
	return CAROM_CHAIN;
}

/* Only one entry can equal it: a whole key of a unique index, and NULLs are not equal. */
static bool is_one(const struct sqlite_tree *tree, const struct sqlite_key *key)
{
	unsigned int i;

	if (!tree->unique || key->nr < tree->keys)
		return false;
	for (i = 0; i < key->nr; i++)
		if (key->cols[i].type == CAROM_TYPE_NULL)
			return false;
	return true;
}

int sqlite_begin_key(struct carom_reader *rd, const struct sqlite_index *ix,
		     const struct sqlite_tree *tree, struct sqlite_key *key,
		     const struct carom_column *cols, unsigned int nr, __u64 *offset,
		     struct carom_error *err)
{
	struct carom_sqlite_query *q = &sqlite_scratch(rd)->query;

	if (sqlite_key_keep(key, cols, nr))
		return sqlite_no_memory(err);
	begin_query(rd, ix, CAROM_SQLITE_KEY);
	sqlite_query_key(q, tree, key);
	if (ix->schema.rowids)
		q->flags |= CAROM_SQLITE_TO_TABLE;
	if (is_one(tree, key))
		q->flags |= CAROM_SQLITE_ONE;
	*offset = sqlite_offset_of(ix, tree->root);
	return CAROM_CHAIN;
}

static int sqlite_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
			struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS] = { 0 };
	size_t nr = 0, max = tree ? tree->keys : 1;
	struct sqlite_lookup *l = carom_reader_state(rd);
	struct sqlite_record r;
	int ret = 1;

	l->stage = SQLITE_STAGE_DONE;
	l->parts.got = 0;
	if (max > CAROM_SQLITE_MAX_COLUMNS)
		max = CAROM_SQLITE_MAX_COLUMNS;
	if (!sqlite_record_begin(&r, key, key_len))
		ret = -EINVAL;
	while (ret > 0 && nr < max) {
		ret = sqlite_record_next(&r, &cols[nr]);
		nr += ret > 0;
	}
	if (ret < 0 || !nr || r.at != r.end)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key is no record of 1 to %zu columns; carom_index__key() makes them", max);
	if (!tree)
		return sqlite_begin_rowid(rd, ix, &cols[0], offset, err);
	l->stage = SQLITE_STAGE_ENTRY;
	return sqlite_begin_key(rd, ix, tree, &l->key, cols, (unsigned int)nr, offset, err);
}

/* ---- what chains come to ---- */

static int damaged_entry(struct carom_reader *rd, const struct sqlite_index *ix, __u64 at,
			 struct carom_error *err)
{
	return sqlite_page_error(rd, at / ix->file.page_size + 1, "an entry of the index is no "
				 "record (%llu bytes)", sqlite_scratch(rd)->answer.payload, err);
}

/* Compare for the walker, and let it go on in the same page. */
static int decide(struct carom_reader *rd, const struct sqlite_index *ix, __u64 at,
		  const struct carom_value *entry, __u64 *offset, struct carom_error *err)
{
	const struct sqlite_lookup *l = carom_reader_state(rd);
	bool primary = l->stage == SQLITE_STAGE_PRIMARY;
	struct carom_sqlite_scratch *s = sqlite_scratch(rd);
	int ret;

	ret = sqlite_compare(&s->query, primary ? &ix->schema.primary :
			     sqlite_key_tree(&ix->schema), primary ? &l->primary : &l->key,
			     entry->data, entry->len);
	if (ret > 1)
		return damaged_entry(rd, ix, at, err);
	s->walk.verdict = ret;
	s->walk.decided = 1;
	*offset = at;
	return CAROM_CHAIN;
}

int sqlite_entry_column(const struct carom_value *entry, unsigned int i,
			struct carom_column *col)
{
	struct sqlite_record r;

	if (!sqlite_record_begin(&r, entry->data, entry->len))
		return -EBADMSG;
	do {
		col->name = NULL;
		if (sqlite_record_next(&r, col) <= 0)
			return -EBADMSG;
	} while (i--);
	return 0;
}

/* The entry's rowid is on an overflow page: go on to the table from here. */
static int to_table(struct carom_reader *rd, const struct sqlite_index *ix, __u64 at,
		    const struct carom_value *entry, __u64 *offset, struct carom_error *err)
{
	struct carom_sqlite_walk *w = &sqlite_scratch(rd)->walk;
	struct carom_column col;

	if (sqlite_entry_column(entry, ix->schema.index.nr - 1, &col) ||
	    col.type != CAROM_TYPE_INTEGER)
		return damaged_entry(rd, ix, at, err);
	w->rowid = col.integer;
	w->in_table = 1;
	w->table_level = 0;
	*offset = sqlite_offset_of(ix, ix->schema.root);
	return CAROM_CHAIN;
}

static int to_primary(struct carom_reader *rd, const struct sqlite_index *ix, __u64 at,
		      const struct carom_value *entry, __u64 *offset, struct carom_error *err)
{
	const struct sqlite_schema *schema = &ix->schema;
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS];
	struct sqlite_lookup *l = carom_reader_state(rd);
	unsigned int i;

	for (i = 0; i < schema->primary.keys; i++)
		if (sqlite_entry_column(entry, schema->from[i], &cols[i]))
			return damaged_entry(rd, ix, at, err);
	l->kept.query = sqlite_scratch(rd)->query;
	l->kept.walk = sqlite_scratch(rd)->walk;
	l->stage = SQLITE_STAGE_PRIMARY;
	return sqlite_begin_key(rd, ix, &schema->primary, &l->primary, cols, schema->primary.keys,
				offset, err);
}

static int got_answer(struct carom_reader *rd, const struct sqlite_index *ix,
		      __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	const struct carom_sqlite_scratch *s = sqlite_scratch(rd);
	struct sqlite_lookup *l = carom_reader_state(rd);
	__u64 at = sqlite_offset_of(ix, s->rest.cell_page);
	__u32 kind = s->answer.kind;
	struct carom_value found;
	int ret;

	if (kind == CAROM_SQLITE_PLACE)
		return 0;
	ret = sqlite_payload(rd, &ix->file, &l->parts, offset, &found, err);
	if (ret)
		return ret;
	if (kind == CAROM_SQLITE_UNDECIDED)
		return decide(rd, ix, at, &found, offset, err);
	*val = found;
	if (kind != CAROM_SQLITE_ENTRY)
		return 0;
	if (ix->schema.rowids)
		return to_table(rd, ix, at, val, offset, err);
	if (ix->schema.by_index && l->stage == SQLITE_STAGE_ENTRY)
		return to_primary(rd, ix, at, val, offset, err);
	return 0;
}

static int got_miss(struct carom_reader *rd, const struct sqlite_index *ix,
		    const struct carom_lookup *res, struct carom_error *err)
{
	const struct sqlite_lookup *l = carom_reader_state(rd);

	if (l->stage != SQLITE_STAGE_PRIMARY)
		return CAROM_NOTFOUND;
	return sqlite_page_error(rd, res->at / ix->file.page_size + 1,
		"an index has an entry for a row that the table of %llu columns has not",
		ix->schema.nr, err);
}

static int advance(struct carom_reader *rd, const struct sqlite_index *ix,
		   const struct carom_lookup *res, int ret, __u64 *offset,
		   struct carom_value *val, struct carom_error *err)
{
	if (ret == -ENODATA)
		return sqlite_truncated_error(rd, res->at / ix->file.page_size + 1, err);
	if (ret)
		return ret;
	if (res->end == CAROM_END_WALKER)
		return sqlite_walker_error(rd, res->code, err);
	if (res->end == CAROM_END_MISS)
		return got_miss(rd, ix, res, err);
	return got_answer(rd, ix, offset, val, err);
}

int sqlite_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		  __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	struct sqlite_index *ix = carom_reader_format_data(rd);
	struct sqlite_lookup *l = carom_reader_state(rd);
	int changed;

	ret = advance(rd, ix, res, ret, offset, val, err);
	if (ret == CAROM_CHAIN)
		return ret;
	if (ret)
		l->stage = SQLITE_STAGE_DONE;
	/* Neither an answer nor damage counts if somebody has written meanwhile. */
	changed = sqlite_file_unchanged(rd, ix, err);
	return changed ? changed : ret;
}

static int sqlite_next(struct carom_reader *rd, __u64 *offset, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	struct carom_sqlite_scratch *s = sqlite_scratch(rd);
	struct sqlite_lookup *l = carom_reader_state(rd);
	__u32 page;

	(void)err;
	if (l->stage == SQLITE_STAGE_DONE)
		return CAROM_NOTFOUND;
	if (l->stage == SQLITE_STAGE_PRIMARY) {
		s->query = l->kept.query;
		s->walk = l->kept.walk;
	}
	l->stage = SQLITE_STAGE_DONE;
	l->parts.got = 0;
	if (s->query.op != CAROM_SQLITE_KEY || s->query.flags & CAROM_SQLITE_ONE ||
	    s->walk.level >= CAROM_SQLITE_MAX_DEPTH)
		return CAROM_NOTFOUND;
	l->stage = SQLITE_STAGE_ENTRY;
	s->walk.in_table = 0;
	page = s->walk.path[s->walk.level].page;
	*offset = sqlite_offset_of(ix, page ? page : 1);
	return CAROM_CHAIN;
}

void sqlite_forget(void *state)
{
	struct sqlite_lookup *l = state;

	free(l->key.bytes);
	free(l->primary.bytes);
}

/* ---- open and close ---- */

static void sqlite_close(void *data)
{
	struct sqlite_index *ix = data;

	sqlite_file_release(ix);
	sqlite3_close(ix->memory);
	sqlite_schema_free(&ix->schema);
	pthread_mutex_destroy(&ix->lock);
	free(ix->path);
	free(ix);
}

/* What an URI has other uses for is written as %XX. */
static char *uri_of(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1")), *p = uri;

	if (!uri)
		return NULL;
	p = stpcpy(p, "file:");
	for (; *path; path++) {
		if (strchr("%?#", *path)) {
			*p++ = '%';
			*p++ = hex[(unsigned char)*path >> 4];
			*p++ = hex[*path & 15];
		} else {
			*p++ = *path;
		}
	}
	strcpy(p, "?immutable=1");
	return uri;
}

/* SQLite neither locks nor writes, and does not look at journals: that has been done. */
static int open_schema(struct sqlite_index *ix, const struct carom_index_opts *opts,
		       struct carom_error *err)
{
	char *uri = uri_of(ix->path);
	sqlite3 *db = NULL;
	int ret;

	if (!uri)
		return sqlite_no_memory(err);
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
			    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		ret = carom_error_set(err, CAROM_FAULT_IO, -EIO, "%s: sqlite3: %s", ix->path,
				      db ? sqlite3_errmsg(db) : "out of memory");
	else
		ret = sqlite_schema_read(db, ix->path, opts->table, opts->index, &ix->schema, err);
	sqlite3_close(db);
	free(uri);
	return ret;
}

static int check_roots(const struct sqlite_index *ix, struct carom_error *err)
{
	const struct sqlite_schema *s = &ix->schema;
	__u32 root = s->by_index && s->index.root > ix->file.pages ? s->index.root : s->root;

	if (root <= ix->file.pages)
		return 0;
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: %s %s has root page %u; there are %u", ix->path,
		root == s->root ? "table" : "index",
		root == s->root ? s->name : s->index.name, root, ix->file.pages);
}

static int open_all(struct carom_reader *rd, struct sqlite_index *ix,
		    const struct carom_index_opts *opts, struct carom_error *err)
{
	__u8 head[CAROM_SQLITE_HD_SIZE];
	int ret;

	ix->path = realpath(carom_reader_path(rd), NULL);
	if (!ix->path)
		return carom_error_set(err, CAROM_FAULT_IO, -errno, "%s: %s",
				       carom_reader_path(rd), strerror(errno));
	ret = sqlite_file_guard(rd, ix, err);
	if (ret)
		return ret;
	ret = carom_reader_pread(rd, head, sizeof(head), 0);
	if (ret)
		return carom_error_set(err, CAROM_FAULT_IO, ret, "%s: %s", ix->path,
				       strerror(-ret));
	ret = sqlite_file_check(ix->path, head, carom_reader_file_size(rd), &ix->file, err);
	if (!ret)
		ret = open_schema(ix, opts, err);
	if (!ret)
		ret = check_roots(ix, err);
	if (!ret && sqlite_convert_open(ix))
		ret = sqlite_no_memory(err);
	return ret;
}

static int sqlite_open(struct carom_reader *rd, const struct carom_index_opts *opts,
		       struct carom_error *err)
{
	struct sqlite_index *ix;
	int ret;

	if (opts->db)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: an SQLite file has no named databases; name a table",
			carom_reader_path(rd));
	if (!opts->table)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: SQLite file: name the table to look in (table, --table)",
			carom_reader_path(rd));
	ix = calloc(1, sizeof(*ix));
	if (!ix)
		return sqlite_no_memory(err);
	ix->locked = -1;
	pthread_mutex_init(&ix->lock, NULL);
	ret = open_all(rd, ix, opts, err);
	if (ret)
		sqlite_close(ix);
	else
		carom_reader_set_format_data(rd, ix);
	return ret;
}

static size_t sqlite_columns(const void *data)
{
	return ((const struct sqlite_index *)data)->schema.nr;
}

static size_t sqlite_key_columns(const void *data)
{
	const struct sqlite_index *ix = data;
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);

	if (!tree)
		return 1;
	return tree->keys < CAROM_SQLITE_MAX_COLUMNS ? tree->keys : CAROM_SQLITE_MAX_COLUMNS;
}

const struct carom_format carom_format_sqlite = {
	.name = "sqlite",
	.probe = sqlite_probe,
	.pick = sqlite_pick,
	.lookup_size = sizeof(struct sqlite_lookup),
	.value_area = sizeof(struct carom_sqlite_scratch),
	.value_room = sqlite_value_room,
	.open = sqlite_open,
	.close = sqlite_close,
	.start = sqlite_start,
	.finish = sqlite_finish,
	.next = sqlite_next,
	.forget = sqlite_forget,
	.columns = sqlite_columns,
	.key_columns = sqlite_key_columns,
	.row = sqlite_row,
	.key = sqlite_key,
};
