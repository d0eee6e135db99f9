/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the walkers that scan have in common: entries that they leave in the
 * scratch one after the other, and totals.
 */
#ifndef CAROM_SCAN_H
#define CAROM_SCAN_H

#include <linux/types.h>

/* Scratch of a scan, which is mostly area for entries. */
#define CAROM_SCAN_SCRATCH	65536
#define CAROM_SCAN_ALIGN	8

/**
 * struct carom_scan_entry - one entry; then its key, then what there is of its value
 * @key_len: bytes of the key
 * @value_len: bytes of the value
 * @local: how many of them follow
 * @reserved: 0
 * @value_at: where the rest is, as the format says: 0 if there is none
 *
 * The next begins at the next multiple of CAROM_SCAN_ALIGN.
 */
struct carom_scan_entry {
	__u32 key_len;
	__u32 value_len;
	__u32 local;
	__u32 reserved;
	__u64 value_at;
};

/* struct carom_scan_query.flags */
#define CAROM_SCAN_REVERSE	0x1
#define CAROM_SCAN_TOTALS	0x2	/* no entries, but struct carom_scan_totals */
/* Totals of values that are integers, of @width bytes, little-endian unless */
#define CAROM_SCAN_SIGNED	0x4
#define CAROM_SCAN_BIG_ENDIAN	0x8

/**
 * struct carom_scan_query - filled by the caller, the rest of which is the format's
 * @flags: CAROM_SCAN_*
 * @width: CAROM_SCAN_TOTALS: 1, 2, 4 or 8; 0: values are not looked at
 * @limit: entries at most
 * @pages: nodes that a chain may read
 * @reserved: 0
 */
struct carom_scan_query {
	__u32 flags;
	__u32 width;
	__u64 limit;
	__u32 pages;
	__u32 reserved;
};

/**
 * struct carom_scan_totals - of all entries so far
 * @count: entries
 * @sum_low: their sum, as an integer of 128 bits
 * @sum_high: likewise
 * @min: the least, as an integer of 64 bits, signed or not; of no account if there is none
 * @max: the greatest
 * @values: how many have been added, where not every entry has an integer
 */
struct carom_scan_totals {
	__u64 count;
	__u64 sum_low;
	__u64 sum_high;
	__u64 min;
	__u64 max;
	__u64 values;
};

/*
 * Add an integer of 64 bits. @flip: 0, or if it is signed the highest bit, which least and
 * greatest are kept with so that they compare as unsigned ones do.
 */
static inline __attribute__((always_inline)) void
carom_scan_add(struct carom_scan_totals *t, __u64 v, __u64 flip)
{
	__u64 low = t->sum_low + v, negative = (v & flip) >> 63;

	/* The carry of the addition, as a bit. */
	t->sum_high += ((v & ~low) | ((v | ~low) & t->sum_low)) >> 63;
	t->sum_high -= negative;
	t->sum_low = low;
	v ^= flip;
	if (v < t->min)
		t->min = v;
	if (v > t->max)
		t->max = v;
}

/**
 * struct carom_scan_answer - filled by the walker, and its state
 * @pages: nodes that this chain has read; the caller clears it
 * @used: bytes of the area; likewise
 * @more: the chain has ended because of CAROM_SCAN_AREA or query.pages: another, begun
 *	at @next, goes on
 * @reserved: 0
 * @next: file offset
 * @totals: @count counts entries in any case
 */
struct carom_scan_answer {
	__u32 pages;
	__u32 used;
	__u32 more;
	__u32 reserved;
	__u64 next;
	struct carom_scan_totals totals;
};

#endif /* CAROM_SCAN_H */
