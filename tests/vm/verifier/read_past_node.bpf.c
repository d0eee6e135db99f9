// SPDX-License-Identifier: GPL-2.0
// expect: invalid access to memory, mem_size=4096 off=4096 size=1
#include <carom/walker.h>

CAROM_WALKER(read_past_node, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);

	return node ? node[4096] : CAROM_STEP_MISS;
}
