// SPDX-License-Identifier: GPL-2.0
/*
 * Backends that are the library's own: readers, one lookup at a time, and queues.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "bench.h"

/* ---- the index, which all lanes share ---- */

static int lib_open(struct bench_run *run)
{
	struct carom_index_opts opts = run->opts->index;
	bool async = run->be->flags & BENCH_ASYNC;
	struct carom_error err;
	int ret;

	opts.backend = run->be->index;
	opts.direct = run->be->direct;
	opts.max_readers = async ? 1 : run->threads;
	opts.max_in_flight = async ? run->threads * run->depth : 1;
	ret = carom_index__open(run->opts->path, &opts, &run->ix, &err);
	if (ret)
		snprintf(run->reason, sizeof(run->reason), "%s", err.text);
	return ret;
}

static void lib_close(struct bench_run *run)
{
	carom_index__close(run->ix);
}

/* ---- readers ---- */

static int reader_open(struct bench_lane *l, char *reason)
{
	struct carom_error err;
	int ret = carom_reader__new(l->run->ix, &l->rd, &err);

	if (ret)
		snprintf(reason, BENCH_REASON_LEN, "%s", err.text);
	return ret;
}

static void reader_close(struct bench_lane *l)
{
	carom_reader__free(l->rd);
}

static void reader_get(struct bench_lane *l, const struct bench_key *key, struct bench_answer *a)
{
	a->ret = carom_reader__get(l->rd, key->data, key->len, &a->val);
	if (a->ret < 0)
		a->why = carom_reader__error(l->rd)->text;
}

static void reader_stats(struct bench_lane *l, struct carom_reader_stats *st)
{
	carom_reader__stats(l->rd, st, sizeof(*st));
}

static int cold_open(struct bench_run *run)
{
	int ret = bench_cold_open(run);

	if (!ret)
		ret = bench_cold_try(run);
	if (!ret)
		ret = lib_open(run);
	if (ret)
		bench_cold_close(run);
	return ret;
}

static void cold_close(struct bench_run *run)
{
	lib_close(run);
	bench_cold_close(run);
}

/* ---- queues ---- */

static int queue_open(struct bench_lane *l, char *reason)
{
	struct carom_queue_opts opts = {
		.sz = sizeof(opts), .depth = l->depth, .poll = l->run->be->poll,
	};
	struct carom_error err;
	int ret = carom_queue__new(l->run->ix, &opts, &l->q, &err);

	if (ret)
		snprintf(reason, BENCH_REASON_LEN, "%s", err.text);
	return ret;
}

static void queue_close(struct bench_lane *l)
{
	carom_queue__free(l->q);
}

static int queue_failed(struct bench_lane *l, int ret)
{
	if (ret)
		snprintf(l->why, sizeof(l->why), "%s", carom_queue__error(l->q)->text);
	return ret;
}

static int queue_submit(struct bench_lane *l, const struct bench_key *key, unsigned int tag)
{
	return queue_failed(l, carom_queue__submit(l->q, key->data, key->len, tag));
}

static void queue_answer(struct bench_lane *l, const struct carom_completion *c)
{
	const struct bench_answer a = {
		.ret = c->ret, .val = c->val, .why = c->ret < 0 ? c->err->text : NULL,
	};

	bench_lane_answer(l, (unsigned int)c->user_data, &a);
	carom_queue__done(l->q, c);
}

/* All that there are; how many. */
static int queue_peek_all(struct bench_lane *l)
{
	const struct carom_completion *c;
	int ret, nr = 0;

	while (!(ret = carom_queue__peek(l->q, &c))) {
		queue_answer(l, c);
		nr++;
	}
	return ret == -EAGAIN ? nr : queue_failed(l, ret);
}

/* To the nanosecond, which carom_queue__wait_nr() has no use for. */
static int queue_wait_ns(struct bench_lane *l, uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };
	struct pollfd fd = { .fd = carom_queue__fd(l->q), .events = POLLIN };

	if (fd.fd < 0)
		return queue_failed(l, fd.fd);
	if (ppoll(&fd, 1, &ts, NULL) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int queue_reap(struct bench_lane *l, uint64_t ns)
{
	const struct carom_completion *c;
	int ret;

	if (ns == BENCH_FOREVER) {
		ret = carom_queue__wait(l->q, &c);
		if (!ret)
			queue_answer(l, c);
		return queue_failed(l, ret);
	}
	ret = queue_peek_all(l);
	if (ret || l->run->be->poll)
		return ret < 0 ? ret : 0;
	return queue_wait_ns(l, ns);
}

static void queue_stats(struct bench_lane *l, struct carom_reader_stats *st)
{
	carom_queue__stats(l->q, st, sizeof(*st));
}

/* ---- all of them ---- */

#define READER	.open = lib_open, .close = lib_close, .lane_open = reader_open, \
		.lane_close = reader_close, .get = reader_get, .stats = reader_stats
#define QUEUE	.flags = BENCH_ASYNC, .open = lib_open, .close = lib_close, \
		.lane_open = queue_open, .lane_close = queue_close, .submit = queue_submit, \
		.reap = queue_reap, .stats = queue_stats

const struct bench_backend bench_pread = {
	.name = "pread", .text = "pread() for each node, O_DIRECT",
	.index = CAROM_BACKEND_PREAD, .direct = true, READER,
};

const struct bench_backend bench_cache = {
	.name = "page-cache", .text = "pread() for each node, through the page cache",
	.index = CAROM_BACKEND_PREAD, READER,
};

const struct bench_backend bench_cache_cold = {
	.name = "page-cache-cold", .text = "the same, dropped from it before each lookup",
	.flags = BENCH_COLD, .index = CAROM_BACKEND_PREAD,
	.open = cold_open, .close = cold_close, .lane_open = reader_open,
	.lane_close = reader_close, .get = reader_get, .stats = reader_stats,
};

const struct bench_backend bench_uring = {
	.name = "io_uring", .text = "a registered read for each node, O_DIRECT",
	.index = CAROM_BACKEND_IO_URING, .direct = true, QUEUE,
};

const struct bench_backend bench_uring_polled = {
	.name = "io_uring-polled", .text = "the same without interrupts; needs poll queues",
	.index = CAROM_BACKEND_IO_URING, .direct = true, .poll = true, QUEUE,
};

const struct bench_backend bench_kernel = {
	.name = "kernel", .text = "Carom, the caller sleeps",
	.index = CAROM_BACKEND_KERNEL, READER,
};

const struct bench_backend bench_kernel_async = {
	.name = "kernel-async", .text = "Carom through an io_uring",
	.index = CAROM_BACKEND_KERNEL, QUEUE,
};

const struct bench_backend bench_kernel_polled = {
	.name = "kernel-polled", .text = "the same without interrupts",
	.index = CAROM_BACKEND_KERNEL, .poll = true, QUEUE,
};
