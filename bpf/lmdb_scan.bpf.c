// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/*
 * The walker "lmdb_scan": goes through a range of keys, forwards or backwards, and
 * leaves the entries in the scratch, or adds their values up.
 *
 * Leaves have no links to each other, so the way from one to the next is through the
 * page above; what that one says of the next few is kept, or every leaf would be two
 * hops. User space can change the scratch at any time: what is in it is read once and
 * the copy is bounded. Pages that form a cycle bring more entries than the tree has.
 */
#include <stdbool.h>
#include "lmdb_page.h"
#include <carom/scan.h>

#define SCRATCH		CAROM_SCAN_SCRATCH
#define LOW_OFF		((__u32)offsetof(struct carom_lmdb_scan, query.low))
#define HIGH_OFF	((__u32)offsetof(struct carom_lmdb_scan, query.high))
#define AREA_OFF	((__u32)sizeof(struct carom_lmdb_scan))
/* No entry of a page needs more. */
#define MAX_ENTRY	(PAGE + sizeof(struct carom_scan_entry))
#define LAST_START	(CAROM_LMDB_SCAN_ROOM - MAX_ENTRY)
/* How many entries a page has, at most. */
#define MAX_NODES	340
#define AHEAD_MASK	(CAROM_LMDB_AHEAD - 1)
#define PATH_MASK	(CAROM_LMDB_MAX_DEPTH - 1)

/* There is no room for the entry. No failure of a walker is so small. */
#define FULL		1

/**
 * struct scan - a step
 * @level: levels of the tree from this page on
 * @above: branch pages above it
 * @upper: start of the page's entries
 * @nkeys: how many there are
 */
struct scan {
	struct page p;
	struct carom_lmdb_scan *s;
	__u32 level;
	__u32 above;
	__u32 mode;
	bool reverse;
	__u64 upper;
	__u32 nkeys;
};

static __always_inline __s64 go_to(struct scan *c, __u64 pgno, __u32 level, __u32 mode)
{
	if (pgno < FIRST_PAGE || pgno > c->p.last_pg)
		return fail(&c->p, CAROM_LMDB_E_QUERY, pgno);
	c->s->walk.level = level;
	c->s->walk.mode = mode;
	c->s->walk.page = pgno;
	return pgno * PAGE;
}

static __always_inline __s64 finished(struct scan *c)
{
	c->s->answer.more = 0;
	return CAROM_STEP_DONE;
}

/* All of this page has been seen: to the leaf beside it if that is known, or up. */
static __always_inline __s64 leave(struct scan *c)
{
	struct carom_lmdb_scan_walk *w = &c->s->walk;
	__u32 ahead = w->ahead, parent = c->above - 1;

	if (parent >= CAROM_LMDB_MAX_DEPTH)
		return finished(c);
	if (c->level == 1 && ahead < w->nr_ahead) {
		w->ahead = ahead + 1;
		w->path[parent & PATH_MASK].entry += c->reverse ? -1 : 1;
		return go_to(c, w->following[ahead & AHEAD_MASK], 1, CAROM_LMDB_EDGE);
	}
	return go_to(c, w->path[parent & PATH_MASK].page, c->level + 1, CAROM_LMDB_TURN);
}

/* ---- branch pages ---- */

/* Keep the leaves beside entry @i. What is wrong with one is said when it is its turn. */
static __always_inline void look_ahead(struct scan *c, __u32 i)
{
	struct carom_lmdb_scan_walk *w = &c->s->walk;
	__u64 child;
	__u32 k;

	for (k = 0; k < CAROM_LMDB_AHEAD; k++) {
		i += c->reverse ? -1 : 1;
		if (i >= c->nkeys || child_at(&c->p, c->upper, i, &child))
			break;
		w->following[k] = child;
	}
	w->ahead = 0;
	w->nr_ahead = k;
}

