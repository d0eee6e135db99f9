// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions per lookup on one CPU while 0, 1, 3, 7, … others look up as well, in the same
 * session: what they share would show. Counted are those of the one CPU (--insns-of one). Each
 * polls a queue of its own, since what an interrupt takes depends on whether its CPU is idle.
 *
 * usage: scale_bench WALKER.bpf.o FILE
 * Prints "CPUS INSTRUCTIONS" for 1, 2, 4, … as many as there are.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>

#include "../lib/chase.h"
#include "../lib/engine.h"
#include "insns.h"

#define NODES		20000
#define LOOKUPS		300
#define DEPTH		6
#define MAX_CPUS	64

struct worker {
	pthread_t thread;
	unsigned int cpu;
	const struct engine *e;
};

static atomic_bool stop;
static atomic_uint looked_up[MAX_CPUS];

static void look_up(void *ctx, unsigned int i)
{
	const struct worker *w = ctx;
	struct chase_query *query = engine_scratch(w->e, w->cpu);
	struct carom_lookup res = {
		.slot = w->cpu, .flags = CAROM_LOOKUP_POLL,
		.offset = (__u64)(i * 2654435761U % NODES) * CHASE_NODE_SIZE,
	};

	query->depth = DEPTH;
	if (ioctl(w->e->fd, CAROM_IOC_LOOKUP, &res))
		err(1, "CAROM_IOC_LOOKUP on CPU %u", w->cpu);
	if (res.end != CAROM_END_DONE || res.hops != DEPTH)
		errx(1, "a lookup on CPU %u ended as %u after %u hops", w->cpu, res.end, res.hops);
}

static void *run_worker(void *arg)
{
	const struct worker *w = arg;
	unsigned int i;

	for (i = 0; !stop; i++) {
		look_up(arg, w->cpu * LOOKUPS + i);
		looked_up[w->cpu]++;
	}
	return NULL;
}

static void stay_on(pthread_t thread, unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (pthread_setaffinity_np(thread, sizeof(cpus), &cpus))
		errx(1, "no thread can be on CPU %u", cpu);
}

static void start(struct worker *w)
{
	looked_up[w->cpu] = 0;
	if (pthread_create(&w->thread, NULL, run_worker, w))
		errx(1, "no thread for CPU %u", w->cpu);
	stay_on(w->thread, w->cpu);
	while (looked_up[w->cpu] < 10)
		sched_yield();
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The lower decile, without timer ticks. */
static double typical(struct worker *w)
{
	uint64_t insns[LOOKUPS];
	unsigned int i;
	int err;

	for (i = 0; i < LOOKUPS; i++) {
		carom_insns_begin();
		look_up(w, i);
		carom_insns_end();
		err = carom_insns_read(&insns[i]);
		if (err)
			errx(1, "instructions are not counted: %s", strerror(-err));
	}
	qsort(insns, LOOKUPS, sizeof(*insns), by_value);
	return (double)insns[LOOKUPS / 10];
}

static double with_cpus(const struct engine *e, unsigned int nr)
{
	struct worker workers[MAX_CPUS];
	double insns;
	unsigned int i;

	stop = false;
	for (i = 0; i < nr; i++) {
		workers[i] = (struct worker) { .cpu = i, .e = e };
		if (i)
			start(&workers[i]);
	}
	insns = typical(&workers[0]);
	stop = true;
	for (i = 1; i < nr; i++)
		pthread_join(workers[i].thread, NULL);
	return insns;
}

int main(int argc, char **argv)
{
	struct carom_open arg = { .nr_slots = (unsigned int)get_nprocs() };
	struct carom_stats st = { .size = sizeof(st) };
	struct engine_walker walker;
	unsigned int nr;
	struct engine e;
	int err;

	if (argc != 3 || arg.nr_slots > MAX_CPUS)
		errx(2, "usage: scale_bench WALKER.bpf.o FILE, on at most %d CPUs", MAX_CPUS);
	err = chase_build(argv[2], CHASE_NODE_SIZE, NODES, 1);
	if (!err)
		err = engine_load(&walker, argv[1], NULL, 0);
	if (!err)
		err = engine_open(&e, argv[2], "chase", &arg);
	if (err)
		errx(1, "%s: %s", argv[2], strerror(-err));
	stay_on(pthread_self(), 0);
	for (nr = 1; nr <= arg.nr_slots; nr *= 2) {
		printf("%u %.0f\n", nr, with_cpus(&e, nr));
		fflush(stdout);
	}
	if (ioctl(e.fd, CAROM_IOC_STATS, &st) || st.polls != st.lookups)
		errx(1, "%llu of %llu lookups were polled", st.polls, st.lookups);
	engine_close(&e);
	engine_unload(&walker);
	return 0;
}
