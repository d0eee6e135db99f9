/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * The walkers that scan SQLite files are one step, for pages of SQLITE_PAGE_SIZE bytes.
 *
 * Leaves have no links to each other, so the way from one to the next is through the page
 * above; that of an index has an entry of its own in between. Neither the file nor the
 * scratch is believed. A tree has fewer pages than the file: a cycle ends.
 *
 * As in sqlite_step.h the verifier is made to forget (blur()) what differs between the ways
 * to come to the loop over entries, which is all that takes it long.
 */
#ifndef CAROM_SQLITE_SCAN_STEP_H
#define CAROM_SQLITE_SCAN_STEP_H

#include "sqlite_step.h"
#include <carom/sqlite_scan.h>

#define AREA_OFF	((__u32)sizeof(struct carom_sqlite_scan))
/* A record that is longer is left where it is. No page but the largest has such. */
#define MAX_LOCAL	(PAGE < 32768 ? PAGE : 32768)
#define LAST_START	(CAROM_SQLITE_SCAN_ROOM - MAX_LOCAL - sizeof(struct carom_scan_entry))
/* Entries of one step: of a page that has more the rest is dealt with when it is read again. */
#define MAX_ENTRIES	64
#define MAX_ADDED	16
/* Columns of a record that are looked at for totals. */
#define MAX_COLUMNS	8

/* There is no room for the entry. No failure of a walker is so small. */
#define FULL		1
/* The caller has to see what there is to be added. */
#define HAND_ON		2

/**
 * struct scan - a step
 * @table: all bits, if it is a table by rowid
 * @level: pages above this one
 * @max: how much of a record a cell can have in the page
 * @skip: bytes of a cell before its length
 */
struct scan {
	struct page p;
	struct carom_sqlite_scan *s;
	__u64 table;
	__u64 level;
	__u64 max;
	__u64 skip;
	__u32 mode;
};

static __always_inline __u64 backwards(const struct scan *c)
{
	return c->s->query.scan.flags & CAROM_SCAN_REVERSE;
}

static __always_inline struct carom_sqlite_place *place_of(const struct scan *c, __u64 level)
{
	return &c->s->walk.path[level & LEVEL_MASK];
}

static __always_inline __s64 finished(struct scan *c)
{
	c->s->answer.more = 0;
	return CAROM_STEP_DONE;
}

/* All of this page has been seen. */
static __always_inline __s64 go_up(struct scan *c)
{
	struct carom_sqlite_place end = c->s->query.end, up;

	if (!c->level)
		return end.page ? fail(&c->p, CAROM_SQLITE_E_END, end.page) : finished(c);
	up = *place_of(c, c->level - 1);
	if (up.page - 1 >= c->s->base.query.pages)
		return fail(&c->p, CAROM_SQLITE_E_QUERY, up.page);
	c->s->walk.level = c->level - 1;
	c->s->walk.mode = CAROM_SQLITE_SCAN_TURN;
	return ((__u64)up.page - 1) * PAGE;
}

static __always_inline __s64 go_down(struct scan *c, __u64 i, __u32 mode)
{
	struct carom_sqlite_scan_walk *w = &c->s->walk;
	struct carom_sqlite_place *place = place_of(c, c->level);
	__u32 pages = c->s->base.query.pages, entered = w->entered + 1;
	__u64 child;
	__s64 err;

	err = child_at(&c->p, i, &child);
	if (err)
		return err;
	if (entered > pages)
		return fail(&c->p, CAROM_SQLITE_E_CYCLE, pages);
	place->page = c->p.pgno;
	place->cell = i;
	w->entered = entered;
	w->level = c->level + 1;
	w->mode = mode;
	return go_to(&c->p, child, i);
}

/* ---- entries ---- */

/* What has been compared with something of a cell. */
static __always_inline void blur_limits(struct scan *c)
{
	blur(&c->p, c->max);
	blur(&c->p, c->p.usable);
	blur(&c->p, c->p.cells_off);
}

static __always_inline void blur_cell(struct scan *c, struct cell *cell)
{
	blur(&c->p, cell->payload);
	blur(&c->p, cell->local);
	blur(&c->p, cell->off);
	blur_limits(c);
}

static __always_inline __s64 scan_cell(struct scan *c, __u64 i, struct cell *cell)
{
	__u64 off, rowid;
	__s64 err;

	err = cell_at(&c->p, i, &off);
	if (err)
		return err;
	off += c->skip;
	off += get_varint(&c->p, off, &cell->payload);
	blur(&c->p, off);
	cell->id_len = get_varint(&c->p, off, &rowid) & c->table;
	cell->rowid = (__s64)rowid;
	cell->off = off + cell->id_len;
	err = take_local(&c->p, i, cell, c->max);
	blur_limits(c);
	return err;
}

