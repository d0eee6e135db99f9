// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring as programs have it at first, nothing registered and no flags, and NVMe commands around
 * filesystem and block layer. The library's readers say what to read and what comes of it; they are
 * those of the pread backend, but it is not asked to read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench_ring.h"

/* ---- reads ---- */

static unsigned int node_size(const struct carom_reader *rd)
{
	return rd->ix->format->walker->node_size;
}

/* Read the node at rd->chain.at. 0 or a negative errno. */
static int ring_send(struct bench_lane *l, struct carom_reader *rd, unsigned int tag)
{
	const struct bench_device *dev = l->ring->device;
	struct io_uring_sqe *sqe;
	uint64_t lba = 0;
	int ret = 0;

	if (dev)
		ret = bench_device_locate(dev, rd->chain.at, node_size(rd), &lba);
	sqe = ret ? NULL : io_uring_get_sqe(&l->ring->uring);
	if (!sqe)
		return ret ? ret : -EBUSY;
	if (dev)
		bench_device_prepare(dev, sqe, rd->node, node_size(rd), lba, tag);
	else
		io_uring_prep_read(sqe, rd->ix->file.fd, rd->node, node_size(rd), rd->chain.at);
	io_uring_sqe_set_data64(sqe, tag);
	return 0;
}

/* A command's result is a status, a read's the bytes read. */
static int read_result(const struct bench_ring *ring, const struct carom_reader *rd, int res)
{
	if (ring->device && res > 0)
		return -EIO;
	if (res < 0 || ring->device)
		return res;
	return (unsigned int)res == node_size(rd) ? 0 : -ENODATA;
}

/* ---- lookups ---- */

/* The chain is not over, its next read has been sent; a code beside those of the library. */
#define SENT	(CAROM_CHAIN + 1)

/* Send the chain's next read; or how it has come to its end, as carom_chain_run() returns it. */
static int chain_go(struct bench_lane *l, struct carom_reader *rd, unsigned int tag)
{
	struct carom_chain chain = carom_reader_chain_of(rd);
	int ret;

	if (!carom_chain_next(&chain, &rd->chain))
		return carom_end_errno(rd->chain.end);
	ret = ring_send(l, rd, tag);
	return ret ? carom_chain_read_failed(&rd->chain, ret) : SENT;
}

static int chain_arrived(struct bench_lane *l, struct carom_reader *rd, unsigned int tag, int res)
{
	struct carom_chain chain = carom_reader_chain_of(rd);
	int ret = read_result(l->ring, rd, res);

	if (ret)
		return carom_chain_read_failed(&rd->chain, ret);
	if (!carom_chain_step(&chain, &rd->chain))
		return carom_end_errno(rd->chain.end);
	return chain_go(l, rd, tag);
}

/* @ret is what the library says of the lookup: over, or the next chain is from @offset. */
static void look_up(struct bench_lane *l, unsigned int tag, int ret, __u64 offset,
		    struct carom_value *val)
{
	struct carom_reader *rd = l->ring->readers[tag];
	struct bench_answer a;

	while (ret == CAROM_CHAIN) {
		carom_reader_chain_begin(rd, offset);
		rd->mem.node = rd->node;
		ret = chain_go(l, rd, tag);
		if (ret == SENT)
			return;
		ret = carom_reader_chain_over(rd, ret, &offset, val);
	}
	rd->stats.lookups++;
	a = (struct bench_answer){ .ret = ret, .val = *val, .why = rd->err.text };
	bench_lane_answer(l, tag, &a);
}

static int ring_submit(struct bench_lane *l, const struct bench_key *key, unsigned int tag)
{
	struct carom_value val = { 0 };
	__u64 offset = 0;
	int ret = carom_reader_start(l->ring->readers[tag], key->data, key->len, &offset);

	look_up(l, tag, ret, offset, &val);
	return 0;
}

static void ring_ended(struct bench_lane *l, unsigned int tag, int res)
{
	struct carom_reader *rd = l->ring->readers[tag];
	int ret = chain_arrived(l, rd, tag, res);
	struct carom_value val = { 0 };
	__u64 offset = 0;

	if (ret == SENT)
		return;
	ret = carom_reader_chain_over(rd, ret, &offset, &val);
	look_up(l, tag, ret, offset, &val);
}

static int ring_wait(struct bench_lane *l, uint64_t ns)
{
	struct __kernel_timespec ts = { .tv_sec = (long long)(ns / 1000000000),
					.tv_nsec = (long long)(ns % 1000000000) };
	struct io_uring *uring = &l->ring->uring;
	struct io_uring_cqe *cqe;
	int ret;

	if (ns == BENCH_FOREVER)
		ret = io_uring_submit_and_wait(uring, 1);
	else if (l->run->be->poll)
		ret = io_uring_submit_and_get_events(uring);
	else
		ret = io_uring_submit_and_wait_timeout(uring, &cqe, 1, &ts, NULL);
	return ret == -ETIME || ret == -EINTR || ret == -EAGAIN || ret > 0 ? 0 : ret;
}

static int ring_failed(struct bench_lane *l, int ret)
{
	if (ret)
		snprintf(l->why, sizeof(l->why), "io_uring: %s", strerror(-ret));
	return ret;
}

