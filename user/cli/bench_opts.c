// SPDX-License-Identifier: GPL-2.0
/*
 * The options of carom bench.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/carom.h>
#include "bench.h"

enum {
	KEY_FORMAT = 0x100,
	KEY_DB,
	KEY_BACKEND,
	KEY_THREADS,
	KEY_DEPTH,
	KEY_DURATION,
	KEY_COUNT,
	KEY_WARM_UP,
	KEY_KEYS,
	KEY_SAMPLE,
	KEY_RATE,
	KEY_ARRIVALS,
	KEY_SEED,
	KEY_OUTPUT,
};

static const struct argp_option options[] = {
	{ "format", KEY_FORMAT, "FORMAT", 0, "Format of FILE: lmdb (default: found out)", 0 },
	{ "db", KEY_DB, "NAME", 0, "Named database inside FILE (default: the main one)", 0 },
	{ "backend", KEY_BACKEND, "LIST", 0,
	  "Backends, see below, or all (default: pread,io_uring,kernel,kernel-async)", 0 },
	{ "threads", KEY_THREADS, "LIST", 0, "Threads (default: 1)", 0 },
	{ "queue-depth", KEY_DEPTH, "LIST", 0,
	  "Lookups in flight in each thread (default: 1), where there can be several", 0 },
	{ "duration", KEY_DURATION, "SECONDS", 0, "How long to measure (default: 10)", 0 },
	{ "count", KEY_COUNT, "N", 0, "Instead: how many lookups, of all threads together", 0 },
	{ "warm-up", KEY_WARM_UP, "SECONDS", 0, "How long before that (default: 1)", 0 },
	{ "keys", KEY_KEYS, "WHICH", 0,
	  "uniform (default), zipf or zipf:THETA (default: 0.99) of those in the database, or "
	  "file:PATH, one a line", 0 },
	{ "sample", KEY_SAMPLE, "N", 0,
	  "Keys taken from the database at most, at random (default: 1000000)", 0 },
	{ "rate", KEY_RATE, "N", 0,
	  "Begin N lookups a second, of all threads together, whatever becomes of the others "
	  "(open loop); latencies count from when a lookup was to begin", 0 },
	{ "arrivals", KEY_ARRIVALS, "HOW", 0, "With --rate: poisson (default) or fixed", 0 },
	{ "seed", KEY_SEED, "N", 0, "Of all that is random (default: 1)", 0 },
	{ "output", KEY_OUTPUT, "PATH", 0, "Write the JSON document there, too", 0 },
	CLI_OPTION_JSON,
	{ 0 },
};

struct parser {
	struct cli *cli;
	struct bench_opts *opts;
};

/* ---- numbers ---- */

static error_t bad(struct parser *p, const char *option, const char *arg, const char *want)
{
	return cli_usage(p->cli, "--%s %.64s: %s is expected", option, arg, want);
}

static error_t parse_number(struct parser *p, const char *option, const char *arg, double least,
			    double *to)
{
	char *end;

	*to = strtod(arg, &end);
	if (end != arg && !*end && isfinite(*to) && *to >= least && *to <= 1e12)
		return 0;
	return bad(p, option, arg, least > 0 ? "a number above 0" : "a number from 0 on");
}

static error_t parse_count(struct parser *p, const char *option, const char *arg, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(arg, &end, 10);
	if (end != arg && !*end && !errno && arg[0] != '-' && *to)
		return 0;
	return bad(p, option, arg, "a whole number above 0");
}

/* ---- lists ---- */

/* Calls @add for each part of @arg, which commas separate. */
static error_t parse_list(struct parser *p, const char *arg,
			  error_t (*add)(struct parser *p, const char *part))
{
	char *copy = strdup(arg), *rest = copy, *part;
	error_t ret = copy ? 0 : ENOMEM;

	while (!ret && (part = strsep(&rest, ",")))
		ret = add(p, part);
	free(copy);
	return ret;
}

