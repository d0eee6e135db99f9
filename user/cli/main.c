// SPDX-License-Identifier: GPL-2.0
/*
 * carom: lookups, and what they need to be fast.
 */
#include <stdio.h>
#include <string.h>
#include "cli.h"

const char *argp_program_version = "carom " CAROM_VERSION;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} commands[] = {
	{ "get", cmd_get, "look keys up in an index file" },
	{ "scan", cmd_scan, "print or add up the entries in a range of keys" },
	{ "map", cmd_map, "show where a file's blocks are, and whether it can be sealed" },
	{ "walker", cmd_walker, "load, unload and list walkers" },
	{ "bench", cmd_bench, "measure lookups in an index file" },
	{ "doctor", cmd_doctor, "say what this machine has and lacks" },
};
#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void print_help(FILE *to)
{
	size_t i;

	fputs("Usage: carom COMMAND [OPTION...] [ARGUMENT...]\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].text);
	fputs("  help     this text, or that of a command: carom help COMMAND\n\n"
	      "carom --version prints the version. Every command has --help and --json.\n", to);
}

static int run_help(int argc, char **argv)
{
	const struct command *cmd;
	char help[] = "--help";
	char *args[] = { argv[0], help, NULL };

	if (argc < 2) {
		print_help(stdout);
		return cli_flush(CLI_OK);
	}
	cmd = find_command(argv[1]);
	if (cmd)
		return cmd->run(2, args);
	cli_note("no command %s; see carom help", argv[1]);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	struct cli cli = { .name = "carom" };
	const struct command *cmd;

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	cmd = find_command(argv[1]);
	if (cmd)
		return cmd->run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return cli_flush(CLI_OK);
	}
	cli.json = !strcmp(argv[argc - 1], "--json") || !strcmp(argv[1], "--json");
	return cli_fail(&cli, CLI_USAGE, "no command %s; see carom help", argv[1]);
}
