// SPDX-License-Identifier: GPL-2.0
/* Walkers that mean harm, and what becomes of walkers while chains are in them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storm.h"
#include "walkers/wild.h"

#define CHASE	VM_FILE("storm.chase")
#define RINGS	VM_FILE("storm.rings")
#define ODD	VM_FILE("storm.odd")
#define EXTENTS	64

static struct engine_walker chase, wild;

static int setup(void **state)
{
	(void)state;
	storm_fill(CHASE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(CHASE);
	unlink(RINGS);
	unlink(ODD);
	return 0;
}

/* A test that fails must not leave its walker to the next. */
static int forget(void **state)
{
	engine_unload(&chase);
	engine_unload(&wild);
	return storm_unwatch(state);
}

/* Nodes 0 and 1 name each other, 2 names itself. */
static void write_rings(void)
{
	static const __u64 next[] = { 1, 0, 2 };
	struct chase_node node[CHASE_NODE_SIZE / sizeof(struct chase_node)] = { };
	int fd = vm_open(RINGS, O_WRONLY | O_CREAT | O_TRUNC);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(next); i++) {
		node[0] = (struct chase_node) { .id = i, .next = next[i] * CHASE_NODE_SIZE };
		assert_int_equal(write(fd, node, sizeof(node)), sizeof(node));
	}
	assert_sys(fsync(fd));
	close(fd);
}

static void check_ring(const struct engine *e, unsigned int start, unsigned int limit)
{
	unsigned int at = start < 2 && limit % 2 ? !start : start;
	struct chase_query *query = engine_scratch(e, 0);
	struct carom_lookup res;

	query->depth = ~0U;
	res = vm_lookup(e, 0, start * CHASE_NODE_SIZE);
	if (res.end != CAROM_END_HOPS || res.hops != limit || res.at != at * CHASE_NODE_SIZE)
		fail_msg("from %u, limit %u: end %u after %u hops at %llu", start, limit, res.end,
			 res.hops, res.at);
}

static void rings(void **state)
{
	static const unsigned int limits[] = { 1, 2, 3, 127, 128, 129, 1000, CAROM_MAX_HOPS };
	struct carom_open arg = { .deadline_ms = CAROM_MAX_DEADLINE_MS };
	unsigned int i, start;
	struct engine e;

	(void)state;
	write_rings();
	vm_load(&chase, "chase");
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		arg.max_hops = limits[i];
		vm_session(&e, RINGS, "chase", CHASE_NODE_SIZE, &arg);
		for (start = 0; start < 3; start++)
			check_ring(&e, start, limits[i]);
		assert_int_equal(vm_stats(&e).ends[CAROM_END_HOPS], 3);
		engine_close(&e);
	}
}

/* Is @len bytes from @offset, or as much as there is, one run of the map? */
static bool mapped(const struct carom_extent *ext, unsigned int nr, __u64 offset, __u64 len)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (offset >= ext[i].offset && offset < ext[i].offset + ext[i].length)
			return offset + len <= ext[i].offset + ext[i].length;
	}
	return false;
}

/* How a step that returns @ret has to end the chain, NONE: it goes on. */
static __u32 verdict(const struct carom_extent *ext, unsigned int nr, __u64 size, __s64 ret)
{
	if (ret == CAROM_STEP_DONE)
		return CAROM_END_DONE;
	if (ret == CAROM_STEP_MISS)
		return CAROM_END_MISS;
	if (ret < 0)
		return ret <= -0x10000 && ret >= -0x1ffff ? CAROM_END_WALKER : CAROM_END_BAD_RETURN;
	if (ret % 512)
		return CAROM_END_UNALIGNED;
	if ((__u64)ret > size - CHASE_NODE_SIZE)
		return CAROM_END_RANGE;
	if (!mapped(ext, nr, (__u64)ret, 1))
		return CAROM_END_HOLE;
	return mapped(ext, nr, (__u64)ret, CHASE_NODE_SIZE) ? CAROM_END_NONE : CAROM_END_SPLIT;
}

/* The chain as it must go, from offset 0 and generator @state. */
static struct carom_lookup predict(const struct carom_extent *ext, unsigned int nr, __u64 size,
				   __u64 state, __u32 limit)
{
	struct carom_lookup res = { };
	__u64 offset = 0;
	__s64 ret;

	for (;;) {
		ret = wild_number(&state);
		res.hops++;
		res.end = verdict(ext, nr, size, ret);
		/* The limit comes first, unless the walker has its answer. */
		if (ret >= 0 && res.hops == limit)
			res.end = CAROM_END_HOPS;
		res.at = ret < 0 ? offset : (__u64)ret;
		res.code = res.end == CAROM_END_WALKER ? (__s32)(-ret - 0x10000) : 0;
		if (res.end)
			return res;
		offset = (__u64)ret;
	}
}

