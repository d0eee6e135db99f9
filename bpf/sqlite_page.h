/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pages, cells and numbers of SQLite files, for the walkers.
 *
 * Offsets within the page are reduced to its size wherever something is loaded, so
 * that no load leaves it, and what was loaded counts only when the cell or record
 * that it belongs to turns out to lie within the page.
 */
#ifndef CAROM_SQLITE_PAGE_H
#define CAROM_SQLITE_PAGE_H

#include <stdbool.h>
#include <carom/walker.h>
#include <carom/sqlite.h>

#define PAGE		((__u64)SQLITE_PAGE_SIZE)
#define SCRATCH		CAROM_SQLITE_SCRATCH_SIZE
#define FIRST_STEP	CAROM_SQLITE_FIRST_STEP(SQLITE_PAGE_SIZE)
#define MIN_CELL	4
#define LOCK_PAGE	(CAROM_SQLITE_LOCK_BYTE / PAGE + 1)

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif

/* What the compiler knows of @x it forgets; what is checked next is what is used. */
#define forget(x)	asm volatile("" : "+r"(x))

/*
 * What the verifier knows of @x (__u64) it forgets, and where it is from, too: so paths
 * that differ in nothing else are one path from here on.
 */
#define blur(p, x)								\
do {										\
	volatile __u64 *place = &(p)->s->blur;					\
										\
	*place = (x);								\
	(x) = *place;								\
} while (0)

/**
 * struct page - the page that was read, and what its header says
 * @usable: bytes of it that are not reserved
 * @hdr: where its header is
 * @leaf: it has no children
 * @cells: how many
 * @pointers: where the pointers to them are
 * @cells_off: no cell is before that
 */
struct page {
	struct carom_hop *hop;
	const __u8 *node;
	struct carom_sqlite_scratch *s;
	__u64 pgno;
	__u64 usable;
	__u64 hdr;
	__u64 leaf;
	__u64 cells;
	__u64 pointers;
	__u64 cells_off;
};

/**
 * struct cell - a cell, up to its payload
 * @child: interior: left child
 * @rowid: table
 * @id_len: table, leaf: bytes of the rowid's varint, which comes before @off
 * @payload: bytes of the payload
 * @off: where it begins
 * @local: how much of it is in the page
 * @overflow: where it goes on
 */
struct cell {
	__u64 child;
	__s64 rowid;
	__u64 id_len;
	__u64 payload;
	__u64 off;
	__u64 local;
	__u64 overflow;
};

static __always_inline __s64 fail_cell(struct page *p, __u32 code, __u64 cell, __u64 value)
{
	p->s->answer.bad_page = p->pgno;
	p->s->answer.bad_cell = cell;
	p->s->answer.bad_value = value;
	return CAROM_STEP_FAIL(code);
}

static __always_inline __s64 fail(struct page *p, __u32 code, __u64 value)
{
	return fail_cell(p, code, CAROM_SQLITE_NO_CELL, value);
}

/* ---- numbers ---- */

static __always_inline __u64 get_u8(const struct page *p, __u64 off)
{
	return p->node[off & (PAGE - 1)];
}

static __always_inline __u64 get_be16(const struct page *p, __u64 off)
{
	return get_u8(p, off) << 8 | get_u8(p, off + 1);
}

/*
 * Eight bytes, the first in the low bits, by two aligned words. What is behind the page
 * counts as what is at its start, and is of no account.
 */
static __always_inline __u64 get_8(const struct page *p, __u64 off)
{
	__u64 at = off & (PAGE - 8), next = (off + 8) & (PAGE - 8), shift = 8 * (off & 7);
	__u64 low, high;

	low = *(const __u64 *)(p->node + at) >> shift;
	high = *(const __u64 *)(p->node + next) << 1 << (63 - shift);
	return low | high;
}

static __always_inline __u64 get_be32(const struct page *p, __u64 off)
{
	return __builtin_bswap64(get_8(p, off)) >> 32;
}

/* All ones if @x, below 1 << 63, is negative as a difference; hidden from the compiler,
 * which would make it a branch. */
static __always_inline __u64 if_negative(__u64 x)
{
	__u64 mask = (__u64)((__s64)x >> 63);

	forget(mask);
	return mask;
}

static __always_inline __u64 min_u63(__u64 a, __u64 b)
{
	return b + ((a - b) & if_negative(a - b));
}

static __always_inline __u64 long_varint(const struct page *p, __u64 off, __u64 *value)
{
	const __u64 ones = 0x0101010101010101ULL;
	__u64 w = get_8(p, off), ends, mask, nine, len, v;

	ends = ~w & (ones << 7);
	mask = ends ^ (ends - 1);	/* up to the lowest of those bits, or all */
	len = ((mask & ones) * ones) >> 56;
	v = __builtin_bswap64(w & mask & ~(ones << 7)) >> ((64 - 8 * len) & 63);
	v = (v & 0x007f007f007f007fULL) | (v & 0x7f007f007f007f00ULL) >> 1;
	v = (v & 0x00003fff00003fffULL) | (v & 0x3fff00003fff0000ULL) >> 2;
	v = (v & 0x000000000fffffffULL) | (v & 0x0fffffff00000000ULL) >> 4;
	nine = ~if_negative(ends | -ends);
	v = v << (8 & nine) | (get_u8(p, off + 8) & nine);
	len += 1 & nine;
	*value = v;
	return len;
}

