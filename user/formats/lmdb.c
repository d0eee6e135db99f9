// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * LMDB outside the walker: which tree, and is it still there?
 *
 * A sealed file does not change, so its tree is found once. In others a writer
 * may commit at any time. Commit S writes its pages to free places and then
 * meta page S % 2; pages that commit S uses are taken again by commit S + 3 at
 * the earliest, which begins when S + 2 has overwritten the meta page of S. So
 * as long as the meta page that a lookup started from is in its place, so is
 * all that it found. It is looked at after every lookup; the copy that is kept
 * between lookups must even be the newest, so that a lookup that begins after a
 * commit sees it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb.h"

/* Both meta pages, whole: O_DIRECT then needs no bounce buffer. */
/* Times that a lookup starts over because of a writer. */
#define MAX_TRIES	100

/**
 * struct lmdb_snap - one commit, as far as a lookup needs it
 * @meta: its meta page
 * @raw: what both meta pages said when it was taken (unsealed files)
 * @db: the tree that is looked up in
 */
struct lmdb_snap {
	struct carom_lmdb_meta meta;
	__u8 raw[2][CAROM_LMDB_SNAP];
	struct carom_lmdb_db db;
};

/**
 * struct lmdb_index - the format's state of an index
 * @lock: @snap; not taken for sealed files, where it never changes
 * @snap: the last commit seen
 * @name: name of the database, NULL for the main one
 */
struct lmdb_index {
	pthread_mutex_t lock;
	struct lmdb_snap snap;
	char *name;
};

static int no_memory(struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
}

static int read_error(struct carom_reader *rd, int code, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, code, "%s: %s", carom_reader_path(rd),
			       strerror(-code));
}

/* ---- chains ---- */

/* Run the query that is in the scratch. 0, CAROM_NOTFOUND or negative errno. */
static int run(struct carom_reader *rd, __u64 page, struct carom_error *err)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);
	struct carom_lookup res;
	int ret;

	s->walk.page = page;
	ret = carom_reader_run(rd, page * CAROM_LMDB_PAGE, &res, err);
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, s->walk.page, err);
	if (ret)
		return ret;
	if (res.end == CAROM_END_WALKER)
		return lmdb_walker_error(rd, res.code, err);
	return res.end == CAROM_END_MISS ? CAROM_NOTFOUND : 0;
}

static int run_meta(struct carom_reader *rd, struct carom_lmdb_meta *meta,
		    struct carom_error *err)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);
	int ret;

	s->query.op = CAROM_LMDB_META;
	ret = run(rd, 0, err);
	if (ret)
		return ret;
	*meta = s->answer.meta;
	if (meta->slot > 1)
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	if (meta->psize != CAROM_LMDB_PAGE)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: pages of %u bytes; only %d are supported; move it with mdb_dump "
			"and mdb_load", carom_reader_path(rd), meta->psize, CAROM_LMDB_PAGE);
	return 0;
}

/* Search @db for a key of 1 to 511 bytes. */
static int run_get(struct carom_reader *rd, const struct carom_lmdb_db *db, __u64 last_pg,
		   const void *key, size_t key_len, struct carom_error *err)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);

	if (db->root == CAROM_LMDB_NO_PAGE)
		return CAROM_NOTFOUND;
	s->query.op = CAROM_LMDB_GET;
	s->query.key_len = (__u32)key_len;
	s->query.last_pg = last_pg;
	memcpy(s->query.key, key, key_len);
	s->walk.level = db->depth;
	return run(rd, db->root, err);
}

/* ---- answers ---- */

/* A value of several pages: read them whole, as they lie. */
static int value_in_file(struct carom_reader *rd, const struct carom_lmdb_answer *a,
			 struct carom_value *val, struct carom_error *err)
{
	__u64 page = a->value_at / CAROM_LMDB_PAGE, start = page * CAROM_LMDB_PAGE;
	size_t skip = a->value_at - start, len = a->value_len, all;
	__u8 *buf;
	int ret;

	all = (skip + len + CAROM_LMDB_PAGE - 1) / CAROM_LMDB_PAGE * CAROM_LMDB_PAGE;
	/* Before memory is asked for: a damaged length may be anything. */
	if (start + all > carom_reader_file_size(rd))
		return lmdb_truncated_error(rd, (start + all) / CAROM_LMDB_PAGE - 1, err);
	buf = carom_reader_buffer(rd, all);
	if (!buf)
		return no_memory(err);
	ret = carom_reader_pread(rd, buf, all, start);
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, (start + all) / CAROM_LMDB_PAGE - 1, err);
	if (ret)
		return read_error(rd, ret, err);
	val->data = buf + skip;
	val->len = len;
	return 0;
}

/* Turn the walker's answer into a value. */
static int take_value(struct carom_reader *rd, struct carom_value *val,
		      struct carom_error *err)
{
	const struct carom_lmdb_answer a = lmdb_scratch(rd)->answer;

