// SPDX-License-Identifier: GPL-2.0
/* The map of a file's blocks: merging, searching (map.c). */
#include "bench.h"
#include "../map.c"

#include <linux/prandom.h>

#define SEED		1
/* How many sectors are looked for one after the other in each map. */
#define LOOKS		1000

/* What a map has to find: every run looked at, from the first. */
static const struct carom_run *carom_map_test_linear(const struct carom_map *map, u64 start)
{
	size_t i;

	for (i = 0; i < map->nr; i++) {
		if (start >= map->runs[i].start && start < map->runs[i].start + map->runs[i].len)
			return &map->runs[i];
	}
	return NULL;
}

/* ---- adding ---- */

struct carom_map_merge {
	const char	*name;
	struct carom_run runs[3];
	size_t		nr;
};

static const struct carom_map_merge carom_map_merges[] = {
	{ "continued", { { 0, 80, 8 }, { 8, 88, 8 }, { 16, 96, 8 } }, 1 },
	{ "elsewhere", { { 0, 80, 8 }, { 8, 96, 8 }, { 16, 104, 8 } }, 2 },
	{ "one_before", { { 0, 80, 8 }, { 8, 87, 8 }, { 16, 95, 8 } }, 2 },
	{ "one_after", { { 0, 80, 8 }, { 8, 89, 8 }, { 16, 97, 8 } }, 2 },
	{ "backwards", { { 0, 80, 8 }, { 8, 72, 8 }, { 16, 64, 8 } }, 3 },
	{ "hole", { { 0, 80, 8 }, { 9, 88, 8 }, { 17, 96, 8 } }, 2 },
	{ "hole_on_both", { { 0, 80, 8 }, { 16, 96, 8 }, { 32, 112, 8 } }, 3 },
	{ "same_place", { { 0, 80, 8 }, { 8, 80, 8 }, { 16, 80, 8 } }, 3 },
	{ "two_of_three", { { 0, 80, 8 }, { 8, 200, 8 }, { 16, 208, 1 } }, 2 },
	{ "beyond_32_bits", { { 0xfffffff8, 0x1fffffff8, 8 }, { 0x100000000, 0x200000000, 8 },
			      { 0x100000008, 0x200000009, 8 } }, 2 },
};

KUNIT_ARRAY_PARAM_DESC(carom_map_merge, carom_map_merges, name);

static void carom_map_test_merge(struct kunit *test)
{
	const struct carom_map_merge *merge = test->param_value;
	struct carom_map *map = carom_bench_map(test);
	const struct carom_run *run;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(merge->runs); i++) {
		run = &merge->runs[i];
		KUNIT_ASSERT_EQ(test, 0, carom_map_add(map, run->start, run->sector, run->len));
	}
	KUNIT_ASSERT_EQ(test, 0, carom_map_finish(map));
	KUNIT_EXPECT_EQ(test, merge->nr, map->nr);
	/* Merged or not, each sector is where it was said to be. */
	for (i = 0; i < ARRAY_SIZE(merge->runs); i++) {
		run = carom_map_search(map, merge->runs[i].start);
		KUNIT_ASSERT_NOT_NULL(test, run);
		KUNIT_EXPECT_EQ(test, merge->runs[i].sector,
				run->sector + merge->runs[i].start - run->start);
		KUNIT_EXPECT_GE(test, run->start + run->len,
				merge->runs[i].start + merge->runs[i].len);
	}
}

/* ---- searching ---- */

/**
 * struct carom_map_shape - a map to be made
 * @name: of the case
 * @nr: how many runs, at least two sectors apart on the device
 * @len: longest run, in sectors
 * @hole: longest hole before a run
 * @far: hole before the last run, so that most are in a small part of the file
 */
struct carom_map_shape {
	const char	*name;
	size_t		nr;
	u32		len;
	u32		hole;
	u64		far;
};

static const struct carom_map_shape carom_map_shapes[] = {
	{ "none", 0, 1, 0, 0 },
	{ "one", 1, 8, 0, 0 },
	{ "one_behind_a_hole", 1, 8, 100, 0 },
	{ "two", 2, 8, 8, 0 },
	{ "before_index", CAROM_MAP_INDEX_MIN - 1, 64, 64, 0 },
	{ "first_with_index", CAROM_MAP_INDEX_MIN, 64, 64, 0 },
	{ "index_and_one", CAROM_MAP_INDEX_MIN + 1, 64, 64, 0 },
	{ "adjacent", 1000, 1, 0, 0 },
	{ "sector_holes", 1000, 1, 1, 0 },
	{ "long_holes", 1000, 8, 100000, 0 },
	{ "clustered", 1000, 8, 8, 1ULL << 40 },
	{ "as_many_as_fit", 64, 8, 8, 0 },
	{ "one_more_than_fits", 65, 8, 8, 0 },
	{ "many", 100000, 2048, 2048, 0 },
	{ "many_clustered", 100000, 16, 4, 1ULL << 32 },
};

KUNIT_ARRAY_PARAM_DESC(carom_map_shape, carom_map_shapes, name);

static struct carom_map *carom_map_test_random(struct kunit *test,
					       const struct carom_map_shape *shape,
					       struct rnd_state *rnd)
{
	struct carom_map *map = carom_bench_map(test);
	u64 start = 0, sector = 1000;
	size_t i;
	u32 len;

