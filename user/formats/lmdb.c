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

/* Times that a lookup starts over because of a writer. */
#define MAX_TRIES	100

/**
 * enum lmdb_stage - what the chain that is under way looks for
 * @LMDB_META: the newest commit
 * @LMDB_NAME: the named database in it
 * @LMDB_KEY: the key
 */
enum lmdb_stage {
	LMDB_META,
	LMDB_NAME,
	LMDB_KEY,
};

/**
 * struct lmdb_lookup - the format's state of a lookup
 * @snap: the commit that it looks in
 * @stage: of the chain that is under way
 * @kept: @snap is that of the index, so it must still be the newest in the end
 * @tries: how often it has started over
 * @key_len: bytes of @key; 0: only find the tree
 * @key: for when it starts over; the caller's is gone by then
 */
struct lmdb_lookup {
	struct lmdb_snap snap;
	enum lmdb_stage stage;
	bool kept;
	unsigned int tries;
	__u32 key_len;
	__u8 key[CAROM_LMDB_MAX_KEY];
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

/* ---- chains ---- */

/* Begin with @page the query that is in the scratch. */
static int begin_chain(struct carom_reader *rd, __u64 page, __u64 *offset)
{
	lmdb_scratch(rd)->walk.page = page;
	*offset = page * CAROM_LMDB_PAGE;
	return CAROM_CHAIN;
}

/* Search @db for a key of 1 to 511 bytes. */
static int begin_get(struct carom_reader *rd, const struct lmdb_snap *snap,
		     const struct carom_lmdb_db *db, const void *key, size_t key_len,
		     __u64 *offset)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);

	if (db->root == CAROM_LMDB_NO_PAGE)
		return CAROM_NOTFOUND;
	s->query.op = CAROM_LMDB_GET;
	s->query.key_len = (__u32)key_len;
	s->query.last_pg = snap->meta.last_pg;
	memcpy(s->query.key, key, key_len);
	s->walk.level = db->depth;
	s->rest.room = lmdb_room(rd, db->depth);
	s->rest.have = 0;
	return begin_chain(rd, db->root, offset);
}

static int begin_meta(struct carom_reader *rd, __u64 *offset)
{
	lmdb_scratch(rd)->query.op = CAROM_LMDB_META;
	return begin_chain(rd, 0, offset);
}

/* What the end of a chain means: 0, CAROM_NOTFOUND or negative errno. */
static int chain_result(struct carom_reader *rd, const struct carom_lookup *res, int ret,
			struct carom_error *err)
{
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, lmdb_scratch(rd)->walk.page, err);
	if (ret)
		return ret;
	if (res->end == CAROM_END_WALKER)
		return lmdb_walker_error(rd, res->code, err);
	return res->end == CAROM_END_MISS ? CAROM_NOTFOUND : 0;
}

static int take_meta(struct carom_reader *rd, struct carom_lmdb_meta *meta,
		     struct carom_error *err)
{
	*meta = lmdb_scratch(rd)->answer.meta;
	if (meta->slot > 1)
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	if (meta->psize != CAROM_LMDB_PAGE)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: pages of %u bytes; only %d are supported; move it with mdb_dump "
			"and mdb_load", carom_reader_path(rd), meta->psize, CAROM_LMDB_PAGE);
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
			return lmdb_read_error(rd, ret, err);
	}
	return 0;
}

int lmdb_unchanged(struct carom_reader *rd, const struct lmdb_snap *snap, bool newest,
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

static int no_db_error(struct carom_reader *rd, const char *name, const char *why,
		       struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_USAGE, -ENOENT,
		"%s: no database %s in this file%s", carom_reader_path(rd), name, why);
}

/* The record of the named database has been found in the main one. */
static int take_db(struct carom_reader *rd, const char *name, struct lmdb_snap *snap,
		   struct carom_error *err)
{
	struct carom_value val;
	int ret;

	if (!(lmdb_scratch(rd)->answer.flags & CAROM_LMDB_IS_DB))
		return no_db_error(rd, name, ": it is a plain key", err);
	ret = lmdb_take_value(rd, &val, err);
	if (ret)
		return ret;
	if (val.len != sizeof(snap->db))
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	memcpy(&snap->db, val.data, sizeof(snap->db));
	if (!db_sane(&snap->db, snap->meta.last_pg))
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: page %llu: database %s has root page %llu at depth %u",
			carom_reader_path(rd), (unsigned long long)lmdb_scratch(rd)->walk.page,
			name, (unsigned long long)snap->db.root, snap->db.depth);
	return lmdb_flags_error(rd, name, snap->db.flags, err);
}