/* Leave it in the area: 0, FULL, or what is wrong. */
static __always_inline __s64 leave_entry(struct scan *c, const struct cell *cell)
{
	__u64 used = c->s->answer.used & ~(CAROM_SCAN_ALIGN - 1ULL);
	__u64 len = cell->id_len + cell->payload, off = cell->off - cell->id_len, there;
	struct carom_scan_entry *to;

	forget(used);
	if (used > LAST_START)
		return FULL;
	/* All bits if all of it is to be copied. */
	there = ~(if_negative(cell->local - cell->payload) | if_negative(MAX_LOCAL - len));
	to = (struct carom_scan_entry *)((__u8 *)c->s + AREA_OFF + used);
	to->key_len = 0;
	to->value_len = len;
	to->local = len & there;
	to->reserved = 0;
	to->value_at = ((c->p.pgno - 1) * PAGE + off) & ~there;
	len &= there;
	if (carom_copy(c->p.hop, AREA_OFF + used + sizeof(*to), off, len))
		return fail(&c->p, CAROM_SQLITE_E_QUERY, len);
	c->s->answer.used = used + sizeof(*to) + len + CAROM_SCAN_ALIGN - 1;
	return 0;
}

/* Where the column that is to be added is. 0, HAND_ON, or what is wrong. */
static __always_inline __s64 find_column(struct scan *c, __u64 i, struct cell *cell,
					 struct value *v)
{
	__u64 column = c->s->query.column, at, header, data, j;

	at = get_varint(&c->p, cell->off, &header);
	if (header > cell->payload || header < at)
		return fail_cell(&c->p, CAROM_SQLITE_E_RECORD, i, 0);
	if (header > cell->local || column >= MAX_COLUMNS)
		return HAND_ON;
	data = header;
	blur(&c->p, data);
	blur(&c->p, header);
	blur(&c->p, at);
	blur_cell(c, cell);
	for (j = 0; j < MAX_COLUMNS; j++) {
		/* A record that was written before its table had the column. */
		if (at >= header)
			return HAND_ON;
		at += get_varint(&c->p, cell->off + at, &v->type);
		if ((v->type | 1) == 11 || v->type >> 32)
			return fail_cell(&c->p, CAROM_SQLITE_E_TYPE, i, v->type);
		v->size = serial_size(v->type);
		if (at > header || v->size > cell->payload - data)
			return fail_cell(&c->p, CAROM_SQLITE_E_RECORD, i, j);
		v->off = data;
		data += v->size;
		blur(&c->p, at);
		blur(&c->p, data);
		blur(&c->p, header);
		blur(&c->p, cell->payload);
		if (j >= column)
			break;
		blur(&c->p, column);
	}
	blur(&c->p, v->type);
	blur(&c->p, v->size);
	blur(&c->p, v->off);
	return 0;
}

/* Add what the entry has: 0, HAND_ON, or what is wrong. */
static __always_inline __s64 add_entry(struct scan *c, __u64 i, struct cell *cell)
{
	struct carom_scan_totals *t = &c->s->answer.totals;
	struct value v = { 0 };
	__u64 n = cell->rowid;
	__s64 ret;

	if (!(c->s->query.flags & CAROM_SQLITE_SCAN_ROWIDS)) {
		ret = find_column(c, i, cell, &v);
		if (ret)
			return ret;
		/* NULL counts for nothing. */
		if (!v.type)
			return 0;
		if (v.type > 9 || v.type == 7 || v.off + v.size > cell->local)
			return HAND_ON;
		blur_cell(c, cell);
		n = __builtin_bswap64(get_8(&c->p, cell->off + v.off));
		n = (__s64)n >> ((64 - 8 * v.size) & 63);
		/* 8 and 9 are the integers 0 and 1, and have no bytes. */
		if (v.type >= 8)
			n = v.type - 8;
	}
	blur(&c->p, n);
	carom_scan_add(t, n, 1ULL << 63);
	t->values++;
	return 0;
}

/* How many of @nr entries from @i on have been left in the area, or what is wrong. */
static __always_inline __s64 leave_entries(struct scan *c, __u64 i, __u64 nr)
{
	__u64 by = 1 - 2 * backwards(c), k;
	__s64 ret;

	blur(&c->p, by);
	for (k = 0; k < MAX_ENTRIES; k++) {
		struct cell cell = { 0 };

		if (k >= nr)
			break;
		ret = scan_cell(c, i, &cell);
		if (!ret)
			ret = leave_entry(c, &cell);
		if (ret == FULL)
			break;
		if (ret)
			return ret;
		i += by;
		blur(&c->p, i);
		blur_limits(c);
	}
	return k;
}

