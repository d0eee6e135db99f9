// SPDX-License-Identifier: GPL-2.0
/* Carom's chains. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Opening a file with that many takes a while. */
#define MANY_EXTENTS	10000

static size_t results_size(const struct bench *b)
{
	return b->engine.open.nr_slots * sizeof(*b->results);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int open_session(struct bench *b)
{
	struct carom_open arg = { .nr_slots = b->be->batch };
	long began = now_ms();
	int err;

	err = engine_open(&b->engine, b->path, "chase", &arg);
	if (err)
		return err;
	if (b->engine.open.nr_extents >= MANY_EXTENTS)
		fprintf(stderr, "%s: %llu extents, opened in %ld ms\n", b->be->name,
			(unsigned long long)b->engine.open.nr_extents, now_ms() - began);
	b->results = mmap(NULL, results_size(b), PROT_READ, MAP_SHARED, b->engine.fd,
			  CAROM_MMAP_RESULTS);
	if (b->results != MAP_FAILED)
		return 0;
	err = -errno;
	engine_close(&b->engine);
	return err;
}

/* It stays for the other backends. A profile could not tell what is at the same address in turn. */
static int load_walker(struct bench *b)
{
	int err;

	if (b->loaded.link)
		return 0;
	if (access("/dev/carom", F_OK))
		return bench_lacks(b, -errno, "/dev/carom: %s", strerror(errno));
	err = engine_load(&b->loaded, b->walker, NULL, 0);
	if (err)
		return bench_lacks(b, err, "the walker cannot be loaded: %s", strerror(-err));
	return 0;
}

static int chain_open(struct bench *b)
{
	return load_walker(b) ?: open_session(b);
}

static void chain_close(struct bench *b)
{
	munmap((void *)b->results, results_size(b));
	engine_close(&b->engine);
}

/* What slept although it was to poll is something else. */
static int chain_check(struct bench *b)
{
	struct carom_stats st = { .size = sizeof(st) };

	if (ioctl(b->engine.fd, CAROM_IOC_STATS, &st))
		return -errno;
	if (st.polls == (b->be->polled ? st.lookups : 0))
		return 0;
	return bench_lacks(b, -EIO, "%llu of %llu chains were polled", st.polls, st.lookups);
}

static int chain_run(struct bench *b, const struct job *job)
{
	struct chase_query *query = engine_scratch(&b->engine, 0);
	struct carom_lookup look = {
		.flags = b->be->polled ? CAROM_LOOKUP_POLL : 0, .offset = job->starts[0],
	};

	query->depth = job->depth;
	if (ioctl(b->engine.fd, CAROM_IOC_LOOKUP, &look))
		return -errno;
	job->ids[0] = query->id;
	return look.end == CAROM_END_DONE && look.hops == job->depth ? 0 : -EIO;
}

const struct backend bench_chain = {
	.name = "chain", .batch = 1, .sleeps = ONCE,
	.open = chain_open, .run = chain_run, .check = chain_check, .close = chain_close,
};

const struct backend bench_chain_polled = {
	.name = "chain-polled", .batch = 1, .polled = true,
	.open = chain_open, .run = chain_run, .check = chain_check, .close = chain_close,
};

/* --- through an io_uring --- */

static int chains_open(struct bench *b)
{
	int err;

	err = chain_open(b);
	if (err)
		return err;
	err = bench_ring_open(b, b->engine.fd, 0);
	if (err)
		chain_close(b);
	return err;
}

static void chains_close(struct bench *b)
{
	bench_ring_close(b);
	chain_close(b);
}

static void send_chain(struct bench *b, const struct job *job, unsigned int i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);
	struct chase_query *query = engine_scratch(&b->engine, i);
	struct carom_uring *cmd = (void *)sqe->cmd;

	query->depth = job->depth;
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->cmd_op = CAROM_URING_LOOKUP;
	sqe->user_data = i;
	*cmd = (struct carom_uring) { .slot = i, .offset = job->starts[i] };
}

static int chains_run(struct bench *b, const struct job *job)
{
	unsigned int i, head, seen, running;
	const struct chase_query *query;
	struct io_uring_cqe *cqe;
	int err;

	for (i = 0; i < b->be->batch; i++)
		send_chain(b, job, i);
	for (running = b->be->batch; running; running -= seen) {
		err = bench_ring_wait(b, running, running);
		if (err)
			return err;
		seen = 0;
		io_uring_for_each_cqe(&b->ring, head, cqe) {
			seen++;
			i = (unsigned int)cqe->user_data;
			query = engine_scratch(&b->engine, i);
			if (cqe->res != CAROM_END_DONE || b->results[i].hops != job->depth)
				return cqe->res < 0 ? cqe->res : -EIO;
			job->ids[i] = query->id;
		}
		io_uring_cq_advance(&b->ring, seen);
	}
	return 0;
}

const struct backend bench_chain_async = {
	.name = "chain-async", .batch = 1, .sleeps = ONCE, .chosen_only = true,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};

const struct backend bench_chain_async_polled = {
	.name = "chain-async-polled", .batch = 1, .polled = true, .chosen_only = true,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};

const struct backend bench_chain_8 = {
	.name = "chain-8", .batch = 8, .chosen_only = true,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};

const struct backend bench_chain_8_polled = {
	.name = "chain-8-polled", .batch = 8, .polled = true, .chosen_only = true,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};

const struct backend bench_chain_32 = {
	.name = "chain-32", .batch = BATCH,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};

const struct backend bench_chain_32_polled = {
	.name = "chain-32-polled", .batch = BATCH, .polled = true,
	.open = chains_open, .run = chains_run, .check = chain_check, .close = chains_close,
};
