// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "surface.h"

/* Any descriptor; mostly of a file that can be sealed. */
static int any_file(struct actor *a)
{
	char path[64];
	int fds[2];

	snprintf(path, sizeof(path), SURFACE_DIR "/%u", below(a, SURFACE_FILES));
	switch (below(a, 40)) {
	case 0:
		return open(SURFACE_DIR, O_RDONLY | O_CLOEXEC);
	case 1:
		return open("/dev/carom", O_RDWR | O_CLOEXEC);
	case 2:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case 3:
		if (pipe2(fds, O_CLOEXEC))
			return -1;
		close(fds[1]);
		return fds[0];
	case 4:
		return memfd_create("fuzz", MFD_CLOEXEC);
	case 5:
		return open(path, O_PATH | O_CLOEXEC);
	case 6:
		return open(path, O_WRONLY | O_CLOEXEC);
	case 7:
		return open(path, O_RDWR | O_CLOEXEC);
	case 8:
		return dup(any_session(a)->fd);
	case 9:
		return (int)odd_number(a);
	case 10:
		return open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	case 11:
	case 12:
		return open(getenv("CAROM_VM_DEVICE"), O_RDONLY | O_CLOEXEC);
	case 13:
		return open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	default:
		return open(path, O_RDONLY | O_CLOEXEC);
	}
}

static void good_arg(struct actor *a, struct carom_open *arg)
{
	static const struct {
		const char *name;
		__u32 node_size, scratch_size;
	} walkers[] = {
		{ "chase", 4096, 64 }, { "chase4096", 4096, 64 }, { "chase512", 512, 64 },
		{ "chase65536", 65536, 64 }, { "fate", 4096, 128 }, { "lmdb", 4096, 1024 },
	};
	unsigned int i = below(a, ARRAY_SIZE(walkers));

	*arg = (struct carom_open) {
		.size = sizeof(*arg),
		.node_size = walkers[i].node_size,
		.scratch_size = walkers[i].scratch_size,
		.nr_slots = 1 + below(a, 8),
		.max_hops = below(a, 300),
		.deadline_ms = below(a, 500),
	};
	strcpy(arg->walker, walkers[i].name);
}

/* Not so much at once that the machine has no memory left for the others. */
static void bound(struct carom_open *arg)
{
	if (arg->nr_slots <= CAROM_MAX_SLOTS && arg->nr_slots > 64 &&
	    (arg->node_size > 4096 || arg->scratch_size > 4096))
		arg->nr_slots = 64;
}

static void change_arg(struct actor *a, struct carom_open *arg)
{
	switch (below(a, 12)) {
	case 0:
		arg->flags = one_in(a, 2) ? CAROM_OPEN_MAP_ONLY : (__u32)odd_number(a);
		break;
	case 1:
		arg->node_size = 256U << below(a, 10);
		break;
	case 2:
		arg->scratch_size = (__u32)odd_number(a);
		break;
	case 3:
		arg->nr_slots = (__u32)odd_number(a);
		break;
	case 4:
		arg->max_hops = (__u32)odd_number(a);
		break;
	case 5:
		arg->deadline_ms = (__u32)odd_number(a);
		break;
	case 6:
		arg->walker[below(a, sizeof(arg->walker))] ^= (char)(1 << below(a, 8));
		break;
	case 7:
		memset(arg->walker, 'x', sizeof(arg->walker));
		break;
	case 8:
		arg->size = (__u32)odd_number(a);
		break;
	case 9:
		((unsigned char *)arg)[below(a, sizeof(*arg))] ^= (unsigned char)surface_rnd(a);
		break;
	default:
		break;
	}
}

static void keep(struct actor *a, int fd, const struct carom_open *arg)
{
	struct session *s = &a->w->sessions[below(a, FDS)];
	int old = atomic_exchange(&s->fd, fd);

	s->slots = arg->nr_slots;
	s->node_stride = arg->node_stride;
	s->scratch_stride = arg->scratch_stride;
	s->size = arg->file_size;
	if (old >= 0)
		close(old);
}

/* All is well until the outputs are to be written. */
static int open_read_only(struct actor *a, const void *arg, size_t size)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (page == MAP_FAILED)
		return -1;
	memcpy(page, arg, size);
	mprotect(page, 4096, PROT_READ);
	fd = ioctl(a->w->dev, CAROM_IOC_OPEN, page);
	munmap(page, 4096);
	return fd;
}

/* What is behind the argument is there, whatever size it claims. */
bool op_open(struct actor *a)
{
	static __thread unsigned char buf[sizeof(struct carom_open) + 64];
	struct carom_open *arg = (void *)buf;
	int file, fd;

	memset(buf, 0, sizeof(buf));
	good_arg(a, arg);
	file = any_file(a);
	arg->fd = file;
	if (one_in(a, 3))
		change_arg(a, arg);
	bound(arg);
	arg->size = one_in(a, 20) ? arg->size + below(a, 80) : arg->size;
	if (one_in(a, 16))
		fd = open_read_only(a, buf, sizeof(buf));
	else
		fd = ioctl(a->w->dev, CAROM_IOC_OPEN, any_pointer(a, arg));
	if (file > 2 && file != a->w->dev)
		close(file);
	if (fd < 0) {
		if (arg->refusal < CAROM_REFUSED_NR)
			atomic_fetch_add(&counts->refusals[arg->refusal], 1);
		return false;
	}
	keep(a, fd, arg);
	return true;
}
