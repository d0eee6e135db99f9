// SPDX-License-Identifier: GPL-2.0
// expect: attach to unsupported member step of struct carom_walker_ops
/* Bounded at run time, by eight million rounds. */
#include <carom/walker.h>

CAROM_WALKER(may_goto, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	while (scratch[0])
		asm volatile goto("may_goto %l[out]" : : : : out);
out:
	return CAROM_STEP_DONE;
}
