// SPDX-License-Identifier: GPL-2.0
/* Where an offset is on the device, what limits a chain, and how it ends (chain.c). */
#include "bench.h"
#include "../chain.c"

#define SECTORS(n)	((s64)(n) << SECTOR_SHIFT)
/* Of the file of carom_chain_bench(): 136 sectors, the last of them not full. */
#define SIZE		(SECTORS(136) - 100)

static void carom_chain_test_done(struct carom_slot *slot)
{
	slot->done = true;
}

static void carom_chain_test_run(struct kunit *test, struct carom_bench *bench, u64 start,
				 u64 sector, u64 len)
{
	KUNIT_ASSERT_EQ(test, 0, carom_map_add(&bench->file.map, start, sector, len));
}

/* Two runs that are neighbours in the file only, a hole, and another run. */
static struct carom_slot *carom_chain_bench(struct kunit *test, u64 size, u8 lba_shift)
{
	struct carom_bench *bench = carom_bench_alloc(test);
	struct carom_slot *slot;

	KUNIT_ASSERT_NOT_NULL(test, bench);
	carom_chain_test_run(test, bench, 0, 8000, 32);
	carom_chain_test_run(test, bench, 32, 4000, 32);
	carom_chain_test_run(test, bench, 96, 12000, 40);
	carom_bench_geometry(bench, size, lba_shift);
	slot = carom_slot_take(&bench->session, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, slot);
	slot->ended = carom_chain_test_done;
	return slot;
}

/* ---- where an offset is ---- */

struct carom_chain_place {
	const char	*name;
	s64		offset;
	s64		found;
	u64		size;
	u8		lba_shift;
};

static const struct carom_chain_place carom_chain_places[] = {
	{ "first", 0, 8000, SIZE, 9 },
	{ "second_sector", SECTORS(1), 8001, SIZE, 9 },
	{ "last_that_fits_in_run", SECTORS(24), 8024, SIZE, 9 },
	{ "across_to_another_run", SECTORS(25), -CAROM_END_SPLIT, SIZE, 9 },
	{ "last_sector_of_run", SECTORS(31), -CAROM_END_SPLIT, SIZE, 9 },
	{ "first_of_second_run", SECTORS(32), 4000, SIZE, 9 },
	{ "last_before_hole", SECTORS(56), 4024, SIZE, 9 },
	{ "across_into_hole", SECTORS(57), -CAROM_END_SPLIT, SIZE, 9 },
	{ "first_of_hole", SECTORS(64), -CAROM_END_HOLE, SIZE, 9 },
	{ "last_of_hole", SECTORS(95), -CAROM_END_HOLE, SIZE, 9 },
	{ "first_behind_hole", SECTORS(96), 12000, SIZE, 9 },
	{ "last_in_file", SECTORS(127), 12031, SIZE, 9 },
	{ "a_byte_past_eof", SECTORS(128), -CAROM_END_RANGE, SECTORS(136) - 1, 9 },
	{ "just_at_eof", SECTORS(128), 12032, SECTORS(136), 9 },
	{ "from_eof", SECTORS(136), -CAROM_END_RANGE, SECTORS(136), 9 },
	{ "far_past_eof", S64_MAX - 511, -CAROM_END_RANGE, SIZE, 9 },
	{ "past_eof_and_unaligned", S64_MAX, -CAROM_END_UNALIGNED, SIZE, 9 },
	{ "a_byte", 1, -CAROM_END_UNALIGNED, SIZE, 9 },
	{ "a_byte_less_than_an_lba", 511, -CAROM_END_UNALIGNED, SIZE, 9 },
	{ "unaligned_in_hole", SECTORS(64) + 256, -CAROM_END_UNALIGNED, SIZE, 9 },
	{ "file_of_a_node", 0, 8000, 4096, 9 },
	{ "behind_a_file_of_a_node", SECTORS(1), -CAROM_END_RANGE, 4096, 9 },
	{ "file_less_than_a_node", 0, -CAROM_END_RANGE, 4095, 9 },
	{ "empty_file", 0, -CAROM_END_RANGE, 0, 9 },
	{ "lba_of_4096", SECTORS(8), 1001, SIZE, 12 },
	{ "lba_of_4096_second_run", SECTORS(40), 501, SIZE, 12 },
	{ "lba_of_4096_sector", SECTORS(1), -CAROM_END_UNALIGNED, SIZE, 12 },
	{ "lba_of_4096_half", SECTORS(4), -CAROM_END_UNALIGNED, SIZE, 12 },
	{ "lba_of_4096_hole", SECTORS(64), -CAROM_END_HOLE, SIZE, 12 },
	{ "lba_of_4096_past_eof", SECTORS(128), -CAROM_END_RANGE, SIZE, 12 },
};

