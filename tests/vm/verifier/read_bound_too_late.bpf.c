// SPDX-License-Identifier: GPL-2.0
// expect: invalid access to memory, mem_size=4096
// carom: check the offset, before the access
// at: return node[off];
/* Looked at, and off by one. */
#include <carom/walker.h>

CAROM_WALKER(read_bound_too_late, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);
	__u32 off;

	if (!node || !scratch)
		return CAROM_STEP_FAIL(1);
	off = scratch[0];
	if (off > 4096)
		return CAROM_STEP_MISS;
	return node[off];
}
