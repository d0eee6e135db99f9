// SPDX-License-Identifier: GPL-2.0
/*
 * carom get: values of keys, in order.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "batch.h"
#include "cli.h"
#include "rows.h"

enum {
	KEY_FORMAT = 0x100,
	KEY_DB,
	KEY_TABLE,
	KEY_INDEX,
	KEY_LITERALS,
	KEY_SEPARATOR,
	KEY_BACKEND,
	KEY_DIRECT,
	KEY_STATS,
	KEY_KEYS_FROM,
	KEY_HEX,
};

static const struct argp_option options[] = {
	{ "format", KEY_FORMAT, "FORMAT", 0,
	  "Format of FILE: lmdb or sqlite (default: found out)", 0 },
	{ "db", KEY_DB, "NAME", 0, "Named database inside FILE (default: the main one)", 0 },
	{ "table", KEY_TABLE, "NAME", 0, "sqlite: the table", 0 },
	{ "index", KEY_INDEX, "NAME", 0,
	  "sqlite: keys are columns of this index (default: rowids, or the primary key)", 0 },
	{ "literals", KEY_LITERALS, NULL, 0,
	  "sqlite: keys are written as in SQL: 1, 2.5, 'text', x'00ff', NULL", 0 },
	{ "separator", KEY_SEPARATOR, "TEXT", 0, "sqlite: between columns (default: |)", 0 },
	{ "backend", KEY_BACKEND, "BACKEND", 0,
	  "auto, kernel, io_uring or pread (default: auto, the first that works)", 0 },
	{ "direct", KEY_DIRECT, NULL, 0, "io_uring and pread bypass the page cache", 0 },
	{ "keys-from", KEY_KEYS_FROM, "KEYS", 0,
	  "Look up the keys in the file KEYS too, one a line; - is standard input", 0 },
	{ "hex", KEY_HEX, NULL, 0, "Keys and values are hex", 0 },
	{ "stats", KEY_STATS, NULL, 0, "Say which backend did what, on standard error", 0 },
	CLI_OPTION_JSON,
	{ 0 },
};

/**
 * struct get - one run of carom get
 * @doc: with --json, the document; @results is in it
 * @absent: some key was not found
 * @ns: time spent in lookups of @rd
 * @batch: lookups that need not be answered one by one
 * @rows: what keys and values are made of, if they are not bytes
 */
struct get {
	struct cli cli;
	struct carom_index_opts opts;
	const char *path;
	char **keys;
	int nr_keys;
	const char *keys_from;
	bool hex;
	bool stats;
	struct carom_index *ix;
	struct carom_reader *rd;
	struct json_object *doc;
	struct json_object *results;
	bool absent;
	uint64_t ns;
	struct batch batch;
	struct rows rows;
};

static error_t parse_end(struct get *get)
{
	if (!get->path)
		return cli_usage(&get->cli, "FILE is missing");
	if (!get->nr_keys && !get->keys_from)
		return cli_usage(&get->cli, "no KEY and no --keys-from");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct get *get = state->input;

	switch (key) {
	case KEY_FORMAT:
		get->opts.format = arg;
		return 0;
	case KEY_DB:
		get->opts.db = arg;
		return 0;
	case KEY_TABLE:
		get->opts.table = arg;
		return 0;
	case KEY_INDEX:
		get->opts.index = arg;
		return 0;
	case KEY_LITERALS:
		get->rows.literals = true;
		return 0;
	case KEY_SEPARATOR:
		get->rows.separator = arg;
		return 0;
	case KEY_BACKEND:
		return cli_parse_backend(&get->cli, arg, &get->opts.backend);
	case KEY_DIRECT:
		get->opts.direct = true;
		return 0;
	case KEY_STATS:
		get->stats = true;
		return 0;
	case KEY_KEYS_FROM:
		get->keys_from = arg;
		return 0;
	case KEY_HEX:
		get->hex = true;
		return 0;
	case CLI_KEY_JSON:
		get->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return ARGP_ERR_UNKNOWN;
		get->path = arg;
		return 0;
	case ARGP_KEY_ARGS:
		get->keys = state->argv + state->next;
		get->nr_keys = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		return parse_end(get);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_WORD, .key = KEY_FORMAT, .word = cli_format_word },
	{ .kind = CLI_KIND_WORD, .key = KEY_BACKEND, .word = cli_backend_word },
	{ .kind = CLI_KIND_FILE, .key = KEY_KEYS_FROM },
	{ .kind = CLI_KIND_FILE, .nth = 1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE KEY...",
	.doc = "Look keys up in an index file and print each value and a newline, in order.\v"
	       "Exit status: 0 all found, 1 some key is absent, 2 usage, 3 FILE is not of the "
	       "format or damaged, 4 the backend does not work here, 5 I/O error.",
};

/* ---- output ---- */

static void show_json(struct get *get, const void *key, size_t key_len,
		      const struct carom_value *val)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "key", cli_json_bytes(key, key_len, get->hex));
	json_object_object_add(obj, "found", json_object_new_boolean(val != NULL));
	if (val)
		json_object_object_add(obj, "value",
				       cli_json_bytes(val->data, val->len, get->hex));
	json_object_array_add(get->results, obj);
}

