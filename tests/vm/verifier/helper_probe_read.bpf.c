// SPDX-License-Identifier: GPL-2.0
// expect: program of this type cannot use helper bpf_probe_read_kernel#113
/* Memory that is not the walker's. */
#include <carom/walker.h>

CAROM_WALKER(helper_probe_read, 4096, 64)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)hop->offset);
	return (__s64)value & 4096;
}
