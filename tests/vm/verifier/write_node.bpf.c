// SPDX-License-Identifier: GPL-2.0
// expect: cannot write into rdonly_mem
// carom: the node cannot be written
// at: *(volatile __u8 *)node = 1;
#include <carom/walker.h>

CAROM_WALKER(write_node, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);

	if (!node)
		return CAROM_STEP_FAIL(1);
	*(volatile __u8 *)node = 1;
	return CAROM_STEP_DONE;
}