static void show(struct get *get, const char *text, size_t text_len, const void *key,
		 size_t key_len, const struct carom_value *val)
{
	if (get->cli.json) {
		show_json(get, key, key_len, val);
		return;
	}
	if (!val) {
		cli_note("%.*s: not found", (int)text_len, text);
		return;
	}
	if (get->hex)
		cli_print_hex(val->data, val->len);
	else
		fwrite(val->data, 1, val->len, stdout);
	putchar('\n');
}

static struct carom_reader_stats all_stats(const struct get *get)
{
	struct carom_reader_stats all, st;

	carom_reader__stats(get->rd, &all, sizeof(all));
	if (!get->batch.q)
		return all;
	carom_queue__stats(get->batch.q, &st, sizeof(st));
	all.lookups += st.lookups;
	all.hops += st.hops;
	all.kernel_hops += st.kernel_hops;
	all.fallbacks += st.fallbacks;
	if (st.last_abort)
		all.last_abort = st.last_abort;
	return all;
}

static void add_stats(struct get *get)
{
	struct carom_reader_stats st = all_stats(get);
	uint64_t ns = get->ns + get->batch.ns + get->rows.ns;
	struct json_object *obj;

	if (!get->cli.json) {
		fprintf(stderr, "backend: %s\nwhy: %s\nlookups: %llu\nhops: %llu\n"
			"kernel hops: %llu\nfallbacks: %llu%s%s\ntime: %.6f s\n",
			carom_backend__name(carom_index__backend(get->ix)),
			carom_index__why(get->ix), (unsigned long long)st.lookups,
			(unsigned long long)st.hops, (unsigned long long)st.kernel_hops,
			(unsigned long long)st.fallbacks, st.last_abort ? ", last: " : "",
			st.last_abort ? st.last_abort : "", (double)ns / 1e9);
		return;
	}
	obj = cli_json_stats(&st, "lookups");
	json_object_object_add(obj, "time_ns", json_object_new_uint64(ns));
	json_object_object_add(get->doc, "stats", obj);
}

/* ---- lookups ---- */

/* An error ends the run; what was found before it stays printed. */
static int stop(struct get *get, enum cli_exit exit, const char *text)
{
	if (get->stats && get->cli.json)
		add_stats(get);
	return cli_fail_in(&get->cli, get->doc, exit, text);
}

/* Of one key, in the order of the keys. */
static int answer(void *ctx, const struct batch_key *k, int ret, const struct carom_value *val,
		  const struct carom_error *err)
{
	struct get *get = ctx;

	if (ret < 0)
		return stop(get, cli_exit_of(err->fault), err->text);
	show(get, k->text, k->text_len, k->key, k->key_len, ret == CAROM_NOTFOUND ? NULL : val);
	if (ret == CAROM_NOTFOUND)
		get->absent = true;
	return 0;
}

static int lookup(struct get *get, const char *text, size_t text_len, const void *key,
		  size_t key_len)
{
	const struct batch_key k = {
		.text = (char *)text, .text_len = text_len, .key = (void *)key, .key_len = key_len,
	};
	struct carom_value val;
	uint64_t start;
	int ret;

	if (get->batch.q)
		return batch_add(&get->batch, text, text_len, key, key_len);
	start = now_ns();
	ret = carom_reader__get(get->rd, key, key_len, &val);
	get->ns += now_ns() - start;
	return answer(get, &k, ret, &val, carom_reader__error(get->rd));
}

/* Something else than a lookup went wrong: first what was asked before. */
static int stop_after_answers(struct get *get, enum cli_exit exit, const char *text)
{
	int ret = batch_drain(&get->batch);

	return ret ? ret : stop(get, exit, text);
}

/* All rows of a key. */
static int lookup_rows(struct get *get, const char *text, size_t text_len, const void *key,
		       size_t key_len)
{
	struct json_object *rows = NULL;
	struct carom_error err;
	bool found = false;
	int ret;

	if (get->cli.json)
		rows = json_object_new_array();
	ret = rows_lookup(&get->rows, get->rd, key, key_len, rows, &found, &err);
	if (rows && (found || ret >= 0))
		json_object_array_add(get->results,
				      rows_result(text, text_len, found, rows));
	else
		json_object_put(rows);
	if (ret < 0)
		return stop(get, cli_exit_of(err.fault), err.text);
	if (!found && !rows)
		cli_note("%.*s: not found", (int)text_len, text);
	get->absent |= !found;
	return 0;
}

static int lookup_columns(struct get *get, const char *text, size_t text_len)
{
	char msg[600];
	size_t key_len;
	void *key;
	int ret;

	if (rows_key(&get->rows, text, text_len, &key, &key_len, msg, sizeof(msg)))
		return stop_after_answers(get, CLI_USAGE, msg);
	ret = lookup_rows(get, text, text_len, key, key_len);
	free(key);
	return ret;
}

