/* SPDX-License-Identifier: GPL-2.0 */
/* The walkers that go anywhere are one step, for nodes of any size. */
#ifndef CAROM_ANYWHERE_STEP_H
#define CAROM_ANYWHERE_STEP_H

#include <carom/walker.h>
#include "anywhere.h"

static __always_inline void anywhere_loot(const __u8 *node, __u32 size, struct anywhere_query *q)
{
	const __u64 *head = (const void *)node;
	const __u64 *tail = (const void *)(node + size - 8 * ANYWHERE_LOOT);
	int i;

	for (i = 0; i < ANYWHERE_LOOT; i++) {
		q->loot[i] = head[i];
		q->loot[ANYWHERE_LOOT + i] = tail[i];
	}
}

static __always_inline __s64 anywhere_go(struct carom_hop *hop, const __u8 *node, __u32 size,
					 struct anywhere_query *q)
{
	__u32 index = hop->index;

	if (!node || !q)
		return CAROM_STEP_FAIL(1);
	anywhere_loot(node, size, q);
	q->cmp_said = carom_cmp(hop, q->cmp[0], q->cmp[1], q->cmp[2], q->cmp[3]);
	q->steps = index + 1;
	if (index >= q->nr || index >= ANYWHERE_HOPS)
		return CAROM_STEP_DONE;
	return q->next[index];
}

#define ANYWHERE_WALKER(_name, _size)						\
CAROM_WALKER(_name, _size, sizeof(struct anywhere_query))			\
{										\
	const __u8 *node = carom_node(hop, _size);				\
	struct anywhere_query *q = (void *)carom_scratch(hop, sizeof(*q));	\
										\
	if (q && carom_node(hop, 2 * (_size)))					\
		q->much |= ANYWHERE_MUCH_NODE;					\
	if (q && carom_scratch(hop, CAROM_MAX_SCRATCH_SIZE))			\
		q->much |= ANYWHERE_MUCH_SCRATCH;				\
	return anywhere_go(hop, node, _size, q);				\
}

#endif /* CAROM_ANYWHERE_STEP_H */
