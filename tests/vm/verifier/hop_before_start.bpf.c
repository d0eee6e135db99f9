// SPDX-License-Identifier: GPL-2.0
// expect: is ptr_carom_hop invalid negative access: off=-8
#include <carom/walker.h>

CAROM_WALKER(hop_before_start, 4096, 64)
{
	return *(volatile __s64 *)((char *)hop - 8);
}
