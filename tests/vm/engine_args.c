// SPDX-License-Identifier: GPL-2.0
/* What user space can hand in that it should not. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define CHASE	VM_FILE("args.chase")

static struct engine_walker chase;
static int file;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, 64);
	file = vm_open(CHASE, O_RDONLY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(vm_info().nr_sessions, 0);
	close(file);
	engine_unload(&chase);
	unlink(CHASE);
	return 0;
}

static void accepted(const struct carom_open *arg)
{
	struct carom_open open = *arg;
	int fd = engine_ioctl_open(file, &open);

	if (fd < 0)
		fail_msg("%s (refusal %u %s)", strerror(-fd), open.refusal, open.detail);
	assert_int_equal(open.refusal, CAROM_REFUSED_NOT);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

/* One member at a time: just too much is refused, just not is not. */
#define REFUSED_WITH(member, value, err, refusal) do {				\
	struct carom_open _arg = vm_chase_arg();				\
										\
	_arg.member = (value);							\
	vm_refused_arg(file, &_arg, err, refusal, NULL);			\
} while (0)

#define ACCEPTED_WITH(member, value) do {					\
	struct carom_open _arg = vm_chase_arg();				\
										\
	_arg.member = (value);							\
	accepted(&_arg);							\
} while (0)

static void open_members(void **state)
{
	(void)state;
	ACCEPTED_WITH(flags, 0);
	REFUSED_WITH(flags, 2, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(flags, 1U << 31, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, 0, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, 256, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, 4095, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, 3 * 4096, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, 2 * CAROM_MAX_NODE_SIZE, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(node_size, ~0U, EINVAL, CAROM_REFUSED_ARGUMENT);
	ACCEPTED_WITH(scratch_size, CAROM_MAX_SCRATCH_SIZE);
	REFUSED_WITH(scratch_size, 0, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(scratch_size, CAROM_MAX_SCRATCH_SIZE + 1, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(scratch_size, ~0U, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(nr_slots, 0, EINVAL, CAROM_REFUSED_ARGUMENT);
	ACCEPTED_WITH(nr_slots, CAROM_MAX_SLOTS);
	REFUSED_WITH(nr_slots, CAROM_MAX_SLOTS + 1, EINVAL, CAROM_REFUSED_ARGUMENT);
	REFUSED_WITH(nr_slots, ~0U, EINVAL, CAROM_REFUSED_ARGUMENT);
	ACCEPTED_WITH(max_hops, CAROM_MAX_HOPS);
	REFUSED_WITH(max_hops, CAROM_MAX_HOPS + 1, EINVAL, CAROM_REFUSED_ARGUMENT);
	ACCEPTED_WITH(deadline_ms, CAROM_MAX_DEADLINE_MS);
	REFUSED_WITH(deadline_ms, CAROM_MAX_DEADLINE_MS + 1, EINVAL, CAROM_REFUSED_ARGUMENT);
}

static void walkers(void **state)
{
	struct carom_open arg = vm_chase_arg();

	(void)state;
	/* As long as a name can be, and without its end. */
	memset(arg.walker, 'x', sizeof(arg.walker));
	vm_refused_arg(file, &arg, ENOENT, CAROM_REFUSED_NO_WALKER,
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	strcpy(arg.walker, "chas");
	vm_refused_arg(file, &arg, ENOENT, CAROM_REFUSED_NO_WALKER, "chas");
	strcpy(arg.walker, "chase2");
	vm_refused_arg(file, &arg, ENOENT, CAROM_REFUSED_NO_WALKER, "chase2");
	arg.walker[0] = '\0';
	vm_refused_arg(file, &arg, ENOENT, CAROM_REFUSED_NO_WALKER, "");

	REFUSED_WITH(node_size, 512, EINVAL, CAROM_REFUSED_WALKER_SIZE);
	REFUSED_WITH(node_size, 8192, EINVAL, CAROM_REFUSED_WALKER_SIZE);
	REFUSED_WITH(scratch_size, sizeof(struct chase_query) - 1, EINVAL,
		     CAROM_REFUSED_WALKER_SIZE);
	ACCEPTED_WITH(scratch_size, sizeof(struct chase_query) + 1);
}

/* A structure as another version of the header would have it. */
static long open_sized(size_t size, __u32 claimed, unsigned char surplus)
{
	static unsigned char buf[2 * 4096];
	struct carom_open arg = vm_chase_arg();
	int dev = vm_open("/dev/carom", O_RDWR);
	int fd, err;

	arg.size = claimed;
	arg.fd = file;
	memset(buf, surplus, sizeof(buf));
	memcpy(buf, &arg, size < sizeof(arg) ? size : sizeof(arg));
	fd = ioctl(dev, CAROM_IOC_OPEN, buf);
	err = errno;
	close(dev);
	if (fd < 0)
		return -err;
	close(fd);
	return 0;
}

static void sizes(void **state)
{
	const size_t size = sizeof(struct carom_open);

	(void)state;
	assert_int_equal(open_sized(size, (__u32)size, 0), 0);
	assert_int_equal(open_sized(size, (__u32)size + 8, 0), 0);
	assert_int_equal(open_sized(size, (__u32)size + 8, 1), -E2BIG);
	assert_int_equal(open_sized(size, (__u32)size - 1, 0), -EINVAL);
	assert_int_equal(open_sized(size, 0, 0), -EINVAL);
	assert_int_equal(open_sized(size, 4, 0), -EINVAL);
}

static void bad_pointers(void **state)
{
	static const unsigned long dev_cmds[] = { CAROM_IOC_INFO, CAROM_IOC_OPEN };
	static const unsigned long cmds[] = {
		CAROM_IOC_LOOKUP, CAROM_IOC_EXTENTS, CAROM_IOC_STATS,
	};
	void *const kernel = (void *)0xffff888000000000UL;
	int dev = vm_open("/dev/carom", O_RDWR);
	struct carom_extents ext = { .size = sizeof(ext), .count = 1, .extents = 8 };
	struct carom_open *ro;
	struct engine e;
	unsigned int i;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	for (i = 0; i < ARRAY_SIZE(dev_cmds); i++) {
		assert_errno(ioctl(dev, dev_cmds[i], NULL), EFAULT);
		assert_errno(ioctl(dev, dev_cmds[i], kernel), EFAULT);
		assert_errno(ioctl(dev, dev_cmds[i], -1L), EFAULT);
	}
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_errno(ioctl(e.fd, cmds[i], NULL), EFAULT);
		assert_errno(ioctl(e.fd, cmds[i], kernel), EFAULT);
		assert_errno(ioctl(e.fd, cmds[i], -1L), EFAULT);
	}
	assert_errno(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext), EFAULT);
	ext.extents = (__u64)(uintptr_t)kernel;
	assert_errno(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext), EFAULT);

	/* The results cannot be written: no session may be left behind. */
	ro = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(ro, MAP_FAILED);
	*ro = vm_chase_arg();
	ro->size = sizeof(*ro);
	ro->fd = file;
	assert_sys(mprotect(ro, 4096, PROT_READ));
	assert_errno(ioctl(dev, CAROM_IOC_OPEN, ro), EFAULT);
	assert_int_equal(vm_info().nr_sessions, 1);
	munmap(ro, 4096);
	engine_close(&e);
	close(dev);
}

static void unknown_commands(void **state)
{
	int dev = vm_open("/dev/carom", O_RDWR);
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_errno(ioctl(dev, CAROM_IOC_LOOKUP, NULL), ENOTTY);
	assert_errno(ioctl(dev, _IO(CAROM_IOC_MAGIC, 0x7f), NULL), ENOTTY);
	assert_errno(ioctl(e.fd, CAROM_IOC_OPEN, NULL), ENOTTY);
	assert_errno(ioctl(e.fd, _IO(CAROM_IOC_MAGIC, 0x10), NULL), ENOTTY);
	assert_errno(read(e.fd, &e, 1), EINVAL);
	assert_errno(write(e.fd, &e, 1), EINVAL);
	engine_close(&e);
	close(dev);
}

static void sizes_of_the_rest(void **state)
{
	int dev = vm_open("/dev/carom", O_RDWR);
	struct carom_info info = { .size = 0 };
	struct carom_stats st = { .size = 0 };
	struct carom_extents ext = { .size = sizeof(ext) - 8 };
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_errno(ioctl(dev, CAROM_IOC_INFO, &info), EINVAL);
	/* An older program gets the beginning, and nothing behind it is touched. */
	info = (struct carom_info) { .size = 8, .max_hops = 77 };
	assert_sys(ioctl(dev, CAROM_IOC_INFO, &info));
	assert_int_equal(info.abi, CAROM_ABI_VERSION);
	assert_int_equal(info.max_hops, 77);
	assert_int_equal(vm_info().max_hops, CAROM_MAX_HOPS);
	assert_int_equal(vm_info().max_slots, CAROM_MAX_SLOTS);

	assert_errno(ioctl(e.fd, CAROM_IOC_STATS, &st), EINVAL);
	st = (struct carom_stats) { .size = offsetof(struct carom_stats, ends) };
	st.ends[0] = 77;
	assert_sys(ioctl(e.fd, CAROM_IOC_STATS, &st));
	assert_int_equal(st.ends[0], 77);
	assert_errno(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext), EINVAL);
	ext.size = sizeof(ext) + 8;
	assert_errno(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext), EINVAL);
	engine_close(&e);
	close(dev);
}

static void lookups(void **state)
{
	struct carom_open arg = { .nr_slots = 2 };
	struct carom_lookup look = { };
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
	vm_walk(&e, 1, file, 0, 2);
	look.slot = 2;
	assert_errno(ioctl(e.fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	look.slot = ~0U;
	assert_errno(ioctl(e.fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	look = (struct carom_lookup) { .flags = CAROM_LOOKUP_HYBRID };
	assert_errno(ioctl(e.fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	look = (struct carom_lookup) { .flags = CAROM_LOOKUP_NOWAIT << 1 };
	assert_errno(ioctl(e.fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	look = (struct carom_lookup) { .reserved = 1 };
	assert_errno(ioctl(e.fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	assert_int_equal(vm_stats(&e).lookups, 1);
	engine_close(&e);
}

static void map_only(void **state)
{
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	struct carom_lookup look = { };
	int fd;

	(void)state;
	fd = engine_ioctl_open(file, &arg);
	assert_ok(fd);
	assert_errno(ioctl(fd, CAROM_IOC_LOOKUP, &look), EINVAL);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, CAROM_MMAP_NODES), MAP_FAILED);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, CAROM_MMAP_SCRATCH),
			 MAP_FAILED);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, CAROM_MMAP_RESULTS),
			 MAP_FAILED);
	close(fd);
}

static void mappings(void **state)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct carom_open arg = { .nr_slots = 3 };
	struct engine e;
	unsigned char *mem;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
#define MAP(size, prot, flags, off) mmap(NULL, size, prot, flags, e.fd, off)
	/* Only whole, only shared, only from the start, and nodes only to be read. */
	assert_errno(MAP(3 * 4096, rw, MAP_SHARED, CAROM_MMAP_NODES), EPERM);
	assert_errno(MAP(3 * 4096, PROT_WRITE, MAP_SHARED, CAROM_MMAP_NODES), EPERM);
	assert_errno(MAP(3 * 4096, PROT_READ, MAP_PRIVATE, CAROM_MMAP_NODES), EINVAL);
	assert_errno(MAP(3 * 4096, rw, MAP_PRIVATE, CAROM_MMAP_SCRATCH), EINVAL);
	assert_errno(MAP(2 * 4096, PROT_READ, MAP_SHARED, CAROM_MMAP_NODES), EINVAL);
	assert_errno(MAP(4 * 4096, PROT_READ, MAP_SHARED, CAROM_MMAP_NODES), EINVAL);
	assert_errno(MAP(2 * 4096, PROT_READ, MAP_SHARED, 4096), EINVAL);
	assert_errno(MAP(3 * 4096, PROT_READ, MAP_SHARED, 4096), EINVAL);
	assert_errno(MAP(4 * 4096, rw, MAP_SHARED, CAROM_MMAP_SCRATCH), EINVAL);
	assert_errno(MAP(4096, rw, MAP_SHARED, CAROM_MMAP_SCRATCH), EINVAL);
	assert_errno(MAP(3 * 4096, rw, MAP_SHARED, CAROM_MMAP_SCRATCH + 4096), EINVAL);
	assert_errno(MAP(3 * 4096, rw, MAP_SHARED, 2 * CAROM_MMAP_SCRATCH), EINVAL);

	mem = MAP(3 * 4096, PROT_READ, MAP_SHARED, CAROM_MMAP_NODES);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_errno(mprotect(mem, 3 * 4096, rw), EACCES);
	/* Nothing of what the memory was before shows. */
	assert_int_equal(mem[0], 0);
	assert_memory_equal(mem, mem + 1, 3 * 4096 - 1);
	assert_errno(mremap(mem, 3 * 4096, 8 * 4096, MREMAP_MAYMOVE), EFAULT);
	munmap(mem, 3 * 4096);
	engine_close(&e);
}

/*
 * Of parts of a node that nobody else has mapped. What a kernel without huge pages does to a
 * compound page then never ends.
 */
static void advise(void)
{
	static const int advice[] = { MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_FREE };
	struct carom_open arg = { .nr_slots = 1, .node_size = 65536, .scratch_size = 4096 };
	struct engine e;
	unsigned char *node;
	unsigned int i;

	if (engine_open(&e, CHASE, "chase65536", &arg))
		_exit(1);
	node = (unsigned char *)engine_node(&e, 0);
	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		madvise(node, 4096, advice[i]);
		madvise(node + 4096, 2 * 4096, advice[i]);
	}
	_exit(0);
}

static void advice_ends(void **state)
{
	long until = vm_now_ms() + 20000;
	struct engine_walker big;
	int status;
	pid_t pid;

	(void)state;
	vm_load(&big, "chase65536");
	pid = fork();
	assert_sys(pid);
	if (!pid)
		advise();
	while (!waitpid(pid, &status, WNOHANG)) {
		if (vm_now_ms() > until)
			fail_msg("a call of madvise() does not end");
		vm_sleep_ms(5);
	}
	assert_int_equal(status, 0);
	engine_unload(&big);
}

static void results_mapping(void **state)
{
	const int rw = PROT_READ | PROT_WRITE, rx = PROT_READ | PROT_EXEC;
	struct carom_open arg = { .nr_slots = 65 };	/* a page and one more */
	struct engine e;
	unsigned char *mem;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
	assert_errno(MAP(2 * 4096, rw, MAP_SHARED, CAROM_MMAP_RESULTS), EPERM);
	assert_errno(MAP(2 * 4096, rx, MAP_SHARED, CAROM_MMAP_RESULTS), EPERM);
	assert_errno(MAP(65 * 4096, rx, MAP_SHARED, CAROM_MMAP_NODES), EPERM);
	assert_errno(MAP(2 * 4096, PROT_READ, MAP_PRIVATE, CAROM_MMAP_RESULTS), EINVAL);
	assert_errno(MAP(4096, PROT_READ, MAP_SHARED, CAROM_MMAP_RESULTS), EINVAL);
	assert_errno(MAP(3 * 4096, PROT_READ, MAP_SHARED, CAROM_MMAP_RESULTS), EINVAL);
	assert_errno(MAP(4096, PROT_READ, MAP_SHARED, CAROM_MMAP_RESULTS + 4096), EINVAL);

	mem = MAP(65 * sizeof(struct carom_result), PROT_READ, MAP_SHARED, CAROM_MMAP_RESULTS);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_errno(mprotect(mem, 2 * 4096, rw), EACCES);
	assert_errno(mprotect(mem, 2 * 4096, rx), EACCES);
	assert_int_equal(mem[0], 0);
	assert_memory_equal(mem, mem + 1, 2 * 4096 - 1);
	munmap(mem, 2 * 4096);
	mem = MAP(65 * 4096, PROT_READ, MAP_SHARED, CAROM_MMAP_NODES);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_errno(mprotect(mem, 65 * 4096, rx), EACCES);
	munmap(mem, 65 * 4096);
	engine_close(&e);
}

static void refused_commands(struct ring *r)
{
	static const struct {
		__u32 op, slot, flags;
		__u64 offset;
		int err;
	} cases[] = {
		{ 0, 0, 0, 0, -ENOTTY },
		{ CAROM_IOC_LOOKUP, 0, 0, 0, -ENOTTY },
		{ CAROM_URING_LOOKUP ^ 0x10000, 0, 0, 0, -ENOTTY },
		{ CAROM_URING_LOOKUP, 2, 0, 0, -EINVAL },
		{ CAROM_URING_LOOKUP, ~0U, 0, 0, -EINVAL },
		{ CAROM_URING_LOOKUP, 0, CAROM_LOOKUP_POLL, 0, -EINVAL },
		{ CAROM_URING_LOOKUP, 0, CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID, 0, -EINVAL },
		{ CAROM_URING_LOOKUP, 0, CAROM_LOOKUP_NOWAIT << 1, 0, -EINVAL },
		{ CAROM_URING_LOOKUP, 0, 1U << 31, 0, -EINVAL },
		{ CAROM_URING_CANCEL, 2, 0, 0, -EINVAL },
		{ CAROM_URING_CANCEL, ~0U, 0, 0, -EINVAL },
		{ CAROM_URING_CANCEL, 0, CAROM_LOOKUP_NOWAIT, 0, -EINVAL },
		{ CAROM_URING_CANCEL, 0, 0, 4096, -EINVAL },
		{ CAROM_URING_CANCEL, 0, 0, 0, -ENOENT },
		{ CAROM_URING_LOOKUP, 1, 0, 511, CAROM_END_UNALIGNED },
		{ CAROM_URING_LOOKUP, 1, 0, -1ULL, CAROM_END_RANGE },
		{ CAROM_URING_LOOKUP, 1, 0, 64 * 4096, CAROM_END_RANGE },
	};
	unsigned int i;
	int res;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		res = ring_call(r, cases[i].op, cases[i].slot, cases[i].flags, cases[i].offset);
		if (res != cases[i].err)
			fail_msg("%s: command %u: %d instead of %d", r->flavour->name, i, res,
				 cases[i].err);
	}
}

static void ring_commands(void **state)
{
	struct carom_open arg = { .nr_slots = 2 };
	const struct carom_result *results;
	int dev = vm_open("/dev/carom", O_RDWR);
	struct io_uring_sqe *sqe;
	struct engine e;
	unsigned int i;
	struct ring r;

	(void)state;
	for (i = 0; i < RING_FLAVOURS; i++) {
		vm_session(&e, CHASE, "chase", 4096, &arg);
		results = ring_map_results(&e);
		ring_open(&r, &e, &ring_flavours[i], 8);
		refused_commands(&r);
		assert_int_equal(vm_stats(&e).lookups, 3);
		assert_int_equal(results[0].sequence, 0);
		assert_int_equal(results[1].sequence, 3);
		assert_int_equal(results[1].end, CAROM_END_RANGE);
		assert_int_equal(results[1].hops, 0);
		assert_int_equal(results[1].at, 64 * 4096);
		/* What makes sessions takes no commands. */
		sqe = ring_command(&r, CAROM_URING_LOOKUP, 0, 0, 0, 0);
		sqe->fd = dev;
		sqe->flags = 0;
		ring_submit(&r);
		assert_int_equal(ring_wait(&r, NULL), -EOPNOTSUPP);
		ring_close(&r);
		ring_unmap_results(&e, results);
		engine_close(&e);
	}
	close(dev);
}

static void *lookup_thread(void *arg)
{
	struct carom_lookup res;

	engine_lookup(arg, 0, 0, &res);
	return NULL;
}

static void busy_slot(void **state)
{
	struct carom_open arg = {
		.nr_slots = 2, .max_hops = CAROM_MAX_HOPS, .deadline_ms = 3000,
	};
	struct chase_query *query;
	struct carom_lookup res;
	unsigned int tries = 0;
	pthread_t thread;
	struct engine e;
	int err;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
	query = engine_scratch(&e, 0);
	query->depth = ~0U;
	assert_int_equal(pthread_create(&thread, NULL, lookup_thread, &e), 0);
	vm_sleep_ms(100);
	err = engine_lookup(&e, 0, 0, &res);
	/* The other slot is free, and its chain is none of the first one's. */
	vm_walk(&e, 1, file, 0, 5);
	pthread_join(thread, NULL);
	assert_int_equal(err, -EBUSY);
	query->depth = 1;
	do {
		err = engine_lookup(&e, 0, 0, &res);
	} while (err == -EBUSY && tries++ < 100);
	assert_int_equal(err, 0);
	assert_int_equal(vm_stats(&e).lookups, 3);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_members),
		cmocka_unit_test(walkers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(bad_pointers),
		cmocka_unit_test(unknown_commands),
		cmocka_unit_test(sizes_of_the_rest),
		cmocka_unit_test(lookups),
		cmocka_unit_test(map_only),
		cmocka_unit_test(mappings),
		cmocka_unit_test(advice_ends),
		cmocka_unit_test(results_mapping),
		cmocka_unit_test(ring_commands),
		cmocka_unit_test(busy_slot),
	};

	return cmocka_run_group_tests_name("args", tests, setup, teardown);
}
