// SPDX-License-Identifier: GPL-2.0
/* What a session may be asked to be, and what follows from its file (session.c). */
#include "bench.h"
#include "../session.c"

/* What is good, so that a case has to say only what is not. */
static const struct carom_open carom_session_good = {
	.node_size = 4096,
	.scratch_size = 64,
	.nr_slots = 1,
};

struct carom_session_ask {
	const char	*name;
	struct carom_open arg;
	const char	*refused;
};

static const struct carom_session_ask carom_session_asks[] = {
	{ "good", { .node_size = 4096, .scratch_size = 64, .nr_slots = 1 }, NULL },
	{ "unknown_flag", { .flags = 1U << 1 }, "flags" },
	{ "highest_flag", { .flags = 1U << 31 }, "flags" },
	{ "unknown_flag_of_map", { .flags = CAROM_OPEN_MAP_ONLY | 1U << 1 }, "flags" },
	{ "map_needs_no_sizes", { .flags = CAROM_OPEN_MAP_ONLY }, NULL },
	{ "no_slots", { .node_size = 4096, .scratch_size = 64 }, "nr_slots" },
	{ "most_slots", { .node_size = 4096, .scratch_size = 64, .nr_slots = CAROM_MAX_SLOTS },
	  NULL },
	{ "too_many_slots", { .node_size = 4096, .scratch_size = 64,
			      .nr_slots = CAROM_MAX_SLOTS + 1 }, "nr_slots" },
	{ "no_node", { .scratch_size = 64, .nr_slots = 1 }, "node_size" },
	{ "node_of_256", { .node_size = 256, .scratch_size = 64, .nr_slots = 1 }, "node_size" },
	{ "least_node", { .node_size = CAROM_MIN_NODE_SIZE, .scratch_size = 64, .nr_slots = 1 },
	  NULL },
	{ "odd_node", { .node_size = 4097, .scratch_size = 64, .nr_slots = 1 }, "node_size" },
	{ "node_of_three_lbas", { .node_size = 1536, .scratch_size = 64, .nr_slots = 1 },
	  "node_size" },
	{ "largest_node", { .node_size = CAROM_MAX_NODE_SIZE, .scratch_size = 64, .nr_slots = 1 },
	  NULL },
	{ "too_large_node", { .node_size = 2 * CAROM_MAX_NODE_SIZE, .scratch_size = 64,
			      .nr_slots = 1 }, "node_size" },
	{ "no_scratch", { .node_size = 4096, .nr_slots = 1 }, "scratch_size" },
	{ "least_scratch", { .node_size = 4096, .scratch_size = 1, .nr_slots = 1 }, NULL },
	{ "largest_scratch", { .node_size = 4096, .scratch_size = CAROM_MAX_SCRATCH_SIZE,
			       .nr_slots = 1 }, NULL },
	{ "too_large_scratch", { .node_size = 4096, .scratch_size = CAROM_MAX_SCRATCH_SIZE + 1,
				 .nr_slots = 1 }, "scratch_size" },
	{ "most_hops", { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
			 .max_hops = CAROM_MAX_HOPS }, NULL },
	{ "too_many_hops", { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
			     .max_hops = CAROM_MAX_HOPS + 1 }, "max_hops" },
	{ "longest_deadline", { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
				.deadline_ms = CAROM_MAX_DEADLINE_MS }, NULL },
	{ "too_long_deadline", { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
				 .deadline_ms = CAROM_MAX_DEADLINE_MS + 1 }, "deadline_ms" },
};

KUNIT_ARRAY_PARAM_DESC(carom_session_ask, carom_session_asks, name);

static void carom_session_test_check(struct kunit *test)
{
	const struct carom_session_ask *ask = test->param_value;
	struct carom_why why = { };

	if (!ask->refused) {
		KUNIT_EXPECT_EQ(test, 0, carom_check_open(&ask->arg, &why));
		KUNIT_EXPECT_EQ(test, CAROM_REFUSED_NOT, why.refusal);
		return;
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, carom_check_open(&ask->arg, &why));
	KUNIT_EXPECT_EQ(test, CAROM_REFUSED_ARGUMENT, why.refusal);
	KUNIT_EXPECT_STREQ(test, ask->refused, why.detail);
}

/* ---- slots of a file ---- */

struct carom_session_sizes {
	const char	*name;
	u32		node_size;
	u64		file_size;
	u8		lba_shift;
	u32		max_bytes;
	s64		last_offset;
	enum carom_refusal refusal;
};

static const struct carom_session_sizes carom_session_sizes[] = {
	{ "usual", 4096, 65536, 9, 131072, 61440, CAROM_REFUSED_NOT },
	{ "not_whole_nodes", 4096, 65537, 9, 131072, 61441, CAROM_REFUSED_NOT },
	{ "a_node", 4096, 4096, 9, 131072, 0, CAROM_REFUSED_NOT },
	{ "less_than_a_node", 4096, 4095, 9, 131072, -1, CAROM_REFUSED_NOT },
	{ "node_of_an_lba", 4096, 65536, 12, 131072, 61440, CAROM_REFUSED_NOT },
	{ "node_less_than_an_lba", 2048, 65536, 12, 131072, 0, CAROM_REFUSED_NODE_SIZE },
	{ "longest_read", 65536, 65536, 9, 65536, 0, CAROM_REFUSED_NOT },
	{ "too_long_read", 65536, 65536, 9, 65024, 0, CAROM_REFUSED_READ_SIZE },
};

KUNIT_ARRAY_PARAM_DESC(carom_session_size, carom_session_sizes, name);

static void carom_session_release_slots(void *arg)
{
	struct carom_session *s = arg;

	carom_slots_free(s);
	carom_stats_free(s);
	carom_limits_put(s);
}

