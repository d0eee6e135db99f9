/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plugins share: telling work from polling in vain.
 *
 * How often a guest polls in vain depends on how long the host takes to be an NVMe device.
 * Kernels execute a PAUSE after a look that was in vain, so that the shortest stretch between two
 * of them is what such a look takes, and each PAUSE stands for one.
 */
#ifndef CAROM_SPIN_H
#define CAROM_SPIN_H

#include <stdint.h>

#define MAX_STRETCHES 64
#define ALIKE 4 /* less of one length is chance */

/* The lengths of stretches between two PAUSEs, and how many were that long. */
static struct {
	uint64_t length, times;
} stretches[MAX_STRETCHES];
static unsigned int nr_stretches;
static uint64_t pauses;

static inline void spin_reset(void)
{
	nr_stretches = 0;
	pauses = 0;
}

/* The number of that length, which is nr_stretches - 1 if it is new, or MAX_STRETCHES. */
static inline unsigned int spin_add(uint64_t length)
{
	unsigned int i;

	for (i = 0; i < nr_stretches && stretches[i].length != length; i++)
		;
	if (i == MAX_STRETCHES)
		return i;
	if (i == nr_stretches) {
		stretches[i].length = length;
		stretches[i].times = 0;
		nr_stretches++;
	}
	stretches[i].times++;
	return i;
}

/* The number of the stretches that are looks in vain, or -1. */
static inline int spin_in_vain(void)
{
	int shortest = -1;

	for (unsigned int i = 0; i < nr_stretches; i++) {
		if (stretches[i].times < ALIKE)
			continue;
		if (shortest < 0 || stretches[i].length < stretches[shortest].length)
			shortest = (int)i;
	}
	return shortest;
}

#endif
