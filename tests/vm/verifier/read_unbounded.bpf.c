// SPDX-License-Identifier: GPL-2.0
// expect: unbounded memory access
// carom: an offset that can be anything
// at: return node[scratch[0]];
/* The offset comes from user space and is not looked at. */
#include <carom/walker.h>

CAROM_WALKER(read_unbounded, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!node || !scratch)
		return CAROM_STEP_FAIL(1);
	return node[scratch[0]];
}
