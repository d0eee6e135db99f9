// SPDX-License-Identifier: GPL-2.0
/* Building the map of a file's blocks, as its filesystem tells its extents (map_fiemap.c). */
#include "bench.h"
#include "../map_fiemap.c"

#define PART_START	2048
#define BLKBITS		12

/**
 * struct carom_fiemap_extent - what a filesystem tells, in blocks
 * @logical: where in the file
 * @phys: where on the device
 * @len: how many
 * @flags: FIEMAP_EXTENT_*
 */
struct carom_fiemap_extent {
	u64	logical;
	u64	phys;
	u64	len;
	u32	flags;
};

/* A filesystem's answers, and what it was asked. */
struct carom_fiemap_file {
	struct file				file;
	struct inode				inode;
	const struct carom_fiemap_extent	*extents;
	size_t					nr;
	int					err;	/* after the last extent */
	unsigned int				calls;
	u64					start;
	u64					len;
	u32					flags;
};

static int carom_fiemap_test_fiemap(struct inode *inode, struct fiemap_extent_info *fieinfo,
				    u64 start, u64 len)
{
	struct carom_fiemap_file *ff = container_of(inode, struct carom_fiemap_file, inode);
	int err;

	ff->calls++;
	ff->start = start;
	ff->len = len;
	ff->flags = fieinfo->fi_flags;
	for (size_t i = 0; i < ff->nr; i++) {
		const struct carom_fiemap_extent *e = &ff->extents[i];

		err = fiemap_fill_next_extent(fieinfo, e->logical << BLKBITS, e->phys << BLKBITS,
					      e->len << BLKBITS, e->flags);
		if (err)
			return err < 0 ? err : 0;
	}
	return ff->err;
}

static const struct inode_operations carom_fiemap_test_iops = {
	.fiemap	= carom_fiemap_test_fiemap,
};

static const struct inode_operations carom_fiemap_test_no_fiemap = { };

static struct carom_fiemap_file *
carom_fiemap_test_file(struct kunit *test, const struct carom_fiemap_extent *extents, size_t nr,
		       loff_t size)
{
	struct carom_fiemap_file *ff = kunit_kzalloc(test, sizeof(*ff), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ff);
	ff->extents = extents;
	ff->nr = nr;
	ff->file.f_inode = &ff->inode;
	ff->inode.i_op = &carom_fiemap_test_iops;
	ff->inode.i_blkbits = BLKBITS;
	i_size_write(&ff->inode, size);
	return ff;
}

/* Sector of the namespace that holds the first of file block @block, or -1. */
static s64 carom_fiemap_test_find(const struct carom_map *map, u64 block)
{
	u64 sector = block << (BLKBITS - SECTOR_SHIFT);
	const struct carom_run *run = carom_map_search(map, sector);

	return run ? run->sector + sector - run->start : -1;
}

static s64 carom_fiemap_test_sector(u64 phys)
{
	return (phys << (BLKBITS - SECTOR_SHIFT)) + PART_START;
}

/* Two extents that follow on each other, a hole, one elsewhere. */
static const struct carom_fiemap_extent carom_fiemap_plain[] = {
	{ 0, 10, 2, 0 },
	{ 2, 12, 1, FIEMAP_EXTENT_MERGED },
	{ 5, 100, 3, FIEMAP_EXTENT_LAST },
};

static void carom_fiemap_test_build(struct kunit *test)
{
	static const s64 phys[] = { 10, 11, 12, -1, -1, 100, 101, 102, -1 };
	struct carom_map *map = carom_bench_map(test);
	struct carom_fiemap_file *ff;

	ff = carom_fiemap_test_file(test, carom_fiemap_plain, ARRAY_SIZE(carom_fiemap_plain),
				    8 << BLKBITS);
	KUNIT_ASSERT_EQ(test, 0, carom_map_build(map, &ff->file, PART_START));
	KUNIT_EXPECT_EQ(test, 2, map->nr);
	for (size_t i = 0; i < ARRAY_SIZE(phys); i++)
		KUNIT_EXPECT_EQ_MSG(test, carom_fiemap_test_find(map, i),
				    phys[i] < 0 ? -1 : carom_fiemap_test_sector(phys[i]),
				    "block %zu", i);
	KUNIT_EXPECT_EQ(test, 1, ff->calls);
	KUNIT_EXPECT_EQ(test, 0, ff->start);
	KUNIT_EXPECT_EQ(test, 8 << BLKBITS, ff->len);
	/* Pages are written back already, extended attributes not meant. */
	KUNIT_EXPECT_EQ(test, 0, ff->flags);
}

struct carom_fiemap_kind {
	const char	*name;
	u32		flags;
	bool		mapped;
	int		err;
};

static const struct carom_fiemap_kind carom_fiemap_kinds[] = {
	{ "plain", 0, true },
	{ "merged", FIEMAP_EXTENT_MERGED, true },
	{ "unwritten", FIEMAP_EXTENT_UNWRITTEN },
	{ "delayed", FIEMAP_EXTENT_DELALLOC },
	{ "unknown", FIEMAP_EXTENT_UNKNOWN },
	{ "encoded", FIEMAP_EXTENT_ENCODED },
	{ "encrypted", FIEMAP_EXTENT_DATA_ENCRYPTED },
	{ "not_aligned", FIEMAP_EXTENT_NOT_ALIGNED },
	{ "inline", FIEMAP_EXTENT_DATA_INLINE },
	{ "tail", FIEMAP_EXTENT_DATA_TAIL },
	{ "shared", FIEMAP_EXTENT_SHARED, false, -EOPNOTSUPP },
	{ "shared_unwritten", FIEMAP_EXTENT_SHARED | FIEMAP_EXTENT_UNWRITTEN, false, -EOPNOTSUPP },
};

