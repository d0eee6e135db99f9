// SPDX-License-Identifier: GPL-2.0
/* Chains find what ordinary reads find, whatever the file looks like, and count what they do. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm.h"

#define NODES		1024
#define CHASE		VM_FILE("walk.chase")
#define OTHER		VM_FILE("walk.other")
#define FRAGMENTS	200

static struct engine_walker walkers[VM_CHASES];

static int setup(void **state)
{
	(void)state;
	vm_load_chases(walkers);
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_unload_chases(walkers);
	unlink(CHASE);
	unlink(OTHER);
	return 0;
}

static void every_depth(void **state)
{
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_int_equal(e.open.file_size, NODES * 4096);
	assert_int_equal(e.open.lba_shift, 9);
	vm_walks(&e, CHASE, 1, 40, 3);
	engine_close(&e);
}

static void exact_statistics(void **state)
{
	struct carom_stats st;
	struct engine e;
	unsigned int end;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	st = vm_stats(&e);
	assert_int_equal(st.lookups + st.hops + st.resubmits + st.yields, 0);
	vm_walks(&e, CHASE, 1, 10, 4);
	st = vm_stats(&e);
	assert_int_equal(st.lookups, 40);
	assert_int_equal(st.hops, 4 * 55);
	assert_int_equal(st.resubmits + st.yields, 4 * (55 - 10));
	for (end = 0; end < CAROM_END_NR; end++)
		assert_int_equal(st.ends[end], end == CAROM_END_DONE ? 40 : 0);
	engine_close(&e);
}

static void node_sizes(void **state)
{
	struct engine e;

	(void)state;
	vm_chase_file(OTHER, 512, 4096);
	vm_session(&e, OTHER, "chase512", 512, NULL);
	vm_walks(&e, OTHER, 1, 20, 2);
	engine_close(&e);

	vm_session(&e, CHASE, "chase4096", 4096, NULL);
	vm_walks(&e, CHASE, 1, 10, 1);
	engine_close(&e);

	vm_chase_file(OTHER, 65536, 64);
	vm_session(&e, OTHER, "chase65536", 65536, NULL);
	vm_walks(&e, OTHER, 1, 20, 2);
	engine_close(&e);
}

static void fragmented(void **state)
{
	struct carom_open arg = { .max_hops = FRAGMENTS, .deadline_ms = 5000 };
	struct engine e;

	(void)state;
	vm_fragmented_file(OTHER, 4096, FRAGMENTS);
	vm_session(&e, OTHER, "chase", 4096, &arg);
	assert_int_equal(e.open.nr_extents, FRAGMENTS);
	vm_walks(&e, OTHER, FRAGMENTS - 1, FRAGMENTS, 1);
	vm_walks(&e, OTHER, 1, 10, 1);
	engine_close(&e);

	vm_fragmented_file(OTHER, 65536, 16);
	vm_session(&e, OTHER, "chase65536", 65536, NULL);
	assert_int_equal(e.open.nr_extents, 16);
	vm_walks(&e, OTHER, 1, 16, 1);
	engine_close(&e);
}

/* Written, but by nobody flushed: the session has to. */
static void dirty_pages(void **state)
{
	struct chase_query *query;
	struct engine e;
	__u64 id;
	int fd;

	(void)state;
	for (id = 1000; id < 1003; id++) {
		fd = vm_open(CHASE, O_RDWR);
		assert_int_equal(pwrite(fd, &id, sizeof(id), 0), sizeof(id));
		close(fd);
		vm_session(&e, CHASE, "chase", 4096, NULL);
		query = engine_scratch(&e, 0);
		query->depth = 1;
		assert_int_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DONE);
		assert_int_equal(query->id, id);
		engine_close(&e);
	}
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
}

