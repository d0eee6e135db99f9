// SPDX-License-Identifier: GPL-2.0
/*
 * The lookups of one thread of carom bench, on backends that the test plays: when they begin, what
 * counts as their latency, and what of the answers is found wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "../../user/cli/batch.h"
#include "../../user/cli/bench.h"

#define MS	1000000ULL
#define DEPTH	4

static struct bench_key key = {
	.data = "key", .len = 3, .present = true, .value_len = 5, .head = "value",
};
static struct bench_keys keys = { .keys = &key, .nr = 1, .entries = 1 };
static struct bench_opts opts;
static struct bench_run run = { .opts = &opts, .keys = &keys };
static struct bench_flight flights[DEPTH];
static unsigned int free_tags[DEPTH];
static struct bench_lane lane;

/* What the backend does: its answer, and the lookup that takes long. */
static struct bench_answer answer;
static unsigned int nr, stall_at, drops;
static uint64_t stall_ns;

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int bench_cold_drop(struct bench_run *r)
{
	(void)r;
	drops++;
	return 0;
}

static void take(uint64_t ns)
{
	struct timespec ts = { .tv_sec = 0, .tv_nsec = (long)ns };

	nanosleep(&ts, NULL);
}

static void get(struct bench_lane *l, const struct bench_key *k, struct bench_answer *a)
{
	assert_ptr_equal(l, &lane);
	assert_ptr_equal(k, &key);
	if (++nr == stall_at)
		take(stall_ns);
	*a = answer;
}

/* Those in flight, by tag. */
static bool flying[DEPTH];
static unsigned int most, submit_error;

static int submit(struct bench_lane *l, const struct bench_key *k, unsigned int tag)
{
	unsigned int i, now = 0;

	assert_ptr_equal(k, &key);
	assert_true(tag < l->depth);
	assert_false(flying[tag]);
	if (++nr == submit_error)
		return -EIO;
	flying[tag] = true;
	for (i = 0; i < DEPTH; i++)
		now += flying[i];
	most = now > most ? now : most;
	return 0;
}

/* The second one first, where there are several. */
static int reap(struct bench_lane *l, uint64_t ns)
{
	unsigned int i, tag = DEPTH;

	for (i = 0; i < DEPTH; i++)
		tag = flying[i] ? i : tag;
	assert_true(tag < DEPTH);
	if (nr >= stall_at && stall_at && stall_ns) {
		take(stall_ns);
		stall_ns = 0;
	}
	(void)ns;
	flying[tag] = false;
	bench_lane_answer(l, tag, &answer);
	return 0;
}

static const struct bench_backend one_by_one = { .get = get };
static const struct bench_backend cold = { .get = get, .flags = BENCH_COLD };
static const struct bench_backend in_flight = {
	.submit = submit, .reap = reap, .flags = BENCH_ASYNC,
};

static int reset(void **state)
{
	unsigned int i;

	(void)state;
	memset(&lane, 0, sizeof(lane));
	memset(flying, 0, sizeof(flying));
	for (i = 0; i < DEPTH; i++)
		free_tags[i] = i;
	lane.run = &run;
	lane.flights = flights;
	lane.free = free_tags;
	lane.rng = rng_new(1, 1);
	opts = (struct bench_opts){ .poisson = false };
	key.present = true;
	answer = (struct bench_answer){ .val = { .data = "value", .len = 5 } };
	nr = stall_at = drops = most = submit_error = 0;
	stall_ns = 0;
	return 0;
}

/* @rate 0: closed loop. Either @ns or @count are forever. */
static void work(const struct bench_backend *be, unsigned int depth, double rate, uint64_t ns,
		 uint64_t count)
{
	run.be = be;
	opts.rate = rate;
	lane.depth = depth;
	lane.phase = (struct bench_phase){ .start = now_ns(), .left = count };
	lane.phase.end = ns == BENCH_FOREVER ? ns : lane.phase.start + ns;
	arrivals_init(&lane.phase.arrivals, rng_new(1, 1), rate > 0 ? 1e9 / rate : 0, false, 0);
	bench_lane_run(&lane);
}

static void counts(void **state)
{
	(void)state;
	work(&one_by_one, 1, 0, BENCH_FOREVER, 1000);
	assert_int_equal(nr, 1000);
	assert_int_equal(lane.totals.lookups, 1000);
	assert_int_equal(lane.totals.hist.count, 1000);
	assert_int_equal(lane.totals.wrong + lane.totals.errors + lane.totals.misses, 0);
	assert_int_equal(lane.began, 1000);
}

static void ends_in_time(void **state)
{
	uint64_t start = now_ns();

	(void)state;
	work(&one_by_one, 1, 0, 50 * MS, UINT64_MAX);
	assert_in_range(now_ns() - start, 50 * MS, 5000 * MS);
	assert_true(lane.totals.lookups > 100);
}

