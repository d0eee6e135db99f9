// SPDX-License-Identifier: GPL-2.0
// expect: program of this type cannot use helper bpf_ktime_get_ns#5
#include <carom/walker.h>

CAROM_WALKER(helper_time, 4096, 64)
{
	return (__s64)(bpf_ktime_get_ns() & 4096);
}