/* What FIEMAP says of @path as the engine would: written extents, neighbours merged. */
static unsigned int fiemap(const char *path, struct carom_extent *out, unsigned int room)
{
	unsigned int size = sizeof(struct fiemap) + room * sizeof(struct fiemap_extent);
	struct fiemap *map = calloc(1, size);
	int fd = vm_open(path, O_RDONLY);
	struct fiemap_extent *fe;
	unsigned int i, nr = 0;

	assert_non_null(map);
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = room;
	assert_sys(ioctl(fd, FS_IOC_FIEMAP, map));
	for (i = 0; i < map->fm_mapped_extents; i++) {
		fe = &map->fm_extents[i];
		if (fe->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
			continue;
		if (nr && out[nr - 1].offset + out[nr - 1].length == fe->fe_logical &&
		    out[nr - 1].lba * 512 + out[nr - 1].length == fe->fe_physical) {
			out[nr - 1].length += fe->fe_length;
			continue;
		}
		out[nr++] = (struct carom_extent) {
			.offset = fe->fe_logical,
			.length = fe->fe_length,
			.lba = fe->fe_physical / 512,
		};
	}
	free(map);
	close(fd);
	return nr;
}

static unsigned int extents(const struct engine *e, __u64 first, struct carom_extent *out,
			    unsigned int room)
{
	struct carom_extents arg = {
		.size = sizeof(arg),
		.count = room,
		.first = first,
		.extents = (__u64)(uintptr_t)out,
	};

	assert_sys(ioctl(e->fd, CAROM_IOC_EXTENTS, &arg));
	return arg.count;
}

static void check_extents(const char *path, unsigned int at_least)
{
	static struct carom_extent want[512], got[513];
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	unsigned int i, nr = fiemap(path, want, 512);
	struct engine e;
	int file = vm_open(path, O_RDONLY);

	e.fd = engine_ioctl_open(file, &arg);
	assert_ok(e.fd);
	close(file);
	assert_in_range(nr, at_least, 512);
	assert_int_equal(arg.nr_extents, nr);
	assert_int_equal(extents(&e, 0, got, 513), nr);
	assert_memory_equal(got, want, nr * sizeof(got[0]));
	for (i = 0; i < nr; i += 37) {
		assert_int_equal(extents(&e, i, got, 1), 1);
		assert_memory_equal(got, &want[i], sizeof(got[0]));
	}
	assert_int_equal(extents(&e, nr - 1, got, 10), 1);
	assert_int_equal(extents(&e, nr, got, 10), 0);
	assert_int_equal(extents(&e, ~0ULL, got, 10), 0);
	assert_int_equal(extents(&e, 0, got, 0), 0);
	close(e.fd);
}

static void extents_are_fiemaps(void **state)
{
	int fd;

	(void)state;
	check_extents(CHASE, 1);
	vm_fragmented_file(OTHER, 4096, FRAGMENTS);
	check_extents(OTHER, FRAGMENTS);

	/* Holes, unwritten blocks and a last block that is not full. */
	vm_chase_file(OTHER, 4096, 64);
	fd = vm_open(OTHER, O_RDWR);
	assert_sys(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 3 * 4096));
	assert_sys(fallocate(fd, FALLOC_FL_ZERO_RANGE, 20 * 4096, 4096));
	assert_sys(ftruncate(fd, 63 * 4096 + 100));
	close(fd);
	check_extents(OTHER, 3);
}

/* The namespace under the filesystem, at the places where the file's map has the nodes. */
static void whole_namespace(void **state)
{
	const char *dev = getenv("CAROM_VM_DEVICE");
	struct carom_extent ext[64];
	struct chase_query *query;
	struct carom_lookup res;
	unsigned int i, nr;
	struct engine e;

	(void)state;
	vm_fragmented_file(OTHER, 4096, 32);
	nr = fiemap(OTHER, ext, ARRAY_SIZE(ext));
	assert_int_equal(nr, 32);
	vm_session(&e, dev, "chase", 4096, NULL);
	assert_int_equal(e.open.nr_extents, 1);
	query = engine_scratch(&e, 0);
	query->depth = 1;
	for (i = 0; i < nr; i++) {
		res = vm_lookup(&e, 0, ext[i].lba * 512);
		assert_int_equal(res.end, CAROM_END_DONE);
		assert_int_equal(query->id, i);
	}
	engine_close(&e);
}

