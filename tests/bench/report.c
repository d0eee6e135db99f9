// SPDX-License-Identifier: GPL-2.0
/* What came of the backends: a table, a document for programs, and whether it is within limits. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

static bool measured(const struct report *r, unsigned int depth)
{
	return r->depths & 1u << depth;
}

/* The least and the greatest depth that was measured. Returns false if they are the same. */
static bool range(const struct report *r, unsigned int *low, unsigned int *high)
{
	*low = (unsigned int)__builtin_ctz(r->depths);
	*high = 31 - (unsigned int)__builtin_clz(r->depths);
	return *low < *high;
}

static double hop_cost(const struct report *r, const struct row *row)
{
	unsigned int low, high;

	range(r, &low, &high);
	return (row->insns[high] - row->insns[low]) / (high - low);
}

static double fixed_cost(const struct report *r, const struct row *row)
{
	unsigned int low, high;

	range(r, &low, &high);
	return row->insns[low] - low * hop_cost(r, row);
}

/* --- the table --- */

void report_head(const struct report *r)
{
	unsigned int depth, low, high;

	printf("guest instructions per lookup, %d-byte nodes, trivial walker, I/O scheduler %s\n",
	       CHASE_NODE_SIZE, r->scheduler);
	printf("%-16s", "depth");
	for (depth = 1; depth <= MAX_DEPTH; depth++) {
		if (measured(r, depth))
			printf(" %7u", depth);
	}
	if (range(r, &low, &high))
		printf(" %7s %7s", "fixed", "per hop");
	printf("\n");
}

void report_row(const struct report *r, const struct row *row)
{
	unsigned int depth, low, high;

	printf("%-16s", row->be->name);
	if (row->outcome != RAN) {
		printf(" %s: %s\n", row->outcome == SKIPPED ? "skipped" : "failed", row->why);
		return;
	}
	for (depth = 1; depth <= MAX_DEPTH; depth++) {
		if (measured(r, depth))
			printf(" %7.0f", row->insns[depth]);
	}
	if (range(r, &low, &high))
		printf(" %7.0f %7.0f", fixed_cost(r, row), hop_cost(r, row));
	printf("\n");
}

/* --- the document --- */

static void add_insns(const struct report *r, const struct row *row, json_object *entry)
{
	json_object *insns = json_object_new_array();
	unsigned int depth;

	for (depth = 1; depth <= MAX_DEPTH; depth++)
		json_object_array_add(insns, measured(r, depth) ?
				      json_object_new_double(row->insns[depth]) : NULL);
	json_object_object_add(entry, "insns", insns);
}

static json_object *row_json(const struct report *r, const struct row *row)
{
	json_object *entry = json_object_new_object();
	unsigned int low, high;

	if (row->outcome != RAN) {
		json_object_object_add(entry, "skipped", json_object_new_string(row->why));
		return entry;
	}
	if (range(r, &low, &high)) {
		json_object_object_add(entry, "fixed", json_object_new_double(fixed_cost(r, row)));
		json_object_object_add(entry, "hop", json_object_new_double(hop_cost(r, row)));
	}
	add_insns(r, row, entry);
	json_object_object_add(entry, "batch", json_object_new_int((int)row->be->batch));
	json_object_object_add(entry, "measurements", json_object_new_int((int)row->measurements));
	return entry;
}

static json_object *report_document(const struct report *r)
{
	json_object *doc = json_object_new_object(), *rows = json_object_new_object();
	struct utsname name = { .release = "" };
	unsigned int i;

	uname(&name);
	for (i = 0; i < r->nr; i++)
		json_object_object_add(rows, r->rows[i].be->name, row_json(r, &r->rows[i]));
	json_object_object_add(doc, "backends", rows);
	json_object_object_add(doc, "node_size", json_object_new_int(CHASE_NODE_SIZE));
	json_object_object_add(doc, "kernel", json_object_new_string(name.release));
	json_object_object_add(doc, "cpus",
			       json_object_new_int((int)sysconf(_SC_NPROCESSORS_ONLN)));
	return doc;
}

