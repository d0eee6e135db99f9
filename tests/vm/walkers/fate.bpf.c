// SPDX-License-Identifier: GPL-2.0
#include <carom/walker.h>
#include "../../lib/chase.h"
#include "fate.h"

CAROM_WALKER(fate, 4096, sizeof(struct fate_query))
{
	const struct chase_node *node = (const void *)carom_node(hop, sizeof(*node));
	struct fate_query *query = (void *)carom_scratch(hop, sizeof(*query));

	if (!node || !query)
		return CAROM_STEP_FAIL(1);
	query->node_size = hop->node_size;
	query->offset = hop->offset;
	query->index = hop->index;
	query->id = node->id;
	return hop->index < query->hops ? (__s64)node->next : query->ret;
}
