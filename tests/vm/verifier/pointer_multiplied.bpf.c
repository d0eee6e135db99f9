// SPDX-License-Identifier: GPL-2.0
// expect: 32-bit pointer arithmetic prohibited
// carom 7.3: Use a 64-bit ALU instruction with an allowed, bounded
// carom: 32-bit pointer arithmetic prohibited
// at: return (__s64)(node * 3) & 4095;
/* A mistake that carom has no advice for: the kernel's own has to do. */
#include <carom/walker.h>

CAROM_WALKER(pointer_multiplied, 4096, 64)
{
	unsigned long node = (unsigned long)carom_node(hop, 4096);

	if (!node)
		return CAROM_STEP_FAIL(1);
	asm volatile ("" : "+r"(node));
	return (__s64)(node * 3) & 4095;
}
