// SPDX-License-Identifier: GPL-2.0
// expect 7.3: is fp expected STRUCT carom_hop
// expect: pointer type STRUCT carom_hop must point to
/* A hop of its own making is followed by a slot of its own making. */
#include <carom/walker.h>

CAROM_WALKER(node_of_stack, 4096, 64)
{
	struct carom_hop mine = { .node_size = ~0U };
	const __u8 *node = carom_node(&mine, 64);

	return node ? node[0] : CAROM_STEP_MISS;
}
