// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a file of a thousand extents with all that can be between them: a block that is
 * written is read as pread() reads it, and of any other the lookup says that it is a hole.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../lib/extents.h"
#include "vm.h"

#define FILE_NAME	VM_FILE("map.chase")
#define BLOCK		CHASE_NODE_SIZE
#define BLOCKS		3600U
/* Of the block after these. */
#define TAIL		100U
#define BEYOND		64U
#define AT_LEAST	1000U

enum kind {
	WRITTEN,
	HOLE,
	UNWRITTEN,
};

static struct engine_walker chase;
static enum kind kinds[BLOCKS];

/* One to three blocks of a kind; what is written has a neighbour that is not. */
static void draw_kinds(void)
{
	unsigned int seed = 1, i, left = 0;
	enum kind kind = UNWRITTEN;

	for (i = 0; i < BLOCKS; i++, left--) {
		if (!left) {
			kind = kind == WRITTEN ? HOLE + (unsigned int)rand_r(&seed) % 2 : WRITTEN;
			left = 1 + (unsigned int)rand_r(&seed) % (kind == WRITTEN ? 2 : 3);
		}
		kinds[i] = kind;
	}
}

/*
 * All of it has been written: what is unwritten now has the node that was there, or another one,
 * on the device.
 */
static void make_file(void)
{
	static const int modes[] = {
		[HOLE] = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		[UNWRITTEN] = FALLOC_FL_ZERO_RANGE,
	};
	unsigned int i;
	int fd;

	vm_chase_file(FILE_NAME, BLOCK, BLOCKS + 1);
	fd = vm_open(FILE_NAME, O_RDWR);
	for (i = 0; i < BLOCKS; i++)
		if (kinds[i] != WRITTEN)
			assert_sys(fallocate(fd, modes[kinds[i]], (off_t)i * BLOCK, BLOCK));
	assert_sys(ftruncate(fd, (off_t)BLOCKS * BLOCK + TAIL));
	assert_sys(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)BLOCKS * BLOCK,
			     (off_t)BEYOND * BLOCK));
	assert_sys(fsync(fd));
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	draw_kinds();
	make_file();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	unlink(FILE_NAME);
	return 0;
}

/* Extents by what they are; those beyond the end of the file are unwritten, too. */
struct numbers {
	unsigned int written;
	unsigned int unwritten;
	unsigned int beyond;
};

static int count_extent(void *ctx, const struct fiemap_extent *ext)
{
	struct numbers *n = ctx;

	if (!(ext->fe_flags & FIEMAP_EXTENT_UNWRITTEN))
		n->written++;
	else if (ext->fe_logical + ext->fe_length > (__u64)(BLOCKS + 1) * BLOCK)
		n->beyond++;
	else
		n->unwritten++;
	return 0;
}

/* The other tests are worth something only if it is all there. */
static void file_has_it_all(void **state)
{
	int fd = vm_open(FILE_NAME, O_RDONLY);
	struct numbers n = { };

	(void)state;
	assert_ok(extents_each(fd, count_extent, &n));
	close(fd);
	print_message("# extents: %u written, %u unwritten, %u beyond the end\n", n.written,
		      n.unwritten, n.beyond);
	assert_true(n.written >= AT_LEAST && n.unwritten >= AT_LEAST / 4 && n.beyond > 0);
}

static void refused(const struct engine *e, __u64 offset, __u32 end)
{
	struct chase_query *query = engine_scratch(e, 0);
	struct carom_lookup res;

	query->depth = 1;
	res = vm_lookup(e, 0, offset);
	if (res.end != end || res.hops || res.at != offset)
		fail_msg("block %llu, kind %d: end %u after %u hops at %llu instead of %u",
			 offset / BLOCK, offset / BLOCK < BLOCKS ? (int)kinds[offset / BLOCK] : -1,
			 res.end, res.hops, res.at, end);
}

static void every_block(void **state)
{
	int fd = vm_open(FILE_NAME, O_RDONLY);
	struct engine e;
	unsigned int i;

	(void)state;
	vm_session(&e, FILE_NAME, "chase", BLOCK, NULL);
	for (i = 0; i < BLOCKS; i++) {
		if (kinds[i] == WRITTEN)
			vm_walk(&e, 0, fd, (__u64)i * BLOCK, 1);
		else
			refused(&e, (__u64)i * BLOCK, CAROM_END_HOLE);
	}
	engine_close(&e);
	close(fd);
}

static void end_of_the_file(void **state)
{
	struct engine e;
	unsigned int i;

	(void)state;
	vm_session(&e, FILE_NAME, "chase", BLOCK, NULL);
	assert_int_equal(e.open.file_size, (__u64)BLOCKS * BLOCK + TAIL);
	for (i = BLOCKS; i < BLOCKS + BEYOND + 2; i++)
		refused(&e, (__u64)i * BLOCK, CAROM_END_RANGE);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_has_it_all),
		cmocka_unit_test(every_block),
		cmocka_unit_test(end_of_the_file),
	};

	return cmocka_run_group_tests_name("map", tests, setup, teardown);
}
