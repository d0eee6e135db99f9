// SPDX-License-Identifier: GPL-2.0
// expect: loaded
// carom: good: loaded, pinned at
/* What the others are not: each of them differs from this in one thing. */
#include <carom/walker.h>

CAROM_WALKER(good, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!node || !scratch)
		return CAROM_STEP_FAIL(1);
	scratch[15] = node[4095];
	return hop->index < 3 ? (__s64)hop->offset + hop->node_size : CAROM_STEP_DONE;
}
