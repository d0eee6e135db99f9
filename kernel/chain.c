// SPDX-License-Identifier: GPL-2.0
/*
 * Chains: one lookup, from the first read to the reason why it ended.
 *
 * A slot belongs to the lookup that has taken it, in task context; while a
 * request is with the driver the slot is touched by the completion path only.
 * The completion hands it back with slot->ended(). So nothing in a slot needs
 * a lock. Who waits, and how, is wait.c's or uring.c's business.
 */
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include "carom.h"
#include "stats.h"
#include "trace.h"

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
	if (READ_ONCE(slot->state) & CAROM_SLOT_CANCELED)
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
 * The walker's word on the node that has arrived. The function in @ops is a
 * trampoline that enters an RCU read-side section, forbids migration, and keeps
 * statistics if somebody wants them: 98 instructions of each hop. The first is
 * the caller's affair, the second follows from not being preempted. A compiled
 * program returns 64 bits, whatever bpf_func is declared as.
 */
static __always_inline __nocfi s64 carom_chain_step(const struct carom_walker_ops *ops,
						    struct carom_slot *slot)
{
	u64 (*run)(const void *ctx, const struct bpf_insn *insns);
	s64 next;

	if (unlikely(!ops->prog) || static_branch_unlikely(&bpf_stats_enabled_key))
		return ops->step(&slot->hop);
	run = (void *)ops->prog->bpf_func;
	preempt_disable();
	next = run(&slot->step_args, ops->prog->insnsi);
	preempt_enable();
	return next;
}

/* @traced is a constant, so that one no-op is all that tracing costs a hop. */
static __always_inline s64 carom_chain_run(struct carom_slot *slot, bool traced)
{
	const struct carom_walker_ops *ops = rcu_dereference(slot->session->walker->ops);
	enum carom_end end;
	s64 next, slba;

	if (unlikely(!ops))
		return carom_chain_over(slot, CAROM_END_UNLOADED, slot->hop.offset);
	if (traced)
		trace_carom_chain_node(slot, slot->hop.offset);
	next = carom_chain_step(ops, slot);
	if (traced)
		trace_carom_chain_step(slot, next);
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
	if (traced)
		trace_carom_chain_resubmit(slot, next, slba);
	return slba;
}

static noinline s64 carom_chain_run_traced(struct carom_slot *slot)
{
	return carom_chain_run(slot, true);
}

/*
 * A node has arrived. Hard interrupt context mostly, task context on polled
 * queues, within an RCU read-side section that also keeps the walker's program
 * alive.
 */
static s64 carom_chain_hop(struct nvme_chain *chain)
{
	struct carom_slot *slot = carom_slot_of(chain);

	if (static_branch_unlikely(&carom_traced))
		return carom_chain_run_traced(slot);
	return carom_chain_run(slot, false);
}

/*
 * The request is over. If the driver would not go on, or the device failed,
 * @at is the node that has not been seen. Called within an RCU read-side
 * section.
 */
static void carom_chain_end(struct nvme_chain *chain, u16 status, enum nvme_chain_stop stop)
{
	struct carom_slot *slot = carom_slot_of(chain);

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
	slot->polled = nvme_chain_polled(chain);
	slot->ended(slot);
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
	slot->hop.node_size = s->node_size;
	slot->step_args[0] = (unsigned long)&slot->hop;
}

static enum carom_leg carom_chain_fail(struct carom_slot *slot, enum carom_end end)
{
	slot->end = end;
	return CAROM_LEG_ENDED;
}

/**
 * carom_chain_leg() - read at slot->at and go on from there
 * @slot: the caller's; with CAROM_LEG_SENT the completion path's, until it
 *	calls slot->ended()
 * @flags: NVME_CHAIN_*
 *
 * A leg that ends without a reason in slot->end has yielded: its lookup goes on
 * with another leg.
 *
 * Context: task, sleeps unless @flags has NVME_CHAIN_NOWAIT.
 * Return: CAROM_LEG_SENT slot->ended() will be called, or has been;
 * CAROM_LEG_ENDED it will not, slot->end says why; CAROM_LEG_NO_TAG nothing
 * has happened, and NVME_CHAIN_NOWAIT forbids to wait until it can.
 */
enum carom_leg carom_chain_leg(struct carom_slot *slot, unsigned int flags)
{
	s64 slba;
	int err;

	/* What user space gave as a start may be more than a file offset can be. */
	if ((s64)slot->at < 0)
		return carom_chain_fail(slot, CAROM_END_RANGE);
	slot->end = carom_chain_limits(slot);
	if (slot->end)
		return CAROM_LEG_ENDED;
	slba = carom_chain_locate(slot, slot->at);
	if (slba < 0)
		return carom_chain_fail(slot, -slba);
	if (carom_file_moved(slot->session->file))
		return carom_chain_fail(slot, CAROM_END_STALE);

	slot->hop.offset = slot->at;
	slot->done = false;
	if (static_branch_unlikely(&carom_traced))
		trace_carom_chain_submit(slot, slot->at, slba);
	err = nvme_chain_submit(&slot->chain, slba, flags);
	if (!err)
		return CAROM_LEG_SENT;
	if (err == -EAGAIN)
		return CAROM_LEG_NO_TAG;
	return carom_chain_fail(slot, err == -ESTALE ? CAROM_END_STALE : CAROM_END_STOPPED);
}

/* A lookup begins in a slot that has just been taken. Context: task. */
void carom_chain_begin(struct carom_slot *slot, u64 offset)
{
	slot->hop.index = 0;
	slot->code = 0;
	slot->at = offset;
	slot->deadline = jiffies + slot->session->deadline;
	slot->polled = false;
	slot->resubmits = 0;
	slot->yields = 0;
	slot->timed_from = 0;
	if (static_branch_unlikely(&carom_timed))
		slot->timed_from = ktime_get_ns();
	if (static_branch_unlikely(&carom_traced))
		carom_trace_begin(slot);
}

/* It has ended, and the slot is about to be released. Context: task. */
void carom_chain_count(struct carom_slot *slot)
{
	carom_stats_count(slot);
	if (static_branch_unlikely(&carom_traced))
		carom_trace_end(slot);
}
