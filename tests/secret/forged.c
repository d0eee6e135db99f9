// SPDX-License-Identifier: GPL-2.0
/* Descriptors that are no files, memory that is not one's own, and other callers than usual. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../vm/vm.h"

#define CHASE	VM_FILE("forged.chase")
#define NODES	64

static struct engine_walker chase;
static int file;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	file = vm_open(CHASE, O_RDONLY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(vm_info().nr_sessions, 0);
	close(file);
	engine_unload(&chase);
	close(vm_open(CHASE, O_RDWR));
	unlink(CHASE);
	return 0;
}

static void expect_refused(int fd, __u32 refusal, const char *detail)
{
	struct carom_open arg = vm_chase_arg();

	assert_sys(fd);
	vm_refused_arg(fd, &arg, EOPNOTSUPP, refusal, detail);
	arg.flags = CAROM_OPEN_MAP_ONLY;
	vm_refused_arg(fd, &arg, EOPNOTSUPP, refusal, detail);
	close(fd);
}

static void descriptors_that_are_no_files(void **state)
{
	struct engine e;
	int fds[2];

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	expect_refused(dup(e.fd), CAROM_REFUSED_FILE_TYPE, "special file");
	engine_close(&e);
	expect_refused(vm_open("/dev/carom", O_RDWR), CAROM_REFUSED_FILE_TYPE, "special file");
	expect_refused(epoll_create1(0), CAROM_REFUSED_FILE_TYPE, "special file");
	expect_refused(eventfd(0, 0), CAROM_REFUSED_FILE_TYPE, "special file");
	expect_refused(socket(AF_UNIX, SOCK_STREAM, 0), CAROM_REFUSED_FILE_TYPE, "special file");
	expect_refused(memfd_create("m", 0), CAROM_REFUSED_FILESYSTEM, "tmpfs");
	expect_refused(vm_open("/proc/self/mem", O_RDONLY), CAROM_REFUSED_FILESYSTEM, "proc");
	expect_refused(vm_open("/sys/kernel/mm", O_RDONLY), CAROM_REFUSED_FILE_TYPE, "directory");
	expect_refused(vm_open("/sys/kernel/vmcoreinfo", O_RDONLY), CAROM_REFUSED_FILESYSTEM,
		       "sysfs");
	assert_sys(pipe(fds));
	expect_refused(fds[0], CAROM_REFUSED_FILE_TYPE, "special file");
	close(fds[1]);
}

/* Nodes are read-only, also for those whom the page tables do not stop. */
static void nodes_cannot_be_written(void **state)
{
	unsigned char byte = 'x';
	struct engine e;
	struct iovec from = { &byte, 1 }, to;
	void *hidden;
	int mem;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	mem = vm_open("/proc/self/mem", O_RDWR);
	to = (struct iovec) { (void *)e.nodes, 1 };
	assert_errno(pwrite(mem, &byte, 1, (off_t)(uintptr_t)e.nodes), EIO);
	assert_errno(process_vm_writev(getpid(), &from, 1, &to, 1, 0), EFAULT);
	assert_errno(pread(file, (void *)e.nodes, 1, 0), EFAULT);
	hidden = mmap(NULL, 4096, PROT_NONE, MAP_SHARED, e.fd, CAROM_MMAP_NODES);
	assert_ptr_not_equal(hidden, MAP_FAILED);
	assert_errno(mprotect(hidden, 4096, PROT_WRITE), EACCES);
	assert_errno(mprotect(hidden, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
	assert_sys(mprotect(hidden, 4096, PROT_READ));
	assert_int_equal(e.nodes[0], 0);
	/* Reading is what they are for, whoever does it. */
	vm_walk(&e, 0, file, 0, 3);
	from = (struct iovec) { &byte, 1 };
	assert_int_equal(process_vm_readv(getpid(), &from, 1, &to, 1, 0), 1);
	assert_int_equal(byte, e.nodes[0]);
	munmap(hidden, 4096);
	close(mem);
	engine_close(&e);
}

/* The device may write where the walker reads: a query that changes is a walker's daily bread. */
static void scratch_as_io_buffer(void **state)
{
	struct chase_query *query;
	struct carom_lookup *look;
	int direct = vm_open(CHASE, O_RDONLY | O_DIRECT);
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	query = engine_scratch(&e, 0);
	assert_int_equal(pread(direct, query, 4096, 4096), 4096);
	assert_int_equal(*(__u64 *)query, 1);
	vm_walk(&e, 0, file, 0, 3);
	/* The call's own argument in there is no worse. */
	look = (void *)((char *)query + 1024);
	*look = (struct carom_lookup) { .offset = 4096 };
	query->depth = 1;
	assert_sys(ioctl(e.fd, CAROM_IOC_LOOKUP, look));
	assert_int_equal(look->end, CAROM_END_DONE);
	assert_int_equal(query->id, 1);
	engine_close(&e);
	close(direct);
}

/* The memory keeps the session, and the session keeps the seal. */
static void mapping_without_descriptor(void **state)
{
	struct engine e;
	int status;
	pid_t pid;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_walk(&e, 0, file, 0, 3);
	close(e.fd);
	assert_int_equal(vm_info().nr_sessions, 1);
	assert_errno(open(CHASE, O_RDWR), ETXTBSY);
	munmap((void *)e.nodes, 4096);
	/* A child has the mapping too, and can be the last who has. */
	pid = fork();
	if (!pid) {
		while (getppid() != 1 && *(volatile unsigned char *)e.scratch != 'q')
			usleep(1000);
		_exit(0);
	}
	munmap(e.scratch, 4096);
	e.scratch = NULL;
	assert_int_equal(vm_info().nr_sessions, 1);
	assert_errno(open(CHASE, O_RDWR), ETXTBSY);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(vm_info().nr_sessions, 0);
	close(vm_open(CHASE, O_RDWR));
}

/* What is more than any kernel will ever know is not read through first. */
static void size_without_end(void **state)
{
	const size_t huge = 64UL << 20;
	int dev = vm_open("/dev/carom", O_RDWR);
	struct carom_open *arg = mmap(NULL, huge, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	assert_ptr_not_equal(arg, MAP_FAILED);
	*arg = vm_chase_arg();
	arg->fd = file;
	arg->size = (__u32)huge;
	assert_errno(ioctl(dev, CAROM_IOC_OPEN, arg), E2BIG);
	arg->size = ~0U;
	assert_errno(ioctl(dev, CAROM_IOC_OPEN, arg), E2BIG);
	arg->size = 4097;
	assert_errno(ioctl(dev, CAROM_IOC_OPEN, arg), E2BIG);
	munmap(arg, huge);
	close(dev);
}

static void extents_without_end(void **state)
{
	struct carom_extent one[2] = { { .lba = 7 }, { .lba = 7 } };
	struct carom_extents ext = { .size = sizeof(ext), .extents = (uintptr_t)one };
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	ext.first = ~0ULL;
	ext.count = ~0U;
	assert_sys(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext));
	assert_int_equal(ext.count, 0);
	assert_int_equal(one[0].lba, 7);
	ext.first = e.open.nr_extents - 1;
	ext.count = ~0U;
	assert_sys(ioctl(e.fd, CAROM_IOC_EXTENTS, &ext));
	assert_int_equal(ext.count, 1);
	assert_int_equal(one[1].lba, 7);
	engine_close(&e);
}

/* As a 32-bit program calls. */
static long ioctl32(int fd, unsigned long cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (54L), "b" ((long)fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	/* Only 32 bits of it are the result. */
	return (int)ret;
}

static void callers_of_32_bits(void **state)
{
	int dev = vm_open("/dev/carom", O_RDWR), session;
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct carom_open *open = low;
	struct carom_lookup *look = low;
	struct carom_info *info = low;
	struct carom_stats *st = low;
	struct chase_query *query;
	__u64 want;

	(void)state;
	assert_ptr_not_equal(low, MAP_FAILED);
	info->size = sizeof(*info);
	if (ioctl32(dev, CAROM_IOC_INFO, low) == -ENOSYS) {
		close(dev);
		skip_because("no 32-bit calls in this kernel");
	}
	assert_int_equal(info->abi, CAROM_ABI_VERSION);
	*open = vm_chase_arg();
	open->size = sizeof(*open);
	open->fd = file;
	session = (int)ioctl32(dev, CAROM_IOC_OPEN, low);
	assert_ok(session);
	assert_int_equal(open->file_size, NODES * CHASE_NODE_SIZE);
	query = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, session, CAROM_MMAP_SCRATCH);
	assert_ptr_not_equal(query, MAP_FAILED);
	query->depth = 5;
	*look = (struct carom_lookup) { .offset = 8192 };
	assert_int_equal(ioctl32(session, CAROM_IOC_LOOKUP, low), 0);
	assert_ok(chase_expect(file, 8192, 5, &want));
	assert_int_equal(look->end, CAROM_END_DONE);
	assert_int_equal(query->id, want);
	*st = (struct carom_stats) { .size = sizeof(*st) };
	assert_int_equal(ioctl32(session, CAROM_IOC_STATS, low), 0);
	assert_int_equal(st->lookups, 1);
	assert_int_equal(ioctl32(session, CAROM_IOC_OPEN, low), -ENOTTY);
	munmap(query, 4096);
	munmap(low, 4096);
	close(session);
	close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_that_are_no_files),
		cmocka_unit_test(nodes_cannot_be_written),
		cmocka_unit_test(scratch_as_io_buffer),
		cmocka_unit_test(mapping_without_descriptor),
		cmocka_unit_test(size_without_end),
		cmocka_unit_test(extents_without_end),
		cmocka_unit_test(callers_of_32_bits),
	};

	return cmocka_run_group_tests_name("forged", tests, setup, teardown);
}
