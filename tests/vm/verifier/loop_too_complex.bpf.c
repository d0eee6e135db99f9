// SPDX-License-Identifier: GPL-2.0
// expect: jumps is too complex
// carom: make loops shorter
// at: if (scratch[i & 15] == i)
/* It does end, but the verifier has to come back to each of its branches. */
#include <carom/walker.h>

CAROM_WALKER(loop_too_complex, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);
	__u32 sum = 0, i;

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	for (i = 0; i < 20000; i++)
		if (scratch[i & 15] == i)
			sum++;
	return sum;
}
