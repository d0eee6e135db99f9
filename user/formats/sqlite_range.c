// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Ranges of SQLite indexes: from keys to places, by lookups that end at a place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite_range.h"

int sqlite_key_columns_of(const void *key, size_t len, struct carom_column *cols, int max)
{
	struct sqlite_record r;
	int nr, ret = 1;

	if (!sqlite_record_begin(&r, key, len))
		return -1;
	for (nr = 0; nr < max && ret > 0; nr += ret > 0) {
		cols[nr].name = NULL;
		ret = sqlite_record_next(&r, &cols[nr]);
	}
	return ret < 0 || r.at != r.end || !nr ? -1 : nr;
}

/* ---- places ---- */

static void take_place(const struct carom_sqlite_walk *w, struct sqlite_bound *b)
{
	b->set = true;
	b->level = w->level % CAROM_SQLITE_PATH;
	memcpy(b->path, w->path, sizeof(b->path));
}

/*
 * The first entry that is not less than the key, or with CAROM_SQLITE_AFTER the first that
 * is greater.
 */
static int find_place(struct carom_reader *point, const void *key, size_t len, __u32 flags,
		      struct sqlite_bound *b, struct carom_error *err)
{
	struct carom_sqlite_scratch *s = sqlite_scratch(point);
	struct carom_lookup res;
	struct carom_value val;
	__u64 offset;
	int ret;

	ret = carom_format_sqlite.start(point, key, len, &offset, err);
	if (ret != CAROM_CHAIN)
		return ret;
	s->query.flags &= ~(__u32)CAROM_SQLITE_ONE;
	s->query.flags |= CAROM_SQLITE_PLACE_ONLY | flags;
	do {
		ret = carom_reader_run(point, offset, &res, err);
		ret = sqlite_finish(point, &res, ret, &offset, &val, err);
	} while (ret == CAROM_CHAIN);
	if (!ret && s->answer.kind != CAROM_SQLITE_PLACE)
		ret = sqlite_walker_error(point, CAROM_SQLITE_E_QUERY, err);
	if (!ret)
		take_place(&s->walk, b);
	return ret;
}

/* The same for columns. */
static int find_columns(struct carom_reader *point, const struct carom_column *cols,
			unsigned int nr, __u32 flags, struct sqlite_bound *b,
			struct carom_error *err)
{
	size_t len = sqlite_record_make(cols, nr, NULL, 0);
	void *key = malloc(len);
	int ret;

	if (!key)
		return sqlite_no_memory(err);
	sqlite_record_make(cols, nr, key, len);
	ret = find_place(point, key, len, flags, b, err);
	free(key);
	return ret;
}

/* Both are set. */
static int compare_bounds(const struct sqlite_bound *a, const struct sqlite_bound *b)
{
	__u32 i;

	for (i = 0; i <= a->level && i <= b->level; i++)
		if (a->path[i].cell != b->path[i].cell)
			return a->path[i].cell < b->path[i].cell ? -1 : 1;
	return 0;
}

/* What both ranges have. */
static void narrow(struct sqlite_range *range, const struct sqlite_range *by)
{
	if (by->low.set && (!range->low.set || compare_bounds(&by->low, &range->low) > 0))
		range->low = by->low;
	if (by->high.set && (!range->high.set || compare_bounds(&by->high, &range->high) < 0))
		range->high = by->high;
}

/* ---- prefixes ---- */

/* The least text or blob that is greater than all that begin so. false: there is none. */
static bool behind(__u8 *bytes, size_t *len, bool nocase)
{
	size_t n = *len, i;

	for (i = 0; nocase && i < n; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] += 'a' - 'A';
	while (n && bytes[n - 1] == 0xff)
		n--;
	*len = n;
	if (!n)
		return false;
	bytes[n - 1]++;
	/* Capitals count as small letters, so they are not what comes behind an @. */
	if (nocase && bytes[n - 1] == 'A')
		bytes[n - 1] = 'Z' + 1;
	return true;
}

static int check_begins(const struct sqlite_part *part, const struct carom_column *col,
			struct carom_error *err)
{
	if (col->type == CAROM_TYPE_BLOB || part->collation == CAROM_SQLITE_BINARY)
		return 0;
	if (part->collation == CAROM_SQLITE_NOCASE && !(col->len && memchr(col->data, 0, col->len)))
		return 0;
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "prefix: %s",
		part->collation == CAROM_SQLITE_NOCASE ?
		"has a NUL, at which texts end for the collation NOCASE" :
		"texts that begin alike are not side by side in an index with this collation");
}

