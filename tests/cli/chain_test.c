// SPDX-License-Identifier: GPL-2.0
/*
 * The user-space chain runner: what it follows, where it stops, and how it says so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "lib.h"

#define NODE	1024
#define NODES	8

/* A file in memory; the first eight bytes of a node are what the step returns. */
static __u8 file[NODES * NODE + 100];
static __u64 file_size;
static int read_error;
static __u8 node[NODE];
static __u32 seen[64];
static unsigned int nr_seen;

static __s64 step(struct carom_hop *hop)
{
	__s64 ret;

	assert_true(nr_seen < 64);
	assert_ptr_equal(hop->node, node);
	assert_int_equal(hop->node_size, NODE);
	seen[nr_seen++] = hop->index;
	memcpy(&ret, carom_node(hop, NODE), sizeof(ret));
	carom_scratch(hop, 4)[0]++;
	return ret;
}

static const struct carom_native_walker walker = {
	.name = "test", .node_size = NODE, .scratch_size = 4, .step = step,
};

static int read_node(void *ctx, __u64 offset)
{
	assert_null(ctx);
	if (read_error)
		return read_error;
	/* The runner must have asked first. */
	assert_true(offset + NODE <= file_size);
	memcpy(node, file + offset, NODE);
	return 0;
}

static bool within(void *ctx, __u64 end)
{
	assert_null(ctx);
	return end <= file_size;
}

static __u8 scratch[4];

static int run(struct carom_lookup *res, __u64 at, __u32 hops, __u32 max_hops)
{
	const struct carom_chain chain = {
		.walker = &walker, .node = node, .scratch = scratch,
		.scratch_size = sizeof(scratch), .max_hops = max_hops,
		.read = read_node, .within = within,
	};

	*res = (struct carom_lookup){ .at = at, .hops = hops };
	return carom_chain_run(&chain, res);
}

static void put(unsigned int index, __s64 ret)
{
	memcpy(file + index * NODE, &ret, sizeof(ret));
}

static int setup(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	memset(scratch, 0, sizeof(scratch));
	file_size = NODES * NODE;
	read_error = 0;
	nr_seen = 0;
	return 0;
}

static void test_follows_to_the_answer(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(0, 5 * NODE);
	put(5, 2 * NODE);
	put(2, CAROM_STEP_DONE);
	assert_int_equal(run(&res, 0, 0, 10), 0);
	assert_int_equal(res.end, CAROM_END_DONE);
	assert_int_equal(res.hops, 3);
	assert_int_equal(res.at, 2 * NODE);
	assert_int_equal(scratch[0], 3);
	assert_int_equal(seen[2], 2);
}

static void test_miss(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(1, CAROM_STEP_MISS);
	assert_int_equal(run(&res, NODE, 0, 10), 0);
	assert_int_equal(res.end, CAROM_END_MISS);
	assert_int_equal(res.hops, 1);
	assert_int_equal(res.at, NODE);
}

static void test_walker_codes(void **state)
{
	static const int codes[] = { 0, 1, 77, 65535 };
	struct carom_lookup res;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		put(0, CAROM_STEP_FAIL(codes[i]));
		assert_int_equal(run(&res, 0, 0, 10), 0);
		assert_int_equal(res.end, CAROM_END_WALKER);
		assert_int_equal(res.code, codes[i]);
	}
}

static void test_bad_returns(void **state)
{
	static const __s64 bad[] = {
		-3, -65535, CAROM_STEP_FAIL(0) + 1, CAROM_STEP_FAIL(65535) - 1, INT64_MIN,
	};
	struct carom_lookup res;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		put(0, bad[i]);
		assert_int_equal(run(&res, 0, 0, 10), -EPROTO);
		assert_int_equal(res.end, CAROM_END_BAD_RETURN);
		assert_int_equal(res.hops, 1);
	}
}

static void test_cycle_ends_at_hop_limit(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(0, NODE);
	put(1, 0);
	assert_int_equal(run(&res, 0, 0, 7), -ELOOP);
	assert_int_equal(res.end, CAROM_END_HOPS);
	assert_int_equal(res.hops, 7);
	assert_int_equal(nr_seen, 7);
	assert_int_equal(res.at, NODE);
}

