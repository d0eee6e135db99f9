// SPDX-License-Identifier: GPL-2.0
/* The trivial format in nodes of 8192 bytes, looked at from end to end. */
#include "../../lib/chase_step.h"

CAROM_WALKER(chase8192, 8192, sizeof(struct chase_query))
{
	const __u8 *node = carom_node(hop, 8192);
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow_whole(hop, node, 8192, query);
}
