// SPDX-License-Identifier: GPL-2.0
/*
 * carom bench: how long lookups take, by one backend after the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

const struct bench_backend *const bench_backends[] = {
	&bench_pread, &bench_cache, &bench_cache_cold, &bench_mmap, &bench_mmap_cold,
	&bench_uring_plain, &bench_uring, &bench_uring_polled, &bench_passthru,
	&bench_passthru_polled, &bench_kernel, &bench_kernel_async, &bench_kernel_polled, NULL,
};

/**
 * struct bench - one run of carom bench
 * @doc: the document, if one is asked for; @results is in it
 * @ran: how many backends could run; @number, @of: for the progress line
 * @bad: some lookup failed or was answered wrongly
 */
struct bench {
	struct cli cli;
	struct bench_opts opts;
	struct bench_keys keys;
	struct zipf zipf;
	struct json_object *doc;
	struct json_object *results;
	unsigned int ran;
	unsigned int number;
	unsigned int of;
	bool bad;
};

/* Without queues there is one lookup at a time in each thread, whatever is asked for. */
static unsigned int nr_depths(const struct bench *b, const struct bench_backend *be)
{
	return be->flags & BENCH_ASYNC ? b->opts.nr_depths : 1;
}

static int run_one(struct bench *b, const struct bench_backend *be, unsigned int threads,
		   unsigned int depth)
{
	struct bench_run *run = calloc(1, sizeof(*run));
	int ret = -ENOMEM;

	if (run) {
		*run = (struct bench_run) {
			.opts = &b->opts, .keys = &b->keys, .zipf = &b->zipf, .be = be,
			.threads = threads, .depth = depth, .number = ++b->number, .of = b->of,
		};
		ret = bench_run(run);
	}
	bench_progress_clear();
	if (!ret) {
		b->ran += !run->reason[0];
		b->bad |= run->totals.errors || run->totals.wrong;
		if (!b->cli.json)
			bench_report_row(run);
		if (b->results)
			json_object_array_add(b->results, bench_report_result(run));
	}
	free(run);
	return ret;
}

static int run_backend(struct bench *b, const struct bench_backend *be)
{
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < b->opts.nr_threads && !ret; i++) {
		for (j = 0; j < nr_depths(b, be) && !ret; j++)
			ret = run_one(b, be, b->opts.threads[i],
				      be->flags & BENCH_ASYNC ? b->opts.depths[j] : 1);
	}
	return ret;
}

static int run_all(struct bench *b)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < b->opts.nr_backends; i++)
		b->of += b->opts.nr_threads * nr_depths(b, b->opts.backends[i]);
	for (i = 0; i < b->opts.nr_backends && !ret; i++)
		ret = run_backend(b, b->opts.backends[i]);
	return ret;
}

static void begin_doc(struct bench *b)
{
	if (!b->cli.json && !b->opts.output)
		return;
	b->doc = cli_doc(&b->cli);
	bench_machine_add(b->doc, b->opts.path);
	json_object_object_add(b->doc, "options", bench_report_options(&b->opts, &b->keys));
	b->results = json_object_new_array();
	json_object_object_add(b->doc, "results", b->results);
}

/* Before the document goes to standard output, which frees it. */
static bool write_output(struct bench *b)
{
	return !b->opts.output ||
	       !json_object_to_file_ext(b->opts.output, b->doc, JSON_C_TO_STRING_PRETTY |
					JSON_C_TO_STRING_NOSLASHESCAPE);
}

static int finish(struct bench *b, enum cli_exit exit, const char *text)
{
	bool written = write_output(b);

	if (!written) {
		exit = CLI_IO;
		text = "the file of --output cannot be written";
	}
	if (text && b->cli.json)
		return cli_fail_in(&b->cli, b->doc, exit, text);
	if (b->cli.json)
		return cli_doc_print(b->doc, exit);
	json_object_put(b->doc);
	return text ? cli_fail(&b->cli, exit, "%s", text) : cli_flush(exit);
}

static int measure(struct bench *b)
{
	int ret;

	zipf_init(&b->zipf, b->keys.nr, b->opts.theta);
	begin_doc(b);
	if (!b->cli.json)
		bench_report_head(&b->opts, &b->keys);
	ret = run_all(b);
	if (!b->cli.json)
		bench_report_end(&b->opts);
	if (ret)
		return finish(b, CLI_IO, strerror(-ret));
	if (b->bad)
		return finish(b, CLI_IO, "lookups failed or were answered wrongly");
	if (!b->ran)
		return finish(b, CLI_BACKEND, "none of these backends works here");
	return finish(b, CLI_OK, NULL);
}

/* What is wrong with the file is said before anything else is done with it. */
static int check_file(struct bench *b)
{
	struct carom_index_opts opts = b->opts.index;
	struct carom_index *ix;
	struct carom_error err;

	opts.backend = CAROM_BACKEND_PREAD;
	if (carom_index__open(b->opts.path, &opts, &ix, &err))
		return cli_fail(&b->cli, cli_exit_of(err.fault), "%s", err.text);
	carom_index__close(ix);
	return 0;
}

static int run_bench(int argc, char **argv)
{
	struct bench b = { .cli.name = "carom bench" };
	int ret = bench_opts_parse(&b.cli, &b.opts, argc, argv);

	if (!ret)
		ret = check_file(&b);
	if (!ret)
		ret = bench_keys_load(&b.cli, &b.opts, &b.keys);
	if (!ret)
		ret = measure(&b);
	bench_keys_free(&b.keys);
	return ret;
}

const struct cli_command cmd_bench = {
	.name = "bench",
	.run = run_bench,
	.text = "measure lookups in an index file",
	.argp = &bench_argp,
	.args = bench_args,
};
