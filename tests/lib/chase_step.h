/* SPDX-License-Identifier: GPL-2.0 */
/* The walkers of the trivial format are one step, for nodes of any size. */
#ifndef CAROM_CHASE_STEP_H
#define CAROM_CHASE_STEP_H

#include <carom/walker.h>
#include "chase.h"

/* Follow @node, which is number @index of the chain, or leave the answer in @query. */
static __always_inline __s64 chase_follow_at(__u32 index, const struct chase_node *node,
					     struct chase_query *query)
{
	if (index + 1 < query->depth)
		return node->next;
	query->id = node->id;
	return CAROM_STEP_DONE;
}

static __always_inline __s64 chase_follow(const struct carom_hop *hop,
					  const struct chase_node *node,
					  struct chase_query *query)
{
	if (!node || !query)
		return CAROM_STEP_FAIL(1);
	return chase_follow_at(hop->index, node, query);
}

/*
 * The same, and the node's last bytes must have arrived with its first: they
 * are its number again. Fails with code 2.
 */
static __always_inline __s64 chase_follow_whole(const struct carom_hop *hop, const __u8 *bytes,
						__u32 size, struct chase_query *query)
{
	const struct chase_node *node = (const void *)bytes;

	if (node && *(const __u64 *)(bytes + size - sizeof(__u64)) != node->id)
		return CAROM_STEP_FAIL(2);
	return chase_follow(hop, node, query);
}

#endif /* CAROM_CHASE_STEP_H */
