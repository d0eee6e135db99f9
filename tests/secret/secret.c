// SPDX-License-Identifier: GPL-2.0
/*
 * What may not be read. The device was filled with a secret before its
 * filesystem was made; a walker that goes anywhere, and a user who looks at all
 * memory that he is given, must never see any of it.
 *
 * usage: secret			the tests
 *	  secret fill DEVICE		fill it
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "anywhere.h"
#include "secret.h"

#define SLOTS	4

static struct secret_file files[SECRET_FILES];
static struct engine_walker walkers[3];
static const unsigned int node_sizes[3] = { 512, 4096, 65536 };
static unsigned long read_nodes, refused[CAROM_END_NR];

static const char *walker_name(unsigned int node_size)
{
	static char name[32];

	snprintf(name, sizeof(name), "anywhere%u", node_size);
	return name;
}

static int setup(void **state)
{
	char path[PATH_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(walkers); i++) {
		snprintf(path, sizeof(path), "%s/tests/secret/%s.bpf.o", getenv("CAROM_BUILD"),
			 walker_name(node_sizes[i]));
		assert_ok(engine_load(&walkers[i], path, NULL, 0));
	}
	secret_make(files);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(vm_info().nr_sessions, 0);
	secret_close(files);
	for (i = 0; i < ARRAY_SIZE(walkers); i++)
		engine_unload(&walkers[i]);
	return 0;
}

static void open_session(struct engine *e, const char *path, unsigned int node_size)
{
	struct carom_open arg = {
		.nr_slots = SLOTS, .scratch_size = sizeof(struct anywhere_query),
	};

	vm_session(e, path, walker_name(node_size), node_size, &arg);
}

static bool all_are(const void *mem, size_t len, unsigned char byte)
{
	const unsigned char *p = mem;

	return !len || (p[0] == byte && !memcmp(p, p + 1, len - 1));
}

/* ---- one lookup, and a look at all that it may have touched ---- */

static void check_clean(const struct engine *e, const struct carom_lookup *res)
{
	const unsigned char *node = engine_node(e, 0), *scratch = engine_scratch(e, 0);
	struct carom_stats st = vm_stats(e);
	enum mark mark;

	for (mark = 0; mark < NR_MARKS; mark++) {
		assert_false(mark_found(node, e->open.node_stride, mark));
		assert_false(mark_found(scratch, e->open.scratch_stride, mark));
		assert_false(mark_found(&st, sizeof(st), mark));
		assert_false(mark_found(res, sizeof(*res), mark));
	}
	/* What is mapped beyond the node and the scratch belongs to nobody. */
	assert_true(all_are(node + e->open.node_size, e->open.node_stride - e->open.node_size, 0));
	assert_true(all_are(scratch + sizeof(struct anywhere_query),
			    e->open.scratch_stride - sizeof(struct anywhere_query), 0));
}

static void check_read(const struct engine *e, const struct secret_file *f, __u64 at)
{
	const struct anywhere_query *q = engine_scratch(e, 0);
	const unsigned char *want = f->data + at;
	unsigned int size = e->open.node_size;

	assert_memory_equal(engine_node(e, 0), want, size);
	assert_memory_equal(q->loot, want, sizeof(q->loot) / 2);
	assert_memory_equal(q->loot + ANYWHERE_LOOT, want + size - sizeof(q->loot) / 2,
			    sizeof(q->loot) / 2);
	read_nodes++;
}

static struct carom_lookup go(const struct engine *e, __u64 start, const __s64 *next,
			      unsigned int nr)
{
	struct anywhere_query *q = engine_scratch(e, 0);
	struct carom_lookup res;

	memset(q, 0, sizeof(*q));
	q->nr = nr;
	if (nr)
		memcpy(q->next, next, nr * sizeof(*next));
	res = vm_lookup(e, 0, start);
	assert_int_equal(q->much, 0);
	check_clean(e, &res);
	return res;
}

