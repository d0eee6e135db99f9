// SPDX-License-Identifier: GPL-2.0
/*
 * carom trace: one lookup, hop by hop: where each page is, what it is, which keys are below
 * it, and what it took.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "rows.h"
#include "trace.h"

enum { KEY_DB = 0x100, KEY_TABLE, KEY_INDEX, KEY_LITERALS, KEY_BACKEND, KEY_DIRECT, KEY_HEX };

static const struct argp_option options[] = {
	{ "db", KEY_DB, "NAME", 0, "Named database inside FILE (default: the main one)", 0 },
	{ "table", KEY_TABLE, "NAME", 0, "sqlite: the table", 0 },
	{ "index", KEY_INDEX, "NAME", 0,
	  "sqlite: the key is columns of this index (default: rowid, or primary key)", 0 },
	{ "literals", KEY_LITERALS, NULL, 0, "sqlite: the key is written as in SQL", 0 },
	{ "backend", KEY_BACKEND, "BACKEND", 0,
	  "auto, kernel or pread (default: auto, the first that can be traced)", 0 },
	{ "direct", KEY_DIRECT, NULL, 0, "pread bypasses the page cache", 0 },
	{ "hex", KEY_HEX, NULL, 0, "The key is hex", 0 },
	CLI_OPTION_JSON,
	{ 0 },
};

/**
 * struct trace_cmd - one run of carom trace
 * @why: why the lookup is not in the kernel, or empty
 * @found: the key is there
 */
struct trace_cmd {
	struct cli cli;
	struct carom_index_opts opts;
	const char *path;
	const char *text;
	struct rows rows;
	struct carom_index *ix;
	struct carom_reader *rd;
	struct trace trace;
	char why[512];
	bool found;
};

static error_t parse_end(struct trace_cmd *cmd)
{
	if (!cmd->path)
		return cli_usage(&cmd->cli, "FILE is missing");
	if (!cmd->text)
		return cli_usage(&cmd->cli, "KEY is missing");
	if (cmd->opts.backend == CAROM_BACKEND_IO_URING)
		return cli_usage(&cmd->cli, "--backend io_uring cannot be traced: kernel or pread");
	return 0;
}