	if (a.flags & CAROM_LMDB_IN_FILE)
		return value_in_file(rd, &a, val, err);
	if (a.value_off > CAROM_LMDB_PAGE || a.value_len > CAROM_LMDB_PAGE - a.value_off)
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	val->data = carom_reader_mem(rd)->node + a.value_off;
	val->len = a.value_len;
	return 0;
}

/* ---- snapshots ---- */

/* Read what both meta pages say about their commits. */
static int read_raw(struct carom_reader *rd, __u8 raw[2][CAROM_LMDB_SNAP],
		    struct carom_error *err)
{
	int ret, i;

	for (i = 0; i < 2; i++) {
		ret = carom_reader_peek(rd, raw[i], CAROM_LMDB_SNAP,
					i * CAROM_LMDB_PAGE + CAROM_LMDB_MT_MAIN);
		if (ret == -ENODATA)
			return lmdb_truncated_error(rd, i, err);
		if (ret)
			return read_error(rd, ret, err);
	}
	return 0;
}

/*
 * 1 if the commit is intact, or with @newest if it is still the last one; 0 if
 * not; negative errno. Of a snapshot without a usable meta page: 1 if neither
 * has changed.
 */
static int unchanged(struct carom_reader *rd, const struct lmdb_snap *snap, bool newest,
		     struct carom_error *err)
{
	__u8 raw[2][CAROM_LMDB_SNAP];
	__u32 slot = snap->meta.slot;
	int ret;

	ret = read_raw(rd, raw, err);
	if (ret)
		return ret;
	if (newest || slot > 1)
		return !memcmp(raw, snap->raw, sizeof(raw));
	return !memcmp(raw[slot], snap->raw[slot], sizeof(raw[slot]));
}

/* Root and depth must agree, as the walker has checked for the main tree. */
static bool db_sane(const struct carom_lmdb_db *db, __u64 last_pg)
{
	if (db->root == CAROM_LMDB_NO_PAGE)
		return !db->depth;
	return db->root > 1 && db->root <= last_pg && db->depth &&
	       db->depth <= CAROM_LMDB_MAX_DEPTH;
}

/* Find the named database in the main one. */
static int find_db(struct carom_reader *rd, const char *name, struct lmdb_snap *snap,
		   struct carom_error *err)
{
	const char *path = carom_reader_path(rd);
	struct carom_value val;
	int ret;

	ret = run_get(rd, &snap->meta.main, snap->meta.last_pg, name, strlen(name), err);
	if (ret == CAROM_NOTFOUND)
		return carom_error_set(err, CAROM_FAULT_USAGE, -ENOENT,
			"%s: no database %s in this file", path, name);
	if (ret)
		return ret;
	if (!(lmdb_scratch(rd)->answer.flags & CAROM_LMDB_IS_DB))
		return carom_error_set(err, CAROM_FAULT_USAGE, -ENOENT,
			"%s: no database %s in this file: it is a plain key", path, name);
	ret = take_value(rd, &val, err);
	if (ret)
		return ret;
	if (val.len != sizeof(snap->db))
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	memcpy(&snap->db, val.data, sizeof(snap->db));
	if (!db_sane(&snap->db, snap->meta.last_pg))
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: page %llu: database %s has root page %llu at depth %u",
			path, (unsigned long long)lmdb_scratch(rd)->walk.page, name,
			(unsigned long long)snap->db.root, snap->db.depth);
	return lmdb_flags_error(rd, name, snap->db.flags, err);
}

/* Find the tree in the newest commit. -EAGAIN: a writer was quicker. */
static int resolve(struct carom_reader *rd, const struct lmdb_index *ix,
		   struct lmdb_snap *snap, struct carom_error *err)
{
	bool sealed = carom_reader_sealed(rd);
	int ret;

	snap->meta.slot = CAROM_LMDB_NO_SLOT;
	if (!sealed) {
		ret = read_raw(rd, snap->raw, err);
		if (ret)
			return ret;
	}
	ret = run_meta(rd, &snap->meta, err);
	if (ret)
		return ret;
	/* Read twice and found equal, it was not read while being written. */
	if (!sealed && memcmp(snap->raw[snap->meta.slot], &snap->meta.main, CAROM_LMDB_SNAP))
		return -EAGAIN;
	ret = lmdb_flags_error(rd, NULL, snap->meta.main.flags, err);
	if (ret)
		return ret;
	snap->db = snap->meta.main;
	return ix->name ? find_db(rd, ix->name, snap, err) : 0;
}

static void snap_load(struct lmdb_index *ix, struct lmdb_snap *snap)
{
	pthread_mutex_lock(&ix->lock);
	*snap = ix->snap;
	pthread_mutex_unlock(&ix->lock);
}

static void snap_store(struct lmdb_index *ix, const struct lmdb_snap *snap)
{
	pthread_mutex_lock(&ix->lock);
	ix->snap = *snap;
	pthread_mutex_unlock(&ix->lock);
}

/* ---- lookups ---- */

/* What to do in a snapshot: look a key up, or with no key nothing. */
struct lmdb_query {
	const void *key;
	size_t key_len;
	struct carom_value *val;
};

