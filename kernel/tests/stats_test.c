// SPDX-License-Identifier: GPL-2.0
/* What is counted of lookups (stats.c). */
#include "bench.h"
#include "../stats.c"

static struct carom_slot *carom_stats_slot(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	return &bench->session.slots[0];
}

static void carom_stats_test_count(struct kunit *test)
{
	struct carom_slot *slot = carom_stats_slot(test);
	struct carom_counts sum = { };
	u32 end;

	for (end = CAROM_END_DONE; end < CAROM_END_NR; end++) {
		slot->end = end;
		slot->hop.index = 3;
		slot->resubmits = 2;
		slot->yields = 1;
		slot->polled = end == CAROM_END_MISS;
		carom_stats_count(slot);
	}
	carom_stats_sum(slot->session, &sum);
	KUNIT_EXPECT_EQ(test, 0, sum.ends[CAROM_END_NONE]);
	for (end = CAROM_END_DONE; end < CAROM_END_NR; end++)
		KUNIT_EXPECT_EQ(test, 1, sum.ends[end]);
	KUNIT_EXPECT_EQ(test, CAROM_END_NR - 1, carom_counts_lookups(&sum));
	KUNIT_EXPECT_EQ(test, 3 * (CAROM_END_NR - 1), sum.hops);
	KUNIT_EXPECT_EQ(test, 2 * (CAROM_END_NR - 1), sum.resubmits);
	KUNIT_EXPECT_EQ(test, CAROM_END_NR - 1, sum.yields);
	KUNIT_EXPECT_EQ(test, 1, sum.polls);
	KUNIT_EXPECT_EQ(test, 0, sum.ns);
}

/* The sum is of all CPUs, and added to what is there. */
static void carom_stats_test_sum(struct kunit *test)
{
	struct carom_slot *slot = carom_stats_slot(test);
	struct carom_counts __percpu *counts = slot->session->counts;
	struct carom_counts sum = { };
	u64 cpus = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		per_cpu_ptr(counts, cpu)->hops = 1ULL << 40;
		per_cpu_ptr(counts, cpu)->latency[CAROM_LATENCY_NR - 1] = 1;
		cpus++;
	}
	sum.hops = 5;
	carom_stats_sum(slot->session, &sum);
	KUNIT_EXPECT_EQ(test, (cpus << 40) + 5, sum.hops);
	KUNIT_EXPECT_EQ(test, cpus, sum.latency[CAROM_LATENCY_NR - 1]);
}

/* A session that only maps counts nothing. */
static void carom_stats_test_map_only(struct kunit *test)
{
	const struct carom_session s = { };
	struct carom_counts sum = { };

	carom_stats_sum(&s, &sum);
	KUNIT_EXPECT_NULL(test, memchr_inv(&sum, 0, sizeof(sum)));
}

/* How many lookups are in the buckets from @first to @last. */
static u64 carom_stats_between(const struct carom_session *s, u32 first, u32 last)
{
	struct carom_counts sum = { };
	u64 nr = 0;
	u32 i;

	carom_stats_sum(s, &sum);
	for (i = first; i <= last; i++)
		nr += sum.latency[i];
	return nr;
}

static void carom_stats_test_latency(struct kunit *test)
{
	struct carom_slot *slot = carom_stats_slot(test);
	u64 now = ktime_get_ns();

	/* However long this takes, it cannot be less. */
	slot->timed_from = now - (1ULL << 33);
	carom_stats_time(slot);
	KUNIT_EXPECT_EQ(test, 1, carom_stats_between(slot->session, 33, CAROM_LATENCY_NR - 1));
	KUNIT_EXPECT_EQ(test, 0, carom_stats_between(slot->session, 0, 32));
	/* More than there are buckets for is in the last. */
	slot->timed_from = now - (1ULL << 50);
	carom_stats_time(slot);
	KUNIT_EXPECT_GE(test, carom_stats_between(slot->session, CAROM_LATENCY_NR - 1,
						  CAROM_LATENCY_NR - 1), 1);
	/* Hardly any time is in some bucket, too. */
	slot->timed_from = ktime_get_ns();
	carom_stats_time(slot);
	KUNIT_EXPECT_EQ(test, 3, carom_stats_between(slot->session, 0, CAROM_LATENCY_NR - 1));
}

static struct kunit_case carom_stats_cases[] = {
	KUNIT_CASE(carom_stats_test_count),
	KUNIT_CASE(carom_stats_test_sum),
	KUNIT_CASE(carom_stats_test_map_only),
	KUNIT_CASE(carom_stats_test_latency),
	{ }
};

static struct kunit_suite carom_stats_suite = {
	.name = "carom_stats",
	.test_cases = carom_stats_cases,
};

kunit_test_suite(carom_stats_suite);
