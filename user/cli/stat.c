// SPDX-License-Identifier: GPL-2.0
/*
 * carom stat and carom top: what carom.ko has done.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "stat.h"

enum { KEY_OPENMETRICS = 0x100, KEY_OUTPUT, KEY_SYSROOT, KEY_COUNT, KEY_INTERVAL };

/**
 * struct stat_cmd - one run of carom stat
 * @watching: again and again
 * @metrics: print OpenMetrics
 * @output: to that file, or NULL
 */
struct stat_cmd {
	struct cli cli;
	struct stat_watch watch;
	bool watching;
	bool metrics;
	const char *output;
};

static const struct argp_option options[] = {
	{ "watch", 'w', NULL, 0, "Show it again and again, with what was counted meanwhile", 1 },
	{ "interval", KEY_INTERVAL, "SECONDS", 0, "With --watch: how often (1)", 1 },
	{ "count", KEY_COUNT, "N", 0, "With --watch: so many times", 1 },
	{ "openmetrics", KEY_OPENMETRICS, NULL, 0, "Print totals in the OpenMetrics format", 2 },
	{ "output", KEY_OUTPUT, "PATH", 0,
	  "With --openmetrics: write to that file, whole or not at all", 2 },
	{ "sysroot", KEY_SYSROOT, "DIR", 0, "Read sys and proc in DIR instead of in /", 3 },
	CLI_OPTION_JSON,
	{ 0 },
};

static error_t parse_interval(struct stat_cmd *cmd, const char *arg)
{
	char *end;

	cmd->watch.interval = strtod(arg, &end);
	if (end == arg || *end || !(cmd->watch.interval >= 0.1 && cmd->watch.interval <= 86400))
		return cli_usage(&cmd->cli, "--interval %s: not from 0.1 to 86400 seconds", arg);
	return 0;
}

static error_t parse_count(struct stat_cmd *cmd, const char *arg)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (end == arg || *end || errno || !n || n > UINT_MAX || arg[0] == '-')
		return cli_usage(&cmd->cli, "--count %s: not a number from 1 on", arg);
	cmd->watch.count = (unsigned int)n;
	return 0;
}

static error_t check(struct stat_cmd *cmd)
{
	if (cmd->watching && (cmd->metrics || cmd->cli.json))
		return cli_usage(&cmd->cli, "--watch is text, without --json and --openmetrics");
	if (cmd->metrics && cmd->cli.json)
		return cli_usage(&cmd->cli, "either --json or --openmetrics");
	if (cmd->output && !cmd->metrics)
		return cli_usage(&cmd->cli, "--output goes with --openmetrics");
	if ((cmd->watch.count || cmd->watch.interval > 0) && !cmd->watching)
		return cli_usage(&cmd->cli, "--count and --interval go with --watch");
	if (!(cmd->watch.interval > 0))
		cmd->watch.interval = 1;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stat_cmd *cmd = state->input;

	switch (key) {
	case 'w':
		cmd->watching = true;
		return 0;
	case KEY_INTERVAL:
		return parse_interval(cmd, arg);
	case KEY_COUNT:
		return parse_count(cmd, arg);
	case KEY_OPENMETRICS:
		cmd->metrics = true;
		return 0;
	case KEY_OUTPUT:
		cmd->output = arg;
		return 0;
	case KEY_SYSROOT:
		cmd->watch.root = arg;
		return 0;
	case CLI_KEY_JSON:
		cmd->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		return cli_usage(&cmd->cli, "%s: there are no arguments", arg);
	case ARGP_KEY_END:
		return check(cmd);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_FILE, .key = KEY_OUTPUT },
	{ .kind = CLI_KIND_FILE, .key = KEY_SYSROOT },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show what lookups in the kernel have come to, of each session that you may see, "
	       "and of all together.\v"
	       "Exit status: 0, 2 usage, 4 carom.ko is not loaded, 5 something cannot be read or "
	       "written.",
};

static int write_error(const struct stat_cmd *cmd)
{
	return cli_fail(&cmd->cli, CLI_IO, "%s cannot be written: %s", cmd->output,
			strerror(errno));
}

/* Readable by all, whoever collects it. Return: 0 or -1 with errno. */
static int fill_metrics(int fd, const struct stat_sample *s)
{
	FILE *to = fdopen(fd, "w");
	int bad;

	if (!to) {
		close(fd);
		return -1;
	}
	stat_metrics(to, s);
	bad = fchmod(fd, 0644) || fflush(to) || fsync(fd);
	return fclose(to) || bad ? -1 : 0;
}

/* To a file beside it first, so that nobody reads half of one. */
static int write_metrics(const struct stat_cmd *cmd, const struct stat_sample *s)
{
	const char *base = strrchr(cmd->output, '/');
	char path[PATH_MAX];
	int fd, ret;

	base = base ? base + 1 : cmd->output;
	if (snprintf(path, sizeof(path), "%.*s.%s.XXXXXX", (int)(base - cmd->output), cmd->output,
		     base) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return write_error(cmd);
	}
	fd = mkstemp(path);
	if (fd < 0)
		return write_error(cmd);
	if (!fill_metrics(fd, s) && !rename(path, cmd->output))
		return CLI_OK;
	ret = write_error(cmd);
	unlink(path);
	return ret;
}

/* Without the module that is what the metrics say, and the exit status. */
static int show_metrics(const struct stat_cmd *cmd, const struct stat_sample *s)
{
	if (cmd->output)
		return write_metrics(cmd, s);
	stat_metrics(stdout, s);
	return cli_flush(CLI_OK);
}

static int show_once(const struct stat_cmd *cmd)
{
	struct stat_sample s;
	char error[1024];
	enum cli_exit exit = stat_read(cmd->watch.root, &s, error, sizeof(error));
	int ret;

	if (exit) {
		ret = cmd->metrics ? show_metrics(cmd, NULL) : CLI_OK;
		return ret ? ret : cli_fail(&cmd->cli, exit, "%s", error);
	}
	if (cmd->metrics) {
		ret = show_metrics(cmd, &s);
	} else if (cmd->cli.json) {
		ret = cli_doc_print(stat_json(&cmd->cli, &s), CLI_OK);
	} else {
		stat_text(stdout, &s, NULL, UINT_MAX);
		ret = cli_flush(CLI_OK);
	}
	stat_free(&s);
	return ret;
}

static int run(struct stat_cmd *cmd, int argc, char **argv)
{
	int ret;

	cmd->watch.root = "";
	ret = cli_parse(&cmd->cli, &argp, argc, argv, cmd);
	if (ret)
		return ret;
	return cmd->watching ? stat_watch(&cmd->cli, &cmd->watch) : show_once(cmd);
}

static int run_stat(int argc, char **argv)
{
	struct stat_cmd cmd = { .cli.name = "carom stat" };

	return run(&cmd, argc, argv);
}

static int run_top(int argc, char **argv)
{
	struct stat_cmd cmd = { .cli.name = "carom top", .watching = true };

	return run(&cmd, argc, argv);
}

const struct cli_command cmd_stat = {
	.name = "stat",
	.run = run_stat,
	.text = "show what lookups in the kernel have come to",
	.argp = &argp,
	.args = args,
};

const struct cli_command cmd_top = {
	.name = "top",
	.run = run_top,
	.text = "show it again and again: carom stat --watch",
	.argp = &argp,
	.args = args,
};
