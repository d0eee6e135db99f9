// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "surface.h"

#define PAGE	4096UL

const char *const op_names[NR_OPS] = {
#define X(name) #name,
	SURFACE_OPS(X)
#undef X
};

/* splitmix64 */
__u64 surface_rnd(struct actor *a)
{
	__u64 z = a->rnd += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned int below(struct actor *a, unsigned int n)
{
	return n ? (unsigned int)(surface_rnd(a) >> 32) % n : 0;
}

bool one_in(struct actor *a, unsigned int n)
{
	return !below(a, n);
}

__u64 odd_number(struct actor *a)
{
	static const __u64 values[] = {
		0, 1, 2, 7, 8, 64, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537,
		CAROM_MMAP_SCRATCH, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, 1ULL << 62,
		1ULL << 32, 1ULL << 31,
	};
	__u64 v = values[below(a, ARRAY_SIZE(values))];

	if (one_in(a, 3))
		v = 1ULL << below(a, 64);
	if (one_in(a, 3))
		v += below(a, 17) - 8ULL;
	return one_in(a, 6) ? surface_rnd(a) : v;
}

struct session *any_session(struct actor *a)
{
	return &a->w->sessions[below(a, FDS)];
}

struct mapping *any_mapping(struct actor *a)
{
	return &a->w->maps[below(a, MAPS)];
}

void *any_pointer(struct actor *a, void *good)
{
	if (!one_in(a, 16))
		return good;
	switch (below(a, 6)) {
	case 0:
		return NULL;
	case 1:
		return a->w->read_only;
	case 2:
		return (void *)0xffff888000000000UL;
	case 3:
		return (void *)any_mapping(a)->addr;
	case 4:
		return (char *)a->w->page + PAGE - 8;
	default:
		return (void *)(uintptr_t)odd_number(a);
	}
}

static bool op_lookup(struct actor *a)
{
	struct session *s = any_session(a);
	struct carom_lookup look = {
		.slot = below(a, s->slots),
		.offset = (s->size ? surface_rnd(a) % s->size : 0) & ~(PAGE - 1),
	};
	struct carom_lookup *arg = any_pointer(a, &look);
	int ret;

	if (one_in(a, 6))
		look.offset = odd_number(a);
	if (one_in(a, 16))
		look.slot = (__u32)odd_number(a);
	if (one_in(a, 3))
		look.flags = below(a, 8);
	if (one_in(a, 32))
		((unsigned char *)&look)[below(a, sizeof(look))] = (unsigned char)surface_rnd(a);
	ret = ioctl(s->fd, CAROM_IOC_LOOKUP, arg);
	if (!ret && arg == &look && look.end < CAROM_END_NR)
		atomic_fetch_add(&counts->ends[look.end], 1);
	return !ret;
}

static bool op_extents(struct actor *a)
{
	struct carom_extent out[16];
	struct carom_extents ext = {
		.size = sizeof(ext), .count = below(a, 17), .first = below(a, 4),
		.extents = (uintptr_t)any_pointer(a, out),
	};

	if (one_in(a, 4))
		ext.first = odd_number(a);
	if (one_in(a, 8))
		ext.size = (__u32)odd_number(a);
	/* More than there is room for is user space's own fault: keep it off the stack. */
	if (one_in(a, 8)) {
		ext.count = (__u32)odd_number(a);
		ext.extents = (uintptr_t)a->w->read_only - 3 * sizeof(out[0]);
	}
	return !ioctl(any_session(a)->fd, CAROM_IOC_EXTENTS, any_pointer(a, &ext));
}

static bool op_stats(struct actor *a)
{
	struct carom_stats st = { .size = sizeof(st) };

	if (one_in(a, 6))
		st.size = below(a, sizeof(st));
	return !ioctl(any_session(a)->fd, CAROM_IOC_STATS, any_pointer(a, &st));
}

static bool op_info(struct actor *a)
{
	struct carom_info info = { .size = sizeof(info) };

	if (one_in(a, 6))
		info.size = below(a, sizeof(info));
	return !ioctl(a->w->dev, CAROM_IOC_INFO, any_pointer(a, &info));
}

/* Any command on any descriptor; the page's content is what the last one left. */
static bool op_any_ioctl(struct actor *a)
{
	unsigned long cmd = _IOC(below(a, 4), CAROM_IOC_MAGIC, below(a, 0x20), below(a, 300));
	int fd = one_in(a, 3) ? a->w->dev : any_session(a)->fd;

	if (one_in(a, 4))
		cmd = surface_rnd(a);
	return !ioctl(fd, cmd, any_pointer(a, a->w->page));
}

/* What descriptors can that a session cannot. */
static bool op_io_on_session(struct actor *a)
{
	int fd = any_session(a)->fd;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct stat st;

	switch (below(a, 10)) {
	case 0:
		return read(fd, a->w->page, PAGE) >= 0;
	case 1:
		return write(fd, a->w->page, PAGE) >= 0;
	case 2:
		return pread(fd, a->w->page, below(a, PAGE), (off_t)odd_number(a)) >= 0;
	case 3:
		return lseek(fd, (off_t)odd_number(a), (int)below(a, 5)) >= 0;
	case 4:
		return !ftruncate(fd, (off_t)odd_number(a));
	case 5:
		return !fsync(fd);
	case 6:
		return poll(&p, 1, 0) >= 0;
	case 7:
		return !fstat(fd, &st);
	case 8:
		return sendfile(fd, any_session(a)->fd, NULL, PAGE) >= 0;
	default:
		return fcntl(fd, F_SETFL, (int)odd_number(a)) >= 0;
	}
}

static bool op_close(struct actor *a)
{
	int fd = atomic_exchange(&any_session(a)->fd, -1);

	return fd >= 0 && !close(fd);
}

static bool op_dup(struct actor *a)
{
	struct session *from = any_session(a), *to = any_session(a);
	int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return false;
	to->slots = from->slots;
	to->node_stride = from->node_stride;
	to->scratch_stride = from->scratch_stride;
	to->size = from->size;
	fd = atomic_exchange(&to->fd, fd);
	if (fd >= 0)
		close(fd);
	return true;
}

/* Into a socket, and out of it or not. */
static bool op_pass(struct actor *a)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct session *s = any_session(a);
	int sock[2], fd = s->fd;
	bool ok;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock))
		return false;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	ok = sendmsg(sock[0], &msg, 0) == 1;
	if (ok && one_in(a, 2)) {
		op_close(a);
		if (recvmsg(sock[1], &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg)) {
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
			fd = atomic_exchange(&s->fd, fd);
			if (fd >= 0)
				close(fd);
		}
	}
	close(sock[0]);
	close(sock[1]);
	return ok;
}