/* @hops that go well, then @offset, which goes as FIEMAP says. */
static void check_end(const struct engine *e, const struct secret_file *f,
		      const struct carom_lookup *res, unsigned int hops, __s64 offset)
{
	enum carom_end want = secret_expect(f, offset, e->open.node_size);

	if (res->end != want || res->at != (__u64)offset ||
	    res->hops != hops + (want == CAROM_END_DONE))
		fail_msg("%s: nodes of %u: %lld as hop %u: end %u at %lld after %u hops; "
			 "not end %u", f->path, e->open.node_size, offset, hops, res->end,
			 (__s64)res->at, res->hops, want);
	if (want == CAROM_END_DONE)
		check_read(e, f, res->at);
	else
		refused[want]++;
}

/* A first node that can be read, or -1. */
static __s64 good_start(const struct secret_file *f, unsigned int node_size)
{
	__u64 offset;

	for (offset = 0; offset < f->size; offset += SECTOR) {
		if (secret_expect(f, (__s64)offset, node_size) == CAROM_END_DONE)
			return (__s64)offset;
	}
	return -1;
}

/* As a start, which user space chooses, and as a hop, which the walker does. */
static void try_offset(const struct engine *e, const struct secret_file *f, __s64 good,
		       __s64 offset)
{
	struct carom_lookup res = go(e, (__u64)offset, NULL, 0);

	check_end(e, f, &res, 0, offset);
	if (good < 0)
		return;
	res = go(e, (__u64)good, &offset, 1);
	if (offset >= 0) {
		check_end(e, f, &res, 1, offset);
		return;
	}
	/* No offset, but the walker's last word; one way or the other. */
	assert_int_equal(res.hops, 1);
	assert_int_equal(res.at, good);
	check_read(e, f, (__u64)good);
}

