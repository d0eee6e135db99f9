// SPDX-License-Identifier: GPL-2.0
/* The trivial format in nodes of 1024 bytes, looked at from end to end. */
#include "../../lib/chase_step.h"

CAROM_WALKER(chase1024, 1024, sizeof(struct chase_query))
{
	const __u8 *node = carom_node(hop, 1024);
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow_whole(hop, node, 1024, query);
}
