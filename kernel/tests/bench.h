/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the engine's logic have in common: a session on a file that
 * is made up, and a driver that does what a test says (bench.c).
 *
 * Each test includes the source that it is about, so that it can call what is
 * static there. What that source calls of the NVMe driver is the bench's, also in
 * a kernel that has the driver.
 */
#ifndef CAROM_BENCH_H
#define CAROM_BENCH_H

#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/nvme-chain.h>

#define nvme_chain_probe	carom_bench_probe
#define nvme_chain_submit	carom_bench_submit
#define nvme_chain_poll		carom_bench_poll
#define nvme_chain_enable	carom_bench_enable
#define nvme_chain_disable	carom_bench_disable

int nvme_chain_probe(struct block_device *bdev, struct nvme_chain_limits *lim);
int nvme_chain_submit(struct nvme_chain *chain, u64 slba, unsigned int flags);
void nvme_chain_poll(struct nvme_chain *chain, bool once);
void nvme_chain_enable(void);
void nvme_chain_disable(void);

#include "../carom.h"

#define CAROM_BENCH_NODE	4096
#define CAROM_BENCH_SLOTS	4
#define CAROM_BENCH_HOPS	8
#define CAROM_BENCH_READS	32
#define CAROM_BENCH_DEADLINE_MS	60000

/**
 * struct carom_bench - a session, and how its device behaves
 * @session: on @file, with CAROM_BENCH_SLOTS slots
 * @file: on @bdev
 * @bdev: not opened, only looked at
 * @queue: likewise; leads the driver back here
 * @walker: its ops are @ops
 * @ops: without a BPF program
 * @script: what the walker says of the node of each hop
 * @refuse: what submitting says, once; or 0
 * @fail_at: the read that the device fails, from 1 on; or 0
 * @status: with which NVMe status
 * @stop_at: the read after which the driver does not go on; or 0
 * @budget: reads after which a leg yields; or 0
 * @poll_queue: there is one: reads of polled chains wait for carom_bench_poll()
 * @lba: of each read
 * @flags: of each submission
 * @reads: how many reads there have been
 * @legs: how many submissions
 * @leg_reads: how many reads since the last of them
 * @seen: called for each read before the walker sees it, or NULL
 */
struct carom_bench {
	struct carom_session	session;
	struct carom_file	file;
	struct block_device	bdev;
	struct request_queue	queue;
	struct carom_walker	walker;
	struct carom_walker_ops	ops;
	s64			script[CAROM_BENCH_READS];

	int			refuse;
	u32			fail_at;
	u16			status;
	u32			stop_at;
	u32			budget;
	bool			poll_queue;

	u64			lba[CAROM_BENCH_READS];
	unsigned int		flags[CAROM_BENCH_READS];
	u32			reads;
	u32			legs;
	u32			leg_reads;
	void			(*seen)(struct carom_bench *bench, struct carom_slot *slot);
};

/*
 * With a device of 512-byte LBAs, no block mapped yet. Undone when the test ends;
 * NULL if there is no memory.
 */
struct carom_bench *carom_bench_alloc(struct kunit *test);

/* An empty map, freed when the test ends. */
struct carom_map *carom_bench_map(struct kunit *test);

/* A file of @size bytes whose device has LBAs of 1 << @lba_shift bytes. */
void carom_bench_geometry(struct carom_bench *bench, u64 size, u8 lba_shift);

static inline struct carom_bench *carom_bench_of(const struct carom_slot *slot)
{
	return container_of(slot->session, struct carom_bench, session);
}

#endif /* CAROM_BENCH_H */
