/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A walker, used from a program: in the kernel through /dev/carom where that is
 * possible, otherwise natively, a pread() for each node. What the kernel aborts is
 * carried on natively, from where it was and with what is in the scratch.
 */
#ifndef CAROM_EXAMPLES_RUN_H
#define CAROM_EXAMPLES_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <carom/walker.h>

/**
 * struct run - a file and a walker
 * @walker: natively built; the kernel's has its name
 * @file: descriptor
 * @session: descriptor, or -1: natively
 * @scratch: the query goes in, the answer comes out
 * @node: what native hops read into
 */
struct run {
	const struct carom_native_walker *walker;
	int file;
	int session;
	__u8 *scratch;
	__u8 *node;
};

/* A session of one slot. What refuses it is said, as there is another way. */
static inline bool run_open_session(struct run *r)
{
	struct carom_open arg = {
		.size = sizeof(arg), .fd = r->file, .nr_slots = 1,
		.node_size = r->walker->node_size, .scratch_size = r->walker->scratch_size,
	};
	int dev = open("/dev/carom", O_RDWR | O_CLOEXEC);

	snprintf(arg.walker, sizeof(arg.walker), "%s", r->walker->name);
	r->session = dev < 0 ? -1 : ioctl(dev, CAROM_IOC_OPEN, &arg);
	if (r->session < 0)
		fprintf(stderr, "natively: /dev/carom: %s (refusal %u %s)\n", strerror(errno),
			arg.refusal, arg.detail);
	close(dev);
	if (r->session < 0)
		return false;
	r->scratch = mmap(NULL, arg.scratch_stride, PROT_READ | PROT_WRITE, MAP_SHARED, r->session,
			  (off_t)CAROM_MMAP_SCRATCH);
	if (r->scratch != MAP_FAILED)
		return true;
	close(r->session);
	r->session = -1;
	return false;
}

/* Return: 0 or a negative errno. */
static inline int run_open(struct run *r, const char *path,
			   const struct carom_native_walker *walker, bool native)
{
	*r = (struct run){ .walker = walker, .session = -1 };
	r->node = aligned_alloc(walker->node_size, walker->node_size);
	r->file = open(path, O_RDONLY | O_CLOEXEC);
	if (r->file < 0 || !r->node)
		return -errno;
	if (!native && run_open_session(r))
		return 0;
	r->scratch = calloc(1, walker->scratch_size);
	return r->scratch ? 0 : -ENOMEM;
}

static inline void run_native(const struct run *r, struct carom_lookup *res)
{
	__u32 size = r->walker->node_size;
	struct carom_hop hop;
	__s64 next;

	for (; res->hops < CAROM_DEFAULT_HOPS; res->at = (__u64)next) {
		if (pread(r->file, r->node, size, (off_t)res->at) != (ssize_t)size) {
			res->end = CAROM_END_RANGE;
			return;
		}
		hop = (struct carom_hop){
			.offset = res->at, .index = res->hops++, .node_size = size, .node = r->node,
			.scratch = r->scratch, .scratch_size = r->walker->scratch_size,
		};
		next = r->walker->step(&hop);
		if (next < 0) {
			res->end = next == CAROM_STEP_DONE ? CAROM_END_DONE :
				   next == CAROM_STEP_MISS ? CAROM_END_MISS : CAROM_END_WALKER;
			res->code = (__s32)(-next - CAROM_STEP_FAIL_BASE);
			return;
		}
	}
	res->end = CAROM_END_HOPS;
}

/* One chain from @offset; the query is in r->scratch. Return: how it ended. */
static inline struct carom_lookup run_chain(const struct run *r, __u64 offset)
{
	struct carom_lookup res = { .offset = offset, .at = offset };

	if (r->session >= 0 && ioctl(r->session, CAROM_IOC_LOOKUP, &res))
		res.end = CAROM_END_STOPPED;
	if (r->session < 0 || res.end >= CAROM_END_HOPS)
		run_native(r, &res);
	return res;
}

#endif /* CAROM_EXAMPLES_RUN_H */
