// SPDX-License-Identifier: GPL-2.0
/*
 * Chains: one lookup, from the first read to the reason why it ended.
 *
 * A slot belongs to the lookup that has set its busy bit, from
 * carom_chain_lookup() in task context; while a request is with the driver
 * the slot is touched by the completion path only. The completion hands it
 * back. So nothing in a slot needs a lock.
 */
#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "carom.h"

static struct carom_slot *carom_slot_of(struct nvme_chain *chain)
{
	return container_of(chain, struct carom_slot, chain);
}

/*
 * May the chain go to @offset, and where is that? Context: any.
 * Return: the LBA, or a negative enum carom_end.
 */
static __always_inline s64 carom_chain_locate(struct carom_slot *slot, s64 offset)
{
	const struct carom_session *s = slot->session;
	const struct carom_run *run = slot->run;
	u64 start = (u64)offset >> SECTOR_SHIFT;
	u64 skip;

	if (offset & s->lba_mask)
		return -CAROM_END_UNALIGNED;
	if (offset > s->last_offset)
		return -CAROM_END_RANGE;
	if (unlikely(!run || !carom_run_holds(run, start))) {
		run = carom_map_search(&s->file->map, start);
		if (!run)
			return -CAROM_END_HOLE;
		slot->run = run;
	}
	skip = start - run->start;
	if (run->len - skip < s->node_sectors)
		return -CAROM_END_SPLIT;
	return (run->sector + skip) >> s->lba_shift;
}

static __always_inline enum carom_end carom_chain_limits(const struct carom_slot *slot)
{
	if (READ_ONCE(slot->canceled))
		return CAROM_END_CANCELED;
	if (slot->hop.index >= slot->session->max_hops)
		return CAROM_END_HOPS;
	if (time_after(jiffies, slot->deadline))
		return CAROM_END_DEADLINE;
	return CAROM_END_NONE;
}

/* Nothing more to read; @at is what user space is told. Returns what ends a chain. */
static s64 carom_chain_over(struct carom_slot *slot, enum carom_end end, u64 at)
{
	slot->end = end;
	slot->at = at;
	return -1;
}

/* The walker's word that there is nothing more to read. */
static s64 carom_chain_finish(struct carom_slot *slot, s64 ret)
{
	enum carom_end end = CAROM_END_BAD_RETURN;

	if (ret == CAROM_STEP_DONE) {
		end = CAROM_END_DONE;
	} else if (ret == CAROM_STEP_MISS) {
		end = CAROM_END_MISS;
	} else if (ret <= -CAROM_STEP_FAIL_BASE && ret >= CAROM_STEP_FAIL(CAROM_STEP_FAIL_MAX)) {
		end = CAROM_END_WALKER;
		slot->code = -ret - CAROM_STEP_FAIL_BASE;
	}
	return carom_chain_over(slot, end, slot->hop.offset);
}

/*
 * A node has arrived. Hard interrupt context mostly, within an RCU read-side
 * section that also keeps the walker's program alive.
 */
static s64 carom_chain_hop(struct nvme_chain *chain)
{
	struct carom_slot *slot = carom_slot_of(chain);
	const struct carom_walker_ops *ops = rcu_dereference(slot->session->walker->ops);
	enum carom_end end;
	s64 next, slba;

	if (unlikely(!ops))
		return carom_chain_over(slot, CAROM_END_UNLOADED, slot->hop.offset);
	next = ops->step(&slot->hop);
	slot->hop.index++;
	if (next < 0)
		return carom_chain_finish(slot, next);
	end = carom_chain_limits(slot);
	if (unlikely(end))
		return carom_chain_over(slot, end, next);
	slba = carom_chain_locate(slot, next);
	if (unlikely(slba < 0))
		return carom_chain_over(slot, -slba, next);
	slot->hop.offset = next;
	slot->resubmits++;
	return slba;
}

/*
 * The request is over. If the driver would not go on, or the device failed,
 * @at is the node that has not been seen. Called within an RCU read-side
 * section.
 */
