// SPDX-License-Identifier: GPL-2.0
/*
 * What shells complete; complete.h has the format.
 */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "walker.h"

static const char *const kind_names[] = {
	[CLI_KIND_NONE] = "-", [CLI_KIND_FILE] = "file", [CLI_KIND_WORD] = "word",
	[CLI_KIND_LIST] = "list", [CLI_KIND_OBJECT] = "object", [CLI_KIND_WALKER] = "walker",
	[CLI_KIND_PIN] = "pin",
};

/* What argp adds to every command. */
static const struct argp_option argps_own[] = {
	{ "help", '?', NULL, 0, "Give this help list", 0 },
	{ "usage", 1, NULL, 0, "Give a short usage message", 0 },
	{ "version", 'V', NULL, 0, "Print program version", 0 },
	{ 0 },
};

static const struct cli_arg text_arg;

static const struct cli_arg *find_arg(const struct cli_command *cmd, int key)
{
	const struct cli_arg *arg;

	for (arg = cmd->args; arg && arg->kind; arg++)
		if (arg->key == key)
			return arg;
	return &text_arg;
}

static void put_words(const struct cli_arg *arg)
{
	const char *word;
	unsigned int i;

	fputs(arg->word ? "" : "-", stdout);
	for (i = 0; arg->word && (word = arg->word(i)); i++)
		printf("%s%s", i ? "," : "", word);
}

static void put_options(const struct cli_command *cmd, const struct argp_option *opt)
{
	const struct cli_arg *arg;

	for (; opt->name || opt->key || opt->doc; opt++) {
		if (!opt->name || opt->flags & OPTION_HIDDEN)
			continue;
		arg = opt->arg ? find_arg(cmd, opt->key) : &text_arg;
		printf("option\t%s\t%s\t%s\t%s\t", cmd->name, opt->name, opt->arg ? opt->arg : "-",
		       kind_names[arg->kind]);
		put_words(arg);
		printf("\t%s\n", opt->doc);
	}
}

static void put_argument(const char *command, const struct cli_arg *arg)
{
	printf("argument\t%s\t%s\t%u\t%s\t", command, arg->verb ? arg->verb : "-", arg->nth,
	       kind_names[arg->kind]);
	put_words(arg);
	putchar('\n');
}

static const char *command_word(unsigned int i)
{
	return cli_commands[i] ? cli_commands[i]->name : NULL;
}

static void put_table(void)
{
	static const struct cli_arg of_help = {
		.kind = CLI_KIND_WORD, .nth = 1, .word = command_word,
	};
	const struct cli_command *const *cmd;
	const struct cli_arg *arg;

	for (cmd = cli_commands; *cmd; cmd++) {
		printf("command\t%s\t%s\n", (*cmd)->name, (*cmd)->text);
		put_options(*cmd, (*cmd)->argp->options);
		put_options(*cmd, argps_own);
		for (arg = (*cmd)->args; arg && arg->kind; arg++)
			if (!arg->key)
				put_argument((*cmd)->name, arg);
	}
	printf("command\thelp\tsay how carom, or a command of it, is used\n");
	put_argument("help", &of_help);
}

int cli_complete(const char *what)
{
	if (!strcmp(what, "table"))
		put_table();
	else if (!strcmp(what, "walkers"))
		walker_names();
	else if (!strcmp(what, "pins"))
		walker_pins();
	else
		return CLI_USAGE;
	return cli_flush(CLI_OK);
}
