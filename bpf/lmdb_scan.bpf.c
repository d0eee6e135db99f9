// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/*
 * The walker "lmdb_scan": goes through a range of keys, forwards or backwards, and
 * leaves the entries in the scratch, or adds their values up.
 *
 * Leaves have no links to each other, so the way from one to the next is through the
 * page above; what that one says of the next few is kept, or every leaf would be two
 * hops. User space can change the scratch at any time: what is in it is read once and
 * the copy is bounded. Pages that form a cycle bring more entries than the tree has.
 *
 * The verifier goes through the loop over a leaf's entries once for each way to come
 * to it that it can tell from the others. So there are few branches in it, and what
 * has different bounds on different ways is made unknown before it (see blur()).
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

/* What the verifier knows of @x it forgets. */
#define blur(c, x)	((x) ^= (c)->s->blur)

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
	__u64 upper;
	__u32 nkeys;
};

static __always_inline bool backwards(const struct scan *c)
{
	return c->s->query.scan.flags & CAROM_SCAN_REVERSE;
}

/* From one entry to the next: 1, or -1. */
static __always_inline __u32 stride(const struct scan *c)
{
	return 1 - 2 * (c->s->query.scan.flags & CAROM_SCAN_REVERSE);
}

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
		w->path[parent & PATH_MASK].entry += stride(c);
		return go_to(c, w->following[ahead & AHEAD_MASK], 1, CAROM_LMDB_EDGE);
	}
	return go_to(c, w->path[parent & PATH_MASK].page, c->level + 1, CAROM_LMDB_TURN);
}

/* ---- branch pages ---- */

