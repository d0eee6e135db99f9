// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "surface.h"

#define PAGE	4096UL

static __thread sigjmp_buf *guard;

static void on_fault(int sig)
{
	if (guard)
		siglongjmp(*guard, sig);
	_exit(99);
}

void surface_guard(void)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static size_t pages(size_t len)
{
	return len / PAGE;
}

static bool keep(struct actor *a, void *addr, size_t len)
{
	struct mapping *m = any_mapping(a);
	uintptr_t old;
	size_t old_len;

	if (addr == MAP_FAILED)
		return false;
	old_len = atomic_exchange(&m->len, 0);
	old = atomic_exchange(&m->addr, (uintptr_t)addr);
	m->len = len;
	if (old_len)
		munmap((void *)old, old_len);
	return true;
}

bool op_map(struct actor *a)
{
	struct session *s = any_session(a);
	static const __u64 areas[] = { CAROM_MMAP_NODES, CAROM_MMAP_SCRATCH, CAROM_MMAP_RESULTS };
	const size_t strides[] = {
		s->node_stride, s->scratch_stride, sizeof(struct carom_result),
	};
	unsigned int area = below(a, 3);
	size_t len = (s->slots * strides[area] + PAGE - 1) & ~(PAGE - 1);
	int prot = PROT_READ | (area == 1 ? PROT_WRITE : 0), flags = MAP_SHARED;
	__u64 offset = areas[area];

	if (one_in(a, 8))
		prot = (int)below(a, 8);
	if (one_in(a, 12))
		flags = MAP_PRIVATE;
	if (one_in(a, 8))
		len += (below(a, 5) - 2UL) * PAGE;
	if (one_in(a, 8))
		offset = odd_number(a) & ~(PAGE - 1);
	if (one_in(a, 16))
		flags |= MAP_POPULATE;
	if (one_in(a, 32))
		flags |= MAP_LOCKED;
	return keep(a, mmap(NULL, len, prot, flags, s->fd, (off_t)offset), len);
}

/* Some pages of a mapping. */
static bool any_pages(struct actor *a, char **addr, size_t *len)
{
	struct mapping *m = any_mapping(a);
	size_t n = pages(m->len), first;

	if (!n)
		return false;
	first = one_in(a, 2) ? 0 : below(a, (unsigned int)n);
	*addr = (char *)m->addr + first * PAGE;
	*len = (one_in(a, 2) ? n - first : 1 + below(a, (unsigned int)(n - first))) * PAGE;
	return true;
}

/* All of it is forgotten, or a part; then what is left goes on being used. */
bool op_unmap(struct actor *a)
{
	struct mapping *m = any_mapping(a);
	size_t len, some;
	uintptr_t addr;

	if (one_in(a, 2)) {
		len = atomic_exchange(&m->len, 0);
		addr = m->addr;
		return len && !munmap((void *)addr, len);
	}
	len = m->len;
	if (pages(len) < 2)
		return false;
	some = (1 + below(a, (unsigned int)pages(len) - 1)) * PAGE;
	if (!atomic_compare_exchange_strong(&m->len, &len, some))
		return false;
	return !munmap((char *)m->addr + some, len - some);
}

bool op_protect(struct actor *a)
{
	char *addr;
	size_t len;

	return any_pages(a, &addr, &len) && !mprotect(addr, len, (int)below(a, 8));
}

bool op_remap(struct actor *a)
{
	struct mapping *m = any_mapping(a);
	size_t len = atomic_exchange(&m->len, 0), want;
	void *addr;

	if (!len)
		return false;
	want = one_in(a, 3) ? len : (1 + below(a, 16)) * PAGE;
	addr = mremap((void *)m->addr, len, want, one_in(a, 4) ? 0 : MREMAP_MAYMOVE);
	if (addr == MAP_FAILED) {
		m->len = len;
		return false;
	}
	m->addr = (uintptr_t)addr;
	m->len = want;
	return true;
}

bool op_advise(struct actor *a)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK,
		MADV_HUGEPAGE, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_MERGEABLE, MADV_WIPEONFORK,
	};
	char *addr;
	size_t len;

	if (!any_pages(a, &addr, &len))
		return false;
	if (one_in(a, 6))
		return !(one_in(a, 2) ? mlock(addr, len) : munlock(addr, len));
	return !madvise(addr, len, advice[below(a, ARRAY_SIZE(advice))]);
}

/* Read, or write where chains have their queries. */
bool op_touch(struct actor *a)
{
	sigjmp_buf env;
	volatile char *addr;
	char *start;
	size_t len;

	if (!any_pages(a, &start, &len))
		return false;
	addr = start + below(a, 80) + (one_in(a, 4) ? below(a, (unsigned int)len - 80) : 0);
	if (sigsetjmp(env, 0)) {
		guard = NULL;
		return false;
	}
	guard = &env;
	if (one_in(a, 2))
		*addr = (char)(one_in(a, 2) ? below(a, 12) : surface_rnd(a));
	else
		(void)*addr;
	guard = NULL;
	return true;
}

static bool through_a_pipe(struct actor *a, char *addr, size_t len)
{
	struct iovec iov = { addr, len < 8 * PAGE ? len : 8 * PAGE };
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return false;
	n = vmsplice(fds[1], &iov, 1, below(a, 16));
	/* The pages may outlive mapping and session in there. */
	if (n > 0 && one_in(a, 2))
		op_unmap(a);
	if (n > 0)
		n = read(fds[0], addr, (size_t)n);
	close(fds[0]);
	close(fds[1]);
	return n > 0;
}

/* The memory as the buffer of other calls, direct I/O to the same device among them. */
bool op_io_with_map(struct actor *a)
{
	struct iovec local, remote;
	char *addr, path[64], buf[64];
	size_t len;
	ssize_t n;
	int fd;

	if (!any_pages(a, &addr, &len))
		return false;
	if (one_in(a, 3))
		return through_a_pipe(a, addr, len);
	if (one_in(a, 3)) {
		local = (struct iovec) { buf, sizeof(buf) };
		remote = (struct iovec) { addr, sizeof(buf) };
		return (one_in(a, 2) ? process_vm_readv(getpid(), &local, 1, &remote, 1, 0) :
				       process_vm_writev(getpid(), &local, 1, &remote, 1, 0)) > 0;
	}
	snprintf(path, sizeof(path), SURFACE_DIR "/%u", below(a, SURFACE_FILES));
	fd = open(path, O_RDONLY | O_CLOEXEC | (one_in(a, 2) ? O_DIRECT : 0));
	n = pread(fd, addr, len < 65536 ? len : 65536, below(a, 64) * (off_t)PAGE);
	if (fd >= 0)
		close(fd);
	return n > 0;
}