static error_t add_number(struct parser *p, const char *option, const char *part, unsigned int most,
			  unsigned int *list, unsigned int *nr)
{
	char want[64];
	uint64_t value;

	if (parse_count(p, option, part, &value) || value > most) {
		snprintf(want, sizeof(want), "a whole number from 1 to %u", most);
		return bad(p, option, part, want);
	}
	if (*nr == BENCH_MAX_LIST)
		return cli_usage(p->cli, "--%s: more than %d", option, BENCH_MAX_LIST);
	list[(*nr)++] = (unsigned int)value;
	return 0;
}

static error_t add_threads(struct parser *p, const char *part)
{
	return add_number(p, "threads", part, BENCH_MAX_THREADS, p->opts->threads,
			  &p->opts->nr_threads);
}

static error_t add_depth(struct parser *p, const char *part)
{
	return add_number(p, "queue-depth", part, CAROM_MAX_SLOTS - 1, p->opts->depths,
			  &p->opts->nr_depths);
}

static error_t add_backend(struct parser *p, const char *part)
{
	bool all = !strcmp(part, "all"), found = all;
	struct bench_opts *opts = p->opts;
	unsigned int i;

	for (i = 0; bench_backends[i]; i++) {
		if (!all && strcmp(bench_backends[i]->name, part))
			continue;
		if (opts->nr_backends == BENCH_MAX_LIST)
			return cli_usage(p->cli, "--backend: more than %d", BENCH_MAX_LIST);
		opts->backends[opts->nr_backends++] = bench_backends[i];
		found = true;
	}
	return found ? 0 : cli_usage(p->cli, "--backend: no backend %.64s", part);
}

/* ---- the others ---- */

static error_t parse_keys(struct parser *p, const char *arg)
{
	struct bench_opts *opts = p->opts;

	if (!strcmp(arg, "uniform")) {
		opts->choice = BENCH_UNIFORM;
		return 0;
	}
	if (!strcmp(arg, "zipf") || !strncmp(arg, "zipf:", 5)) {
		opts->choice = BENCH_ZIPF;
		opts->theta = 0.99;
		if (arg[4] && (parse_number(p, "keys", arg + 5, 0.01, &opts->theta) ||
			       opts->theta > 10))
			return bad(p, "keys", arg, "zipf:THETA with THETA from 0.01 to 10");
		return 0;
	}
	if (strncmp(arg, "file:", 5) || !arg[5])
		return bad(p, "keys", arg, "uniform, zipf, zipf:THETA or file:PATH");
	opts->choice = BENCH_FILE;
	opts->key_file = arg + 5;
	return 0;
}

static const char *const arrivals[] = { "poisson", "fixed" };

static error_t parse_arrivals(struct parser *p, const char *arg)
{
	p->opts->poisson = !strcmp(arg, arrivals[0]);
	if (p->opts->poisson || !strcmp(arg, arrivals[1]))
		return 0;
	return bad(p, "arrivals", arg, "poisson or fixed");
}

static error_t parse_seed(struct parser *p, const char *arg)
{
	char *end;

	errno = 0;
	p->opts->seed = strtoull(arg, &end, 0);
	if (end != arg && !*end && !errno && arg[0] != '-')
		return 0;
	return bad(p, "seed", arg, "a whole number");
}

static error_t parse_end(struct parser *p)
{
	struct bench_opts *opts = p->opts;
	error_t ret = 0;

	if (!opts->path)
		return cli_usage(p->cli, "FILE is missing");
	if (opts->count && opts->duration > 0)
		return cli_usage(p->cli, "--count and --duration: only one of them");
	if (!opts->count && !(opts->duration > 0))
		opts->duration = 10;
	if (!opts->nr_backends)
		ret = parse_list(p, "pread,io_uring,kernel,kernel-async", add_backend);
	if (!ret && !opts->nr_threads)
		ret = add_threads(p, "1");
	if (!ret && !opts->nr_depths)
		ret = add_depth(p, "1");
	return ret;
}

