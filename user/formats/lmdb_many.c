// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Many keys of an LMDB file in one chain.
 */
#include <errno.h>
#include <string.h>
#include "lmdb.h"

/* bpf/lmdb_many.bpf.c, built natively. */
extern const struct carom_native_walker carom_walker_lmdb_many;

/* Of the area, at most that is for keys; values have the rest. */
#define KEYS_ROOM	16384

static struct carom_lmdb_many *many_scratch(struct carom_reader *rd)
{
	return (struct carom_lmdb_many *)carom_reader_mem(rd)->scratch;
}

/* ---- chains ---- */

static int many_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		      struct carom_error *err)
{
	const struct carom_many_chain *chain = key;
	const struct lmdb_snap *snap = chain->version;
	struct carom_lmdb_many *s = many_scratch(rd);
	size_t k, used = 0;

	(void)key_len;
	(void)err;
	memset(s, 0, sizeof(*s));
	s->last_pg = snap->meta.last_pg;
	s->nr = (__u32)chain->nr;
	s->pages = CAROM_SCAN_HOPS;
	s->level = snap->db.depth;
	s->page = snap->db.root;
	for (k = 0; k < chain->nr; k++) {
		const struct carom_value *v = chain->keys[k];

		s->key[k] = (struct carom_lmdb_key){
			.page = snap->db.root, .off = (__u32)used, .len = (__u32)v->len,
		};
		memcpy(s->area + used, v->data, v->len);
		used += v->len;
	}
	s->used = (__u32)used;
	*offset = s->page * CAROM_LMDB_PAGE;
	return CAROM_CHAIN;
}

static int many_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	struct carom_lmdb_many *s = many_scratch(rd);
	const struct carom_lmdb_bad bad = s->bad;

	*val = (struct carom_value){ 0 };
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, s->page, err);
	if (ret)
		return ret;
	if (res->end == CAROM_END_WALKER)
		return lmdb_bad_error(rd, res->code, &bad, err);
	if (res->end != CAROM_END_DONE)
		return lmdb_bad_error(rd, CAROM_LMDB_E_QUERY, &bad, err);
	if (!s->more)
		return 0;
	s->seen = 0;
	*offset = s->page * CAROM_LMDB_PAGE;
	return CAROM_CHAIN;
}

static const struct carom_format many_chains = {
	.name = "lmdb",
	.walker = &carom_walker_lmdb_many,
	.start = many_start,
	.finish = many_finish,
};

/* ---- around them ---- */

static int many_version(struct carom_reader *point, void *version, struct carom_error *err)
{
	struct lmdb_snap *snap = version;
	int ret = lmdb_newest(point, snap, err);

	return !ret && snap->db.root == CAROM_LMDB_NO_PAGE ? CAROM_NOTFOUND : ret;
}

static int many_unchanged(struct carom_reader *point, const void *version, bool newest,
			  struct carom_error *err)
{
	return carom_reader_sealed(point) ? 1 : lmdb_unchanged(point, version, newest, err);
}

static bool many_valid(const struct carom_value *key)
{
	return key->data && key->len && key->len <= CAROM_LMDB_MAX_KEY;
}

static int many_compare(const struct carom_value *a, const struct carom_value *b)
{
	return lmdb_compare(a->data, a->len, b->data, b->len);
}

static size_t many_fits(const struct carom_value *const *keys, size_t nr)
{
	size_t k, used = 0;

	for (k = 0; k < nr && k < CAROM_LMDB_KEYS; k++) {
		used += keys[k]->len;
		if (used > KEYS_ROOM)
			break;
	}
	return k;
}

static int many_result(struct carom_reader *rd, size_t k, struct carom_value *val, __u64 *at)
{
	struct carom_lmdb_many *s = many_scratch(rd);
	const struct carom_lmdb_key key = s->key[k];

	switch (key.found) {
	case CAROM_LMDB_FOUND:
		if (key.value_at > CAROM_LMDB_MANY_ROOM ||
		    key.value_len > CAROM_LMDB_MANY_ROOM - key.value_at)
			return -EPROTO;
		val->data = s->area + key.value_at;
		val->len = key.value_len;
		return 0;
	case CAROM_LMDB_IN_PAGES:
		*at = key.value_at;
		val->len = key.value_len;
		return CAROM_MANY_IN_FILE;
	case CAROM_LMDB_ABSENT:
		return CAROM_NOTFOUND;
	case CAROM_LMDB_NO_ROOM:
		return CAROM_MANY_ALONE;
	default:
		return -EPROTO;
	}
}

static int many_read(struct carom_reader *point, const void *version, __u64 at,
		     struct carom_value *val, struct carom_error *err)
{
	const struct lmdb_snap *snap = version;

	return lmdb_overflow_value(point, at / CAROM_LMDB_PAGE, val->len, snap->meta.last_pg, val,
				   err);
}

static const struct carom_native_walker *many_walker(const void *data)
{
	(void)data;
	return &carom_walker_lmdb_many;
}

const struct carom_many_format carom_many_lmdb = {
	.format = &carom_format_lmdb,
	.chains = &many_chains,
	.walker = many_walker,
	.version_size = sizeof(struct lmdb_snap),
	.version = many_version,
	.unchanged = many_unchanged,
	.valid = many_valid,
	.compare = many_compare,
	.fits = many_fits,
	.result = many_result,
	.read = many_read,
};
