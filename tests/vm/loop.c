// SPDX-License-Identifier: GPL-2.0
/*
 * Counts a loop of a known number of instructions, and the same with nothing in it, through the
 * plugin. Prints "empty N" once and "loop N" twice. A timer tick adds some ten thousand
 * instructions and comes by the host's clock, so more often per instruction on a busy host: each N
 * is the least of several short measurements, most of which see no tick.
 */
#include <stdio.h>

#include "../bench/insns.h"

#define REPEAT 20
#define ROUNDS 100000

/* Two instructions per round. */
static void loop(unsigned long rounds)
{
	asm volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
}

static int measure(const char *name, unsigned long rounds)
{
	uint64_t count, least = UINT64_MAX;
	int err;

	for (int i = 0; i < REPEAT; i++) {
		count = 0;
		carom_insns_begin();
		if (rounds)
			loop(rounds);
		carom_insns_end();
		err = carom_insns_read(&count);
		if (err) {
			fprintf(stderr, "loop: no count: %s\n", strerror(-err));
			return err;
		}
		if (count < least)
			least = count;
	}
	printf("%s %llu\n", name, (unsigned long long)least);
	return 0;
}

int main(void)
{
	return measure("empty", 0) || measure("loop", ROUNDS) || measure("loop", ROUNDS);
}
