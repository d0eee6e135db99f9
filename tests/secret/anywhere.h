/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walker that goes wherever its scratch says, and takes with it what it can
 * lay its hands on.
 */
#ifndef CAROM_ANYWHERE_H
#define CAROM_ANYWHERE_H

#include <linux/types.h>

#define ANYWHERE_HOPS	8
#define ANYWHERE_LOOT	16	/* 8-byte words from each end of the node */

/* What was given that should not have been. */
#define ANYWHERE_MUCH_NODE	1U	/* twice the node */
#define ANYWHERE_MUCH_SCRATCH	2U	/* CAROM_MAX_SCRATCH_SIZE, which one session has */

/**
 * struct anywhere_query - the scratch
 * @nr: in: entries of @next; then the chain is done
 * @steps: out: nodes seen
 * @next: in: what to return at each hop
 * @cmp: in: arguments of carom_cmp()
 * @cmp_said: out: its answer
 * @much: out: ANYWHERE_MUCH_*
 * @loot: out: both ends of the last node
 */
struct anywhere_query {
	__u32 nr;
	__u32 steps;
	__s64 next[ANYWHERE_HOPS];
	__u32 cmp[4];
	__s32 cmp_said;
	__u32 much;
	__u64 loot[2 * ANYWHERE_LOOT];
};

#endif /* CAROM_ANYWHERE_H */