static void carom_chain_end(struct nvme_chain *chain, u16 status, enum nvme_chain_stop stop)
{
	struct carom_slot *slot = carom_slot_of(chain);
	struct task_struct *waiter;

	if (stop != NVME_CHAIN_WENT_ON) {
		/* Counted by the hop that asked for it. */
		slot->resubmits--;
		slot->at = slot->hop.offset;
	} else if (status) {
		slot->end = CAROM_END_IO;
		slot->code = status;
		slot->at = slot->hop.offset;
	}
	if (stop == NVME_CHAIN_STOPPED)
		slot->end = CAROM_END_STOPPED;
	/* The waiter may be gone with the next store; RCU keeps its memory. */
	waiter = slot->waiter;
	/* Pairs with carom_chain_wait(): the slot is the waiter's again. */
	smp_store_release(&slot->done, true);
	wake_up_process(waiter);
}

static const struct nvme_chain_ops carom_chain_ops = {
	.hop	= carom_chain_hop,
	.end	= carom_chain_end,
};

void carom_chain_init(struct carom_slot *slot)
{
	const struct carom_session *s = slot->session;

	slot->chain.ops = &carom_chain_ops;
	slot->chain.q = bdev_get_queue(s->file->bdev);
	slot->chain.bytes = s->node_size;
	slot->chain.lba_shift = s->file->limits.lba_shift;
	slot->chain.budget_jiffies = s->deadline;
}

/*
 * A request in flight cannot be called back; its chain can be kept from going
 * on, so that what is left to wait for is one read.
 */
static void carom_chain_wait(struct carom_slot *slot)
{
	unsigned int state = TASK_KILLABLE;

	for (;;) {
		set_current_state(state);
		/* Pairs with carom_chain_end(). */
		if (smp_load_acquire(&slot->done))
			break;
		if (state == TASK_KILLABLE && fatal_signal_pending(current)) {
			WRITE_ONCE(slot->canceled, true);
			state = TASK_UNINTERRUPTIBLE;
			continue;
		}
		io_schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* Read at slot->at and go on from there. Task context, sleeps. */
static enum carom_end carom_chain_leg(struct carom_slot *slot)
{
	s64 slba;
	int err;

	/* What user space gave as a start may be more than a file offset can be. */
	if ((s64)slot->at < 0)
		return CAROM_END_RANGE;
	slot->end = carom_chain_limits(slot);
	if (slot->end)
		return slot->end;
	slba = carom_chain_locate(slot, slot->at);
	if (slba < 0)
		return -slba;
	if (carom_file_moved(slot->session->file))
		return CAROM_END_STALE;

	slot->hop.offset = slot->at;
	slot->waiter = current;
	slot->done = false;
	err = nvme_chain_submit(&slot->chain, slba, 0);
	if (err == -ESTALE)
		return CAROM_END_STALE;
	if (err)
		return CAROM_END_STOPPED;
	carom_chain_wait(slot);
	return slot->end;
}

static void carom_chain_begin(struct carom_slot *slot, u64 offset)
{
	slot->hop.index = 0;
	slot->code = 0;
	slot->at = offset;
	slot->canceled = false;
	slot->deadline = jiffies + slot->session->deadline;
	slot->hop.node_size = slot->session->node_size;
}

static void carom_chain_count(struct carom_slot *slot)
{
	slot->lookups++;
	slot->total_hops += slot->hop.index;
	slot->ends[slot->end]++;
}

/**
 * carom_chain_lookup() - run one chain and wait for it
 * @s: the session
 * @arg: as in CAROM_IOC_LOOKUP
 *
 * Context: task, sleeps.
 * Return: 0 when the chain ran; -EINVAL no such slot, -EBUSY it is in use.
 */
int carom_chain_lookup(struct carom_session *s, struct carom_lookup *arg)
{
	struct carom_slot *slot;

	if (arg->slot >= s->nr_slots)
		return -EINVAL;
	slot = &s->slots[array_index_nospec(arg->slot, s->nr_slots)];
	if (test_and_set_bit_lock(0, &slot->busy))
		return -EBUSY;

	carom_chain_begin(slot, arg->offset);
	/* A leg that ends without a reason has yielded. */
	while (!(slot->end = carom_chain_leg(slot)))
		slot->yields++;
	carom_chain_count(slot);
	arg->end = slot->end;
	arg->hops = slot->hop.index;
	arg->code = slot->code;
	arg->at = slot->at;
	clear_bit_unlock(0, &slot->busy);
	return 0;
}
