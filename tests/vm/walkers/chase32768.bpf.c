// SPDX-License-Identifier: GPL-2.0
/* The trivial format in nodes of 32768 bytes, looked at from end to end. */
#include "../../lib/chase_step.h"

CAROM_WALKER(chase32768, 32768, sizeof(struct chase_query))
{
	const __u8 *node = carom_node(hop, 32768);
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow_whole(hop, node, 32768, query);
}
