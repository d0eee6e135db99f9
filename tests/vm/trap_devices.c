// SPDX-License-Identifier: GPL-2.0
/*
 * usage: trap_devices [plain]
 * Chains on devices of every kind; traps.test says which there are and how the
 * kernel was booted. With "plain" only what any device can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm.h"

#define NODES	128
/* Where the device of that name has a bad sector, see traps.test. */
#define BAD_NODE 37
#define NVME_SC_READ_ERROR 0x281

static struct engine_walker walkers[VM_CHASES];

static int setup(void **state)
{
	(void)state;
	vm_load_chases(walkers);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_unload_chases(walkers);
	return 0;
}

/* Controllers are probed in parallel, so their numbers say nothing. */
static const char *device(const char *serial)
{
	static char path[64];
	char name[32];

	if (!vm_find_serial("/sys/block/nvme*n1", "device/serial", serial, name, sizeof(name)))
		fail_msg("no namespace with serial %s", serial);
	snprintf(path, sizeof(path), "/dev/%s", name);
	return path;
}

static void fill(const char *path, unsigned int size, unsigned int nodes)
{
	int fd = vm_open(path, O_RDWR);

	assert_ok(chase_write(fd, size, nodes, nodes));
	close(fd);
}

/* As vm_walks(), but the device is larger than what it has of nodes. */
static void walks(const struct engine *e, const char *path, unsigned int nodes,
		  unsigned int depth)
{
	int fd = vm_open(path, O_RDONLY);
	unsigned int d;

	for (d = 1; d <= depth; d++)
		vm_walk(e, 0, fd, (__u64)(d * 31 % nodes) * e->open.node_size, d);
	close(fd);
}

static void walk_device(const char *path, const char *walker, unsigned int size,
			unsigned int nodes, unsigned int depth)
{
	struct engine e;

	fill(path, size, nodes);
	vm_session(&e, path, walker, size, NULL);
	assert_int_equal(e.open.nr_extents, 1);
	walks(&e, path, nodes, depth);
	engine_close(&e);
}

static void whole_namespace(void **state)
{
	const char *path = device("carom0");

	(void)state;
	walk_device(path, "chase", 4096, NODES, 40);
	walk_device(path, "chase512", 512, NODES, 10);
	walk_device(path, "chase4096", 4096, NODES, 10);
	walk_device(path, "chase65536", 65536, 32, 20);
}

static void partition(void **state)
{
	const char *disk = device("carom0");
	struct carom_extents arg = { .size = sizeof(arg), .count = 1 };
	struct carom_extent ext;
	struct chase_query *query;
	struct engine e, whole;
	char part[80];

	(void)state;
	vm_sh("wipefs -qa %s && printf 'label: gpt\\n,8M\\n,8M\\n,8M\\n' | "
	      "sfdisk -q %s 2>/dev/null", disk, disk);
	snprintf(part, sizeof(part), "%sp2", disk);
	walk_device(part, "chase", 4096, NODES, 20);
	walk_device(part, "chase65536", 65536, 32, 5);

	fill(part, 4096, NODES);
	vm_session(&e, part, "chase", 4096, NULL);
	assert_int_equal(e.open.file_size, 8 << 20);
	arg.extents = (__u64)(uintptr_t)&ext;
	assert_sys(ioctl(e.fd, CAROM_IOC_EXTENTS, &arg));
	assert_int_equal(ext.offset, 0);
	assert_int_equal(ext.length, 8 << 20);
	assert_true(ext.lba > 8 << 20 >> 9);
	/* No further than its end, although the next partition begins there. */
	assert_int_equal(vm_lookup(&e, 0, 8 << 20).end, CAROM_END_RANGE);
	assert_int_equal(vm_lookup(&e, 0, (8 << 20) - 4096).end, CAROM_END_DONE);

	/* The same nodes, seen from the whole. */
	vm_session(&whole, disk, "chase", 4096, NULL);
	query = engine_scratch(&whole, 0);
	query->depth = 1;
	assert_int_equal(vm_lookup(&whole, 0, ext.lba * 512 + 5 * 4096).end, CAROM_END_DONE);
	assert_int_equal(query->id, 5);
	engine_close(&whole);
	engine_close(&e);
}

static void resize(const char *disk, int number, __u64 start, __u64 length)
{
	struct blkpg_partition part = {
		.pno = number, .start = (long long)start, .length = (long long)length,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_RESIZE_PARTITION, .datalen = sizeof(part), .data = &part,
	};
	int fd = vm_open(disk, O_RDONLY);

	assert_sys(ioctl(fd, BLKPG, &arg));
	close(fd);
}

static void partition_shrinks(void **state)
{
	const char *disk = device("carom0");
	struct carom_extents arg = { .size = sizeof(arg), .count = 1 };
	struct carom_extent ext;
	struct carom_lookup res;
	struct engine e;
	char part[80];

	(void)state;
	snprintf(part, sizeof(part), "%sp2", disk);
	vm_session(&e, part, "chase", 4096, NULL);
	arg.extents = (__u64)(uintptr_t)&ext;
	assert_sys(ioctl(e.fd, CAROM_IOC_EXTENTS, &arg));
	resize(disk, 2, ext.lba * 512, 4 << 20);
	res = vm_lookup(&e, 0, 4096);
	assert_int_equal(res.end, CAROM_END_STALE);
	assert_int_equal(res.hops, 0);
	assert_int_equal(res.at, 4096);
	resize(disk, 2, ext.lba * 512, 8 << 20);
	walks(&e, part, NODES, 3);
	engine_close(&e);
}

