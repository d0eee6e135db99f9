// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes of every size, in files whose blocks lie anywhere: what a chain reads is what pread()
 * reads, or it ends because the node is not contiguous on the device, and only then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vm.h"

#define FILE_NAME	VM_FILE("nodes.chase")
#define SEAM		VM_FILE("seam")
#define MAX_EXTENTS	4096
#define OFFSETS		400
#define CHAINS		60

static unsigned int sizes[] = { 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
#define NR_SIZES	ARRAY_SIZE(sizes)

static struct engine_walker walkers[NR_SIZES];
static unsigned int block;
static unsigned int seed = 1;

/**
 * struct nodes - a file, and a session on it
 * @size: bytes of a node
 * @splits: nodes that were refused
 * @nodes: nodes that were read
 */
struct nodes {
	unsigned int size;
	struct engine e;
	int fd;
	struct carom_extent ext[MAX_EXTENTS];
	unsigned int nr;
	unsigned long splits;
	unsigned long nodes;
};

static void walker_name(char *name, size_t len, unsigned int size)
{
	snprintf(name, len, "chase%u", size);
}

static int setup(void **state)
{
	struct statfs st;
	unsigned int i;
	char name[32];

	(void)state;
	for (i = 0; i < NR_SIZES; i++) {
		walker_name(name, sizeof(name), sizes[i]);
		vm_load(&walkers[i], name);
	}
	assert_sys(statfs(VM_DIR, &st));
	block = (unsigned int)st.f_bsize;
	print_message("# blocks of %u bytes\n", block);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < NR_SIZES; i++)
		engine_unload(&walkers[i]);
	unlink(FILE_NAME);
	return 0;
}

static unsigned int rnd(unsigned int below)
{
	return (unsigned int)rand_r(&seed) % below;
}

/*
 * Extents of up to twice as many blocks as a node has, and one more, so that some nodes lie in
 * one and some do not: behind each a block of the file is cut out.
 */
static void make_file(unsigned int size)
{
	unsigned int longest = 2 * size / block + 1;
	off_t len = (off_t)64 * (size > block ? size : block), at = 0;
	int fd;

	vm_chase_file(FILE_NAME, 65536, (unsigned int)(3 * len / 65536 + 1));
	fd = vm_open(FILE_NAME, O_RDWR);
	for (;;) {
		at += (off_t)(1 + rnd(longest)) * block;
		if (at >= len)
			break;
		assert_sys(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, at, block));
	}
	assert_sys(ftruncate(fd, len));
	assert_ok(chase_write(fd, size, (unsigned int)(len / size), size));
	close(fd);
}

static void open_nodes(struct nodes *n, const char *path)
{
	struct carom_extents arg = {
		.size = sizeof(arg), .count = MAX_EXTENTS, .extents = (__u64)(uintptr_t)n->ext,
	};
	char name[32];

	walker_name(name, sizeof(name), n->size);
	vm_session(&n->e, path, name, n->size, NULL);
	assert_sys(ioctl(n->e.fd, CAROM_IOC_EXTENTS, &arg));
	n->nr = arg.count;
	assert_int_equal(n->e.open.nr_extents, n->nr);
	n->fd = vm_open(path, O_RDONLY);
}

static void close_nodes(struct nodes *n)
{
	engine_close(&n->e);
	close(n->fd);
}

/* Does the node at @offset lie in one extent? Extents that continue each other are one. */
static bool contiguous(const struct nodes *n, __u64 offset)
{
	unsigned int i;

	for (i = 0; i < n->nr; i++)
		if (offset >= n->ext[i].offset && offset < n->ext[i].offset + n->ext[i].length)
			return offset + n->size <= n->ext[i].offset + n->ext[i].length;
	fail_msg("nothing is mapped at %llu", offset);
	return false;
}

static void same_bytes(struct nodes *n, __u64 offset)
{
	unsigned char *want = malloc(n->size);

	assert_non_null(want);
	assert_int_equal(pread(n->fd, want, n->size, (off_t)offset), n->size);
	assert_memory_equal(engine_node(&n->e, 0), want, n->size);
	free(want);
	n->nodes++;
}

static void refused(struct nodes *n, const struct carom_lookup *res, unsigned int hops, __u64 at)
{
	assert_int_equal(res->end, CAROM_END_SPLIT);
	assert_int_equal(res->hops, hops);
	assert_int_equal(res->at, at);
	n->splits++;
}

/* A node that begins anywhere. Where that is in the middle of one the walker refuses it. */
static void one_node(struct nodes *n, __u64 offset)
{
	struct chase_query *query = engine_scratch(&n->e, 0);
	struct carom_lookup res;

	query->depth = 1;
	res = vm_lookup(&n->e, 0, offset);
	if (!contiguous(n, offset)) {
		refused(n, &res, 0, offset);
		return;
	}
	if (res.end != CAROM_END_DONE && res.end != CAROM_END_WALKER)
		fail_msg("node of %u at %llu: end %u", n->size, offset, res.end);
	same_bytes(n, offset);
}

