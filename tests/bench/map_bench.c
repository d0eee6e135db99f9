// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of opening a session on files of many extents, and whether their maps are right.
 *
 * usage: map_bench make DIR			make the files on the filesystem at DIR
 *	  map_bench open WALKERS DIR [FILE]...	open all of them or these, with tests/vm's walkers
 *
 * The first line says which kernel it is. Of each file that was opened there is one: its name,
 * extents (of FIEMAP, written), blocks, instructions, nanoseconds, and bytes that closing the
 * session set free. Before an opening the filesystem is mounted anew, so that nothing is known
 * of the file.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "../lib/chase.h"
#include "../lib/engine.h"
#include "../lib/extents.h"
#include "insns.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
/* Of the file in one piece: nodes so many bytes apart, and zeros between them. */
#define STRIDE		(16U << 20)
#define ZEROS		(4U << 20)
#define DEPTH		3
/* Of files that open fast the cheapest opening of so many counts: it has no timer tick. */
#define ROUNDS		5
#define FEW_NODES	1000

/**
 * struct shape - one of the files
 * @name: its name
 * @nodes: nodes in it; a node is a block
 * @dense: in one piece as far as the filesystem can, else with a hole of one block between nodes
 */
struct shape {
	const char	*name;
	unsigned int	nodes;
	bool		dense;
};

static const struct shape shapes[] = {
	{ "extents-1", 1, false },
	{ "extents-1000", 1000, false },
	{ "extents-100000", 100000, false },
	{ "extents-1000000", 1000000, false },
	{ "dense-1GiB", 64, true },
};

static const char *dir;
static unsigned int block;

static const char *path_of(const struct shape *shape)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, shape->name);
	return path;
}

static unsigned int stride_of(const struct shape *shape)
{
	return shape->dense ? STRIDE : 2 * block;
}

