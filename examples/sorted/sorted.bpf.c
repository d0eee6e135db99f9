// SPDX-License-Identifier: GPL-2.0
/*
 * Binary search in a file of sorted records: over its blocks by reads, of which each
 * depends on the one before, and then among the records of one block.
 */
#include <carom/walker.h>
#include "sorted.h"

#define KEY_AT	offsetof(struct sorted_scratch, key)

/* No file is longer, and what is not larger can be added and multiplied below. */
#define MAX_COUNT	(1ULL << 56)

/* Where the search goes on if the key can be in the blocks from @low to before @high. */
static __always_inline __s64 sorted_next(struct sorted_scratch *s, __u64 low, __u64 high)
{
	if (low >= high)
		return CAROM_STEP_MISS;
	s->low = low;
	s->high = high;
	return (__s64)((1 + (low + high) / 2) * SORTED_BLOCK);
}

static __always_inline __s64 sorted_begin(const __u8 *node, struct sorted_scratch *s)
{
	const struct sorted_header *header = (const void *)node;
	__u64 count = header->count;

	if (header->magic != SORTED_MAGIC)
		return CAROM_STEP_FAIL(SORTED_E_MAGIC);
	if (count > MAX_COUNT)
		return CAROM_STEP_FAIL(SORTED_E_COUNT);
	s->count = count;
	return sorted_next(s, 0, (count + SORTED_PER_BLOCK - 1) / SORTED_PER_BLOCK);
}

/* The key is among @nr records of this block, before, between or behind them. */
static __always_inline __s64 sorted_block(struct carom_hop *hop, const __u8 *node,
					  struct sorted_scratch *s, __u32 nr)
{
	__u64 block = hop->offset / SORTED_BLOCK - 1;
	__u32 low = 0, high = nr, mid;
	const struct sorted_record *r;
	int round, cmp;

	/* 64 records take seven comparisons. The verifier wants to see an end. */
	for (round = 0; round < 7 && low < high; round++) {
		mid = (low + high) / 2;
		cmp = carom_cmp(hop, mid * sizeof(*r), SORTED_KEY, KEY_AT, SORTED_KEY);
		if (cmp == CAROM_CMP_FAULT)
			return CAROM_STEP_FAIL(SORTED_E_CMP);
		if (!cmp) {
			r = (const void *)(node + (mid % SORTED_PER_BLOCK) * sizeof(*r));
			__builtin_memcpy(s->value, r->value, SORTED_VALUE);
			return CAROM_STEP_DONE;
		}
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	/* The scratch can be written by user space meanwhile: the engine checks the offset. */
	if (low == 0)
		return sorted_next(s, s->low, block);
	return low == nr ? sorted_next(s, block + 1, s->high) : CAROM_STEP_MISS;
}

CAROM_WALKER(sorted, SORTED_BLOCK, sizeof(struct sorted_scratch))
{
	struct sorted_scratch *s = (void *)carom_scratch(hop, sizeof(*s));
	const __u8 *node = carom_node(hop, SORTED_BLOCK);
	__u64 before, left;

	if (!node || !s)
		return CAROM_STEP_FAIL(SORTED_E_SIZES);
	if (hop->index == 0)
		return sorted_begin(node, s);
	before = (hop->offset / SORTED_BLOCK - 1) * SORTED_PER_BLOCK;
	left = s->count - before;
	return sorted_block(hop, node, s, left < SORTED_PER_BLOCK ? left : SORTED_PER_BLOCK);
}
