// SPDX-License-Identifier: GPL-2.0
// expect: Possibly NULL pointer passed to trusted
// carom: is given what may be NULL
// at: __u8 *scratch = carom_scratch(NULL, 64);
/* There is no slot around no hop. */
#include <carom/walker.h>

CAROM_WALKER(scratch_of_null, 4096, 64)
{
	__u8 *scratch = carom_scratch(NULL, 64);

	return scratch ? scratch[0] : CAROM_STEP_MISS;
}
