// SPDX-License-Identifier: GPL-2.0
/* What counters come to. */
#include "lib.h"
#include "stat.h"

const char *stat_refusal_name(unsigned int refusal)
{
	static const char *const names[CAROM_REFUSED_NR] = {
		[CAROM_REFUSED_NOT] = "other",
		[CAROM_REFUSED_ARGUMENT] = "argument",
		[CAROM_REFUSED_NOT_READABLE] = "not-readable",
		[CAROM_REFUSED_NOT_OWNER] = "not-owner",
		[CAROM_REFUSED_FILE_TYPE] = "file-type",
		[CAROM_REFUSED_FILESYSTEM] = "filesystem",
		[CAROM_REFUSED_DAX] = "dax",
		[CAROM_REFUSED_ENCRYPTED] = "encrypted",
		[CAROM_REFUSED_COMPRESSED] = "compressed",
		[CAROM_REFUSED_VERITY] = "verity",
		[CAROM_REFUSED_JOURNALED] = "journaled",
		[CAROM_REFUSED_INLINE] = "inline",
		[CAROM_REFUSED_REALTIME] = "realtime",
		[CAROM_REFUSED_REFLINK] = "reflink",
		[CAROM_REFUSED_SWAPFILE] = "swapfile",
		[CAROM_REFUSED_WRITER] = "writer",
		[CAROM_REFUSED_EMPTY] = "empty",
		[CAROM_REFUSED_DEVICE] = "device",
		[CAROM_REFUSED_MULTIPATH] = "multipath",
		[CAROM_REFUSED_INTEGRITY] = "integrity",
		[CAROM_REFUSED_NODE_SIZE] = "node-size",
		[CAROM_REFUSED_NO_WALKER] = "no-walker",
		[CAROM_REFUSED_WALKER_SIZE] = "walker-size",
		[CAROM_REFUSED_NO_MEMORY] = "no-memory",
		[CAROM_REFUSED_FLUSH] = "flush",
		[CAROM_REFUSED_READ_SIZE] = "read-size",
		[CAROM_REFUSED_LIMIT] = "limit",
	};

	return refusal < CAROM_REFUSED_NR && names[refusal] ? names[refusal] : "unknown";
}

uint64_t stat_aborts(const struct stat_counts *c)
{
	unsigned int end;
	uint64_t sum = 0;

	for (end = CAROM_END_HOPS; end < CAROM_END_NR; end++)
		sum += c->ends[end];
	return sum;
}

uint64_t stat_fallbacks(const struct stat_counts *c)
{
	unsigned int end;
	uint64_t sum = 0;

	for (end = CAROM_END_HOPS; end < CAROM_END_NR; end++)
		if (carom_kernel_can_carry_on(end))
			sum += c->ends[end];
	return sum;
}

uint64_t stat_refusals(const struct stat_sample *s)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < CAROM_REFUSED_NR; i++)
		sum += s->refused[i];
	return sum;
}

uint64_t stat_timed(const struct stat_counts *c)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->nr_latency; i++)
		sum += c->latency[i];
	return sum;
}

uint64_t stat_percentile(const struct stat_counts *c, double percent)
{
	double want = (double)stat_timed(c) * percent / 100;
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < c->nr_latency; i++) {
		seen += c->latency[i];
		if (seen && (double)seen >= want)
			return (2ULL << i) - 1;
	}
	return 0;
}

/* A session that is closed and a module that is loaded anew do not count backwards. */
static uint64_t since(uint64_t new, uint64_t old)
{
	return new >= old ? new - old : new;
}

struct stat_counts stat_since(const struct stat_counts *new, const struct stat_counts *old)
{
	struct stat_counts diff = {
		.lookups = since(new->lookups, old->lookups),
		.hops = since(new->hops, old->hops),
		.resubmits = since(new->resubmits, old->resubmits),
		.yields = since(new->yields, old->yields),
		.polls = since(new->polls, old->polls),
		.latency_ns = since(new->latency_ns, old->latency_ns),
		.nr_latency = new->nr_latency,
	};
	unsigned int i;

	for (i = 0; i < CAROM_END_NR; i++)
		diff.ends[i] = since(new->ends[i], old->ends[i]);
	for (i = 0; i < STAT_BUCKETS; i++)
		diff.latency[i] = since(new->latency[i], old->latency[i]);
	return diff;
}