/* From @cols on, and up to what is there if the last column is @end. */
static int find_begins(struct carom_reader *point, const struct sqlite_tree *tree,
		       const struct carom_column *cols, unsigned int nr,
		       const struct carom_column *end, struct sqlite_range *range,
		       struct carom_error *err)
{
	bool desc = tree->parts[nr - 1].desc;
	__u32 after = desc ? CAROM_SQLITE_AFTER : 0;
	struct carom_column upper[CAROM_SQLITE_MAX_COLUMNS];
	struct sqlite_bound *greater = desc ? &range->low : &range->high;
	int ret = 0;

	memcpy(upper, cols, nr * sizeof(*upper));
	ret = find_columns(point, cols, nr, after, desc ? &range->high : &range->low, err);
	if (ret)
		return ret;
	if (end) {
		upper[nr - 1] = *end;
		return find_columns(point, upper, nr, after, greater, err);
	}
	/* Nothing is greater than blobs, so it is where the columns before have their end. */
	if (nr > 1)
		ret = find_columns(point, cols, nr - 1, desc ? 0 : CAROM_SQLITE_AFTER, greater,
				   err);
	return ret;
}

static int take_begins(struct carom_reader *point, const struct sqlite_tree *tree,
		       const struct carom_column *cols, unsigned int nr,
		       struct sqlite_range *range, struct carom_error *err)
{
	const struct carom_column *last = &cols[nr - 1];
	bool text = last->type == CAROM_TYPE_TEXT;
	struct carom_column end = *last;
	__u8 *bytes;
	bool found;
	int ret;

	ret = check_begins(&tree->parts[nr - 1], last, err);
	if (ret)
		return ret;
	bytes = malloc(last->len + 1);
	if (!bytes)
		return sqlite_no_memory(err);
	if (last->len)
		memcpy(bytes, last->data, last->len);
	end.data = bytes;
	found = behind(bytes, &end.len,
		       text && tree->parts[nr - 1].collation == CAROM_SQLITE_NOCASE);
	/* Behind all texts is the first blob, which is empty. */
	if (!found)
		end.type = CAROM_TYPE_BLOB;
	ret = find_begins(point, tree, cols, nr, found || text ? &end : NULL, range, err);
	free(bytes);
	return ret;
}

static int take_prefix(struct carom_reader *point, const struct carom_scan_opts *opts,
		       struct sqlite_range *range, struct carom_error *err)
{
	const struct sqlite_index *ix = carom_reader_format_data(point);
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS];
	int nr = sqlite_key_columns_of(opts->prefix, opts->prefix_len, cols,
				       tree->keys < CAROM_SQLITE_MAX_COLUMNS ? (int)tree->keys :
				       CAROM_SQLITE_MAX_COLUMNS), ret;

	if (nr < 1)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"prefix is no record of columns; carom_index__key() makes them");
	if (cols[nr - 1].type == CAROM_TYPE_TEXT || cols[nr - 1].type == CAROM_TYPE_BLOB)
		return take_begins(point, tree, cols, (unsigned int)nr, range, err);
	ret = find_columns(point, cols, (unsigned int)nr, 0, &range->low, err);
	if (!ret)
		ret = find_columns(point, cols, (unsigned int)nr, CAROM_SQLITE_AFTER,
				   &range->high, err);
	return ret;
}

int sqlite_range_find(struct carom_reader *point, const struct carom_scan_opts *opts,
		      struct sqlite_range *range, struct carom_error *err)
{
	struct sqlite_range by = { 0 };
	int ret = 0;

	memset(range, 0, sizeof(*range));
	if (opts->from)
		ret = find_place(point, opts->from, opts->from_len, 0, &range->low, err);
	if (!ret && opts->to)
		ret = find_place(point, opts->to, opts->to_len, 0, &range->high, err);
	if (!ret && opts->prefix)
		ret = take_prefix(point, opts, &by, err);
	if (ret)
		return ret;
	narrow(range, &by);
	if (range->low.set && range->high.set && compare_bounds(&range->low, &range->high) >= 0)
		return CAROM_NOTFOUND;
	return 0;
}
