/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * The walkers of many rowids are one step, for pages of SQLITE_PAGE_SIZE bytes: it looks
 * them up in one chain, level by level, so that a page that several of them need is read
 * once.
 *
 * As in sqlite_step.h, nothing is believed before it is checked. Each page takes at least
 * one rowid a level down, and levels are counted, so a cycle of pages ends.
 */
#ifndef CAROM_SQLITE_MANY_H
#define CAROM_SQLITE_MANY_H

#include "sqlite_step.h"

#define AREA_OFF	((__u64)sizeof(struct carom_sqlite_many))
#define ROWID_MASK	(CAROM_SQLITE_KEYS - 1)

/* Cell @i is the row of @key. 0, or what is wrong. */
static __always_inline __s64 many_row(struct page *p, struct carom_sqlite_many *s,
				      struct carom_sqlite_rowid *key, __u64 i)
{
	__u64 used = s->used, len;
	struct cell c = { 0 };
	__s64 err;

	err = table_cell(p, i, &c);
	if (err)
		return err;
	err = take_local(p, i, &c, p->usable - 35);
	if (err)
		return err;
	key->found = CAROM_SQLITE_ALONE;
	len = c.id_len + c.payload;
	if (c.overflow || used > CAROM_SQLITE_MANY_ROOM ||
	    carom_copy(p->hop, AREA_OFF + used, c.off - c.id_len, len))
		return 0;
	key->row_at = used;
	key->row_len = len;
	key->found = CAROM_SQLITE_FOUND;
	s->used = used + len;
	return 0;
}

/* One rowid goes a level down, or has its answer. 0, or what is wrong. */
static __always_inline __s64 many_key(struct page *p, struct carom_sqlite_many *s, __u64 k)
{
	struct carom_sqlite_rowid *key = &s->key[k & ROWID_MASK];
	__s64 rowid = key->rowid, at, err;
	__u64 child;

	at = table_search(p, rowid);
	if (at < 0)
		return at;
	if (!p->leaf) {
		err = child_at(p, at >> 1, &child);
		if (err)
			return err;
		key->page = child;
		return 0;
	}
	if (at & 1)
		return many_row(p, s, key, at >> 1);
	key->found = CAROM_SQLITE_ABSENT;
	return 0;
}

static __always_inline __s64 many_go_to(struct page *p, struct carom_sqlite_many *s, __u64 k,
					__u64 level)
{
	__u64 pgno = s->key[k & ROWID_MASK].page;

	s->first = k;
	s->level = level;
	s->page = pgno;
	return go_to(p, pgno, CAROM_SQLITE_NO_CELL);
}

static __always_inline __s64 many_page(struct page *p, struct carom_sqlite_many *s)
{
	__u64 nr = s->nr, k = s->first, level = s->level, n;
	__s64 err;

	if (level >= CAROM_SQLITE_MAX_DEPTH || nr > CAROM_SQLITE_KEYS)
		return fail(p, CAROM_SQLITE_E_DEPTH, level);
	err = take_page(p, CAROM_SQLITE_P_TABLE, CAROM_SQLITE_E_NOT_TABLE, level);
	if (err)
		return err;
	/* A level is of leaves, or of none. */
	if (!k)
		s->leaf = p->leaf;
	else if (s->leaf != p->leaf)
		return fail(p, CAROM_SQLITE_E_DEPTH, level);
	for (n = 0; n < CAROM_SQLITE_KEYS; n++) {
		if (k >= nr || s->key[k & ROWID_MASK].page != p->pgno)
			break;
		err = many_key(p, s, k);
		if (err)
			return err;
		k++;
		blur(p, k);
		blur_page(p);
	}
	if (!n)
		return fail(p, CAROM_SQLITE_E_QUERY, k);
	if (k < nr)
		return many_go_to(p, s, k, level);
	return p->leaf ? CAROM_STEP_DONE : many_go_to(p, s, 0, level + 1);
}

static __always_inline __s64 sqlite_many_step(struct carom_hop *hop)
{
	struct carom_sqlite_many *s;
	struct page p = { .hop = hop };
	__u64 offset = hop->offset;
	__s64 next;

	p.node = carom_node(hop, PAGE);
	s = (struct carom_sqlite_many *)carom_scratch(hop, CAROM_SCAN_SCRATCH);
	if (!p.node || !s)
		return CAROM_STEP_FAIL(CAROM_SQLITE_E_QUERY);
	p.s = &s->single;
	p.pgno = offset / PAGE + 1;
	p.usable = p.s->query.usable;
	forget(p.usable);
	if (offset % PAGE || p.usable < CAROM_SQLITE_MIN_USABLE || p.usable > PAGE)
		return fail(&p, CAROM_SQLITE_E_QUERY, offset);
	next = many_page(&p, s);
	s->seen++;
	s->more = next >= 0 && s->seen >= s->pages;
	return s->more ? CAROM_STEP_DONE : next;
}

#endif /* CAROM_SQLITE_MANY_H */
