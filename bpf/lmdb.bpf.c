// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/*
 * The walker "lmdb": searches the B+trees of LMDB files.
 *
 * Nothing in a page is believed before it is checked, and neither is anything
 * in the scratch, which user space can change at any time: it is read once and
 * the copy is bounded. The level counts down to the leaf whatever the pages
 * say, so a cycle of pages ends.
 *
 */
#include <carom/walker.h>
#include <carom/lmdb.h>

#define PAGE		CAROM_LMDB_PAGE
#define SCRATCH		CAROM_LMDB_SCRATCH_SIZE
#define KEY_OFF		((__u32)offsetof(struct carom_lmdb_scratch, query.key))
#define FIRST_PAGE	2	/* 0 and 1 are the metas */

/*
 * A node takes its header and a byte of key (but for the first of a branch
 * page), rounded up to two, and two more for its pointer: 340 fit into a page.
 */
#define MIN_NODE	10
#define INDEX_MASK	511

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif

/* What the compiler knows of @x it forgets; what is checked next is what is used. */
#define forget(x)	asm volatile("" : "+r"(x))

struct page {
	struct carom_hop *hop;
	const __u8 *node;
	struct carom_lmdb_scratch *s;
	__u64 pgno;
};

/* One entry of a branch or leaf page, header within the page. */
struct entry {
	__u64 off;
	__u64 ksize;
};

static __always_inline __u64 get_u16(const __u8 *node, __u64 off)
{
	return *(const __u16 *)(node + off);
}

static __always_inline __u64 get_u32(const __u8 *node, __u64 off)
{
	return *(const __u32 *)(node + off);
}

static __always_inline __u64 get_u64(const __u8 *node, __u64 off)
{
	return *(const __u64 *)(node + off);
}

/* Keys have any length, so the data after one has any alignment. */
static __always_inline __u64 get_u64_unaligned(const __u8 *node, __u64 off)
{
	__u64 v;

	__builtin_memcpy(&v, node + off, sizeof(v));
	return v;
}

static __always_inline __s64 fail_node(struct page *p, __u32 code, __u64 node, __u64 value)
{
	p->s->answer.bad_page = p->pgno;
	p->s->answer.bad_node = node;
	p->s->answer.bad_value = value;
	return CAROM_STEP_FAIL(code);
}

static __always_inline __s64 fail(struct page *p, __u32 code, __u64 value)
{
	return fail_node(p, code, CAROM_LMDB_NO_NODE, value);
}

/* 0, or what is wrong with entry @i of a page whose nodes start at @upper. */
static __always_inline __s64 entry_at(struct page *p, __u64 upper, __u64 i, struct entry *e)
{
	__u64 off;

	forget(i);
	i &= INDEX_MASK;
	off = get_u16(p->node, CAROM_LMDB_PG_HDR + 2 * i);
	forget(off);
	if (off < upper || off > PAGE - CAROM_LMDB_ND_HDR || off & 1)
		return fail_node(p, CAROM_LMDB_E_POINTER, i, off);
	e->off = off;
	e->ksize = get_u16(p->node, off + CAROM_LMDB_ND_KSIZE);
	return 0;
}

/* What is wrong with the key of entry @i, which cannot be compared. */
static __always_inline __s64 bad_entry(struct page *p, __u64 upper, __u64 i)
{
	struct entry e;
	__s64 err = entry_at(p, upper, i, &e);

	return err ? err : fail_node(p, CAROM_LMDB_E_KEY, i, e.ksize);
}

/*
 * The entry with the key, or else the first greater one: index << 1 | exact.
 * Negative: a failure. @first: entries that count as less without a comparison:
 * a branch page's first, whose key stands for everything below the second.
 */
static __always_inline __s64 search(struct page *p, __u64 upper, __u32 nkeys, __u32 first,
				    __u32 key_len)
{
	const struct carom_keys keys = {
		.table = CAROM_LMDB_PG_HDR + 2 * first,
		.nr = nkeys - first,
		.len_at = CAROM_LMDB_ND_KSIZE,
		.key_at = CAROM_LMDB_ND_HDR,
	};
	__s64 at = carom_search(p->hop, &keys, KEY_OFF, key_len);

	if (at == CAROM_SEARCH_FAULT)
		return fail(p, CAROM_LMDB_E_QUERY, key_len);
	if (at < 0)
		return bad_entry(p, upper, first + (-1 - at));
	return at + 2 * first;
}

