/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bench_loop.c and its BPF program loop.bpf.c share: the ring's memory region, which both read
 * and write, and what the program is told once, before it is loaded.
 */
#ifndef CAROM_TESTS_LOOP_H
#define CAROM_TESTS_LOOP_H

#include <linux/types.h>

#include "../lib/chase.h"

#define LOOP_SLOTS		32
#define LOOP_MAX_EXTENTS	64

/* When the program wants to be called again. */
enum loop_wait {
	LOOP_WAIT_ONE,	/* when a read has completed */
	LOOP_WAIT_ALL,	/* when all have */
	LOOP_SPIN,	/* at once */
};

/**
 * struct loop_slot - one lookup
 * @start: in: file offset of its first node
 * @query: in: the depth; out: the answer
 * @hops: in: 0; nodes that it has seen
 */
struct loop_slot {
	__u64 start;
	struct chase_query query;
	__u32 hops;
	__u32 pad;
};

/**
 * struct loop_control - one run of the program, the lookups of a batch
 * @nr: in: lookups, the first of @slots
 * @begun: in: 0, or it is to be a drill of passes in vain, without a lookup
 * @running: in: 0; lookups that have not ended
 * @error: in: 0; out: negative errno if a read has failed, or what the step has returned
 * @in_vain: in: 0; out: passes that have found nothing
 * @stop_at: in: of those, as many as are too many; 0 once all lookups have ended
 * @queued: submissions of this pass; here, or the verifier would tell all their numbers apart
 * @slots: the lookups
 */
struct loop_control {
	__u32 nr;
	__u32 begun;
	__u32 running;
	__s32 error;
	__u32 in_vain;
	__u32 stop_at;
	__u32 queued;
	__u32 pad;
	struct loop_slot slots[LOOP_SLOTS];
};

/* The memory region. Its nodes are the ring's fixed buffer, too. */
struct loop_memory {
	__u8 nodes[LOOP_SLOTS][CHASE_NODE_SIZE];
	union {
		struct loop_control control;
		__u8 page[4096];
	};
};

struct loop_extent {
	__u64 offset;	/* of the file */
	__u64 length;
	__u64 lba;
};

/**
 * struct loop_setup - what the program is told before it is loaded
 * @cq_head: where that is in the ring's memory; likewise @cq_tail and @cqes
 * @cq_mask: to be applied to an index
 * @cqe_shift: size of a completion, as a power of two
 * @sqe_shift: likewise of a submission
 * @wait: enum loop_wait
 * @arrived: result of a read that has succeeded
 * @nodes: user space's address of the nodes
 * @nr_extents: 0: reads are the file's, by offset; else NVMe commands, by LBA
 * @lba_shift: size of an LBA, as a power of two
 * @extents: where the file is
 */
struct loop_setup {
	__u32 cq_head;
	__u32 cq_tail;
	__u32 cqes;
	__u32 cq_mask;
	__u32 cqe_shift;
	__u32 sqe_shift;
	__u32 wait;
	__s32 arrived;
	__u64 nodes;
	__u32 nr_extents;
	__u32 lba_shift;
	struct loop_extent extents[LOOP_MAX_EXTENTS];
};

#endif /* CAROM_TESTS_LOOP_H */
