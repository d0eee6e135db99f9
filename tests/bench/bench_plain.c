// SPDX-License-Identifier: GPL-2.0
/* Ordinary reads. */
#include <errno.h>
#include <unistd.h>

#include "bench.h"

/* --- pread --- */

static int pread_open(struct bench *b)
{
	(void)b;
	return 0;
}

static int pread_run(struct bench *b, const struct job *job)
{
	const struct chase_node *node = bench_node(b, 0);
	__u64 offset = job->starts[0];
	unsigned int left;

	for (left = job->depth; left; left--) {
		if (pread(b->direct, b->nodes, CHASE_NODE_SIZE, (off_t)offset) != CHASE_NODE_SIZE)
			return errno ? -errno : -EIO;
		offset = node->next;
	}
	job->ids[0] = node->id;
	return 0;
}

static void pread_close(struct bench *b)
{
	(void)b;
}

const struct backend bench_pread = {
	.name = "pread", .batch = 1, .sleeps = FOR_EACH_READ,
	.open = pread_open, .run = pread_run, .close = pread_close,
};

/* --- io_uring, with what makes it cheap --- */

static int uring_open(struct bench *b)
{
	int err;

	err = bench_ring_open(b, b->direct, 0);
	if (err)
		return err;
	err = bench_ring_register_nodes(b);
	if (err)
		bench_ring_close(b);
	return err;
}

void bench_uring_prepare(struct bench *b, struct io_uring_sqe *sqe, unsigned int i, __u64 offset)
{
	io_uring_prep_read_fixed(sqe, 0, bench_node(b, i), CHASE_NODE_SIZE, offset, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
}

const struct backend bench_uring = {
	.name = "uring", .batch = 1, .sleeps = FOR_EACH_READ,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_uring_8 = {
	.name = "uring-8", .batch = 8, .chosen_only = true,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_uring_32 = {
	.name = "uring-32", .batch = BATCH,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_uring_polled = {
	.name = "uring-polled", .batch = 1, .polled = true, .chosen_only = true,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_uring_8_polled = {
	.name = "uring-8-polled", .batch = 8, .polled = true, .chosen_only = true,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_uring_32_polled = {
	.name = "uring-32-polled", .batch = BATCH, .polled = true,
	.open = uring_open, .run = bench_ring_walk, .close = bench_ring_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};
