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

int carom_chain_run(const struct carom_chain *chain, struct carom_lookup *res)
{
	const struct carom_native_walker *walker = chain->walker;
	struct carom_hop hop = {
		.node_size = walker->node_size,
		.node = chain->node,
		.scratch = chain->scratch,
		.scratch_size = walker->scratch_size,
	};
	int ret;
	__s64 next;

	res->code = 0;
	for (;;) {
		if (res->hops >= chain->max_hops) {
			res->end = CAROM_END_HOPS;
			break;
		}
		res->end = chain_check(chain, res->at);
		if (res->end != CAROM_END_NONE)
			break;
		ret = chain->read(chain->ctx, res->at);
		if (ret) {
			res->end = ret == -ENODATA ? CAROM_END_RANGE : CAROM_END_IO;
			return ret;
		}
		hop.offset = res->at;
		hop.index = res->hops++;
		next = walker->step(&hop);
		if (next < 0) {
			chain_finish(res, next);
			break;
		}
		res->at = (__u64)next;
	}
	return carom_end_errno(res->end);
}
