// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator lets sessions have: parameters of the module, which can be
 * changed at any time and are for sessions that are opened then.
 */
#include <linux/blkdev.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "carom.h"
#include "limits.h"

/* What the sessions of one device have: there is one of these while any has. */
struct carom_share {
	struct list_head	list;
	struct request_queue	*queue;
	u64			slots;
};

/* Also protects what is in it. */
static DEFINE_MUTEX(carom_shares_lock);
static LIST_HEAD(carom_shares);

unsigned int carom_max_slots = CAROM_MAX_SLOTS;
unsigned int carom_max_hops = CAROM_MAX_HOPS;
unsigned int carom_max_deadline_ms = CAROM_MAX_DEADLINE_MS;
/* Per cent of the requests of one of the device's queues; 0 is any number. */
static unsigned int carom_max_share;

static int carom_slots_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, CAROM_MAX_SLOTS);
}

static int carom_hops_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, CAROM_MAX_HOPS);
}

static int carom_deadline_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, CAROM_MAX_DEADLINE_MS);
}

static int carom_share_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 100);
}

static const struct kernel_param_ops carom_slots_ops = {
	.set	= carom_slots_set,
	.get	= param_get_uint,
};
module_param_cb(max_slots, &carom_slots_ops, &carom_max_slots, 0644);
MODULE_PARM_DESC(max_slots, "lookups that a session can have in flight, at most");

static const struct kernel_param_ops carom_hops_ops = {
	.set	= carom_hops_set,
	.get	= param_get_uint,
};
module_param_cb(max_hops, &carom_hops_ops, &carom_max_hops, 0644);
MODULE_PARM_DESC(max_hops, "nodes that a lookup can read, at most");

static const struct kernel_param_ops carom_deadline_ops = {
	.set	= carom_deadline_set,
	.get	= param_get_uint,
};
module_param_cb(max_deadline_ms, &carom_deadline_ops, &carom_max_deadline_ms, 0644);
MODULE_PARM_DESC(max_deadline_ms, "time that a lookup can take, at most");

static const struct kernel_param_ops carom_share_ops = {
	.set	= carom_share_set,
	.get	= param_get_uint,
};
module_param_cb(max_share, &carom_share_ops, &carom_max_share, 0644);
MODULE_PARM_DESC(max_share, "slots of all sessions, in per cent of a queue of the device, at most");

/**
 * carom_limits_check() - may a session be as it is asked for?
 * @arg: within what the ABI has
 * @why: filled when refused
 *
 * Context: task.
 * Return: 0 or -EPERM.
 */
int carom_limits_check(const struct carom_open *arg, struct carom_why *why)
{
	if (arg->nr_slots > READ_ONCE(carom_max_slots))
		return carom_refuse(why, -EPERM, CAROM_REFUSED_LIMIT, "max_slots");
	if (arg->max_hops > READ_ONCE(carom_max_hops))
		return carom_refuse(why, -EPERM, CAROM_REFUSED_LIMIT, "max_hops");
	if (arg->deadline_ms > READ_ONCE(carom_max_deadline_ms))
		return carom_refuse(why, -EPERM, CAROM_REFUSED_LIMIT, "max_deadline_ms");
	return 0;
}

/* What a session has that does not say. */
u32 carom_limits_hops(void)
{
	return min_t(u32, CAROM_DEFAULT_HOPS, READ_ONCE(carom_max_hops));
}

u32 carom_limits_deadline_ms(void)
{
	return min_t(u32, CAROM_DEFAULT_DEADLINE_MS, READ_ONCE(carom_max_deadline_ms));
}

static struct carom_share *carom_share_of(struct request_queue *queue)
{
	struct carom_share *share;

	list_for_each_entry(share, &carom_shares, list) {
		if (share->queue == queue)
			return share;
	}
	share = kzalloc(sizeof(*share), GFP_KERNEL);
	if (!share)
		return NULL;
	share->queue = queue;
	list_add(&share->list, &carom_shares);
	return share;
}

static void carom_share_drop(struct carom_share *share)
{
	if (share->slots)
		return;
	list_del(&share->list);
	kfree(share);
}

/* A slot always, or the device could as well be refused. */
static u64 carom_share_slots(const struct request_queue *queue)
{
	u32 percent = READ_ONCE(carom_max_share);

	return percent ? max(1UL, READ_ONCE(queue->nr_requests) * percent / 100) : U64_MAX;
}

/**
 * carom_limits_take() - have the slots of a session counted as its device's
 * @s: the session, with file and number of slots
 * @why: filled when refused
 *
 * Each slot is a request at most, and all of them may be in one queue. The kernel
 * does not look at this again when a lookup begins.
 *
 * Context: task, sleeps.
 * Return: 0, -EPERM or -ENOMEM.
 */
int carom_limits_take(struct carom_session *s, struct carom_why *why)
{
	struct request_queue *queue = bdev_get_queue(s->file->bdev);
	struct carom_share *share;
	int err = 0;

	mutex_lock(&carom_shares_lock);
	share = carom_share_of(queue);
	if (!share) {
		err = carom_refuse(why, -ENOMEM, CAROM_REFUSED_NO_MEMORY, NULL);
	} else if (share->slots + s->nr_slots > carom_share_slots(queue)) {
		carom_share_drop(share);
		err = carom_refuse(why, -EPERM, CAROM_REFUSED_LIMIT, "max_share");
	} else {
		share->slots += s->nr_slots;
		s->share = share;
	}
	mutex_unlock(&carom_shares_lock);
	return err;
}

/* @s may have taken nothing. Context: task, sleeps. */
void carom_limits_put(struct carom_session *s)
{
	if (!s->share)
		return;
	mutex_lock(&carom_shares_lock);
	s->share->slots -= s->nr_slots;
	carom_share_drop(s->share);
	mutex_unlock(&carom_shares_lock);
}
