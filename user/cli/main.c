// SPDX-License-Identifier: GPL-2.0
/*
 * carom: lookups, and what they need to be fast.
 */
#include <stdio.h>
#include <string.h>
#include "cli.h"

const char *argp_program_version = "carom " CAROM_VERSION;

const struct cli_command *const cli_commands[] = {
	&cmd_get, &cmd_scan, &cmd_map, &cmd_walker, &cmd_bench, &cmd_trace, &cmd_stat,
	&cmd_top, &cmd_doctor, NULL,
};

static const struct cli_command *find_command(const char *name)
{
	const struct cli_command *const *cmd;

	for (cmd = cli_commands; *cmd; cmd++)
		if (!strcmp((*cmd)->name, name))
			return *cmd;
	return NULL;
}

static void print_help(FILE *to)
{
	const struct cli_command *const *cmd;

	fputs("Usage: carom COMMAND [OPTION...] [ARGUMENT...]\n\n", to);
	for (cmd = cli_commands; *cmd; cmd++)
		fprintf(to, "  %-8s %s\n", (*cmd)->name, (*cmd)->text);
	fputs("  help     this text, or that of a command: carom help COMMAND\n\n"
	      "carom --version prints the version. Every command has --help and --json, which\n"
	      "may also stand before the command.\n", to);
}

static int no_command(const struct cli *cli, const char *name)
{
	return cli_fail(cli, CLI_USAGE, "no command %s; see carom help", name);
}

/* Help is text for people, with or without --json; that there is none is an error. */
static int run_help(const struct cli *cli, const char *name)
{
	const struct cli_command *cmd;
	char help[] = "--help";
	char *args[] = { help, help, NULL };

	if (!name) {
		print_help(stdout);
		return cli_flush(CLI_OK);
	}
	cmd = find_command(name);
	return cmd ? cmd->run(2, args) : no_command(cli, name);
}

static int run_version(const struct cli *cli)
{
	struct json_object *doc;

	if (!cli->json) {
		puts(argp_program_version);
		return cli_flush(CLI_OK);
	}
	doc = cli_doc(cli);
	json_object_object_add(doc, "carom", json_object_new_string(CAROM_VERSION));
	return cli_doc_print(doc, CLI_OK);
}

/* What is no command of the table; @cli says whether --json is among what is left. */
static int run_other(const struct cli *cli, const char *name, const char *arg)
{
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return run_help(cli, arg);
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return run_version(cli);
	if (!strcmp(name, "--complete") && arg)
		return cli_complete(arg);
	return no_command(cli, name);
}

/* Moves each --json behind @at of @argv to the end; is there one? */
static bool take_json(int at, int *argc, char **argv)
{
	bool found = false;
	int i, to = at;

	for (i = at; i < *argc; i++) {
		if (strcmp(argv[i], "--json"))
			argv[to++] = argv[i];
		else
			found = true;
	}
	*argc = to;
	argv[to] = NULL;
	return found;
}

int main(int argc, char **argv)
{
	static char json[] = "--json";
	struct cli cli = { .name = "carom" };
	const struct cli_command *cmd;
	int first = 1;

	/* Before the command it is the same as behind it. */
	while (first < argc && !strcmp(argv[first], json))
		first++;
	cmd = first < argc ? find_command(argv[first]) : NULL;
	if (cmd && first == 1)
		return cmd->run(argc - 1, argv + 1);
	if (cmd) {
		argv[first] = json;
		return cmd->run(argc - first + 1, argv + first - 1);
	}
	cli.json = take_json(1, &argc, argv);
	if (argc > 1)
		return run_other(&cli, argv[1], argv[2]);
	if (cli.json)
		return cli_fail(&cli, CLI_USAGE, "COMMAND is missing; see carom help");
	print_help(stderr);
	return CLI_USAGE;
}