/*
 * A varint: seven bits a byte, the highest first, up to a byte whose top bit is
 * clear; a ninth byte counts whole. Returns its length, 1 to 9. Most are one byte.
 */
static __always_inline __u64 get_varint(const struct page *p, __u64 off, __u64 *value)
{
	__u64 v = get_u8(p, off), len = 1;

	if (v > 127)
		len = long_varint(p, off, &v);
	blur(p, v);
	blur(p, len);
	*value = v;
	return len;
}

/* By serial type, 0 to 13, four bits each. */
#define SIZES	0x00000088643210ULL
#define CLASSES	0x23001111111110ULL

_Static_assert(CAROM_SQLITE_NUMBER == 1 && CAROM_SQLITE_TEXT == 2 && CAROM_SQLITE_BLOB == 3,
	       "as in CLASSES");

/* Bytes that a value of a serial type, below 1 << 32, takes. */
static __always_inline __u64 serial_size(__u64 type)
{
	__u64 small = if_negative(type - 12);

	return (SIZES >> (4 * type & 63) & 15 & small) | ((type - 12) >> 1 & ~small);
}

/* enum carom_sqlite_class */
static __always_inline __u64 serial_class(__u64 type)
{
	__u64 small = if_negative(type - 12);
	__u64 i = (type & small) | ((12 | (type & 1)) & ~small);

	return CLASSES >> (4 * i & 63) & 15;
}

/* ---- pages and cells ---- */

/*
 * What a branch has told the verifier of these would make it follow both sides to the end,
 * because branches to come depend on them.
 */
static __always_inline void blur_page(struct page *p)
{
	blur(p, p->leaf);
	blur(p, p->cells);
}

/* Take the page's header. 0 or a failure. */
static __always_inline __s64 take_page(struct page *p, __u32 type, __u32 wrong, __u64 level)
{
	__u64 kind, cells, end;

	p->hdr = p->pgno == 1 ? CAROM_SQLITE_HD_SIZE : 0;
	kind = get_u8(p, p->hdr + CAROM_SQLITE_PG_TYPE);
	if ((kind & ~(__u64)CAROM_SQLITE_P_LEAF) != type)
		return fail(p, wrong, kind);
	p->leaf = kind >> 3;
	cells = get_be16(p, p->hdr + CAROM_SQLITE_PG_CELLS);
	p->pointers = p->hdr + CAROM_SQLITE_PG_HDR - 4 * p->leaf;
	end = p->pointers + 2 * cells;
	/*
	 * Only a tree without anything in it has an empty page; but the file's first page, which
	 * has less room than others, may have nothing but a last child.
	 */
	if ((!cells && (level || (!p->leaf && p->pgno != 1))) ||
	    end + MIN_CELL * cells > p->usable)
		return fail(p, CAROM_SQLITE_E_COUNT, cells);
	p->cells = cells;
	p->cells_off = end;
	blur(p, p->hdr);
	blur(p, p->pointers);
	blur(p, p->cells_off);
	blur_page(p);
	return 0;
}

/* Where cell @i begins. 0 or a failure. */
static __always_inline __s64 cell_at(struct page *p, __u64 i, __u64 *off)
{
	*off = get_be16(p, p->pointers + 2 * i);
	if (*off < p->cells_off || *off > p->usable - MIN_CELL)
		return fail_cell(p, CAROM_SQLITE_E_POINTER, i, *off);
	return 0;
}

/*
 * How much of @c->payload is in a page of the kind whose cells have at most
 * @max bytes there. 0 or a failure.
 */
static __always_inline __s64 take_local(struct page *p, __u64 i, struct cell *c, __u64 max)
{
	__u64 min = ((p->usable - 12) * 32 / 255) - 23, end;

	if (c->payload > CAROM_SQLITE_MAX_PAYLOAD)
		return fail_cell(p, CAROM_SQLITE_E_CELL, i, c->payload);
	c->local = c->payload;
	c->overflow = 0;
	end = c->off + c->local;
	if (c->payload > max) {
		c->local = min + (c->payload - min) % (p->usable - 4);
		if (c->local > max)
			c->local = min;
		blur(p, c->local);
		c->overflow = get_be32(p, c->off + c->local);
		end = c->off + c->local + 4;
		if (c->overflow < 2 || c->overflow > p->s->query.pages)
			return fail_cell(p, end > p->usable ? CAROM_SQLITE_E_CELL :
					 CAROM_SQLITE_E_OVERFLOW, i, c->overflow);
	}
	if (end > p->usable)
		return fail_cell(p, CAROM_SQLITE_E_CELL, i, c->payload);
	blur(p, c->off);
	blur(p, c->local);
	blur(p, c->payload);
	blur(p, c->overflow);
	return 0;
}

#endif /* CAROM_SQLITE_PAGE_H */
