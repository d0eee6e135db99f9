// SPDX-License-Identifier: GPL-2.0
/* Whole lookups, from the caller's arguments to what he is told (wait.c). */
#include "bench.h"
#include "../wait.c"
#include "../stats.h"

static struct carom_bench *carom_wait_bench(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	KUNIT_ASSERT_EQ(test, 0, carom_map_add(&bench->file.map, 0, 800, 64));
	carom_bench_geometry(bench, 64 << SECTOR_SHIFT, SECTOR_SHIFT);
	bench->script[0] = 4096;
	bench->script[1] = 12288;
	bench->script[2] = 8192;
	bench->script[3] = CAROM_STEP_DONE;
	return bench;
}

/* ---- arguments ---- */

struct carom_wait_flags {
	const char	*name;
	u32		flags;
	int		err;
};

static const struct carom_wait_flags carom_wait_flags[] = {
	{ "none", 0, 0 },
	{ "poll", CAROM_LOOKUP_POLL, 0 },
	{ "poll_hybrid", CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID, 0 },
	{ "hybrid_alone", CAROM_LOOKUP_HYBRID, -EINVAL },
	{ "nowait", CAROM_LOOKUP_NOWAIT, 0 },
	{ "all", CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID | CAROM_LOOKUP_NOWAIT, 0 },
	{ "unknown", 1U << 3, -EINVAL },
	{ "highest", 1U << 31, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(carom_wait_flag, carom_wait_flags, name);

/* Whichever way it waits, and whether there is a queue to poll or not, the end is the same. */
static void carom_wait_test_flags(struct kunit *test)
{
	const struct carom_wait_flags *flags = test->param_value;
	struct carom_bench *bench = carom_wait_bench(test);
	struct carom_lookup arg;
	u32 i;

	for (i = 0; i < 2; i++) {
		arg = (struct carom_lookup) { .slot = 1, .flags = flags->flags };
		bench->poll_queue = i;
		bench->reads = 0;
		KUNIT_ASSERT_EQ(test, flags->err, carom_wait_lookup(&bench->session, &arg));
		KUNIT_EXPECT_EQ(test, 0, bench->session.slots[1].state);
		if (flags->err)
			continue;
		KUNIT_EXPECT_EQ(test, CAROM_END_DONE, arg.end);
		KUNIT_EXPECT_EQ(test, 4, arg.hops);
		KUNIT_EXPECT_EQ(test, 8192, arg.at);
		KUNIT_EXPECT_EQ(test, 0, arg.code);
		KUNIT_EXPECT_EQ(test, 4, bench->reads);
		KUNIT_EXPECT_EQ(test, 800, bench->lba[0]);
		KUNIT_EXPECT_EQ(test, 808, bench->lba[1]);
		KUNIT_EXPECT_EQ(test, 824, bench->lba[2]);
		KUNIT_EXPECT_EQ(test, 816, bench->lba[3]);
		KUNIT_EXPECT_EQ(test, i && (flags->flags & CAROM_LOOKUP_POLL),
				bench->session.slots[1].polled);
	}
}

static void carom_wait_test_slot(struct kunit *test)
{
	struct carom_bench *bench = carom_wait_bench(test);
	struct carom_lookup arg = { .slot = CAROM_BENCH_SLOTS };

	KUNIT_EXPECT_EQ(test, -EINVAL, carom_wait_lookup(&bench->session, &arg));
	arg.slot = 2;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carom_slot_take(&bench->session, 2));
	KUNIT_EXPECT_EQ(test, -EBUSY, carom_wait_lookup(&bench->session, &arg));
	KUNIT_EXPECT_EQ(test, CAROM_SLOT_BUSY, bench->session.slots[2].state);
	KUNIT_EXPECT_EQ(test, 0, bench->legs);
	carom_slot_release(&bench->session.slots[2]);
	KUNIT_EXPECT_EQ(test, 0, carom_wait_lookup(&bench->session, &arg));
}

/* ---- how they go on ---- */

/* However little a leg does, the answer is the same. */
static void carom_wait_test_yields(struct kunit *test)
{
	struct carom_bench *bench = carom_wait_bench(test);
	struct carom_slot *slot = &bench->session.slots[0];
	struct carom_lookup arg;
	u32 budget;

	for (budget = 1; budget <= 5; budget++) {
		arg = (struct carom_lookup) { };
		bench->budget = budget;
		bench->reads = 0;
		bench->legs = 0;
		KUNIT_ASSERT_EQ(test, 0, carom_wait_lookup(&bench->session, &arg));
		KUNIT_EXPECT_EQ(test, CAROM_END_DONE, arg.end);
		KUNIT_EXPECT_EQ(test, 4, arg.hops);
		KUNIT_EXPECT_EQ(test, 8192, arg.at);
		KUNIT_EXPECT_EQ(test, 4, bench->reads);
		/* The last read is the walker's end, not the driver's. */
		KUNIT_EXPECT_EQ(test, DIV_ROUND_UP(4, budget), bench->legs);
		KUNIT_EXPECT_EQ(test, bench->legs - 1, slot->yields);
		KUNIT_EXPECT_EQ(test, bench->reads - bench->legs, slot->resubmits);
	}
}

/* NOWAIT is about the first read; what has begun goes on. */
static void carom_wait_test_nowait(struct kunit *test)
{
	struct carom_bench *bench = carom_wait_bench(test);
	struct carom_lookup arg = { .flags = CAROM_LOOKUP_NOWAIT };
	struct carom_counts sum = { };

	bench->refuse = -EAGAIN;
	KUNIT_EXPECT_EQ(test, -EAGAIN, carom_wait_lookup(&bench->session, &arg));
	KUNIT_EXPECT_EQ(test, 0, bench->session.slots[0].state);
	bench->budget = 2;
	bench->legs = 0;
	KUNIT_ASSERT_EQ(test, 0, carom_wait_lookup(&bench->session, &arg));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, arg.end);
	KUNIT_ASSERT_EQ(test, 2, bench->legs);
	KUNIT_EXPECT_EQ(test, NVME_CHAIN_NOWAIT, bench->flags[0]);
	KUNIT_EXPECT_EQ(test, 0, bench->flags[1]);
	/* What never ran is not counted. */
	carom_stats_sum(&bench->session, &sum);
	KUNIT_EXPECT_EQ(test, 1, carom_counts_lookups(&sum));
}

