// SPDX-License-Identifier: GPL-2.0
/* Every way in which a chain can end by itself: the reason, the hops, the code, the place. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vm.h"
#include "walkers/fate.h"

#define NODES	64
#define CHASE	VM_FILE("end.chase")
#define HOLES	VM_FILE("end.holes")

static struct engine_walker chase, fate;
static struct engine e;
static int fd;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_load(&fate, "fate");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	fd = vm_open(CHASE, O_RDONLY);
	vm_session(&e, CHASE, "fate", 4096, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_close(&e);
	close(fd);
	engine_unload(&chase);
	engine_unload(&fate);
	unlink(CHASE);
	unlink(HOLES);
	return 0;
}

/* Follow @hops nodes from @start and return @ret at the next. */
static struct carom_lookup run_in(const struct engine *s, __u64 start, __u32 hops, __s64 ret)
{
	struct fate_query *query = engine_scratch(s, 0);

	*query = (struct fate_query) { .hops = hops, .ret = ret };
	return vm_lookup(s, 0, start);
}

static void check(const struct carom_lookup *res, __u32 end, __u32 hops, __s32 code, __u64 at)
{
	if (res->end == end && res->hops == hops && res->code == code && res->at == at)
		return;
	fail_msg("end %u, hops %u, code %d, at %llu instead of end %u, hops %u, code %d, at %llu",
		 res->end, res->hops, res->code, res->at, end, hops, code, at);
}

/* Where the walk of @depth nodes from @start ends. */
static __u64 place(__u64 start, unsigned int depth)
{
	__u64 id;

	assert_ok(chase_expect(fd, start, depth, &id));
	return id * 4096;
}

static void check_run(__u64 start, __u32 hops, __s64 ret, __u32 end, __s32 code)
{
	const struct fate_query *query = engine_scratch(&e, 0);
	struct carom_lookup res = run_in(&e, start, hops, ret);
	__u64 last = place(start, hops + 1);

	check(&res, end, hops + 1, code, ret < 0 ? last : (__u64)ret);
	assert_int_equal(query->index, hops);
	assert_int_equal(query->offset, last);
	assert_int_equal(query->node_size, 4096);
	assert_int_equal(query->id, last / 4096);
	assert_memory_equal(engine_node(&e, 0), &query->id, sizeof(query->id));
}

/* The walker's word at the first node, the second, and deeper down. */
static void check_everywhere(__s64 ret, __u32 end, __s32 code)
{
	check_run(4096, 0, ret, end, code);
	check_run(8192, 1, ret, end, code);
	check_run(0, 9, ret, end, code);
}

static void done_and_miss(void **state)
{
	(void)state;
	check_everywhere(CAROM_STEP_DONE, CAROM_END_DONE, 0);
	check_everywhere(CAROM_STEP_MISS, CAROM_END_MISS, 0);
}

static void walkers_code(void **state)
{
	(void)state;
	check_everywhere(CAROM_STEP_FAIL(0), CAROM_END_WALKER, 0);
	check_everywhere(CAROM_STEP_FAIL(1), CAROM_END_WALKER, 1);
	check_everywhere(CAROM_STEP_FAIL(0x8000), CAROM_END_WALKER, 0x8000);
	check_everywhere(CAROM_STEP_FAIL(CAROM_STEP_FAIL_MAX), CAROM_END_WALKER, 0xffff);
}

static void bad_return(void **state)
{
	(void)state;
	check_everywhere(-3, CAROM_END_BAD_RETURN, 0);
	check_everywhere(-CAROM_STEP_FAIL_BASE + 1, CAROM_END_BAD_RETURN, 0);
	check_everywhere(CAROM_STEP_FAIL(0x10000), CAROM_END_BAD_RETURN, 0);
	check_everywhere(-0x100000001LL, CAROM_END_BAD_RETURN, 0);
	check_everywhere(INT64_MIN, CAROM_END_BAD_RETURN, 0);
}

static void unaligned(void **state)
{
	struct carom_lookup res;

	(void)state;
	check_everywhere(1, CAROM_END_UNALIGNED, 0);
	check_everywhere(511, CAROM_END_UNALIGNED, 0);
	check_everywhere(4096 + 256, CAROM_END_UNALIGNED, 0);
	check_everywhere(INT64_MAX, CAROM_END_UNALIGNED, 0);
	res = run_in(&e, 100, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_UNALIGNED, 0, 0, 100);
}

