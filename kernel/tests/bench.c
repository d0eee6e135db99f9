// SPDX-License-Identifier: GPL-2.0
/*
 * The bench: a driver that reads nothing, a walker that says what a test has
 * written down, and no io_uring. Refusing and looking whether a partition has moved
 * are the engine's own.
 */
#include "bench.h"
#include "../stats.h"
#include "../seal.c"
#include "../trace.c"

/* ---- the driver ---- */

/* One read, and what follows from it. Returns the LBA of the next, or -1. */
static s64 carom_bench_read(struct carom_bench *bench, struct nvme_chain *chain, u64 slba)
{
	struct carom_slot *slot = container_of(chain, struct carom_slot, chain);
	s64 next;

	if (bench->reads < CAROM_BENCH_READS)
		bench->lba[bench->reads] = slba;
	bench->reads++;
	bench->leg_reads++;
	if (bench->seen)
		bench->seen(bench, slot);
	if (bench->reads == bench->fail_at) {
		chain->ops->end(chain, bench->status, NVME_CHAIN_WENT_ON);
		return -1;
	}
	next = chain->ops->hop(chain);
	if (next >= 0 && bench->reads != bench->stop_at && bench->leg_reads != bench->budget)
		return next;
	if (next < 0)
		chain->ops->end(chain, 0, NVME_CHAIN_WENT_ON);
	else if (bench->reads == bench->stop_at)
		chain->ops->end(chain, 0, NVME_CHAIN_STOPPED);
	else
		chain->ops->end(chain, 0, NVME_CHAIN_YIELDED);
	return -1;
}

int nvme_chain_submit(struct nvme_chain *chain, u64 slba, unsigned int flags)
{
	struct carom_bench *bench = container_of(chain->q, struct carom_bench, queue);
	int err = bench->refuse;
	s64 next = slba;

	if (bench->legs < CAROM_BENCH_READS)
		bench->flags[bench->legs] = flags;
	bench->legs++;
	bench->leg_reads = 0;
	bench->refuse = 0;
	if (err)
		return err;
	chain->polled = bench->poll_queue && (flags & NVME_CHAIN_POLLED);
	/* Where a read waits for who polls. */
	chain->bio.bi_iter.bi_sector = slba;
	rcu_read_lock();
	while (!chain->polled && next >= 0)
		next = carom_bench_read(bench, chain, next);
	rcu_read_unlock();
	return 0;
}

void nvme_chain_poll(struct nvme_chain *chain, bool once)
{
	struct carom_bench *bench = container_of(chain->q, struct carom_bench, queue);
	s64 next;

	rcu_read_lock();
	next = carom_bench_read(bench, chain, chain->bio.bi_iter.bi_sector);
	rcu_read_unlock();
	chain->bio.bi_iter.bi_sector = next;
}

int nvme_chain_probe(struct block_device *bdev, struct nvme_chain_limits *lim)
{
	return -EOPNOTSUPP;
}

void nvme_chain_enable(void)
{
}

void nvme_chain_disable(void)
{
}

/* ---- the walker ---- */

static s64 carom_bench_step(struct carom_hop *hop)
{
	struct carom_slot *slot = container_of(hop, struct carom_slot, hop);

	return carom_bench_of(slot)->script[hop->index];
}

struct carom_walker *carom_walker_get(const char *name)
{
	return NULL;
}

void carom_walker_put(struct carom_walker *walker)
{
}

unsigned int carom_walker_count(void)
{
	return 0;
}

/* ---- no io_uring ---- */

void carom_uring_init_slot(struct carom_slot *slot)
{
}

int carom_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	return -EOPNOTSUPP;
}

int carom_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob,
		       unsigned int poll_flags)
{
	return 0;
}

/* ---- the session ---- */

static void carom_bench_free(void *arg)
{
	struct carom_bench *bench = arg;

	carom_slots_free(&bench->session);
	carom_stats_free(&bench->session);
	carom_map_free(&bench->file.map);
}

static int carom_bench_fill(struct carom_bench *bench)
{
	struct carom_session *s = &bench->session;

	bench->ops.step = carom_bench_step;
	rcu_assign_pointer(bench->walker.ops, &bench->ops);
	bench->bdev.bd_queue = &bench->queue;
	bench->bdev.bd_nr_sectors = 1ULL << 40;
	bench->file.bdev = &bench->bdev;
	bench->file.part_sectors = bench->bdev.bd_nr_sectors;
	s->file = &bench->file;
	s->walker = &bench->walker;
	s->nr_slots = CAROM_BENCH_SLOTS;
	s->node_size = CAROM_BENCH_NODE;
	s->node_stride = PAGE_ALIGN(CAROM_BENCH_NODE);
	s->scratch_size = 64;
	s->scratch_stride = PAGE_ALIGN(64);
	s->max_hops = CAROM_BENCH_HOPS;
	s->deadline = msecs_to_jiffies(CAROM_BENCH_DEADLINE_MS);
	carom_bench_geometry(bench, 0, SECTOR_SHIFT);
	return carom_stats_alloc(s) ?: carom_slots_alloc(s);
}

struct carom_bench *carom_bench_alloc(struct kunit *test)
{
	struct carom_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	if (!bench || kunit_add_action_or_reset(test, carom_bench_free, bench))
		return NULL;
	return carom_bench_fill(bench) ? NULL : bench;
}

static void carom_bench_map_free(void *map)
{
	carom_map_free(map);
}

struct carom_map *carom_bench_map(struct kunit *test)
{
	struct carom_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, carom_bench_map_free, map));
	return map;
}

/* As a session has it when it is made (session_test.c looks whether it has). */
void carom_bench_geometry(struct carom_bench *bench, u64 size, u8 lba_shift)
{
	struct carom_session *s = &bench->session;

	bench->file.size = size;
	bench->file.limits.lba_shift = lba_shift;
	bench->file.limits.max_bytes = CAROM_MAX_NODE_SIZE;
	s->last_offset = (s64)size - s->node_size;
	s->lba_shift = lba_shift - SECTOR_SHIFT;
	s->lba_mask = (1U << lba_shift) - 1;
	s->node_sectors = s->node_size >> SECTOR_SHIFT;
}

MODULE_DESCRIPTION("KUnit tests of carom's logic");
MODULE_LICENSE("GPL");
