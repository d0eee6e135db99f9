// SPDX-License-Identifier: GPL-2.0
// expect: invalid access to memory, mem_size=4096 off=-1 size=1
#include <carom/walker.h>

CAROM_WALKER(read_before_node, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);

	return node ? *(node - 1) : CAROM_STEP_MISS;
}
