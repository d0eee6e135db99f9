// SPDX-License-Identifier: GPL-2.0
/*
 * usage: storm_devices [TEST-PATTERN]
 * Devices that fail, vanish, change or stop answering under load; storm.test
 * says which there are. Every lookup must end, with the right answer or at the
 * right place, and once the device is back the next must work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "storm.h"

#define CHASE		VM_FILE("storm.chase")
#define BULK		VM_FILE("storm.bulk")
#define MOUNT		"/tmp/storm.mount"
/* On raw devices the nodes come first. */
#define RAW_IO		(16 << 20)
/* Where the device of that name has a bad sector, see storm.test. */
#define BAD_NODE	37
#define SC_READ_ERROR	0x281
#define SC_FIELD_DNR	0x4002
#define IO_TIMEOUT	"/sys/module/nvme_core/parameters/io_timeout"

static struct engine_walker chase;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	storm_fill(CHASE);
	vm_sh("dd if=/dev/zero of=" BULK " bs=1M count=1 conv=fsync status=none");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	unlink(CHASE);
	unlink(BULK);
	return 0;
}

static void say(const char *what, const struct storm *s)
{
	printf("# %s: %u done, %u stopped, %u failed (%u for good), %u stale, %u late; %u rounds of "
	       "I/O\n", what, s->ends[CAROM_END_DONE], s->ends[CAROM_END_STOPPED],
	       s->ends[CAROM_END_IO], s->dnr[1], s->ends[CAROM_END_STALE],
	       s->ends[CAROM_END_DEADLINE], s->io_rounds);
}

/* Of the controller of the scratch filesystem, whose name never changes. */
static void reset_storm(struct storm *s, const char *what, unsigned int times,
			void (*reset)(const char *ctrl))
{
	const char *ctrl = storm_controller("carom0");
	static struct engine e;
	unsigned int i;

	*s = (struct storm) {
		.allowed = END(STOPPED) | END(IO), .depth = 200, .io_path = BULK,
	};
	storm_session(&e, CHASE, "chase", 10000);
	s->e = &e;
	storm_begin(s);
	for (i = 0; i < times; i++) {
		storm_sleep_us(storm_random(0, 40000));
		reset(ctrl);
		if (i % 10 == 9)
			storm_wait_answers(s);
	}
	storm_wait_answers(s);
	storm_end(s);
	say(what, s);
	storm_check(&e, 0, 0, 100);
	engine_close(&e);
	storm_idle(storm_namespace("carom0"));
}

static void reset_controller(const char *ctrl)
{
	storm_write("1", "/sys/class/nvme/%s/reset_controller", ctrl);
}

static void resets(void **state)
{
	unsigned int times = storm_times(100);
	struct storm s;

	(void)state;
	reset_storm(&s, "resets", times, reset_controller);
	assert_true(s.ends[CAROM_END_STOPPED] > times / 4);
	assert_int_not_equal(s.io_rounds, 0);
}

/*
 * Function resets, suspends, and timeouts that end in a reset freeze the queues
 * in one task and thaw them in another, which lockdep of 6.12 takes for a lock
 * that was not given back. After a complaint it finds nothing any more, and a
 * device that then goes away leaves it with a lock that is not there.
 */
static void skip_with_lockdep(void)
{
	if (!access("/proc/lockdep", F_OK))
		skip_because("lockdep does not understand how the driver freezes");
}

/* The same through the PCI core, which asks the driver to prepare. */
static void reset_function(const char *ctrl)
{
	storm_write("1", "/sys/class/nvme/%s/device/reset", ctrl);
}

static void function_resets(void **state)
{
	struct storm s;

	(void)state;
	skip_with_lockdep();
	vm_sh("[ -w /sys/class/nvme/%s/device/reset ]", storm_controller("carom0"));
	reset_storm(&s, "function resets", storm_times(20), reset_function);
}

/* See suspend/carom_suspend.c. */
static void suspend(const char *ctrl)
{
	vm_sh("cat /sys/class/nvme/%s/address >/sys/module/carom_suspend/parameters/cycle", ctrl);
}

static void suspends(void **state)
{
	unsigned int times = storm_times(100);
	struct storm s;

	(void)state;
	skip_with_lockdep();
	reset_storm(&s, "suspends", times, suspend);
	assert_true(s.ends[CAROM_END_STOPPED] > times / 4);
	assert_int_not_equal(s.io_rounds, 0);
}

