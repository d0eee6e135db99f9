// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker: make, test, load, unload and list walkers. A loaded walker is a
 * struct_ops link pinned in bpffs.
 */
#include <stdlib.h>
#include <string.h>
#include "walker.h"

enum {
	KEY_VERBOSE = 0x100,
	KEY_LOG,
	KEY_NODE_SIZE,
	KEY_SCRATCH,
	KEY_FILE,
	KEY_ORACLE,
	KEY_VECTORS,
	KEY_NATIVE,
	KEY_NATIVE_ONLY,
};

static const struct argp_option options[] = {
	{ "verbose", KEY_VERBOSE, NULL, 0,
	  "load, test: show all that libbpf says, and the verifier if it refuses", 0 },
	{ "log", KEY_LOG, "FILE", 0, "load, test: write that to FILE", 0 },
	{ "node-size", KEY_NODE_SIZE, "N", 0, "new: bytes that every hop reads (4096)", 0 },
	{ "scratch", KEY_SCRATCH, "N", 0, "new: bytes for query and answer (64)", 0 },
	{ "file", KEY_FILE, "DATA", 0, "test: the file to walk in", 0 },
	{ "oracle", KEY_ORACLE, "COMMAND", 0,
	  "test: shell command that prints queries and what they must find", 0 },
	{ "vectors", KEY_VECTORS, "FILE", 0, "test: the same from a file; - is standard input", 0 },
	{ "native", KEY_NATIVE, "SO", 0,
	  "test: the walker built for user space (WALKER.native.so beside the object)", 0 },
	{ "native-only", KEY_NATIVE_ONLY, NULL, 0, "test: do without the kernel", 0 },
	CLI_OPTION_JSON,
	{ 0 },
};

/* What goes with what. */
static const struct verb {
	const char *name;
	const char *arg;	/* that it needs, or NULL */
	int (*run)(const struct walker_cmd *cmd);
} verbs[] = {
	{ "load", "a walker", walker_load },
	{ "unload", "a walker", walker_unload },
	{ "list", NULL, walker_list },
	{ "new", "a name", walker_new },
	{ "test", "an object file", walker_test },
};
#define NR_VERBS	(sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < NR_VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static error_t parse_arg(struct walker_cmd *cmd, char *arg)
{
	if (!cmd->verb)
		cmd->verb = arg;
	else if (!cmd->arg)
		cmd->arg = arg;
	else
		return cli_usage(&cmd->cli, "more than one argument after %s", cmd->verb);
	return 0;
}

static error_t parse_size(struct walker_cmd *cmd, const char *option, const char *arg, __u32 *size)
{
	unsigned long n;
	char *end;

	n = strtoul(arg, &end, 0);
	if (*end || end == arg || *arg == '-' || !n || n > UINT_MAX)
		return cli_usage(&cmd->cli, "--%s %s: not a number of bytes", option, arg);
	*size = (__u32)n;
	return 0;
}

static error_t check_test(struct walker_cmd *cmd)
{
	if (!cmd->file)
		return cli_usage(&cmd->cli, "test needs --file");
	if (!cmd->oracle == !cmd->vectors)
		return cli_usage(&cmd->cli, "test needs --oracle or --vectors, one of them");
	return 0;
}

static error_t check_options(struct walker_cmd *cmd)
{
	bool test = !strcmp(cmd->verb, "test"), load = test || !strcmp(cmd->verb, "load");

	if (!load && (cmd->verbose || cmd->log))
		return cli_usage(&cmd->cli, "--verbose and --log are for load and test");
	if (strcmp(cmd->verb, "new") && (cmd->node_size || cmd->scratch_size))
		return cli_usage(&cmd->cli, "--node-size and --scratch are for new");
	if (!test && (cmd->file || cmd->oracle || cmd->vectors || cmd->native || cmd->native_only))
		return cli_usage(&cmd->cli, "--file, --oracle, --vectors, --native and "
				 "--native-only are for test");
	return test ? check_test(cmd) : 0;
}

