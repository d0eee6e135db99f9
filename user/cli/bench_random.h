/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmark leaves to chance: which key is next, and when. All of it repeats with the
 * seed.
 */
#ifndef CAROM_BENCH_RANDOM_H
#define CAROM_BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* SplitMix64. Generators with different seeds have nothing to do with each other. */
struct rng {
	uint64_t state;
};

/* The generator of number @stream of those with that @seed. */
struct rng rng_new(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);
/* From 0 to @n - 1, each as likely. @n is not 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);
/* Above 0, and 1 at most. */
double rng_unit(struct rng *rng);

/**
 * struct zipf - numbers 0 to @n - 1, of which k comes up in proportion to 1 / (k + 1)^theta
 *
 * By rejection-inversion (Hörmann and Derflinger, 1996): in constant time and memory, for any theta
 * above 0.
 */
struct zipf {
	uint64_t n;
	double theta;
	double low;
	double high;
	double sure;
};

void zipf_init(struct zipf *z, uint64_t n, double theta);
uint64_t zipf_next(const struct zipf *z, struct rng *rng);

/**
 * struct arrivals - when lookups are to begin, whatever becomes of the earlier ones
 * @gap_ns: between two, on average
 * @poisson: independent of each other, so gaps are exponential; otherwise all gaps are alike
 * @at: the next one, in nanoseconds since the start
 */
struct arrivals {
	struct rng rng;
	double gap_ns;
	bool poisson;
	double at;
};

/* @lead_ns: of the first, where gaps are alike. */
void arrivals_init(struct arrivals *a, struct rng rng, double gap_ns, bool poisson,
		   double lead_ns);
/* Take the next: nanoseconds since the start. */
uint64_t arrivals_next(struct arrivals *a);

#endif /* CAROM_BENCH_RANDOM_H */