static error_t parse_argument(struct trace_cmd *cmd, const char *arg)
{
	if (cmd->text)
		return cli_usage(&cmd->cli, "more than one KEY");
	if (cmd->path)
		cmd->text = arg;
	else
		cmd->path = arg;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace_cmd *cmd = state->input;

	switch (key) {
	case KEY_DB:
		cmd->opts.db = arg;
		return 0;
	case KEY_TABLE:
		cmd->opts.table = arg;
		return 0;
	case KEY_INDEX:
		cmd->opts.index = arg;
		return 0;
	case KEY_LITERALS:
		cmd->rows.literals = true;
		return 0;
	case KEY_BACKEND:
		return cli_parse_backend(&cmd->cli, arg, &cmd->opts.backend);
	case KEY_DIRECT:
		cmd->opts.direct = true;
		return 0;
	case KEY_HEX:
		cmd->rows.hex = true;
		return 0;
	case CLI_KEY_JSON:
		cmd->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		return parse_argument(cmd, arg);
	case ARGP_KEY_END:
		return parse_end(cmd);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *backend_word(unsigned int i)
{
	static const char *const words[] = { "auto", "kernel", "pread", NULL };

	return words[i];
}

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_WORD, .key = KEY_BACKEND, .word = backend_word },
	{ .kind = CLI_KIND_FILE, .nth = 1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE KEY",
	.doc = "Look KEY up and show each page on the way: where it is, what it is, which keys are "
	       "below it, and how long reading it and looking at it took.\v"
	       "Times are the kernel's own, from its tracepoints, if it does the lookup, which needs "
	       "root; else those of reads. Exit status: 0 found, 1 absent, 2 usage, 3 FILE is not of "
	       "the format or damaged, 4 the backend does not work here, 5 I/O error.",
};

/* ---- text ---- */

static void put_range(const struct trace_page *p)
{
	printf("; entry %d leads on: ", p->entry);
	if (!p->from[0] && !p->to[0])
		printf("all keys");
	else
		printf("%s%skey%s%s", p->from,
		       !p->from[0] ? "" : p->from_too ? " <= " : " < ",
		       !p->to[0] ? "" : p->to_too ? " <= " : " < ", p->to);
}

static void put_hop(const struct trace_hop *hop, size_t i)
{
	const struct trace_page *p = &hop->page;

	printf("%3zu %5u %12" PRIu64 " ", i, hop->chain, hop->offset);
	if (hop->has_lba)
		printf("%10" PRIu64, hop->lba);
	else
		printf("%10s", "-");
	printf(" %9.1f %9.1f  %s", (double)hop->read_ns / 1000, (double)hop->walk_ns / 1000,
	       p->kind);
	if (p->entries)
		printf(", %u entr%s", p->entries, p->entries == 1 ? "y" : "ies");
	if (p->first[0] && p->last[0])
		printf(" from %s to %s", p->first, p->last);
	if (p->entry >= 0)
		put_range(p);
	putchar('\n');
}

static int show_text(const struct trace_cmd *cmd)
{
	const struct trace *t = &cmd->trace;
	size_t i;

	printf("%3s %5s %12s %10s %9s %9s  %s\n", "HOP", "CHAIN", "OFFSET", "LBA", "READ us",
	       "WALKER us", "PAGE");
	for (i = 0; i < t->nr; i++)
		put_hop(&t->hops[i], i);
	printf("%s: %zu hop%s in %u chain%s, %.1f us, backend %s\n",
	       cmd->found ? "found" : "not found", t->nr, t->nr == 1 ? "" : "s", t->chains,
	       t->chains == 1 ? "" : "s", (double)t->ns / 1000,
	       carom_backend__name(carom_index__backend(cmd->ix)));
	if (cmd->why[0])
		printf("not in the kernel: %s\n", cmd->why);
	return cli_flush(cmd->found ? CLI_OK : CLI_ABSENT);
}

/* ---- JSON ---- */

static void add_text(struct json_object *obj, const char *name, const char *text)
{
	json_object_object_add(obj, name, text[0] ? cli_json_text(text) : NULL);
}

static struct json_object *hop_json(const struct trace_hop *hop)
{
	struct json_object *obj = json_object_new_object(), *page = json_object_new_object();
	const struct trace_page *p = &hop->page;

	json_object_object_add(obj, "chain", json_object_new_uint64(hop->chain));
	json_object_object_add(obj, "offset", json_object_new_uint64(hop->offset));
	json_object_object_add(obj, "lba", hop->has_lba ? json_object_new_uint64(hop->lba) : NULL);
	json_object_object_add(obj, "kernel", json_object_new_boolean(hop->kernel));
	json_object_object_add(obj, "read_ns", json_object_new_uint64(hop->read_ns));
	json_object_object_add(obj, "walker_ns", json_object_new_uint64(hop->walk_ns));
	json_object_object_add(page, "kind", cli_json_text(p->kind));
	json_object_object_add(page, "entries", json_object_new_uint64(p->entries));
	add_text(page, "first", p->first);
	add_text(page, "last", p->last);
	json_object_object_add(page, "entry", p->entry >= 0 ? json_object_new_int(p->entry) : NULL);
	add_text(page, "from", p->from);
	add_text(page, "to", p->to);
	if (p->from[0])
		json_object_object_add(page, "from_too", json_object_new_boolean(p->from_too));
	if (p->to[0])
		json_object_object_add(page, "to_too", json_object_new_boolean(p->to_too));
	json_object_object_add(obj, "page", page);
	return obj;
}

static int show_json(const struct trace_cmd *cmd)
{
	struct json_object *doc = cli_doc(&cmd->cli), *list = json_object_new_array();
	const struct trace *t = &cmd->trace;
	size_t i;

	json_object_object_add(doc, "file", cli_json_bytes(cmd->path, strlen(cmd->path), false));
	json_object_object_add(doc, "format",
			       json_object_new_string(carom_index__format(cmd->ix)));
	json_object_object_add(doc, "backend", json_object_new_string(
			       carom_backend__name(carom_index__backend(cmd->ix))));
	add_text(doc, "why", cmd->why);
	json_object_object_add(doc, "key", cli_json_text(cmd->text));
	json_object_object_add(doc, "found", json_object_new_boolean(cmd->found));
	json_object_object_add(doc, "chains", json_object_new_uint64(t->chains));
	json_object_object_add(doc, "ns", json_object_new_uint64(t->ns));
	for (i = 0; i < t->nr; i++)
		json_object_array_add(list, hop_json(&t->hops[i]));
	json_object_object_add(doc, "hops", list);
	return cli_doc_print(doc, cmd->found ? CLI_OK : CLI_ABSENT);
}

/* ---- the lookup ---- */

/* Where a page is on the device; of a file that has no blocks there is nothing to say. */
static void find_lbas(struct trace_cmd *cmd)
{
	const struct carom_map_extent *ext;
	struct carom_map *map;
	size_t count, i, k;

	if (carom_map__open(cmd->path, &map, NULL))
		return;
	ext = carom_map__extents(map, &count);
	for (i = 0; i < cmd->trace.nr; i++) {
		struct trace_hop *hop = &cmd->trace.hops[i];

		for (k = 0; k < count && !hop->has_lba; k++) {
			if (hop->offset - ext[k].offset_bytes >= ext[k].length_bytes)
				continue;
			hop->lba = ext[k].lba +
				   (hop->offset - ext[k].offset_bytes) / carom_map__lba_bytes(map);
			hop->has_lba = true;
		}
	}
	carom_map__close(map);
}

static int make_key(struct trace_cmd *cmd, void **key, size_t *len)
{
	size_t text_len = strlen(cmd->text);
	char msg[256];

	if (cmd->rows.nr) {
		if (rows_key(&cmd->rows, cmd->text, text_len, key, len, msg, sizeof(msg)))
			return cli_fail(&cmd->cli, CLI_USAGE, "%s", msg);
		return 0;
	}
	if (cmd->rows.hex) {
		*key = cli_parse_hex(cmd->text, text_len, len);
		if (!*key)
			return cli_fail(&cmd->cli, CLI_USAGE,
					"key %.64s: not hex (an even number of digits)", cmd->text);
		return 0;
	}
	*key = strdup(cmd->text);
	*len = text_len;
	return *key ? 0 : cli_fail(&cmd->cli, CLI_IO, "out of memory");
}

static int look_up(struct trace_cmd *cmd)
{
	struct carom_value val;
	void *key = NULL;
	size_t len;
	int ret = make_key(cmd, &key, &len);

	if (ret)
		return ret;
	ret = carom_reader__get(cmd->rd, key, len, &val);
	free(key);
	if (ret < 0) {
		const struct carom_error *err = carom_reader__error(cmd->rd);

		return cli_fail(&cmd->cli, cli_exit_of(err->fault), "%s", err->text);
	}
	cmd->found = ret != CAROM_NOTFOUND;
	trace_pages(cmd->rd, &cmd->trace);
	if (carom_index__backend(cmd->ix) != CAROM_BACKEND_KERNEL)
		find_lbas(cmd);
	return cmd->cli.json ? show_json(cmd) : show_text(cmd);
}

/* An index that can be traced, on the backend that @backend says; 0 or an exit status. */
static int try_open(struct trace_cmd *cmd, enum carom_backend backend, char *why, size_t size)
{
	struct carom_index_opts opts = cmd->opts;
	struct carom_error err;

	opts.backend = backend;
	if (carom_index__open(cmd->path, &opts, &cmd->ix, &err)) {
		cmd->ix = NULL;
		snprintf(why, size, "%s", err.text);
		return cli_exit_of(err.fault);
	}
	if (!trace_begin(cmd->ix, &cmd->trace))
		return 0;
	snprintf(why, size, "%s", cmd->trace.error);
	carom_index__close(cmd->ix);
	cmd->ix = NULL;
	return CLI_BACKEND;
}

static int open_index(struct trace_cmd *cmd)
{
	char why[512];
	int ret = CLI_BACKEND;

	if (cmd->opts.backend != CAROM_BACKEND_PREAD) {
		ret = try_open(cmd, CAROM_BACKEND_KERNEL, why, sizeof(why));
		if (ret == CLI_BACKEND && cmd->opts.backend == CAROM_BACKEND_AUTO)
			snprintf(cmd->why, sizeof(cmd->why), "%s", why);
		else if (ret)
			return cli_fail(&cmd->cli, ret, "%s", why);
	}
	if (ret)
		ret = try_open(cmd, CAROM_BACKEND_PREAD, why, sizeof(why));
	return ret ? cli_fail(&cmd->cli, ret, "%s", why) : 0;
}

static int run_trace(int argc, char **argv)
{
	struct trace_cmd cmd = {
		.cli.name = "carom trace",
		.opts = { .sz = sizeof(cmd.opts), .max_readers = 2, .max_in_flight = 1 },
		.rows.separator = "|",
	};
	struct carom_error err;
	int ret = cli_parse(&cmd.cli, &argp, argc, argv, &cmd);

	ret = ret ? ret : open_index(&cmd);
	if (ret)
		return ret;
	cmd.rows.ix = cmd.ix;
	if (rows_init(&cmd.rows))
		ret = cli_fail(&cmd.cli, CLI_IO, "out of memory");
	else if (carom_reader__new(cmd.ix, &cmd.rd, &err))
		ret = cli_fail(&cmd.cli, cli_exit_of(err.fault), "%s", err.text);
	else
		ret = look_up(&cmd);
	rows_exit(&cmd.rows);
	carom_reader__free(cmd.rd);
	trace_end(&cmd.trace);
	carom_index__close(cmd.ix);
	return ret;
}

const struct cli_command cmd_trace = {
	.name = "trace",
	.run = run_trace,
	.text = "show a lookup page by page",
	.argp = &argp,
	.args = args,
};