static __always_inline __s64 go_to(struct page *p, __u64 pgno, __u32 level)
{
	p->s->walk.level = level;
	p->s->walk.page = pgno;
	return pgno * PAGE;
}

/* @at: what search() found in a branch page. */
static __always_inline __s64 descend(struct page *p, __u64 upper, __s64 at, __u32 level)
{
	struct entry e;
	__s64 err;
	__u64 child;

	/* Absent: the child is the one before the first greater key. */
	at = (at >> 1) - !(at & 1);
	err = entry_at(p, upper, at, &e);
	if (err)
		return err;
	child = get_u16(p->node, e.off + CAROM_LMDB_ND_LO) |
		get_u16(p->node, e.off + CAROM_LMDB_ND_HI) << 16 |
		get_u16(p->node, e.off + CAROM_LMDB_ND_FLAGS) << 32;
	if (child < FIRST_PAGE || child > p->s->query.last_pg)
		return fail_node(p, CAROM_LMDB_E_CHILD, at, child);
	return go_to(p, child, level - 1);
}

/* The value of entry @e is on overflow pages: their number is at @data. */
static __always_inline __s64 to_overflow(struct page *p, __u64 index, __u64 data, __u64 len)
{
	__u64 pgno;

	if (data > PAGE - sizeof(pgno))
		return fail_node(p, CAROM_LMDB_E_DATA, index, sizeof(pgno));
	pgno = get_u64_unaligned(p->node, data);
	if (pgno < FIRST_PAGE || pgno > p->s->query.last_pg || pgno > CAROM_LMDB_MAX_PAGE)
		return fail_node(p, CAROM_LMDB_E_OVERFLOW, index, pgno);
	p->s->walk.need = len;
	return go_to(p, pgno, 0);
}

static __always_inline __s64 leaf_value(struct page *p, __u64 index, const struct entry *e)
{
	__u64 data = e->off + CAROM_LMDB_ND_HDR + e->ksize;
	__u64 len, flags;

	len = get_u16(p->node, e->off + CAROM_LMDB_ND_LO) |
	      get_u16(p->node, e->off + CAROM_LMDB_ND_HI) << 16;
	flags = get_u16(p->node, e->off + CAROM_LMDB_ND_FLAGS);
	if (flags == CAROM_LMDB_F_BIGDATA)
		return to_overflow(p, index, data, len);
	if (flags & CAROM_LMDB_F_DUPDATA)
		return fail_node(p, CAROM_LMDB_E_DUPDATA, index, flags);
	if (flags & ~CAROM_LMDB_F_SUBDATA)
		return fail_node(p, CAROM_LMDB_E_NODE_FLAGS, index, flags);
	if (flags && len != sizeof(struct carom_lmdb_db))
		return fail_node(p, CAROM_LMDB_E_SUBDATA, index, len);
	if (data + len > PAGE)
		return fail_node(p, CAROM_LMDB_E_DATA, index, len);
	p->s->answer.value_off = data;
	p->s->answer.value_len = len;
	p->s->answer.flags = CAROM_LMDB_IN_NODE | (flags ? CAROM_LMDB_IS_DB : 0);
	return CAROM_STEP_DONE;
}

/* @at: what search() found in a leaf page. */
static __always_inline __s64 leaf(struct page *p, __u64 upper, __s64 at)
{
	struct entry e;
	__s64 err;

	if (!(at & 1))
		return CAROM_STEP_MISS;
	at >>= 1;
	err = entry_at(p, upper, at, &e);
	if (err)
		return err;
	return leaf_value(p, at, &e);
}

