// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics: of a session in the fdinfo of its descriptors, of the module in
 * sysfs. doc/abi.md describes both.
 *
 * Each session counts on the CPU that its lookups end on. Nobody stops for who
 * reads: he sums the CPUs up, and finds every lookup that has ended before in each
 * of the counters. What closed sessions have counted is added to carom_closed
 * under the lock under which they leave the list, so that no sum is without them.
 */
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "carom.h"
#include "stats.h"

#define CAROM_STATS_VERSION	1

DEFINE_STATIC_KEY_FALSE(carom_timed);

static DEFINE_MUTEX(carom_stats_lock);
/* Under carom_stats_lock. */
static LIST_HEAD(carom_stats_sessions);
static struct carom_counts carom_closed;
static u64 carom_opened;

static atomic64_t carom_refused[CAROM_REFUSED_NR];

/* As tracepoints have them. */
static const char *const carom_end_names[] = {
	[CAROM_END_DONE]	= "done",
	[CAROM_END_MISS]	= "miss",
	[CAROM_END_WALKER]	= "walker",
	[CAROM_END_HOPS]	= "hops",
	[CAROM_END_DEADLINE]	= "deadline",
	[CAROM_END_UNALIGNED]	= "unaligned",
	[CAROM_END_RANGE]	= "range",
	[CAROM_END_HOLE]	= "hole",
	[CAROM_END_SPLIT]	= "split",
	[CAROM_END_IO]		= "io",
	[CAROM_END_STOPPED]	= "stopped",
	[CAROM_END_UNLOADED]	= "unloaded",
	[CAROM_END_CANCELED]	= "canceled",
	[CAROM_END_BAD_RETURN]	= "bad-return",
	[CAROM_END_STALE]	= "stale",
};

static_assert(ARRAY_SIZE(carom_end_names) == CAROM_END_NR);

/* ---- counting ---- */

/* Context: task, sleeps. Return: 0 or -ENOMEM. */
int carom_stats_alloc(struct carom_session *s)
{
	s->counts = alloc_percpu_gfp(struct carom_counts, GFP_KERNEL_ACCOUNT);
	return s->counts ? 0 : -ENOMEM;
}

void carom_stats_free(struct carom_session *s)
{
	free_percpu(s->counts);
}

/* The session has a descriptor. Context: task, sleeps. */
void carom_stats_open(struct carom_session *s)
{
	mutex_lock(&carom_stats_lock);
	list_add_tail(&s->list, &carom_stats_sessions);
	carom_opened++;
	mutex_unlock(&carom_stats_lock);
}

/* Its last one is gone, and no lookup in flight. Context: task, sleeps. */
void carom_stats_close(struct carom_session *s)
{
	mutex_lock(&carom_stats_lock);
	list_del(&s->list);
	carom_stats_sum(s, &carom_closed);
	mutex_unlock(&carom_stats_lock);
}

void carom_stats_refused(enum carom_refusal refusal)
{
	atomic64_inc(&carom_refused[refusal]);
}

/* A lookup that began while carom_timed has ended, likewise. Context: task. */
void carom_stats_time(const struct carom_slot *slot)
{
	struct carom_counts __percpu *counts = slot->session->counts;
	u64 ns = ktime_get_ns() - slot->timed_from;

	this_cpu_add(counts->ns, ns);
	this_cpu_inc(counts->latency[min_t(unsigned int, ilog2(ns | 1), CAROM_LATENCY_NR - 1)]);
}

/*
 * A counter is a u64 that its CPU changes with one instruction, and that others
 * read with one.
 */
static void carom_counts_add(struct carom_counts *sum, const struct carom_counts *counts)
{
	const u64 *from = (const u64 *)counts;
	u64 *to = (u64 *)sum;
	size_t i;

	BUILD_BUG_ON(!IS_ENABLED(CONFIG_64BIT));
	BUILD_BUG_ON(sizeof(*sum) % sizeof(u64));
	for (i = 0; i < sizeof(*sum) / sizeof(u64); i++)
		to[i] += READ_ONCE(from[i]);
}

/**
 * carom_stats_sum() - add up what a session has counted
 * @s: the session; one that only maps counts nothing
 * @sum: what is added to
 *
 * Context: task. Lookups go on meanwhile.
 */
void carom_stats_sum(const struct carom_session *s, struct carom_counts *sum)
{
	int cpu;

	if (!s->counts)
		return;
	for_each_possible_cpu(cpu)
		carom_counts_add(sum, per_cpu_ptr(s->counts, cpu));
}

/* Each lookup is counted by its end, so that there is no second number to disagree. */
u64 carom_counts_lookups(const struct carom_counts *counts)
{
	u64 sum = 0;
	u32 end;

	for (end = 0; end < CAROM_END_NR; end++)
		sum += counts->ends[end];
	return sum;
}

/* ---- showing ---- */

static size_t carom_print(char *buf, size_t at, const char *prefix, const char *name, u64 value)
{
	return at + scnprintf(buf + at, PAGE_SIZE - at, "%s%s:\t%llu\n", prefix, name, value);
}

static size_t carom_print_array(char *buf, size_t at, const char *prefix, const char *name,
				const u64 *values, u32 nr)
{
	u32 i;

	at += scnprintf(buf + at, PAGE_SIZE - at, "%s%s:", prefix, name);
	for (i = 0; i < nr; i++)
		at += scnprintf(buf + at, PAGE_SIZE - at, "%c%llu", i ? ' ' : '\t', values[i]);
	return at + scnprintf(buf + at, PAGE_SIZE - at, "\n");
}