static void out_of_range(void **state)
{
	static const __u64 starts[] = {
		NODES * 4096, NODES * 4096 - 3584, NODES * 4096ULL << 20, INT64_MAX - 511,
		1ULL << 63, -4096ULL, -512ULL,
	};
	struct carom_lookup res;
	unsigned int i;

	(void)state;
	check_everywhere(NODES * 4096, CAROM_END_RANGE, 0);
	check_everywhere(NODES * 4096 - 4096 + 512, CAROM_END_RANGE, 0);
	check_everywhere(INT64_MAX - 511, CAROM_END_RANGE, 0);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		res = run_in(&e, starts[i], 0, CAROM_STEP_DONE);
		check(&res, CAROM_END_RANGE, 0, 0, starts[i]);
	}
	/* The last node, and one across the border of two. */
	res = run_in(&e, (NODES - 1) * 4096, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_DONE, 1, 0, (NODES - 1) * 4096);
	res = run_in(&e, 512, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_DONE, 1, 0, 512);
}

/* The file ends inside the node that is asked for. */
static void short_file(void **state)
{
	struct carom_lookup res;
	struct engine s;

	(void)state;
	vm_chase_file(HOLES, 4096, 4);
	assert_sys(truncate(HOLES, 3 * 4096 + 4095));
	vm_session(&s, HOLES, "fate", 4096, NULL);
	assert_int_equal(s.open.file_size, 3 * 4096 + 4095);
	res = run_in(&s, 2 * 4096, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_DONE, 1, 0, 2 * 4096);
	res = run_in(&s, 0, 0, 3 * 4096);
	check(&res, CAROM_END_RANGE, 1, 0, 3 * 4096);
	engine_close(&s);

	assert_sys(truncate(HOLES, 100));
	vm_session(&s, HOLES, "fate", 4096, NULL);
	res = run_in(&s, 0, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_RANGE, 0, 0, 0);
	engine_close(&s);
}

/*
 * Node 0 written, 1 punched out, 2 written, 3 unwritten, 4 written, 5 a hole
 * that ends the file.
 */
static void holes(void **state)
{
	static const __u64 gone[] = { 4096, 3 * 4096, 5 * 4096, 4096 + 512 };
	static const __u64 half[] = { 512, 2 * 4096 + 3584, 4 * 4096 + 1024 };
	struct carom_lookup res;
	unsigned int i;
	struct engine s;
	int file;

	(void)state;
	vm_chase_file(HOLES, 4096, 5);
	file = vm_open(HOLES, O_RDWR);
	assert_sys(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
	assert_sys(fallocate(file, FALLOC_FL_ZERO_RANGE, 3 * 4096, 4096));
	assert_sys(ftruncate(file, 6 * 4096));
	close(file);
	vm_session(&s, HOLES, "fate", 4096, NULL);
	assert_int_equal(s.open.nr_extents, 3);
	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		res = run_in(&s, 0, 0, (__s64)gone[i]);
		check(&res, CAROM_END_HOLE, 1, 0, gone[i]);
		res = run_in(&s, gone[i], 0, CAROM_STEP_DONE);
		check(&res, CAROM_END_HOLE, 0, 0, gone[i]);
	}
	/* Partly in a hole is not contiguous either. */
	for (i = 0; i < ARRAY_SIZE(half); i++) {
		res = run_in(&s, 0, 0, (__s64)half[i]);
		check(&res, CAROM_END_SPLIT, 1, 0, half[i]);
	}
	res = run_in(&s, 4 * 4096, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_DONE, 1, 0, 4 * 4096);
	assert_int_equal(vm_stats(&s).ends[CAROM_END_HOLE], 2 * ARRAY_SIZE(gone));
	assert_int_equal(vm_stats(&s).ends[CAROM_END_SPLIT], ARRAY_SIZE(half));
	engine_close(&s);

	/* Nothing but unwritten blocks. */
	file = vm_open(HOLES, O_RDWR | O_TRUNC);
	assert_sys(fallocate(file, 0, 0, 65536));
	close(file);
	if (vm_fs_is("ext4")) {
		vm_session(&s, HOLES, "fate", 4096, NULL);
		assert_int_equal(s.open.nr_extents, 0);
		res = run_in(&s, 0, 0, CAROM_STEP_DONE);
		check(&res, CAROM_END_HOLE, 0, 0, 0);
		engine_close(&s);
	}
}