int report_json(const struct report *r, const char *path)
{
	json_object *doc = report_document(r);
	int err;

	err = json_object_to_file_ext(path, doc, JSON_C_TO_STRING_PRETTY);
	if (err)
		fprintf(stderr, "%s: %s\n", path, json_util_get_last_err());
	json_object_put(doc);
	return err ? -EIO : 0;
}

/* --- limits --- */

static int parse_number(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end == text || *end || !(*number >= 0) ? -EINVAL : 0;
}

static unsigned int parse_what(const char *text)
{
	unsigned int depth;
	char name[8];

	if (!strcmp(text, "fixed"))
		return LIMIT_FIXED;
	if (!strcmp(text, "hop"))
		return LIMIT_HOP;
	for (depth = 1; depth <= MAX_DEPTH; depth++) {
		snprintf(name, sizeof(name), "depth%u", depth);
		if (!strcmp(text, name))
			return depth;
	}
	return 0;
}

/* Takes @text apart. */
static int parse_term(struct limit_term *term, char *text)
{
	char *what, *factor;

	if (!parse_number(text, &term->factor))
		return 0;
	term->factor = 1;
	what = strchr(text, '.');
	if (!what)
		return -EINVAL;
	*what++ = '\0';
	factor = strchr(what, '*');
	if (factor) {
		*factor++ = '\0';
		if (parse_number(factor, &term->factor))
			return -EINVAL;
	}
	term->be = bench_find(text);
	term->depth = parse_what(what);
	return term->be && term->depth ? 0 : -EINVAL;
}

int limit_parse(struct limit *limit, const char *text)
{
	char copy[128], *most;

	*limit = (struct limit) { .text = text };
	snprintf(copy, sizeof(copy), "%s", text);
	most = strstr(copy, "<=");
	if (!most)
		return -EINVAL;
	*most = '\0';
	return parse_term(&limit->what, copy) ?: parse_term(&limit->most, most + 2);
}

static const struct row *find_row(const struct report *r, const struct backend *be)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		if (r->rows[i].be == be)
			return &r->rows[i];
	}
	return NULL;
}

static double figure(const struct report *r, const struct row *row, unsigned int depth)
{
	if (depth == LIMIT_FIXED)
		return fixed_cost(r, row);
	if (depth == LIMIT_HOP)
		return hop_cost(r, row);
	return row->insns[depth];
}

/* Why there is no figure, or NULL. */
static const char *lacking(const struct report *r, const struct limit_term *term)
{
	const struct row *row = term->be ? find_row(r, term->be) : NULL;
	unsigned int low, high;

	if (!term->be)
		return NULL;
	if (!row)
		return "has not run";
	if (row->outcome != RAN)
		return row->why;
	if (term->depth > MAX_DEPTH ? range(r, &low, &high) : measured(r, term->depth))
		return NULL;
	return "has not run at that depth";
}

static double term_value(const struct report *r, const struct limit_term *term)
{
	if (!term->be)
		return term->factor;
	return figure(r, find_row(r, term->be), term->depth) * term->factor;
}

bool limit_holds(const struct limit *limit, const struct report *r)
{
	const struct limit_term *terms[] = { &limit->what, &limit->most };
	const char *lacks;
	double is, most;
	int i;

	for (i = 0; i < 2; i++) {
		lacks = lacking(r, terms[i]);
		if (!lacks)
			continue;
		fprintf(stderr, "limit %s: %s: %s\n", limit->text, terms[i]->be->name, lacks);
		return false;
	}
	is = term_value(r, &limit->what);
	most = term_value(r, &limit->most);
	if (is <= most)
		return true;
	fprintf(stderr, "limit %s: it is %.0f, and may be %.0f\n", limit->text, is, most);
	return false;
}
