// SPDX-License-Identifier: GPL-2.0
/*
 * What came of the runs: a table for people, a document for programs. tools/plot reads the latter.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/printbuf.h>
#include "bench.h"

static const struct {
	const char *name;
	double percent;
} percentiles[] = {
	{ "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 }, { "p99.99", 99.99 },
};
#define NR_PERCENTILES	(sizeof(percentiles) / sizeof(percentiles[0]))

static double per_second(const struct bench_run *run, uint64_t n)
{
	return run->wall_ns ? (double)n * 1e9 / (double)run->wall_ns : 0;
}

static double per_lookup(const struct bench_run *run, uint64_t n)
{
	return run->totals.lookups ? (double)n / (double)run->totals.lookups : 0;
}

/* Do all nodes come from the device? liblmdb does not count them, and the page cache has some. */
static bool counts_reads(const struct bench_run *run)
{
	return run->be->direct || run->be->index == CAROM_BACKEND_KERNEL;
}

static bool counts_hops(const struct bench_run *run)
{
	return !(run->be->flags & BENCH_MMAP);
}

/* ---- the table ---- */

static const char *choice_name(const struct bench_opts *opts)
{
	switch (opts->choice) {
	case BENCH_UNIFORM:
		return "uniform";
	case BENCH_ZIPF:
		return "zipf";
	case BENCH_FILE:
		return "file";
	}
	return "";
}

static void print_keys(const struct bench_opts *opts, const struct bench_keys *keys)
{
	printf("%s, depth %u; ", opts->path, keys->depth);
	if (opts->choice == BENCH_FILE)
		printf("%zu keys of %s", keys->nr, opts->key_file);
	else if (keys->nr < keys->entries)
		printf("%zu of %llu keys", keys->nr, (unsigned long long)keys->entries);
	else
		printf("%zu keys", keys->nr);
	printf(", %s", opts->choice == BENCH_ZIPF ? "zipf" : "uniform");
	if (opts->choice == BENCH_ZIPF)
		printf(" with theta %g", opts->theta);
	printf(", seed %llu\n", (unsigned long long)opts->seed);
}

void bench_report_head(const struct bench_opts *opts, const struct bench_keys *keys)
{
	size_t i;

	print_keys(opts, keys);
	if (opts->count)
		printf("%llu lookups each", (unsigned long long)opts->count);
	else
		printf("%g s each", opts->duration);
	printf(" after %g s of warm-up, ", opts->warm_up);
	if (opts->rate > 0)
		printf("open loop, %g a second, %s arrivals; latency from the intended arrival",
		       opts->rate, opts->poisson ? "poisson" : "fixed");
	else
		printf("closed loop");
	printf("\n\n%-16s %7s %4s %10s %10s %9s", "us", "threads", "qd", "lookups/s", "IOPS",
	       "mean");
	for (i = 0; i < NR_PERCENTILES; i++)
		printf(" %9s", percentiles[i].name);
	printf(" %9s %8s %6s %8s %7s\n", "max", "CPU", "hops", "misses", "errors");
	fflush(stdout);
}

static void print_notes(const struct bench_run *run)
{
	const struct bench_totals *t = &run->totals;

	if (t->wrong)
		printf("  %llu wrong answers\n", (unsigned long long)t->wrong);
	if (run->why[0] && (t->wrong || t->errors))
		printf("  %s\n", run->why);
	/* A few are on their way at any rate. */
	if (t->unstarted > t->lookups / 100)
		printf("  the rate was not reached: %llu lookups had not begun when the time was over\n",
		       (unsigned long long)t->unstarted);
	if (t->stats.fallbacks)
		printf("  %llu lookups were carried on in user space, the last because of: %s\n",
		       (unsigned long long)t->stats.fallbacks,
		       t->stats.last_abort ? t->stats.last_abort : "unknown");
}