static void carom_wait_cancel(struct carom_bench *bench, struct carom_slot *slot)
{
	if (bench->reads == 2)
		carom_slot_cancel(slot);
}

/* ---- how they end ---- */

/**
 * struct carom_wait_end - what happens at the second of four reads, and what comes of it
 * @name: of the case
 * @prepare: makes it happen
 * @end: what the caller is told
 * @hops: likewise
 * @code: likewise
 * @at: likewise
 */
struct carom_wait_end {
	const char	*name;
	void		(*prepare)(struct carom_bench *bench);
	enum carom_end	end;
	u32		hops;
	s32		code;
	u64		at;
};

static void carom_wait_miss(struct carom_bench *bench)
{
	bench->script[1] = CAROM_STEP_MISS;
}

static void carom_wait_fail(struct carom_bench *bench)
{
	bench->script[1] = CAROM_STEP_FAIL(42);
}

static void carom_wait_bad(struct carom_bench *bench)
{
	bench->script[1] = -42;
}

static void carom_wait_unaligned(struct carom_bench *bench)
{
	bench->script[1] = 4097;
}

static void carom_wait_range(struct carom_bench *bench)
{
	bench->script[1] = 57 << SECTOR_SHIFT;
}

static void carom_wait_hole(struct carom_bench *bench)
{
	bench->session.last_offset = 1 << 20;
	bench->script[1] = 64 << SECTOR_SHIFT;
}

static void carom_wait_split(struct carom_bench *bench)
{
	bench->session.last_offset = 1 << 20;
	bench->script[1] = 57 << SECTOR_SHIFT;
}

static void carom_wait_hops(struct carom_bench *bench)
{
	bench->session.max_hops = 2;
}

static void carom_wait_late(struct carom_bench *bench, struct carom_slot *slot)
{
	if (bench->reads == 2)
		slot->deadline = jiffies - 1;
}

static void carom_wait_deadline(struct carom_bench *bench)
{
	bench->seen = carom_wait_late;
}

static void carom_wait_canceled(struct carom_bench *bench)
{
	bench->seen = carom_wait_cancel;
}

static void carom_wait_io(struct carom_bench *bench)
{
	bench->fail_at = 2;
	bench->status = 0x281;
}