/* Search for one end of the range, counting @first entries as less; as search(). */
static __always_inline __s64 search_end(struct scan *c, bool high, __u32 first)
{
	__u32 len = high ? c->s->query.high_len : c->s->query.low_len;

	if (len - 1 >= CAROM_LMDB_MAX_KEY)
		return fail(&c->p, CAROM_LMDB_E_QUERY, len);
	return search(&c->p, c->upper, c->nkeys, first, high ? HIGH_OFF : LOW_OFF, len);
}

/* The entry of a branch page to go down by. Negative: a failure. */
static __always_inline __s64 way_down(struct scan *c)
{
	bool bounded = c->reverse ? c->s->query.high_len : c->s->query.low_len;
	__s64 at;

	if (c->mode != CAROM_LMDB_SEEK || !bounded)
		return c->reverse ? c->nkeys - 1 : 0;
	at = search_end(c, c->reverse, 1);
	if (at < 0)
		return at;
	/* Backwards from a key that is not in the range itself. */
	return c->reverse ? (at >> 1) - 1 : (at >> 1) - !(at & 1);
}

static __always_inline __s64 branch(struct scan *c)
{
	struct carom_lmdb_place *place = &c->s->walk.path[c->above & PATH_MASK];
	__u64 child;
	__s64 i, err;

	if (c->mode == CAROM_LMDB_TURN) {
		i = (__u32)(place->entry + (c->reverse ? -1 : 1));
		if (i >= c->nkeys)
			return leave(c);
	} else {
		i = way_down(c);
		if (i < 0)
			return i;
	}
	err = child_at(&c->p, c->upper, i, &child);
	if (err)
		return err;
	place->page = c->p.pgno;
	place->entry = i;
	if (c->level == 2)
		look_ahead(c, i);
	return go_to(c, child, c->level - 1,
		     c->mode == CAROM_LMDB_SEEK ? CAROM_LMDB_SEEK : CAROM_LMDB_EDGE);
}

/* ---- leaves ---- */

/**
 * struct value - the value of an entry
 * @data: where in the page it is, or the number of its overflow page
 * @len: bytes of it
 * @local: bytes that are in the page
 * @at: file offset of its overflow page, or 0
 */
struct value {
	__u64 data;
	__u64 len;
	__u64 local;
	__u64 at;
};

/* 0, or what is wrong. */
static __always_inline __s64 take_value(struct scan *c, __u64 i, const struct entry *e,
					struct value *v)
{
	__u64 flags = get_u16(c->p.node, e->off + CAROM_LMDB_ND_FLAGS), pgno;
	__s64 err;

	v->data = e->off + CAROM_LMDB_ND_HDR + e->ksize;
	v->len = data_size(&c->p, e);
	v->local = v->len;
	v->at = 0;
	if (flags == CAROM_LMDB_F_BIGDATA) {
		err = overflow_at(&c->p, i, v->data, &pgno);
		v->at = pgno * PAGE;
		v->local = 0;
		return err;
	}
	if (flags & CAROM_LMDB_F_DUPDATA)
		return fail_node(&c->p, CAROM_LMDB_E_DUPDATA, i, flags);
	if (flags & ~CAROM_LMDB_F_SUBDATA)
		return fail_node(&c->p, CAROM_LMDB_E_NODE_FLAGS, i, flags);
	if (flags && v->len != sizeof(struct carom_lmdb_db))
		return fail_node(&c->p, CAROM_LMDB_E_SUBDATA, i, v->len);
	if (v->data + v->len > PAGE)
		return fail_node(&c->p, CAROM_LMDB_E_DATA, i, v->len);
	return 0;
}

static __always_inline __s64 leave_entry(struct scan *c, const struct entry *e,
					 const struct value *v)
{
	__u64 used = c->s->answer.used & ~(CAROM_SCAN_ALIGN - 1ULL);
	struct carom_scan_entry *to;
	__u32 from = e->off + CAROM_LMDB_ND_HDR, len = e->ksize + v->local;

	forget(used);
	if (used > LAST_START || used % CAROM_SCAN_ALIGN)
		return FULL;
	to = (struct carom_scan_entry *)((__u8 *)c->s + AREA_OFF + used);
	to->key_len = e->ksize;
	to->value_len = v->len;
	to->local = v->local;
	to->reserved = 0;
	to->value_at = v->at;
	/* The value follows the key here, too. */
	if (carom_copy(c->p.hop, AREA_OFF + used + sizeof(*to), from, len))
		return fail(&c->p, CAROM_LMDB_E_QUERY, len);
	used += sizeof(*to) + len + CAROM_SCAN_ALIGN - 1;
	c->s->answer.used = used & ~(CAROM_SCAN_ALIGN - 1ULL);
	return 0;
}

