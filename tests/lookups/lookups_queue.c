// SPDX-License-Identifier: GPL-2.0
/*
 * Queues on every backend: many lookups in flight, polled for or not, and carried
 * on in user space when their chains are aborted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lookups.h"

#define NR_LOOKUPS	(getenv("CAROM_SLOW") ? 300U : 3000U)
/* What the driver begins with. */
#define BUDGET		"128"

static const enum carom_backend backends[] = {
	CAROM_BACKEND_PREAD, CAROM_BACKEND_IO_URING, CAROM_BACKEND_KERNEL,
};

/* The longest deadline that there is: a slow machine is no reason to leave the kernel. */
#define LONG_MS		10000

#define NR_BACKENDS	(sizeof(backends) / sizeof(backends[0]))

static struct carom_index *open_answers(enum carom_backend backend, unsigned int depth,
					unsigned int deadline_ms)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = backend, .direct = true, .max_readers = 1,
		.max_in_flight = depth, .deadline_ms = deadline_ms ? deadline_ms : LONG_MS,
	};
	struct carom_error err;
	struct carom_index *ix;

	if (carom_index__open(path_of("answers.mdb"), &opts, &ix, &err))
		fail_msg("%s", err.text);
	return ix;
}

/* No lookup has left the kernel, or none was there. */
static void check_ran_where_asked(const struct queued *k, enum carom_backend backend)
{
	struct carom_reader_stats st;

	carom_queue__stats(k->q, &st, sizeof(st));
	assert_int_equal(st.lookups, k->ended);
	assert_int_equal(st.fallbacks, 0);
	assert_true(st.hops > st.lookups);
	assert_true(st.kernel_hops == (backend == CAROM_BACKEND_KERNEL ? st.hops : 0));
}

static void run(enum carom_backend backend, unsigned int depth, bool poll)
{
	struct carom_index *ix = open_answers(backend, depth, 0);
	struct oracle o;
	struct queued k;

	oracle_open(&o, path_of("answers.mdb"), NULL);
	queued_open(&k, ix, depth, poll);
	queued_run(&k, &o, NR_LOOKUPS);
	assert_int_equal(k.ended, NR_LOOKUPS);
	print_message("# %s%s, %u in flight: %lu of %lu overtook another\n",
		      carom_backend__name(backend), poll ? " polling" : "", depth,
		      k.out_of_order, k.ended);
	check_ran_where_asked(&k, backend);
	/* Values stay where they are while others come in. */
	k.hold = depth / 2;
	queued_run(&k, &o, NR_LOOKUPS / 4);
	queued_close(&k);
	oracle_close(&o);
	carom_index__close(ix);
}

void test_queues(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NR_BACKENDS; i++) {
		if (!works_here(backends[i]))
			continue;
		run(backends[i], 32, false);
		run(backends[i], 512, false);
	}
}

static void run_events(enum carom_backend backend)
{
	struct carom_index *ix = open_answers(backend, 32, 0);
	struct oracle o;
	struct queued k;

	oracle_open(&o, path_of("answers.mdb"), NULL);
	queued_open(&k, ix, 32, false);
	queued_run_events(&k, &o, NR_LOOKUPS / 2);
	check_ran_where_asked(&k, backend);
	queued_close(&k);
	oracle_close(&o);
	carom_index__close(ix);
}

void test_queue_descriptor(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NR_BACKENDS; i++)
		if (works_here(backends[i]))
			run_events(backends[i]);
}

static bool device_polls(void)
{
	const char *device = getenv("CAROM_VM_DEVICE");
	unsigned int polls = 0;
	char path[128];
	FILE *f;

	assert_non_null(device);
	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/io_poll",
		 strrchr(device, '/') + 1);
	f = fopen(path, "r");
	if (f) {
		assert_int_equal(fscanf(f, "%u", &polls), 1);
		fclose(f);
	}
	return polls;
}

static void refuses_to_poll(void)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .poll = true };
	struct carom_index *ix = open_answers(CAROM_BACKEND_IO_URING, 32, 0);
	struct carom_error err;
	struct carom_queue *q;

	assert_int_equal(carom_queue__new(ix, &opts, &q, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "nvme.poll_queues"));
	carom_index__close(ix);
}

/* Without poll queues the kernel's chains end by interrupts, io_uring's reads not at all. */
void test_queues_polling(void **state)
{
	(void)state;
	if (works_here(CAROM_BACKEND_KERNEL)) {
		run(CAROM_BACKEND_KERNEL, 32, true);
		run(CAROM_BACKEND_KERNEL, 512, true);
	}
	if (device_polls())
		run(CAROM_BACKEND_IO_URING, 32, true);
	else
		refuses_to_poll();
}

