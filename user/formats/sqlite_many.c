// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Many rowids of an SQLite table in one chain. Keys of an index, and of a table WITHOUT
 * ROWID, are compared with help from user space now and then, so they have a chain each.
 */
#include <errno.h>
#include <string.h>
#include "sqlite.h"

static struct carom_sqlite_many *many_scratch(struct carom_reader *rd)
{
	return (struct carom_sqlite_many *)carom_reader_mem(rd)->scratch;
}

/* The rowid of a key that is one; false: it is not, or no row can have it. */
static bool rowid_of(const struct carom_value *key, int64_t *rowid)
{
	struct carom_column col = { 0 };
	struct sqlite_record r;

	return key->data && sqlite_record_begin(&r, key->data, key->len) &&
	       sqlite_record_next(&r, &col) > 0 && r.at == r.end && !sqlite_rowid(&col, rowid);
}

/* ---- chains ---- */

static int many_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		      struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	const struct carom_many_chain *chain = key;
	struct carom_sqlite_many *s = many_scratch(rd);
	size_t k;

	(void)key_len;
	(void)err;
	memset(s, 0, sizeof(*s));
	s->single.query.usable = ix->file.usable;
	s->single.query.pages = ix->file.pages;
	s->nr = (__u32)chain->nr;
	s->pages = CAROM_SCAN_HOPS;
	s->page = ix->schema.root;
	for (k = 0; k < chain->nr; k++) {
		int64_t rowid = 0;

		rowid_of(chain->keys[k], &rowid);
		s->key[k] = (struct carom_sqlite_rowid){ .rowid = rowid, .page = s->page };
	}
	*offset = (s->page - 1ULL) * ix->file.page_size;
	return CAROM_CHAIN;
}

/* The words for what is wrong are those of a single lookup, which comes after that. */
static int many_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(rd);
	struct carom_sqlite_many *s = many_scratch(rd);

	*val = (struct carom_value){ 0 };
	if (ret)
		return ret;
	if (res->end != CAROM_END_DONE)
		return sqlite_walker_error(rd, res->code, err);
	if (!s->more)
		return 0;
	s->seen = 0;
	*offset = (s->page - 1ULL) * ix->file.page_size;
	return CAROM_CHAIN;
}

static const struct carom_format many_chains = {
	.name = "sqlite",
	.lookup_size = 0,
	.start = many_start,
	.finish = many_finish,
};

/* ---- around them ---- */

static const struct carom_native_walker *many_walker(const void *data)
{
	const struct sqlite_index *ix = data;

	return sqlite_key_tree(&ix->schema) ? NULL : sqlite_pick_many(ix->file.page_size);
}

/* There is one version: the file is sealed or locked, or what is read fails. */
static int many_version(struct carom_reader *point, void *version, struct carom_error *err)
{
	(void)point;
	(void)version;
	(void)err;
	return 0;
}

static int many_unchanged(struct carom_reader *point, const void *version, bool newest,
			  struct carom_error *err)
{
	int ret = sqlite_file_unchanged(point, carom_reader_format_data(point), err);

	(void)version;
	(void)newest;
	return ret ? ret : 1;
}

static bool many_valid(const struct carom_value *key)
{
	int64_t rowid;

	return rowid_of(key, &rowid);
}

static int many_compare(const struct carom_value *a, const struct carom_value *b)
{
	int64_t x = 0, y = 0;

	rowid_of(a, &x);
	rowid_of(b, &y);
	return (x > y) - (x < y);
}

static size_t many_fits(const struct carom_value *const *keys, size_t nr)
{
	(void)keys;
	return nr < CAROM_SQLITE_KEYS ? nr : CAROM_SQLITE_KEYS;
}

static int many_result(struct carom_reader *rd, size_t k, struct carom_value *val, __u64 *at)
{
	struct carom_sqlite_many *s = many_scratch(rd);
	const struct carom_sqlite_rowid key = s->key[k];

	(void)at;
	switch (key.found) {
	case CAROM_SQLITE_FOUND:
		if (key.row_at > CAROM_SQLITE_MANY_ROOM ||
		    key.row_len > CAROM_SQLITE_MANY_ROOM - key.row_at)
			return -EPROTO;
		val->data = s->area + key.row_at;
		val->len = key.row_len;
		return 0;
	case CAROM_SQLITE_ABSENT:
		return CAROM_NOTFOUND;
	case CAROM_SQLITE_ALONE:
		return CAROM_MANY_ALONE;
	default:
		return -EPROTO;
	}
}

const struct carom_many_format carom_many_sqlite = {
	.format = &carom_format_sqlite,
	.chains = &many_chains,
	.walker = many_walker,
	.version_size = 1,
	.version = many_version,
	.unchanged = many_unchanged,
	.valid = many_valid,
	.compare = many_compare,
	.fits = many_fits,
	.result = many_result,
};
