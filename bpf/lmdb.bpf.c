// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/*
 * The walker "lmdb": searches the B+trees of LMDB files.
 *
 * User space can change the scratch at any time: what is in it is read once and the
 * copy is bounded. The level counts down to the leaf whatever the pages say, so a
 * cycle of pages ends.
 */
#include "lmdb_page.h"

#define SCRATCH		CAROM_LMDB_SCRATCH_SIZE
#define KEY_OFF		((__u32)offsetof(struct carom_lmdb_scratch, query.key))

static __always_inline __s64 go_to(struct carom_lmdb_scratch *s, __u64 pgno, __u32 level)
{
	s->walk.level = level;
	s->walk.page = pgno;
	return pgno * PAGE;
}

/* @at: what search() found in a branch page. */
static __always_inline __s64 descend(struct page *p, struct carom_lmdb_scratch *s, __u64 upper,
				     __s64 at, __u32 level)
{
	__s64 err;
	__u64 child;

	/* Absent: the child is the one before the first greater key. */
	err = child_at(p, upper, (at >> 1) - !(at & 1), &child);
	return err ? err : go_to(s, child, level - 1);
}

/* The value of entry @e is on overflow pages: their number is at @data. */
static __always_inline __s64 to_overflow(struct page *p, struct carom_lmdb_scratch *s,
					 __u64 index, __u64 data, __u64 len)
{
	__u64 pgno;
	__s64 err;

	err = overflow_at(p, index, data, &pgno);
	if (err)
		return err;
	s->walk.need = len;
	return go_to(s, pgno, 0);
}

static __always_inline __s64 leaf_value(struct page *p, struct carom_lmdb_scratch *s,
					__u64 index, const struct entry *e)
{
	__u64 data = e->off + CAROM_LMDB_ND_HDR + e->ksize, len = data_size(p, e), flags;

	flags = get_u16(p->node, e->off + CAROM_LMDB_ND_FLAGS);
	if (flags == CAROM_LMDB_F_BIGDATA)
		return to_overflow(p, s, index, data, len);
	if (flags & CAROM_LMDB_F_DUPDATA)
		return fail_node(p, CAROM_LMDB_E_DUPDATA, index, flags);
	if (flags & ~CAROM_LMDB_F_SUBDATA)
		return fail_node(p, CAROM_LMDB_E_NODE_FLAGS, index, flags);
	if (flags && len != sizeof(struct carom_lmdb_db))
		return fail_node(p, CAROM_LMDB_E_SUBDATA, index, len);
	if (data + len > PAGE)
		return fail_node(p, CAROM_LMDB_E_DATA, index, len);
	s->answer.value_off = data;
	s->answer.value_len = len;
	s->answer.flags = CAROM_LMDB_IN_NODE | (flags ? CAROM_LMDB_IS_DB : 0);
	return CAROM_STEP_DONE;
}

/* @at: what search() found in a leaf page. */
static __always_inline __s64 leaf(struct page *p, struct carom_lmdb_scratch *s, __u64 upper,
				  __s64 at)
{
	struct entry e;
	__s64 err;

	if (!(at & 1))
		return CAROM_STEP_MISS;
	at >>= 1;
	err = entry_at(p, upper, at, &e);
	if (err)
		return err;
	return leaf_value(p, s, at, &e);
}

static __always_inline __s64 tree_page(struct page *p, struct carom_lmdb_scratch *s, __u32 level)
{
	__u32 key_len = s->query.key_len;
	__u32 nkeys, branch = level > 1;
	__u64 upper;
	__s64 at;

	if (key_len - 1 >= CAROM_LMDB_MAX_KEY || level > CAROM_LMDB_MAX_DEPTH)
		return fail(p, CAROM_LMDB_E_QUERY, key_len);
	at = take_page(p, branch, &upper, &nkeys);
	if (at)
		return at;
	at = search(p, upper, nkeys, branch, KEY_OFF, key_len);
	if (at < 0)
		return at;
	return branch ? descend(p, s, upper, at, level) : leaf(p, s, upper, at);
}

/* The first @have bytes are in the area; @from on, this page has the next. */
static __always_inline __s64 take_part(struct page *p, struct carom_lmdb_scratch *s, __u32 have,
				       __u32 from)
{
	__u32 need = s->walk.need, len = PAGE - from;

	if (have >= need)
		return fail(p, CAROM_LMDB_E_QUERY, have);
	if (len > need - have)
		len = need - have;
	if (carom_copy(p->hop, CAROM_LMDB_AREA + have, from, len))
		return fail(p, CAROM_LMDB_E_QUERY, have);
	have += len;
	s->rest.have = have;
	if (have < need)
		return go_to(s, p->pgno + 1, 0);
	s->answer.value_len = need;
	s->answer.flags = CAROM_LMDB_IN_AREA;
	return CAROM_STEP_DONE;
}

