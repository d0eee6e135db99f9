// SPDX-License-Identifier: GPL-2.0
/* The trivial format in nodes of 2048 bytes, looked at from end to end. */
#include "../../lib/chase_step.h"

CAROM_WALKER(chase2048, 2048, sizeof(struct chase_query))
{
	const __u8 *node = carom_node(hop, 2048);
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow_whole(hop, node, 2048, query);
}
