// SPDX-License-Identifier: GPL-2.0
/* Lookups through an io_uring of every kind: each gets its own answer, or a clear refusal. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

#define CHASE	VM_FILE("async.chase")
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
	ring_set_requests(0);
	engine_unload(&chase);
	unlink(CHASE);
	return 0;
}

/* ---- rings ---- */

static void flavours(void **state)
{
	bool polls = ring_device_polls();
	struct carom_stats st;
	struct bench b;
	struct ring r;
	unsigned int i;

	(void)state;
	print_message("# the device has %spoll queues\n", polls ? "" : "no ");
	for (i = 0; i < RING_FLAVOURS; i++) {
		bench_open(&b, CHASE, SLOTS);
		ring_open(&r, &b.e, &ring_flavours[i], SLOTS);
		bench_run(&b, &r, 0, SLOTS, 300, 8);
		st = vm_stats(&b.e);
		assert_int_equal(st.lookups, 300);
		assert_int_equal(st.ends[CAROM_END_DONE], 300);
		assert_int_equal(st.polls, polls && ring_polls(&r) ? 300 : 0);
		ring_close(&r);
		/* The synchronous way goes on working beside it, and leaves the results alone. */
		vm_walks(&b.e, CHASE, 1, 3, 1);
		assert_int_equal(b.results[0].sequence, b.sequence[0]);
		bench_close(&b);
	}
}

/* More than the device takes at once, so that most of them wait for their turn. */
static void thousands(void **state)
{
	static const unsigned int kinds[] = { 0, 2, 4 };
	/* All begin at once, so the last one's deadline is for what the others take, too. */
	const unsigned int slots = getenv("CAROM_SLOW") ? 1024 : CAROM_MAX_SLOTS;
	unsigned int i, k, overtaken = 0;
	__u64 slot, last;
	struct bench b;
	struct ring r;
	int res;

	(void)state;
	bench_open(&b, CHASE, slots);
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		ring_open(&r, &b.e, &ring_flavours[kinds[k]], slots);
		for (i = 0; i < slots; i++)
			ring_lookup(&r, i, 0, bench_ask(&b, i, i * 7, 1 + (i * 5) % 6));
		ring_submit(&r);
		for (i = 0, last = 0; i < slots; i++) {
			res = ring_wait(&r, &slot);
			bench_check(&b, (__u32)slot, res);
			overtaken += slot < last;
			last = slot;
		}
		ring_close(&r);
	}
	assert_true(overtaken > 0);
	assert_int_equal(vm_stats(&b.e).ends[CAROM_END_DONE], ARRAY_SIZE(kinds) * slots);
	bench_close(&b);
}

struct thread {
	pthread_t id;
	struct bench *b;
	unsigned int nr;
};

static void *thread_of_its_own(void *arg)
{
	struct thread *t = arg;
	struct ring r;

	ring_open(&r, &t->b->e, &ring_flavours[t->nr % RING_FLAVOURS], SLOTS);
	bench_run(t->b, &r, t->nr * SLOTS, SLOTS, 200, 6);
	ring_close(&r);
	return NULL;
}

/* cmocka's failures end a thread no less than a test. */
static void rings_and_threads(void **state)
{
	struct thread t[RING_FLAVOURS];
	struct carom_stats st;
	struct bench b;
	unsigned int i;

	(void)state;
	bench_open(&b, CHASE, SLOTS * RING_FLAVOURS);
	for (i = 0; i < RING_FLAVOURS; i++) {
		t[i] = (struct thread) { .b = &b, .nr = i };
		assert_int_equal(pthread_create(&t[i].id, NULL, thread_of_its_own, &t[i]), 0);
	}
	for (i = 0; i < RING_FLAVOURS; i++)
		pthread_join(t[i].id, NULL);
	st = vm_stats(&b.e);
	assert_int_equal(st.lookups, 200 * RING_FLAVOURS);
	assert_int_equal(st.ends[CAROM_END_DONE], 200 * RING_FLAVOURS);
	bench_close(&b);
}

static void sessions_and_ring(void **state)
{
	struct bench b[4];
	unsigned int i, round;
	__u64 slot, start;
	struct ring r;
	int res;

	(void)state;
	for (i = 0; i < 4; i++)
		bench_open(&b[i], CHASE, 1);
	ring_open(&r, &b[0].e, &ring_flavours[0], 16);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 4; i++) {
			start = bench_ask(&b[i], 0, round * 4 + i, 1 + (round + i) % 9);
			ring_command(&r, CAROM_URING_LOOKUP, 0, 0, start, i)->fd = b[i].e.fd;
		}
		ring_submit(&r);
		for (i = 0; i < 4; i++) {
			res = ring_wait(&r, &slot);
			bench_check(&b[slot], 0, res);
		}
	}
	ring_close(&r);
	for (i = 0; i < 4; i++)
		bench_close(&b[i]);
}

/* ---- what does not go at once ---- */

