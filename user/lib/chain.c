// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A chain in user space: read a node, let the walker look at it, go on where it
 * says. The rules are the kernel engine's, so that a chain that the kernel gave
 * up can be carried on here and a file gets the same answer on every backend.
 */
#include <errno.h>
#include "lib.h"

int carom_end_errno(__u32 end)
{
	switch (end) {
	case CAROM_END_DONE:
	case CAROM_END_MISS:
	case CAROM_END_WALKER:
		return 0;
	case CAROM_END_HOPS:
		return -ELOOP;
	case CAROM_END_UNALIGNED:
		return -EINVAL;
	case CAROM_END_RANGE:
	case CAROM_END_HOLE:
		return -ENODATA;
	case CAROM_END_DEADLINE:
		return -ETIMEDOUT;
	case CAROM_END_CANCELED:
		return -EINTR;
	case CAROM_END_BAD_RETURN:
		return -EPROTO;
	default:
		return -EIO;
	}
}

/* May the node at @offset be read? CAROM_END_NONE if so. */
static enum carom_end chain_check(const struct carom_chain *chain, __u64 offset)
{
	__u64 end = offset + chain->walker->node_size;

	if (offset % CAROM_NODE_ALIGN)
		return CAROM_END_UNALIGNED;
	if (end < offset || !chain->within(chain->ctx, end))
		return CAROM_END_RANGE;
	return CAROM_END_NONE;
}

/* Sort out what a step returned that is no offset. */
static void chain_finish(struct carom_lookup *res, __s64 ret)
{
	if (ret == CAROM_STEP_DONE) {
		res->end = CAROM_END_DONE;
	} else if (ret == CAROM_STEP_MISS) {
		res->end = CAROM_END_MISS;
	} else if (ret <= CAROM_STEP_FAIL(0) && ret >= CAROM_STEP_FAIL(CAROM_STEP_FAIL_MAX)) {
		res->end = CAROM_END_WALKER;
		res->code = (__s32)(-ret - CAROM_STEP_FAIL_BASE);
	} else {
		res->end = CAROM_END_BAD_RETURN;
	}
}

bool carom_chain_next(const struct carom_chain *chain, struct carom_lookup *res)
{
	if (res->hops >= chain->max_hops)
		res->end = CAROM_END_HOPS;
	else
		res->end = chain_check(chain, res->at);
	return res->end == CAROM_END_NONE;
}

bool carom_chain_step(const struct carom_chain *chain, struct carom_lookup *res)
{
	const struct carom_native_walker *walker = chain->walker;
	struct carom_hop hop = {
		.offset = res->at,
		.index = res->hops++,
		.node_size = walker->node_size,
		.node = chain->node,
		.scratch = chain->scratch,
		.scratch_size = chain->scratch_size,
	};
	__s64 next = walker->step(&hop);

	if (next < 0) {
		chain_finish(res, next);
		return false;
	}
	res->at = (__u64)next;
	return true;
}

int carom_chain_read_failed(struct carom_lookup *res, int ret)
{
	res->end = ret == -ENODATA ? CAROM_END_RANGE : CAROM_END_IO;
	return ret;
}

int carom_chain_run(const struct carom_chain *chain, struct carom_lookup *res)
{
	int ret;

	res->code = 0;
	do {
		if (!carom_chain_next(chain, res))
			break;
		ret = chain->read(chain->ctx, res->at);
		if (ret)
			return carom_chain_read_failed(res, ret);
	} while (carom_chain_step(chain, res));
	return carom_end_errno(res->end);
}
