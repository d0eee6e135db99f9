// SPDX-License-Identifier: GPL-2.0
/*
 * carom scan: the entries of a range, or what their values come to.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

enum {
	KEY_FORMAT = 0x100,
	KEY_DB,
	KEY_FROM,
	KEY_TO,
	KEY_PREFIX,
	KEY_LIMIT,
	KEY_REVERSE,
	KEY_KEYS,
	KEY_VALUES,
	KEY_SEPARATOR,
	KEY_COUNT,
	KEY_TOTALS,
	KEY_BACKEND,
	KEY_DIRECT,
	KEY_STATS,
	KEY_HEX,
};

static const struct argp_option options[] = {
	{ "format", KEY_FORMAT, "FORMAT", 0, "Format of FILE: lmdb, which is the only one", 0 },
	{ "db", KEY_DB, "NAME", 0, "Named database inside FILE (default: the main one)", 0 },
	{ "from", KEY_FROM, "KEY", 0, "The least key that counts", 1 },
	{ "to", KEY_TO, "KEY", 0, "The least key that is too great: keys before it count", 1 },
	{ "prefix", KEY_PREFIX, "BYTES", 0, "What keys begin with", 1 },
	{ "limit", KEY_LIMIT, "N", 0, "Entries at most", 1 },
	{ "reverse", KEY_REVERSE, NULL, 0, "Begin with the greatest key", 1 },
	{ "keys", KEY_KEYS, NULL, 0, "Print keys only", 2 },
	{ "values", KEY_VALUES, NULL, 0, "Print values only", 2 },
	{ "separator", KEY_SEPARATOR, "TEXT", 0, "Between key and value (default: a tab)", 2 },
	{ "hex", KEY_HEX, NULL, 0, "Keys and values are hex", 2 },
	{ "count", KEY_COUNT, NULL, 0, "Instead: how many entries there are", 3 },
	{ "totals", KEY_TOTALS, "TYPE", 0,
	  "Instead: count, sum, least and greatest of values that are integers: u8, i8, or u or "
	  "i, 16, 32 or 64, and le or be: u32le, say", 3 },
	{ "backend", KEY_BACKEND, "BACKEND", 0,
	  "auto, kernel, io_uring or pread (default: auto, the first that works)", 4 },
	{ "direct", KEY_DIRECT, NULL, 0, "io_uring and pread bypass the page cache", 4 },
	{ "stats", KEY_STATS, NULL, 0, "Say which backend did what, on standard error", 4 },
	CLI_OPTION_JSON,
	{ 0 },
};

/**
 * struct scan - one run of carom scan
 * @from, @to, @prefix: as they were typed
 * @keys: print them
 * @values: likewise
 * @totals: print those instead
 * @entries: of the document
 */
struct scan {
	struct cli cli;
	struct carom_index_opts index_opts;
	struct carom_scan_opts opts;
	const char *path;
	const char *from;
	const char *to;
	const char *prefix;
	const char *separator;
	bool keys;
	bool values;
	bool totals;
	bool hex;
	bool stats;
	struct carom_index *ix;
	struct carom_scan *scan;
	struct json_object *doc;
	struct json_object *entries;
};

/* ---- options ---- */

static error_t parse_integer(struct scan *s, const char *name)
{
	static const char *const names[] = {
		[CAROM_INTEGER_U8] = "u8", [CAROM_INTEGER_I8] = "i8",
		[CAROM_INTEGER_U16LE] = "u16le", [CAROM_INTEGER_I16LE] = "i16le",
		[CAROM_INTEGER_U16BE] = "u16be", [CAROM_INTEGER_I16BE] = "i16be",
		[CAROM_INTEGER_U32LE] = "u32le", [CAROM_INTEGER_I32LE] = "i32le",
		[CAROM_INTEGER_U32BE] = "u32be", [CAROM_INTEGER_I32BE] = "i32be",
		[CAROM_INTEGER_U64LE] = "u64le", [CAROM_INTEGER_I64LE] = "i64le",
		[CAROM_INTEGER_U64BE] = "u64be", [CAROM_INTEGER_I64BE] = "i64be",
	};
	enum carom_integer i;

	s->totals = true;
	for (i = CAROM_INTEGER_U8; i <= CAROM_INTEGER_I64BE; i++) {
		if (!strcmp(names[i], name)) {
			s->opts.integer = i;
			return 0;
		}
	}
	return cli_usage(&s->cli, "--totals %.64s: u8, i8, u16le, i16be, u32le, ... is expected",
			 name);
}

static error_t parse_limit(struct scan *s, const char *text)
{
	char *end;

	errno = 0;
	s->opts.limit = strtoull(text, &end, 10);
	if (end != text && !*end && !errno && text[0] != '-' && s->opts.limit)
		return 0;
	return cli_usage(&s->cli, "--limit %.64s: a whole number above 0 is expected", text);
}