static void several_sessions(void **state)
{
	static const char *const names[] = { "chase", "chase4096", "chase" };
	struct engine e[ARRAY_SIZE(names)];
	unsigned int i, walkers_before = vm_info().nr_walkers;

	(void)state;
	assert_int_equal(vm_info().nr_sessions, 0);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		vm_session(&e[i], CHASE, names[i], 4096, NULL);
	assert_int_equal(vm_info().nr_sessions, ARRAY_SIZE(e));
	assert_int_equal(vm_info().nr_walkers, walkers_before);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		vm_walks(&e[i], CHASE, 1, 3 + i, 1);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		assert_int_equal(vm_stats(&e[i]).lookups, 3 + i);
	/* The others keep what they share. */
	engine_close(&e[0]);
	vm_walks(&e[1], CHASE, 1, 3, 1);
	engine_close(&e[1]);
	vm_walks(&e[2], CHASE, 1, 3, 1);
	engine_close(&e[2]);
	assert_int_equal(vm_info().nr_sessions, 0);
}

#define THREADS		4
#define SLOTS		16
#define ROUNDS		3

struct worker {
	pthread_t thread;
	const struct engine *e;
	unsigned int first_slot;
	unsigned int wrong;
};

/* No assertions here: cmocka can only leave the main thread. */
static void *work(void *arg)
{
	struct worker *w = arg;
	int fd = open(CHASE, O_RDONLY | O_CLOEXEC);
	unsigned int i, slot, depth;
	struct chase_query *query;
	struct carom_lookup res;
	__u64 want, start;

	for (i = 0; i < ROUNDS * SLOTS; i++) {
		slot = w->first_slot + i % SLOTS;
		depth = 1 + (i + slot) % 12;
		start = (i * 31 + slot * 17) % NODES * 4096;
		query = engine_scratch(w->e, slot);
		query->depth = depth;
		if (engine_lookup(w->e, slot, start, &res) ||
		    chase_expect(fd, start, depth, &want) || res.end != CAROM_END_DONE ||
		    res.hops != depth || query->id != want || res.at != want * 4096 ||
		    *(const __u64 *)engine_node(w->e, slot) != want)
			w->wrong++;
	}
	close(fd);
	return NULL;
}

static void slots_and_threads(void **state)
{
	struct carom_open arg = { .nr_slots = THREADS * SLOTS };
	struct worker workers[THREADS] = { };
	struct engine e;
	unsigned int i;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
	for (i = 0; i < THREADS; i++) {
		workers[i].e = &e;
		workers[i].first_slot = i * SLOTS;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	assert_int_equal(vm_stats(&e).ends[CAROM_END_DONE], THREADS * SLOTS * ROUNDS);
	assert_int_equal(vm_stats(&e).lookups, THREADS * SLOTS * ROUNDS);
	engine_close(&e);
}

static __u64 times_run(void)
{
	struct bpf_prog_info info = { };
	struct bpf_program *prog = NULL;
	__u32 len = sizeof(info);
	unsigned int i;

	for (i = 0; i < VM_CHASES && !prog; i++)
		prog = bpf_object__find_program_by_name(walkers[i].obj, "chase_step");
	assert_non_null(prog);
	assert_int_equal(bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
	return info.run_cnt;
}

/* Programs are called directly, but for who wants to know how often and for how long they run. */
static void program_statistics(void **state)
{
	struct engine e;
	__u64 before;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	before = times_run();
	vm_walks(&e, CHASE, 3, 5, 1);
	assert_int_equal(times_run(), before);
	vm_sh("echo 1 >/proc/sys/kernel/bpf_stats_enabled");
	vm_walks(&e, CHASE, 3, 5, 1);
	vm_sh("echo 0 >/proc/sys/kernel/bpf_stats_enabled");
	assert_int_equal(times_run(), before + vm_stats(&e).hops / 2);
	vm_walks(&e, CHASE, 3, 5, 1);
	assert_int_equal(times_run(), before + vm_stats(&e).hops / 3);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_depth),
		cmocka_unit_test(exact_statistics),
		cmocka_unit_test(node_sizes),
		cmocka_unit_test(fragmented),
		cmocka_unit_test(dirty_pages),
		cmocka_unit_test(extents_are_fiemaps),
		cmocka_unit_test(whole_namespace),
		cmocka_unit_test(several_sessions),
		cmocka_unit_test(slots_and_threads),
		cmocka_unit_test(program_statistics),
	};

	return cmocka_run_group_tests_name("walk", tests, setup, teardown);
}
