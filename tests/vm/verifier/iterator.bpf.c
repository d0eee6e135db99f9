// SPDX-License-Identifier: GPL-2.0
// expect: attach to unsupported member step of struct carom_walker_ops
/* An open-coded iterator: bounded by a number of 32 bits only. */
#include <carom/walker.h>

struct bpf_iter_num {
	__u64 state;
};

CAROM_WALKER(iterator, 4096, 64)
{
	volatile __u32 *scratch = (void *)carom_scratch(hop, 64);
	__s64 sum = 0;
	int i;

	if (!scratch)
		return CAROM_STEP_FAIL(1);
	bpf_for(i, 0, (int)scratch[0])
		sum += scratch[i & 15];
	return sum;
}
