// SPDX-License-Identifier: GPL-2.0
// expect: program of this type cannot use helper bpf_loop#181
/* Bounded by a number of 32 bits only, and can be nested. */
#include <carom/walker.h>

static int round(__u32 index, void *ctx)
{
	return 0;
}

CAROM_WALKER(helper_loop, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	return bpf_loop(scratch[0], round, NULL, 0);
}