/* How many of them have been added up, or if need be left in the area, or what is wrong. */
static __always_inline __s64 add_entries(struct scan *c, __u64 i, __u64 nr)
{
	__u64 by = 1 - 2 * backwards(c), k;
	__s64 ret;

	blur(&c->p, by);
	for (k = 0; k < MAX_ADDED; k++) {
		struct cell cell = { 0 };

		if (k >= nr)
			break;
		ret = scan_cell(c, i, &cell);
		if (!ret)
			ret = add_entry(c, i, &cell);
		if (ret == HAND_ON)
			ret = leave_entry(c, &cell);
		if (ret == FULL)
			break;
		if (ret)
			return ret;
		i += by;
		blur(&c->p, i);
		blur_limits(c);
	}
	return k;
}

/* ---- pages ---- */

/**
 * struct part - entries of a page that are in the range and have not been seen
 * @begin: the first
 * @end: behind the last
 * @last: there is none behind them, in the direction of the scan
 */
struct part {
	__u64 begin;
	__u64 end;
	__u64 last;
};

/* The part of a table's leaf that is between the rowids. 0, or what is wrong. */
static __always_inline __s64 take_rowids(struct scan *c, struct part *part)
{
	__u64 flags = c->s->query.flags, reverse = backwards(c);
	bool seek = c->mode == CAROM_SQLITE_SCAN_SEEK;
	__s64 at;

	if (flags & CAROM_SQLITE_SCAN_LOW && (reverse || seek)) {
		at = table_search(&c->p, c->s->query.low);
		if (at < 0)
			return at;
		part->begin = at >> 1;
	}
	if (flags & CAROM_SQLITE_SCAN_HIGH && (!reverse || seek)) {
		at = table_search(&c->p, c->s->query.high);
		if (at < 0)
			return at;
		part->end = (at >> 1) + (at & 1);
	}
	part->last = reverse ? part->begin > 0 : part->end < c->p.cells;
	return 0;
}

/* The part of a leaf. 0, or what is wrong. */
static __always_inline __s64 leaf_part(struct scan *c, struct part *part)
{
	struct carom_sqlite_place end = c->s->query.end;
	__u32 at = place_of(c, c->level)->cell;
	__u64 reverse = backwards(c);
	__s64 err;

	part->end = c->p.cells;
	if (c->table) {
		err = take_rowids(c, part);
		if (err)
			return err;
	} else if (end.page == c->p.pgno) {
		part->last = 1;
		if (reverse)
			part->begin = end.cell;
		else
			part->end = end.cell;
	}
	if (c->mode == CAROM_SQLITE_SCAN_AT) {
		if (reverse)
			part->end = at;
		else
			part->begin = at;
	}
	if (part->end > c->p.cells)
		return fail(&c->p, CAROM_SQLITE_E_QUERY, part->end);
	return 0;
}

/* An interior page of an index: the entry behind the child that has been seen. */
static __always_inline void branch_part(struct scan *c, struct part *part)
{
	part->begin = (__u64)place_of(c, c->level)->cell - backwards(c);
	part->end = part->begin < c->p.cells ? part->begin + 1 : part->begin;
}

/* Go on in this page, at cell @at: read it again. */
static __always_inline __s64 again(struct scan *c, __u64 at)
{
	place_of(c, c->level)->page = c->p.pgno;
	place_of(c, c->level)->cell = at;
	c->s->walk.mode = CAROM_SQLITE_SCAN_AT;
	return (c->p.pgno - 1) * PAGE;
}