static void snap_load(struct lmdb_index *ix, struct lmdb_snap *snap, bool sealed)
{
	if (sealed) {
		*snap = ix->snap;
		return;
	}
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

/*
 * A lookup is one to three chains, and perhaps the same again. Whoever runs them
 * comes back here when each has ended; -EAGAIN says that a writer was quicker.
 */

static int begin_key(struct carom_reader *rd, struct lmdb_lookup *l, __u64 *offset)
{
	l->stage = LMDB_KEY;
	if (!l->key_len)
		return 0;
	return begin_get(rd, &l->snap, &l->snap.db, l->key, l->key_len, offset);
}

/* Begin in the commit that is kept, or else find the newest. */
static int begin_try(struct carom_reader *rd, struct lmdb_index *ix, struct lmdb_lookup *l,
		     __u64 *offset, struct carom_error *err)
{
	bool sealed = carom_reader_sealed(rd);
	int ret;

	if (l->kept) {
		snap_load(ix, &l->snap, sealed);
		return begin_key(rd, l, offset);
	}
	l->stage = LMDB_META;
	l->snap.meta.slot = CAROM_LMDB_NO_SLOT;
	ret = sealed ? 0 : read_raw(rd, l->snap.raw, err);
	return ret ? ret : begin_meta(rd, offset);
}

/* The tree is found: keep it as the last one seen. */
static int got_tree(struct carom_reader *rd, struct lmdb_index *ix, struct lmdb_lookup *l,
		    __u64 *offset)
{
	snap_store(ix, &l->snap);
	return begin_key(rd, l, offset);
}

static int got_meta(struct carom_reader *rd, struct lmdb_index *ix, struct lmdb_lookup *l,
		    __u64 *offset, struct carom_error *err)
{
	struct lmdb_snap *snap = &l->snap;
	int ret = take_meta(rd, &snap->meta, err);

	if (ret)
		return ret;
	/* Read twice and found equal, it was not read while being written. */
	if (!carom_reader_sealed(rd) &&
	    memcmp(snap->raw[snap->meta.slot], &snap->meta.main, CAROM_LMDB_SNAP))
		return -EAGAIN;
	ret = lmdb_flags_error(rd, NULL, snap->meta.main.flags, err);
	if (ret)
		return ret;
	snap->db = snap->meta.main;
	if (!ix->name)
		return got_tree(rd, ix, l, offset);
	l->stage = LMDB_NAME;
	ret = begin_get(rd, snap, &snap->db, ix->name, strlen(ix->name), offset);
	return ret == CAROM_NOTFOUND ? no_db_error(rd, ix->name, "", err) : ret;
}

static int got_name(struct carom_reader *rd, struct lmdb_index *ix, struct lmdb_lookup *l,
		    int ret, __u64 *offset, struct carom_error *err)
{
	if (ret == CAROM_NOTFOUND)
		return no_db_error(rd, ix->name, "", err);
	if (!ret)
		ret = take_db(rd, ix->name, &l->snap, err);
	return ret ? ret : got_tree(rd, ix, l, offset);
}

/* Is @ret the last word? 1; 0: start over; negative errno. */
static int settled(struct carom_reader *rd, const struct lmdb_lookup *l, int ret,
		   struct carom_error *err)
{
	if (carom_reader_sealed(rd))
		return 1;
	return ret == -EAGAIN ? 0 : lmdb_unchanged(rd, &l->snap, l->kept, err);
}

/*
 * A try has come to @ret. In a file that may be changing neither an answer nor
 * damage counts before it is known that it cannot come from that.
 */
static int conclude(struct carom_reader *rd, struct lmdb_index *ix, struct lmdb_lookup *l,
		    int ret, __u64 *offset, struct carom_error *err)
{
	int done;

	while (ret != CAROM_CHAIN) {
		done = settled(rd, l, ret, err);
		if (done < 0)
			return done;
		/* What a try before this one has said does not count. */
		if (done && ret >= 0 && err)
			*err = (struct carom_error){ 0 };
		if (done)
			return ret;
		if (++l->tries == MAX_TRIES)
			return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
				"%s: a writer commits faster than the lookup reads (%d tries); "
				"try again", carom_reader_path(rd), MAX_TRIES);
		l->kept = false;
		ret = begin_try(rd, ix, l, offset, err);
	}
	return ret;
}