/* @buf is a page; twice as much as there is would fit. Returns where the text ends. */
static size_t carom_print_counts(char *buf, size_t at, const char *prefix,
				 const struct carom_counts *counts)
{
	char name[32];
	u32 end;

	at = carom_print(buf, at, prefix, "lookups", carom_counts_lookups(counts));
	at = carom_print(buf, at, prefix, "hops", counts->hops);
	at = carom_print(buf, at, prefix, "resubmits", counts->resubmits);
	at = carom_print(buf, at, prefix, "yields", counts->yields);
	at = carom_print(buf, at, prefix, "polls", counts->polls);
	for (end = CAROM_END_DONE; end < CAROM_END_NR; end++) {
		snprintf(name, sizeof(name), "end-%s", carom_end_names[end]);
		at = carom_print(buf, at, prefix, name, counts->ends[end]);
	}
	at = carom_print(buf, at, prefix, "latency-ns", counts->ns);
	return carom_print_array(buf, at, prefix, "latency", counts->latency, CAROM_LATENCY_NR);
}

static u32 carom_stats_busy(const struct carom_session *s)
{
	u32 i, busy = 0;

	for (i = 0; s->slots && i < s->nr_slots; i++)
		busy += READ_ONCE(s->slots[i].state) != 0;
	return busy;
}

/**
 * carom_stats_fdinfo() - a session in /proc/PID/fdinfo/FD
 * @m: where to
 * @s: the session
 *
 * Only who may trace that process gets here, and may see its files' names. They are
 * as whoever reads has them in his root directory.
 *
 * Context: task, sleeps.
 */
void carom_stats_fdinfo(struct seq_file *m, const struct carom_session *s)
{
	struct carom_counts counts = { };
	char *buf;

	seq_printf(m, "carom-version:\t%d\n", CAROM_STATS_VERSION);
	seq_printf(m, "carom-session:\t%llu\n", s->id);
	seq_puts(m, "carom-file:\t");
	seq_file_path(m, s->file->file, "\n\\");
	seq_printf(m, "\ncarom-dev:\t%u:%u\n", MAJOR(s->file->bdev->bd_dev),
		   MINOR(s->file->bdev->bd_dev));
	if (!s->counts)
		return;
	seq_printf(m, "carom-walker:\t%s\n", s->name);
	seq_printf(m, "carom-node-size:\t%u\n", s->node_size);
	seq_printf(m, "carom-slots:\t%u\n", s->nr_slots);
	seq_printf(m, "carom-busy:\t%u\n", carom_stats_busy(s));
	seq_printf(m, "carom-max-hops:\t%u\n", s->max_hops);
	seq_printf(m, "carom-deadline-ms:\t%u\n", jiffies_to_msecs(s->deadline));
	buf = (char *)__get_free_page(GFP_KERNEL);
	if (!buf)
		return;
	carom_stats_sum(s, &counts);
	seq_write(m, buf, carom_print_counts(buf, 0, "carom-", &counts));
	free_page((unsigned long)buf);
}

/* Of all sessions that have been; no names, so that anybody may read it. */
static ssize_t stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 refused[CAROM_REFUSED_NR], opened, open = 0;
	const struct carom_session *s;
	struct carom_counts sum;
	size_t at;
	u32 i;

	mutex_lock(&carom_stats_lock);
	sum = carom_closed;
	opened = carom_opened;
	list_for_each_entry(s, &carom_stats_sessions, list) {
		carom_stats_sum(s, &sum);
		open++;
	}
	mutex_unlock(&carom_stats_lock);
	for (i = 0; i < CAROM_REFUSED_NR; i++)
		refused[i] = atomic64_read(&carom_refused[i]);

	at = carom_print(buf, 0, "", "version", CAROM_STATS_VERSION);
	at = carom_print(buf, at, "", "walkers", carom_walker_count());
	at = carom_print(buf, at, "", "sessions", open);
	at = carom_print(buf, at, "", "sessions-opened", opened);
	at = carom_print_array(buf, at, "", "refused", refused, CAROM_REFUSED_NR);
	return carom_print_counts(buf, at, "", &sum);
}
static DEVICE_ATTR_RO(stat);

static struct attribute *carom_stats_attrs[] = {
	&dev_attr_stat.attr,
	NULL
};

static const struct attribute_group carom_stats_group = {
	.attrs = carom_stats_attrs,
};

const struct attribute_group *carom_stats_groups[] = {
	&carom_stats_group,
	NULL
};

/* ---- whether to measure ---- */

static bool carom_latency;

/* Context: task, under the lock of parameters. */
static int carom_latency_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (err)
		return err;
	if (carom_latency)
		static_branch_enable(&carom_timed);
	else
		static_branch_disable(&carom_timed);
	return 0;
}

static const struct kernel_param_ops carom_latency_ops = {
	.flags	= KERNEL_PARAM_OPS_FL_NOARG,
	.set	= carom_latency_set,
	.get	= param_get_bool,
};
module_param_cb(latency, &carom_latency_ops, &carom_latency, 0644);
MODULE_PARM_DESC(latency, "measure how long lookups take, for statistics");
