// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator lets sessions have: parameters of the module, which can be
 * changed at any time and are for sessions that are opened then.
 */
#include <linux/minmax.h>
#include <linux/moduleparam.h>

#include "carom.h"
#include "limits.h"

unsigned int carom_max_slots = CAROM_MAX_SLOTS;
unsigned int carom_max_hops = CAROM_MAX_HOPS;
unsigned int carom_max_deadline_ms = CAROM_MAX_DEADLINE_MS;

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
