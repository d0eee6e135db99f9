// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Chains under way in a ring. With a session a chain is one command; what the
 * kernel aborts, and every chain without a session, is a read for each node. So a
 * reader has one operation in the ring at most, and when that has ended it is here
 * that it goes on.
 */
#include <errno.h>
#include "lib.h"

/*
 * The kernel hands the slot's lookup back. @res is its CQE's: how the chain ended,
 * or a negative errno if there was none.
 */
static bool flight_landed(struct carom_reader *rd, int res, int *ret)
{
	const struct carom_result *result = &rd->ix->session.results[rd->slot];
	struct carom_lookup *chain = &rd->chain;

	rd->in_kernel = false;
	if (res < 0) {
		chain->end = CAROM_END_NONE;
		*ret = res;
		return true;
	}
	chain->end = result->end;
	chain->hops = result->hops;
	chain->code = result->code;
	chain->at = result->at;
	if (carom_kernel_carry_on(rd))
		return false;
	*ret = carom_end_errno(chain->end);
	return true;
}

/* Some of the node has been read, or not. 1: all of it; 0: there is more to read. */
static int flight_read_some(struct carom_reader *rd, int res)
{
	size_t len = rd->ix->walker->node_size, align = rd->ix->file.dio_align;

	if (res == -EAGAIN || res == -EINTR)
		return 0;
	if (res < 0)
		return res;
	if (!res)
		return -ENODATA;
	rd->got += (size_t)res;
	if (rd->got >= len)
		return 1;
	/* An odd length is the end of the file, and no offset to go on from. */
	return align && rd->got % align ? -ENODATA : 0;
}

static bool flight_over(struct carom_reader *rd, int *ret)
{
	*ret = carom_end_errno(rd->chain.end);
	return true;
}

static bool flight_failed(struct carom_reader *rd, int code, int *ret)
{
	*ret = carom_chain_read_failed(&rd->chain, code);
	return true;
}

static bool flight_canceled(struct carom_reader *rd, int *ret)
{
	rd->chain.end = CAROM_END_CANCELED;
	return flight_over(rd, ret);
}

static bool flight_send_read(struct carom_ring *ring, struct carom_reader *rd, int *ret)
{
	int err;

	if (rd->canceled)
		return flight_canceled(rd, ret);
	err = carom_ring_read(ring, rd);
	return err ? flight_failed(rd, err, ret) : false;
}

/* Read the node at rd->chain.at; at once and without the ring where that cannot do it. */
static bool flight_read(struct carom_ring *ring, struct carom_reader *rd, int *ret)
{
	struct carom_chain chain = carom_reader_chain_of(rd);
	size_t len = chain.walker->node_size;
	int err;

	rd->mem.node = rd->node;
	for (;;) {
		if (rd->canceled)
			return flight_canceled(rd, ret);
		if (!carom_chain_next(&chain, &rd->chain))
			return flight_over(rd, ret);
		rd->got = 0;
		if (carom_ring_can_read(ring, rd->node, len, rd->chain.at))
			return flight_send_read(ring, rd, ret);
		err = carom_reader_read_node(rd, rd->chain.at);
		if (err)
			return flight_failed(rd, err, ret);
		if (!carom_chain_step(&chain, &rd->chain))
			return flight_over(rd, ret);
	}
}

bool carom_flight_begin(struct carom_ring *ring, struct carom_reader *rd, int *ret)
{
	int err;

	rd->chain.code = 0;
	if (rd->ix->session.fd < 0)
		return flight_read(ring, rd, ret);
	err = carom_ring_command(ring, rd, CAROM_URING_LOOKUP);
	if (err)
		return flight_failed(rd, err, ret);
	rd->in_kernel = true;
	return false;
}

bool carom_flight_resume(struct carom_ring *ring, struct carom_reader *rd, int *ret)
{
	return flight_send_read(ring, rd, ret);
}

bool carom_flight_ended(struct carom_ring *ring, struct carom_reader *rd, int res, int *ret)
{
	struct carom_chain chain;

	if (rd->in_kernel)
		return flight_landed(rd, res, ret) || flight_read(ring, rd, ret);
	res = flight_read_some(rd, res);
	if (res < 0)
		return flight_failed(rd, res, ret);
	if (!res)
		return flight_send_read(ring, rd, ret);
	chain = carom_reader_chain_of(rd);
	if (!carom_chain_step(&chain, &rd->chain))
		return flight_over(rd, ret);
	return flight_read(ring, rd, ret);
}
