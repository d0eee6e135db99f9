// SPDX-License-Identifier: GPL-2.0
/* While a session lives its file stays as it is; afterwards everything works again. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define CHASE	VM_FILE("seal.chase")
#define OTHER	VM_FILE("seal.other")
#define MOVED	VM_FILE("seal.moved")

static struct engine_walker chase;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	assert_int_equal(vm_info().nr_sessions, 0);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	vm_chase_file(CHASE, CHASE_NODE_SIZE, 64);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	unlink(CHASE);
	unlink(OTHER);
	unlink(MOVED);
	return 0;
}

static void check_writable(bool writable)
{
	static const int flags[] = {
		O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDONLY | O_TRUNC, O_WRONLY | O_DIRECT,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i] & O_TRUNC && writable)
			continue;
		if (!writable) {
			assert_errno(open(CHASE, flags[i] | O_CLOEXEC), ETXTBSY);
			continue;
		}
		close(vm_open(CHASE, flags[i]));
	}
	if (writable)
		assert_sys(truncate(CHASE, 64 * 4096));
	else
		assert_errno(truncate(CHASE, 4096), ETXTBSY);
}

static void no_writers(void **state)
{
	struct engine e;

	(void)state;
	check_writable(true);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	check_writable(false);
	vm_walks(&e, CHASE, 1, 3, 1);
	engine_close(&e);
	check_writable(true);
}

/* The last of those who share the seal lifts it, whether it has slots or only maps. */
static void shared_seal(void **state)
{
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	int file = vm_open(CHASE, O_RDONLY), map;
	struct engine a, b;

	(void)state;
	vm_session(&a, CHASE, "chase", 4096, NULL);
	vm_session(&b, CHASE, "chase", 4096, NULL);
	map = engine_ioctl_open(file, &arg);
	assert_ok(map);
	close(file);
	engine_close(&a);
	check_writable(false);
	engine_close(&b);
	check_writable(false);
	close(map);
	check_writable(true);
}

/* The seal is the session's, not that of the descriptor that it was made from. */
static void mapping_keeps_it(void **state)
{
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_walks(&e, CHASE, 2, 2, 1);
	close(e.fd);
	check_writable(false);
	assert_int_equal(vm_info().nr_sessions, 1);
	assert_sys(munmap((void *)e.nodes, 4096));
	check_writable(false);
	assert_sys(munmap(e.scratch, 4096));
	check_writable(true);
	assert_int_equal(vm_info().nr_sessions, 0);
}

static void inherited(void **state)
{
	struct engine e;
	int status;
	pid_t pid;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		vm_sleep_ms(200);
		_exit(0);
	}
	engine_close(&e);
	check_writable(false);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	check_writable(true);
}

static void check_writer_refused(void)
{
	vm_refused(CHASE, ETXTBSY, CAROM_REFUSED_WRITER, NULL);
}

/* A writer that was there first wins, and the refusal leaves nothing behind. */
static void writers_first(void **state)
{
	struct carom_open arg = vm_chase_arg();
	struct engine e;
	void *mem;
	int fd;

	(void)state;
	fd = vm_open(CHASE, O_WRONLY);
	check_writer_refused();
	close(fd);
	fd = vm_open(CHASE, O_RDWR);
	check_writer_refused();
	vm_refused_arg(fd, &arg, ETXTBSY, CAROM_REFUSED_WRITER, NULL);
	/* A mapping can write when the descriptor is gone. */
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	close(fd);
	check_writer_refused();
	munmap(mem, 4096);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	engine_close(&e);
	check_writable(true);
}

static int dedupe_onto(const char *dest)
{
	union {
		struct file_dedupe_range range;
		char room[sizeof(struct file_dedupe_range) +
			  sizeof(struct file_dedupe_range_info)];
	} arg = { .range = { .src_length = 4096, .dest_count = 1 } };
	int src = vm_open(OTHER, O_RDONLY), fd = vm_open(dest, O_RDONLY);
	int ret;

	arg.range.info[0].dest_fd = fd;
	ret = ioctl(src, FIDEDUPERANGE, &arg) ? -errno : arg.range.info[0].status;
	close(src);
	close(fd);
	return ret;
}

