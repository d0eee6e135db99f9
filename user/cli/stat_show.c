// SPDX-License-Identifier: GPL-2.0
/* Statistics as text for people, and as a document for programs. */
#include <inttypes.h>
#include <string.h>
#include "lib.h"
#include "stat.h"

/* ---- JSON ---- */

static struct json_object *number(uint64_t n)
{
	return json_object_new_uint64(n);
}

static struct json_object *latency_json(const struct stat_counts *c)
{
	uint64_t timed = stat_timed(c);
	struct json_object *obj, *list, *bucket;
	unsigned int i;

	if (!timed)
		return NULL;
	obj = json_object_new_object();
	json_object_object_add(obj, "count", number(timed));
	json_object_object_add(obj, "sum_ns", number(c->latency_ns));
	json_object_object_add(obj, "p50_ns", number(stat_percentile(c, 50)));
	json_object_object_add(obj, "p90_ns", number(stat_percentile(c, 90)));
	json_object_object_add(obj, "p99_ns", number(stat_percentile(c, 99)));
	json_object_object_add(obj, "p999_ns", number(stat_percentile(c, 99.9)));
	list = json_object_new_array();
	for (i = 0; i < c->nr_latency; i++) {
		if (!c->latency[i])
			continue;
		bucket = json_object_new_array();
		json_object_array_add(bucket, number(i ? 1ULL << i : 0));
		json_object_array_add(bucket, number((2ULL << i) - 1));
		json_object_array_add(bucket, number(c->latency[i]));
		json_object_array_add(list, bucket);
	}
	json_object_object_add(obj, "buckets", list);
	return obj;
}

static void counts_json(struct json_object *obj, const struct stat_counts *c)
{
	struct json_object *ends = json_object_new_object();
	unsigned int end;

	json_object_object_add(obj, "lookups", number(c->lookups));
	json_object_object_add(obj, "hops", number(c->hops));
	json_object_object_add(obj, "resubmits", number(c->resubmits));
	json_object_object_add(obj, "yields", number(c->yields));
	json_object_object_add(obj, "polls", number(c->polls));
	json_object_object_add(obj, "aborts", number(stat_aborts(c)));
	json_object_object_add(obj, "fallbacks", number(stat_fallbacks(c)));
	for (end = CAROM_END_DONE; end < CAROM_END_NR; end++)
		json_object_object_add(ends, carom_end_name(end), number(c->ends[end]));
	json_object_object_add(obj, "ends", ends);
	json_object_object_add(obj, "latency", latency_json(c));
}

static struct json_object *session_json(const struct stat_session *ss)
{
	struct json_object *obj = json_object_new_object();
	const char *file = ss->file ? ss->file : "";

	json_object_object_add(obj, "session", number(ss->id));
	json_object_object_add(obj, "pid", json_object_new_int(ss->pid));
	json_object_object_add(obj, "process", cli_json_text(ss->comm));
	json_object_object_add(obj, "processes", number(ss->processes));
	json_object_object_add(obj, "file", cli_json_bytes(file, strlen(file), false));
	json_object_object_add(obj, "device", cli_json_text(ss->dev));
	json_object_object_add(obj, "walker", ss->walker[0] ? cli_json_text(ss->walker) : NULL);
	json_object_object_add(obj, "node_bytes", number(ss->node_size));
	json_object_object_add(obj, "slots", number(ss->slots));
	json_object_object_add(obj, "busy", number(ss->busy));
	json_object_object_add(obj, "max_hops", number(ss->max_hops));
	json_object_object_add(obj, "deadline_ms", number(ss->deadline_ms));
	counts_json(obj, &ss->counts);
	return obj;
}

struct json_object *stat_json(const struct cli *cli, const struct stat_sample *s)
{
	struct json_object *doc = cli_doc(cli), *obj = json_object_new_object();
	size_t i;

	json_object_object_add(doc, "walkers", number(s->walkers));
	json_object_object_add(doc, "sessions_open", number(s->open));
	json_object_object_add(doc, "sessions_opened", number(s->opened));
	json_object_object_add(doc, "latency_measured", json_object_new_boolean(s->timed));
	for (i = 0; i < CAROM_REFUSED_NR; i++)
		if (s->refused[i])
			json_object_object_add(obj, stat_refusal_name((unsigned int)i),
					       number(s->refused[i]));
	json_object_object_add(doc, "refused", obj);
	obj = json_object_new_object();
	counts_json(obj, &s->counts);
	json_object_object_add(doc, "total", obj);
	obj = json_object_new_array();
	for (i = 0; i < s->nr_sessions; i++)
		json_object_array_add(obj, session_json(&s->sessions[i]));
	json_object_object_add(doc, "sessions", obj);
	return doc;
}

/* ---- text ---- */