static int begin(struct carom_reader *rd, struct lmdb_index *ix, bool kept, const void *key,
		 size_t key_len, __u64 *offset, struct carom_error *err)
{
	struct lmdb_lookup *l = carom_reader_state(rd);

	l->kept = kept;
	l->tries = 0;
	l->key_len = (__u32)key_len;
	if (key_len)
		memcpy(l->key, key, key_len);
	return conclude(rd, ix, l, begin_try(rd, ix, l, offset, err), offset, err);
}

static int advance(struct carom_reader *rd, struct lmdb_index *ix,
		   const struct carom_lookup *res, int ret, __u64 *offset,
		   struct carom_value *val, struct carom_error *err)
{
	struct lmdb_lookup *l = carom_reader_state(rd);

	ret = chain_result(rd, res, ret, err);
	switch (l->stage) {
	case LMDB_META:
		if (!ret)
			ret = got_meta(rd, ix, l, offset, err);
		break;
	case LMDB_NAME:
		ret = got_name(rd, ix, l, ret, offset, err);
		break;
	case LMDB_KEY:
		if (!ret)
			ret = lmdb_take_value(rd, val, err);
		break;
	}
	return conclude(rd, ix, l, ret, offset, err);
}

static int lmdb_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		      struct carom_error *err)
{
	if (!key_len || key_len > CAROM_LMDB_MAX_KEY)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key of %zu bytes; LMDB keys have 1 to %d", key_len, CAROM_LMDB_MAX_KEY);
	return begin(rd, carom_reader_format_data(rd), true, key, key_len, offset, err);
}

static int lmdb_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	return advance(rd, carom_reader_format_data(rd), res, ret, offset, val, err);
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
		return lmdb_no_memory(err);
	ret = carom_reader_pread(rd, head, CAROM_LMDB_PAGE, 0);
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, 0, err);
	return ret ? lmdb_read_error(rd, ret, err) : lmdb_layout_error(rd, head, err);
}

/* Find the tree as the lookup of no key: before the index has its format_data, or again. */
static int find_tree(struct carom_reader *rd, struct lmdb_index *ix, bool kept,
		     struct carom_error *err)
{
	struct carom_lookup res;
	__u64 offset;
	int ret;

	ret = begin(rd, ix, kept, NULL, 0, &offset, err);
	while (ret == CAROM_CHAIN) {
		ret = carom_reader_run(rd, offset, &res, err);
		ret = advance(rd, ix, &res, ret, &offset, NULL, err);
	}
	return ret;
}

int lmdb_newest(struct carom_reader *rd, struct lmdb_snap *snap, struct carom_error *err)
{
	const struct lmdb_lookup *l = carom_reader_state(rd);
	int ret = find_tree(rd, carom_reader_format_data(rd), true, err);

	if (!ret)
		*snap = l->snap;
	return ret;
}

static int lmdb_open(struct carom_reader *rd, const struct carom_index_opts *opts,
		     struct carom_error *err)
{
	const char *db = opts->db;
	struct lmdb_index *ix;
	int ret;

	if (opts->table || opts->index)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: an LMDB file has no tables; a database in it is named with db",
			carom_reader_path(rd));
	ret = check_name(rd, db, err);
	if (!ret)
		ret = check_layout(rd, err);
	if (ret)
		return ret;
	ix = calloc(1, sizeof(*ix));
	if (!ix)
		return lmdb_no_memory(err);
	pthread_mutex_init(&ix->lock, NULL);
	if (db)
		ix->name = strdup(db);
	ret = db && !ix->name ? lmdb_no_memory(err) : find_tree(rd, ix, false, err);
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
	.lookup_size = sizeof(struct lmdb_lookup),
	.value_area = CAROM_LMDB_AREA,
	.value_room = lmdb_value_room,
	.open = lmdb_open,
	.close = lmdb_close,
	.start = lmdb_start,
	.finish = lmdb_finish,
};