/* A chain of the most hops that there are is still in its slot at the end. */
static void slot_busy(void **state)
{
	struct carom_lookup res;
	__u64 data;
	struct bench b;
	struct ring r;
	unsigned int i;

	(void)state;
	vm_read_latency(10000);
	for (i = 0; i < RING_FLAVOURS; i++) {
		bench_open(&b, CHASE, 2);
		ring_open(&r, &b.e, &ring_flavours[i], 8);
		ring_lookup(&r, 0, 0, bench_ask(&b, 0, 0, ~0U));
		ring_submit(&r);
		/* SQPOLL has a thread of its own that takes it up sometime. */
		vm_sleep_ms(20);
		assert_int_equal(engine_lookup(&b.e, 0, 0, &res), -EBUSY);
		assert_int_equal(ring_call(&r, CAROM_URING_LOOKUP, 0, 0, 0), -EBUSY);
		assert_int_equal(ring_call(&r, CAROM_URING_LOOKUP, 0, CAROM_LOOKUP_NOWAIT, 0),
				 -EBUSY);
		bench_run(&b, &r, 1, 1, 5, 4);
		assert_int_equal(ring_cancel(&r, 0), 0);
		assert_int_equal(ring_wait(&r, &data), CAROM_END_CANCELED);
		assert_int_equal(data, 0);
		bench_run(&b, &r, 1, 1, 1, 4);
		b.sequence[0]++;
		bench_run(&b, &r, 0, 1, 2, 4);
		ring_close(&r);
		bench_close(&b);
	}
	vm_read_latency(0);
}

/* Cancel what has a depth, and count what ends. Some of it may be refused before. */
static unsigned int cancel_rest(struct bench *b, struct ring *r, unsigned int slots)
{
	unsigned int i, sent = 0, wait = 0, ended = 0, canceled = 0;
	__u64 data;
	int res;

	for (i = 0; i < slots; i++) {
		if (!b->depth[i])
			continue;
		ring_command(r, CAROM_URING_CANCEL, i, 0, 0, ~0ULL);
		wait += 2;
	}
	ring_submit(r);
	while (wait--) {
		res = ring_wait(r, &data);
		if (data == ~0ULL) {
			assert_true(res == 0 || res == -ENOENT);
			sent += res == 0;
			continue;
		}
		ended++;
		assert_true(res == -EAGAIN || res == CAROM_END_CANCELED ||
			    res == CAROM_END_HOPS || res == CAROM_END_DEADLINE);
		canceled += res == CAROM_END_CANCELED;
	}
	/* What is canceled while it is being refused is refused. */
	assert_in_range(sent, canceled, ended);
	return ended;
}

/* Four requests and forty chains that do not end by themselves before they are canceled. */
static void full_queue(void **state)
{
	unsigned int i, k, refused;
	struct carom_lookup look;
	__u64 slot = 0;
	struct bench b;
	struct ring r;

	(void)state;
	vm_read_latency(10000);
	ring_set_requests(4);
	for (k = 0; k < RING_FLAVOURS; k++) {
		if (ring_flavours[k].setup & IORING_SETUP_SQPOLL)
			continue;
		bench_open(&b, CHASE, 40);
		ring_open(&r, &b.e, &ring_flavours[k], 64);
		for (i = 0; i < 40; i++)
			ring_lookup(&r, i, CAROM_LOOKUP_NOWAIT, bench_ask(&b, i, i, ~0U));
		ring_submit(&r);
		/* What is refused is told at once, the rest only when it is canceled. */
		for (refused = 0; refused < 30; refused++) {
			assert_int_equal(ring_wait(&r, &slot), -EAGAIN);
			assert_int_equal(b.results[slot].sequence, 0);
			b.depth[slot] = 0;
		}
		look = (struct carom_lookup) { .slot = (__u32)slot, .flags = CAROM_LOOKUP_NOWAIT };
		if (!ring_polls(&r))
			assert_errno(ioctl(b.e.fd, CAROM_IOC_LOOKUP, &look), EAGAIN);
		assert_int_equal(cancel_rest(&b, &r, 40), 40 - refused);
		ring_close(&r);
		bench_close(&b);
	}
	ring_set_requests(0);
	vm_read_latency(0);
}

/* Without NOWAIT they wait, and each gets its answer. */
static void waits_for_its_turn(void **state)
{
	struct bench b;
	struct ring r;
	unsigned int i;

	(void)state;
	ring_set_requests(4);
	for (i = 0; i < RING_FLAVOURS; i++) {
		bench_open(&b, CHASE, 64);
		ring_open(&r, &b.e, &ring_flavours[i], 64);
		bench_run(&b, &r, 0, 64, 200, 6);
		ring_close(&r);
		bench_close(&b);
	}
	ring_set_requests(0);
}

static void lookup_by_worker(struct ring *r, __u32 slot, __u32 flags, __u64 offset)
{
	ring_command(r, CAROM_URING_LOOKUP, slot, flags, offset, slot)->flags |= IOSQE_ASYNC;
}

/*
 * Until one has been refused. A ring that polls holds its lock until something has ended, and its
 * workers wait for that, so long chains can end before. Returns how many have ended.
 */
