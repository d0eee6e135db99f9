// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups that are commands of an io_uring.
 *
 * The request holds the session's descriptor from submission to completion, and
 * carom_uring_pdu, in the request, says which slot is its own. Whatever
 * completes or cancels a request runs under its ring's uring_lock: submission
 * (unless IO_URING_F_UNLOCKED), task work, polling, IO_URING_F_CANCEL. So while
 * a request can be canceled, its slot is its own.
 *
 * An ordinary ring is told by task work, which carom_uring_ended() queues from
 * the completion path. A ring with IORING_SETUP_IOPOLL looks for itself:
 * slot->done says that there is something to see. It must not depend on task
 * work, which nobody may run any more when the ring is on its way out.
 *
 * A chain that has yielded goes on from the same places. They must not sleep,
 * so if there is no tag a worker does it that may, or for a ring that polls an
 * interrupt.
 */
#include <linux/err.h>
#include <linux/io_uring/cmd.h>
#include <linux/nospec.h>
#include <linux/sched.h>

#include "carom.h"

/**
 * struct carom_uring_pdu - what a request knows
 * @slot: where its chain is
 * @err: a negative errno if there never was one
 * @sqe: what it was asked for
 */
struct carom_uring_pdu {
	struct carom_slot	*slot;
	int			err;
	struct carom_uring	sqe;
};

static struct workqueue_struct *carom_uring_wq;

static struct carom_uring_pdu *carom_uring_pdu(struct io_uring_cmd *cmd)
{
	return io_uring_cmd_to_pdu(cmd, struct carom_uring_pdu);
}

static bool carom_uring_iopolled(struct io_uring_cmd *cmd)
{
	return cmd_to_io_kiocb(cmd)->ctx->flags & IORING_SETUP_IOPOLL;
}

/*
 * Is the ring going, or the task that called? Then nobody is interested any
 * more, and who waits for the ring's requests should not have to wait long.
 */
static bool carom_uring_going(struct io_uring_cmd *cmd)
{
	if (percpu_ref_is_dying(&cmd_to_io_kiocb(cmd)->ctx->refs))
		return true;
	if (current->flags & (PF_KTHREAD | PF_EXITING))
		return true;
	return current->io_uring && atomic_read(&current->io_uring->in_cancel);
}

/*
 * The lookup is over: tell user space everything but what the CQE says, and
 * give the slot back before the CQE is there. Task context, under uring_lock.
 * Return: what the CQE says.
 */
static int carom_uring_finish(struct carom_slot *slot)
{
	struct carom_result *result = slot->result;
	int end = slot->end;

	carom_chain_count(slot);
	WRITE_ONCE(result->end, end);
	WRITE_ONCE(result->hops, slot->hop.index);
	WRITE_ONCE(result->code, slot->code);
	WRITE_ONCE(result->at, slot->at);
	WRITE_ONCE(result->sequence, result->sequence + 1);
	carom_slot_release(slot);
	return end;
}

static int carom_uring_give_back(struct carom_uring_pdu *pdu)
{
	if (!pdu->err)
		return carom_uring_finish(pdu->slot);
	carom_slot_release(pdu->slot);
	return pdu->err;
}

/* ---- rings that are told ---- */

static void carom_uring_task_work(CAROM_TASK_WORK_ARGS);

/*
 * Completion path. The command, and with it the session, may be gone as soon as
 * its task work is queued; RCU keeps this module's code. Only task work that
 * completes a request may be lazy about waking its task.
 */
static void carom_uring_ended(struct carom_slot *slot)
{
	struct io_uring_cmd *cmd = slot->cmd;

	if (slot->end)
		io_uring_cmd_do_in_task_lazy(cmd, carom_uring_task_work);
	else
		io_uring_cmd_complete_in_task(cmd, carom_uring_task_work);
}

/* Worker: may sleep for a tag, with no lock held. */
static void carom_uring_work(struct work_struct *work)
{
	struct carom_slot *slot = container_of(work, struct carom_slot, work);
	struct io_uring_cmd *cmd = slot->cmd;

	if (carom_chain_leg(slot, 0) != CAROM_LEG_SENT)
		io_uring_cmd_complete_in_task(cmd, carom_uring_task_work);
}

/* The chain has yielded. Returns false if it is over now. */
static bool carom_uring_go_on(struct io_uring_cmd *cmd, struct carom_slot *slot)
{
	slot->yields++;
	if (carom_uring_going(cmd))
		carom_slot_cancel(slot);
	switch (carom_chain_leg(slot, NVME_CHAIN_NOWAIT)) {
	case CAROM_LEG_SENT:
		return true;
	case CAROM_LEG_NO_TAG:
		queue_work(carom_uring_wq, &slot->work);
		return true;
	default:
		return false;
	}
}