KUNIT_ARRAY_PARAM_DESC(carom_chain_place, carom_chain_places, name);

static void carom_chain_test_locate(struct kunit *test)
{
	const struct carom_chain_place *place = test->param_value;
	struct carom_slot *slot = carom_chain_bench(test, place->size, place->lba_shift);
	const struct carom_run *run;

	KUNIT_EXPECT_EQ(test, place->found, carom_chain_locate(slot, place->offset));
	/* Once more, with the run of the last time to look in first. */
	run = slot->run;
	KUNIT_EXPECT_EQ(test, place->found, carom_chain_locate(slot, place->offset));
	KUNIT_EXPECT_PTR_EQ(test, run, slot->run);
}

/* Wherever the last node was, the next is where it is. */
static void carom_chain_test_locate_after(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	const struct carom_chain_place *last, *next;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(carom_chain_places); i++) {
		last = &carom_chain_places[i];
		for (j = 0; j < ARRAY_SIZE(carom_chain_places); j++) {
			next = &carom_chain_places[j];
			if (last->size != SIZE || next->size != SIZE ||
			    last->lba_shift != 9 || next->lba_shift != 9)
				continue;
			carom_chain_locate(slot, last->offset);
			KUNIT_EXPECT_EQ_MSG(test, next->found,
					    carom_chain_locate(slot, next->offset),
					    "%s after %s", next->name, last->name);
		}
	}
}

/* ---- limits ---- */

static void carom_chain_test_hops(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);

	carom_chain_begin(slot, 0);
	KUNIT_EXPECT_EQ(test, CAROM_END_NONE, carom_chain_limits(slot));
	slot->hop.index = CAROM_BENCH_HOPS - 1;
	KUNIT_EXPECT_EQ(test, CAROM_END_NONE, carom_chain_limits(slot));
	slot->hop.index = CAROM_BENCH_HOPS;
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, carom_chain_limits(slot));
	slot->hop.index = U32_MAX;
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, carom_chain_limits(slot));
}

/* What a chain whose deadline is @later than now is told, with no tick in between. */
static enum carom_end carom_chain_test_due(struct carom_slot *slot, long later)
{
	unsigned long now;
	enum carom_end end;

	do {
		now = jiffies;
		slot->deadline = now + later;
		end = carom_chain_limits(slot);
	} while (time_after(jiffies, now));
	return end;
}

static void carom_chain_test_deadline(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	unsigned long now = jiffies;

	carom_chain_begin(slot, 0);
	KUNIT_EXPECT_GE(test, slot->deadline - now, msecs_to_jiffies(CAROM_BENCH_DEADLINE_MS));
	KUNIT_EXPECT_LE(test, slot->deadline - jiffies, msecs_to_jiffies(CAROM_BENCH_DEADLINE_MS));
	KUNIT_EXPECT_EQ(test, CAROM_END_NONE, carom_chain_test_due(slot, 1));
	KUNIT_EXPECT_EQ(test, CAROM_END_NONE, carom_chain_test_due(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DEADLINE, carom_chain_test_due(slot, -1));
	KUNIT_EXPECT_EQ(test, CAROM_END_DEADLINE, carom_chain_test_due(slot, -10 * HZ));
}

/* Of several reasons the one is told that nobody else could find out. */
static void carom_chain_test_reasons(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);

	carom_chain_begin(slot, 0);
	slot->hop.index = CAROM_BENCH_HOPS;
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, carom_chain_test_due(slot, -1));
	KUNIT_ASSERT_EQ(test, 0, carom_slot_cancel(slot));
	KUNIT_EXPECT_EQ(test, CAROM_END_CANCELED, carom_chain_test_due(slot, -1));
	slot->hop.index = 0;
	KUNIT_EXPECT_EQ(test, CAROM_END_CANCELED, carom_chain_test_due(slot, 1));
}

