// SPDX-License-Identifier: GPL-2.0
/* Building the map of a file's blocks, block by block (map_bmap.c). */
#include "bench.h"
#include "../map_bmap.c"

#define PART_START	2048

/* A filesystem's answers: where each block is, 0 for a hole. */
struct carom_bmap_file {
	struct file		file;
	struct inode		inode;
	struct super_block	sb;
	struct address_space	mapping;
	const sector_t		*blocks;
	sector_t		nr;
	sector_t		asked;
};

static struct file_system_type carom_bmap_test_fs = {
	.name	= "carom_bmap_test",
};

static sector_t carom_bmap_test_bmap(struct address_space *mapping, sector_t block)
{
	struct carom_bmap_file *bf = container_of(mapping, struct carom_bmap_file, mapping);

	bf->asked++;
	return block < bf->nr ? bf->blocks[block] : 0;
}

static const struct address_space_operations carom_bmap_test_aops = {
	.bmap	= carom_bmap_test_bmap,
};

static const struct address_space_operations carom_bmap_test_no_bmap = { };

static struct carom_bmap_file *carom_bmap_test_file(struct kunit *test, const sector_t *blocks,
						    sector_t nr, unsigned int blkbits, loff_t size)
{
	struct carom_bmap_file *bf = kunit_kzalloc(test, sizeof(*bf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bf);
	bf->blocks = blocks;
	bf->nr = nr;
	bf->file.f_inode = &bf->inode;
	bf->mapping.a_ops = &carom_bmap_test_aops;
	bf->mapping.host = &bf->inode;
	bf->sb.s_type = &carom_bmap_test_fs;
	bf->inode.i_sb = &bf->sb;
	bf->inode.i_mapping = &bf->mapping;
	bf->inode.i_blkbits = blkbits;
	i_size_write(&bf->inode, size);
	return bf;
}

/* Two blocks in a row, a hole, one, two that are not in a row, a hole, one. */
static const sector_t carom_bmap_blocks[] = { 10, 11, 0, 12, 20, 30, 0, 0, 9 };

static const unsigned int carom_bmap_blkbits[] = { 9, 10, 12, 16 };

static void carom_bmap_blkbits_desc(const unsigned int *bits, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "blocks_of_%u", 1U << *bits);
}

KUNIT_ARRAY_PARAM(carom_bmap_blkbits, carom_bmap_blkbits, carom_bmap_blkbits_desc);

static void carom_bmap_test_build(struct kunit *test)
{
	unsigned int bits = *(const unsigned int *)test->param_value;
	unsigned int shift = bits - SECTOR_SHIFT;
	sector_t nr = ARRAY_SIZE(carom_bmap_blocks);
	struct carom_map *map = carom_bench_map(test);
	const struct carom_run *run;
	struct carom_bmap_file *bf;
	u64 sector, block;

	/* The last block is in the file if only a byte of it is. */
	bf = carom_bmap_test_file(test, carom_bmap_blocks, nr, bits, ((nr - 1) << bits) + 1);
	KUNIT_ASSERT_EQ(test, 0, carom_map_build(map, &bf->file, PART_START));
	KUNIT_EXPECT_EQ(test, nr, bf->asked);
	KUNIT_EXPECT_EQ(test, 5, map->nr);
	for (sector = 0; sector < (nr + 1) << shift; sector++) {
		block = sector >> shift;
		run = carom_map_search(map, sector);
		if (block >= nr || !carom_bmap_blocks[block]) {
			KUNIT_EXPECT_NULL_MSG(test, run, "sector %llu", sector);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL_MSG(test, run, "sector %llu", sector);
		KUNIT_EXPECT_EQ(test, run->sector + sector - run->start, PART_START +
				(carom_bmap_blocks[block] << shift) + sector - (block << shift));
	}
}

static void carom_bmap_test_end(struct kunit *test)
{
	static const sector_t blocks[] = { 10, 11, 12, 13 };
	static const struct {
		loff_t	size;
		u64	sectors;
	} ends[] = {
		{ 0, 0 }, { 1, 8 }, { 4095, 8 }, { 4096, 8 }, { 4097, 16 }, { 8192, 16 },
		{ 16384, 32 },
	};
	struct carom_bmap_file *bf;
	struct carom_map *map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		map = carom_bench_map(test);
		bf = carom_bmap_test_file(test, blocks, ARRAY_SIZE(blocks), 12, ends[i].size);
		KUNIT_ASSERT_EQ(test, 0, carom_map_build(map, &bf->file, 0));
		KUNIT_ASSERT_EQ(test, ends[i].sectors ? 1 : 0, map->nr);
		if (map->nr)
			KUNIT_EXPECT_EQ(test, ends[i].sectors, map->runs[0].len);
	}
}

static void carom_bmap_test_fails(struct kunit *test)
{
	struct carom_map *map = carom_bench_map(test);
	struct carom_bmap_file *bf;

	bf = carom_bmap_test_file(test, carom_bmap_blocks, ARRAY_SIZE(carom_bmap_blocks), 12, 4096);
	bf->mapping.a_ops = &carom_bmap_test_no_bmap;
	KUNIT_EXPECT_EQ(test, -EINVAL, carom_map_build(map, &bf->file, 0));
	KUNIT_EXPECT_EQ(test, 0, map->nr);
}

static struct kunit_case carom_bmap_cases[] = {
	KUNIT_CASE_PARAM(carom_bmap_test_build, carom_bmap_blkbits_gen_params),
	KUNIT_CASE(carom_bmap_test_end),
	KUNIT_CASE(carom_bmap_test_fails),
	{ }
};

static struct kunit_suite carom_bmap_suite = {
	.name = "carom_map_bmap",
	.test_cases = carom_bmap_cases,
};

kunit_test_suite(carom_bmap_suite);