static unsigned int wait_for_refusal(struct bench *b, struct ring *r)
{
	unsigned int ended = 0;
	__u64 slot;
	int res;

	do {
		res = ring_wait(r, &slot);
		b->depth[slot] = 0;
		ended++;
	} while (ring_polls(r) && (res == CAROM_END_HOPS || res == CAROM_END_DEADLINE));
	assert_int_equal(res, -EAGAIN);
	return ended;
}

/* IOSQE_ASYNC: a worker of the ring's sends them, and refuses them, and has no tag for them. */
static void through_workers(void **state)
{
	unsigned int i, k, wait, ended;
	struct bench b;
	struct ring r;
	__u64 slot;
	int res;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		bench_open(&b, CHASE, SLOTS);
		ring_open(&r, &b.e, &ring_flavours[k], 2 * SLOTS);
		for (i = 0; i < 10 * SLOTS; i += SLOTS) {
			for (slot = 0; slot < SLOTS; slot++)
				lookup_by_worker(&r, (__u32)slot, 0,
						 bench_ask(&b, slot, i + slot, 1 + slot % 5));
			ring_submit(&r);
			for (wait = 0; wait < SLOTS; wait++) {
				res = ring_wait(&r, &slot);
				bench_check(&b, (__u32)slot, res);
			}
		}
		lookup_by_worker(&r, 1, 0, ~0ULL);
		ring_submit(&r);
		assert_int_equal(ring_wait(&r, NULL), CAROM_END_RANGE);
		ring_set_requests(4);
		for (i = 0; i < SLOTS; i++)
			lookup_by_worker(&r, i, CAROM_LOOKUP_NOWAIT, bench_ask(&b, i, i, ~0U));
		ring_submit(&r);
		ended = wait_for_refusal(&b, &r);
		assert_int_equal(cancel_rest(&b, &r, SLOTS), SLOTS - ended);
		ring_set_requests(0);
		ring_close(&r);
		bench_close(&b);
	}
}

/* Long chains that go back to their ring at almost every hop, with and without room to go on. */
static void yields(void **state)
{
	static const unsigned int requests[] = { 0, 4 };
	struct carom_stats st;
	unsigned int i, k;
	struct bench b;
	struct ring r;

	(void)state;
	ring_set_budget(1);
	for (k = 0; k < ARRAY_SIZE(requests); k++) {
		ring_set_requests(requests[k]);
		for (i = 0; i < RING_FLAVOURS; i++) {
			bench_open(&b, CHASE, 32);
			ring_open(&r, &b.e, &ring_flavours[i], 32);
			bench_run(&b, &r, 0, 32, 64, 50);
			st = vm_stats(&b.e);
			assert_int_equal(st.ends[CAROM_END_DONE], 64);
			assert_true(st.yields > 0);
			assert_int_equal(st.hops, st.lookups + st.resubmits + st.yields);
			ring_close(&r);
			bench_close(&b);
		}
	}
	ring_set_requests(0);
	ring_set_budget(0);
}

/*
 * A chain of one polling ring yields while another ring looks once, whose lookups then have all
 * tags of the poll queue, and nobody looks for them any more. It must not wait for those.
 */
static void tags_of_others(void **state)
{
	const unsigned int others = 8, depth = 20;
	struct ring r, other;
	unsigned int i;
	struct bench b;
	__u64 slot;
	int res;

	(void)state;
	ring_set_requests(4);
	ring_set_budget(1);
	vm_sh("echo 0 >/sys/module/nvme/parameters/chain_budget");
	bench_open(&b, CHASE, 1 + others);
	ring_open(&r, &b.e, &ring_flavours[4], 4);
	ring_open(&other, &b.e, &ring_flavours[4], 2 * others);
	ring_lookup(&r, 0, 0, bench_ask(&b, 0, 0, depth));
	ring_submit(&r);
	/* Three get a tag, the workers of the others wait for the one that the chain gives back. */
	for (i = 1; i <= others; i++)
		lookup_by_worker(&other, i, 0, bench_ask(&b, i, i, 3));
	ring_submit(&other);
	vm_sleep_ms(200);
	assert_in_range(io_uring_get_events(&other.uring), 0, others);
	vm_sleep_ms(200);
	res = ring_wait(&r, &slot);
	bench_check(&b, (__u32)slot, res);
	for (i = 0; i < others; i++) {
		res = ring_wait(&other, &slot);
		bench_check(&b, (__u32)slot, res);
	}
	ring_close(&other);
	ring_close(&r);
	bench_close(&b);
	ring_set_budget(0);
	ring_set_requests(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flavours),
		cmocka_unit_test(thousands),
		cmocka_unit_test(rings_and_threads),
		cmocka_unit_test(sessions_and_ring),
		cmocka_unit_test(slot_busy),
		cmocka_unit_test(full_queue),
		cmocka_unit_test(waits_for_its_turn),
		cmocka_unit_test(through_workers),
		cmocka_unit_test(yields),
		cmocka_unit_test(tags_of_others),
	};

	return cmocka_run_group_tests_name("async", tests, setup, teardown);
}
