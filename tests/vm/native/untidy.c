// SPDX-License-Identifier: GPL-2.0
/* The walker of examples/sorted, but it leaves something else in its scratch. */
#include <linux/carom.h>

#undef CAROM_STEP_DONE
#define CAROM_STEP_DONE (s->low += 1ULL << 40, -1LL)
#include "../../../examples/sorted/sorted.bpf.c"