static void split(void **state)
{
	struct carom_lookup res;
	struct engine s;

	(void)state;
	vm_fragmented_file(HOLES, 4096, 4);
	vm_session(&s, HOLES, "fate", 4096, NULL);
	res = run_in(&s, 0, 0, 4096 + 512);
	check(&res, CAROM_END_SPLIT, 1, 0, 4096 + 512);
	res = run_in(&s, 3584, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_SPLIT, 0, 0, 3584);
	res = run_in(&s, 3 * 4096, 0, CAROM_STEP_DONE);
	check(&res, CAROM_END_DONE, 1, 0, 3 * 4096);
	engine_close(&s);
}

static void check_hops(__u32 max_hops, __u32 limit)
{
	struct carom_open arg = { .max_hops = max_hops };
	struct carom_lookup res;
	struct engine s;

	vm_session(&s, CHASE, "chase", 4096, &arg);
	((struct chase_query *)engine_scratch(&s, 0))->depth = ~0U;
	res = vm_lookup(&s, 0, 4096);
	check(&res, CAROM_END_HOPS, limit, 0, place(4096, limit + 1));
	/* One node less to visit than would be too many. */
	vm_walk(&s, 0, fd, 8192, limit);
	assert_int_equal(vm_stats(&s).hops, 2 * limit);
	assert_int_equal(vm_stats(&s).resubmits + vm_stats(&s).yields, 2 * limit - 2);
	engine_close(&s);
}

/* The walker of trivial nodes never comes to an end by itself: they are a circle. */
static void hop_limit(void **state)
{
	(void)state;
	check_hops(1, 1);
	check_hops(2, 2);
	check_hops(17, 17);
	check_hops(0, CAROM_DEFAULT_HOPS);
}

/* What an aborted chain leaves is enough to carry on. */
static void carry_on(void **state)
{
	struct carom_open arg = { .max_hops = 3 };
	struct chase_query *query;
	struct carom_lookup res = { .at = 0 };
	unsigned int left;
	struct engine s;

	(void)state;
	vm_session(&s, CHASE, "chase", 4096, &arg);
	query = engine_scratch(&s, 0);
	for (left = 20; left; left -= res.hops) {
		query->depth = left;
		res = vm_lookup(&s, 0, res.at);
		assert_int_equal(res.end, left > 3 ? CAROM_END_HOPS : CAROM_END_DONE);
	}
	assert_int_equal(query->id * 4096, place(0, 20));
	engine_close(&s);
}

static void deadline(void **state)
{
	struct carom_open arg = { .max_hops = CAROM_MAX_HOPS, .deadline_ms = 40 };
	struct carom_lookup res;
	struct engine s;
	long start;

	(void)state;
	vm_session(&s, CHASE, "chase", 4096, &arg);
	((struct chase_query *)engine_scratch(&s, 0))->depth = ~0U;
	start = vm_now_ms();
	res = vm_lookup(&s, 0, 0);
	start = vm_now_ms() - start;
	if (res.end != CAROM_END_DEADLINE || start < 40 || start > 3000)
		fail_msg("end %u after %u hops and %ld ms", res.end, res.hops, start);
	assert_in_range(res.hops, 2, CAROM_MAX_HOPS - 1);
	check(&res, CAROM_END_DEADLINE, res.hops, 0, place(0, res.hops + 1));
	/* It is a chain that has a deadline, not the session. */
	vm_walk(&s, 0, fd, 0, 3);
	engine_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(done_and_miss),
		cmocka_unit_test(walkers_code),
		cmocka_unit_test(bad_return),
		cmocka_unit_test(unaligned),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(short_file),
		cmocka_unit_test(holes),
		cmocka_unit_test(split),
		cmocka_unit_test(hop_limit),
		cmocka_unit_test(carry_on),
		cmocka_unit_test(deadline),
	};

	return cmocka_run_group_tests_name("end", tests, setup, teardown);
}