/*
 * With shared blocks a filesystem can move them without a writer; then S_SWAPFILE
 * forbids that, and names have to stay too.
 */
static void deduplication(void **state)
{
	struct engine e;

	(void)state;
	if (!vm_fs_is("xfs"))
		skip_because("needs XFS");
	vm_sh("cp --reflink=never %s %s", CHASE, OTHER);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_int_equal(dedupe_onto(CHASE), -ETXTBSY);
	assert_int_not_equal(vm_try("cp --reflink=always %s %s 2>/dev/null", CHASE, MOVED), 0);
	assert_errno(unlink(CHASE), EPERM);
	assert_errno(rename(CHASE, MOVED), EPERM);
	assert_errno(rename(OTHER, CHASE), EPERM);
	vm_walks(&e, CHASE, 1, 4, 1);
	engine_close(&e);
	assert_int_equal(dedupe_onto(CHASE), FILE_DEDUPE_RANGE_SAME);
	assert_sys(rename(CHASE, MOVED));
	assert_sys(unlink(MOVED));
}

/* Where blocks are never shared, names may go: the session holds the file itself. */
static void unlinked(void **state)
{
	struct engine e;
	int fd;

	(void)state;
	if (!vm_fs_is("ext4"))
		skip_because("XFS lets nobody remove a sealed file");
	fd = vm_open(CHASE, O_RDONLY);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_sys(rename(CHASE, MOVED));
	assert_sys(unlink(MOVED));
	/* If the blocks were free now, these would be the first to get them. */
	vm_sh("dd if=/dev/zero of=%s bs=1M count=64 conv=fsync status=none", OTHER);
	vm_walk(&e, 0, fd, 0, 30);
	engine_close(&e);
	close(fd);
}

static void reading_goes_on(void **state)
{
	struct engine e;
	char buf[4096];
	int fd;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	fd = vm_open(CHASE, O_RDONLY);
	assert_int_equal(read(fd, buf, sizeof(buf)), sizeof(buf));
	close(fd);
	vm_sh("cmp %s %s && chmod 600 %s && sync -f %s", CHASE, CHASE, CHASE, CHASE);
	/* The device is nobody's exclusively. */
	vm_sh("echo 3 >/proc/sys/vm/drop_caches && fstrim " VM_DIR);
	vm_walks(&e, CHASE, 1, 20, 1);
	engine_close(&e);
}

/* Blocks that move under a frozen filesystem would be seen; chains need no filesystem. */
static void frozen_filesystem(void **state)
{
	struct engine e;
	int dir;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	dir = vm_open(VM_DIR, O_RDONLY | O_DIRECTORY);
	assert_sys(ioctl(dir, FIFREEZE, 0));
	((struct chase_query *)engine_scratch(&e, 0))->depth = 5;
	assert_int_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DONE);
	assert_sys(ioctl(dir, FITHAW, 0));
	close(dir);
	engine_close(&e);
}

/* The filesystem cannot go from under a session, lazily or not. */
static void unmounted(void **state)
{
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	assert_int_not_equal(vm_try("umount " VM_DIR " 2>/dev/null"), 0);
	vm_walks(&e, CHASE, 1, 4, 1);
	engine_close(&e);
}

int main(void)
{
#define SEAL_TEST(f) cmocka_unit_test_setup_teardown(f, fresh, gone)
	const struct CMUnitTest tests[] = {
		SEAL_TEST(no_writers),
		SEAL_TEST(shared_seal),
		SEAL_TEST(mapping_keeps_it),
		SEAL_TEST(inherited),
		SEAL_TEST(writers_first),
		SEAL_TEST(deduplication),
		SEAL_TEST(unlinked),
		SEAL_TEST(reading_goes_on),
		SEAL_TEST(frozen_filesystem),
		SEAL_TEST(unmounted),
	};

	return cmocka_run_group_tests_name("seal", tests, setup, teardown);
}
