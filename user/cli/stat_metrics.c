// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics as OpenMetrics text. Totals only: sessions come and go, and who scrapes may
 * not be one who may know the names of their files.
 */
#include <inttypes.h>
#include "lib.h"
#include "stat.h"

static void family(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void counter(FILE *to, const char *name, const char *help, uint64_t value)
{
	family(to, name, "counter", help);
	fprintf(to, "%s_total %" PRIu64 "\n", name, value);
}

static void gauge(FILE *to, const char *name, const char *help, uint64_t value)
{
	family(to, name, "gauge", help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

static void put_ends(FILE *to, const struct stat_counts *c)
{
	unsigned int end;

	family(to, "carom_lookups", "counter", "Lookups that have ended in the kernel, by how.");
	for (end = CAROM_END_DONE; end < CAROM_END_NR; end++)
		fprintf(to, "carom_lookups_total{end=\"%s\"} %" PRIu64 "\n", carom_end_name(end),
			c->ends[end]);
}

static void put_refusals(FILE *to, const struct stat_sample *s)
{
	unsigned int i;

	family(to, "carom_refusals", "counter", "Sessions that were not made, by reason.");
	for (i = 0; i < CAROM_REFUSED_NR; i++)
		fprintf(to, "carom_refusals_total{reason=\"%s\"} %" PRIu64 "\n",
			stat_refusal_name(i), s->refused[i]);
}

/* Nanoseconds as seconds, exactly. */
static void put_seconds(FILE *to, uint64_t ns)
{
	fprintf(to, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
}

/*
 * A bucket of the module's does not have its upper end in it, one of OpenMetrics does;
 * what lies between is less than a nanosecond. The last has no end.
 */
static void put_latency(FILE *to, const struct stat_counts *c)
{
	const char *name = "carom_lookup_duration_seconds";
	uint64_t sum = 0;
	unsigned int i;

	family(to, name, "histogram", "Time that lookups took, while it is measured.");
	fprintf(to, "# UNIT %s seconds\n", name);
	for (i = 0; i + 1 < c->nr_latency; i++) {
		sum += c->latency[i];
		fprintf(to, "%s_bucket{le=\"", name);
		put_seconds(to, (2ULL << i) - 1);
		fprintf(to, "\"} %" PRIu64 "\n", sum);
	}
	fprintf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_count %" PRIu64 "\n%s_sum ", name,
		stat_timed(c), name, stat_timed(c), name);
	put_seconds(to, c->latency_ns);
	fputc('\n', to);
}

void stat_metrics(FILE *to, const struct stat_sample *s)
{
	gauge(to, "carom_module_loaded", "Whether carom.ko is there, with statistics.", s != NULL);
	if (s) {
		gauge(to, "carom_walkers", "Walkers that are loaded.", s->walkers);
		gauge(to, "carom_sessions", "Sessions that are open.", s->open);
		counter(to, "carom_sessions_opened", "Sessions that were made.", s->opened);
		put_refusals(to, s);
		put_ends(to, &s->counts);
		counter(to, "carom_hops", "Nodes that walkers have seen.", s->counts.hops);
		counter(to, "carom_resubmits", "Reads sent from the completion path.",
			s->counts.resubmits);
		counter(to, "carom_yields", "Times that a chain went back to its caller.",
			s->counts.yields);
		counter(to, "carom_polls", "Lookups that were polled.", s->counts.polls);
		counter(to, "carom_fallbacks", "Lookups that libcarom carries on in user space.",
			stat_fallbacks(&s->counts));
		put_latency(to, &s->counts);
	}
	fputs("# EOF\n", to);
}