static void try_odd_offsets(const struct engine *e, const struct secret_file *f, __s64 good)
{
	const __s64 size = (__s64)f->size, node = e->open.node_size;
	const __s64 offsets[] = {
		-1, -2, -(__s64)SECTOR, -node, -(__s64)BLOCK, INT64_MIN, INT64_MIN + SECTOR,
		INT64_MAX, INT64_MAX - SECTOR + 1, INT64_MAX - node + 1, 1LL << 32, 1LL << 41,
		1LL << 53, 1LL << 62, 1, 7, 256, SECTOR - 1, SECTOR + 1, node + 8, size, size - 1,
		size + 1, size - node, size - node + 1, size / SECTOR * SECTOR,
		(size / SECTOR + 1) * SECTOR, (size / BLOCK + 1) * BLOCK, size + node,
		(1LL << 32) + BLOCK, CAROM_STEP_FAIL_BASE * -1, -0x7fffffffLL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		try_offset(e, f, good, offsets[i]);
}

/* Three sectors at a time, so that a node begins at each sector of a block. */
static void try_file(const struct secret_file *f, unsigned int node_size)
{
	__s64 offset, good = good_start(f, node_size), step = 3 * SECTOR;
	struct engine e;
	unsigned int slot;

	if (getenv("CAROM_SLOW"))
		step = 11 * SECTOR;
	open_session(&e, f->path, node_size);
	for (slot = 1; slot < SLOTS; slot++)
		mark_fill(engine_scratch(&e, slot), e.open.scratch_stride, MARK_OTHER);
	for (offset = 0; offset < (__s64)f->size + 2 * node_size; offset += step)
		try_offset(&e, f, good, offset);
	try_odd_offsets(&e, f, good);
	for (slot = 1; slot < SLOTS; slot++) {
		assert_true(all_are(engine_node(&e, slot), e.open.node_stride, 0));
		assert_true(mark_found(engine_scratch(&e, slot), 8, MARK_OTHER));
		assert_memory_equal(engine_scratch(&e, slot), engine_scratch(&e, 1),
				    e.open.scratch_stride);
	}
	engine_close(&e);
}

static void try_all_files(unsigned int node_size)
{
	unsigned int i;

	for (i = 0; i < SECRET_FILES; i++)
		try_file(&files[i], node_size);
}

static void nodes_of_512(void **state)
{
	(void)state;
	try_all_files(512);
}

static void nodes_of_4096(void **state)
{
	(void)state;
	try_all_files(4096);
}

static void nodes_of_65536(void **state)
{
	(void)state;
	try_all_files(65536);
	/* The tests before this one are worth something only if it was all there. */
	print_message("# %lu nodes read; refused: %lu unaligned, %lu range, %lu hole, %lu split\n",
		      read_nodes, refused[CAROM_END_UNALIGNED], refused[CAROM_END_RANGE],
		      refused[CAROM_END_HOLE], refused[CAROM_END_SPLIT]);
	assert_true(read_nodes > 500 && refused[CAROM_END_UNALIGNED] > 100 &&
		    refused[CAROM_END_RANGE] > 100 && refused[CAROM_END_HOLE] > 100 &&
		    refused[CAROM_END_SPLIT] > 100);
}

/* ---- is the secret where it is said to be? ---- */

static void device_has_the_secret(void **state)
{
	unsigned int i, unwritten = 0, stale = 0;

	(void)state;
	for (i = 0; i < SECRET_FILES; i++) {
		unwritten += files[i].unwritten;
		stale += files[i].stale;
	}
	print_message("# %u sectors of the files are unwritten, %u of them have the secret\n",
		      unwritten, stale);
	assert_true(unwritten > 500 && stale > unwritten / 2);
}

/* Who may read the whole device may read it this way too; this is no leak. */
static void device_is_for_root(void **state)
{
	unsigned int i, found = 0;
	struct carom_lookup res;
	struct engine e;

	(void)state;
	open_session(&e, getenv("CAROM_VM_DEVICE"), 4096);
	for (i = 0; i < 300; i++) {
		memset(engine_scratch(&e, 0), 0, sizeof(struct anywhere_query));
		res = vm_lookup(&e, 0, e.open.file_size / 300 / 4096 * 4096 * i);
		assert_int_equal(res.end, CAROM_END_DONE);
		found += mark_found(engine_node(&e, 0), 4096, MARK_SECRET) &&
			 mark_found(engine_scratch(&e, 0), 4096, MARK_SECRET);
	}
	print_message("# %u of 300 nodes of the whole device have the secret\n", found);
	assert_true(found > 150);
	engine_close(&e);
}

/* ---- memory ---- */

/* Leave the mark in all the memory that a session has, and go. */
static void leave_marks(const char *path, unsigned int node_size)
{
	struct carom_lookup res;
	struct engine e;
	unsigned int i;

	open_session(&e, path, node_size);
	for (i = 0; i < SLOTS; i++) {
		memset(engine_scratch(&e, i), 0, sizeof(struct anywhere_query));
		res = vm_lookup(&e, i, 0);
		assert_int_equal(res.end, CAROM_END_DONE);
		assert_true(mark_found(engine_node(&e, i), node_size, MARK_OTHER));
		mark_fill(engine_scratch(&e, i), e.open.scratch_stride, MARK_OTHER);
	}
	engine_close(&e);
}

/*
 * With init_on_alloc=1, Debian's default, the kernel sees to it by itself; what
 * the engine does is seen on kernels without, or with --kopt init_on_alloc=0.
 */
static void earlier_sessions(void **state)
{
	const char *path = SECRET_DIR "/marks";
	int fd = vm_open(path, O_RDWR | O_CREAT);
	static unsigned char buf[65536];
	unsigned int i, n;
	struct engine e;

	(void)state;
	mark_fill(buf, sizeof(buf), MARK_OTHER);
	assert_int_equal(write(fd, buf, sizeof(buf)), sizeof(buf));
	close(fd);
	for (i = 0; i < 30; i++) {
		n = node_sizes[i % 3];
		leave_marks(path, n);
		open_session(&e, path, n);
		assert_true(all_are(e.nodes, (size_t)SLOTS * e.open.node_stride, 0));
		assert_true(all_are(e.scratch, (size_t)SLOTS * e.open.scratch_stride, 0));
		engine_close(&e);
	}
}

static unsigned int rnd(void)
{
	static __u64 state = 20210531;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(state >> 33);
}

static int cmp_of(const struct engine *e, const __u32 cmp[4])
{
	const unsigned char *node = engine_node(e, 0), *scratch = engine_scratch(e, 0);
	__u64 node_end = (__u64)cmp[0] + cmp[1], scratch_end = (__u64)cmp[2] + cmp[3];
	int diff;

	if (node_end > e->open.node_size || scratch_end > e->open.scratch_size)
		return 2;
	diff = memcmp(node + cmp[0], scratch + cmp[2], cmp[1] < cmp[3] ? cmp[1] : cmp[3]);
	if (!diff)
		diff = (cmp[1] > cmp[3]) - (cmp[1] < cmp[3]);
	return (diff > 0) - (diff < 0);
}

/* carom_cmp() tells what is where one byte at a time, if it can be asked of anything. */
static void compare(void **state)
{
	/* What fits comes first. */
	static const __u32 values[] = {
		0, 1, 8, 64, 200, 256, 511, 512, 513, 4096, 4097, 1U << 31, ~0U - 7, ~0U,
		sizeof(struct anywhere_query) - 1, sizeof(struct anywhere_query),
		sizeof(struct anywhere_query) + 1,
	};
	unsigned int i, n, inside = 0, rounds = getenv("CAROM_SLOW") ? 300 : 1500;
	struct anywhere_query *q;
	struct engine e;
	int want;

	(void)state;
	open_session(&e, files[0].path, 512);
	q = engine_scratch(&e, 0);
	for (i = 0; i < rounds; i++) {
		memset(q, 0, sizeof(*q));
		for (n = 0; n < 4; n++)
			q->cmp[n] = values[rnd() % (i % 2 ? ARRAY_SIZE(values) : 6)];
		/* Only the loot changes behind the walker's comparison. */
		vm_lookup(&e, 0, 0);
		want = cmp_of(&e, q->cmp);
		if (want == 2)
			assert_int_equal(q->cmp_said, 2);
		else
			assert_in_range(q->cmp_said + 1, 0, 2);
		inside += want != 2;
	}
	print_message("# %u comparisons inside, %u outside\n", inside, rounds - inside);
	assert_true(inside > rounds / 10 && inside < rounds * 9 / 10);
	engine_close(&e);
}

/* Everything that calls give back, on top of memory that is all marks. */
static void results(void **state)
{
	static unsigned char buf[4096];
	int dev = vm_open("/dev/carom", O_RDWR);
	struct carom_extents *ext = (void *)buf;
	struct carom_info *info = (void *)buf;
	struct carom_stats *st = (void *)buf;
	struct engine e;

	(void)state;
	open_session(&e, files[0].path, 4096);
	mark_fill(buf, sizeof(buf), MARK_OTHER);
	info->size = sizeof(*info);
	assert_sys(ioctl(dev, CAROM_IOC_INFO, info));
	assert_false(mark_found(info, sizeof(*info), MARK_OTHER));
	assert_int_equal(info->reserved, 0);
	mark_fill(buf, sizeof(buf), MARK_OTHER);
	st->size = sizeof(*st);
	assert_sys(ioctl(e.fd, CAROM_IOC_STATS, st));
	assert_false(mark_found(st, sizeof(*st), MARK_OTHER));
	assert_int_equal(st->reserved, 0);
	/* One extent is one extent, whatever room there is. */
	mark_fill(buf, sizeof(buf), MARK_OTHER);
	*ext = (struct carom_extents) {
		.size = sizeof(*ext), .count = 4, .first = e.open.nr_extents - 1,
		.extents = (__u64)(uintptr_t)(buf + 1024),
	};
	assert_sys(ioctl(e.fd, CAROM_IOC_EXTENTS, ext));
	assert_int_equal(ext->count, 1);
	assert_true(mark_found(buf + 1024 + sizeof(struct carom_extent), 16, MARK_OTHER));
	assert_false(mark_found(buf + 1024, sizeof(struct carom_extent), MARK_OTHER));
	engine_close(&e);
	close(dev);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_has_the_secret),
		cmocka_unit_test(device_is_for_root),
		cmocka_unit_test(nodes_of_512),
		cmocka_unit_test(nodes_of_4096),
		cmocka_unit_test(nodes_of_65536),
		cmocka_unit_test(earlier_sessions),
		cmocka_unit_test(compare),
		cmocka_unit_test(results),
	};
	int err;

	if (argc == 3 && !strcmp(argv[1], "fill")) {
		err = mark_device(argv[2], MARK_SECRET);
		if (err)
			fprintf(stderr, "secret: %s: %s\n", argv[2], strerror(-err));
		return err != 0;
	}
	return cmocka_run_group_tests_name("secret", tests, setup, teardown);
}
