// SPDX-License-Identifier: GPL-2.0
/*
 * Counts a loop of a known number of instructions, and the same with nothing in it, through the
 * plugin. Prints "empty N" once and "loop N" twice, then "held N" for the same loop before and
 * within a hold, and "spin N" for one that polls: what is in vain is not counted, but the three
 * rounds that find something are. A timer tick adds some ten thousand instructions and comes by
 * the host's clock, so more often per instruction on a busy host: each N is the least of several
 * short measurements, most of which see no tick.
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

static void loop_and_hold(unsigned long rounds)
{
	loop(rounds);
	carom_insns_hold();
	loop(rounds);
	carom_insns_go_on();
}

/* Five instructions per round in vain, which end with a PAUSE or begin after one; else 14. */
static void spin(unsigned long rounds)
{
	asm volatile("1: cmp $3, %0; ja 2f; .rept 10; nop; .endr; jmp 3f; 2: pause; 3: dec %0; jnz 1b"
		     : "+r"(rounds) : : "cc");
}

static int measure(const char *name, void (*run)(unsigned long), unsigned long rounds)
{
	uint64_t count, least = UINT64_MAX;
	int err;

	for (int i = 0; i < REPEAT; i++) {
		count = 0;
		carom_insns_begin();
		if (rounds)
			run(rounds);
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
	return measure("empty", loop, 0) || measure("loop", loop, ROUNDS) ||
	       measure("loop", loop, ROUNDS) || measure("held", loop_and_hold, ROUNDS) ||
	       measure("spin", spin, ROUNDS / 1000);
}
