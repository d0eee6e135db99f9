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
#include "integer.h"
#include "rows.h"

enum {
	KEY_FORMAT = 0x100,
	KEY_DB,
	KEY_TABLE,
	KEY_INDEX,
	KEY_LITERALS,
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
	{ "format", KEY_FORMAT, "FORMAT", 0,
	  "Format of FILE: lmdb or sqlite (default: found out)", 0 },
	{ "db", KEY_DB, "NAME", 0, "lmdb: named database inside FILE (default: the main one)", 0 },
	{ "table", KEY_TABLE, "NAME", 0, "sqlite: the table", 0 },
	{ "index", KEY_INDEX, "NAME", 0,
	  "sqlite: keys are columns of this index (default: rowids, or the primary key)", 0 },
	{ "literals", KEY_LITERALS, NULL, 0,
	  "sqlite: keys are written as in SQL: 1, 2.5, 'text', x'00ff', NULL", 0 },
	{ "from", KEY_FROM, "KEY", 0, "The least key that counts", 1 },
	{ "to", KEY_TO, "KEY", 0, "The least key that is too great: keys before it count", 1 },
	{ "prefix", KEY_PREFIX, "BYTES", 0, "What keys begin with; sqlite: with which columns", 1 },
	{ "limit", KEY_LIMIT, "N", 0, "Entries at most", 1 },
	{ "reverse", KEY_REVERSE, NULL, 0, "Begin with the greatest key", 1 },
	{ "keys", KEY_KEYS, NULL, 0, "lmdb: print keys only", 2 },
	{ "values", KEY_VALUES, NULL, 0, "lmdb: print values only", 2 },
	{ "separator", KEY_SEPARATOR, "TEXT", 0,
	  "Between key and value (default: a tab), or columns (default: |)", 2 },
	{ "hex", KEY_HEX, NULL, 0, "Keys and values are hex", 2 },
	{ "count", KEY_COUNT, NULL, 0, "Instead: how many entries there are", 3 },
	{ "totals", KEY_TOTALS, "TYPE|COLUMN", 0,
	  "Instead: count, sum, least and greatest of a column's integers, or of values that are "
	  "some: u8, i8, or u or i, 16, 32 or 64, and le or be: u32le, say", 3 },
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
 * @of: of which integers, or column
 * @rows: what keys and values are made of, if they are not bytes
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
	const char *of;
	bool hex;
	bool stats;
	struct carom_index *ix;
	struct carom_scan *scan;
	struct rows rows;
	struct json_object *doc;
	struct json_object *entries;
};

/* ---- options ---- */

static int take_integer(struct scan *s, const char *name)
{
	s->opts.integer = integer_find(name);
	if (s->opts.integer)
		return 0;
	return cli_fail(&s->cli, CLI_USAGE,
			"--totals %.64s: u8, i8, u16le, i16be, u32le, ... is expected", name);
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
	case KEY_TABLE:
		s->index_opts.table = arg;
		return 0;
	case KEY_INDEX:
		s->index_opts.index = arg;
		return 0;
	case KEY_LITERALS:
		s->rows.literals = true;
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
		s->totals = true;
		s->of = arg;
		return 0;
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

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_WORD, .key = KEY_FORMAT, .word = cli_format_word },
	{ .kind = CLI_KIND_WORD, .key = KEY_BACKEND, .word = cli_backend_word },
	{ .kind = CLI_KIND_WORD, .key = KEY_TOTALS, .word = integer_word },
	{ .kind = CLI_KIND_FILE, .nth = 1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Print the entries of an index file, or the rows of a table, in the order of their "
	       "keys, or what their values come to.\v"
	       "Exit status: 0 done, 2 usage, 3 FILE is not of the format or damaged, 4 the "
	       "backend does not work here, 5 I/O error.",
};

/* ---- keys ---- */

static int take_columns(struct scan *s, const char *option, const char *text,
			const void **key, size_t *len, void **copy)
{
	char msg[600];

	if (rows_key(&s->rows, text, strlen(text), copy, len, msg, sizeof(msg)))
		return cli_fail(&s->cli, CLI_USAGE, "--%s: %s", option, msg);
	*key = *copy;
	return 0;
}

/* The key that @text stands for; *@copy is to be freed. */
static int take_key(struct scan *s, const char *option, const char *text,
		    const void **key, size_t *len, void **copy)
{
	if (!text)
		return 0;
	if (s->rows.nr)
		return take_columns(s, option, text, key, len, copy);
	*key = text;
	*len = strlen(text);
	if (!s->hex)
		return 0;
	*key = *copy = cli_parse_hex(text, *len, len);
	if (*key)
		return 0;
	return cli_fail(&s->cli, CLI_USAGE, "--%s %.64s: not hex (an even number of digits)",
			option, text);
}