/* The same, but for the next chain. A branch's only entry is where it was. */
static __always_inline __s64 full(struct scan *c, __u64 at)
{
	if (c->p.leaf)
		again(c, at);
	c->s->answer.next = (c->p.pgno - 1) * PAGE;
	c->s->answer.more = 1;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 go_on(struct scan *c, const struct part *part, __u64 nr)
{
	if (!c->p.leaf && nr)
		return go_down(c, part->begin + !backwards(c), CAROM_SQLITE_SCAN_EDGE);
	return part->last ? finished(c) : go_up(c);
}

/* Of all that ways to come to the loops have told the verifier. */
static __always_inline void blur_scan(struct scan *c, struct part *part)
{
	blur_page(&c->p);
	blur(&c->p, c->table);
	blur_limits(c);
	blur(&c->p, part->begin);
	blur(&c->p, part->last);
}

/* How many of @nr entries from @i on have been dealt with, or what is wrong. */
static __always_inline __s64 take_entries(struct scan *c, __u64 i, __u64 nr, __u64 *most)
{
	__s64 ret = nr;

	*most = MAX_ENTRIES;
	if (!(c->s->query.scan.flags & CAROM_SCAN_TOTALS)) {
		ret = leave_entries(c, i, nr);
	} else if (c->s->query.flags & CAROM_SQLITE_SCAN_COLUMN) {
		*most = MAX_ADDED;
		ret = add_entries(c, i, nr);
	}
	return ret;
}

static __always_inline __s64 entries(struct scan *c)
{
	struct carom_scan_answer *a = &c->s->answer;
	__u64 limit = c->s->query.scan.limit, count = a->totals.count, nr, first, got, most;
	struct part part = { 0 };
	__s64 ret = 0;

	if (c->p.leaf)
		ret = leaf_part(c, &part);
	else
		branch_part(c, &part);
	if (ret)
		return ret;
	nr = part.end > part.begin ? part.end - part.begin : 0;
	if (nr > limit - count)
		nr = limit - count;
	first = backwards(c) ? part.end - 1 : part.begin;
	blur(&c->p, nr);
	blur(&c->p, first);
	blur(&c->p, count);
	blur_scan(c, &part);
	ret = take_entries(c, first, nr, &most);
	if (ret < 0)
		return ret;
	got = ret;
	blur(&c->p, got);
	blur(&c->p, most);
	blur_scan(c, &part);
	count += got;
	a->totals.count = count;
	first = backwards(c) ? first + 1 - got : first + got;
	if (got < nr)
		return got < most ? full(c, first) : again(c, first);
	return count >= c->s->query.scan.limit ? finished(c) : go_on(c, &part, nr);
}

/* An interior page none of whose entries comes next. */
static __always_inline __s64 branch(struct scan *c)
{
	__u64 reverse = backwards(c), i = reverse ? c->p.cells : 0;
	__u64 flag = reverse ? CAROM_SQLITE_SCAN_HIGH : CAROM_SQLITE_SCAN_LOW;
	__s64 at;

	if (c->mode == CAROM_SQLITE_SCAN_TURN) {
		i = (__u64)place_of(c, c->level)->cell + 1 - 2 * reverse;
		if (i > c->p.cells)
			return go_up(c);
	} else if (c->mode == CAROM_SQLITE_SCAN_SEEK && c->s->query.flags & flag) {
		at = table_search(&c->p, reverse ? c->s->query.high : c->s->query.low);
		if (at < 0)
			return at;
		i = at >> 1;
	}
	return go_down(c, i, c->mode == CAROM_SQLITE_SCAN_SEEK ? CAROM_SQLITE_SCAN_SEEK :
		       CAROM_SQLITE_SCAN_EDGE);
}

static __always_inline __s64 scan_page(struct scan *c)
{
	__s64 err;

	if (c->level >= CAROM_SQLITE_MAX_DEPTH)
		return fail(&c->p, CAROM_SQLITE_E_DEPTH, c->level);
	err = take_page(&c->p, c->table ? CAROM_SQLITE_P_TABLE : CAROM_SQLITE_P_INDEX,
			c->table ? CAROM_SQLITE_E_NOT_TABLE : CAROM_SQLITE_E_NOT_INDEX, c->level);
	if (err)
		return err;
	c->max = c->table ? c->p.usable - 35 : (c->p.usable - 12) * 64 / 255 - 23;
	c->skip = c->p.leaf ? 0 : 4;
	blur(&c->p, c->max);
	blur(&c->p, c->skip);
	if (!c->p.leaf && (c->table || c->mode != CAROM_SQLITE_SCAN_TURN))
		return branch(c);
	return entries(c);
}

static __always_inline __s64 sqlite_scan_step(struct carom_hop *hop)
{
	struct carom_sqlite_scan *s;
	struct scan c = { .p.hop = hop };
	__u64 offset = hop->offset;
	__s64 next;

	s = (struct carom_sqlite_scan *)carom_scratch(hop, CAROM_SCAN_SCRATCH);
	c.p.node = carom_node(hop, PAGE);
	if (!c.p.node || !s)
		return CAROM_STEP_FAIL(CAROM_SQLITE_E_QUERY);
	c.s = s;
	c.p.s = &s->base;
	c.p.pgno = offset / PAGE + 1;
	c.p.usable = s->base.query.usable;
	forget(c.p.usable);
	c.table = 0 - (__u64)(s->query.flags & CAROM_SQLITE_SCAN_TABLE);
	c.level = s->walk.level;
	c.mode = s->walk.mode;
	blur(&c.p, c.table);
	if (offset % PAGE || c.p.usable < CAROM_SQLITE_MIN_USABLE || c.p.usable > PAGE)
		return fail(&c.p, CAROM_SQLITE_E_QUERY, c.level);
	next = scan_page(&c);
	s->answer.pages++;
	if (next < 0 || s->answer.pages < s->query.scan.pages)
		return next;
	s->answer.next = next;
	s->answer.more = 1;
	return CAROM_STEP_DONE;
}

#endif /* CAROM_SQLITE_SCAN_STEP_H */
