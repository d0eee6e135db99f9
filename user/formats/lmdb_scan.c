// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Scans of LMDB files: which keys, and is the commit still there?
 */
#include <errno.h>
#include <string.h>
#include "lmdb.h"

/* bpf/lmdb_scan.bpf.c, built natively. */
extern const struct carom_native_walker carom_walker_lmdb_scan;

/* A bound of a range; @len 0: there is none. */
struct bound {
	__u32 len;
	__u8 key[CAROM_LMDB_MAX_KEY];
};

/**
 * struct lmdb_scan - the format's state of a scan
 * @snap: the commit that it goes through
 * @low: keys that are less do not count
 * @high: keys that are less do
 */
struct lmdb_scan {
	struct lmdb_snap snap;
	struct bound low;
	struct bound high;
	bool reverse;
	__u64 limit;
	enum carom_integer integer;
};

static struct carom_lmdb_scan *scan_scratch(struct carom_reader *rd)
{
	return (struct carom_lmdb_scan *)carom_reader_mem(rd)->scratch;
}

/* ---- the range ---- */

static void set_bound(struct bound *b, const void *key, size_t len)
{
	b->len = (__u32)len;
	memcpy(b->key, key, len);
}

static int check_len(const char *what, size_t len, struct carom_error *err)
{
	if (len <= CAROM_LMDB_MAX_KEY)
		return 0;
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"%s of %zu bytes; LMDB keys have 1 to %d", what, len, CAROM_LMDB_MAX_KEY);
}

/* The least key that is greater than all with the prefix; none if it is all 0xff. */
static size_t behind_prefix(__u8 *key, size_t len)
{
	while (len && key[len - 1] == 0xff)
		len--;
	if (len)
		key[len - 1]++;
	return len;
}

static void take_prefix(struct lmdb_scan *s, const void *prefix, size_t len)
{
	__u8 end[CAROM_LMDB_MAX_KEY];
	size_t end_len;

	if (lmdb_compare(prefix, len, s->low.key, s->low.len) > 0)
		set_bound(&s->low, prefix, len);
	memcpy(end, prefix, len);
	end_len = behind_prefix(end, len);
	if (end_len && (!s->high.len || lmdb_compare(end, end_len, s->high.key, s->high.len) < 0))
		set_bound(&s->high, end, end_len);
}

static int take_range(struct lmdb_scan *s, const struct carom_scan_opts *opts,
		      struct carom_error *err)
{
	int ret;

	ret = check_len("from", opts->from_len, err);
	if (!ret)
		ret = check_len("to", opts->to_len, err);
	if (!ret)
		ret = check_len("prefix", opts->prefix_len, err);
	if (ret)
		return ret;
	/* Nothing is less than no bytes. */
	if (opts->to && !opts->to_len)
		return CAROM_NOTFOUND;
	s->low.len = 0;
	s->high.len = 0;
	if (opts->from)
		set_bound(&s->low, opts->from, opts->from_len);
	if (opts->to)
		set_bound(&s->high, opts->to, opts->to_len);
	if (opts->prefix)
		take_prefix(s, opts->prefix, opts->prefix_len);
	if (s->high.len && lmdb_compare(s->low.key, s->low.len, s->high.key, s->high.len) >= 0)
		return CAROM_NOTFOUND;
	return 0;
}

static int scan_open(struct carom_reader *rd, struct carom_reader *point,
		     const struct carom_scan_opts *opts, struct carom_error *err)
{
	struct lmdb_scan *s = carom_reader_state(rd);
	int ret;

	s->reverse = opts->reverse;
	s->limit = opts->limit ? opts->limit : UINT64_MAX;
	s->integer = opts->integer;
	ret = take_range(s, opts, err);
	if (!ret)
		ret = lmdb_newest(point, &s->snap, err);
	if (!ret && s->snap.db.root == CAROM_LMDB_NO_PAGE)
		ret = CAROM_NOTFOUND;
	return ret;
}

/* ---- chains ---- */

