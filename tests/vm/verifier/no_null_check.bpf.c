// SPDX-License-Identifier: GPL-2.0
// expect: invalid mem access 'rdonly_mem_or_null'
// carom: check their result before it is used
// at: return node[0];
/* A node can be smaller than the walker wants. */
#include <carom/walker.h>

CAROM_WALKER(no_null_check, 4096, 64)
{
	const __u8 *node = carom_node(hop, 4096);

	return node[0];
}
