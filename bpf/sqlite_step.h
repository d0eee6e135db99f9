/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * The walkers of SQLite files are one step, for pages of SQLITE_PAGE_SIZE bytes.
 *
 * Nothing in a page is believed before it is checked, and neither is anything in the
 * scratch, which user space can change at any time. Levels are counted, so a cycle of
 * pages ends.
 */
#ifndef CAROM_SQLITE_STEP_H
#define CAROM_SQLITE_STEP_H

#include "sqlite_compare.h"

#define STEP_MASK	(2 * FIRST_STEP - 1)
#define LEVEL_MASK	(CAROM_SQLITE_PATH - 1)

static __always_inline __s64 go_to(struct page *p, __u64 pgno, __u64 cell)
{
	if (pgno < 2 || pgno > p->s->query.pages || pgno == LOCK_PAGE)
		return fail_cell(p, CAROM_SQLITE_E_CHILD, cell, pgno);
	return (pgno - 1) * PAGE;
}

/* Child @i of an interior page: the left one of cell @i, or the last. */
static __always_inline __s64 child_at(struct page *p, __u64 i, __u64 *pgno)
{
	__u64 off = p->hdr + CAROM_SQLITE_PG_RIGHT;
	__s64 err;

	if (i < p->cells) {
		err = cell_at(p, i, &off);
		if (err)
			return err;
	}
	blur(p, off);
	*pgno = get_be32(p, off);
	return 0;
}

static __always_inline void answer_cell(struct page *p, __u32 kind, const struct cell *c)
{
	struct carom_sqlite_answer *a = &p->s->answer;

	a->kind = kind;
	a->id_len = c->id_len;
	a->off = c->off;
	a->local = c->local;
	a->payload = c->payload;
	a->overflow = c->overflow;
	p->s->rest.cell_page = p->pgno;
}

/* ---- overflow pages ---- */

/* Go on at overflow page @pgno, or let another chain do that. */
static __always_inline __s64 go_rest(struct page *p, __u64 pgno)
{
	struct carom_sqlite_rest *r = &p->s->rest;

	if (pgno < 2 || pgno > p->s->query.pages || pgno == LOCK_PAGE)
		return fail(p, CAROM_SQLITE_E_CHAIN, pgno);
	r->page = pgno;
	r->skip = 0;
	if (r->used >= r->room || p->hop->index + 1 >= r->max_hops)
		return CAROM_STEP_DONE;
	return (pgno - 1) * PAGE;
}

/* The answer is what answer_cell() has left: done, unless it has overflow pages. */
static __always_inline __s64 finish(struct page *p)
{
	const struct carom_sqlite_answer a = p->s->answer;
	struct carom_sqlite_rest *r = &p->s->rest;
	__u32 len = a.id_len + a.local;

	if (a.local >= a.payload)
		return CAROM_STEP_DONE;
	r->left = a.payload - a.local;
	r->used = r->room;
	if (len <= r->room) {
		if (carom_copy(p->hop, CAROM_SQLITE_AREA, a.off - a.id_len, len))
			return fail(p, CAROM_SQLITE_E_QUERY, len);
		r->used = len;
	}
	return go_rest(p, a.overflow);
}

/* Part of a record: the next page's number, and bytes. */
static __always_inline __s64 overflow_page(struct page *p, __u32 left)
{
	struct carom_sqlite_rest *r = &p->s->rest;
	__u32 room = r->room, skip = r->skip, used = r->used, len;
	__u64 next = get_be32(p, 0);

	len = p->usable - CAROM_SQLITE_OV_HDR - skip;
	if (skip >= p->usable - CAROM_SQLITE_OV_HDR || used >= room)
		return fail(p, CAROM_SQLITE_E_QUERY, used);
	if (len > left)
		len = left;
	if (len > room - used)
		len = room - used;
	if (carom_copy(p->hop, CAROM_SQLITE_AREA + used, CAROM_SQLITE_OV_HDR + skip, len))
		return fail(p, CAROM_SQLITE_E_QUERY, used);
	left -= len;
	skip += len;
	r->used = used + len;
	r->left = left;
	r->skip = skip;
	/* A chain that has a cycle does not end. */
	if (!left)
		return next ? fail(p, CAROM_SQLITE_E_LONG, next) : CAROM_STEP_DONE;
	if (skip < p->usable - CAROM_SQLITE_OV_HDR)
		return CAROM_STEP_DONE;
	return go_rest(p, next);
}

/* ---- tables ---- */

static __always_inline __s64 table_cell(struct page *p, __u64 i, struct cell *c)
{
	__u64 off, rowid;
	__s64 err;

	err = cell_at(p, i, &off);
	if (err)
		return err;
	if (p->leaf)
		off += get_varint(p, off, &c->payload);
	else
		off += 4;
	blur(p, off);
	c->id_len = get_varint(p, off, &rowid);
	c->rowid = (__s64)rowid;
	c->off = off + c->id_len;
	return 0;
}