static void query_integer(struct carom_scan_query *q, enum carom_integer integer)
{
	/* U8 and I8 have no order of bytes; the others have both. */
	unsigned int i = integer > CAROM_INTEGER_I8 ? integer - CAROM_INTEGER_U16LE : 0;

	if (!integer)
		return;
	q->width = integer <= CAROM_INTEGER_I8 ? 1 : 2U << i / 4;
	q->flags |= integer % 2 ? 0 : CAROM_SCAN_SIGNED;
	q->flags |= i & 2 ? CAROM_SCAN_BIG_ENDIAN : 0;
}

static int scan_begin(struct carom_reader *rd, bool totals, __u64 *offset,
		      struct carom_error *err)
{
	const struct lmdb_scan *s = carom_reader_state(rd);
	struct carom_lmdb_scan *to = scan_scratch(rd);

	(void)err;
	memset(to, 0, sizeof(*to));
	to->query.scan.limit = s->limit;
	to->query.scan.pages = CAROM_SCAN_HOPS;
	if (s->reverse)
		to->query.scan.flags |= CAROM_SCAN_REVERSE;
	if (totals) {
		to->query.scan.flags |= CAROM_SCAN_TOTALS;
		query_integer(&to->query.scan, s->integer);
	}
	to->query.last_pg = s->snap.meta.last_pg;
	to->query.entries = s->snap.db.entries;
	to->query.depth = s->snap.db.depth;
	to->query.low_len = s->low.len;
	to->query.high_len = s->high.len;
	memcpy(to->query.low, s->low.key, s->low.len);
	memcpy(to->query.high, s->high.key, s->high.len);
	to->answer.totals.min = UINT64_MAX;
	to->walk.level = s->snap.db.depth;
	to->walk.mode = CAROM_LMDB_SEEK;
	to->walk.page = s->snap.db.root;
	*offset = s->snap.db.root * CAROM_LMDB_PAGE;
	return CAROM_CHAIN;
}

static int chain_result(struct carom_reader *rd, const struct carom_lookup *res, int ret,
			struct carom_error *err)
{
	const struct carom_lmdb_bad bad = scan_scratch(rd)->bad;

	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, scan_scratch(rd)->walk.page, err);
	if (ret)
		return ret;
	if (res->end == CAROM_END_WALKER)
		return lmdb_bad_error(rd, res->code, &bad, err);
	return res->end == CAROM_END_DONE ? 0 : lmdb_bad_error(rd, CAROM_LMDB_E_QUERY, &bad, err);
}

/* @ret, unless a writer may be the reason for it; then -EAGAIN. */
static int settle(struct carom_reader *rd, int ret, struct carom_error *err)
{
	const struct lmdb_scan *s = carom_reader_state(rd);
	struct carom_error why = { 0 };
	int same = carom_reader_sealed(rd) ? 1 : lmdb_unchanged(rd, &s->snap, false, &why);

	if (same == 1)
		return ret;
	*err = why;
	return same ? same : -EAGAIN;
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
	*size = CAROM_LMDB_SCAN_ROOM;
	return scan_scratch(rd)->area;
}

static int scan_value(struct carom_reader *rd, const struct carom_scan_entry *entry,
		      const __u8 *key, struct carom_value *val, struct carom_error *err)
{
	const struct lmdb_scan *s = carom_reader_state(rd);
	const struct carom_lmdb_bad bad = { .node = CAROM_LMDB_NO_NODE };
	int ret;

	(void)key;
	if (!entry->value_at)
		return lmdb_bad_error(rd, CAROM_LMDB_E_QUERY, &bad, err);
	ret = lmdb_overflow_value(rd, entry->value_at / CAROM_LMDB_PAGE, entry->value_len,
				  s->snap.meta.last_pg, val, err);
	return settle(rd, ret, err);
}

static const struct carom_native_walker *scan_walker(void *data)
{
	(void)data;
	return &carom_walker_lmdb_scan;
}

const struct carom_scan_format carom_scan_lmdb = {
	.format = &carom_format_lmdb,
	.walker = scan_walker,
	.state_size = sizeof(struct lmdb_scan),
	.open = scan_open,
	.begin = scan_begin,
	.finish = scan_finish,
	.answer = scan_answer,
	.area = scan_area,
	.value = scan_value,
};
