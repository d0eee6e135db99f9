// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>

#include <liburing.h>

#include "surface.h"

#define PAGE	4096UL
#define ENTRIES	16
/* user_data of lookups; the rest is other commands'. */
#define LOOKUP	1

/* One ring of each thread, until it takes another. */
static __thread struct io_uring ring;
static __thread bool is_open;

static bool open_ring(struct actor *a)
{
	static const unsigned int setups[] = {
		0, IORING_SETUP_IOPOLL, IORING_SETUP_SQPOLL,
		IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER,
		IORING_SETUP_COOP_TASKRUN, IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
		IORING_SETUP_IOPOLL | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER,
		IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL,
	};
	struct io_uring_params p = {
		.flags = setups[below(a, ARRAY_SIZE(setups))], .sq_thread_idle = 5,
	};

	/* Mostly with something in flight. */
	if (is_open)
		io_uring_queue_exit(&ring);
	is_open = !io_uring_queue_init_params(ENTRIES, &ring, &p);
	return is_open;
}

static __u32 any_flags(struct actor *a)
{
	if (one_in(a, 16))
		return (__u32)odd_number(a);
	return one_in(a, 3) ? CAROM_LOOKUP_NOWAIT : 0;
}

static void fill_command(struct actor *a, struct io_uring_sqe *sqe)
{
	struct session *s = any_session(a);
	struct carom_uring cmd = {
		.slot = below(a, s->slots),
		.flags = any_flags(a),
		.offset = (s->size ? surface_rnd(a) % s->size : 0) & ~(PAGE - 1),
	};
	bool cancel = one_in(a, 5);

	if (cancel) {
		cmd.flags = one_in(a, 16);
		cmd.offset = one_in(a, 16);
	}
	if (one_in(a, 16))
		cmd.slot = (__u32)odd_number(a);
	if (one_in(a, 12))
		cmd.offset = odd_number(a);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = one_in(a, 50) ? a->w->dev : s->fd;
	sqe->cmd_op = cancel ? CAROM_URING_CANCEL : CAROM_URING_LOOKUP;
	sqe->user_data = cancel ? 0 : LOOKUP;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	if (one_in(a, 6))
		sqe->flags |= IOSQE_ASYNC;
	if (one_in(a, 16))
		sqe->flags |= one_in(a, 2) ? IOSQE_IO_LINK : IOSQE_IO_DRAIN;
	if (one_in(a, 40))
		sqe->cmd_op = (__u32)odd_number(a);
	/* Not its opcode, which could do anything to anybody. */
	if (one_in(a, 40))
		((unsigned char *)sqe)[8 + below(a, 56)] ^= (unsigned char)surface_rnd(a);
}

static void send_some(struct actor *a)
{
	unsigned int n = 1 + below(a, ENTRIES);
	struct io_uring_sqe *sqe;

	while (n-- && (sqe = io_uring_get_sqe(&ring))) {
		if (one_in(a, 12))
			io_uring_prep_cancel64(sqe, LOOKUP, (int)below(a, 2));
		else
			fill_command(a, sqe);
	}
	io_uring_submit(&ring);
}

/* Whether one of them has worked. */
static bool reap(void)
{
	struct io_uring_cqe *cqe;
	bool worked = false;

	while (!io_uring_peek_cqe(&ring, &cqe)) {
		if (cqe->user_data == LOOKUP && cqe->res > 0 && cqe->res < CAROM_END_NR)
			atomic_fetch_add(&counts->ends[cqe->res], 1);
		worked |= cqe->res >= 0;
		io_uring_cqe_seen(&ring, cqe);
	}
	return worked;
}

bool op_uring(struct actor *a)
{
	if ((!is_open || one_in(a, 30)) && !open_ring(a))
		return false;
	if (!one_in(a, 4))
		send_some(a);
	return reap();
}