/* Keep the leaves beside entry @i. What is wrong with one is said when it is its turn. */
static __always_inline void look_ahead(struct scan *c, __u32 i)
{
	struct carom_lmdb_scan_walk *w = &c->s->walk;
	__u32 by = stride(c), k;
	__u64 child;

	for (k = 0; k < CAROM_LMDB_AHEAD; k++) {
		i += by;
		blur(c, i);
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
	bool reverse = backwards(c);
	__s64 at;

	if (c->mode != CAROM_LMDB_SEEK ||
	    !(reverse ? c->s->query.high_len : c->s->query.low_len))
		return reverse ? c->nkeys - 1 : 0;
	at = search_end(c, reverse, 1);
	if (at < 0)
		return at;
	/* Backwards from a key that is not in the range itself. */
	return reverse ? (at >> 1) - 1 : (at >> 1) - !(at & 1);
}

static __always_inline __s64 branch(struct scan *c)
{
	struct carom_lmdb_place *place = &c->s->walk.path[c->above & PATH_MASK];
	__u64 child;
	__s64 i, err;

	if (c->mode == CAROM_LMDB_TURN) {
		i = (__u32)(place->entry + stride(c));
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

/* Key and value of entry @i: 0, or what is wrong. Their place in the page is @e's. */
static __always_inline __s64 check_entry(struct scan *c, __u64 i, struct entry *e, __u64 *flags,
					 __u64 *len)
{
	__s64 err;

	err = entry_at(&c->p, c->upper, i, e);
	if (err)
		return err;
	*flags = get_u16(c->p.node, e->off + CAROM_LMDB_ND_FLAGS);
	*len = data_size(&c->p, e);
	if (e->ksize - 1 >= CAROM_LMDB_MAX_KEY || e->off + CAROM_LMDB_ND_HDR + e->ksize > PAGE)
		return fail_node(&c->p, CAROM_LMDB_E_KEY, i, e->ksize);
	if (*flags == CAROM_LMDB_F_BIGDATA)
		return 0;
	if (*flags & CAROM_LMDB_F_DUPDATA)
		return fail_node(&c->p, CAROM_LMDB_E_DUPDATA, i, *flags);
	if (*flags & ~CAROM_LMDB_F_SUBDATA)
		return fail_node(&c->p, CAROM_LMDB_E_NODE_FLAGS, i, *flags);
	if (*flags && *len != sizeof(struct carom_lmdb_db))
		return fail_node(&c->p, CAROM_LMDB_E_SUBDATA, i, *len);
	if (e->off + CAROM_LMDB_ND_HDR + e->ksize + *len > PAGE)
		return fail_node(&c->p, CAROM_LMDB_E_DATA, i, *len);
	return 0;
}

/* Leave entry @i in the area. 0, FULL, or what is wrong. */
static __always_inline __s64 leave_entry(struct scan *c, __u64 i)
{
	__u64 used = c->s->answer.used & ~(CAROM_SCAN_ALIGN - 1ULL), flags, len, pgno;
	struct carom_scan_entry *to;
	struct entry e = { 0 };
	__s64 err;

	forget(used);
	if (used > LAST_START)
		return FULL;
	err = check_entry(c, i, &e, &flags, &len);
	if (err)
		return err;
	to = (struct carom_scan_entry *)((__u8 *)c->s + AREA_OFF + used);
	to->key_len = e.ksize;
	to->value_len = len;
	to->local = len;
	to->reserved = 0;
	to->value_at = 0;
	if (flags == CAROM_LMDB_F_BIGDATA) {
		err = overflow_at(&c->p, i, e.off + CAROM_LMDB_ND_HDR + e.ksize, &pgno);
		if (err)
			return err;
		to->local = 0;
		to->value_at = pgno * PAGE;
	}
	/* The value follows the key here, too. */
	len = to->local + e.ksize;
	if (carom_copy(c->p.hop, AREA_OFF + used + sizeof(*to), e.off + CAROM_LMDB_ND_HDR, len))
		return fail(&c->p, CAROM_LMDB_E_QUERY, len);
	c->s->answer.used = used + sizeof(*to) + len + CAROM_SCAN_ALIGN - 1;
	return 0;
}

/**
 * struct integer - what integers are like
 * @width: bytes
 * @shift: bits that 64 have more than they
 * @swap: all bits, if they are big-endian
 * @sign: their sign bit if they have one
 * @flip: the same of 64 bits
 */
struct integer {
	__u64 width;
	__u64 shift;
	__u64 swap;
	__u64 sign;
	__u64 flip;
};

static __always_inline void take_integer(struct scan *c, struct integer *n)
{
	__u64 flags = c->s->query.scan.flags, is_signed;

	n->width = c->s->query.scan.width;
	n->shift = (64 - 8 * n->width) & 63;
	n->swap = 0 - (flags / CAROM_SCAN_BIG_ENDIAN & 1);
	is_signed = flags / CAROM_SCAN_SIGNED & 1;
	n->sign = is_signed << (63 - n->shift);
	n->flip = is_signed << 63;
}

/* Add the value of entry @i. 0, or what is wrong. */
static __always_inline __s64 add_value(struct scan *c, __u64 i, const struct integer *n)
{
	struct carom_scan_totals *t = &c->s->answer.totals;
	__u64 flags, len, at, v;
	struct entry e = { 0 };
	__s64 err;

	err = check_entry(c, i, &e, &flags, &len);
	if (err)
		return err;
	/* The eight bytes that end with it; a page has more than those before its entries. */
	at = e.off + CAROM_LMDB_ND_HDR + e.ksize + len - sizeof(v);
	forget(at);
	if (flags == CAROM_LMDB_F_BIGDATA || len != n->width || at > PAGE - sizeof(v))
		return fail_node(&c->p, CAROM_LMDB_E_WIDTH, i, len);
	v = get_u64_unaligned(c->p.node, at);
	v = (__builtin_bswap64(v) << n->shift & n->swap) | (v & ~n->swap);
	v = ((v >> n->shift) ^ n->sign) - n->sign;
	carom_scan_add(t, v, n->flip);
	return 0;
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
	bool seek = c->mode == CAROM_LMDB_SEEK, reverse = backwards(c);
	__u32 at = c->s->walk.at;
	__s64 found;

	part->begin = 0;
	part->end = c->nkeys;
	if (c->s->query.low_len && (reverse || seek)) {
		found = search_end(c, false, 0);
		if (found < 0)
			return found;
		part->begin = found >> 1;
	}
	if (c->s->query.high_len && (!reverse || seek)) {
		found = search_end(c, true, 0);
		if (found < 0)
			return found;
		part->end = found >> 1;
	}
	part->last = reverse ? part->begin > 0 : part->end < c->nkeys;
	if (c->mode != CAROM_LMDB_AT)
		return 0;
	if (at > c->nkeys)
		return fail(&c->p, CAROM_LMDB_E_QUERY, at);
	if (reverse)
		part->end = at;
	else
		part->begin = at;
	return 0;
}

/* How many of @nr entries from @i on have been added up, or what is wrong. */
static __always_inline __s64 add_entries(struct scan *c, __u32 i, __u32 nr)
{
	__u32 by = stride(c), k;
	struct integer n;
	__s64 err;

	take_integer(c, &n);
	if (!n.width)
		return nr;
	if (n.width > sizeof(__u64))
		return fail(&c->p, CAROM_LMDB_E_QUERY, n.width);
	for (k = 0; k < MAX_NODES && k < nr; k++) {
		err = add_value(c, i, &n);
		if (err)
			return err;
		i += by;
		blur(c, i);
	}
	return k;
}

/* How many of them are in the area, or what is wrong. */
static __always_inline __s64 leave_entries(struct scan *c, __u32 i, __u32 nr)
{
	__u32 by = stride(c), k;
	__s64 err;

	for (k = 0; k < MAX_NODES && k < nr; k++) {
		err = leave_entry(c, i);
		if (err == FULL)
			break;
		if (err)
			return err;
		i += by;
		blur(c, i);
	}
	return k;
}

static __always_inline __s64 full(struct scan *c, __u32 at)
{
	c->s->walk.at = at;
	c->s->walk.mode = CAROM_LMDB_AT;
	c->s->answer.next = c->p.pgno * PAGE;
	c->s->answer.more = 1;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 leaf(struct scan *c)
{
	struct carom_scan_answer *a = &c->s->answer;
	__u64 limit = c->s->query.scan.limit, count = a->totals.count, nr, last;
	struct part part;
	__u32 first;
	__s64 ret;

	ret = take_part(c, &part);
	if (ret)
		return ret;
	nr = part.end > part.begin ? part.end - part.begin : 0;
	if (nr > limit - count)
		nr = limit - count;
	first = backwards(c) ? part.end - 1 : part.begin;
	last = part.last;
	blur(c, nr);
	blur(c, first);
	blur(c, last);
	if (c->s->query.scan.flags & CAROM_SCAN_TOTALS)
		ret = add_entries(c, first, nr);
	else
		ret = leave_entries(c, first, nr);
	if (ret < 0)
		return ret;
	count = a->totals.count + ret;
	a->totals.count = count;
	if (count > c->s->query.entries)
		return fail(&c->p, CAROM_LMDB_E_ENTRIES, c->s->query.entries);
	if ((__u64)ret < nr)
		return full(c, backwards(c) ? first + 1 - ret : first + ret);
	return last || count >= c->s->query.scan.limit ? finished(c) : leave(c);
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
