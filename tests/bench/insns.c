// SPDX-License-Identifier: GPL-2.0
#include "insns.h"

/* What reading a count leaves to be freed later is done after that. */
#define SETTLE_US	20000

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int carom_insns_quartile(void (*lookup)(void *ctx, unsigned int i), void *ctx, unsigned int n,
			 double *insns)
{
	uint64_t *all = calloc(n, sizeof(*all));
	unsigned int i;
	int err = 0;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		usleep(SETTLE_US);
		carom_insns_begin();
		lookup(ctx, i);
		carom_insns_end();
		err = carom_insns_read(&all[i]);
	}
	qsort(all, n, sizeof(*all), by_value);
	*insns = (double)all[n / 4];
	free(all);
	return err;
}