/* One key as it was given; @text need not end in NUL. */
static int lookup_text(struct get *get, const char *text, size_t text_len)
{
	char msg[160];
	size_t key_len;
	void *key;
	int ret;

	if (get->rows.nr)
		return lookup_columns(get, text, text_len);
	if (!get->hex)
		return lookup(get, text, text_len, text, text_len);
	key = cli_parse_hex(text, text_len, &key_len);
	if (!key) {
		snprintf(msg, sizeof(msg), "key %.64s: not hex (an even number of digits)", text);
		return stop_after_answers(get, CLI_USAGE, msg);
	}
	ret = lookup(get, text, text_len, key, key_len);
	free(key);
	return ret;
}

static int lookup_lines(struct get *get, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int ret = 0;

	while (!ret) {
		errno = 0;
		len = getline(&line, &room, file);
		if (len < 0)
			break;
		if (len && line[len - 1] == '\n')
			line[--len] = '\0';
		ret = lookup_text(get, line, (size_t)len);
	}
	free(line);
	if (!ret && ferror(file)) {
		char msg[256];

		snprintf(msg, sizeof(msg), "%.128s: cannot be read: %s", get->keys_from,
			 strerror(errno));
		return stop_after_answers(get, CLI_IO, msg);
	}
	return ret ? ret : batch_drain(&get->batch);
}

/*
 * Keys that are all there already can be looked up together. Who writes them as it
 * goes may wait for each answer. No queue is no reason to fail.
 */
static void begin_batch(struct get *get, FILE *file)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = BATCH_DEPTH };
	struct stat st;

	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || get->rows.nr)
		return;
	get->batch.answer = answer;
	get->batch.ctx = get;
	if (carom_queue__new(get->ix, &opts, &get->batch.q, NULL))
		get->batch.q = NULL;
}

static int lookup_file(struct get *get)
{
	bool is_stdin = !strcmp(get->keys_from, "-");
	FILE *file = is_stdin ? stdin : fopen(get->keys_from, "re");
	char msg[256];
	int ret;

	if (!file) {
		snprintf(msg, sizeof(msg), "%.128s: cannot be opened: %s", get->keys_from,
			 strerror(errno));
		return stop(get, CLI_IO, msg);
	}
	begin_batch(get, file);
	ret = lookup_lines(get, file);
	if (!is_stdin)
		fclose(file);
	return ret;
}

static int lookup_all(struct get *get)
{
	int i, ret = 0;

	for (i = 0; i < get->nr_keys && !ret; i++)
		ret = lookup_text(get, get->keys[i], strlen(get->keys[i]));
	if (!ret && get->keys_from)
		ret = lookup_file(get);
	return ret;
}

static void begin_doc(struct get *get)
{
	const char *why = carom_index__why(get->ix);

	if (!get->cli.json)
		return;
	get->doc = cli_doc(&get->cli);
	json_object_object_add(get->doc, "file",
			       cli_json_bytes(get->path, strlen(get->path), false));
	json_object_object_add(get->doc, "format",
			       json_object_new_string(carom_index__format(get->ix)));
	json_object_object_add(get->doc, "backend", json_object_new_string(
			       carom_backend__name(carom_index__backend(get->ix))));
	json_object_object_add(get->doc, "why", cli_json_text(why));
	get->results = json_object_new_array();
	json_object_object_add(get->doc, "results", get->results);
}

static int run(struct get *get)
{
	enum cli_exit exit;
	int ret;

	begin_doc(get);
	ret = lookup_all(get);
	/* After an error the JSON document is out already, stats and all. */
	if (get->stats && (!ret || !get->cli.json))
		add_stats(get);
	if (ret)
		return ret;
	exit = get->absent ? CLI_ABSENT : CLI_OK;
	return get->cli.json ? cli_doc_print(get->doc, exit) : cli_flush(exit);
}

static int run_get(int argc, char **argv)
{
	struct get get = {
		.cli.name = "carom get",
		.opts = { .sz = sizeof(get.opts), .max_readers = 2, .max_in_flight = 1 },
		.rows.separator = "|",
	};
	struct carom_error err;
	int ret = cli_parse(&get.cli, &argp, argc, argv, &get);

	if (ret)
		return ret;
	if (get.keys_from)
		get.opts.max_in_flight = BATCH_DEPTH;
	if (carom_index__open(get.path, &get.opts, &get.ix, &err))
		return cli_fail(&get.cli, cli_exit_of(err.fault), "%s", err.text);
	get.rows.ix = get.ix;
	get.rows.hex = get.hex;
	if (rows_init(&get.rows))
		ret = cli_fail(&get.cli, CLI_IO, "out of memory");
	else if (carom_reader__new(get.ix, &get.rd, &err))
		ret = cli_fail(&get.cli, cli_exit_of(err.fault), "%s", err.text);
	else
		ret = run(&get);
	batch_close(&get.batch);
	rows_exit(&get.rows);
	carom_reader__free(get.rd);
	carom_index__close(get.ix);
	return ret;
}

const struct cli_command cmd_get = {
	.name = "get",
	.run = run_get,
	.text = "look keys up in an index file",
	.argp = &argp,
	.args = args,
};