/* ---- what the walker says ---- */

struct carom_chain_word {
	const char	*name;
	s64		ret;
	enum carom_end	end;
	s32		code;
};

static const struct carom_chain_word carom_chain_words[] = {
	{ "done", CAROM_STEP_DONE, CAROM_END_DONE, 0 },
	{ "miss", CAROM_STEP_MISS, CAROM_END_MISS, 0 },
	{ "below_miss", CAROM_STEP_MISS - 1, CAROM_END_BAD_RETURN, 0 },
	{ "above_fail", 1 - CAROM_STEP_FAIL_BASE, CAROM_END_BAD_RETURN, 0 },
	{ "fail_0", CAROM_STEP_FAIL(0), CAROM_END_WALKER, 0 },
	{ "fail_1", CAROM_STEP_FAIL(1), CAROM_END_WALKER, 1 },
	{ "fail_max", CAROM_STEP_FAIL(CAROM_STEP_FAIL_MAX), CAROM_END_WALKER, 65535 },
	{ "below_fail", CAROM_STEP_FAIL(CAROM_STEP_FAIL_MAX) - 1, CAROM_END_BAD_RETURN, 0 },
	{ "least", S64_MIN, CAROM_END_BAD_RETURN, 0 },
};

KUNIT_ARRAY_PARAM_DESC(carom_chain_word, carom_chain_words, name);

static void carom_chain_test_finish(struct kunit *test)
{
	const struct carom_chain_word *word = test->param_value;
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = SECTORS(32);
	bench->script[1] = word->ret;
	carom_chain_begin(slot, SECTORS(8));
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_TRUE(test, slot->done);
	KUNIT_EXPECT_EQ(test, word->end, slot->end);
	KUNIT_EXPECT_EQ(test, word->code, slot->code);
	KUNIT_EXPECT_EQ(test, SECTORS(32), slot->at);
	KUNIT_EXPECT_EQ(test, 2, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 1, slot->resubmits);
	KUNIT_EXPECT_EQ(test, 2, bench->reads);
	KUNIT_EXPECT_EQ(test, 8008, bench->lba[0]);
	KUNIT_EXPECT_EQ(test, 4000, bench->lba[1]);
}

/* The next node's offset is all that ends a chain here, and is where it can be gone on from. */
static void carom_chain_test_nowhere(struct kunit *test)
{
	const struct carom_chain_place *place = test->param_value;
	struct carom_slot *slot;
	struct carom_bench *bench;

	if (place->found >= 0 || place->size < CAROM_BENCH_NODE)
		kunit_skip(test, "a walker may go there");
	slot = carom_chain_bench(test, place->size, place->lba_shift);
	bench = carom_bench_of(slot);
	bench->script[0] = place->offset;
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, -place->found, slot->end);
	KUNIT_EXPECT_EQ(test, place->offset, slot->at);
	KUNIT_EXPECT_EQ(test, 1, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 0, slot->resubmits);
	KUNIT_EXPECT_EQ(test, 1, bench->reads);
	/* The same as a start: nothing is read. */
	carom_chain_begin(slot, place->offset);
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, -place->found, slot->end);
	KUNIT_EXPECT_EQ(test, 0, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 1, bench->legs);
}

/* A walker that never ends: as many nodes as the limit says, not one more. */
static void carom_chain_test_endless(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[CAROM_BENCH_HOPS - 1] = SECTORS(96);
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, slot->end);
	KUNIT_EXPECT_EQ(test, CAROM_BENCH_HOPS, bench->reads);
	KUNIT_EXPECT_EQ(test, CAROM_BENCH_HOPS, slot->hop.index);
	KUNIT_EXPECT_EQ(test, CAROM_BENCH_HOPS - 1, slot->resubmits);
	KUNIT_EXPECT_EQ(test, SECTORS(96), slot->at);
}

static void carom_chain_test_unloaded(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	RCU_INIT_POINTER(bench->walker.ops, NULL);
	carom_chain_begin(slot, SECTORS(8));
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_UNLOADED, slot->end);
	KUNIT_EXPECT_EQ(test, SECTORS(8), slot->at);
	KUNIT_EXPECT_EQ(test, 0, slot->hop.index);
}

