// SPDX-License-Identifier: GPL-2.0
// expect 7.3: is fp expected STRUCT carom_hop
// expect: pointer type STRUCT carom_hop must point to
// carom: kfuncs take the hop that the step was called with
// at: return carom_cmp(&mine, 0, 1 << 30, 0, 1 << 30);
/* A hop of its own making would name any memory as node. */
#include <carom/walker.h>

CAROM_WALKER(cmp_of_stack, 4096, 64)
{
	struct carom_hop mine = { .node_size = ~0U };

	return carom_cmp(&mine, 0, 1 << 30, 0, 1 << 30);
}
