// SPDX-License-Identifier: GPL-2.0
// expect: program of this type cannot use helper bpf_trace_printk#6
// carom: no time, no printing, no other memory
// at: bpf_printk("%d", hop->index);
#include <carom/walker.h>

CAROM_WALKER(helper_printk, 4096, 64)
{
	bpf_printk("%d", hop->index);
	return CAROM_STEP_DONE;
}
