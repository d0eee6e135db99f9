// SPDX-License-Identifier: GPL-2.0
// expect: access beyond struct carom_hop at off 24 size 8
// carom: a step sees offset, index and node_size
/* Behind it is the rest of the slot, with pointers of the kernel. */
#include <carom/walker.h>

CAROM_WALKER(hop_past_end, 4096, 64)
{
	return *(volatile __s64 *)((char *)hop + 24);
}
