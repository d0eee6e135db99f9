// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * An io_uring for the lookups of one thread: reads of the index file, and commands
 * on the session where there is one, each registered where the kernel lets us.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

/* Entries of the table of registered files. */
enum {
	FIXED_FILE,
	FIXED_SESSION,
	NR_FIXED,
};

/**
 * struct carom_ring - the ring
 * @uring: what liburing has of it
 * @ix: for its files
 * @fixed_files: the files are registered
 * @fixed_buffers: the nodes are, by rd->buffer
 * @poll: completions are looked for, no interrupt tells of them
 * @pending: operations whose end has not been seen
 */
struct carom_ring {
	struct io_uring uring;
	const struct carom_index *ix;
	bool fixed_files;
	bool fixed_buffers;
	bool poll;
	unsigned int pending;
};

const char *carom_ring_advice(int code)
{
	switch (code) {
	case -ENOSYS:
		return "this kernel has no io_uring";
	case -EPERM:
	case -EACCES:
		return "io_uring is forbidden here (sysctl kernel.io_uring_disabled, or a "
		       "seccomp filter)";
	default:
		return strerror(-code);
	}
}

/* The flags that make it fast are not known to kernels before 6.1. */
static int ring_setup(struct carom_ring *ring, const struct carom_ring_opts *opts)
{
	unsigned int flags = opts->poll ? IORING_SETUP_IOPOLL : 0;
	int ret;

	ret = io_uring_queue_init(opts->nr, &ring->uring,
				  flags | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL |
				  IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
	if (ret == -EINVAL)
		ret = io_uring_queue_init(opts->nr, &ring->uring, flags);
	return ret;
}

/* All of this only makes it faster; RLIMIT_MEMLOCK may forbid the buffers. */
static void ring_register(struct carom_ring *ring, const struct carom_ring_opts *opts)
{
	int fds[NR_FIXED] = {
		[FIXED_FILE] = ring->ix->file.fd,
		[FIXED_SESSION] = ring->ix->session.fd,
	};
	struct iovec *iov;
	unsigned int i;

	ring->fixed_files = !io_uring_register_files(&ring->uring, fds, NR_FIXED);
	if (!opts->nodes)
		return;
	iov = calloc(opts->nr, sizeof(*iov));
	for (i = 0; iov && i < opts->nr; i++) {
		iov[i].iov_base = opts->nodes[i];
		iov[i].iov_len = ring->ix->walker->node_size;
	}
	ring->fixed_buffers = iov && !io_uring_register_buffers(&ring->uring, iov, opts->nr);
	free(iov);
}

int carom_ring_open(struct carom_ring **out, const struct carom_index *ix,
		    const struct carom_ring_opts *opts)
{
	struct carom_ring *ring = calloc(1, sizeof(*ring));
	int ret;

	if (!ring)
		return -ENOMEM;
	ring->ix = ix;
	ring->poll = opts->poll;
	ret = ring_setup(ring, opts);
	if (ret) {
		free(ring);
		return ret;
	}
	ring_register(ring, opts);
	*out = ring;
	return 0;
}

void carom_ring_close(struct carom_ring *ring)
{
	if (!ring)
		return;
	io_uring_queue_exit(&ring->uring);
	free(ring);
}

unsigned int carom_ring_prepared(const struct carom_ring *ring)
{
	return io_uring_sq_ready(&ring->uring);
}

unsigned int carom_ring_pending(const struct carom_ring *ring)
{
	return ring->pending;
}

bool carom_ring_polls(const struct carom_ring *ring)
{
	return ring->poll;
}

/* ---- operations ---- */

/* A ring that polls takes no reads through the page cache. */
bool carom_ring_can_read(const struct carom_ring *ring, const void *buf, size_t len,
			 __u64 offset)
{
	if (ring->poll && !ring->ix->file.dio_align)
		return false;
	return carom_file_aligned(&ring->ix->file, buf, len, offset);
}

static struct io_uring_sqe *ring_sqe(struct carom_ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (!sqe && io_uring_submit(&ring->uring) > 0)
		sqe = io_uring_get_sqe(&ring->uring);
	ring->pending += !!sqe;
	return sqe;
}

static void ring_use_file(const struct carom_ring *ring, struct io_uring_sqe *sqe, int fixed)
{
	if (!ring->fixed_files)
		return;
	sqe->fd = fixed;
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
}

int carom_ring_read(struct carom_ring *ring, struct carom_reader *rd)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);
	unsigned int len = (unsigned int)(rd->ix->walker->node_size - rd->got);
	__u64 offset = rd->chain.at + rd->got;
	void *to = rd->node + rd->got;

	if (!sqe)
		return -EBUSY;
	if (ring->fixed_buffers)
		io_uring_prep_read_fixed(sqe, rd->ix->file.fd, to, len, offset, rd->buffer);
	else
		io_uring_prep_read(sqe, rd->ix->file.fd, to, len, offset);
	ring_use_file(ring, sqe, FIXED_FILE);
	io_uring_sqe_set_data(sqe, rd);
	return 0;
}

int carom_ring_command(struct carom_ring *ring, struct carom_reader *rd, __u32 op)
{
	struct carom_uring cmd = { .slot = rd->slot };
	struct io_uring_sqe *sqe = ring_sqe(ring);

	if (!sqe)
		return -EBUSY;
	if (op == CAROM_URING_LOOKUP)
		cmd.offset = rd->chain.offset;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = rd->ix->session.fd;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	ring_use_file(ring, sqe, FIXED_SESSION);
	if (op == CAROM_URING_LOOKUP)
		io_uring_sqe_set_data(sqe, rd);
	return 0;
}

/* ---- sending and waiting ---- */

static int ring_wait(struct carom_ring *ring, unsigned int nr, __s64 ns)
{
	struct __kernel_timespec ts = {
		.tv_sec = ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};
	struct io_uring_cqe *cqe;

	if (!nr)
		return io_uring_submit(&ring->uring);
	if (ns < 0)
		return io_uring_submit_and_wait(&ring->uring, nr);
	/* There is no waiting for a time where completions are looked for. */
	if (ring->poll)
		return io_uring_submit_and_get_events(&ring->uring);
	return io_uring_submit_and_wait_timeout(&ring->uring, &cqe, nr, &ts, NULL);
}

/*
 * A submission that a signal interrupts has either happened or not; liburing keeps
 * count. EBUSY: completions have to be reaped first.
 */
int carom_ring_enter(struct carom_ring *ring, unsigned int nr, __s64 ns)
{
	int ret = ring_wait(ring, nr, ns);

	switch (ret) {
	case -EINTR:
	case -EAGAIN:
	case -EBUSY:
	case -ETIME:
		return 0;
	default:
		return ret < 0 ? ret : 0;
	}
}

void carom_ring_reap(struct carom_ring *ring,
		     void (*ended)(void *ctx, struct carom_reader *rd, int res), void *ctx)
{
	struct io_uring_cqe *cqe;

	/* Enters the kernel only if there is work that it has put off. */
	while (ring->pending && !io_uring_peek_cqe(&ring->uring, &cqe)) {
		struct carom_reader *rd = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&ring->uring, cqe);
		ring->pending--;
		ended(ctx, rd, res);
	}
}

int carom_ring_notify(struct carom_ring *ring, int fd)
{
	return io_uring_register_eventfd(&ring->uring, fd);
}