/* Up to the first node that is not contiguous, or to the end. */
static void one_chain(struct nodes *n, __u64 offset, unsigned int depth)
{
	struct chase_query *query = engine_scratch(&n->e, 0);
	__u64 start = offset, next;
	struct carom_lookup res;
	unsigned int i;

	query->depth = depth;
	query->id = ~0ULL;
	res = vm_lookup(&n->e, 0, start);
	for (i = 0; i < depth; i++, offset = next) {
		struct chase_node node;

		if (!contiguous(n, offset)) {
			refused(n, &res, i, offset);
			return;
		}
		assert_int_equal(pread(n->fd, &node, sizeof(node), (off_t)offset), sizeof(node));
		next = node.next;
		if (i + 1 == depth)
			break;
	}
	assert_int_equal(res.end, CAROM_END_DONE);
	assert_int_equal(res.hops, depth);
	assert_int_equal(res.at, offset);
	assert_int_equal(query->id, offset / n->size);
	same_bytes(n, offset);
}

static void node_size(void **state)
{
	static struct nodes n;
	__u64 len, step, offset;
	unsigned int i;

	memset(&n, 0, sizeof(n));
	n.size = *(unsigned int *)*state;
	make_file(n.size);
	open_nodes(&n, FILE_NAME);
	assert_true(n.nr > 8);
	len = n.e.open.file_size;
	/* Odd, in sectors: each place within a block has its turn. */
	step = len / OFFSETS / 1024 * 1024 + 512;
	for (offset = 0; offset + n.size <= len; offset += step)
		one_node(&n, offset);
	/* Nothing of what was refused is left over, nor are there any nodes but these. */
	assert_true(n.splits > 20 || n.size == 512);
	for (i = 0; i < CHAINS; i++)
		one_chain(&n, (__u64)rnd((unsigned int)(len / n.size)) * n.size, 1 + rnd(8));
	print_message("# %u extents, %lu nodes read, %lu refused\n", n.nr, n.nodes, n.splits);
	assert_true(n.nodes > 20);
	if (n.size <= block)
		/* Blocks are contiguous, and so are such nodes in their places. */
		for (i = 0; i < len / n.size; i += 7)
			assert_true(contiguous(&n, (__u64)i * n.size));
	close_nodes(&n);
}

/* Where two extents of the filesystem's continue each other, or 0. */
static __u64 seam(int fd)
{
	unsigned int room = 256, i;
	size_t size = sizeof(struct fiemap) + room * sizeof(struct fiemap_extent);
	struct fiemap *map = calloc(1, size);
	struct fiemap_extent *fe;
	__u64 found = 0;

	assert_non_null(map);
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = room;
	assert_sys(ioctl(fd, FS_IOC_FIEMAP, map));
	for (i = 0; i + 1 < map->fm_mapped_extents && !found; i++) {
		fe = &map->fm_extents[i];
		if (fe[0].fe_logical + fe[0].fe_length == fe[1].fe_logical &&
		    fe[0].fe_physical + fe[0].fe_length == fe[1].fe_physical)
			found = fe[1].fe_logical;
	}
	free(map);
	return found;
}

/*
 * Two extents that are one run on the device are read as if they were one. ext4 makes no extent of
 * more than 32768 blocks; the file, which is longer, was put there in one piece.
 */
static void adjacent_extents(void **state)
{
	static struct nodes n = { .size = 65536 };
	__u64 at;
	int fd;

	(void)state;
	fd = vm_open(SEAM, O_RDONLY);
	at = seam(fd);
	close(fd);
	assert_true(at > n.size);
	open_nodes(&n, SEAM);
	one_node(&n, at - n.size / 2);
	one_node(&n, at - 512);
	assert_int_equal(n.nodes, 2);
	close_nodes(&n);
}

int main(void)
{
#define NODE_TEST(i, text) { "nodes of " text " bytes", node_size, NULL, NULL, &sizes[i] }
	const struct CMUnitTest tests[] = {
		NODE_TEST(0, "512"), NODE_TEST(1, "1024"), NODE_TEST(2, "2048"),
		NODE_TEST(3, "4096"), NODE_TEST(4, "8192"), NODE_TEST(5, "16384"),
		NODE_TEST(6, "32768"), NODE_TEST(7, "65536"), cmocka_unit_test(adjacent_extents),
	};

	/* Where the filesystem comes with a file for it, see nodes.test. */
	if (!getenv("CAROM_NODES_SEAM"))
		cmocka_set_skip_filter("adjacent_extents");
	return cmocka_run_group_tests_name("nodes", tests, setup, teardown);
}
