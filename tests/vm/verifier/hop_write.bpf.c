// SPDX-License-Identifier: GPL-2.0
// expect: only read is supported
// carom: struct carom_hop cannot be written
// at: *(volatile __u64 *)&hop->offset = 0;
/* It is by this that the kernel knows which block was read. */
#include <carom/walker.h>

CAROM_WALKER(hop_write, 4096, 64)
{
	*(volatile __u64 *)&hop->offset = 0;
	return CAROM_STEP_DONE;
}