static error_t parse_end(const struct scan *s, struct cli *cli)
{
	if (!s->path)
		return cli_usage(cli, "FILE is missing");
	if (strcmp(s->index_opts.format, "lmdb"))
		return cli_usage(cli, "--format %.64s: only lmdb can be scanned",
				 s->index_opts.format);
	if (s->totals && (s->keys || s->values))
		return cli_usage(cli, "--count and --totals print no entries; leave --keys and "
				 "--values out");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct scan *s = state->input;

	switch (key) {
	case KEY_FORMAT:
		s->index_opts.format = arg;
		return 0;
	case KEY_DB:
		s->index_opts.db = arg;
		return 0;
	case KEY_FROM:
		s->from = arg;
		return 0;
	case KEY_TO:
		s->to = arg;
		return 0;
	case KEY_PREFIX:
		s->prefix = arg;
		return 0;
	case KEY_LIMIT:
		return parse_limit(s, arg);
	case KEY_REVERSE:
		s->opts.reverse = true;
		return 0;
	case KEY_KEYS:
		s->keys = true;
		return 0;
	case KEY_VALUES:
		s->values = true;
		return 0;
	case KEY_SEPARATOR:
		s->separator = arg;
		return 0;
	case KEY_HEX:
		s->hex = true;
		return 0;
	case KEY_COUNT:
		s->totals = true;
		return 0;
	case KEY_TOTALS:
		return parse_integer(s, arg);
	case KEY_BACKEND:
		return cli_parse_backend(&s->cli, arg, &s->index_opts.backend);
	case KEY_DIRECT:
		s->index_opts.direct = true;
		return 0;
	case KEY_STATS:
		s->stats = true;
		return 0;
	case CLI_KEY_JSON:
		s->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return ARGP_ERR_UNKNOWN;
		s->path = arg;
		return 0;
	case ARGP_KEY_END:
		return parse_end(s, &s->cli);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Print the entries of an index file in the order of their keys, or what their "
	       "values come to.\v"
	       "Exit status: 0 done, 2 usage, 3 FILE is not of the format or damaged, 4 the "
	       "backend does not work here, 5 I/O error.",
};

/* ---- keys ---- */

/* The bytes that @text stands for; *@copy is to be freed. NULL: it is not hex. */
static const void *key_bytes(const struct scan *s, const char *text, size_t *len, void **copy)
{
	*len = strlen(text);
	if (!s->hex)
		return text;
	*copy = cli_parse_hex(text, *len, len);
	return *copy;
}

static int take_key(const struct scan *s, const char *option, const char *text,
		    const void **key, size_t *len, void **copy)
{
	if (!text)
		return 0;
	*key = key_bytes(s, text, len, copy);
	if (*key)
		return 0;
	return cli_fail(&s->cli, CLI_USAGE, "--%s %.64s: not hex (an even number of digits)",
			option, text);
}

/* ---- output ---- */

static void show_json(struct scan *s, const struct carom_value *key,
		      const struct carom_value *val)
{
	struct json_object *obj = json_object_new_object();

	if (s->keys)
		json_object_object_add(obj, "key", cli_json_bytes(key->data, key->len, s->hex));
	if (s->values)
		json_object_object_add(obj, "value",
				       cli_json_bytes(val->data, val->len, s->hex));
	json_object_array_add(s->entries, obj);
}

static void show_bytes(const struct scan *s, const struct carom_value *v)
{
	if (s->hex)
		cli_print_hex(v->data, v->len);
	else
		fwrite(v->data, 1, v->len, stdout);
}

static void show(struct scan *s, const struct carom_value *key, const struct carom_value *val)
{
	if (s->cli.json) {
		show_json(s, key, val);
		return;
	}
	if (s->keys)
		show_bytes(s, key);
	if (s->keys && s->values)
		fputs(s->separator, stdout);
	if (s->values)
		show_bytes(s, val);
	putchar('\n');
}

/* A two's complement integer of 128 bits, in decimal. */
static void sum_text(const struct carom_totals *t, char *text, size_t size)
{
	unsigned __int128 sum = (unsigned __int128)t->sum_high << 64 | t->sum_low;
	bool negative = t->sum_high < 0;
	char digits[48], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	if (negative)
		sum = -sum;
	do {
		*--p = (char)('0' + (int)(sum % 10));
		sum /= 10;
	} while (sum);
	snprintf(text, size, "%s%s", negative ? "-" : "", p);
}

/* As @t has it: of unsigned integers every other one. */
static void number_text(const struct scan *s, int64_t v, char *text, size_t size)
{
	if (s->opts.integer % 2)
		snprintf(text, size, "%llu", (unsigned long long)v);
	else
		snprintf(text, size, "%lld", (long long)v);
}

static void show_totals(struct scan *s, const struct carom_totals *t)
{
	char sum[48], min[24], max[24];

	if (s->cli.json)
		json_object_object_add(s->doc, "count", json_object_new_uint64(t->count));
	else
		printf("count\t%llu\n", (unsigned long long)t->count);
	if (!s->opts.integer)
		return;
	sum_text(t, sum, sizeof(sum));
	number_text(s, t->min, min, sizeof(min));
	number_text(s, t->max, max, sizeof(max));
	if (!s->cli.json) {
		printf("sum\t%s\n", sum);
		if (t->count)
			printf("min\t%s\nmax\t%s\n", min, max);
		return;
	}
	/* Too large for most who read JSON numbers. */
	json_object_object_add(s->doc, "sum", json_object_new_string(sum));
	json_object_object_add(s->doc, "min", t->count ? json_object_new_string(min) : NULL);
	json_object_object_add(s->doc, "max", t->count ? json_object_new_string(max) : NULL);
}

static void show_stats(const struct scan *s)
{
	struct carom_reader_stats st;

	carom_scan__stats(s->scan, &st, sizeof(st));
	fprintf(stderr, "backend: %s\nwhy: %s\nchains: %llu\nhops: %llu\nkernel hops: %llu\n"
		"fallbacks: %llu%s%s\n", carom_backend__name(carom_scan__backend(s->scan)),
		carom_scan__why(s->scan), (unsigned long long)st.lookups,
		(unsigned long long)st.hops, (unsigned long long)st.kernel_hops,
		(unsigned long long)st.fallbacks, st.last_abort ? ", last: " : "",
		st.last_abort ? st.last_abort : "");
}

static void begin_doc(struct scan *s)
{
	s->doc = cli_doc(&s->cli);
	json_object_object_add(s->doc, "file", cli_json_bytes(s->path, strlen(s->path), false));
	json_object_object_add(s->doc, "format",
			       json_object_new_string(carom_index__format(s->ix)));
	json_object_object_add(s->doc, "backend", json_object_new_string(
			       carom_backend__name(carom_scan__backend(s->scan))));
	json_object_object_add(s->doc, "why", cli_json_text(carom_scan__why(s->scan)));
	if (s->totals)
		return;
	s->entries = json_object_new_array();
	json_object_object_add(s->doc, "entries", s->entries);
}

/* ---- the scan ---- */

static int scan_entries(struct scan *s)
{
	struct carom_value key, val;
	int ret;

	while (!(ret = carom_scan__next(s->scan, &key, s->values ? &val : NULL)))
		show(s, &key, &val);
	return ret;
}

static int scan_totals(struct scan *s)
{
	struct carom_totals totals;
	int ret = carom_scan__totals(s->scan, &totals);

	if (!ret)
		show_totals(s, &totals);
	return ret;
}

static int run(struct scan *s)
{
	const struct carom_error *err = carom_scan__error(s->scan);
	int ret;

	if (s->cli.json)
		begin_doc(s);
	ret = s->totals ? scan_totals(s) : scan_entries(s);
	if (s->stats)
		show_stats(s);
	if (ret < 0)
		return cli_fail_in(&s->cli, s->doc, cli_exit_of(err->fault), err->text);
	return s->cli.json ? cli_doc_print(s->doc, CLI_OK) : cli_flush(CLI_OK);
}

static int open_and_run(struct scan *s)
{
	struct carom_error err;
	int ret;

	if (carom_index__open(s->path, &s->index_opts, &s->ix, &err) ||
	    carom_scan__new(s->ix, &s->opts, &s->scan, &err))
		ret = cli_fail(&s->cli, cli_exit_of(err.fault), "%s", err.text);
	else
		ret = run(s);
	carom_scan__free(s->scan);
	carom_index__close(s->ix);
	return ret;
}

int cmd_scan(int argc, char **argv)
{
	struct scan s = {
		.cli.name = "carom scan",
		.index_opts = { .sz = sizeof(s.index_opts), .format = "lmdb", .max_readers = 2,
				.max_in_flight = 1 },
		.opts.sz = sizeof(s.opts),
		.separator = "\t",
	};
	void *copies[3] = { 0 };
	int ret = cli_parse(&s.cli, &argp, argc, argv, &s);

	if (ret)
		return ret;
	if (!s.keys && !s.values)
		s.keys = s.values = true;
	ret = take_key(&s, "from", s.from, &s.opts.from, &s.opts.from_len, &copies[0]);
	if (!ret)
		ret = take_key(&s, "to", s.to, &s.opts.to, &s.opts.to_len, &copies[1]);
	if (!ret)
		ret = take_key(&s, "prefix", s.prefix, &s.opts.prefix, &s.opts.prefix_len,
			       &copies[2]);
	if (!ret)
		ret = open_and_run(&s);
	free(copies[0]);
	free(copies[1]);
	free(copies[2]);
	return ret;
}
