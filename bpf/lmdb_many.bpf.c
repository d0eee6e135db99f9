// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/*
 * The walker "lmdb_many": looks many keys up in one chain, level by level, so that a
 * page that several of them need is read once.
 *
 * User space can change the scratch at any time: what is in it is read once and the
 * copy is bounded. Each page takes at least one key a level down, so a cycle of pages
 * ends.
 */
#include <stdbool.h>
#include "lmdb_page.h"

#define SCRATCH		CAROM_SCAN_SCRATCH
#define AREA_OFF	((__u32)sizeof(struct carom_lmdb_many))
#define KEY_MASK	(CAROM_LMDB_KEYS - 1)

/* What the verifier knows of @x it forgets; so does the compiler, as @s is not its own. */
#define blur(s, x)	((x) ^= (s)->blur)

/* The key's value is that of entry @i. 0, or what is wrong. */
static __always_inline __s64 take_value(struct page *p, struct carom_lmdb_many *s,
					struct carom_lmdb_key *key, __u64 upper, __u64 i)
{
	__u64 data, flags, len, pgno;
	__u32 used = s->used;
	struct entry e;
	__s64 err;

	err = entry_at(p, upper, i, &e);
	if (err)
		return err;
	data = e.off + CAROM_LMDB_ND_HDR + e.ksize;
	len = data_size(p, &e);
	flags = get_u16(p->node, e.off + CAROM_LMDB_ND_FLAGS);
	key->value_len = len;
	if (flags == CAROM_LMDB_F_BIGDATA) {
		err = overflow_at(p, i, data, &pgno);
		if (err)
			return err;
		key->value_at = pgno * PAGE;
		key->found = CAROM_LMDB_IN_PAGES;
		return 0;
	}
	if (flags & CAROM_LMDB_F_DUPDATA)
		return fail_node(p, CAROM_LMDB_E_DUPDATA, i, flags);
	if (flags & ~CAROM_LMDB_F_SUBDATA)
		return fail_node(p, CAROM_LMDB_E_NODE_FLAGS, i, flags);
	if (flags && len != sizeof(struct carom_lmdb_db))
		return fail_node(p, CAROM_LMDB_E_SUBDATA, i, len);
	if (data + len > PAGE)
		return fail_node(p, CAROM_LMDB_E_DATA, i, len);
	key->found = CAROM_LMDB_NO_ROOM;
	if (used > CAROM_LMDB_MANY_ROOM || carom_copy(p->hop, AREA_OFF + used, data, len))
		return 0;
	key->value_at = used;
	key->found = CAROM_LMDB_FOUND;
	s->used = used + len;
	return 0;
}

/* One key goes a level down, or has its answer. 0, or what is wrong. */
static __always_inline __s64 take_key(struct page *p, struct carom_lmdb_many *s, __u32 k,
				      __u64 upper, __u32 nkeys, __u32 branch)
{
	struct carom_lmdb_key *key = &s->key[k & KEY_MASK];
	__u32 len = key->len;
	__u64 child;
	__s64 at;

	if (len - 1 >= CAROM_LMDB_MAX_KEY)
		return fail(p, CAROM_LMDB_E_QUERY, len);
	at = search(p, upper, nkeys, branch, AREA_OFF + key->off, len);
	if (at < 0)
		return at;
	if (branch) {
		/* Absent: the child is the one before the first greater key. */
		at = child_at(p, upper, (at >> 1) - !(at & 1), &child);
		if (at)
			return at;
		key->page = child;
		return 0;
	}
	if (at & 1)
		return take_value(p, s, key, upper, at >> 1);
	key->found = CAROM_LMDB_ABSENT;
	return 0;
}

static __always_inline __s64 go_to(struct page *p, struct carom_lmdb_many *s, __u32 k,
				   __u32 level)
{
	__u64 pgno = s->key[k & KEY_MASK].page;

	if (pgno < FIRST_PAGE || pgno > p->last_pg || pgno > CAROM_LMDB_MAX_PAGE)
		return fail(p, CAROM_LMDB_E_QUERY, pgno);
	s->first = k;
	s->level = level;
	s->page = pgno;
	return pgno * PAGE;
}

static __always_inline __s64 many_page(struct page *p, struct carom_lmdb_many *s, __u32 level)
{
	__u32 nr = s->nr, k = s->first, n, nkeys, branch = level > 1;
	__u64 upper;
	__s64 err;

	if (level - 1 >= CAROM_LMDB_MAX_DEPTH || nr > CAROM_LMDB_KEYS)
		return fail(p, CAROM_LMDB_E_QUERY, level);
	err = take_page(p, branch, &upper, &nkeys);
	if (err)
		return err;
	for (n = 0; n < CAROM_LMDB_KEYS; n++) {
		if (k >= nr || s->key[k & KEY_MASK].page != p->pgno)
			break;
		err = take_key(p, s, k, upper, nkeys, branch);
		if (err)
			return err;
		k++;
		blur(s, k);
	}
	if (!n)
		return fail(p, CAROM_LMDB_E_QUERY, k);
	if (k < nr)
		return go_to(p, s, k, level);
	return branch ? go_to(p, s, 0, level - 1) : CAROM_STEP_DONE;
}

CAROM_WALKER(lmdb_many, CAROM_LMDB_PAGE, CAROM_SCAN_SCRATCH)
{
	struct carom_lmdb_many *s = (struct carom_lmdb_many *)carom_scratch(hop, SCRATCH);
	struct page p = { .hop = hop };
	__u64 offset = hop->offset;
	__s64 next;

	p.node = carom_node(hop, PAGE);
	if (!p.node || !s)
		return CAROM_STEP_FAIL(CAROM_LMDB_E_QUERY);
	p.bad = &s->bad;
	p.pgno = offset / PAGE;
	p.last_pg = s->last_pg;
	if (offset % PAGE)
		return fail(&p, CAROM_LMDB_E_QUERY, offset);
	next = many_page(&p, s, s->level);
	s->seen++;
	s->more = next >= 0 && s->seen >= s->pages;
	return s->more ? CAROM_STEP_DONE : next;
}