/* What the options mean depends on the format. */
static int take_format(struct scan *s)
{
	if (s->of && s->rows.nr)
		s->opts.column = s->of;
	if (s->of && !s->rows.nr)
		return take_integer(s, s->of);
	if (s->rows.nr && (s->keys || s->values))
		return cli_fail(&s->cli, CLI_USAGE, "--keys and --values: rows have columns; "
				"leave them out");
	if (!s->keys && !s->values)
		s->keys = s->values = true;
	return 0;
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

static void show_number(const struct scan *s, const char *name, uint64_t v)
{
	if (s->cli.json)
		json_object_object_add(s->doc, name, json_object_new_uint64(v));
	else
		printf("%s\t%llu\n", name, (unsigned long long)v);
}

static void show_totals(struct scan *s, const struct carom_totals *t)
{
	char sum[48], min[24], max[24];

	show_number(s, "count", t->count);
	if (s->opts.column)
		show_number(s, "values", t->values);
	if (!s->of)
		return;
	integer_sum_text(t, sum, sizeof(sum));
	integer_text(s->opts.integer, t->min, min, sizeof(min));
	integer_text(s->opts.integer, t->max, max, sizeof(max));
	if (!s->cli.json) {
		printf("sum\t%s\n", sum);
		if (t->values)
			printf("min\t%s\nmax\t%s\n", min, max);
		return;
	}
	/* Too large for most who read JSON numbers. */
	json_object_object_add(s->doc, "sum", json_object_new_string(sum));
	json_object_object_add(s->doc, "min", t->values ? json_object_new_string(min) : NULL);
	json_object_object_add(s->doc, "max", t->values ? json_object_new_string(max) : NULL);
}

static void show_stats(const struct scan *s)
{
	struct carom_reader_stats st;

	carom_scan__stats(s->scan, &st, sizeof(st));
	if (s->cli.json) {
		json_object_object_add(s->doc, "stats", cli_json_stats(&st, "chains"));
		return;
	}
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
	json_object_object_add(s->doc, s->rows.nr ? "rows" : "entries", s->entries);
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

static int scan_rows(struct scan *s, struct carom_error *err)
{
	struct carom_value val;
	int ret;

	while (!(ret = carom_scan__next(s->scan, NULL, &val)))
		if (rows_show(&s->rows, &val, s->entries, err))
			return err->code;
	if (ret < 0)
		*err = *carom_scan__error(s->scan);
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
	struct carom_error err;
	int ret;

	if (s->cli.json)
		begin_doc(s);
	if (s->rows.nr && !s->totals) {
		ret = scan_rows(s, &err);
	} else {
		ret = s->totals ? scan_totals(s) : scan_entries(s);
		err = *carom_scan__error(s->scan);
	}
	if (s->stats)
		show_stats(s);
	if (ret < 0)
		return cli_fail_in(&s->cli, s->doc, cli_exit_of(err.fault), err.text);
	return s->cli.json ? cli_doc_print(s->doc, CLI_OK) : cli_flush(CLI_OK);
}

static int new_scan(struct scan *s)
{
	void *copies[3] = { 0 };
	struct carom_error err;
	int ret, i;

	ret = take_format(s);
	if (!ret)
		ret = take_key(s, "from", s->from, &s->opts.from, &s->opts.from_len, &copies[0]);
	if (!ret)
		ret = take_key(s, "to", s->to, &s->opts.to, &s->opts.to_len, &copies[1]);
	if (!ret)
		ret = take_key(s, "prefix", s->prefix, &s->opts.prefix, &s->opts.prefix_len,
			       &copies[2]);
	if (!ret && carom_scan__new(s->ix, &s->opts, &s->scan, &err))
		ret = cli_fail(&s->cli, cli_exit_of(err.fault), "%s", err.text);
	for (i = 0; i < 3; i++)
		free(copies[i]);
	return ret;
}

static int open_and_run(struct scan *s)
{
	struct carom_error err;
	int ret;

	if (carom_index__open(s->path, &s->index_opts, &s->ix, &err))
		return cli_fail(&s->cli, cli_exit_of(err.fault), "%s", err.text);
	s->rows.ix = s->ix;
	s->rows.hex = s->hex;
	s->rows.separator = s->separator ? s->separator : "|";
	if (!s->separator)
		s->separator = "\t";
	if (rows_init(&s->rows))
		ret = cli_fail(&s->cli, CLI_IO, "out of memory");
	else
		ret = new_scan(s);
	if (!ret)
		ret = run(s);
	rows_exit(&s->rows);
	carom_scan__free(s->scan);
	carom_index__close(s->ix);
	return ret;
}

static int run_scan(int argc, char **argv)
{
	struct scan s = {
		.cli.name = "carom scan",
		.index_opts = { .sz = sizeof(s.index_opts), .max_readers = 2, .max_in_flight = 1 },
		.opts.sz = sizeof(s.opts),
	};
	int ret = cli_parse(&s.cli, &argp, argc, argv, &s);

	return ret ? ret : open_and_run(&s);
}

const struct cli_command cmd_scan = {
	.name = "scan",
	.run = run_scan,
	.text = "print or add up the entries in a range of keys",
	.argp = &argp,
	.args = args,
};