/* Both freeze the queue, which waits for chains. */
static void freezes(void **state)
{
	static const char *const schedulers[] = { "mq-deadline", "none" };
	struct storm s = { .allowed = END(STOPPED), .depth = 200, .io_path = BULK };
	const char *disk = storm_namespace("carom0") + strlen("/dev/");
	struct engine e;
	unsigned int i;

	(void)state;
	storm_session(&e, CHASE, "chase", 10000);
	s.e = &e;
	storm_begin(&s);
	for (i = 0; i < storm_times(100); i++) {
		storm_sleep_us(storm_random(0, 30000));
		storm_write(i % 2 ? "64" : "32", "/sys/block/%s/queue/nr_requests", disk);
		storm_sleep_us(storm_random(0, 30000));
		storm_write(schedulers[i % 2], "/sys/block/%s/queue/scheduler", disk);
		if (i % 10 == 9)
			storm_wait_answers(&s);
	}
	storm_write("none", "/sys/block/%s/queue/scheduler", disk);
	storm_end(&s);
	say("freezes", &s);
	assert_true(s.ends[CAROM_END_STOPPED] > i / 4);
	engine_close(&e);
	storm_idle(storm_namespace("carom0"));
}

/* The bad node as number 1 to 6 of six, beside lookups that have none, and I/O. */
static void bad_sector(void **state)
{
	const char *path = storm_namespace("bad");
	struct storm s = {
		.allowed = END(IO), .depth = 6, .io_path = path, .io_pos = RAW_IO,
	};
	struct chase_query *query;
	struct carom_lookup res;
	unsigned int i, hop;
	struct engine e;

	(void)state;
	storm_fill(path);
	storm_session(&e, path, "chase", 10000);
	s.e = &e;
	query = engine_scratch(&e, 0);
	storm_begin(&s);
	for (i = 0; i < storm_times(100); i++) {
		for (hop = 1; hop <= 6; hop++) {
			query->depth = 6;
			res = vm_lookup(&e, 0, (__u64)storm_before(BAD_NODE, hop) * 4096);
			if (res.end != CAROM_END_IO || res.hops != hop - 1 ||
			    res.code != SC_READ_ERROR || res.at != BAD_NODE * 4096)
				fail_msg("bad node %u of 6: end %u, hops %u, code %#x, at %llu",
					 hop, res.end, res.hops, res.code, res.at);
		}
		/* Up to the one before, and from the one behind. */
		storm_check(&e, 0, storm_before(BAD_NODE, 7), 6);
		storm_check(&e, 0, storm_expect(BAD_NODE, 2), 6);
	}
	storm_end(&s);
	say("bad sector", &s);
	assert_int_equal(s.dnr[1], 0);
	assert_int_not_equal(s.ends[CAROM_END_IO], 0);
	assert_int_not_equal(s.ends[CAROM_END_DONE], 0);
	engine_close(&e);
	storm_idle(path);
}

static void remove_device(const char *serial)
{
	storm_write("1", "/sys/class/nvme/%s/device/remove", storm_controller(serial));
}

static void rescan(void)
{
	storm_write("1", "/sys/bus/pci/rescan");
}

static void wait_partition(char *part, size_t size, unsigned int number)
{
	long end = vm_now_ms() + 20000;

	snprintf(part, size, "%sp%u", storm_namespace("gone"), number);
	while (access(part, F_OK)) {
		if (vm_now_ms() > end)
			fail_msg("no %s", part);
		vm_sleep_ms(5);
	}
}

/* Partition 1 has nodes, 2 ext4 and 3 xfs. */
static void make_partitions(void)
{
	const char *disk = storm_namespace("gone");
	char part[80];

	vm_sh("printf 'label: gpt\\n,64M\\n,64M\\n,320M\\n' | sfdisk -q %s 2>/dev/null", disk);
	wait_partition(part, sizeof(part), 3);
	wait_partition(part, sizeof(part), 1);
	storm_fill(part);
	vm_sh("mkfs.ext4 -q %sp2 && mkfs.xfs -q %sp3", disk, disk);
}

