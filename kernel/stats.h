/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics (stats.c): per session and CPU. */
#ifndef CAROM_STATS_H
#define CAROM_STATS_H

#include <linux/jump_label.h>
#include <linux/percpu.h>

#include "carom.h"

struct attribute_group;
struct seq_file;

/* The last bucket is of all that take longer: of 2^35 ns, 34 s, or more. */
#define CAROM_LATENCY_NR	36

/**
 * struct carom_counts - what lookups that have ended on one CPU come to
 * @hops: see struct carom_stats
 * @resubmits: likewise
 * @yields: likewise
 * @polls: likewise
 * @ns: how long they took, of those that are in @latency
 * @ends: likewise
 * @latency: how many took 2^i ns or more, and less than twice that
 */
struct carom_counts {
	u64	hops;
	u64	resubmits;
	u64	yields;
	u64	polls;
	u64	ns;
	u64	ends[CAROM_END_NR];
	u64	latency[CAROM_LATENCY_NR];
};

/* Somebody wants to know how long lookups take. */
DECLARE_STATIC_KEY_FALSE(carom_timed);

int carom_stats_alloc(struct carom_session *s);
void carom_stats_free(struct carom_session *s);
void carom_stats_open(struct carom_session *s);
void carom_stats_close(struct carom_session *s);
void carom_stats_refused(enum carom_refusal refusal);
void carom_stats_time(const struct carom_slot *slot);
void carom_stats_sum(const struct carom_session *s, struct carom_counts *sum);
u64 carom_counts_lookups(const struct carom_counts *counts);
void carom_stats_fdinfo(struct seq_file *m, const struct carom_session *s);

extern const struct attribute_group *carom_stats_groups[];

/*
 * A lookup has ended. Each sum is exact, even if the task moves to another CPU in
 * between. Context: task.
 */
static inline void carom_stats_count(const struct carom_slot *slot)
{
	struct carom_counts __percpu *counts = slot->session->counts;

	this_cpu_add(counts->hops, slot->hop.index);
	this_cpu_add(counts->resubmits, slot->resubmits);
	this_cpu_inc(counts->ends[slot->end]);
	if (slot->polled)
		this_cpu_inc(counts->polls);
	if (unlikely(slot->yields))
		this_cpu_add(counts->yields, slot->yields);
	if (static_branch_unlikely(&carom_timed) && slot->timed_from)
		carom_stats_time(slot);
}

#endif /* CAROM_STATS_H */
