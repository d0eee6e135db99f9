// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Backend io_uring: a ring per reader, with one read in it at a time. Queues have
 * rings of their own.
 */
#include <errno.h>
#include "lib.h"

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

static int uring_up(struct carom_reader *rd)
{
	const struct carom_ring_opts opts = { .nr = 1, .nodes = &rd->node };
	struct carom_ring *ring = NULL;
	int ret = carom_ring_open(&ring, rd->ix, &opts);

	rd->priv = ring;
	return ret;
}

static int uring_run_init(struct carom_reader *rd, char *reason)
{
	int ret = uring_up(rd);

	if (!ret)
		return 0;
	return carom_reason_set(reason, ret, "io_uring cannot be set up: %s",
				carom_ring_advice(ret));
}

static void uring_run_exit(struct carom_reader *rd)
{
	carom_ring_close(rd->priv);
	rd->priv = NULL;
}

/**
 * struct uring_wait - for uring_ended()
 * @over: the chain is
 * @ret: to what it has come
 */
struct uring_wait {
	bool over;
	int ret;
};

static void uring_ended(void *arg, struct carom_reader *rd, int res)
{
	struct uring_wait *wait = arg;

	wait->over = carom_flight_ended(rd->priv, rd, res, &wait->ret);
}

/*
 * A ring with one issuer belongs to the thread that made it (EEXIST): when the
 * reader has gone to another thread, so must the ring. Nothing was sent then.
 */
static int uring_move(struct carom_reader *rd, struct uring_wait *wait)
{
	int ret;

	uring_run_exit(rd);
	ret = uring_up(rd);
	if (!ret)
		wait->over = carom_flight_resume(rd->priv, rd, &wait->ret);
	return ret;
}

static int uring_run(struct carom_reader *rd)
{
	struct uring_wait wait = { 0 };
	int ret = rd->priv ? 0 : uring_up(rd);

	if (ret)
		return ret;
	wait.over = carom_flight_begin(rd->priv, rd, &wait.ret);
	while (!wait.over) {
		ret = carom_ring_enter(rd->priv, 1, -1);
		if (ret == -EEXIST)
			ret = uring_move(rd, &wait);
		if (ret) {
			uring_run_exit(rd);
			return ret;
		}
		carom_ring_reap(rd->priv, uring_ended, &wait);
	}
	return wait.ret;
}

const struct carom_backend_ops carom_backend_uring = {
	.id = CAROM_BACKEND_IO_URING,
	.open = uring_open,
	.close = uring_close,
	.mem_init = carom_reader_alloc_mem,
	.mem_exit = carom_reader_free_mem,
	.run_init = uring_run_init,
	.run_exit = uring_run_exit,
	.run = uring_run,
};
