// SPDX-License-Identifier: GPL-2.0
/* The least that a walker can do, so that what is measured is the engine. */
#include "chase_step.h"

CAROM_WALKER(chase, CHASE_NODE_SIZE, sizeof(struct chase_query))
{
	const struct chase_node *node = (const void *)carom_node(hop, sizeof(*node));
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow(hop, node, query);
}