/* One session on @path until its device goes. */
static void lose(struct storm *s, const char *path)
{
	static struct engine e;

	s->allowed = END(STOPPED) | END(IO) | END(STALE);
	s->depth = 40;
	s->io_may_fail = true;
	storm_session(&e, path, "chase", 10000);
	s->e = &e;
	storm_begin(s);
	storm_wait_answers(s);
	storm_sleep_us(storm_random(0, 10000));
	remove_device("gone");
	storm_wait_failures(s);
	storm_end(s);
	assert_int_not_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DONE);
	engine_close(&e);
}

static void lose_raw(struct storm *s)
{
	char part[80];

	wait_partition(part, sizeof(part), 1);
	s->io_path = part;
	s->io_pos = RAW_IO;
	lose(s, part);
	s->io_path = NULL;
	rescan();
}

static void lose_mounted(struct storm *s, unsigned int number, const char *fs)
{
	char part[80];

	wait_partition(part, sizeof(part), number);
	vm_sh("mkdir -p " MOUNT " && mount -t %s %s " MOUNT, fs, part);
	if (access(MOUNT "/chase", F_OK)) {
		storm_fill(MOUNT "/chase");
		vm_sh("dd if=/dev/zero of=" MOUNT "/bulk bs=1M count=1 status=none; sync");
	}
	s->io_path = MOUNT "/bulk";
	s->io_pos = 0;
	lose(s, MOUNT "/chase");
	s->io_path = NULL;
	vm_sh("umount " MOUNT);
	rescan();
}

static void removals(void **state)
{
	struct storm s = { };
	struct engine e;
	unsigned int i;
	char part[80];

	(void)state;
	vm_modprobe("xfs");
	make_partitions();
	for (i = 0; i < storm_times(100); i++) {
		switch (i % 4) {
		case 1:
			lose_mounted(&s, 2, "ext4");
			break;
		case 3:
			lose_mounted(&s, 3, "xfs");
			break;
		default:
			lose_raw(&s);
		}
	}
	say("removals", &s);
	assert_true(s.ends[CAROM_END_DONE] >= i * STORM_SLOTS);
	assert_true(s.ends[CAROM_END_STOPPED] + s.dnr[0] > i / 4);
	wait_partition(part, sizeof(part), 1);
	vm_session(&e, part, "chase", CHASE_NODE_SIZE, NULL);
	storm_check(&e, 0, 0, 200);
	engine_close(&e);
	storm_idle(storm_namespace("gone"));
}

static void admin(const char *ctrl, __u8 opcode, __u32 cdw10, void *data, __u32 len)
{
	struct nvme_admin_cmd cmd = {
		.opcode = opcode, .nsid = 1, .cdw10 = cdw10, .addr = (__u64)(uintptr_t)data,
		.data_len = len, .timeout_ms = 20000,
	};
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/dev/%s", ctrl);
	fd = vm_open(path, O_RDWR);
	ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);
	close(fd);
	if (ret)
		fail_msg("admin command %#x: %s %#x", opcode,
			 ret < 0 ? strerror(errno) : "status", ret);
}

/* Namespace Attachment, to this one controller. */
static void attach(const char *ctrl, bool on)
{
	static __u16 list[2048] __attribute__((aligned(4096)));
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/nvme/%s/cntlid", ctrl);
	f = fopen(path, "r");
	assert_non_null(f);
	list[0] = 1;
	assert_int_equal(fscanf(f, "%hu", &list[1]), 1);
	fclose(f);
	admin(ctrl, 0x15, on ? 0 : 1, list, sizeof(list));
}

/* The device refuses reads, for good, before the driver knows why. */
static void detachments(void **state)
{
	struct storm s = { };
	const char *ctrl = storm_controller("space");
	struct engine e;
	unsigned int i;

	(void)state;
	storm_fill(storm_namespace("space"));
	for (i = 0; i < storm_times(100); i++) {
		s.allowed = END(STOPPED) | END(IO) | END(STALE);
		s.depth = 40;
		s.io_path = storm_namespace("space");
		s.io_pos = RAW_IO;
		s.io_may_fail = true;
		storm_session(&e, s.io_path, "chase", 10000);
		s.e = &e;
		storm_begin(&s);
		storm_wait_answers(&s);
		storm_sleep_us(storm_random(0, 10000));
		attach(ctrl, false);
		storm_wait_failures(&s);
		storm_end(&s);
		engine_close(&e);
		attach(ctrl, true);
	}
	say("detachments", &s);
	assert_true(s.ends[CAROM_END_DONE] >= i * STORM_SLOTS && s.dnr[1] > i / 10);
	vm_session(&e, storm_namespace("space"), "chase", CHASE_NODE_SIZE, NULL);
	storm_check(&e, 0, 0, 200);
	engine_close(&e);
	storm_idle(storm_namespace("space"));
}

