// SPDX-License-Identifier: GPL-2.0
/*
 * What carom bench makes its figures of: the histogram, the choice of keys, the arrivals.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../user/cli/bench_hist.h"
#include "../../user/cli/bench_random.h"

/* ---- the histogram ---- */

static void check_value(uint64_t value)
{
	size_t bucket = hist_bucket(value);

	assert_true(bucket < HIST_BUCKETS);
	assert_true(hist_first(bucket) <= value);
	assert_true(value <= hist_last(bucket));
	/* Whichever value of the bucket is said in its place. */
	assert_true((double)(hist_last(bucket) - hist_first(bucket)) <= (double)value / 100);
}

static void buckets_are_narrow(void **state)
{
	unsigned int bit;
	uint64_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		check_value(i);
	for (bit = 8; bit < 64; bit++) {
		for (i = 0; i < 400; i++)
			check_value((1ULL << bit) + i * (1ULL << bit) / 400);
		check_value((1ULL << bit) - 1);
	}
	check_value(UINT64_MAX);
}

static void buckets_leave_no_gap(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(hist_first(0), 0);
	for (i = 1; i < HIST_BUCKETS; i++) {
		assert_int_equal(hist_first(i), hist_last(i - 1) + 1);
		assert_int_equal(hist_bucket(hist_first(i)), i);
	}
	assert_true(hist_last(HIST_BUCKETS - 1) == UINT64_MAX);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

#define VALUES	20000

/* Against the same values in order. */
static void percentiles(void **state)
{
	static const double percents[] = { 0.01, 1, 25, 50, 90, 99, 99.9, 99.99, 100 };
	static uint64_t values[VALUES];
	static struct hist h;
	struct rng rng = rng_new(1, 2);
	double sum = 0;
	size_t i;

	(void)state;
	for (i = 0; i < VALUES; i++) {
		values[i] = rng_next(&rng) >> (20 + rng_below(&rng, 40));
		hist_add(&h, values[i]);
		sum += (double)values[i];
	}
	qsort(values, VALUES, sizeof(values[0]), compare);
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		size_t rank = (size_t)ceil(VALUES * percents[i] / 100 - 1e-6);
		double want = (double)values[rank - 1];
		double is = (double)hist_percentile(&h, percents[i]);

		assert_true(is >= want && is <= want * 1.01);
	}
	assert_int_equal(h.count, VALUES);
	assert_int_equal(h.min, values[0]);
	assert_int_equal(h.max, values[VALUES - 1]);
	assert_int_equal(hist_percentile(&h, 100), values[VALUES - 1]);
	assert_true(fabs(hist_mean(&h) - sum / VALUES) < sum / VALUES * 1e-9);
}

static void merged(void **state)
{
	static struct hist a, b, both, empty;
	uint64_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		hist_add(i % 3 ? &a : &b, i * i + 10);
		hist_add(&both, i * i + 10);
	}
	hist_merge(&a, &empty);
	hist_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
	hist_merge(&empty, &both);
	assert_memory_equal(&empty, &both, sizeof(both));
}

static void nothing_in_it(void **state)
{
	static struct hist h;

	(void)state;
	assert_int_equal(hist_percentile(&h, 99), 0);
	assert_true(hist_mean(&h) == 0);
}

/* ---- keys ---- */

#define N	20
#define DRAWS	200000

/*
 * The squared differences from @share, which adds up to 1, by what is expected: for this many
 * classes above 60 once in a million times, and the draws are the same each time.
 */
static void check_shares(const unsigned int *drawn, const double *share)
{
	double chi = 0, want;
	unsigned int i;

	for (i = 0; i < N; i++) {
		want = share[i] * DRAWS;
		chi += ((double)drawn[i] - want) * ((double)drawn[i] - want) / want;
	}
	if (chi > 60)
		print_message("chi squared is %.1f\n", chi);
	assert_true(chi < 60);
}