static int open_file(const struct shape *shape, int flags)
{
	int fd = open(path_of(shape), flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", path_of(shape));
	return fd;
}

static void failed(const struct shape *shape, const char *what, int error)
{
	if (error)
		errx(1, "%s: %s: %s", path_of(shape), what, strerror(-error));
}

static void find_block_size(void)
{
	struct statfs st;

	if (statfs(dir, &st))
		err(1, "%s", dir);
	block = (unsigned int)st.f_bsize;
}

/* ---- making ---- */

static void write_zeros(const struct shape *shape, off_t size)
{
	int fd = open_file(shape, O_WRONLY | O_DIRECT);
	void *zeros = NULL;
	off_t at;

	if (fallocate(fd, 0, 0, size) || posix_memalign(&zeros, 4096, ZEROS))
		err(1, "%s", path_of(shape));
	memset(zeros, 0, ZEROS);
	for (at = 0; at < size; at += ZEROS)
		if (pwrite(fd, zeros, ZEROS, at) != ZEROS)
			err(1, "%s", path_of(shape));
	free(zeros);
	close(fd);
}

static int count_written(void *ctx, const struct fiemap_extent *ext)
{
	unsigned int *nr = ctx;

	*nr += !(ext->fe_flags & FIEMAP_EXTENT_UNWRITTEN);
	return 0;
}

/* With a hole between any two nodes there are as many extents. */
static void check_number(const struct shape *shape, unsigned int nr)
{
	if (shape->dense ? nr > shape->nodes : nr != shape->nodes)
		errx(1, "%s: has %u extents instead of %s%u", path_of(shape), nr,
		     shape->dense ? "at most " : "", shape->nodes);
}

static void make(const struct shape *shape)
{
	off_t size = (off_t)shape->nodes * stride_of(shape) - (shape->dense ? 0 : block);
	int fd = open_file(shape, O_RDWR | O_CREAT | O_TRUNC);
	unsigned int nr = 0;

	if (shape->dense)
		write_zeros(shape, size);
	/* The end first, or XFS would allocate more than is written, as for any file that grows. */
	else if (ftruncate(fd, size))
		err(1, "%s", path_of(shape));
	failed(shape, "writing",
	       chase_write_apart(fd, block, stride_of(shape), shape->nodes, 1));
	failed(shape, "FIEMAP", extents_each(fd, count_written, &nr));
	check_number(shape, nr);
	close(fd);
}

/* ---- is the map right? ---- */

/**
 * struct comparison - FIEMAP beside the session's map
 * @e: the session
 * @run: what FIEMAP has of the run that is not compared yet, in the session's units
 * @nr: extents, of FIEMAP, that are written
 * @compared: runs
 * @got: a part of the session's map
 * @first: index of its first
 * @count: runs in it
 */
struct comparison {
	const struct engine	*e;
	struct carom_extent	run;
	unsigned int		nr;
	__u64			compared;
	struct carom_extent	got[4096];
	__u64			first;
	__u32			count;
};

static int load_runs(struct comparison *c)
{
	struct carom_extents arg = {
		.size = sizeof(arg), .count = ARRAY_SIZE(c->got), .first = c->compared,
		.extents = (__u64)(uintptr_t)c->got,
	};

	if (ioctl(c->e->fd, CAROM_IOC_EXTENTS, &arg))
		return -errno;
	c->first = c->compared;
	c->count = arg.count;
	return 0;
}

static int compare_run(struct comparison *c)
{
	const struct carom_extent *got;
	int err;

	if (!c->run.length)
		return 0;
	if (c->compared >= c->first + c->count) {
		err = load_runs(c);
		if (err)
			return err;
	}
	if (c->compared >= c->first + c->count)
		return -ENODATA;
	got = &c->got[c->compared++ - c->first];
	return memcmp(got, &c->run, sizeof(*got)) ? -EILSEQ : 0;
}

static int take_extent(void *ctx, const struct fiemap_extent *ext)
{
	struct comparison *c = ctx;
	struct carom_extent *run = &c->run;
	unsigned int shift = c->e->open.lba_shift;
	int err;

	if (ext->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
		return 0;
	c->nr++;
	if (run->length && run->offset + run->length == ext->fe_logical &&
	    run->lba + (run->length >> shift) == ext->fe_physical >> shift) {
		run->length += ext->fe_length;
		return 0;
	}
	err = compare_run(c);
	*run = (struct carom_extent) {
		.offset = ext->fe_logical,
		.length = ext->fe_length,
		.lba = ext->fe_physical >> shift,
	};
	return err;
}

static const char *what_differs(int err)
{
	switch (err) {
	case -EILSEQ:
		return "is another one";
	case -ENODATA:
		return "is missing";
	case -E2BIG:
		return "and others are too many";
	default:
		return strerror(-err);
	}
}

/* The number of extents, once all of them are in the map just so, and nothing else. */
static unsigned int compare_map(const struct shape *shape, const struct engine *e, int fd)
{
	static struct comparison c;
	int err;

	memset(&c, 0, sizeof(c));
	c.e = e;
	err = extents_each(fd, take_extent, &c);
	if (!err)
		err = compare_run(&c);
	if (!err && c.compared != e->open.nr_extents)
		err = -E2BIG;
	if (err)
		errx(1, "%s: the map is not FIEMAP's: run %llu of %llu %s", path_of(shape),
		     c.compared, e->open.nr_extents, what_differs(err));
	check_number(shape, c.nr);
	return c.nr;
}

static void expect_end(const struct shape *shape, const struct carom_lookup *res, __u32 end)
{
	if (res->end != end)
		errx(1, "%s: a lookup ended as %u instead of %u, at %llu after %u hops",
		     path_of(shape), res->end, end, res->at, res->hops);
}

static void look_up(const struct shape *shape, const struct engine *e, int fd, __u64 offset)
{
	struct chase_query *query = engine_scratch(e, 0);
	unsigned char want[CAROM_MAX_NODE_SIZE];
	struct carom_lookup res;
	__u64 id;

	failed(shape, "reading", chase_expect(fd, offset, DEPTH, &id));
	*query = (struct chase_query) { .depth = DEPTH, .id = ~id };
	failed(shape, "looking up", engine_lookup(e, 0, offset, &res));
	expect_end(shape, &res, CAROM_END_DONE);
	if (query->id != id || res.hops != DEPTH || res.at != id * stride_of(shape))
		errx(1, "%s: from %llu node %llu was found at %llu instead of %llu",
		     path_of(shape), offset, query->id, res.at, id);
	if (pread(fd, want, block, (off_t)res.at) != block ||
	    memcmp(want, engine_node(e, 0), block))
		errx(1, "%s: wrong bytes at %llu", path_of(shape), res.at);
}

static void look_around(const struct shape *shape, const struct engine *e, int fd)
{
	const unsigned int n = shape->nodes, nodes[] = { 0, 1, n / 3, n / 2, n - 2, n - 1 };
	struct carom_lookup res;
	unsigned int i;
	__u64 offset;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		if (nodes[i] >= n)
			continue;
		offset = (__u64)nodes[i] * stride_of(shape);
		look_up(shape, e, fd, offset);
		if (shape->dense || nodes[i] == n - 1)
			continue;
		failed(shape, "looking up", engine_lookup(e, 0, offset + block, &res));
		expect_end(shape, &res, CAROM_END_HOLE);
	}
}

/* ---- opening ---- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void mount_anew(void)
{
	if (umount2(dir, 0) ||
	    mount(getenv("CAROM_VM_DEVICE"), dir, getenv("CAROM_VM_FS"), 0, NULL))
		err(1, "cannot mount %s anew", dir);
}

static unsigned long long free_bytes(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		err(1, "sysinfo");
	return (unsigned long long)info.freeram * info.mem_unit;
}

/* What there is more of afterwards; nearly all of that was the map's. */
static unsigned long long close_session(struct engine *e)
{
	unsigned long long before = free_bytes(), after;

	engine_close(e);
	after = free_bytes();
	return after > before ? after - before : 0;
}

static void open_once(const struct shape *shape, struct engine *e, uint64_t *insns, uint64_t *ns)
{
	struct carom_open arg = { .node_size = block, .deadline_ms = CAROM_MAX_DEADLINE_MS };
	char walker[32];
	int err;

	snprintf(walker, sizeof(walker), "chase%u", block);
	mount_anew();
	*ns = now_ns();
	carom_insns_begin();
	err = engine_open(e, path_of(shape), walker, &arg);
	carom_insns_end();
	*ns = now_ns() - *ns;
	failed(shape, "opening", err);
	err = carom_insns_read(insns);
	if (err)
		errx(1, "instructions are not counted: %s", strerror(-err));
}

static void measure(const struct shape *shape)
{
	unsigned int round, rounds = shape->nodes > FEW_NODES || shape->dense ? 1 : ROUNDS, nr;
	uint64_t insns = 0, ns = 0, least = UINT64_MAX, least_ns = 0;
	struct engine e;
	int fd;

	for (round = 0; round < rounds; round++) {
		open_once(shape, &e, &insns, &ns);
		if (insns < least) {
			least = insns;
			least_ns = ns;
		}
		if (round + 1 < rounds)
			engine_close(&e);
	}
	fd = open_file(shape, O_RDONLY);
	nr = compare_map(shape, &e, fd);
	look_around(shape, &e, fd);
	close(fd);
	printf("%s %u %llu %llu %llu %llu\n", shape->name, nr,
	       (e.open.file_size + block - 1) / block, (unsigned long long)least,
	       (unsigned long long)least_ns, close_session(&e));
	fflush(stdout);
}

static const struct shape *shape_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		if (!strcmp(name, shapes[i].name))
			return &shapes[i];
	errx(2, "there is no file %s", name);
}