/* The first cell whose rowid is not less: index << 1 | equal. Negative: a failure. */
static __always_inline __s64 table_search(struct page *p, __s64 rowid)
{
	__u64 step, pos = 0, equal = 0;

	for (step = FIRST_STEP; step; step >>= 1) {
		__u64 mid = pos + step - 1;

		if (mid < p->cells) {
			struct cell c = { 0 };
			__s64 err;

			err = table_cell(p, mid, &c);
			if (err)
				return err;
			equal |= c.rowid == rowid;
			if (c.rowid < rowid)
				pos += step;
		}
		blur(p, equal);
		blur(p, pos);
		pos &= STEP_MASK;
		blur_page(p);
	}
	return pos << 1 | (equal & 1);
}

static __always_inline __s64 table_row(struct page *p, __u64 i)
{
	struct cell c = { 0 };
	__s64 err;

	err = table_cell(p, i, &c);
	if (err)
		return err;
	err = take_local(p, i, &c, p->usable - 35);
	if (err)
		return err;
	answer_cell(p, CAROM_SQLITE_ROW, &c);
	return finish(p);
}

static __always_inline __s64 table_page(struct page *p)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	__u64 level = w->table_level, child;
	__s64 rowid = w->rowid, at, err;

	if (level >= CAROM_SQLITE_MAX_DEPTH)
		return fail(p, CAROM_SQLITE_E_DEPTH, level);
	err = take_page(p, CAROM_SQLITE_P_TABLE, CAROM_SQLITE_E_NOT_TABLE, level);
	if (err)
		return err;
	at = table_search(p, rowid);
	if (at < 0)
		return at;
	if (!p->leaf) {
		err = child_at(p, at >> 1, &child);
		if (err)
			return err;
		w->table_level = level + 1;
		return go_to(p, child, at >> 1);
	}
	if (at & 1)
		return table_row(p, at >> 1);
	if (p->s->query.op == CAROM_SQLITE_ROWID)
		return CAROM_STEP_MISS;
	return fail(p, CAROM_SQLITE_E_NO_ROW, rowid);
}

/* ---- indexes ---- */

/* As compare_record(), or what the caller has decided. UNDECIDED: with the answer. */
static __always_inline __s64 compare_cell(struct page *p, __u64 i, bool decided)
{
	struct cell c = { 0 };
	__s64 cmp;

	if (decided) {
		cmp = p->s->walk.verdict;
		return (cmp > 0) - (cmp < 0);
	}
	cmp = index_cell(p, i, &c);
	if (!cmp)
		cmp = compare_record(p, i, &c);
	if (cmp == UNDECIDED)
		answer_cell(p, CAROM_SQLITE_UNDECIDED, &c);
	return cmp;
}

/*
 * The first cell from w->pos on that is not less than the key, found by a binary
 * search that is at w->step: index << 1 | equal. Negative: a failure. @undecided: the
 * answer tells which cell is to be compared, and w how to go on then.
 */
static __always_inline __s64 index_search(struct page *p, bool *undecided)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	__u64 from = w->step, pos = w->pos, equal = w->equal, decided = w->decided, step;
	__u64 after = p->s->query.flags / CAROM_SQLITE_AFTER & 1;

	for (step = FIRST_STEP; step; step >>= 1) {
		__u64 mid = pos + step - 1;

		if (step <= from && mid < p->cells) {
			__s64 cmp = compare_cell(p, mid, decided && step == from);

			if (cmp < -1)
				return cmp;
			cmp -= (cmp == 0) & after;
			if (cmp > 1) {
				w->pos = pos;
				w->step = step;
				w->equal = equal;
				w->decided = 0;
				*undecided = true;
				return 0;
			}
			/* It is the last cell that was not less that is found. */
			if (cmp < 0)
				pos += step;
			else
				equal = !cmp;
		}
		blur(p, equal);
		blur(p, decided);
		blur(p, after);
		blur(p, from);
		blur(p, pos);
		pos &= STEP_MASK;
		blur_page(p);
	}
	return pos << 1 | (equal & 1);
}

/* How the next page is searched: from cell @pos on, in steps that begin with @step. */
static __always_inline void set_search(struct page *p, __u32 mode, __u64 pos, __u32 step)
{
	struct carom_sqlite_walk *w = &p->s->walk;

	w->mode = mode;
	w->pos = pos;
	w->step = step;
	w->equal = 0;
	w->decided = 0;
}

static __always_inline __s64 index_child(struct page *p, __u64 level, __u64 i, __u32 mode)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	__u64 child;
	__s64 err;

	err = child_at(p, i, &child);
	if (err)
		return err;
	w->path[level & LEVEL_MASK].page = p->pgno;
	w->path[level & LEVEL_MASK].cell = i;
	w->level = level + 1;
	set_search(p, mode, 0, mode == CAROM_SQLITE_SEEK ? FIRST_STEP : 1);
	return go_to(p, child, i);
}

/* All of this page is less: the next entry is in the one above. */
static __always_inline __s64 index_up(struct page *p, __u64 level)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	struct carom_sqlite_place up;

	if (!level)
		return CAROM_STEP_MISS;
	up = w->path[(level - 1) & LEVEL_MASK];
	w->level = level - 1;
	set_search(p, CAROM_SQLITE_AT, up.cell, 1);
	return go_to(p, up.page, CAROM_SQLITE_NO_CELL);
}