static void carom_wait_stopped(struct carom_bench *bench)
{
	bench->stop_at = 2;
}

static void carom_wait_unload(struct carom_bench *bench, struct carom_slot *slot)
{
	if (bench->reads == 2)
		RCU_INIT_POINTER(bench->walker.ops, NULL);
}

static void carom_wait_unloaded(struct carom_bench *bench)
{
	bench->seen = carom_wait_unload;
}

static void carom_wait_move(struct carom_bench *bench, struct carom_slot *slot)
{
	bench->bdev.bd_start_sect = 1;
}

/* Only a leg can see that. */
static void carom_wait_stale(struct carom_bench *bench)
{
	bench->seen = carom_wait_move;
	bench->budget = 2;
}

static const struct carom_wait_end carom_wait_ends[] = {
	{ "miss", carom_wait_miss, CAROM_END_MISS, 2, 0, 4096 },
	{ "walker", carom_wait_fail, CAROM_END_WALKER, 2, 42, 4096 },
	{ "bad_return", carom_wait_bad, CAROM_END_BAD_RETURN, 2, 0, 4096 },
	{ "unaligned", carom_wait_unaligned, CAROM_END_UNALIGNED, 2, 0, 4097 },
	{ "range", carom_wait_range, CAROM_END_RANGE, 2, 0, 57 << SECTOR_SHIFT },
	{ "hole", carom_wait_hole, CAROM_END_HOLE, 2, 0, 64 << SECTOR_SHIFT },
	{ "split", carom_wait_split, CAROM_END_SPLIT, 2, 0, 57 << SECTOR_SHIFT },
	{ "hops", carom_wait_hops, CAROM_END_HOPS, 2, 0, 12288 },
	{ "deadline", carom_wait_deadline, CAROM_END_DEADLINE, 2, 0, 12288 },
	{ "canceled", carom_wait_canceled, CAROM_END_CANCELED, 2, 0, 12288 },
	{ "io", carom_wait_io, CAROM_END_IO, 1, 0x281, 4096 },
	{ "stopped", carom_wait_stopped, CAROM_END_STOPPED, 2, 0, 12288 },
	{ "unloaded", carom_wait_unloaded, CAROM_END_UNLOADED, 1, 0, 4096 },
	{ "stale", carom_wait_stale, CAROM_END_STALE, 2, 0, 12288 },
};

KUNIT_ARRAY_PARAM_DESC(carom_wait_end, carom_wait_ends, name);

static void carom_wait_test_end(struct kunit *test)
{
	const struct carom_wait_end *end = test->param_value;
	struct carom_bench *bench = carom_wait_bench(test);
	struct carom_counts sum = { };
	struct carom_lookup arg = { };

	end->prepare(bench);
	KUNIT_ASSERT_EQ(test, 0, carom_wait_lookup(&bench->session, &arg));
	KUNIT_EXPECT_EQ(test, end->end, arg.end);
	KUNIT_EXPECT_EQ(test, end->hops, arg.hops);
	KUNIT_EXPECT_EQ(test, end->code, arg.code);
	KUNIT_EXPECT_EQ(test, end->at, arg.at);
	KUNIT_EXPECT_EQ(test, 2, bench->reads);
	/* It was counted, as that and nothing else, and its slot is free. */
	carom_stats_sum(&bench->session, &sum);
	KUNIT_EXPECT_EQ(test, 1, sum.ends[end->end]);
	KUNIT_EXPECT_EQ(test, 1, carom_counts_lookups(&sum));
	KUNIT_EXPECT_EQ(test, end->hops, sum.hops);
	KUNIT_EXPECT_EQ(test, 0, bench->session.slots[0].state);
}

static struct kunit_case carom_wait_cases[] = {
	KUNIT_CASE_PARAM(carom_wait_test_flags, carom_wait_flag_gen_params),
	KUNIT_CASE(carom_wait_test_slot),
	KUNIT_CASE(carom_wait_test_yields),
	KUNIT_CASE(carom_wait_test_nowait),
	KUNIT_CASE_PARAM(carom_wait_test_end, carom_wait_end_gen_params),
	{ }
};

static struct kunit_suite carom_wait_suite = {
	.name = "carom_wait",
	.test_cases = carom_wait_cases,
};

kunit_test_suite(carom_wait_suite);
