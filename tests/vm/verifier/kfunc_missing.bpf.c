// SPDX-License-Identifier: GPL-2.0
// expect: not found in kernel or module BTFs
// carom: has no carom_tell_fortunes(), carom_read_palms()
/* Of a carom.ko that is yet to come. */
#include <carom/walker.h>

extern int carom_tell_fortunes(struct carom_hop *hop) __ksym;
extern int carom_read_palms(struct carom_hop *hop) __ksym;

CAROM_WALKER(kfunc_missing, 4096, 64)
{
	return carom_tell_fortunes(hop) + carom_read_palms(hop);
}
