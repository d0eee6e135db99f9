// SPDX-License-Identifier: GPL-2.0
/* Callers that poll for their lookups, on a device with poll queues or without. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define CHASE	VM_FILE("poll.chase")
#define SLOTS	16

static struct engine_walker chase;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, BENCH_NODES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_set_budget(0);
	engine_unload(&chase);
	unlink(CHASE);
	return 0;
}

struct poller {
	pthread_t id;
	struct bench *b;
	unsigned int nr;
};

static void walk_with(struct bench *b, __u32 slot, __u32 flags, __u32 start, __u32 depth)
{
	struct carom_lookup look = {
		.slot = slot, .flags = flags, .offset = bench_ask(b, slot, start, depth),
	};
	const struct chase_query *query = engine_scratch(&b->e, slot);
	__u32 want = b->start[slot], i;

	for (i = 1; i < depth; i++)
		want = b->next[want];
	assert_sys(ioctl(b->e.fd, CAROM_IOC_LOOKUP, &look));
	assert_int_equal(look.end, CAROM_END_DONE);
	assert_int_equal(look.hops, depth);
	assert_int_equal(look.at, want * 4096);
	assert_int_equal(query->id, want);
}

static void polled(void **state)
{
	static const __u32 flags[] = {
		CAROM_LOOKUP_POLL, CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID, CAROM_LOOKUP_NOWAIT,
		CAROM_LOOKUP_POLL | CAROM_LOOKUP_NOWAIT,
		CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID | CAROM_LOOKUP_NOWAIT,
	};
	bool polls = ring_device_polls();
	unsigned int i, k, want = 0;
	struct bench b;

	(void)state;
	bench_open(&b, CHASE, 1);
	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		for (i = 0; i < 60; i++)
			walk_with(&b, 0, flags[k], i * 3, 1 + i % 12);
		want += polls && (flags[k] & CAROM_LOOKUP_POLL) ? 60 : 0;
		assert_int_equal(vm_stats(&b.e).polls, want);
	}
	/* A chain that yields goes on as it began. */
	ring_set_budget(1);
	for (i = 0; i < 20; i++)
		walk_with(&b, 0, flags[i % 2], i * 3, 30);
	ring_set_budget(0);
	assert_int_equal(vm_stats(&b.e).polls, want + (polls ? 20 : 0));
	bench_close(&b);
}

static void *poll_for_a_while(void *arg)
{
	struct poller *t = arg;
	unsigned int i;

	for (i = 0; i < 100; i++)
		walk_with(t->b, t->nr, t->nr == 3 ? 0 : t->nr & 1 ? 3 : 1, i * 5 + t->nr,
			  1 + i % 7);
	return NULL;
}

/* They take each other's hops, and the ring's beside them. */
static void pollers(void **state)
{
	struct poller t[4];
	struct bench b;
	struct ring r;
	unsigned int i;

	(void)state;
	bench_open(&b, CHASE, 4 + SLOTS);
	for (i = 0; i < 4; i++) {
		t[i] = (struct poller) { .b = &b, .nr = i };
		assert_int_equal(pthread_create(&t[i].id, NULL, poll_for_a_while, &t[i]), 0);
	}
	ring_open(&r, &b.e, &ring_flavours[4], SLOTS);
	bench_run(&b, &r, 4, SLOTS, 200, 7);
	for (i = 0; i < 4; i++)
		pthread_join(t[i].id, NULL);
	ring_close(&r);
	assert_int_equal(vm_stats(&b.e).ends[CAROM_END_DONE], 600);
	assert_int_equal(vm_stats(&b.e).polls, ring_device_polls() ? 500 : 0);
	bench_close(&b);
}

/* Who is killed while he polls has one read left to poll for. */
static void killed(void **state)
{
	static const __u32 flags[] = { CAROM_LOOKUP_POLL, CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID };
	struct carom_lookup look = { };
	unsigned int k;
	struct bench b;
	int status;
	pid_t pid;

	(void)state;
	/* 4096 hops, which is all that there may be, take longer than the wait below. */
	vm_read_latency(1000);
	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		bench_open(&b, CHASE, 1);
		look.flags = flags[k];
		look.offset = bench_ask(&b, 0, 0, ~0U);
		fflush(NULL);
		pid = fork();
		if (!pid) {
			while (!ioctl(b.e.fd, CAROM_IOC_LOOKUP, &look))
				;
			_exit(0);
		}
		vm_sleep_ms(getenv("CAROM_SLOW") ? 1500 : 200);
		assert_sys(kill(pid, SIGKILL));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(vm_stats(&b.e).ends[CAROM_END_CANCELED], 1);
		walk_with(&b, 0, flags[k], 3, 4);
		bench_close(&b);
	}
	vm_read_latency(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polled),
		cmocka_unit_test(pollers),
		cmocka_unit_test(killed),
	};

	return cmocka_run_group_tests_name("poll", tests, setup, teardown);
}