/*
 * The rowid at the end of an index entry, to w->rowid. 1: got it; 0: it is not in
 * this page; or a failure.
 */
static __always_inline __s64 take_rowid(struct page *p, __u64 i, const struct cell *c)
{
	__u64 header, type, size, raw;

	get_varint(p, c->off, &header);
	if (header > c->payload || header < 2)
		return fail_cell(p, CAROM_SQLITE_E_RECORD, i, 0);
	if (c->local < c->payload)
		return 0;
	type = get_u8(p, c->off + header - 1);
	size = serial_size(type);
	if (!type || type > 9 || type == 7)
		return fail_cell(p, CAROM_SQLITE_E_TYPE, i, type);
	if (size > c->payload - header)
		return fail_cell(p, CAROM_SQLITE_E_RECORD, i, 0);
	raw = __builtin_bswap64(get_8(p, c->off + c->payload - size));
	p->s->walk.rowid = type >= 8 ? (__s64)type - 8 :
			   (__s64)raw >> ((64 - 8 * size) & 63);
	return 1;
}

/* Cell @i is what was looked for. */
static __always_inline __s64 index_found(struct page *p, __u64 level, __u64 i)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	struct cell c = { 0 };
	__s64 ret;

	/* The next one is behind it, below the child there if there are any. */
	w->path[level & LEVEL_MASK].page = p->pgno;
	w->path[level & LEVEL_MASK].cell = i + 1;
	set_search(p, p->leaf ? CAROM_SQLITE_AT : CAROM_SQLITE_CHILD, i + 1, 1);
	ret = index_cell(p, i, &c);
	if (ret)
		return ret;
	ret = p->s->query.flags & CAROM_SQLITE_TO_TABLE ? take_rowid(p, i, &c) : 0;
	if (ret < 0)
		return ret;
	if (!ret) {
		answer_cell(p, CAROM_SQLITE_ENTRY, &c);
		return finish(p);
	}
	w->in_table = 1;
	w->table_level = 0;
	return go_to(p, p->s->query.table_root, i);
}

static __always_inline __s64 index_place(struct page *p, __u64 level, __u64 pos)
{
	struct carom_sqlite_walk *w = &p->s->walk;

	w->path[level & LEVEL_MASK].page = p->pgno;
	w->path[level & LEVEL_MASK].cell = pos;
	p->s->answer.kind = CAROM_SQLITE_PLACE;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 index_page(struct page *p)
{
	struct carom_sqlite_walk *w = &p->s->walk;
	__u64 level = w->level, mode = w->mode, pos, stop;
	bool undecided = false;
	__s64 at, err;

	if (level >= CAROM_SQLITE_MAX_DEPTH)
		return fail(p, CAROM_SQLITE_E_DEPTH, level);
	err = take_page(p, CAROM_SQLITE_P_INDEX, CAROM_SQLITE_E_NOT_INDEX, level);
	if (err)
		return err;
	if (!p->leaf && (mode == CAROM_SQLITE_FIRST || mode == CAROM_SQLITE_CHILD)) {
		pos = mode == CAROM_SQLITE_CHILD ? w->path[level & LEVEL_MASK].cell : 0;
		return index_child(p, level, pos, CAROM_SQLITE_FIRST);
	}
	at = index_search(p, &undecided);
	if (undecided)
		return finish(p);
	if (at < 0)
		return at;
	pos = at >> 1;
	stop = at & 1 && p->s->query.flags & CAROM_SQLITE_ONE;
	if (!p->leaf && mode == CAROM_SQLITE_SEEK && !stop)
		return index_child(p, level, pos, CAROM_SQLITE_SEEK);
	if (p->s->query.flags & CAROM_SQLITE_PLACE_ONLY)
		return index_place(p, level, pos);
	if (pos >= p->cells)
		return index_up(p, level);
	return at & 1 ? index_found(p, level, pos) : CAROM_STEP_MISS;
}

static __always_inline __s64 sqlite_step(struct carom_hop *hop)
{
	struct page p = { .hop = hop };
	__u64 offset = hop->offset;
	__u32 op, left;

	p.node = carom_node(hop, PAGE);
	p.s = (struct carom_sqlite_scratch *)carom_scratch(hop, SCRATCH);
	if (!p.node || !p.s)
		return CAROM_STEP_FAIL(CAROM_SQLITE_E_QUERY);
	p.pgno = offset / PAGE + 1;
	p.usable = p.s->query.usable;
	forget(p.usable);
	op = p.s->query.op;
	left = p.s->rest.left;
	if (offset % PAGE || p.usable < CAROM_SQLITE_MIN_USABLE || p.usable > PAGE)
		return fail(&p, CAROM_SQLITE_E_QUERY, op);
	if (left)
		return overflow_page(&p, left);
	if (op == CAROM_SQLITE_ROWID || p.s->walk.in_table)
		return table_page(&p);
	return op == CAROM_SQLITE_KEY ? index_page(&p) : fail(&p, CAROM_SQLITE_E_QUERY, op);
}

#endif /* CAROM_SQLITE_STEP_H */