/* The integer at @off of the page. false: it leaves the page. */
static __always_inline bool get_integer(const __u8 *node, __u64 off, __u32 width, __u32 flags,
					__u64 *v)
{
	bool swap = flags & CAROM_SCAN_BIG_ENDIAN, is_signed = flags & CAROM_SCAN_SIGNED;
	__u16 v16;
	__u32 v32;

	forget(off);
	if (width == 8 && off <= PAGE - 8) {
		__builtin_memcpy(v, node + off, 8);
		*v = swap ? __builtin_bswap64(*v) : *v;
		return true;
	}
	if (width == 4 && off <= PAGE - 4) {
		__builtin_memcpy(&v32, node + off, 4);
		v32 = swap ? __builtin_bswap32(v32) : v32;
		*v = is_signed ? (__u64)(__s32)v32 : v32;
		return true;
	}
	if (width == 2 && off <= PAGE - 2) {
		__builtin_memcpy(&v16, node + off, 2);
		v16 = swap ? __builtin_bswap16(v16) : v16;
		*v = is_signed ? (__u64)(__s16)v16 : v16;
		return true;
	}
	if (width != 1 || off > PAGE - 1)
		return false;
	*v = is_signed ? (__u64)(__s8)node[off] : node[off];
	return true;
}

static __always_inline __s64 add_value(struct scan *c, __u64 i, const struct value *v, __u32 width,
				       __u32 flags)
{
	struct carom_scan_totals *t = &c->s->answer.totals;
	__u64 n, low, order;

	if (v->local != width || !get_integer(c->p.node, v->data, width, flags, &n))
		return fail_node(&c->p, CAROM_LMDB_E_WIDTH, i, v->len);
	low = t->sum_low + n;
	t->sum_high += (low < n) - (flags & CAROM_SCAN_SIGNED && (__s64)n < 0);
	t->sum_low = low;
	order = flags & CAROM_SCAN_SIGNED ? n ^ 1ULL << 63 : n;
	if (order < t->min)
		t->min = order;
	if (order > t->max)
		t->max = order;
	return 0;
}

/* Entry @i has its turn. 0, FULL, or what is wrong. */
static __always_inline __s64 take_entry(struct scan *c, __u64 i, __u32 width, __u32 flags)
{
	struct entry e = { 0 };
	struct value v = { 0 };
	__s64 err;

	err = entry_at(&c->p, c->upper, i, &e);
	if (err)
		return err;
	if (e.ksize - 1 >= CAROM_LMDB_MAX_KEY || e.off + CAROM_LMDB_ND_HDR + e.ksize > PAGE)
		return fail_node(&c->p, CAROM_LMDB_E_KEY, i, e.ksize);
	err = take_value(c, i, &e, &v);
	if (err)
		return err;
	if (flags & CAROM_SCAN_TOTALS)
		return add_value(c, i, &v, width, flags);
	return leave_entry(c, &e, &v);
}

/**
 * struct part - entries of a leaf that are in the range and have not been seen
 * @begin: the first
 * @end: behind the last
 * @last: there is none behind them, in the direction of the scan
 */
struct part {
	__u32 begin;
	__u32 end;
	bool last;
};

