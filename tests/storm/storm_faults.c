// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of loading a walker, opening, mapping and looking up fails
 * once, the first, the second and so on until there are no more. Needs a kernel
 * with fault injection: fail-nth counts the injection points that its task
 * passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "storm.h"

#define CHASE	VM_FILE("storm.chase")
#define FAULTS	"/sys/kernel/debug/"
#define MOST	2000

static struct engine_walker chase, large;
static int nth, dev, file;

/* Where a function of the kernel begins, and where the next. */
static void find_function(const char *function, unsigned long *begin, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long addr;
	char name[128];

	assert_non_null(f);
	*begin = *end = 0;
	while (!*end && fscanf(f, "%lx %*c %127s%*[^\n]", &addr, name) == 2) {
		if (*begin && addr > *begin)
			*end = addr;
		else if (!strcmp(name, function))
			*begin = addr;
	}
	fclose(f);
	if (!*end)
		fail_msg("there is no %s() in /proc/kallsyms", function);
}

/*
 * The kernel itself warns if it has no memory for the events of a module, and
 * again when it removes what it has of them, so nothing fails there.
 */
static void configure(void)
{
	static const char *const dirs[] = { "failslab", "fail_page_alloc" };
	unsigned long begin, end;
	char text[32];
	unsigned int i;

	find_function("__trace_add_new_event", &begin, &end);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		storm_write("N", FAULTS "%s/ignore-gfp-wait", dirs[i]);
		storm_write("0", FAULTS "%s/verbose", dirs[i]);
		snprintf(text, sizeof(text), "%#lx", begin);
		storm_write(text, FAULTS "%s/reject-start", dirs[i]);
		snprintf(text, sizeof(text), "%#lx", end);
		storm_write(text, FAULTS "%s/reject-end", dirs[i]);
	}
	storm_write("0", FAULTS "fail_page_alloc/min-order");
}

static int setup(void **state)
{
	(void)state;
	nth = vm_open("/proc/thread-self/fail-nth", O_RDWR);
	configure();
	vm_load(&chase, "chase");
	vm_load(&large, "chase65536");
	storm_fill(CHASE);
	dev = vm_open("/dev/carom", O_RDWR);
	file = vm_open(CHASE, O_RDONLY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(file);
	close(dev);
	close(nth);
	engine_unload(&chase);
	engine_unload(&large);
	unlink(CHASE);
	return 0;
}

/* The task's @n-th injection point from now fails, 0: none. */
static void fail_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n), i;

	/* Writing passes such a point, too, and may meet what is left of the last count. */
	for (i = 0; i < 2; i++)
		if (pwrite(nth, text, (size_t)len, 0) == len)
			return;
	fail_msg("fail-nth: %s", strerror(errno));
}

/* Has it? Then nothing is left to count. Also ends the counting. */
static bool failed(void)
{
	char text[16] = "";
	ssize_t len = pread(nth, text, sizeof(text) - 1, 0);

	/* Reading is such a point, too, if the count has come that far. */
	if (len <= 0)
		return false;
	fail_nth(0);
	return !strtoul(text, NULL, 10);
}

static void check_error(const char *what, unsigned int n, int err)
{
	/* EFAULT: copying to and from user space can be made to fail as well. */
	if (err != -ENOMEM && err != -EFAULT)
		fail_msg("%s, fault %u: %s", what, n, strerror(-err));
}

static void check_unsealed(void)
{
	assert_int_equal(vm_info().nr_sessions, 0);
	close(vm_open(CHASE, O_RDWR));
}

/* Returns whether a fault was met. */
static bool open_with_fault(const struct carom_open *arg, unsigned int n)
{
	struct carom_open open = *arg;
	bool met;
	int fd, err;

	open.size = sizeof(open);
	open.fd = file;
	fail_nth(n);
	fd = ioctl(dev, CAROM_IOC_OPEN, &open);
	err = -errno;
	met = failed();
	if (fd >= 0)
		close(fd);
	else if (met)
		check_error("open", n, err);
	else
		fail_msg("open without a fault: %s", strerror(-err));
	check_unsealed();
	return met;
}

static void open_with_faults(const struct carom_open *arg, const char *what)
{
	unsigned int n = 1;

	while (n < MOST && open_with_fault(arg, n))
		n++;
	printf("# %s: %u faults\n", what, n - 1);
	/* Session, file, map, slots, node, scratch, descriptor. */
	assert_in_range(n, 8, MOST - 1);
}

static void opening(void **state)
{
	struct carom_open arg = vm_chase_arg();

	(void)state;
	open_with_faults(&arg, "open");
	arg.nr_slots = 8;
	arg.scratch_size = 65536;
	open_with_faults(&arg, "open with 8 slots");
	arg = (struct carom_open) { .flags = CAROM_OPEN_MAP_ONLY };
	open_with_faults(&arg, "open to map only");
}

static void large_nodes(void **state)
{
	struct carom_open arg = vm_chase_arg();

	(void)state;
	arg.nr_slots = 4;
	arg.node_size = 65536;
	strcpy(arg.walker, "chase65536");
	open_with_faults(&arg, "open with large nodes");
}