static int lookup(struct carom_reader *rd, const struct lmdb_snap *snap,
		  const struct lmdb_query *q, struct carom_error *err)
{
	int ret;

	if (!q->key)
		return 0;
	ret = run_get(rd, &snap->db, snap->meta.last_pg, q->key, q->key_len, err);
	return ret ? ret : take_value(rd, q->val, err);
}

/* Look up in the newest commit, and keep it as the last one seen. */
static int lookup_fresh(struct carom_reader *rd, struct lmdb_index *ix,
			struct lmdb_snap *snap, const struct lmdb_query *q,
			struct carom_error *err)
{
	int ret = resolve(rd, ix, snap, err);

	if (ret)
		return ret;
	snap_store(ix, snap);
	return lookup(rd, snap, q, err);
}

/*
 * Look up in a file that may be changing, until neither the answer nor the
 * damage can come from that.
 */
static int lookup_unsealed(struct carom_reader *rd, struct lmdb_index *ix, bool have_snap,
			   const struct lmdb_query *q, struct carom_error *err)
{
	struct lmdb_snap snap;
	int ret, same, i;

	for (i = 0; i < MAX_TRIES; i++) {
		bool kept = !i && have_snap;

		if (kept) {
			snap_load(ix, &snap);
			ret = lookup(rd, &snap, q, err);
		} else {
			ret = lookup_fresh(rd, ix, &snap, q, err);
		}
		if (ret == -EAGAIN)
			continue;
		same = unchanged(rd, &snap, kept, err);
		if (same < 0)
			return same;
		if (!same)
			continue;
		/* What a try before this one has said does not count. */
		if (ret >= 0 && err)
			*err = (struct carom_error){ 0 };
		return ret;
	}
	return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
		"%s: a writer commits faster than the lookup reads (%d tries); try again",
		carom_reader_path(rd), MAX_TRIES);
}

static int lmdb_get(struct carom_reader *rd, const void *key, size_t key_len,
		    struct carom_value *val, struct carom_error *err)
{
	struct lmdb_index *ix = carom_reader_format_data(rd);
	struct carom_value found = { 0 };
	const struct lmdb_query q = { .key = key, .key_len = key_len, .val = &found };
	int ret;

	if (!key_len || key_len > CAROM_LMDB_MAX_KEY)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key of %zu bytes; LMDB keys have 1 to %d", key_len, CAROM_LMDB_MAX_KEY);
	if (carom_reader_sealed(rd))
		ret = lookup(rd, &ix->snap, &q, err);
	else
		ret = lookup_unsealed(rd, ix, true, &q, err);
	if (!ret)
		*val = found;
	return ret;
}

/* ---- open and close ---- */

static void lmdb_close(void *data)
{
	struct lmdb_index *ix = data;

	pthread_mutex_destroy(&ix->lock);
	free(ix->name);
	free(ix);
}

static int check_name(struct carom_reader *rd, const char *db, struct carom_error *err)
{
	size_t len = db ? strlen(db) : 1;

	if (len && len <= CAROM_LMDB_MAX_KEY)
		return 0;
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"%s: database name of %zu bytes; they have 1 to %d", carom_reader_path(rd), len,
		CAROM_LMDB_MAX_KEY);
}

static int check_layout(struct carom_reader *rd, struct carom_error *err)
{
	__u8 *head = carom_reader_buffer(rd, CAROM_LMDB_PAGE);
	int ret;

	if (!head)
		return no_memory(err);
	ret = carom_reader_pread(rd, head, CAROM_LMDB_PAGE, 0);
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, 0, err);
	return ret ? read_error(rd, ret, err) : lmdb_layout_error(rd, head, err);
}

static int open_tree(struct carom_reader *rd, struct lmdb_index *ix, struct carom_error *err)
{
	static const struct lmdb_query nothing;

	if (carom_reader_sealed(rd))
		return lookup_fresh(rd, ix, &(struct lmdb_snap){ 0 }, &nothing, err);
	return lookup_unsealed(rd, ix, false, &nothing, err);
}

static int lmdb_open(struct carom_reader *rd, const char *db, struct carom_error *err)
{
	struct lmdb_index *ix;
	int ret;

	ret = check_name(rd, db, err);
	if (!ret)
		ret = check_layout(rd, err);
	if (ret)
		return ret;
	ix = calloc(1, sizeof(*ix));
	if (!ix)
		return no_memory(err);
	pthread_mutex_init(&ix->lock, NULL);
	if (db)
		ix->name = strdup(db);
	ret = db && !ix->name ? no_memory(err) : open_tree(rd, ix, err);
	if (ret)
		lmdb_close(ix);
	else
		carom_reader_set_format_data(rd, ix);
	return ret;
}

const struct carom_format carom_format_lmdb = {
	.name = "lmdb",
	.walker = &carom_walker_lmdb,
	.probe = lmdb_probe,
	.open = lmdb_open,
	.close = lmdb_close,
	.get = lmdb_get,
};
