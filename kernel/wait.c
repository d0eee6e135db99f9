// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups whose caller waits: asleep until an interrupt ends the chain, or by
 * polling the chain's queue.
 *
 * A request in flight cannot be called back; its chain can be kept from going
 * on, so that what a killed caller has left to wait for is one read.
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "carom.h"

/* Less is not worth a timer. */
#define CAROM_NAP_MIN_NS	(2 * NSEC_PER_USEC)
/* What took so long has little to do with the device. */
#define CAROM_NAP_MAX_NS	NSEC_PER_MSEC

/* Completion path, or a poller's task. */
static void carom_wait_ended(struct carom_slot *slot)
{
	/* The waiter may be gone with the next store; RCU keeps its memory. */
	struct task_struct *waiter = slot->waiter;

	/* Pairs with carom_wait_done(): the slot is the waiter's again. */
	smp_store_release(&slot->done, true);
	/* A task that has come here by itself polls, and is awake. */
	if (waiter != current || !in_task())
		wake_up_process(waiter);
}

static bool carom_wait_done(const struct carom_slot *slot)
{
	/* Pairs with carom_wait_ended(). */
	return smp_load_acquire(&slot->done);
}

static void carom_wait_asleep(struct carom_slot *slot)
{
	unsigned int state = TASK_KILLABLE;

	for (;;) {
		set_current_state(state);
		if (carom_wait_done(slot))
			break;
		if (state == TASK_KILLABLE && fatal_signal_pending(current)) {
			carom_slot_cancel(slot);
			state = TASK_UNINTERRUPTIBLE;
			continue;
		}
		io_schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* A read has just been sent: until it can have arrived there is nothing to see. */
static void carom_wait_nap(const struct carom_slot *slot)
{
	ktime_t nap = min_t(u64, slot->hop_ns / 2, CAROM_NAP_MAX_NS);

	if (nap < CAROM_NAP_MIN_NS)
		return;
	set_current_state(TASK_UNINTERRUPTIBLE);
	if (carom_wait_done(slot))
		__set_current_state(TASK_RUNNING);
	else
		schedule_hrtimeout(&nap, HRTIMER_MODE_REL);
}

/* The mean over about the last eight polls that saw a hop. */
static void carom_wait_learn(struct carom_slot *slot, u64 ns)
{
	if (slot->hop_ns)
		slot->hop_ns += ((s64)ns - (s64)slot->hop_ns) / 8;
	else
		slot->hop_ns = ns;
}

/*
 * Who polls the same queue may take this chain's hops, and this task those of
 * others.
 */
static void carom_wait_poll(struct carom_slot *slot)
{
	while (!carom_wait_done(slot)) {
		if (fatal_signal_pending(current))
			carom_slot_cancel(slot);
		nvme_chain_poll(&slot->chain, false);
		cond_resched();
	}
}

static void carom_wait_hybrid(struct carom_slot *slot)
{
	u32 index, seen = READ_ONCE(slot->hop.index);
	u64 now, sent = ktime_get_ns();

	carom_wait_nap(slot);
	while (!carom_wait_done(slot)) {
		if (fatal_signal_pending(current))
			carom_slot_cancel(slot);
		nvme_chain_poll(&slot->chain, true);
		index = READ_ONCE(slot->hop.index);
		if (index != seen) {
			now = ktime_get_ns();
			carom_wait_learn(slot, div_u64(now - sent, index - seen));
			sent = now;
			seen = index;
			carom_wait_nap(slot);
		}
		cond_resched();
	}
}

static void carom_wait(struct carom_slot *slot, u32 flags)
{
	/* Without poll queues there are interrupts, whatever was asked for. */
	if (!nvme_chain_polled(&slot->chain))
		carom_wait_asleep(slot);
	else if (flags & CAROM_LOOKUP_HYBRID)
		carom_wait_hybrid(slot);
	else
		carom_wait_poll(slot);
}

static int carom_wait_run(struct carom_slot *slot, u32 flags)
{
	unsigned int how = flags & CAROM_LOOKUP_POLL ? NVME_CHAIN_POLLED : 0;
	enum carom_leg leg;

	leg = carom_chain_leg(slot, how | (flags & CAROM_LOOKUP_NOWAIT ? NVME_CHAIN_NOWAIT : 0));
	if (leg == CAROM_LEG_NO_TAG)
		return -EAGAIN;
	while (leg == CAROM_LEG_SENT) {
		carom_wait(slot, flags);
		if (slot->end)
			break;
		slot->yields++;
		leg = carom_chain_leg(slot, how);
	}
	return 0;
}

static int carom_check_flags(u32 flags)
{
	if (flags & ~(CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID | CAROM_LOOKUP_NOWAIT))
		return -EINVAL;
	if ((flags & CAROM_LOOKUP_HYBRID) && !(flags & CAROM_LOOKUP_POLL))
		return -EINVAL;
	return 0;
}

/**
 * carom_wait_lookup() - run one chain and wait for it
 * @s: the session
 * @arg: as in CAROM_IOC_LOOKUP
 *
 * Context: task, sleeps.
 * Return: 0 when the chain ran; -EINVAL no such slot or flag, -EBUSY the slot
 * is in use, -EAGAIN CAROM_LOOKUP_NOWAIT and no tag.
 */
int carom_wait_lookup(struct carom_session *s, struct carom_lookup *arg)
{
	struct carom_slot *slot;
	int err;

	err = carom_check_flags(arg->flags);
	if (err)
		return err;
	slot = carom_slot_take(s, arg->slot);
	if (IS_ERR(slot))
		return PTR_ERR(slot);

	slot->ended = carom_wait_ended;
	slot->waiter = current;
	carom_chain_begin(slot, arg->offset);
	err = carom_wait_run(slot, arg->flags);
	if (!err) {
		carom_chain_count(slot);
		arg->end = slot->end;
		arg->hops = slot->hop.index;
		arg->code = slot->code;
		arg->at = slot->at;
	}
	carom_slot_release(slot);
	return err;
}