	for (i = 0; i < shape->nr; i++) {
		start += shape->hole ? prandom_u32_state(rnd) % (shape->hole + 1) : 0;
		start += shape->far && i == shape->nr - 1 ? shape->far : 0;
		len = 1 + prandom_u32_state(rnd) % shape->len;
		KUNIT_ASSERT_EQ(test, 0, carom_map_add(map, start, sector, len));
		start += len;
		sector += len + 1 + prandom_u32_state(rnd) % 1000;
	}
	KUNIT_ASSERT_EQ(test, shape->nr, map->nr);
	KUNIT_ASSERT_EQ(test, 0, carom_map_finish(map));
	return map;
}

/* How often the first and last sector of a run, or what is beside them, is not found so. */
static size_t carom_map_test_edges(const struct carom_map *map)
{
	const struct carom_run *run, *next, *before = NULL;
	size_t i, wrong = 0;

	for (i = 0; i < map->nr; i++) {
		run = &map->runs[i];
		next = i + 1 < map->nr && run[1].start == run->start + run->len ? run + 1 : NULL;
		wrong += run->start && carom_map_search(map, run->start - 1) != before;
		wrong += carom_map_search(map, run->start) != run;
		wrong += carom_map_search(map, run->start + run->len - 1) != run;
		wrong += carom_map_search(map, run->start + run->len) != next;
		before = next ? run : NULL;
	}
	return wrong;
}

static void carom_map_test_search(struct kunit *test)
{
	const struct carom_map_shape *shape = test->param_value;
	struct rnd_state rnd;
	struct carom_map *map;
	u64 start, end = 0;
	u32 i;

	prandom_seed_state(&rnd, SEED);
	map = carom_map_test_random(test, shape, &rnd);
	KUNIT_EXPECT_EQ(test, shape->nr >= CAROM_MAP_INDEX_MIN, !!map->index);
	KUNIT_EXPECT_EQ(test, 0, carom_map_test_edges(map));
	if (map->nr)
		end = map->runs[map->nr - 1].start + map->runs[map->nr - 1].len;
	for (i = 0; i < LOOKS; i++) {
		start = (u64)prandom_u32_state(&rnd) << 32 | prandom_u32_state(&rnd);
		/* Half of them where most runs are, and a few behind the end. */
		start %= i & 1 ? end - shape->far + 4 : end + 4;
		KUNIT_ASSERT_PTR_EQ_MSG(test, carom_map_search(map, start),
					carom_map_test_linear(map, start), "sector %llu", start);
	}
	KUNIT_EXPECT_NULL(test, carom_map_search(map, end));
	KUNIT_EXPECT_NULL(test, carom_map_search(map, U64_MAX));
	KUNIT_EXPECT_NULL(test, carom_map_search(map, U64_MAX >> SECTOR_SHIFT));
}

/* The same runs are found with an index and without. */
static void carom_map_test_index(struct kunit *test)
{
	const struct carom_map_shape *shape = test->param_value;
	struct carom_map *map, plain;
	struct rnd_state rnd;

	if (shape->nr < CAROM_MAP_INDEX_MIN)
		kunit_skip(test, "too few runs for an index");
	prandom_seed_state(&rnd, SEED);
	map = carom_map_test_random(test, shape, &rnd);
	plain = *map;
	plain.index = NULL;
	KUNIT_EXPECT_EQ(test, 0, carom_map_test_edges(&plain));
	/* Parts: as many as runs, or a few less, whatever is between them. */
	KUNIT_EXPECT_LE(test, map->end >> map->shift, map->nr);
	if (map->shift)
		KUNIT_EXPECT_GT(test, map->end >> (map->shift - 1), map->nr);
	KUNIT_EXPECT_EQ(test, map->nr, map->room);
}

static void carom_map_test_holds(struct kunit *test)
{
	const struct carom_run run = { .start = 8, .sector = 100, .len = 4 };

	KUNIT_EXPECT_FALSE(test, carom_run_holds(&run, 0));
	KUNIT_EXPECT_FALSE(test, carom_run_holds(&run, 7));
	KUNIT_EXPECT_TRUE(test, carom_run_holds(&run, 8));
	KUNIT_EXPECT_TRUE(test, carom_run_holds(&run, 11));
	KUNIT_EXPECT_FALSE(test, carom_run_holds(&run, 12));
	KUNIT_EXPECT_FALSE(test, carom_run_holds(&run, U64_MAX));
}

static void carom_map_test_freed(struct kunit *test)
{
	const struct carom_map_shape shape = { "freed", 100, 8, 8, 0 };
	struct rnd_state rnd;
	struct carom_map *map;

	prandom_seed_state(&rnd, SEED);
	map = carom_map_test_random(test, &shape, &rnd);
	carom_map_free(map);
	KUNIT_EXPECT_NULL(test, carom_map_search(map, 0));
	KUNIT_EXPECT_EQ(test, 0, carom_map_add(map, 0, 80, 8));
	KUNIT_EXPECT_EQ(test, 1, map->nr);
}

static struct kunit_case carom_map_cases[] = {
	KUNIT_CASE_PARAM(carom_map_test_merge, carom_map_merge_gen_params),
	KUNIT_CASE_PARAM(carom_map_test_search, carom_map_shape_gen_params),
	KUNIT_CASE_PARAM(carom_map_test_index, carom_map_shape_gen_params),
	KUNIT_CASE(carom_map_test_holds),
	KUNIT_CASE(carom_map_test_freed),
	{ }
};

static struct kunit_suite carom_map_suite = {
	.name = "carom_map",
	.test_cases = carom_map_cases,
};

kunit_test_suite(carom_map_suite);