static __always_inline __s64 tree_page(struct page *p, __u32 level)
{
	__u64 flags = get_u16(p->node, CAROM_LMDB_PG_FLAGS);
	__u64 lower = get_u16(p->node, CAROM_LMDB_PG_LOWER);
	__u64 upper = get_u16(p->node, CAROM_LMDB_PG_UPPER);
	__u32 key_len = p->s->query.key_len;
	__u32 nkeys, branch = level > 1;
	__s64 at;

	if (key_len - 1 >= CAROM_LMDB_MAX_KEY || level > CAROM_LMDB_MAX_DEPTH)
		return fail(p, CAROM_LMDB_E_QUERY, key_len);
	if (branch && flags != CAROM_LMDB_P_BRANCH)
		return fail(p, CAROM_LMDB_E_NOT_BRANCH, flags);
	if (!branch && flags != CAROM_LMDB_P_LEAF)
		return fail(p, CAROM_LMDB_E_NOT_LEAF, flags);
	if (lower < CAROM_LMDB_PG_HDR || upper < lower || upper > PAGE || (lower | upper) & 1)
		return fail(p, CAROM_LMDB_E_BOUNDS, upper << 16 | lower);
	nkeys = (lower - CAROM_LMDB_PG_HDR) >> 1;
	/* liblmdb never leaves a leaf empty, nor a branch with one child. */
	if (nkeys < 1 + branch || upper + nkeys * MIN_NODE > PAGE + 2)
		return fail(p, CAROM_LMDB_E_COUNT, nkeys);
	at = search(p, upper, nkeys, branch, key_len);
	if (at < 0)
		return at;
	return branch ? descend(p, upper, at, level) : leaf(p, upper, at);
}

static __always_inline __s64 overflow_page(struct page *p)
{
	__u64 flags = get_u16(p->node, CAROM_LMDB_PG_FLAGS);
	__u64 pages = get_u32(p->node, CAROM_LMDB_PG_PAGES);
	__u64 need = p->s->walk.need;

	if (flags != CAROM_LMDB_P_OVERFLOW)
		return fail(p, CAROM_LMDB_E_NOT_OVERFLOW, flags);
	if (pages * PAGE < CAROM_LMDB_PG_HDR + need ||
	    p->pgno + pages - 1 > p->s->query.last_pg)
		return fail(p, CAROM_LMDB_E_PAGES, pages);
	p->s->answer.value_len = need;
	p->s->answer.value_off = CAROM_LMDB_PG_HDR;
	p->s->answer.value_at = p->pgno * PAGE + CAROM_LMDB_PG_HDR;
	p->s->answer.flags = need <= PAGE - CAROM_LMDB_PG_HDR ? CAROM_LMDB_IN_NODE :
								CAROM_LMDB_IN_FILE;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 get_step(struct page *p)
{
	__u64 pgno = get_u64(p->node, CAROM_LMDB_PG_PGNO);
	__u32 level = p->s->walk.level;

	if (pgno != p->pgno)
		return fail(p, CAROM_LMDB_E_PGNO, pgno);
	if (!level)
		return overflow_page(p);
	return tree_page(p, level);
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

static __always_inline __s64 meta_step(struct page *p)
{
	struct carom_lmdb_answer *a = &p->s->answer;
	__u64 txnid = get_u64(p->node, CAROM_LMDB_MT_TXNID), value;
	__u32 bad = meta_check(p, &value);

	if (!p->pgno) {
		a->meta.slot = CAROM_LMDB_NO_SLOT;
		a->meta_bad[0] = bad;
		a->meta_value[0] = value;
		if (!bad)
			meta_take(p, &a->meta);
		return go_to(p, 1, 0);
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
	struct page p = { .hop = hop };
	__u64 offset = hop->offset;
	__u32 op;

	p.node = carom_node(hop, PAGE);
	p.s = (struct carom_lmdb_scratch *)carom_scratch(hop, SCRATCH);
	if (!p.node || !p.s)
		return CAROM_STEP_FAIL(CAROM_LMDB_E_QUERY);
	p.pgno = offset / PAGE;
	op = p.s->query.op;
	if (offset % PAGE || (op != CAROM_LMDB_META && op != CAROM_LMDB_GET))
		return fail(&p, CAROM_LMDB_E_QUERY, op);
	return op == CAROM_LMDB_META ? meta_step(&p) : get_step(&p);
}
