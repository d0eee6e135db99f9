// SPDX-License-Identifier: GPL-2.0
/*
 * Who takes as many chains as he can get, and an ordinary reader, on one CPU and
 * so on one queue: what the reader waits, alone, and with and without limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define NODES		256
#define CHASE		VM_FILE("fair.chase")
#define READ		VM_FILE("fair.read")
#define READS		1000
#define MOST_SLOTS	256

struct greedy {
	struct engine e;
	pthread_t threads[MOST_SLOTS];
	unsigned long hops;
	bool stop;
};

struct greedy_slot {
	struct greedy *g;
	unsigned int slot;
};

static struct greedy_slot greedy_slots[MOST_SLOTS];
static struct engine_walker chase;

static int setup(void **state)
{
	cpu_set_t one;

	(void)state;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	assert_sys(sched_setaffinity(0, sizeof(one), &one));
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	vm_chase_file(READ, CHASE_NODE_SIZE, NODES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_sh("cd /sys/module && echo 0 >carom/parameters/max_share && "
	      "echo %u >carom/parameters/max_hops && echo 128 >nvme/parameters/chain_budget",
	      CAROM_MAX_HOPS);
	unlink(CHASE);
	unlink(READ);
	engine_unload(&chase);
	return 0;
}

/* In threads nothing may be asserted. */
static void *greed(void *arg)
{
	const struct greedy_slot *gs = arg;
	struct greedy *g = gs->g;
	struct chase_query *query = engine_scratch(&g->e, gs->slot);
	struct carom_lookup res;

	while (!__atomic_load_n(&g->stop, __ATOMIC_RELAXED)) {
		query->depth = ~0U;
		if (engine_lookup(&g->e, gs->slot, 0, &res))
			break;
		__atomic_fetch_add(&g->hops, res.hops, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Half of what he wanted is better than nothing. */
static void greedy_begin(struct greedy *g)
{
	struct carom_open arg = {
		.nr_slots = MOST_SLOTS, .max_hops = CAROM_MAX_HOPS,
		.deadline_ms = CAROM_MAX_DEADLINE_MS,
	};
	unsigned int i;
	int err;

	memset(g, 0, sizeof(*g));
	if (vm_info().max_hops < arg.max_hops)
		arg.max_hops = vm_info().max_hops;
	while ((err = engine_open(&g->e, CHASE, "chase", &arg)) == -EPERM && arg.nr_slots > 1)
		arg.nr_slots /= 2;
	assert_ok(err);
	for (i = 0; i < g->e.open.nr_slots; i++) {
		greedy_slots[i] = (struct greedy_slot) { .g = g, .slot = i };
		assert_int_equal(pthread_create(&g->threads[i], NULL, greed, &greedy_slots[i]), 0);
	}
}

static void greedy_end(struct greedy *g)
{
	unsigned int i;

	__atomic_store_n(&g->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < g->e.open.nr_slots; i++)
		pthread_join(g->threads[i], NULL);
	engine_close(&g->e);
}

static int compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Of how long ordinary reads took, in microseconds. */
struct percentiles {
	long p50, p99;
};

static struct percentiles reader(const char *beside)
{
	static long us[READS];
	struct percentiles p;
	int fd = vm_open(READ, O_RDONLY | O_DIRECT);
	unsigned int i, seed = 1;
	void *buf = NULL;
	long begin;

	assert_int_equal(posix_memalign(&buf, 4096, 4096), 0);
	for (i = 0; i < READS; i++) {
		begin = now_us();
		assert_int_equal(pread(fd, buf, 4096, (off_t)(rand_r(&seed) % NODES) * 4096), 4096);
		us[i] = now_us() - begin;
	}
	free(buf);
	close(fd);
	qsort(us, READS, sizeof(us[0]), compare);
	p.p50 = us[READS / 2];
	p.p99 = us[READS * 99 / 100];
	print_message("# reads %s: p50 %ld us, p99 %ld us\n", beside, p.p50, p.p99);
	return p;
}

static struct percentiles reader_beside(const char *limits)
{
	static struct greedy g;
	struct percentiles p;
	char beside[128];
	long begin, ms;

	greedy_begin(&g);
	vm_sleep_ms(500);
	begin = vm_now_ms();
	snprintf(beside, sizeof(beside), "beside %u chains, %s", g.e.open.nr_slots, limits);
	p = reader(beside);
	ms = vm_now_ms() - begin;
	greedy_end(&g);
	print_message("# they made %lu hops, a second %lu\n", g.hops, g.hops * 1000 / (ms + 500));
	assert_true(g.hops > 0);
	return p;
}

/* A host with other work shows in the slowest reads; that they are better is all that is asked. */
static void limits_help(void **state)
{
	struct percentiles alone, without, with;

	(void)state;
	alone = reader("alone");
	without = reader_beside("without limits");
	vm_sh("cd /sys/module && echo 1 >carom/parameters/max_share && "
	      "echo 256 >carom/parameters/max_hops && echo 8 >nvme/parameters/chain_budget");
	with = reader_beside("with limits");
	print_message("# p99 is %.1f times that of a reader alone without limits, %.1f times with\n",
		      (double)without.p99 / alone.p99, (double)with.p99 / alone.p99);
	assert_true(2 * with.p50 < without.p50);
	assert_true(with.p99 < without.p99);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(limits_help) };

	return cmocka_run_group_tests_name("fair", tests, setup, teardown);
}