static void keeps_the_rate(void **state)
{
	uint64_t start = now_ns();

	(void)state;
	work(&one_by_one, 1, 1000, BENCH_FOREVER, 101);
	assert_in_range(now_ns() - start, 100 * MS, 5000 * MS);
	assert_int_equal(lane.totals.lookups, 101);
}

/*
 * A stall of 300 ms at 1000 a second: the 300 whose time it was have waited, the first longest.
 * In a closed loop nobody else is asked for meanwhile.
 */
static void stall_counts_for_all(void **state)
{
	(void)state;
	stall_at = 100;
	stall_ns = 300 * MS;
	work(&one_by_one, 1, 1000, BENCH_FOREVER, 1000);
	assert_true(hist_percentile(&lane.totals.hist, 75) > 20 * MS);
	assert_true(hist_percentile(&lane.totals.hist, 90) > 150 * MS);
	assert_true(lane.totals.hist.max >= 300 * MS);
}

static void stall_in_a_closed_loop(void **state)
{
	(void)state;
	stall_at = 100;
	stall_ns = 300 * MS;
	work(&one_by_one, 1, 0, BENCH_FOREVER, 1000);
	assert_true(hist_percentile(&lane.totals.hist, 90) < 150 * MS);
	assert_true(lane.totals.hist.max >= 300 * MS);
}

static void stall_with_several_in_flight(void **state)
{
	(void)state;
	stall_at = 100;
	stall_ns = 300 * MS;
	work(&in_flight, DEPTH, 1000, BENCH_FOREVER, 1000);
	assert_true(hist_percentile(&lane.totals.hist, 90) > 150 * MS);
	assert_int_equal(lane.totals.lookups, 1000);
	assert_in_range(most, 1, DEPTH);
}

/* Those that had their time while nothing was looked up are not forgotten. */
static void unstarted(void **state)
{
	(void)state;
	stall_at = 10;
	stall_ns = 500 * MS;
	work(&one_by_one, 1, 1000, 100 * MS, UINT64_MAX);
	assert_int_equal(lane.totals.lookups, 10);
	assert_in_range(lane.totals.unstarted, 89, 90);
}

static void as_many_in_flight(void **state)
{
	(void)state;
	work(&in_flight, DEPTH, 0, BENCH_FOREVER, 1001);
	assert_int_equal(nr, 1001);
	assert_int_equal(most, DEPTH);
	assert_int_equal(lane.totals.lookups, 1001);
	assert_int_equal(lane.in_flight, 0);
}

static void a_lane_that_fails(void **state)
{
	(void)state;
	submit_error = 7;
	work(&in_flight, DEPTH, 0, BENCH_FOREVER, 1000);
	assert_int_equal(lane.failed, -EIO);
	assert_int_equal(nr, 7);
}

static void drops_before_each(void **state)
{
	(void)state;
	work(&cold, 1, 0, BENCH_FOREVER, 20);
	assert_int_equal(drops, 20);
	assert_int_equal(lane.totals.lookups, 20);
	assert_true(lane.totals.busy_ns >= lane.totals.hist.sum);
}

/* ---- answers ---- */

static void check_wrong(unsigned int wrong, unsigned int misses, unsigned int errors)
{
	work(&one_by_one, 1, 0, BENCH_FOREVER, 5);
	assert_int_equal(lane.totals.wrong, wrong);
	assert_int_equal(lane.totals.misses, misses);
	assert_int_equal(lane.totals.errors, errors);
	assert_true(!lane.why[0] == !(wrong || errors));
}

static void not_found_though_there(void **state)
{
	(void)state;
	answer.ret = CAROM_NOTFOUND;
	check_wrong(5, 5, 0);
}

static void not_found_as_expected(void **state)
{
	(void)state;
	answer.ret = CAROM_NOTFOUND;
	key.present = false;
	check_wrong(0, 5, 0);
}

static void found_though_absent(void **state)
{
	(void)state;
	key.present = false;
	check_wrong(5, 0, 0);
}

static void another_value(void **state)
{
	(void)state;
	answer.val.data = "valve";
	check_wrong(5, 0, 0);
}

static void another_length(void **state)
{
	(void)state;
	answer.val.data = "values";
	answer.val.len = 6;
	check_wrong(5, 0, 0);
}

static void an_error(void **state)
{
	(void)state;
	answer = (struct bench_answer){ .ret = -EIO, .why = "the disk is on fire" };
	check_wrong(0, 0, 5);
	assert_string_equal(lane.why, "key key: the disk is on fire");
}

#define TEST(name)	cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts), TEST(ends_in_time), TEST(keeps_the_rate),
		TEST(stall_counts_for_all), TEST(stall_in_a_closed_loop),
		TEST(stall_with_several_in_flight), TEST(unstarted), TEST(as_many_in_flight),
		TEST(a_lane_that_fails), TEST(drops_before_each), TEST(not_found_though_there),
		TEST(not_found_as_expected), TEST(found_though_absent), TEST(another_value),
		TEST(another_length), TEST(an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
