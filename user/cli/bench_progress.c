// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>
#include "bench.h"

static bool shown;

static void print_goal(const struct bench_opts *opts, bool warm_up)
{
	if (!warm_up && opts->count)
		fprintf(stderr, "%llu", (unsigned long long)opts->count);
	else
		fprintf(stderr, "%g s", warm_up ? opts->warm_up : opts->duration);
}

void bench_progress(const struct bench_run *run, const char *phase, double seconds,
		    uint64_t lookups)
{
	bool warm_up = phase[0] == 'w';

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%u of %u: %s, %u thread%s, %u in flight, %s: ", run->number,
		run->of, run->be->name, run->threads, run->threads == 1 ? "" : "s", run->depth,
		phase);
	if (!warm_up && run->opts->count)
		fprintf(stderr, "%llu of ", (unsigned long long)lookups);
	else
		fprintf(stderr, "%.0f of ", seconds);
	print_goal(run->opts, warm_up);
	fprintf(stderr, ", %.0f lookups/s", seconds > 0 ? (double)lookups / seconds : 0);
	fflush(stderr);
	shown = true;
}

void bench_progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}