/* A child that has it all, for some steps, and goes one way or another. */
static bool op_fork(struct actor *a)
{
	unsigned int steps = below(a, 60);
	pid_t pid;

	if (a->w->is_child || !one_in(a, 4))
		return false;
	pid = fork();
	if (pid)
		return pid > 0;
	a->w->is_child = true;
	a->rnd ^= 0x5bd1e995;
	alarm(2);
	while (steps--)
		surface_step(a);
	if (one_in(a, 2))
		raise(SIGKILL);
	_exit(0);
}

/* What others do with files that may be sealed. */
static bool op_change_file(struct actor *a)
{
	char path[64], other[72];
	bool ok = false;
	int fd;

	snprintf(path, sizeof(path), SURFACE_DIR "/%u", below(a, SURFACE_FILES));
	snprintf(other, sizeof(other), "%s.new", path);
	switch (below(a, 6)) {
	case 0:
		return !truncate(path, (off_t)SURFACE_NODES * 4096);
	case 1:
		return !rename(path, other) && !rename(other, path);
	case 2:
		return !link(path, other) && !unlink(path) && !rename(other, path);
	default:
		break;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (one_in(a, 2))
		ok = !fallocate(fd, 0, 0, (off_t)SURFACE_NODES * 4096);
	else
		ok = pwrite(fd, a->w->page, 8, below(a, SURFACE_NODES) * (off_t)PAGE + 64) == 8;
	close(fd);
	return ok;
}

void surface_init(struct world *w)
{
	char *two;
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->dev = open("/dev/carom", O_RDWR | O_CLOEXEC);
	for (i = 0; i < FDS; i++)
		w->sessions[i].fd = -1;
	/* One to write, one to read, none. */
	two = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->dev < 0 || two == MAP_FAILED || mprotect(two + PAGE, PAGE, PROT_READ) ||
	    mprotect(two + 2 * PAGE, PAGE, PROT_NONE))
		_exit(98);
	w->page = two;
	w->read_only = two + PAGE;
	surface_guard();
}

void surface_step(struct actor *a)
{
	static bool (*const ops[NR_OPS])(struct actor *) = {
#define X(name) [OP_##name] = op_##name,
		SURFACE_OPS(X)
#undef X
	};
	/* Of a hundred: half of it is what sessions are for. */
	static const unsigned char weights[NR_OPS] = {
		[OP_open] = 10, [OP_lookup] = 22, [OP_uring] = 14, [OP_extents] = 4,
		[OP_stats] = 3, [OP_info] = 2,
		[OP_any_ioctl] = 4, [OP_map] = 8, [OP_unmap] = 3, [OP_protect] = 2, [OP_remap] = 2,
		[OP_advise] = 3, [OP_touch] = 8, [OP_io_with_map] = 3, [OP_io_on_session] = 3,
		[OP_close] = 3, [OP_dup] = 2, [OP_pass] = 2, [OP_fork] = 1, [OP_change_file] = 1,
	};
	unsigned int n = below(a, 100), op;

	for (op = 0; op < NR_OPS - 1 && n >= weights[op]; op++)
		n -= weights[op];
	atomic_fetch_add(ops[op](a) ? &counts->ok[op] : &counts->failed[op], 1);
}
