/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pages of LMDB files, for the walkers of such files. Nothing in a page is believed
 * before it is checked.
 */
#ifndef CAROM_LMDB_PAGE_H
#define CAROM_LMDB_PAGE_H

#include <carom/walker.h>
#include <carom/lmdb.h>

#define PAGE		CAROM_LMDB_PAGE
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

/**
 * struct page - the page that has arrived
 * @bad: where a failure is described
 * @last_pg: number of the file's last page
 */
struct page {
	struct carom_hop *hop;
	const __u8 *node;
	struct carom_lmdb_bad *bad;
	__u64 pgno;
	__u64 last_pg;
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
	p->bad->page = p->pgno;
	p->bad->node = node;
	p->bad->value = value;
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
 * The entry with the key that is at @key_off of the scratch, or else the first
 * greater one: index << 1 | exact. Negative: a failure. @first: entries that count
 * as less without a comparison: a branch page's first, whose key stands for
 * everything below the second.
 */
static __always_inline __s64 search(struct page *p, __u64 upper, __u32 nkeys, __u32 first,
				    __u32 key_off, __u32 key_len)
{
	const struct carom_keys keys = {
		.table = CAROM_LMDB_PG_HDR + 2 * first,
		.nr = nkeys - first,
		.len_at = CAROM_LMDB_ND_KSIZE,
		.key_at = CAROM_LMDB_ND_HDR,
	};
	__s64 at = carom_search(p->hop, &keys, key_off, key_len);

	if (at == CAROM_SEARCH_FAULT)
		return fail(p, CAROM_LMDB_E_QUERY, key_len);
	if (at < 0)
		return bad_entry(p, upper, first + (-1 - at));
	return at + 2 * first;
}

/* Child of entry @i of a branch page. 0, or what is wrong. */
static __always_inline __s64 child_at(struct page *p, __u64 upper, __u64 i, __u64 *child)
{
	struct entry e;
	__s64 err;

	err = entry_at(p, upper, i, &e);
	if (err)
		return err;
	*child = get_u16(p->node, e.off + CAROM_LMDB_ND_LO) |
		 get_u16(p->node, e.off + CAROM_LMDB_ND_HI) << 16 |
		 get_u16(p->node, e.off + CAROM_LMDB_ND_FLAGS) << 32;
	if (*child < FIRST_PAGE || *child > p->last_pg)
		return fail_node(p, CAROM_LMDB_E_CHILD, i, *child);
	return 0;
}

/* Bytes of the data of a leaf page's entry. */
static __always_inline __u64 data_size(struct page *p, const struct entry *e)
{
	return get_u16(p->node, e->off + CAROM_LMDB_ND_LO) |
	       get_u16(p->node, e->off + CAROM_LMDB_ND_HI) << 16;
}

/* The overflow page that is named at @data, for entry @i. 0, or what is wrong. */
static __always_inline __s64 overflow_at(struct page *p, __u64 i, __u64 data, __u64 *pgno)
{
	if (data > PAGE - sizeof(*pgno))
		return fail_node(p, CAROM_LMDB_E_DATA, i, sizeof(*pgno));
	*pgno = get_u64_unaligned(p->node, data);
	if (*pgno < FIRST_PAGE || *pgno > p->last_pg || *pgno > CAROM_LMDB_MAX_PAGE)
		return fail_node(p, CAROM_LMDB_E_OVERFLOW, i, *pgno);
	return 0;
}

/*
 * Check the header of a branch page, or else of a leaf: *@nkeys entries, the first
 * of which starts at *@upper or behind it. 0, or what is wrong.
 */
static __always_inline __s64 take_page(struct page *p, __u32 branch, __u64 *upper, __u32 *nkeys)
{
	__u64 pgno = get_u64(p->node, CAROM_LMDB_PG_PGNO);
	__u64 flags = get_u16(p->node, CAROM_LMDB_PG_FLAGS);
	__u64 lower = get_u16(p->node, CAROM_LMDB_PG_LOWER);

	*upper = get_u16(p->node, CAROM_LMDB_PG_UPPER);
	if (pgno != p->pgno)
		return fail(p, CAROM_LMDB_E_PGNO, pgno);
	if (branch && flags != CAROM_LMDB_P_BRANCH)
		return fail(p, CAROM_LMDB_E_NOT_BRANCH, flags);
	if (!branch && flags != CAROM_LMDB_P_LEAF)
		return fail(p, CAROM_LMDB_E_NOT_LEAF, flags);
	if (lower < CAROM_LMDB_PG_HDR || *upper < lower || *upper > PAGE || (lower | *upper) & 1)
		return fail(p, CAROM_LMDB_E_BOUNDS, *upper << 16 | lower);
	*nkeys = (lower - CAROM_LMDB_PG_HDR) >> 1;
	/* liblmdb never leaves a leaf empty, nor a branch with one child. */
	if (*nkeys < 1 + branch || *upper + *nkeys * MIN_NODE > PAGE + 2)
		return fail(p, CAROM_LMDB_E_COUNT, *nkeys);
	return 0;
}

#endif /* CAROM_LMDB_PAGE_H */