static struct carom_session *carom_session_of(struct kunit *test, struct carom_bench *bench)
{
	struct carom_session *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, carom_session_release_slots, s));
	s->file = &bench->file;
	s->walker = &bench->walker;
	return s;
}

static struct carom_bench *carom_session_bench(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);
	struct gendisk *disk = kunit_kzalloc(test, sizeof(*disk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	KUNIT_ASSERT_NOT_NULL(test, disk);
	strscpy(disk->disk_name, "nvme9n1");
	bench->bdev.bd_disk = disk;
	return bench;
}

static void carom_session_test_slots(struct kunit *test)
{
	const struct carom_session_sizes *size = test->param_value;
	struct carom_bench *bench = carom_session_bench(test);
	struct carom_session *s = carom_session_of(test, bench);
	struct carom_open arg = carom_session_good;
	struct carom_why why = { };

	arg.node_size = size->node_size;
	bench->file.size = size->file_size;
	bench->file.limits.lba_shift = size->lba_shift;
	bench->file.limits.max_bytes = size->max_bytes;
	if (size->refusal) {
		KUNIT_EXPECT_EQ(test, -EINVAL, carom_session_set_slots(s, &arg, &why));
		KUNIT_EXPECT_EQ(test, size->refusal, why.refusal);
		KUNIT_EXPECT_STREQ(test, "nvme9n1", why.detail);
		return;
	}
	KUNIT_ASSERT_EQ(test, 0, carom_session_set_slots(s, &arg, &why));
	KUNIT_EXPECT_EQ(test, size->last_offset, s->last_offset);
	KUNIT_EXPECT_EQ(test, size->node_size / 512, s->node_sectors);
	KUNIT_EXPECT_EQ(test, (1 << size->lba_shift) - 1, s->lba_mask);
	KUNIT_EXPECT_EQ(test, size->lba_shift - 9, s->lba_shift);
	KUNIT_EXPECT_EQ(test, 0, s->node_stride % PAGE_SIZE);
	KUNIT_EXPECT_GE(test, s->node_stride, size->node_size);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, s->scratch_stride);
	KUNIT_EXPECT_EQ(test, CAROM_DEFAULT_HOPS, s->max_hops);
	KUNIT_EXPECT_EQ(test, msecs_to_jiffies(CAROM_DEFAULT_DEADLINE_MS), s->deadline);
}

/* The bench's own geometry is that of a session. */
static void carom_session_test_bench(struct kunit *test)
{
	static const u8 shifts[] = { 9, 12 };
	struct carom_bench *bench = carom_session_bench(test);
	struct carom_open arg = carom_session_good;
	struct carom_why why = { };
	struct carom_session *s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		carom_bench_geometry(bench, 123456, shifts[i]);
		s = carom_session_of(test, bench);
		KUNIT_ASSERT_EQ(test, 0, carom_session_set_slots(s, &arg, &why));
		KUNIT_EXPECT_EQ(test, bench->session.last_offset, s->last_offset);
		KUNIT_EXPECT_EQ(test, bench->session.lba_shift, s->lba_shift);
		KUNIT_EXPECT_EQ(test, bench->session.lba_mask, s->lba_mask);
		KUNIT_EXPECT_EQ(test, bench->session.node_sectors, s->node_sectors);
	}
}

/* What a session has asked for is not taken for what it gets if it does not ask. */
static void carom_session_test_limits(struct kunit *test)
{
	struct carom_bench *bench = carom_session_bench(test);
	struct carom_session *s = carom_session_of(test, bench);
	struct carom_open arg = carom_session_good;
	struct carom_why why = { };

	arg.max_hops = 1;
	arg.deadline_ms = 2000;
	arg.nr_slots = 7;
	KUNIT_ASSERT_EQ(test, 0, carom_session_set_slots(s, &arg, &why));
	KUNIT_EXPECT_EQ(test, 1, s->max_hops);
	KUNIT_EXPECT_EQ(test, msecs_to_jiffies(2000), s->deadline);
	KUNIT_EXPECT_EQ(test, 7, s->nr_slots);
}

/* Extents are in bytes, and in LBAs of whatever size. */
static void carom_session_test_extent(struct kunit *test)
{
	struct carom_bench *bench = carom_session_bench(test);
	struct carom_extent extent;

	KUNIT_ASSERT_EQ(test, 0, carom_map_add(&bench->file.map, 16, 8000, 64));
	carom_bench_geometry(bench, 65536, 9);
	extent = carom_extent_of(&bench->file, 0);
	KUNIT_EXPECT_EQ(test, 8192, extent.offset);
	KUNIT_EXPECT_EQ(test, 32768, extent.length);
	KUNIT_EXPECT_EQ(test, 8000, extent.lba);
	carom_bench_geometry(bench, 65536, 12);
	extent = carom_extent_of(&bench->file, 0);
	KUNIT_EXPECT_EQ(test, 32768, extent.length);
	KUNIT_EXPECT_EQ(test, 1000, extent.lba);
}

static struct kunit_case carom_session_cases[] = {
	KUNIT_CASE_PARAM(carom_session_test_check, carom_session_ask_gen_params),
	KUNIT_CASE_PARAM(carom_session_test_slots, carom_session_size_gen_params),
	KUNIT_CASE(carom_session_test_bench),
	KUNIT_CASE(carom_session_test_limits),
	KUNIT_CASE(carom_session_test_extent),
	{ }
};

static struct kunit_suite carom_session_suite = {
	.name = "carom_session",
	.test_cases = carom_session_cases,
};

kunit_test_suite(carom_session_suite);