/* 4096-byte LBAs, and no transfer of more than 32 KiB. */
static void large_lbas(void **state)
{
	const char *path = device("lba4k");
	struct carom_open arg = vm_chase_arg();
	struct engine e;
	int fd;

	(void)state;
	walk_device(path, "chase", 4096, NODES, 20);
	vm_session(&e, path, "chase", 4096, NULL);
	assert_int_equal(e.open.lba_shift, 12);
	assert_int_equal(vm_lookup(&e, 0, 512).end, CAROM_END_UNALIGNED);
	assert_int_equal(vm_lookup(&e, 0, 4096 + 2048).end, CAROM_END_UNALIGNED);
	engine_close(&e);

	fd = vm_open(path, O_RDONLY);
	arg.node_size = 512;
	strcpy(arg.walker, "chase512");
	vm_refused_arg(fd, &arg, EINVAL, CAROM_REFUSED_NODE_SIZE, path + strlen("/dev/"));
	arg.node_size = 65536;
	strcpy(arg.walker, "chase65536");
	vm_refused_arg(fd, &arg, EINVAL, CAROM_REFUSED_READ_SIZE, path + strlen("/dev/"));
	close(fd);
}

static void metadata(void **state)
{
	const char *path = device("meta64");

	(void)state;
	vm_refused(path, EOPNOTSUPP, CAROM_REFUSED_INTEGRITY, path + strlen("/dev/"));
}

static void multipath(void **state)
{
	const char *path = device("multi");

	(void)state;
	vm_refused(path, EOPNOTSUPP, CAROM_REFUSED_MULTIPATH, path + strlen("/dev/"));
}

/* Everything goes through bounce buffers: what the walker sees must have been copied. */
static void bounce_buffers(void **state)
{
	(void)state;
	vm_sh("grep -q swiotlb=force /proc/cmdline");
	/* Nobody can have bounced nothing. */
	vm_sh("[ \"$(cat /sys/kernel/debug/swiotlb/io_tlb_used_hiwater)\" -gt 0 ]");
}

static __u64 before(int fd, __u64 id, unsigned int hops)
{
	__u64 start;

	/* Once around the circle, less so many. */
	assert_ok(chase_expect(fd, id * 4096, NODES - hops + 1, &start));
	return start * 4096;
}

static void device_errors(void **state)
{
	static const unsigned int distances[] = { 0, 1, 2, 7, 30 };
	const char *path = device("bad");
	struct chase_query *query;
	struct carom_lookup res;
	struct engine e;
	unsigned int i;
	int fd;

	(void)state;
	/* A copy for the oracle, which could not read the device either. */
	fill(path, 4096, NODES);
	vm_chase_file("/tmp/trap.chase", 4096, NODES);
	fd = vm_open("/tmp/trap.chase", O_RDONLY);
	vm_session(&e, path, "chase", 4096, NULL);
	query = engine_scratch(&e, 0);
	for (i = 0; i < ARRAY_SIZE(distances); i++) {
		query->depth = 40;
		res = vm_lookup(&e, 0, before(fd, BAD_NODE, distances[i]));
		if (res.end != CAROM_END_IO || res.hops != distances[i] ||
		    res.code != NVME_SC_READ_ERROR || res.at != BAD_NODE * 4096)
			fail_msg("%u before: end %u, hops %u, code %#x, at %llu", distances[i],
				 res.end, res.hops, res.code, res.at);
		/* Short of it, and behind it, nothing is wrong. */
		if (distances[i])
			vm_walk(&e, 0, fd, before(fd, BAD_NODE, distances[i]), distances[i]);
		vm_walk(&e, 0, fd, before(fd, BAD_NODE, NODES - 1), 20);
	}
	assert_int_equal(vm_stats(&e).ends[CAROM_END_IO], ARRAY_SIZE(distances));
	engine_close(&e);
	close(fd);
}

/*
 * 20 reads a second and an I/O timeout of 2 s: what takes long is the chain and
 * none of its reads, so the timeout must not fire.
 */
static void slow_chain(void **state)
{
	struct carom_open arg = { .deadline_ms = 10000 };
	const char *path = device("slow");
	struct engine e;
	long took;
	int fd;

	(void)state;
	vm_sh("[ $(cat /sys/module/nvme_core/parameters/io_timeout) = 2 ]");
	fill(path, 4096, NODES);
	fd = vm_open(path, O_RDONLY);
	vm_session(&e, path, "chase", 4096, &arg);
	took = vm_now_ms();
	vm_walk(&e, 0, fd, 0, 95);
	took = vm_now_ms() - took;
	if (took < 3500)
		fail_msg("%ld ms are no proof", took);
	vm_sh("! dmesg | grep -E 'nvme[0-9]+: .*(timeout|timed out|[Aa]bort)'");
	engine_close(&e);

	arg.deadline_ms = 500;
	vm_session(&e, path, "chase", 4096, &arg);
	((struct chase_query *)engine_scratch(&e, 0))->depth = 95;
	took = vm_now_ms();
	assert_int_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DEADLINE);
	took = vm_now_ms() - took;
	if (took < 500 || took > 3000)
		fail_msg("a deadline of 500 ms took %ld ms", took);
	engine_close(&e);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(whole_namespace),
		cmocka_unit_test(partition),
		cmocka_unit_test(device_errors),
	};
	const struct CMUnitTest all[] = {
		cmocka_unit_test(slow_chain),
		cmocka_unit_test(whole_namespace),
		cmocka_unit_test(partition),
		cmocka_unit_test(partition_shrinks),
		cmocka_unit_test(large_lbas),
		cmocka_unit_test(metadata),
		cmocka_unit_test(multipath),
		cmocka_unit_test(device_errors),
		cmocka_unit_test(bounce_buffers),
	};

	if (argc > 1 && !strcmp(argv[1], "plain"))
		return cmocka_run_group_tests_name("plain", plain, setup, teardown);
	return cmocka_run_group_tests_name("devices", all, setup, teardown);
}
