// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Backend kernel: the whole chain in the NVMe driver; what it gives up is
 * carried on here, from the node it would have read next.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "lib.h"

static int kernel_open(struct carom_index *ix, char *reason)
{
	const struct carom_native_walker *walker = ix->walker;
	struct carom_session *s = &ix->session;
	int ret;

	memset(&s->open, 0, sizeof(s->open));
	s->open.fd = ix->file.fd;
	s->open.node_size = walker->node_size;
	s->open.scratch_size = ix->scratch_size;
	s->open.nr_slots = ix->max_readers + ix->max_in_flight;
	s->open.max_hops = ix->max_hops;
	s->open.deadline_ms = ix->deadline_ms;
	strncpy(s->open.walker, walker->name, sizeof(s->open.walker) - 1);
	ret = carom_session_open(s, reason);
	if (ret)
		return ret;
	ret = carom_session_map(s, reason);
	if (ret)
		carom_session_close(s);
	return ret;
}

static void kernel_close(struct carom_index *ix)
{
	carom_session_close(&ix->session);
}

static int kernel_mem_init(struct carom_reader *rd, char *reason)
{
	const struct carom_session *s = &rd->ix->session;
	int ret = carom_reader_alloc_node(rd, reason);

	if (ret)
		return ret;
	/* rd->node stays, for carrying on; the slot's node is read-only to us. */
	rd->mem.scratch = s->scratch + (size_t)rd->slot * s->open.scratch_stride;
	rd->mem.node = s->nodes + (size_t)rd->slot * s->open.node_stride;
	return 0;
}

static void kernel_mem_exit(struct carom_reader *rd)
{
	free(rd->node);
}

/*
 * Can ordinary reads bring a chain to its end that the kernel aborted so? Not
 * when its hops are used up, when we are being killed, or when the walker itself
 * is broken. Alignment, range and holes are judged again here: the device may
 * have larger blocks than a file must have, and the error then names the node.
 */
bool carom_kernel_can_carry_on(__u32 end)
{
	switch (end) {
	case CAROM_END_DEADLINE:
	case CAROM_END_UNALIGNED:
	case CAROM_END_RANGE:
	case CAROM_END_HOLE:
	case CAROM_END_SPLIT:
	case CAROM_END_IO:
	case CAROM_END_STOPPED:
	case CAROM_END_UNLOADED:
	case CAROM_END_STALE:
		return true;
	default:
		return false;
	}
}

bool carom_kernel_carry_on(struct carom_reader *rd)
{
	const struct carom_session *s = &rd->ix->session;

	rd->stats.kernel_hops += rd->chain.hops;
	rd->mem.node = s->nodes + (size_t)rd->slot * s->open.node_stride;
	if (!carom_kernel_can_carry_on(rd->chain.end))
		return false;
	rd->stats.fallbacks++;
	rd->stats.last_abort = carom_end_name(rd->chain.end);
	return true;
}

static __u32 lookup_flags(enum carom_wait wait)
{
	if (wait == CAROM_WAIT_SLEEP)
		return 0;
	return CAROM_LOOKUP_POLL | (wait == CAROM_WAIT_HYBRID ? CAROM_LOOKUP_HYBRID : 0);
}

static int kernel_run(struct carom_reader *rd)
{
	struct carom_lookup *res = &rd->chain;
	int ret;

	res->flags = lookup_flags(rd->ix->wait);
	do {
		ret = ioctl(rd->ix->session.fd, CAROM_IOC_LOOKUP, res);
	} while (ret && errno == EINTR);
	if (ret) {
		ret = -errno;
		res->end = CAROM_END_NONE;
		return ret;
	}
	if (!carom_kernel_carry_on(rd))
		return carom_end_errno(res->end);
	return carom_reader_chain(rd, carom_reader_read_node);
}

const struct carom_backend_ops carom_backend_kernel = {
	.id = CAROM_BACKEND_KERNEL,
	.open = kernel_open,
	.close = kernel_close,
	.mem_init = kernel_mem_init,
	.mem_exit = kernel_mem_exit,
	.run = kernel_run,
};