/* A program is called as BPF programs of a struct_ops are, and returns 64 bits. */
static u64 carom_chain_test_program(const void *ctx, const struct bpf_insn *insns)
{
	const u64 *args = ctx;
	const struct carom_hop *hop = (const void *)(unsigned long)args[0];

	return hop->index ? CAROM_STEP_FAIL(7) : SECTORS(32);
}

static void carom_chain_test_prog(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);
	struct bpf_prog *prog = kunit_kzalloc(test, sizeof(*prog), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, prog);
	prog->bpf_func = (void *)carom_chain_test_program;
	bench->ops.prog = prog;
	bench->script[0] = CAROM_STEP_MISS;
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_WALKER, slot->end);
	KUNIT_EXPECT_EQ(test, 7, slot->code);
	KUNIT_EXPECT_EQ(test, SECTORS(32), slot->at);
}

/* ---- what the driver says ---- */

static void carom_chain_test_io(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = SECTORS(32);
	bench->fail_at = 2;
	bench->status = 0x281;
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_IO, slot->end);
	KUNIT_EXPECT_EQ(test, 0x281, slot->code);
	KUNIT_EXPECT_EQ(test, SECTORS(32), slot->at);
	/* The walker has not seen what failed; it had been sent. */
	KUNIT_EXPECT_EQ(test, 1, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 1, slot->resubmits);
}

/* The node that the walker asked for was not sent, and is where to go on from. */
static void carom_chain_test_stopped(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = SECTORS(32);
	bench->script[1] = SECTORS(96);
	bench->stop_at = 2;
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_STOPPED, slot->end);
	KUNIT_EXPECT_EQ(test, SECTORS(96), slot->at);
	KUNIT_EXPECT_EQ(test, 2, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 1, slot->resubmits);
}

/* A chain that has yielded has not ended, and its next leg goes on from there. */
static void carom_chain_test_yielded(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = SECTORS(32);
	bench->script[1] = SECTORS(96);
	bench->script[2] = CAROM_STEP_DONE;
	bench->budget = 2;
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_TRUE(test, slot->done);
	KUNIT_EXPECT_EQ(test, CAROM_END_NONE, slot->end);
	KUNIT_EXPECT_EQ(test, SECTORS(96), slot->at);
	KUNIT_EXPECT_EQ(test, 1, slot->resubmits);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, slot->end);
	KUNIT_EXPECT_EQ(test, SECTORS(96), slot->at);
	KUNIT_EXPECT_EQ(test, 3, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 1, slot->resubmits);
	KUNIT_EXPECT_EQ(test, 12000, bench->lba[2]);
	KUNIT_EXPECT_EQ(test, 2, bench->legs);
}

/* Limits hold across legs. */
static void carom_chain_test_yielded_hops(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);
	u32 leg;

	bench->budget = 1;
	carom_chain_begin(slot, 0);
	for (leg = 1; leg < CAROM_BENCH_HOPS; leg++) {
		KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
		KUNIT_ASSERT_EQ(test, CAROM_END_NONE, slot->end);
	}
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, slot->end);
	KUNIT_EXPECT_EQ(test, CAROM_BENCH_HOPS, bench->reads);
	KUNIT_EXPECT_EQ(test, 0, slot->resubmits);
	/* Nor can another leg be had for it. */
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_HOPS, slot->end);
}

struct carom_chain_submit {
	const char	*name;
	int		err;
	enum carom_leg	leg;
	enum carom_end	end;
};

static const struct carom_chain_submit carom_chain_submits[] = {
	{ "no_tag", -EAGAIN, CAROM_LEG_NO_TAG, CAROM_END_NONE },
	{ "stale", -ESTALE, CAROM_LEG_ENDED, CAROM_END_STALE },
	{ "gone", -ENODEV, CAROM_LEG_ENDED, CAROM_END_STOPPED },
	{ "failed", -EIO, CAROM_LEG_ENDED, CAROM_END_STOPPED },
};

KUNIT_ARRAY_PARAM_DESC(carom_chain_submit, carom_chain_submits, name);

