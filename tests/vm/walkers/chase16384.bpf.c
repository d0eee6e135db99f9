// SPDX-License-Identifier: GPL-2.0
/* The trivial format in nodes of 16384 bytes, looked at from end to end. */
#include "../../lib/chase_step.h"

CAROM_WALKER(chase16384, 16384, sizeof(struct chase_query))
{
	const __u8 *node = carom_node(hop, 16384);
	struct chase_query *query = (void *)carom_scratch(hop, sizeof(*query));

	return chase_follow_whole(hop, node, 16384, query);
}
