// SPDX-License-Identifier: GPL-2.0
// expect: infinite loop detected
// carom: Bound it by a constant
// at: while (scratch[0])
#include <carom/walker.h>

CAROM_WALKER(infinite_loop, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	while (scratch[0])
		;
	return CAROM_STEP_DONE;
}