static void carom_chain_test_submit(struct kunit *test)
{
	const struct carom_chain_submit *submit = test->param_value;
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->refuse = submit->err;
	bench->script[0] = CAROM_STEP_DONE;
	carom_chain_begin(slot, SECTORS(8));
	KUNIT_EXPECT_EQ(test, submit->leg, carom_chain_leg(slot, NVME_CHAIN_NOWAIT));
	KUNIT_EXPECT_EQ(test, submit->end, slot->end);
	KUNIT_EXPECT_EQ(test, SECTORS(8), slot->at);
	KUNIT_EXPECT_FALSE(test, slot->done);
	KUNIT_EXPECT_EQ(test, 0, bench->reads);
	KUNIT_EXPECT_EQ(test, NVME_CHAIN_NOWAIT, bench->flags[0]);
	/* It can be tried again. */
	KUNIT_EXPECT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, slot->end);
}

/* ---- what user space gave ---- */

static void carom_chain_test_start(struct kunit *test)
{
	static const u64 starts[] = { 1ULL << 63, U64_MAX, U64_MAX - 511 };
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		carom_chain_begin(slot, starts[i]);
		KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
		KUNIT_EXPECT_EQ(test, CAROM_END_RANGE, slot->end);
		KUNIT_EXPECT_EQ(test, starts[i], slot->at);
	}
	KUNIT_EXPECT_EQ(test, 0, carom_bench_of(slot)->legs);
}

static void carom_chain_test_moved(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);
	sector_t sectors = bench->bdev.bd_nr_sectors;

	bench->script[0] = CAROM_STEP_DONE;
	carom_chain_begin(slot, 0);
	bench->bdev.bd_start_sect = 1;
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_STALE, slot->end);
	bench->bdev.bd_start_sect = 0;
	bench->bdev.bd_nr_sectors = sectors - 1;
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_STALE, slot->end);
	/* What has grown has lost nothing. */
	bench->bdev.bd_nr_sectors = sectors + 1;
	KUNIT_EXPECT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, slot->end);
}

/* Nothing of a lookup is left for the next in its slot. */
static void carom_chain_test_again(struct kunit *test)
{
	struct carom_slot *slot = carom_chain_bench(test, SIZE, 9);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = SECTORS(32);
	bench->script[1] = CAROM_STEP_FAIL(9);
	carom_chain_begin(slot, 0);
	carom_chain_leg(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_END_WALKER, slot->end);
	slot->yields = 3;
	bench->script[0] = CAROM_STEP_DONE;
	carom_chain_begin(slot, SECTORS(96));
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, slot->end);
	KUNIT_EXPECT_EQ(test, 0, slot->code);
	KUNIT_EXPECT_EQ(test, 1, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 0, slot->resubmits);
	KUNIT_EXPECT_EQ(test, 0, slot->yields);
	KUNIT_EXPECT_EQ(test, SECTORS(96), slot->at);
}

static struct kunit_case carom_chain_cases[] = {
	KUNIT_CASE_PARAM(carom_chain_test_locate, carom_chain_place_gen_params),
	KUNIT_CASE(carom_chain_test_locate_after),
	KUNIT_CASE(carom_chain_test_hops),
	KUNIT_CASE(carom_chain_test_deadline),
	KUNIT_CASE(carom_chain_test_reasons),
	KUNIT_CASE_PARAM(carom_chain_test_finish, carom_chain_word_gen_params),
	KUNIT_CASE_PARAM(carom_chain_test_nowhere, carom_chain_place_gen_params),
	KUNIT_CASE(carom_chain_test_endless),
	KUNIT_CASE(carom_chain_test_unloaded),
	KUNIT_CASE(carom_chain_test_prog),
	KUNIT_CASE(carom_chain_test_io),
	KUNIT_CASE(carom_chain_test_stopped),
	KUNIT_CASE(carom_chain_test_yielded),
	KUNIT_CASE(carom_chain_test_yielded_hops),
	KUNIT_CASE_PARAM(carom_chain_test_submit, carom_chain_submit_gen_params),
	KUNIT_CASE(carom_chain_test_start),
	KUNIT_CASE(carom_chain_test_moved),
	KUNIT_CASE(carom_chain_test_again),
	{ }
};

static struct kunit_suite carom_chain_suite = {
	.name = "carom_chain",
	.test_cases = carom_chain_cases,
};

kunit_test_suite(carom_chain_suite);
