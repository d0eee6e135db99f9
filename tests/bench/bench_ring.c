// SPDX-License-Identifier: GPL-2.0
/* What backends with an io_uring have in common. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "insns.h"

/* By then, whatever has been submitted has long completed. */
#define LONG_ENOUGH_NS	10000000

int bench_ring_open(struct bench *b, int fd, unsigned int setup)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | setup |
			 (b->be->polled ? IORING_SETUP_IOPOLL : 0),
	};
	int err;

	err = io_uring_queue_init_params(BATCH, &b->ring, &p);
	if (err)
		return bench_lacks(b, err, "no such io_uring: %s", strerror(-err));
	err = io_uring_register_files(&b->ring, &fd, 1);
	if (err)
		io_uring_queue_exit(&b->ring);
	/* Or liburing would look for completions whenever it submits something. */
	b->ring.flags &= ~IORING_SETUP_IOPOLL;
	return err;
}

int bench_ring_register_nodes(struct bench *b)
{
	struct iovec iov = { .iov_base = b->nodes, .iov_len = BATCH * CHASE_NODE_SIZE };

	return io_uring_register_buffers(&b->ring, &iov, 1);
}

void bench_ring_close(struct bench *b)
{
	io_uring_queue_exit(&b->ring);
}

/*
 * Who goes on with each completion, of many, never polls in vain: what he asks for has come while
 * he worked on something else. How often this one would, on its emulated device, says nothing; so
 * it looks only when there is something to see, and does not count the wait.
 */
static int poll_once(struct bench *b)
{
	const struct timespec ts = { .tv_nsec = LONG_ENOUGH_NS };
	int ret;

	carom_insns_hold();
	nanosleep(&ts, NULL);
	carom_insns_go_on();
	ret = io_uring_enter((unsigned int)b->ring.ring_fd, 0, 0, IORING_ENTER_GETEVENTS, NULL);
	return ret < 0 ? ret : 0;
}

int bench_ring_wait(struct bench *b, unsigned int nr, unsigned int in_flight)
{
	int ret;

	if (!b->be->polled || nr == in_flight) {
		ret = io_uring_submit_and_wait(&b->ring, nr);
		return ret < 0 ? ret : 0;
	}
	if (io_uring_sq_ready(&b->ring)) {
		ret = io_uring_submit(&b->ring);
		if (ret < 0)
			return ret;
	}
	return poll_once(b);
}

static void read_node(struct bench *b, unsigned int i, __u64 offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);

	b->be->prepare(b, sqe, i, offset);
	sqe->user_data = i;
}

int bench_ring_walk(struct bench *b, const struct job *job)
{
	unsigned int left[BATCH], walking = b->be->batch, i, head, seen;
	const struct chase_node *node;
	struct io_uring_cqe *cqe;
	int err;

	for (i = 0; i < b->be->batch; i++) {
		left[i] = job->depth;
		read_node(b, i, job->starts[i]);
	}
	while (walking) {
		err = bench_ring_wait(b, 1, walking);
		if (err)
			return err;
		seen = 0;
		io_uring_for_each_cqe(&b->ring, head, cqe) {
			seen++;
			if (cqe->res != b->be->arrived)
				return cqe->res < 0 ? cqe->res : -EIO;
			i = (unsigned int)cqe->user_data;
			node = bench_node(b, i);
			if (--left[i]) {
				read_node(b, i, node->next);
				continue;
			}
			job->ids[i] = node->id;
			walking--;
		}
		io_uring_cq_advance(&b->ring, seen);
	}
	return 0;
}
