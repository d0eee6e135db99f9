// SPDX-License-Identifier: GPL-2.0
// expect: attach to unsupported member step of struct carom_walker_ops
/* Looked at once and by itself, however often it is called. */
#include <carom/walker.h>

__noinline __s64 sum(__u64 from)
{
	volatile __s64 total = 0;
	int i;

	for (i = 0; i < 100; i++)
		total += (__s64)from + i;
	return total;
}

CAROM_WALKER(global_subprogram, 4096, 64)
{
	return sum(hop->offset);
}