/* Task work, or the ring's fallback when its task is gone; under uring_lock. */
static void carom_uring_task_run(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct carom_uring_pdu *pdu = carom_uring_pdu(cmd);
	struct carom_slot *slot = pdu->slot;

	if (!pdu->err && !slot->end && carom_uring_go_on(cmd, slot))
		return;
	carom_uring_done(cmd, carom_uring_give_back(pdu), issue_flags);
}

CAROM_TASK_WORK(carom_uring_task_work, carom_uring_task_run)

/* ---- rings that poll ---- */

/* Completion path, or the task of any poller. */
static void carom_uring_iopoll_ended(struct carom_slot *slot)
{
	/* Pairs with carom_uring_iopoll_done(). */
	smp_store_release(&slot->done, true);
}

static bool carom_uring_iopoll_done(const struct carom_slot *slot)
{
	/* Pairs with carom_uring_iopoll_ended(): the slot is the ring's again. */
	return smp_load_acquire(&slot->done);
}

/*
 * Who has all tags of the poll queue can be waiting for uring_lock, as workers do
 * that have just sent a read, and in a kernel that preempts itself the ring does
 * not let go of that until something has ended. It polls for what it knows of,
 * which by then has no tag. So what gets none goes where an interrupt ends it.
 */
static enum carom_leg carom_uring_iopoll_leg(struct carom_slot *slot)
{
	enum carom_leg leg = carom_chain_leg(slot, NVME_CHAIN_NOWAIT | NVME_CHAIN_POLLED);

	return leg == CAROM_LEG_NO_TAG ? carom_chain_leg(slot, NVME_CHAIN_NOWAIT) : leg;
}

/* The chain has yielded. Returns false if it is over now. */
static bool carom_uring_iopoll_go_on(struct carom_slot *slot)
{
	switch (carom_uring_iopoll_leg(slot)) {
	case CAROM_LEG_SENT:
		slot->yields++;
		return true;
	case CAROM_LEG_NO_TAG:
		/* Until the next time that the ring looks. */
		slot->done = true;
		return true;
	default:
		slot->yields++;
		return false;
	}
}

/**
 * carom_uring_iopoll() - look whether a command of a polling ring has ended
 * @cmd: the command
 * @iob: not used: what comes is ended before this returns
 * @poll_flags: with BLK_POLL_ONESHOT one look is made; otherwise, as the ring
 *	takes its commands in their order anyway, until this one has ended
 *
 * Without a poll queue interrupts end the chain, and there is only to look.
 *
 * Context: task, under uring_lock, in which case the command has not been
 * completed.
 * Return: 1 when it has ended, else 0.
 */
int carom_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob,
		       unsigned int poll_flags)
{
	struct carom_uring_pdu *pdu = carom_uring_pdu(cmd);
	struct carom_slot *slot = pdu->slot;

	if (unlikely(carom_uring_going(cmd)))
		carom_slot_cancel(slot);
	if (!carom_uring_iopoll_done(slot)) {
		nvme_chain_poll(&slot->chain, poll_flags & BLK_POLL_ONESHOT);
		if (!carom_uring_iopoll_done(slot))
			return 0;
	}
	if (!pdu->err && !slot->end && carom_uring_iopoll_go_on(slot))
		return 0;
	carom_uring_done(cmd, carom_uring_give_back(pdu), 0);
	return 1;
}

/* ---- submission ---- */

/*
 * In the submitter's context, which must not sleep and holds uring_lock, so that
 * nothing completes the command before this returns.
 */
static int carom_uring_issue(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct carom_slot *slot = carom_uring_pdu(cmd)->slot;
	bool iopoll = carom_uring_iopolled(cmd);

	switch (carom_chain_leg(slot, NVME_CHAIN_NOWAIT | (iopoll ? NVME_CHAIN_POLLED : 0))) {
	case CAROM_LEG_SENT:
		if (!iopoll)
			io_uring_cmd_mark_cancelable(cmd, issue_flags);
		return -EIOCBQUEUED;
	case CAROM_LEG_ENDED:
		return carom_uring_finish(slot);
	default:
		break;
	}
	carom_slot_release(slot);
	/* Returned, this would be tried again by a worker that may sleep. */
	if (!(carom_uring_pdu(cmd)->sqe.flags & CAROM_LOOKUP_NOWAIT))
		return -EAGAIN;
	carom_uring_done(cmd, -EAGAIN, issue_flags);
	return -EIOCBQUEUED;
}

/*
 * In a worker of the ring's, which may sleep and does not hold uring_lock: the
 * command can be completed as soon as its read is sent, or canceled as soon as
 * it can be. What ends here is left to those who do hold the lock.
 */