static void test_answer_on_the_last_hop(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(0, NODE);
	put(1, CAROM_STEP_DONE);
	assert_int_equal(run(&res, 0, 0, 2), 0);
	assert_int_equal(res.end, CAROM_END_DONE);
	setup(state);
	put(0, NODE);
	put(1, CAROM_STEP_DONE);
	assert_int_equal(run(&res, 0, 0, 1), -ELOOP);
	assert_int_equal(res.at, NODE);
}

static void test_unaligned(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(0, 511);
	assert_int_equal(run(&res, 0, 0, 10), -EINVAL);
	assert_int_equal(res.end, CAROM_END_UNALIGNED);
	assert_int_equal(res.at, 511);
	assert_int_equal(res.hops, 1);
	assert_int_equal(run(&res, 8, 0, 10), -EINVAL);
	assert_int_equal(res.hops, 0);
}

/* 512 is enough: a node need not be aligned to its own size. */
static void test_aligned_to_512(void **state)
{
	__s64 done = CAROM_STEP_DONE;
	struct carom_lookup res;

	(void)state;
	put(0, NODE + 512);
	memcpy(file + NODE + 512, &done, sizeof(done));
	assert_int_equal(run(&res, 0, 0, 10), 0);
	assert_int_equal(res.at, NODE + 512);
}

static void test_end_of_file(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(0, (NODES - 1) * NODE);
	put(NODES - 1, CAROM_STEP_DONE);
	assert_int_equal(run(&res, 0, 0, 10), 0);
	file_size--;
	assert_int_equal(run(&res, 0, 0, 10), -ENODATA);
	assert_int_equal(res.end, CAROM_END_RANGE);
	assert_int_equal(res.at, (NODES - 1) * NODE);
	put(0, INT64_MAX - 511);
	assert_int_equal(run(&res, 0, 0, 10), -ENODATA);
	/* offset + node size wraps around to 512 */
	assert_int_equal(run(&res, 0ULL - 512, 0, 10), -ENODATA);
	assert_int_equal(res.end, CAROM_END_RANGE);
	assert_int_equal(res.hops, 0);
}

static void test_read_errors(void **state)
{
	struct carom_lookup res;

	(void)state;
	read_error = -EIO;
	assert_int_equal(run(&res, NODE, 0, 10), -EIO);
	assert_int_equal(res.end, CAROM_END_IO);
	assert_int_equal(res.at, NODE);
	assert_int_equal(res.hops, 0);
	/* The file shrank between the question and the read. */
	read_error = -ENODATA;
	assert_int_equal(run(&res, NODE, 0, 10), -ENODATA);
	assert_int_equal(res.end, CAROM_END_RANGE);
}

static void test_carries_on(void **state)
{
	struct carom_lookup res;

	(void)state;
	put(3, 4 * NODE);
	put(4, CAROM_STEP_DONE);
	assert_int_equal(run(&res, 3 * NODE, 5, 7), 0);
	assert_int_equal(res.hops, 7);
	assert_int_equal(seen[0], 5);
	assert_int_equal(seen[1], 6);
	/* One hop less than it needs. */
	assert_int_equal(run(&res, 3 * NODE, 6, 7), -ELOOP);
	/* None left: not even a read. */
	read_error = -EIO;
	assert_int_equal(run(&res, 3 * NODE, 7, 7), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_follows_to_the_answer, setup),
		cmocka_unit_test_setup(test_miss, setup),
		cmocka_unit_test_setup(test_walker_codes, setup),
		cmocka_unit_test_setup(test_bad_returns, setup),
		cmocka_unit_test_setup(test_cycle_ends_at_hop_limit, setup),
		cmocka_unit_test_setup(test_answer_on_the_last_hop, setup),
		cmocka_unit_test_setup(test_unaligned, setup),
		cmocka_unit_test_setup(test_aligned_to_512, setup),
		cmocka_unit_test_setup(test_end_of_file, setup),
		cmocka_unit_test_setup(test_read_errors, setup),
		cmocka_unit_test_setup(test_carries_on, setup),
	};

	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