static int ring_reap(struct bench_lane *l, uint64_t ns)
{
	struct io_uring *uring = &l->ring->uring;
	struct io_uring_cqe *cqe;
	unsigned int tag;
	int ret = 0, res;

	if (!io_uring_cq_ready(uring))
		ret = ring_wait(l, ns);
	while (!ret && io_uring_cq_ready(uring) && !io_uring_peek_cqe(uring, &cqe)) {
		tag = (unsigned int)io_uring_cqe_get_data64(cqe);
		res = cqe->res;
		io_uring_cqe_seen(uring, cqe);
		ring_ended(l, tag, res);
	}
	return ring_failed(l, ret);
}

static void ring_stats(struct bench_lane *l, struct carom_reader_stats *st)
{
	unsigned int i;

	memset(st, 0, sizeof(*st));
	for (i = 0; i < l->depth; i++) {
		st->lookups += l->ring->readers[i]->stats.lookups;
		st->hops += l->ring->readers[i]->stats.hops;
	}
}

/* ---- opening ---- */

static int ring_open(struct bench_run *run)
{
	struct carom_index_opts opts = run->opts->index;
	struct carom_error err;
	int ret;

	opts.backend = CAROM_BACKEND_PREAD;
	opts.direct = true;
	opts.max_readers = run->threads * run->depth;
	opts.max_in_flight = 1;
	ret = carom_index__open(run->opts->path, &opts, &run->ix, &err);
	if (ret)
		snprintf(run->reason, sizeof(run->reason), "%s", err.text);
	return ret;
}

static void ring_close(struct bench_run *run)
{
	bench_device_close(run->device);
	run->device = NULL;
	carom_index__close(run->ix);
}

static int passthru_open(struct bench_run *run)
{
	int ret = bench_device_open(run);

	if (!ret)
		ret = ring_open(run);
	if (ret) {
		bench_device_close(run->device);
		run->device = NULL;
	}
	return ret;
}

static int ring_readers(struct bench_lane *l, char *reason)
{
	struct carom_error err;
	unsigned int i;
	int ret = 0;

	l->ring->readers = calloc(l->depth, sizeof(*l->ring->readers));
	for (i = 0; l->ring->readers && !ret && i < l->depth; i++)
		ret = carom_reader__new(l->run->ix, &l->ring->readers[i], &err);
	if (ret)
		snprintf(reason, BENCH_REASON_LEN, "%s", err.text);
	return l->ring->readers ? ret : -ENOMEM;
}

static void ring_free(struct bench_ring *ring, unsigned int depth)
{
	unsigned int i;

	for (i = 0; ring->readers && i < depth; i++)
		carom_reader__free(ring->readers[i]);
	free(ring->readers);
	free(ring);
}

/* Commands have all that makes a ring fast; without it, they would be dearer than reads. */
static int ring_register(struct bench_lane *l)
{
	struct iovec *iov = calloc(l->depth, sizeof(*iov));
	unsigned int i;
	int ret;

	if (!iov)
		return -ENOMEM;
	for (i = 0; i < l->depth; i++)
		iov[i] = (struct iovec) { .iov_base = l->ring->readers[i]->node,
					  .iov_len = node_size(l->ring->readers[i]) };
	ret = io_uring_register_buffers(&l->ring->uring, iov, l->depth);
	free(iov);
	return ret ? ret : bench_device_register(l->ring->device, &l->ring->uring);
}

static int ring_init(struct bench_lane *l)
{
	unsigned int flags = l->run->be->poll ? IORING_SETUP_IOPOLL : 0;
	int ret;

	if (!l->ring->device)
		return io_uring_queue_init(l->depth, &l->ring->uring, flags);
	ret = io_uring_queue_init(l->depth, &l->ring->uring, flags | IORING_SETUP_SQE128 |
				  IORING_SETUP_CQE32 | IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_DEFER_TASKRUN);
	if (ret)
		return ret;
	ret = ring_register(l);
	if (ret)
		io_uring_queue_exit(&l->ring->uring);
	return ret;
}

static int ring_lane_open(struct bench_lane *l, char *reason)
{
	int ret;

	l->ring = calloc(1, sizeof(*l->ring));
	if (!l->ring)
		return -ENOMEM;
	l->ring->device = l->run->device;
	ret = ring_readers(l, reason);
	if (!ret) {
		ret = ring_init(l);
		if (ret)
			snprintf(reason, BENCH_REASON_LEN, "no such io_uring: %s", strerror(-ret));
	}
	if (ret)
		ring_free(l->ring, l->depth);
	return ret;
}

static void ring_lane_close(struct bench_lane *l)
{
	/* The ring has failed, and the kernel may still write to the nodes: they stay. */
	if (l->in_flight)
		return;
	io_uring_queue_exit(&l->ring->uring);
	ring_free(l->ring, l->depth);
}

#define RING	.flags = BENCH_ASYNC, .direct = true, .close = ring_close, \
		.lane_open = ring_lane_open, .lane_close = ring_lane_close, \
		.submit = ring_submit, .reap = ring_reap, \
		.stats = ring_stats

const struct bench_backend bench_uring_plain = {
	.name = "io_uring-plain", .text = "a read for each node, O_DIRECT, nothing registered",
	.open = ring_open, RING,
};

const struct bench_backend bench_passthru = {
	.name = "passthru", .text = "an NVMe command for each node; root",
	.open = passthru_open, RING,
};

const struct bench_backend bench_passthru_polled = {
	.name = "passthru-polled", .text = "the same without interrupts; needs poll queues",
	.poll = true, .open = passthru_open, RING,
};
