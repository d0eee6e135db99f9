// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "bench_hist.h"

/*
 * A value of @bits bits beyond those of the parts loses as many at its end: what is left is one of
 * HIST_PARTS..2 * HIST_PARTS - 1.
 */
size_t hist_bucket(uint64_t value)
{
	unsigned int bits;

	if (value < 2 * HIST_PARTS)
		return value;
	bits = 63 - (unsigned int)__builtin_clzll(value) - HIST_PARTS_BITS;
	return bits * HIST_PARTS + (value >> bits);
}

uint64_t hist_first(size_t bucket)
{
	unsigned int bits;

	if (bucket < 2 * HIST_PARTS)
		return bucket;
	bits = (unsigned int)(bucket / HIST_PARTS) - 1;
	return (uint64_t)(bucket - bits * HIST_PARTS) << bits;
}

uint64_t hist_last(size_t bucket)
{
	return bucket + 1 < HIST_BUCKETS ? hist_first(bucket + 1) - 1 : UINT64_MAX;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->buckets[hist_bucket(value)]++;
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->sum += value;
	h->count++;
}

void hist_merge(struct hist *h, const struct hist *from)
{
	size_t i;

	if (!from->count)
		return;
	if (!h->count || from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
	h->sum += from->sum;
	h->count += from->count;
	for (i = 0; i < HIST_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
}

double hist_mean(const struct hist *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
	/* Less a little, so that 99.9 % of 1000 are 999, although that product is not exact. */
	double wanted = ceil((double)h->count * percent / 100 - 1e-6);
	uint64_t seen = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS && h->count; i++) {
		seen += h->buckets[i];
		if (seen && (double)seen >= wanted)
			return hist_last(i) < h->max ? hist_last(i) : h->max;
	}
	return h->max;
}