static int carom_uring_issue_unlocked(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct carom_uring_pdu *pdu = carom_uring_pdu(cmd);
	struct carom_slot *slot = pdu->slot;
	bool iopoll = carom_uring_iopolled(cmd);
	enum carom_leg leg;

	if (!iopoll)
		io_uring_cmd_mark_cancelable(cmd, issue_flags);
	leg = carom_chain_leg(slot, (iopoll ? NVME_CHAIN_POLLED : 0) |
			      (pdu->sqe.flags & CAROM_LOOKUP_NOWAIT ? NVME_CHAIN_NOWAIT : 0));
	if (leg == CAROM_LEG_SENT)
		return -EIOCBQUEUED;
	if (leg == CAROM_LEG_NO_TAG)
		pdu->err = -EAGAIN;
	if (iopoll)
		carom_uring_iopoll_ended(slot);
	else
		io_uring_cmd_complete_in_task(cmd, carom_uring_task_work);
	return -EIOCBQUEUED;
}

static int carom_uring_lookup(struct io_uring_cmd *cmd, struct carom_session *s,
			      unsigned int issue_flags)
{
	struct carom_uring_pdu *pdu = carom_uring_pdu(cmd);
	struct carom_slot *slot;

	/* Whether to poll is the ring's choice. */
	if (pdu->sqe.flags & ~CAROM_LOOKUP_NOWAIT)
		return -EINVAL;
	slot = carom_slot_take(s, pdu->sqe.slot);
	if (IS_ERR(slot))
		return PTR_ERR(slot);

	pdu->slot = slot;
	pdu->err = 0;
	slot->cmd = cmd;
	slot->ended = carom_uring_iopolled(cmd) ? carom_uring_iopoll_ended : carom_uring_ended;
	carom_chain_begin(slot, pdu->sqe.offset);
	if (issue_flags & IO_URING_F_UNLOCKED)
		return carom_uring_issue_unlocked(cmd, issue_flags);
	return carom_uring_issue(cmd, issue_flags);
}

static int carom_uring_cancel(struct carom_session *s, const struct carom_uring *sqe)
{
	if (sqe->flags || sqe->offset || sqe->slot >= s->nr_slots)
		return -EINVAL;
	return carom_slot_cancel(&s->slots[array_index_nospec(sqe->slot, s->nr_slots)]);
}

/* User space can write to the SQE, and use its place for the next before we try again. */
static void carom_uring_read_sqe(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct carom_uring *sqe = (const void *)cmd->sqe->cmd;
	struct carom_uring_pdu *pdu = carom_uring_pdu(cmd);

	if (carom_uring_sqe_is_stale(cmd, issue_flags))
		return;
	pdu->sqe.slot = READ_ONCE(sqe->slot);
	pdu->sqe.flags = READ_ONCE(sqe->flags);
	pdu->sqe.offset = READ_ONCE(sqe->offset);
}

/**
 * carom_uring_cmd() - a command of an io_uring on a session
 * @cmd: the command
 * @issue_flags: IO_URING_F_*
 *
 * Context: task; under uring_lock, and must not sleep, unless @issue_flags has
 * IO_URING_F_UNLOCKED.
 * Return: what the CQE says, -EIOCBQUEUED if that will come later, -EAGAIN if it
 * has to be tried where it may sleep.
 */
int carom_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct carom_session *s = cmd->file->private_data;

	/* The ring or its task is going; @cmd is one of what carom_uring_lookup() has marked. */
	if (issue_flags & IO_URING_F_CANCEL)
		return carom_slot_cancel(carom_uring_pdu(cmd)->slot);
	carom_uring_read_sqe(cmd, issue_flags);
	switch (cmd->cmd_op) {
	case CAROM_URING_LOOKUP:
		return carom_uring_lookup(cmd, s, issue_flags);
	case CAROM_URING_CANCEL:
		return carom_uring_cancel(s, &carom_uring_pdu(cmd)->sqe);
	default:
		return -ENOTTY;
	}
}

void carom_uring_init_slot(struct carom_slot *slot)
{
	INIT_WORK(&slot->work, carom_uring_work);
}

int carom_uring_init(void)
{
	BUILD_BUG_ON(sizeof(struct carom_uring) > 16);
	BUILD_BUG_ON(sizeof(struct carom_result) != 64);
	carom_uring_wq = alloc_workqueue("carom", WQ_UNBOUND, 0);
	return carom_uring_wq ? 0 : -ENOMEM;
}

/* A worker may still be on its way out when the session that it was for is gone. */
void carom_uring_exit(void)
{
	destroy_workqueue(carom_uring_wq);
}