static void zipf_shares(void **state)
{
	static const double thetas[] = { 0.01, 0.5, 0.99, 1, 1.0000001, 1.5, 3 };
	size_t t;

	(void)state;
	for (t = 0; t < sizeof(thetas) / sizeof(thetas[0]); t++) {
		unsigned int drawn[N] = { 0 }, i;
		struct rng rng = rng_new(7, t);
		double share[N], sum = 0;
		struct zipf z;

		zipf_init(&z, N, thetas[t]);
		for (i = 0; i < N; i++)
			sum += share[i] = pow(i + 1, -thetas[t]);
		for (i = 0; i < N; i++)
			share[i] /= sum;
		for (i = 0; i < DRAWS; i++) {
			uint64_t k = zipf_next(&z, &rng);

			assert_true(k < N);
			drawn[k]++;
		}
		check_shares(drawn, share);
	}
}

static void zipf_of_many(void **state)
{
	struct rng rng = rng_new(1, 1);
	unsigned int i, first = 0;
	uint64_t k, most = 0;
	struct zipf z;

	(void)state;
	zipf_init(&z, 1000000000, 0.99);
	for (i = 0; i < DRAWS; i++) {
		k = zipf_next(&z, &rng);
		assert_true(k < z.n);
		first += !k;
		most = k > most ? k : most;
	}
	/* 1 in 23.6 is the first, as the sum of the billion says, and some are far away. */
	assert_in_range(first, DRAWS / 25, DRAWS / 22);
	assert_true(most > 900000000);
}

static void zipf_of_one(void **state)
{
	struct rng rng = rng_new(1, 1);
	struct zipf z;
	int i;

	(void)state;
	zipf_init(&z, 1, 0.99);
	for (i = 0; i < 100; i++)
		assert_int_equal(zipf_next(&z, &rng), 0);
}

static void uniform_shares(void **state)
{
	struct rng rng = rng_new(3, 0);
	unsigned int drawn[N] = { 0 }, i;
	double share[N];

	(void)state;
	for (i = 0; i < N; i++)
		share[i] = 1.0 / N;
	for (i = 0; i < DRAWS; i++)
		drawn[rng_below(&rng, N)]++;
	check_shares(drawn, share);
}

static void seeds_differ(void **state)
{
	struct rng a = rng_new(1, 0), again = rng_new(1, 0), b = rng_new(1, 1), c = rng_new(2, 0);
	int i, same = 0;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint64_t x = rng_next(&a);

		assert_int_equal(x, rng_next(&again));
		same += x == rng_next(&b);
		same += x == rng_next(&c);
	}
	assert_int_equal(same, 0);
}

/* ---- arrivals ---- */

static void fixed_arrivals(void **state)
{
	struct arrivals a;
	uint64_t i;

	(void)state;
	arrivals_init(&a, rng_new(1, 1), 1000.5, false, 250);
	for (i = 0; i < 10000; i++)
		assert_int_equal(arrivals_next(&a), (uint64_t)(250 + 1000.5 * (double)i));
}

/* Gaps that are exponential have a deviation as large as their mean, and 1/e of them are longer. */
static void poisson_arrivals(void **state)
{
	double gap, sum = 0, squares = 0;
	uint64_t at, before = 0;
	struct arrivals a;
	int i, longer = 0;

	(void)state;
	arrivals_init(&a, rng_new(1, 1), 50000, true, 0);
	for (i = 0; i < DRAWS; i++) {
		at = arrivals_next(&a);
		assert_true(at >= before);
		gap = (double)(at - before);
		sum += gap;
		squares += gap * gap;
		longer += gap > 50000;
		before = at;
	}
	sum /= DRAWS;
	assert_true(fabs(sum - 50000) < 500);
	assert_true(fabs(sqrt(squares / DRAWS - sum * sum) - 50000) < 1000);
	assert_true(fabs((double)longer / DRAWS - exp(-1)) < 0.005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_narrow),
		cmocka_unit_test(buckets_leave_no_gap),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(merged),
		cmocka_unit_test(nothing_in_it),
		cmocka_unit_test(zipf_shares),
		cmocka_unit_test(zipf_of_many),
		cmocka_unit_test(zipf_of_one),
		cmocka_unit_test(uniform_shares),
		cmocka_unit_test(seeds_differ),
		cmocka_unit_test(fixed_arrivals),
		cmocka_unit_test(poisson_arrivals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