static unsigned int map_with_faults(const struct engine *e, size_t size, int prot, __u64 area)
{
	unsigned int n;
	bool met = true;
	void *mem;
	int err;

	for (n = 1; met && n < MOST; n++) {
		fail_nth(n);
		mem = mmap(NULL, size, prot, MAP_SHARED, e->fd, (off_t)area);
		err = -errno;
		met = failed();
		if (mem != MAP_FAILED)
			assert_sys(munmap(mem, size));
		else if (met)
			check_error("mmap", n, err);
		else
			fail_msg("mmap without a fault: %s", strerror(-err));
		storm_check(e, 0, n % STORM_NODES, 2);
	}
	return n - 2;
}

static void mapping(void **state)
{
	struct engine e;
	unsigned int n;

	(void)state;
	storm_session(&e, CHASE, "chase", 1000);
	n = map_with_faults(&e, (size_t)e.open.nr_slots * e.open.node_stride, PROT_READ,
			    CAROM_MMAP_NODES);
	assert_in_range(n, 1, MOST - 2);
	n += map_with_faults(&e, (size_t)e.open.nr_slots * e.open.scratch_stride,
			     PROT_READ | PROT_WRITE, CAROM_MMAP_SCRATCH);
	printf("# mmap: %u faults\n", n);
	engine_close(&e);
	check_unsealed();
}

/* A lookup has nothing to allocate, or can do without: it may not even be wrong. */
static void looking_up(void **state)
{
	struct chase_query *query;
	struct carom_lookup res;
	unsigned int n, met = 0;
	struct engine e;
	int err;

	(void)state;
	storm_session(&e, CHASE, "chase", 5000);
	query = engine_scratch(&e, 0);
	for (n = 1; n < 20; n++) {
		*query = (struct chase_query) { .depth = 3 };
		fail_nth(n);
		err = engine_lookup(&e, 0, 0, &res);
		met += failed();
		if (err)
			check_error("lookup", n, err);
		else if (res.end == CAROM_END_DONE)
			assert_int_equal(query->id, storm_expect(0, 3));
		else
			assert_int_equal(res.end, CAROM_END_IO);
		storm_check(&e, 0, 0, 3);
	}
	printf("# lookup: %u faults\n", met);
	engine_close(&e);
}

static struct bpf_map *walker_map(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			return map;
	fail_msg("no struct_ops in the walker");
	return NULL;
}

/* Programs are loaded; what may fail is to register them. */
static void attaching(void **state)
{
	struct bpf_object *obj;
	struct bpf_link *link;
	unsigned int n;
	bool met = true;
	int err;

	(void)state;
	obj = bpf_object__open_file(storm_walker("wild"), NULL);
	assert_non_null(obj);
	assert_ok(bpf_object__load(obj));
	for (n = 1; met && n < MOST; n++) {
		fail_nth(n);
		link = bpf_map__attach_struct_ops(walker_map(obj));
		err = -errno;
		met = failed();
		if (link)
			bpf_link__destroy(link);
		else if (met)
			check_error("attach", n, err);
		else
			fail_msg("attach without a fault: %s", strerror(-err));
		/* The two of setup. */
		assert_int_equal(vm_info().nr_walkers, 2);
	}
	printf("# attach: %u faults\n", n - 2);
	bpf_object__close(obj);
	assert_in_range(n, 3, MOST - 1);
}

/*
 * Most of the faults are the module loader's. Which error comes of them is its
 * choice; some allocations it can do without.
 */
static void loading_module(void **state)
{
	unsigned int n, refused = 0;
	bool met = true;
	int err;

	(void)state;
	if (vm_built_in())
		skip_because("driver and engine are built in");
	close(dev);
	engine_unload(&chase);
	engine_unload(&large);
	storm_unload_patiently("carom");
	for (n = 1; met && n < MOST; n++) {
		fail_nth(n);
		err = storm_load_module();
		met = failed();
		if (err && !met)
			fail_msg("load without a fault: %s", strerror(-err));
		refused += !!err;
		if (!err)
			storm_unload_patiently("carom");
		else if (!access("/sys/module/carom", F_OK) || !access("/dev/carom", F_OK))
			fail_msg("fault %u: the module is half loaded", n);
	}
	printf("# load: %u faults, refused at %u\n", n - 2, refused);
	assert_in_range(n, 20, MOST - 1);
	assert_in_range(refused, 10, MOST);
	assert_ok(storm_load_module());
	vm_load(&chase, "chase");
	vm_load(&large, "chase65536");
	dev = vm_open("/dev/carom", O_RDWR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		storm_test(opening),
		storm_test(large_nodes),
		storm_test(mapping),
		storm_test(looking_up),
		storm_test(attaching),
		storm_test(loading_module),
	};

	if (access("/proc/self/fail-nth", W_OK) || access(FAULTS "failslab", F_OK)) {
		printf("1..0 # SKIP no fault injection in this kernel: use --kernel debug\n");
		return 0;
	}
	return cmocka_run_group_tests_name("storm_faults", tests, setup, teardown);
}
