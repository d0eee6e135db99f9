/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A histogram of times that keeps every one of them to within 1 %.
 *
 * Buckets are as wide as their values are large: those below 256 have one each, and from there
 * each power of two is divided into 128 equal parts, so that a bucket is at most 1/128 of its
 * values wide. That covers all of 64 bits. Count, least, greatest and sum are exact.
 */
#ifndef CAROM_BENCH_HIST_H
#define CAROM_BENCH_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_PARTS_BITS	7
#define HIST_PARTS	(1U << HIST_PARTS_BITS)
#define HIST_BUCKETS	(HIST_PARTS * (64 - HIST_PARTS_BITS + 1))

/**
 * struct hist - the histogram; all zeros is an empty one
 * @count: values in it
 * @min: the least, if there is one
 * @max: the greatest
 * @sum: of all
 * @buckets: values in each
 */
struct hist {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t sum;
	uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t value);
/* Add all of @from to @h. */
void hist_merge(struct hist *h, const struct hist *from);
double hist_mean(const struct hist *h);
/*
 * The value that a share of @percent of all does not exceed; it is that value's bucket's last, so
 * up to 1/128 too large, but never more than the greatest. 0 if there is none.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* The bucket of a value; first and last value of a bucket. */
size_t hist_bucket(uint64_t value);
uint64_t hist_first(size_t bucket);
uint64_t hist_last(size_t bucket);

#endif /* CAROM_BENCH_HIST_H */
