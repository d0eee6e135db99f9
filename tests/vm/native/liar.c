// SPDX-License-Identifier: GPL-2.0
/* The walker of examples/sorted, but what it finds is not there. */
#include <linux/carom.h>

#undef CAROM_STEP_DONE
#define CAROM_STEP_DONE CAROM_STEP_MISS
#include "../../../examples/sorted/sorted.bpf.c"