static void make_all(void)
{
	uint64_t start;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		start = now_ns();
		make(&shapes[i]);
		fprintf(stderr, "# %s was made in %.0f s\n", path_of(&shapes[i]),
			(double)(now_ns() - start) / 1e9);
	}
}

static void measure_all(const char *walkers, char **names, int nr)
{
	struct engine_walker walker;
	struct utsname uts;
	char path[4096];
	int i, error;

	if (uname(&uts))
		err(1, "uname");
	printf("kernel %s\n", uts.release);

	snprintf(path, sizeof(path), "%s/chase%u.bpf.o", walkers, block);
	error = engine_load(&walker, path, NULL, 0);
	if (error)
		errx(1, "%s: %s", path, strerror(-error));
	for (i = 0; i < nr; i++)
		measure(shape_of(names[i]));
	for (i = 0; !nr && i < (int)ARRAY_SIZE(shapes); i++)
		measure(&shapes[i]);
	engine_unload(&walker);
}

int main(int argc, char **argv)
{
	bool making = argc == 3 && !strcmp(argv[1], "make");

	if (!making && (argc < 4 || strcmp(argv[1], "open")))
		errx(2, "usage: map_bench make DIR | open WALKERS DIR [FILE]...");
	dir = argv[making ? 2 : 3];
	find_block_size();
	if (making)
		make_all();
	else
		measure_all(argv[2], argv + 4, argc - 4);
	return 0;
}