/* 0, or what is wrong. */
static __always_inline __s64 take_part(struct scan *c, struct part *part)
{
	bool seek = c->mode == CAROM_LMDB_SEEK;
	__u32 at = c->s->walk.at;
	__s64 found;

	part->begin = 0;
	part->end = c->nkeys;
	if (c->s->query.low_len && (c->reverse || seek)) {
		found = search_end(c, false, 0);
		if (found < 0)
			return found;
		part->begin = found >> 1;
	}
	if (c->s->query.high_len && (!c->reverse || seek)) {
		found = search_end(c, true, 0);
		if (found < 0)
			return found;
		part->end = found >> 1;
	}
	part->last = c->reverse ? part->begin > 0 : part->end < c->nkeys;
	if (c->mode != CAROM_LMDB_AT)
		return 0;
	if (at > c->nkeys)
		return fail(&c->p, CAROM_LMDB_E_QUERY, at);
	if (c->reverse)
		part->end = at;
	else
		part->begin = at;
	return 0;
}

/* How many of @nr entries have been seen, or what is wrong. *@full: there is no room. */
static __always_inline __s64 take_entries(struct scan *c, const struct part *part, __u32 nr,
					  bool *full)
{
	__u32 width = c->s->query.scan.width, flags = c->s->query.scan.flags, k;
	__s64 err;

	*full = false;
	if (flags & CAROM_SCAN_TOTALS && !width)
		return nr;
	for (k = 0; k < MAX_NODES && k < nr; k++) {
		err = take_entry(c, c->reverse ? part->end - 1 - k : part->begin + k, width,
				 flags);
		if (err == FULL) {
			*full = true;
			break;
		}
		if (err)
			return err;
	}
	return k;
}

static __always_inline __s64 leaf(struct scan *c)
{
	struct carom_scan_answer *a = &c->s->answer;
	__u64 limit = c->s->query.scan.limit, count = a->totals.count, nr;
	struct part part;
	bool full;
	__s64 ret;

	ret = take_part(c, &part);
	if (ret)
		return ret;
	nr = part.end > part.begin ? part.end - part.begin : 0;
	if (nr > limit - count)
		nr = limit - count;
	ret = take_entries(c, &part, nr, &full);
	if (ret < 0)
		return ret;
	count += ret;
	a->totals.count = count;
	if (count > c->s->query.entries)
		return fail(&c->p, CAROM_LMDB_E_ENTRIES, c->s->query.entries);
	if (full) {
		c->s->walk.at = c->reverse ? part.end - ret : part.begin + ret;
		c->s->walk.mode = CAROM_LMDB_AT;
		a->next = c->p.pgno * PAGE;
		a->more = 1;
		return CAROM_STEP_DONE;
	}
	return part.last || count >= limit ? finished(c) : leave(c);
}

static __always_inline __s64 scan_page(struct scan *c)
{
	__u32 is_branch = c->level > 1;
	__s64 err;

	if (c->level - 1 >= CAROM_LMDB_MAX_DEPTH || c->above >= CAROM_LMDB_MAX_DEPTH)
		return fail(&c->p, CAROM_LMDB_E_QUERY, c->level);
	err = take_page(&c->p, is_branch, &c->upper, &c->nkeys);
	if (err)
		return err;
	return is_branch ? branch(c) : leaf(c);
}

CAROM_WALKER(lmdb_scan, CAROM_LMDB_PAGE, CAROM_SCAN_SCRATCH)
{
	struct carom_lmdb_scan *s = (struct carom_lmdb_scan *)carom_scratch(hop, SCRATCH);
	struct scan c = { .p.hop = hop };
	__u64 offset = hop->offset;
	__s64 next;

	c.p.node = carom_node(hop, PAGE);
	if (!c.p.node || !s)
		return CAROM_STEP_FAIL(CAROM_LMDB_E_QUERY);
	c.s = s;
	c.p.bad = &s->bad;
	c.p.pgno = offset / PAGE;
	c.p.last_pg = s->query.last_pg;
	c.level = s->walk.level;
	c.above = s->query.depth - c.level;
	c.mode = s->walk.mode;
	c.reverse = s->query.scan.flags & CAROM_SCAN_REVERSE;
	if (offset % PAGE)
		return fail(&c.p, CAROM_LMDB_E_QUERY, offset);
	next = scan_page(&c);
	s->answer.pages++;
	if (next < 0 || s->answer.pages < s->query.scan.pages)
		return next;
	s->answer.next = next;
	s->answer.more = 1;
	return CAROM_STEP_DONE;
}