/* Names are others' words: none of them may move the cursor. */
static void put_name(FILE *to, const char *name, int width)
{
	const unsigned char *s = (const unsigned char *)name;
	int n = 0;

	for (; *s && (!width || n < width); s++, n++) {
		/* C1 characters have a code of two bytes in UTF-8. */
		if (*s < ' ' || *s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
			fputc('?', to);
		else
			fputc(*s, to);
	}
	fprintf(to, "%*s", width > n ? width - n : 0, "");
}

static void put_time(FILE *to, uint64_t ns)
{
	if (!ns)
		fprintf(to, " %8s", "-");
	else if (ns < 10000)
		fprintf(to, " %6" PRIu64 "ns", ns);
	else if (ns < 10000000)
		fprintf(to, " %6" PRIu64 "us", ns / 1000);
	else
		fprintf(to, " %6" PRIu64 "ms", ns / 1000000);
}

static void put_counts(FILE *to, const struct stat_counts *c, double seconds)
{
	fprintf(to, " %10.0f %11.0f %6.2f %8.0f %7" PRIu64 " %9" PRIu64,
		(double)c->lookups / seconds, (double)c->hops / seconds,
		c->lookups ? (double)c->hops / (double)c->lookups : 0,
		(double)c->ends[CAROM_END_MISS] / seconds, stat_aborts(c), stat_fallbacks(c));
	put_time(to, stat_percentile(c, 50));
	put_time(to, stat_percentile(c, 99));
}

static const struct stat_session *same_session(const struct stat_sample *old, uint64_t id)
{
	size_t i;

	for (i = 0; old && i < old->nr_sessions; i++)
		if (old->sessions[i].id == id)
			return &old->sessions[i];
	return NULL;
}

static void put_session(FILE *to, const struct stat_session *ss, const struct stat_sample *old,
			double seconds)
{
	static const struct stat_counts none;
	const struct stat_session *before = same_session(old, ss->id);
	struct stat_counts c = stat_since(&ss->counts, before ? &before->counts : &none);
	char slots[48];

	snprintf(slots, sizeof(slots), "%" PRIu64 "/%" PRIu64, ss->busy, ss->slots);
	fprintf(to, "%7" PRIu64 " %7d ", ss->id, ss->pid);
	put_name(to, ss->comm, 15);
	fputc(' ', to);
	put_name(to, ss->walker[0] ? ss->walker : "-", 14);
	fprintf(to, " %9s", slots);
	put_counts(to, &c, seconds);
	fputc(' ', to);
	put_name(to, ss->file ? ss->file : "?", 0);
	fputc('\n', to);
}

/* "aborts: deadline 3, io 1", if there were any. */
static void put_aborts(FILE *to, const struct stat_counts *c)
{
	const char *between = "aborts: ";
	unsigned int end;

	for (end = CAROM_END_WALKER; end < CAROM_END_NR; end++) {
		if (!c->ends[end])
			continue;
		fprintf(to, "%s%s %" PRIu64, between, carom_end_name(end), c->ends[end]);
		between = ", ";
	}
	if (between[0] == ',')
		fputc('\n', to);
}

static void put_head(FILE *to, const struct stat_sample *s)
{
	const char *between = ": ";
	unsigned int i;

	fprintf(to, "%" PRIu64 " session%s open, %" PRIu64 " opened, %" PRIu64 " walker%s, %"
		PRIu64 " refused", s->open, s->open == 1 ? "" : "s", s->opened, s->walkers,
		s->walkers == 1 ? "" : "s", stat_refusals(s));
	for (i = 0; i < CAROM_REFUSED_NR; i++) {
		if (!s->refused[i])
			continue;
		fprintf(to, "%s%s %" PRIu64, between, stat_refusal_name(i), s->refused[i]);
		between = ", ";
	}
	fputc('\n', to);
}

static void put_foot(FILE *to, const struct stat_sample *s)
{
	if (s->nr_sessions < s->open)
		fprintf(to, "%" PRIu64 " of the sessions cannot be seen: of others, or nobody has "
			"their descriptor in a table\n", s->open - s->nr_sessions);
	if (!s->timed)
		fputs("latencies are not measured; as root: "
		      "echo 1 >/sys/module/carom/parameters/latency\n", to);
}

void stat_text(FILE *to, const struct stat_sample *s, const struct stat_sample *old,
	       unsigned int rows)
{
	static const struct stat_counts none;
	struct stat_counts total = stat_since(&s->counts, old ? &old->counts : &none);
	double seconds = old && s->seconds > old->seconds ? s->seconds - old->seconds : 1;
	const char *per = old ? "/s" : "";
	/* Around the sessions: head, titles, total, aborts, and two lines at the foot. */
	size_t room = rows > 6 ? rows - 6 : 1, i;

	put_head(to, s);
	fprintf(to, "%7s %7s %-15s %-14s %9s %8s%2s %9s%2s %6s %6s%2s %7s %9s %8s %8s %s\n",
		"SESSION", "PID", "COMMAND", "WALKER", "SLOTS", "LOOKUPS", per, "HOPS", per,
		"HOPS/L", "MISS", per, "ABORTS", "FALLBACKS", "P50", "P99", "FILE");
	for (i = 0; i < s->nr_sessions && i < room; i++)
		put_session(to, &s->sessions[i], old, seconds);
	fprintf(to, "%-56s", old ? "all" : "all, and those that are closed");
	put_counts(to, &total, seconds);
	fputc('\n', to);
	put_aborts(to, &total);
	put_foot(to, s);
}