static error_t parse_end(struct walker_cmd *cmd)
{
	const struct verb *verb;

	if (!cmd->verb)
		return cli_usage(&cmd->cli, "load, unload, list, new or test is missing");
	verb = find_verb(cmd->verb);
	if (!verb)
		return cli_usage(&cmd->cli, "no %s: load, unload, list, new or test", cmd->verb);
	if (verb->arg && !cmd->arg)
		return cli_usage(&cmd->cli, "%s needs %s", cmd->verb, verb->arg);
	if (!verb->arg && cmd->arg)
		return cli_usage(&cmd->cli, "%s takes no argument", cmd->verb);
	return check_options(cmd);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct walker_cmd *cmd = state->input;

	switch (key) {
	case KEY_VERBOSE:
		cmd->verbose = true;
		return 0;
	case KEY_LOG:
		cmd->log = arg;
		return 0;
	case KEY_NODE_SIZE:
		return parse_size(cmd, "node-size", arg, &cmd->node_size);
	case KEY_SCRATCH:
		return parse_size(cmd, "scratch", arg, &cmd->scratch_size);
	case KEY_FILE:
		cmd->file = arg;
		return 0;
	case KEY_ORACLE:
		cmd->oracle = arg;
		return 0;
	case KEY_VECTORS:
		cmd->vectors = arg;
		return 0;
	case KEY_NATIVE:
		cmd->native = arg;
		return 0;
	case KEY_NATIVE_ONLY:
		cmd->native_only = true;
		return 0;
	case CLI_KEY_JSON:
		cmd->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		return parse_arg(cmd, arg);
	case ARGP_KEY_END:
		return parse_end(cmd);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *verb_word(unsigned int i)
{
	return i < NR_VERBS ? verbs[i].name : NULL;
}

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_FILE, .key = KEY_LOG },
	{ .kind = CLI_KIND_FILE, .key = KEY_FILE },
	{ .kind = CLI_KIND_FILE, .key = KEY_VECTORS },
	{ .kind = CLI_KIND_FILE, .key = KEY_NATIVE },
	{ .kind = CLI_KIND_WORD, .nth = 1, .word = verb_word },
	{ .kind = CLI_KIND_WALKER, .nth = 2, .verb = "load" },
	{ .kind = CLI_KIND_PIN, .nth = 2, .verb = "unload" },
	{ .kind = CLI_KIND_OBJECT, .nth = 2, .verb = "test" },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "load WALKER|FILE.bpf.o\nunload WALKER\nlist\nnew NAME\n"
		    "test FILE.bpf.o --file DATA --oracle COMMAND",
	.doc = "Load a walker into the kernel and pin it in " PIN_DIR ", unload one, list "
	       "those that are pinned, begin a new one, or test one.\v"
	       "load takes an object file, or the name of a walker whose WALKER.bpf.o is in "
	       "CAROM_BPF_PATH (directories, with colons between), in bpf/ beside the program, "
	       "or where carom is installed. new makes the directory NAME with a walker that "
	       "works, to be changed. test runs a walker in the kernel and natively and compares "
	       "both with each other and with what the oracle says: lines of START QUERY RESULT, "
	       "see carom(1).\n\nExit status: 0, 1 no such walker is loaded, or test: an answer is "
	       "wrong, 2 usage, 3 the object is no walker of this ABI, 4 this machine or user "
	       "cannot load it, or it is refused; test: the kernel could not be tested, 5 I/O "
	       "error.",
};

static int run_walker(int argc, char **argv)
{
	struct walker_cmd cmd = { .cli.name = "carom walker" };
	int ret = cli_parse(&cmd.cli, &argp, argc, argv, &cmd);

	return ret ? ret : find_verb(cmd.verb)->run(&cmd);
}

const struct cli_command cmd_walker = {
	.name = "walker",
	.run = run_walker,
	.text = "make, test, load, unload and list walkers",
	.argp = &argp,
	.args = args,
};
