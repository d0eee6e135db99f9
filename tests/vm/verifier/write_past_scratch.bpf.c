// SPDX-License-Identifier: GPL-2.0
// expect: invalid access to memory, mem_size=64 off=64 size=4
// carom: check the offset, before the access
// at: scratch[16] = 1;
#include <carom/walker.h>

CAROM_WALKER(write_past_scratch, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	scratch[16] = 1;
	return CAROM_STEP_DONE;
}
