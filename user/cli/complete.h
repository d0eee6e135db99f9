/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What shells complete: made from the commands' own tables of options.
 */
#ifndef CAROM_CLI_COMPLETE_H
#define CAROM_CLI_COMPLETE_H

#include <argp.h>

/* What an argument can be. */
enum cli_kind {
	CLI_KIND_NONE,		/* ends a list */
	CLI_KIND_FILE,
	CLI_KIND_WORD,		/* one of some words; behind one that ends in a colon, a file */
	CLI_KIND_LIST,		/* several of them, with commas between */
	CLI_KIND_OBJECT,	/* file of a walker */
	CLI_KIND_WALKER,	/* that can be loaded by name, or the file of one */
	CLI_KIND_PIN,		/* that is loaded */
};

/**
 * struct cli_arg - what can stand as an argument
 * @kind: which
 * @key: of the option whose argument it is, or 0: one of the command's own
 * @nth: of the command's own, from 1 on
 * @verb: only if that is the first one, or NULL
 * @word: with words: the i-th of them, from 0 on, NULL behind the last
 */
struct cli_arg {
	enum cli_kind kind;
	int key;
	unsigned int nth;
	const char *verb;
	const char *(*word)(unsigned int i);
};

/**
 * struct cli_command - a subcommand
 * @run: takes argv from its name on; returns an exit status
 * @text: what it does, in one line
 * @argp: its options
 * @args: what is known of arguments; an option's that is not there is a text
 */
struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
	const struct argp *argp;
	const struct cli_arg *args;
};

/* NULL behind the last. */
extern const struct cli_command *const cli_commands[];
extern const struct cli_command cmd_get, cmd_scan, cmd_map, cmd_walker, cmd_bench, cmd_doctor,
	cmd_stat, cmd_top, cmd_trace;

/*
 * For the shells' functions, see user/cli/completion; returns an exit status. @what:
 * "table" prints one line for each command, option and argument, fields with tabs
 * between and "-" for an empty one:
 *	command NAME TEXT
 *	option COMMAND NAME ARGUMENT KIND WORDS TEXT
 *	argument COMMAND VERB NTH KIND WORDS
 * "walkers" and "pins" print what there is to load and to unload, one a line.
 */
int cli_complete(const char *what);

#endif /* CAROM_CLI_COMPLETE_H */
