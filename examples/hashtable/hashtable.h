/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash table on disk. Page 0 says how many buckets there are; bucket b begins at
 * page 1 + b, and pages that did not fit follow behind the buckets, each named by the
 * one before it. Every page carries its number, so that one in the wrong place is
 * noticed, and a CRC-32C of all that is behind the checksum. Numbers are little-endian.
 */
#ifndef HASHTABLE_H
#define HASHTABLE_H

#include <linux/types.h>

#define HASHTABLE_MAGIC		0x0162617468736168ULL	/* "hashtab", 1 */
#define HASHTABLE_PAGE		4096
#define HASHTABLE_ENTRIES	254
#define HASHTABLE_MAX_BITS	32

struct hashtable_head {
	__u32 crc;		/* of the rest of the page, inverted at the end */
	__u32 nr;		/* entries here; page 0: log2 of the buckets */
	__u64 number;		/* of this page */
	__u64 next;		/* number of a page, 0: none; page 0: HASHTABLE_MAGIC */
	__u64 reserved;
};

struct hashtable_entry {
	__u64 key;
	__u64 value;
};

struct hashtable_page {
	struct hashtable_head head;
	struct hashtable_entry entries[HASHTABLE_ENTRIES];
};

/* The scratch. */
struct hashtable_scratch {
	__u64 key;		/* in */
	__u64 value;		/* out */
};

/* What CAROM_STEP_FAIL() says. */
enum hashtable_error {
	HASHTABLE_E_SIZES = 1,	/* node or scratch is smaller than it should be */
	HASHTABLE_E_CRC,	/* the page's checksum is not what its bytes are */
	HASHTABLE_E_NUMBER,	/* it is another page that is here */
	HASHTABLE_E_MAGIC,	/* page 0 is not that of a hash table */
	HASHTABLE_E_NR,		/* more entries, or buckets, than there can be */
	HASHTABLE_E_NEXT,	/* the next page has a number that no file has */
};

/* The bucket of a key, of 1 << @bits. Multiplication spreads keys over the upper bits. */
static inline __u64 hashtable_bucket(__u64 key, __u32 bits)
{
	return (key * 0x9e3779b97f4a7c15ULL >> 32) >> (HASHTABLE_MAX_BITS - bits);
}

#endif /* HASHTABLE_H */