static void report(const char *what, const struct queued *k)
{
	struct carom_reader_stats st;

	carom_queue__stats(k->q, &st, sizeof(st));
	print_message("# %s: %lu lookups, %lu carried on, %lu of them from the middle\n", what,
		      k->ended, k->aborted, k->halfway);
	assert_int_equal(st.fallbacks, k->aborted);
	assert_true(!st.last_abort || !strcmp(st.last_abort, what));
}

/* Reads that one pass over a completion queue sends back: with none, chains yield. */
static void set_budget(const char *budget)
{
	FILE *f = fopen("/sys/module/nvme/parameters/chain_budget", "w");

	assert_non_null(f);
	assert_true(fputs(budget, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/*
 * Send as many lookups as there is room for, and look away for as long as their
 * first reads take: none goes on after that before somebody looks.
 */
static void begin_and_stall(struct queued *k)
{
	while (queued_submit(k))
		;
	assert_int_equal(carom_queue__flush(k->q), 0);
	usleep(200000);
}

/* All have been cut off after the first hop; the walk goes on from there. */
static void deadlines(bool poll)
{
	struct carom_index *ix = open_answers(CAROM_BACKEND_KERNEL, 512, 1);
	struct oracle o;
	struct queued k;

	oracle_open(&o, path_of("answers.mdb"), NULL);
	queued_open(&k, ix, 512, poll);
	begin_and_stall(&k);
	queued_drain(&k, &o);
	report("deadline", &k);
	assert_int_equal(k.ended, 512);
	assert_int_equal(k.aborted, 512);
	assert_int_equal(k.halfway, 512);
	/* Others may make it, or not. */
	queued_run(&k, &o, NR_LOOKUPS);
	report("deadline", &k);
	queued_close(&k);
	oracle_close(&o);
	carom_index__close(ix);
}

void test_queue_deadlines(void **state)
{
	(void)state;
	if (!works_here(CAROM_BACKEND_KERNEL))
		skip_because("the kernel backend does not work here");
	set_budget("0");
	deadlines(false);
	set_budget(BUDGET);
	if (device_polls())
		deadlines(true);
}

static void walker(const char *verb)
{
	char command[256];

	assert_non_null(getenv("CAROM_BUILD"));
	snprintf(command, sizeof(command), "%s/carom walker %s lmdb >&2", getenv("CAROM_BUILD"),
		 verb);
	assert_int_equal(system(command), 0);
}

/* The walker goes while its chains are in flight, and does not come back to them. */
void test_queue_unloaded(void **state)
{
	struct carom_index *ix;
	struct oracle o;
	struct queued k;

	(void)state;
	if (!works_here(CAROM_BACKEND_KERNEL))
		skip_because("the kernel backend does not work here");
	ix = open_answers(CAROM_BACKEND_KERNEL, 512, 0);
	oracle_open(&o, path_of("answers.mdb"), NULL);
	queued_open(&k, ix, 512, false);
	set_budget("0");
	begin_and_stall(&k);
	walker("unload");
	queued_run(&k, &o, NR_LOOKUPS);
	walker("load");
	set_budget(BUDGET);
	report("unloaded", &k);
	assert_int_equal(k.halfway, 512);
	assert_int_equal(k.aborted, 512 + NR_LOOKUPS);
	queued_close(&k);
	oracle_close(&o);
	carom_index__close(ix);
}

/* Freed with lookups in flight, again and again; the slots can be used at once. */
void test_queue_early_end(void **state)
{
	enum carom_backend backend = works_here(CAROM_BACKEND_KERNEL) ? CAROM_BACKEND_KERNEL :
				     CAROM_BACKEND_IO_URING;
	struct carom_index *ix = open_answers(backend, 256, 0);
	struct oracle o;
	struct queued k;
	unsigned int i;

	(void)state;
	oracle_open(&o, path_of("answers.mdb"), NULL);
	for (i = 0; i < 12; i++) {
		queued_open(&k, ix, 256, backend == CAROM_BACKEND_KERNEL && i % 3 == 1);
		while (queued_submit(&k))
			;
		if (i & 1)
			assert_int_equal(carom_queue__flush(k.q), 0);
		if (i & 2)
			assert_int_equal(carom_queue__cancel(k.q, 17), 0);
		queued_close(&k);
		queued_open(&k, ix, 256, false);
		queued_run(&k, &o, 256);
		queued_close(&k);
	}
	oracle_close(&o);
	carom_index__close(ix);
}
