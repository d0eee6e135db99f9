// SPDX-License-Identifier: GPL-2.0
// expect: is not a const
// carom: has to be a constant
// at: node = carom_node(hop, scratch[0]);
/* What the verifier is told to believe may not come from user space. */
#include <carom/walker.h>

CAROM_WALKER(size_not_constant, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);
	const __u8 *node;

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	node = carom_node(hop, scratch[0]);
	return node ? node[0] : CAROM_STEP_MISS;
}