/* The first of the value's pages; the others have nothing but bytes of it. */
static __always_inline __s64 overflow_page(struct page *p, struct carom_lmdb_scratch *s)
{
	__u64 flags = get_u16(p->node, CAROM_LMDB_PG_FLAGS);
	__u64 pages = get_u32(p->node, CAROM_LMDB_PG_PAGES);
	__u64 pgno = get_u64(p->node, CAROM_LMDB_PG_PGNO);
	__u64 need = s->walk.need;

	if (pgno != p->pgno)
		return fail(p, CAROM_LMDB_E_PGNO, pgno);
	if (flags != CAROM_LMDB_P_OVERFLOW)
		return fail(p, CAROM_LMDB_E_NOT_OVERFLOW, flags);
	if (pages * PAGE < CAROM_LMDB_PG_HDR + need ||
	    p->pgno + pages - 1 > p->last_pg)
		return fail(p, CAROM_LMDB_E_PAGES, pages);
	if (need > PAGE - CAROM_LMDB_PG_HDR && need <= s->rest.room)
		return take_part(p, s, 0, CAROM_LMDB_PG_HDR);
	s->answer.value_len = need;
	s->answer.value_off = CAROM_LMDB_PG_HDR;
	s->answer.value_at = p->pgno * PAGE + CAROM_LMDB_PG_HDR;
	s->answer.flags = need <= PAGE - CAROM_LMDB_PG_HDR ? CAROM_LMDB_IN_NODE :
								CAROM_LMDB_IN_FILE;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 get_step(struct page *p, struct carom_lmdb_scratch *s)
{
	__u32 level = s->walk.level, have;

	p->last_pg = s->query.last_pg;
	if (level)
		return tree_page(p, s, level);
	have = s->rest.have;
	return have ? take_part(p, s, have, 0) : overflow_page(p, s);
}

/* 0, or why the page is no meta page that can be used; *value: what was there. */
static __always_inline __u32 meta_check(struct page *p, __u64 *value)
{
	const __u8 *n = p->node;
	__u64 root = get_u64(n, CAROM_LMDB_MT_MAIN + offsetof(struct carom_lmdb_db, root));
	__u64 depth = get_u16(n, CAROM_LMDB_MT_MAIN + offsetof(struct carom_lmdb_db, depth));
	__u64 psize = get_u32(n, CAROM_LMDB_MT_PSIZE);
	__u64 last = get_u64(n, CAROM_LMDB_MT_LAST_PG);
	__u64 low;

	*value = get_u64(n, CAROM_LMDB_PG_PGNO);
	if (*value != p->pgno)
		return CAROM_LMDB_E_PGNO;
	*value = get_u16(n, CAROM_LMDB_PG_FLAGS);
	if (*value != CAROM_LMDB_P_META)
		return CAROM_LMDB_E_META_FLAGS;
	*value = get_u32(n, CAROM_LMDB_MT_MAGIC);
	if (*value != CAROM_LMDB_MAGIC)
		return CAROM_LMDB_E_META_MAGIC;
	*value = get_u32(n, CAROM_LMDB_MT_VERSION);
	if (*value != CAROM_LMDB_VERSION)
		return CAROM_LMDB_E_META_VERSION;
	*value = psize;
	low = psize - 1;
	forget(low);	/* or it becomes a population count */
	if (psize < 256 || psize > 65536 || psize & low)
		return CAROM_LMDB_E_META_PSIZE;
	*value = last;
	if (last < FIRST_PAGE - 1 || last > CAROM_LMDB_MAX_PAGE)
		return CAROM_LMDB_E_META_LAST_PG;
	*value = root;
	if (root == CAROM_LMDB_NO_PAGE)
		return depth ? CAROM_LMDB_E_META_ROOT : 0;
	if (root < FIRST_PAGE || root > last || depth - 1 >= CAROM_LMDB_MAX_DEPTH)
		return CAROM_LMDB_E_META_ROOT;
	return 0;
}

static __always_inline void meta_take(struct page *p, struct carom_lmdb_meta *m)
{
	__u64 *to = (__u64 *)&m->main;
	int i;

	m->slot = p->pgno;
	m->psize = get_u32(p->node, CAROM_LMDB_MT_PSIZE);
	for (i = 0; i < CAROM_LMDB_SNAP / 8; i++)
		to[i] = get_u64(p->node, CAROM_LMDB_MT_MAIN + 8 * i);
}

static __always_inline __s64 meta_step(struct page *p, struct carom_lmdb_scratch *s)
{
	struct carom_lmdb_answer *a = &s->answer;
	__u64 txnid = get_u64(p->node, CAROM_LMDB_MT_TXNID), value;
	__u32 bad = meta_check(p, &value);

	if (!p->pgno) {
		a->meta.slot = CAROM_LMDB_NO_SLOT;
		a->meta_bad[0] = bad;
		a->meta_value[0] = value;
		if (!bad)
			meta_take(p, &a->meta);
		return go_to(s, 1, 0);
	}
	if (p->pgno != 1)
		return fail(p, CAROM_LMDB_E_QUERY, p->pgno);
	a->meta_bad[1] = bad;
	a->meta_value[1] = value;
	/* Of two that are equally new liblmdb takes the first. */
	if (!bad && (a->meta.slot == CAROM_LMDB_NO_SLOT || txnid > a->meta.txnid))
		meta_take(p, &a->meta);
	if (a->meta.slot == CAROM_LMDB_NO_SLOT)
		return fail(p, CAROM_LMDB_E_META, 0);
	return CAROM_STEP_DONE;
}

CAROM_WALKER(lmdb, CAROM_LMDB_PAGE, CAROM_LMDB_SCRATCH_SIZE)
{
	struct carom_lmdb_scratch *s = (struct carom_lmdb_scratch *)carom_scratch(hop, SCRATCH);
	struct page p = { .hop = hop };
	__u64 offset = hop->offset;
	__u32 op;

	p.node = carom_node(hop, PAGE);
	if (!p.node || !s)
		return CAROM_STEP_FAIL(CAROM_LMDB_E_QUERY);
	p.bad = &s->answer.bad;
	p.pgno = offset / PAGE;
	op = s->query.op;
	if (offset % PAGE || (op != CAROM_LMDB_META && op != CAROM_LMDB_GET))
		return fail(&p, CAROM_LMDB_E_QUERY, op);
	return op == CAROM_LMDB_META ? meta_step(&p, s) : get_step(&p, s);
}