/* 16 nodes, of which 5 and 6 are a hole, 9 is unwritten, and the last is cut. */
static void write_odd(void)
{
	int fd;

	vm_chase_file(ODD, CHASE_NODE_SIZE, 16);
	fd = vm_open(ODD, O_RDWR);
	assert_sys(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * 4096, 8192));
	assert_sys(fallocate(fd, FALLOC_FL_ZERO_RANGE, 9 * 4096, 4096));
	assert_sys(ftruncate(fd, 16 * 4096 - 512));
	assert_sys(fsync(fd));
	close(fd);
}

static unsigned int read_map(const struct engine *e, struct carom_extent *ext)
{
	struct carom_extents arg = {
		.size = sizeof(arg), .count = EXTENTS, .extents = (__u64)(uintptr_t)ext,
	};

	assert_sys(ioctl(e->fd, CAROM_IOC_EXTENTS, &arg));
	assert_in_range(arg.count, 3, EXTENTS - 1);
	return arg.count;
}

/* Return values at random: each chain ends at the hop and for the reason foreseen. */
static void numbers(void **state)
{
	struct carom_open arg = { .max_hops = 5, .deadline_ms = CAROM_MAX_DEADLINE_MS };
	unsigned int i, nr, ends[CAROM_END_NR] = { }, rounds = storm_times(4000);
	struct carom_extent ext[EXTENTS];
	struct carom_lookup want, res;
	struct wild_query *query;
	struct engine e;
	__u64 start;

	(void)state;
	write_odd();
	storm_load(&wild, "wild");
	vm_session(&e, ODD, "wild", CHASE_NODE_SIZE, &arg);
	nr = read_map(&e, ext);
	query = engine_scratch(&e, 0);
	for (i = 0; i < rounds; i++) {
		start = ((__u64)storm_random(1, 1 << 30) << 32) + i;
		*query = (struct wild_query) { .mode = WILD_NUMBERS, .state = start };
		want = predict(ext, nr, e.open.file_size, start, arg.max_hops);
		res = vm_lookup(&e, 0, 0);
		ends[res.end]++;
		if (res.end != want.end || res.hops != want.hops || res.at != want.at ||
		    res.code != want.code)
			fail_msg("from state %#llx: end %u hops %u at %#llx code %d instead of "
				 "end %u hops %u at %#llx code %d", start, res.end, res.hops,
				 res.at, res.code, want.end, want.hops, want.at, want.code);
	}
	for (i = CAROM_END_DONE; i <= CAROM_END_SPLIT; i++)
		if (!ends[i] && i != CAROM_END_DEADLINE && i != CAROM_END_IO)
			fail_msg("no chain has ended with %u", i);
	assert_int_not_equal(ends[CAROM_END_BAD_RETURN], 0);
	engine_close(&e);
}

/* The memory behind the query of slot @slot is as it was filled. */
static void check_rest(const struct engine *e, unsigned int slot, size_t from)
{
	const unsigned char *scratch = engine_scratch(e, slot);
	size_t i;

	for (i = from; i < e->open.scratch_stride; i++)
		if (scratch[i] != 0x40 + slot)
			fail_msg("slot %u: byte %zu is %#x", slot, i, scratch[i]);
}

/* One slot's walker writes all that it can reach; the others' must not notice. */
static void scribbles(void **state)
{
	struct carom_open arg = {
		.nr_slots = STORM_SLOTS + 1, .max_hops = 64, .scratch_size = 2 * WILD_SCRATCH,
		.deadline_ms = CAROM_MAX_DEADLINE_MS,
	};
	struct storm s = { .depth = 40, .spare = 2 };
	struct carom_lookup res;
	struct wild_query *query;
	unsigned int i, j;
	struct engine e;

	(void)state;
	storm_load(&wild, "wild");
	vm_session(&e, CHASE, "wild", CHASE_NODE_SIZE, &arg);
	for (i = 0; i <= STORM_SLOTS; i++)
		memset(engine_scratch(&e, i), (int)(0x40 + i), e.open.scratch_stride);
	s.e = &e;
	query = engine_scratch(&e, s.spare);
	storm_begin(&s);
	for (i = 0; i < storm_times(50); i++) {
		query->mode = WILD_SCRIBBLE;
		res = vm_lookup(&e, s.spare, 0);
		assert_int_equal(res.end, CAROM_END_HOPS);
		assert_int_equal(res.hops, 64);
		assert_int_equal(res.at, storm_expect(0, 65) * CHASE_NODE_SIZE);
		for (j = 0; j < WILD_SCRATCH / sizeof(__u64); j++)
			assert_true(((__u64 *)query)[j] == 0xbadbadbadbadbadbULL);
	}
	storm_end(&s);
	assert_int_not_equal(s.ends[CAROM_END_DONE], 0);
	for (i = 0; i <= STORM_SLOTS; i++)
		check_rest(&e, i, i == s.spare ? WILD_SCRATCH : sizeof(struct wild_query));
	engine_close(&e);
}