/*
 * Other LBAs, other size: what was sealed is not there any more. The driver lets
 * reads through before it has looked at the new format; they find empty nodes.
 */
static void reformats(void **state)
{
	static const unsigned int formats[] = { 4, 1, 7 };
	const char *ctrl = storm_controller("space");
	const char *path = storm_namespace("space");
	struct engine e;
	unsigned int i;

	(void)state;
	for (i = 0; i < storm_times(30); i++) {
		struct storm s = {
			.e = &e, .allowed = END(STOPPED) | END(IO) | END(STALE), .depth = 100,
			.emptied = true,
		};

		storm_fill(path);
		storm_session(&e, path, "chase", 10000);
		storm_begin(&s);
		storm_sleep_us(storm_random(0, 30000));
		admin(ctrl, 0x80, formats[i % ARRAY_SIZE(formats)], NULL, 0);
		storm_wait_failures(&s);
		storm_end(&s);
		assert_int_equal(vm_lookup(&e, 0, 4096).end, CAROM_END_STALE);
		admin(ctrl, 0x80, 0, NULL, 0);
		/* It is what it was again, but for its content. */
		storm_fill(path);
		storm_check(&e, 0, i, 50);
		engine_close(&e);
	}
	storm_idle(path);
}

static unsigned int timeouts(void)
{
	unsigned int n = 0;
	FILE *f;

	f = popen("dmesg | grep -cE 'nvme.*timeout, (aborting|reset|completion)'", "r");
	assert_non_null(f);
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	pclose(f);
	return n;
}

/*
 * How long the driver waits for a read. 6.12 looks at its parameter for each; from 7.3 on a
 * controller takes that when it comes, and then has a setting of its own, in ms.
 */
static void set_io_timeout(const char *ctrl, unsigned int seconds)
{
	vm_sh("echo %u >" IO_TIMEOUT, seconds);
	vm_sh("! [ -e /sys/class/nvme/%s/io_timeout ] || echo %u >/sys/class/nvme/%s/io_timeout",
	      ctrl, seconds * 1000, ctrl);
}

/*
 * A read as large as can be takes the device's I/O budget for six seconds; until
 * then chains time out, are aborted, and the controller is reset.
 */
static void stalls(void **state)
{
	const char *path = storm_namespace("slow");
	unsigned int i, before = timeouts();
	struct storm s = {
		.allowed = END(STOPPED) | END(IO) | END(DEADLINE), .depth = 4, .io_path = BULK,
	};
	struct engine e;
	void *buf = NULL;
	int fd;

	(void)state;
	skip_with_lockdep();
	storm_fill(path);
	fd = vm_open(path, O_RDONLY | O_DIRECT);
	assert_int_equal(posix_memalign(&buf, 4096, 512 << 10), 0);
	set_io_timeout(storm_controller("slow"), 2);
	storm_session(&e, path, "chase", 500);
	s.e = &e;
	storm_begin(&s);
	for (i = 0; i < storm_times(2); i++) {
		storm_wait_answers(&s);
		assert_sys(pread(fd, buf, 512 << 10, RAW_IO));
		vm_sleep_ms(5500);
		storm_wait_answers(&s);
	}
	storm_end(&s);
	set_io_timeout(storm_controller("slow"), 30);
	say("stalls", &s);
	printf("# %u timeouts\n", timeouts() - before);
	if (timeouts() - before < 2 * i)
		fail_msg("the device has not been late");
	/* A device can answer late reads, too, when it is told to stop. */
	assert_int_not_equal(s.ends[CAROM_END_IO] + s.ends[CAROM_END_STOPPED], 0);
	close(fd);
	free(buf);
	engine_close(&e);
	storm_idle(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		storm_test(bad_sector),
		storm_test(resets),
		storm_test(function_resets),
		storm_test(suspends),
		storm_test(freezes),
		storm_test(detachments),
		storm_test(reformats),
		storm_test(stalls),
		storm_test(removals),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("storm_devices", tests, setup, teardown);
}