void bench_report_row(const struct bench_run *run)
{
	const struct bench_totals *t = &run->totals;
	size_t i;

	printf("%-16s %7u %4u", run->be->name, run->threads, run->depth);
	if (run->reason[0]) {
		printf(" skipped: %s\n", run->reason);
		fflush(stdout);
		return;
	}
	printf(" %10.0f", per_second(run, t->lookups));
	if (counts_reads(run))
		printf(" %10.0f", per_second(run, t->stats.hops));
	else
		printf(" %10s", "-");
	printf(" %9.1f", hist_mean(&t->hist) / 1e3);
	for (i = 0; i < NR_PERCENTILES; i++)
		printf(" %9.1f",
		       (double)hist_percentile(&t->hist, percentiles[i].percent) / 1e3);
	printf(" %9.1f %8.2f", (double)t->hist.max / 1e3, per_lookup(run, run->cpu_ns) / 1e3);
	if (counts_hops(run))
		printf(" %6.2f", per_lookup(run, t->stats.hops));
	else
		printf(" %6s", "-");
	printf(" %8llu %7llu\n", (unsigned long long)t->misses,
	       (unsigned long long)(t->errors + t->wrong));
	print_notes(run);
	fflush(stdout);
}

void bench_report_end(const struct bench_opts *opts)
{
	if (bench_machine_emulated(opts->path))
		puts("\nCPU or device is emulated: none of these times says anything about hardware.");
}

/* ---- the document ---- */

static void add_uint(struct json_object *obj, const char *name, uint64_t value)
{
	json_object_object_add(obj, name, json_object_new_uint64(value));
}

static void add_double(struct json_object *obj, const char *name, double value)
{
	json_object_object_add(obj, name, json_object_new_double(value));
}

static struct json_object *numbers(const unsigned int *list, unsigned int nr)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < nr; i++)
		json_object_array_add(array, json_object_new_int((int)list[i]));
	return array;
}

static void add_arrivals(struct json_object *obj, const struct bench_opts *opts)
{
	bool open_loop = opts->rate > 0;

	json_object_object_add(obj, "loop", json_object_new_string(open_loop ? "open" : "closed"));
	json_object_object_add(obj, "rate", open_loop ? json_object_new_double(opts->rate) : NULL);
	json_object_object_add(obj, "arrivals", !open_loop ? NULL :
			       json_object_new_string(opts->poisson ? "poisson" : "fixed"));
}

struct json_object *bench_report_options(const struct bench_opts *opts,
					 const struct bench_keys *keys)
{
	struct json_object *obj = json_object_new_object(), *names = json_object_new_array();
	unsigned int i;

	for (i = 0; i < opts->nr_backends; i++)
		json_object_array_add(names, json_object_new_string(opts->backends[i]->name));
	json_object_object_add(obj, "file",
			       cli_json_bytes(opts->path, strlen(opts->path), false));
	json_object_object_add(obj, "db", cli_json_text(opts->index.db));
	json_object_object_add(obj, "backends", names);
	json_object_object_add(obj, "threads", numbers(opts->threads, opts->nr_threads));
	json_object_object_add(obj, "queue_depths", numbers(opts->depths, opts->nr_depths));
	json_object_object_add(obj, "keys", json_object_new_string(choice_name(opts)));
	json_object_object_add(obj, "theta", opts->choice == BENCH_ZIPF ?
			       json_object_new_double(opts->theta) : NULL);
	json_object_object_add(obj, "key_file", cli_json_text(opts->key_file));
	add_uint(obj, "distinct_keys", keys->nr);
	add_uint(obj, "entries", keys->entries);
	json_object_object_add(obj, "duration", opts->count ? NULL :
			       json_object_new_double(opts->duration));
	json_object_object_add(obj, "count", opts->count ?
			       json_object_new_uint64(opts->count) : NULL);
	add_double(obj, "warm_up", opts->warm_up);
	add_arrivals(obj, opts);
	add_uint(obj, "seed", opts->seed);
	return obj;
}

/* On one line, although the rest of the document is not. */
static int bucket_print(struct json_object *bucket, struct printbuf *to, int level, int flags)
{
	uint64_t part[3];
	size_t i;

	(void)level;
	(void)flags;
	for (i = 0; i < 3; i++)
		part[i] = json_object_get_uint64(json_object_array_get_idx(bucket, i));
	return sprintbuf(to, "[%llu,%llu,%llu]", (unsigned long long)part[0],
			 (unsigned long long)part[1], (unsigned long long)part[2]);
}