static error_t parse_what(struct parser *p, int key, char *arg)
{
	struct bench_opts *opts = p->opts;

	switch (key) {
	case KEY_FORMAT:
		opts->index.format = arg;
		return 0;
	case KEY_DB:
		opts->index.db = arg;
		return 0;
	case KEY_BACKEND:
		return parse_list(p, arg, add_backend);
	case KEY_THREADS:
		return parse_list(p, arg, add_threads);
	case KEY_DEPTH:
		return parse_list(p, arg, add_depth);
	case KEY_KEYS:
		return parse_keys(p, arg);
	case KEY_SAMPLE:
		return parse_count(p, "sample", arg, &opts->sample);
	case KEY_SEED:
		return parse_seed(p, arg);
	case KEY_OUTPUT:
		opts->output = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parser *p = state->input;

	switch (key) {
	case KEY_DURATION:
		return parse_number(p, "duration", arg, 1e-3, &p->opts->duration);
	case KEY_COUNT:
		return parse_count(p, "count", arg, &p->opts->count);
	case KEY_WARM_UP:
		return parse_number(p, "warm-up", arg, 0, &p->opts->warm_up);
	case KEY_RATE:
		return parse_number(p, "rate", arg, 1e-3, &p->opts->rate);
	case KEY_ARRIVALS:
		return parse_arrivals(p, arg);
	case CLI_KEY_JSON:
		p->cli->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (p->opts->path)
			return cli_usage(p->cli, "more than one FILE");
		p->opts->path = arg;
		return 0;
	case ARGP_KEY_END:
		return parse_end(p);
	default:
		return parse_what(p, key, arg);
	}
}

/* The part of the help behind the options: \v, then the backends. */
static char *help_filter(int key, const char *text, void *input)
{
	size_t len = 0;
	char *out;
	FILE *to;
	int i;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	to = open_memstream(&out, &len);
	if (!to)
		return (char *)text;
	fputs("Backends:\n", to);
	for (i = 0; bench_backends[i]; i++)
		fprintf(to, "  %-16s %s\n", bench_backends[i]->name, bench_backends[i]->text);
	fprintf(to, "\n%s", text);
	fclose(to);
	return out;
}

static const char *format_word(unsigned int i)
{
	return i ? NULL : "lmdb";
}

static const char *backend_word(unsigned int i)
{
	if (!i)
		return "all";
	return bench_backends[i - 1] ? bench_backends[i - 1]->name : NULL;
}

static const char *keys_word(unsigned int i)
{
	static const char *const words[] = { "uniform", "zipf", "file:", NULL };

	return words[i];
}

static const char *arrivals_word(unsigned int i)
{
	return i < 2 ? arrivals[i] : NULL;
}

const struct cli_arg bench_args[] = {
	{ .kind = CLI_KIND_WORD, .key = KEY_FORMAT, .word = format_word },
	{ .kind = CLI_KIND_LIST, .key = KEY_BACKEND, .word = backend_word },
	{ .kind = CLI_KIND_WORD, .key = KEY_KEYS, .word = keys_word },
	{ .kind = CLI_KIND_WORD, .key = KEY_ARRIVALS, .word = arrivals_word },
	{ .kind = CLI_KIND_FILE, .key = KEY_OUTPUT },
	{ .kind = CLI_KIND_FILE, .nth = 1 },
	{ 0 },
};

const struct argp bench_argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Measure lookups of keys in an index file, by one backend after the other.\v"
	       "Exit status: 0, 2 usage, 3 FILE is not of the format or damaged, 4 no backend "
	       "works here, 5 I/O error, or a lookup that failed or was answered wrongly.",
	.help_filter = help_filter,
};

int bench_opts_parse(struct cli *cli, struct bench_opts *opts, int argc, char **argv)
{
	struct parser p = { .cli = cli, .opts = opts };

	*opts = (struct bench_opts) {
		.index = { .sz = sizeof(opts->index) },
		.theta = 0.99, .sample = 1000000, .warm_up = 1, .poisson = true, .seed = 1,
	};
	return cli_parse(cli, &bench_argp, argc, argv, &p);
}