KUNIT_ARRAY_PARAM_DESC(carom_fiemap_kind, carom_fiemap_kinds, name);

/* Between two plain extents. */
static void carom_fiemap_test_kinds(struct kunit *test)
{
	const struct carom_fiemap_kind *kind = test->param_value;
	const struct carom_fiemap_extent extents[] = {
		{ 0, 10, 1, 0 }, { 1, 11, 1, kind->flags }, { 2, 12, 1, 0 },
	};
	struct carom_map *map = carom_bench_map(test);
	struct carom_fiemap_file *ff;

	ff = carom_fiemap_test_file(test, extents, ARRAY_SIZE(extents), 3 << BLKBITS);
	KUNIT_ASSERT_EQ(test, kind->err, carom_map_build(map, &ff->file, PART_START));
	if (kind->err)
		return;
	KUNIT_EXPECT_EQ(test, carom_fiemap_test_sector(10), carom_fiemap_test_find(map, 0));
	KUNIT_EXPECT_EQ(test, kind->mapped ? carom_fiemap_test_sector(11) : -1,
			carom_fiemap_test_find(map, 1));
	KUNIT_EXPECT_EQ(test, carom_fiemap_test_sector(12), carom_fiemap_test_find(map, 2));
}

/* Nothing behind the file's last block is mapped, whatever a filesystem tells of it. */
static void carom_fiemap_test_end(struct kunit *test)
{
	static const struct carom_fiemap_extent extents[] = { { 0, 10, 3, 0 }, { 3, 20, 4, 0 } };
	static const struct {
		loff_t	size;
		u64	asked;
		u64	sectors;
	} ends[] = {
		{ 0, 0, 0 }, { 1, 4096, 8 }, { 4096, 4096, 8 }, { 4097, 8192, 16 },
		{ 3 << BLKBITS, 3 << BLKBITS, 24 }, { (3 << BLKBITS) + 1, 4 << BLKBITS, 32 },
		{ 7 << BLKBITS, 7 << BLKBITS, 56 }, { 9 << BLKBITS, 9 << BLKBITS, 56 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct carom_map *map = carom_bench_map(test);
		struct carom_fiemap_file *ff;
		u64 sectors = 0;

		ff = carom_fiemap_test_file(test, extents, ARRAY_SIZE(extents), ends[i].size);
		KUNIT_ASSERT_EQ(test, 0, carom_map_build(map, &ff->file, 0));
		for (size_t run = 0; run < map->nr; run++)
			sectors += map->runs[run].len;
		KUNIT_EXPECT_EQ(test, ends[i].sectors, sectors);
		KUNIT_EXPECT_EQ(test, ends[i].asked, ff->len);
	}
}

/* As many as need an index, each in a place of its own. */
static void carom_fiemap_test_many(struct kunit *test)
{
	const size_t nr = 100000;
	struct carom_map *map = carom_bench_map(test);
	struct carom_fiemap_extent *extents;
	struct carom_fiemap_file *ff;

	extents = kvmalloc_array(nr, sizeof(*extents), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, extents);
	for (size_t i = 0; i < nr; i++)
		extents[i] = (struct carom_fiemap_extent) { 2 * i, 3 * (nr - i), 1, 0 };
	ff = carom_fiemap_test_file(test, extents, nr, nr << (BLKBITS + 1));
	KUNIT_EXPECT_EQ(test, 0, carom_map_build(map, &ff->file, PART_START));
	kvfree(extents);
	KUNIT_EXPECT_EQ(test, nr, map->nr);
	for (size_t i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, carom_fiemap_test_find(map, 2 * i),
				carom_fiemap_test_sector(3 * (nr - i)));
		KUNIT_ASSERT_EQ(test, -1, carom_fiemap_test_find(map, 2 * i + 1));
	}
}

static void carom_fiemap_test_fails(struct kunit *test)
{
	struct carom_map *map = carom_bench_map(test);
	struct carom_fiemap_file *ff;

	/* Not the last, behind which there is nothing to fail. */
	ff = carom_fiemap_test_file(test, carom_fiemap_plain, 1, 8 << BLKBITS);
	ff->err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, carom_map_build(map, &ff->file, 0));
	carom_map_free(map);
	ff->inode.i_op = &carom_fiemap_test_no_fiemap;
	KUNIT_EXPECT_EQ(test, -EINVAL, carom_map_build(map, &ff->file, 0));
	KUNIT_EXPECT_EQ(test, 0, map->nr);
}

static struct kunit_case carom_fiemap_cases[] = {
	KUNIT_CASE(carom_fiemap_test_build),
	KUNIT_CASE_PARAM(carom_fiemap_test_kinds, carom_fiemap_kind_gen_params),
	KUNIT_CASE(carom_fiemap_test_end),
	KUNIT_CASE(carom_fiemap_test_many),
	KUNIT_CASE(carom_fiemap_test_fails),
	{ }
};

static struct kunit_suite carom_fiemap_suite = {
	.name = "carom_map_fiemap",
	.test_cases = carom_fiemap_cases,
};

kunit_test_suite(carom_fiemap_suite);