struct meddler {
	pthread_t thread;
	struct wild_query *query;
	bool stop;
};

static void *meddle(void *arg)
{
	struct meddler *m = arg;
	__u64 state = 88172645463325252ULL;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&m->query->ret, wild_number(&state), __ATOMIC_RELAXED);
		__atomic_store_n(&m->query->mode, (__u32)wild_random(&state) % 4, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The holder of a session changes the query under the walker's hands. */
static void meddled(void **state)
{
	const unsigned int never = END(NONE) | END(IO) | END(STOPPED) | END(UNLOADED) |
				   END(CANCELED) | END(STALE) | END(DEADLINE);
	struct carom_open arg = { .max_hops = 30, .deadline_ms = CAROM_MAX_DEADLINE_MS };
	unsigned int i, kinds = 0;
	struct carom_lookup res;
	struct meddler m = { };
	struct engine e;

	(void)state;
	storm_load(&wild, "wild");
	vm_session(&e, CHASE, "wild", CHASE_NODE_SIZE, &arg);
	m.query = engine_scratch(&e, 0);
	assert_int_equal(pthread_create(&m.thread, NULL, meddle, &m), 0);
	for (i = 0; i < storm_times(1000); i++) {
		res = vm_lookup(&e, 0, 0);
		kinds |= 1U << res.end;
		if (res.end >= CAROM_END_NR || (never & 1U << res.end) || !res.hops ||
		    res.hops > arg.max_hops || (res.end == CAROM_END_HOPS && res.hops != 30))
			break;
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(m.thread, NULL);
	if (i < storm_times(1000))
		fail_msg("end %u after %u hops", res.end, res.hops);
	assert_true(__builtin_popcount(kinds) >= 4);
	engine_close(&e);
}

/* A process that does nothing but hold a walker. */
static pid_t fork_loader(void)
{
	struct engine_walker w;
	char go = 'x';
	int fds[2];
	pid_t pid;

	assert_sys(pipe(fds));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		if (engine_load(&w, storm_walker("wild"), NULL, 0) ||
		    write(fds[1], &go, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &go, 1), 1);
	close(fds[0]);
	return pid;
}

static void kill_child(pid_t pid)
{
	int status;

	assert_sys(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void loader_killed(void **state)
{
	unsigned int round;
	struct engine e;
	pid_t loader;

	(void)state;
	for (round = 0; round < storm_times(10); round++) {
		struct storm s = { .e = &e, .allowed = END(UNLOADED), .depth = STORM_HOPS };

		loader = fork_loader();
		storm_session(&e, CHASE, "wild", 10000);
		storm_begin(&s);
		storm_sleep_us(storm_random(0, 60000));
		kill_child(loader);
		storm_wait_failures(&s);
		storm_end(&s);
		assert_true(s.ends[CAROM_END_UNLOADED] >= 3 * STORM_SLOTS);
		assert_int_equal(vm_info().nr_walkers, 0);
		engine_close(&e);
	}
}

/* Another walker of the same name is for new sessions; old ones had theirs. */
static void replaced(void **state)
{
	struct engine old, e;
	unsigned int round;

	(void)state;
	for (round = 0; round < storm_times(10); round++) {
		struct storm s = { .e = &old, .allowed = END(UNLOADED), .depth = STORM_HOPS };
		struct storm t = { .e = &e, .depth = 20 };

		storm_load(&wild, "wild");
		storm_session(&old, CHASE, "wild", 10000);
		storm_begin(&s);
		storm_sleep_us(storm_random(0, 60000));
		engine_unload(&wild);
		storm_load(&wild, "wild");
		storm_session(&e, CHASE, "wild", 10000);
		storm_begin(&t);
		storm_wait_failures(&s);
		storm_wait_answers(&t);
		storm_end(&s);
		storm_end(&t);
		assert_int_equal(vm_lookup(&old, 0, 0).end, CAROM_END_UNLOADED);
		storm_check(&e, 0, round, 30);
		engine_close(&old);
		engine_close(&e);
		engine_unload(&wild);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, storm_watch, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rings),
		TEST(numbers),
		TEST(scribbles),
		TEST(meddled),
		TEST(loader_killed),
		TEST(replaced),
	};

	return cmocka_run_group_tests_name("storm_walkers", tests, setup, teardown);
}