/* Those that are not empty, as [first value, last value, count]. */
static struct json_object *histogram(const struct hist *h)
{
	struct json_object *obj = json_object_new_object(), *list = json_object_new_array();
	struct json_object *bucket;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		if (!h->buckets[i])
			continue;
		bucket = json_object_new_array();
		json_object_array_add(bucket, json_object_new_uint64(hist_first(i)));
		json_object_array_add(bucket, json_object_new_uint64(hist_last(i)));
		json_object_array_add(bucket, json_object_new_uint64(h->buckets[i]));
		json_object_set_serializer(bucket, bucket_print, NULL, NULL);
		json_object_array_add(list, bucket);
	}
	json_object_object_add(obj, "unit", json_object_new_string("ns"));
	add_uint(obj, "count", h->count);
	add_uint(obj, "min", h->min);
	add_uint(obj, "max", h->max);
	add_uint(obj, "sum", h->sum);
	json_object_object_add(obj, "buckets", list);
	return obj;
}

static struct json_object *latency(const struct hist *h)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	add_double(obj, "mean", hist_mean(h) / 1e3);
	add_double(obj, "min", (double)h->min / 1e3);
	for (i = 0; i < NR_PERCENTILES; i++)
		add_double(obj, percentiles[i].name,
			   (double)hist_percentile(h, percentiles[i].percent) / 1e3);
	add_double(obj, "max", (double)h->max / 1e3);
	return obj;
}

static void add_counts(struct json_object *obj, const struct bench_run *run)
{
	const struct bench_totals *t = &run->totals;

	add_uint(obj, "lookups", t->lookups);
	add_uint(obj, "misses", t->misses);
	add_uint(obj, "wrong", t->wrong);
	add_uint(obj, "errors", t->errors);
	add_uint(obj, "unstarted", t->unstarted);
	json_object_object_add(obj, "error", run->why[0] ? cli_json_text(run->why) : NULL);
	add_uint(obj, "fallbacks", t->stats.fallbacks);
	json_object_object_add(obj, "last_abort", cli_json_text(t->stats.last_abort));
}

static void add_figures(struct json_object *obj, const struct bench_run *run)
{
	const struct bench_totals *t = &run->totals;

	add_double(obj, "seconds", (double)run->wall_ns / 1e9);
	add_double(obj, "lookups_per_second", per_second(run, t->lookups));
	json_object_object_add(obj, "iops", !counts_reads(run) ? NULL :
			       json_object_new_double(per_second(run, t->stats.hops)));
	json_object_object_add(obj, "hops_per_lookup", !counts_hops(run) ? NULL :
			       json_object_new_double(per_lookup(run, t->stats.hops)));
	json_object_object_add(obj, "kernel_hops_per_lookup", !counts_hops(run) ? NULL :
			       json_object_new_double(per_lookup(run, t->stats.kernel_hops)));
	json_object_object_add(obj, "major_faults_per_lookup", counts_hops(run) ? NULL :
			       json_object_new_double(per_lookup(run, t->major_faults)));
	add_double(obj, "cpu_us_per_lookup", per_lookup(run, run->cpu_ns) / 1e3);
	add_double(obj, "user_us_per_lookup", per_lookup(run, run->user_ns) / 1e3);
	add_double(obj, "system_us_per_lookup", per_lookup(run, run->system_ns) / 1e3);
	json_object_object_add(obj, "latency_us", latency(&t->hist));
	json_object_object_add(obj, "histogram", histogram(&t->hist));
}

struct json_object *bench_report_result(const struct bench_run *run)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "backend", json_object_new_string(run->be->name));
	json_object_object_add(obj, "depth", json_object_new_int((int)run->keys->depth));
	json_object_object_add(obj, "threads", json_object_new_int((int)run->threads));
	json_object_object_add(obj, "queue_depth", json_object_new_int((int)run->depth));
	if (run->reason[0]) {
		json_object_object_add(obj, "skipped", cli_json_text(run->reason));
		return obj;
	}
	add_counts(obj, run);
	add_figures(obj, run);
	return obj;
}
