// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Backend io_uring: a small ring per reader, with the file and the node buffer
 * registered where the kernel lets us.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

#define RING_ENTRIES	4

struct uring {
	struct io_uring ring;
	bool up;
	bool fixed_file;
	bool fixed_buffer;
};

static int uring_open(struct carom_index *ix, char *reason)
{
	/* Whether it works shows when the first reader sets its ring up. */
	(void)ix;
	(void)reason;
	return 0;
}

static void uring_close(struct carom_index *ix)
{
	(void)ix;
}

static void uring_down(struct uring *u)
{
	if (u->up)
		io_uring_queue_exit(&u->ring);
	u->up = false;
}

static int uring_up(struct carom_reader *rd)
{
	struct uring *u = rd->priv;
	struct iovec iov = {
		.iov_base = rd->node,
		.iov_len = rd->ix->format->walker->node_size,
	};
	int fd = rd->ix->file.fd;
	int ret;

	ret = io_uring_queue_init(RING_ENTRIES, &u->ring,
				  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (ret == -EINVAL)	/* before 6.1 */
		ret = io_uring_queue_init(RING_ENTRIES, &u->ring, 0);
	if (ret)
		return ret;
	u->up = true;
	/* Both only make it faster; RLIMIT_MEMLOCK may forbid the second. */
	u->fixed_file = !io_uring_register_files(&u->ring, &fd, 1);
	u->fixed_buffer = !io_uring_register_buffers(&u->ring, &iov, 1);
	return 0;
}

static const char *uring_advice(int code)
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

static int uring_reader_init(struct carom_reader *rd, char *reason)
{
	int ret = carom_reader_alloc_mem(rd, reason);

	if (ret)
		return ret;
	rd->priv = calloc(1, sizeof(struct uring));
	ret = rd->priv ? uring_up(rd) : -ENOMEM;
	if (!ret)
		return 0;
	carom_reason_set(reason, ret, "io_uring cannot be set up: %s", uring_advice(ret));
	free(rd->priv);
	carom_reader_free_mem(rd);
	return ret;
}

static void uring_reader_exit(struct carom_reader *rd)
{
	uring_down(rd->priv);
	free(rd->priv);
	carom_reader_free_mem(rd);
}

static void uring_prep(struct carom_reader *rd, struct io_uring_sqe *sqe, size_t done,
		       size_t len, __u64 offset)
{
	struct uring *u = rd->priv;
	int fd = u->fixed_file ? 0 : rd->ix->file.fd;

	if (u->fixed_buffer)
		io_uring_prep_read_fixed(sqe, fd, rd->node + done, (unsigned int)(len - done),
					 offset + done, 0);
	else
		io_uring_prep_read(sqe, fd, rd->node + done, (unsigned int)(len - done),
				   offset + done);
	if (u->fixed_file)
		io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
}

/*
 * Submit what is queued and wait for its completion. A submission that a signal
 * interrupts has either happened or not; liburing keeps count.
 */
static int uring_wait(struct uring *u, int *res)
{
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_submit_and_wait(&u->ring, 1);
	} while (ret == -EINTR || ret == -EAGAIN);
	if (ret < 0)
		return ret;
	do {
		ret = io_uring_wait_cqe(&u->ring, &cqe);
	} while (ret == -EINTR || ret == -EAGAIN);
	if (ret < 0)
		return ret;
	*res = cqe->res;
	io_uring_cqe_seen(&u->ring, cqe);
	return 0;
}

/* One read into the node buffer: bytes or negative errno. */
static int uring_read(struct carom_reader *rd, size_t done, size_t len, __u64 offset)
{
	struct uring *u = rd->priv;
	struct io_uring_sqe *sqe;
	int ret, res = 0;

	if (!u->up) {
		ret = uring_up(rd);
		if (ret)
			return ret;
	}
	sqe = io_uring_get_sqe(&u->ring);
	if (!sqe)
		return -EIO;
	uring_prep(rd, sqe, done, len, offset);
	ret = uring_wait(u, &res);
	if (!ret)
		return res;
	/*
	 * A ring with one issuer belongs to the thread that made it (EEXIST):
	 * when the reader has gone to another thread, so must the ring. After any
	 * other failure a read may still be under way into the buffer; ending the
	 * ring waits for that.
	 */
	uring_down(u);
	return ret == -EEXIST ? -EAGAIN : ret;
}

static int uring_read_node(void *arg, __u64 offset)
{
	struct carom_reader *rd = arg;
	size_t len = rd->ix->format->walker->node_size;
	size_t done = 0;
	int n;

	if (!carom_file_aligned(&rd->ix->file, rd->node, len, offset))
		return carom_reader_read_node(rd, offset);
	while (done < len) {
		n = uring_read(rd, done, len, offset);
		if (n == -EAGAIN || n == -EINTR)
			continue;
		if (n < 0)
			return n;
		if (!n)
			return -ENODATA;
		done += (size_t)n;
		if (rd->ix->file.dio_align && done % rd->ix->file.dio_align)
			return done < len ? -ENODATA : 0;
	}
	return 0;
}

static int uring_run(struct carom_reader *rd, struct carom_lookup *res)
{
	return carom_reader_chain(rd, res, uring_read_node);
}

const struct carom_backend_ops carom_backend_uring = {
	.id = CAROM_BACKEND_IO_URING,
	.open = uring_open,
	.close = uring_close,
	.reader_init = uring_reader_init,
	.reader_exit = uring_reader_exit,
	.run = uring_run,
};
