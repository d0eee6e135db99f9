// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "bench_random.h"

#define GOLDEN	0x9e3779b97f4a7c15ULL

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += GOLDEN;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

struct rng rng_new(uint64_t seed, uint64_t stream)
{
	struct rng rng = { .state = seed };

	/* Hashed, or one stream would be another a few steps later. */
	rng.state = rng_next(&rng) ^ stream;
	rng.state = rng_next(&rng);
	return rng;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)rng_next(rng) * n) >> 64);
}

double rng_unit(struct rng *rng)
{
	return (double)((rng_next(rng) >> 11) + 1) * 0x1p-53;
}

/* ---- zipf ---- */

/* The density, its integral from 1 on, and the inverse of that. */
static double zipf_h(const struct zipf *z, double x)
{
	return exp(-z->theta * log(x));
}

static double zipf_integral(const struct zipf *z, double x)
{
	double one = 1 - z->theta;

	return fabs(one) < 1e-9 ? log(x) : expm1(one * log(x)) / one;
}

static double zipf_inverse(const struct zipf *z, double y)
{
	double one = 1 - z->theta;

	return fabs(one) < 1e-9 ? exp(y) : exp(log1p(y * one) / one);
}

void zipf_init(struct zipf *z, uint64_t n, double theta)
{
	*z = (struct zipf){ .n = n, .theta = theta };
	z->low = zipf_integral(z, 1.5) - 1;
	z->high = zipf_integral(z, (double)n + 0.5);
	z->sure = 2 - zipf_inverse(z, zipf_integral(z, 2.5) - zipf_h(z, 2));
}

uint64_t zipf_next(const struct zipf *z, struct rng *rng)
{
	double u, x, k;

	for (;;) {
		u = z->high + rng_unit(rng) * (z->low - z->high);
		x = zipf_inverse(z, u);
		k = fmin(fmax(floor(x + 0.5), 1), (double)z->n);
		if (k - x <= z->sure || u >= zipf_integral(z, k + 0.5) - zipf_h(z, k))
			return (uint64_t)k - 1;
	}
}

/* ---- arrivals ---- */

static double arrivals_gap(struct arrivals *a)
{
	return a->poisson ? -log(rng_unit(&a->rng)) * a->gap_ns : a->gap_ns;
}

void arrivals_init(struct arrivals *a, struct rng rng, double gap_ns, bool poisson,
		   double lead_ns)
{
	*a = (struct arrivals){ .rng = rng, .gap_ns = gap_ns, .poisson = poisson };
	a->at = poisson ? arrivals_gap(a) : lead_ns;
}

uint64_t arrivals_next(struct arrivals *a)
{
	uint64_t at = (uint64_t)a->at;

	a->at += arrivals_gap(a);
	return at;
}
