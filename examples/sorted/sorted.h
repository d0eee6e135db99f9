/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file of sorted records: a header block, and then blocks of SORTED_PER_BLOCK
 * records in the order of their keys as memcmp() has it. The last block is filled up
 * with zeros. Numbers are little-endian.
 */
#ifndef SORTED_H
#define SORTED_H

#include <linux/types.h>

#define SORTED_MAGIC		0x0100646574726f73ULL	/* "sorted", 0, 1 */
#define SORTED_BLOCK		4096
#define SORTED_KEY		24
#define SORTED_VALUE		40
#define SORTED_PER_BLOCK	64

struct sorted_header {
	__u64 magic;
	__u64 count;		/* of records */
};

struct sorted_record {
	__u8 key[SORTED_KEY];	/* filled up with zeros */
	__u8 value[SORTED_VALUE];
};

/* The scratch: query, answer, and what the walker keeps from hop to hop. */
struct sorted_scratch {
	__u8 key[SORTED_KEY];	/* in */
	__u8 value[SORTED_VALUE]; /* out */
	__u64 count;
	__u64 low;		/* the blocks that can have the key, counted from 0 */
	__u64 high;
};

/* What CAROM_STEP_FAIL() says. */
enum sorted_error {
	SORTED_E_SIZES = 1,	/* node or scratch is smaller than it should be */
	SORTED_E_MAGIC,		/* no such file */
	SORTED_E_COUNT,		/* more records than a file can have */
	SORTED_E_CMP,		/* a bug of the walker */
};

#endif /* SORTED_H */
