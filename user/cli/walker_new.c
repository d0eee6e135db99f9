// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker new: a directory with a walker that works, to be changed.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "walker.h"

#define NODE_SIZE	4096
#define SCRATCH_SIZE	64
#define MIN_SCRATCH	16	/* what the template keeps there */

/* A file of user/cli/template as a string; it is compiled from the top of the tree. */
#define TEMPLATE(name, file)						\
	__asm__(".pushsection .rodata\n" #name ":\n.incbin \"user/cli/template/" file "\"\n"	\
		".byte 0\n.popsection\n");				\
	extern const char name[] __attribute__((visibility("hidden")))

TEMPLATE(template_walker, "walker.bpf.c.in");
TEMPLATE(template_header, "walker.h.in");
TEMPLATE(template_oracle, "oracle.in");
TEMPLATE(template_makefile, "Makefile.in");

static const struct {
	const char *name;	/* of the file; @ is the walker's */
	const char *text;
	mode_t mode;
} files[] = {
	{ "@.bpf.c", template_walker, 0666 },
	{ "@.h", template_header, 0666 },
	{ "oracle", template_oracle, 0777 },
	{ "Makefile", template_makefile, 0666 },
};
#define NR_FILES	(sizeof(files) / sizeof(files[0]))

/**
 * struct maker - one new walker
 * @upper: its name as that of macros
 * @made: files that are there
 */
struct maker {
	const struct walker_cmd *cmd;
	char upper[CAROM_WALKER_NAME_LEN];
	unsigned int node_size;
	unsigned int scratch_size;
	unsigned int made;
};

static bool is_keyword(const char *name)
{
	static const char words[] = " auto break case char const continue default do double else "
		"enum extern float for goto if inline int long register restrict return short "
		"signed sizeof static struct switch typedef union unsigned void volatile while asm "
		"typeof main ";
	char word[CAROM_WALKER_NAME_LEN + 2];

	snprintf(word, sizeof(word), " %s ", name);
	return strstr(words, word);
}

/* It is going to be part of names in C, of files, and of a pin. */
static bool name_ok(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return p > name && p - name < CAROM_WALKER_NAME_LEN && !isdigit((unsigned char)*name) &&
	       !is_keyword(name);
}

static int check(struct maker *m)
{
	const struct walker_cmd *cmd = m->cmd;

	if (!name_ok(cmd->arg))
		return cli_fail(&cmd->cli, CLI_USAGE,
			"%s: no name for a walker: letters, digits and _ as in a C identifier, up to %d",
			cmd->arg, CAROM_WALKER_NAME_LEN - 1);
	m->node_size = cmd->node_size ? cmd->node_size : NODE_SIZE;
	m->scratch_size = cmd->scratch_size ? cmd->scratch_size : SCRATCH_SIZE;
	if (m->node_size < CAROM_MIN_NODE_SIZE || m->node_size > CAROM_MAX_NODE_SIZE ||
	    m->node_size & (m->node_size - 1))
		return cli_fail(&cmd->cli, CLI_USAGE,
			"--node-size %u: nodes have a power of two from %d to %d bytes",
			m->node_size, CAROM_MIN_NODE_SIZE, CAROM_MAX_NODE_SIZE);
	if (m->scratch_size < MIN_SCRATCH || m->scratch_size > CAROM_MAX_SCRATCH_SIZE)
		return cli_fail(&cmd->cli, CLI_USAGE, "--scratch %u: it has from %d to %d bytes",
				m->scratch_size, MIN_SCRATCH, CAROM_MAX_SCRATCH_SIZE);
	return 0;
}

/* What stands for @WORD@ in a template; NULL: it is no such word. */
static const char *value_of(const struct maker *m, const char *word, size_t len, char *number,
			    size_t size)
{
	if (len == 4 && !memcmp(word, "NAME", len))
		return m->cmd->arg;
	if (len == 5 && !memcmp(word, "UPPER", len))
		return m->upper;
	if (len == 9 && !memcmp(word, "NODE_SIZE", len))
		snprintf(number, size, "%u", m->node_size);
	else if (len == 7 && !memcmp(word, "SCRATCH", len))
		snprintf(number, size, "%u", m->scratch_size);
	else
		return NULL;
	return number;
}

static void expand(const struct maker *m, const char *text, FILE *out)
{
	const char *at, *end, *value;
	char number[16];
	size_t len;

	while ((at = strchr(text, '@'))) {
		fwrite(text, 1, (size_t)(at - text), out);
		end = strchr(at + 1, '@');
		len = end ? (size_t)(end - at - 1) : 0;
		value = value_of(m, at + 1, len, number, sizeof(number));
		fputs(value ? value : "@", out);
		text = value ? end + 1 : at + 1;
	}
	fputs(text, out);
}

static void file_path(const struct maker *m, unsigned int i, char *path, size_t size)
{
	const char *name = files[i].name, *dir = m->cmd->arg;

	if (*name == '@')
		snprintf(path, size, "%s/%s%s", dir, dir, name + 1);
	else
		snprintf(path, size, "%s/%s", dir, name);
}

/* 0 or a positive errno. */
static int make_file(const struct maker *m, unsigned int i)
{
	char path[PATH_MAX];
	bool failed;
	FILE *out;
	int fd;

	file_path(m, i, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, files[i].mode);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return errno;
	expand(m, files[i].text, out);
	failed = ferror(out);
	if (fclose(out) || failed)
		return errno ? errno : EIO;
	return 0;
}

/* Nothing half done stays. */
static int undo(const struct maker *m, int err)
{
	char path[PATH_MAX];
	unsigned int i;

	for (i = 0; i <= m->made && i < NR_FILES; i++) {
		file_path(m, i, path, sizeof(path));
		unlink(path);
	}
	rmdir(m->cmd->arg);
	return cli_fail(&m->cmd->cli, CLI_IO, "%s cannot be written: %s; nothing is left of it",
			m->cmd->arg, strerror(err));
}

static int show(const struct maker *m)
{
	const struct walker_cmd *cmd = m->cmd;
	struct json_object *doc, *list;
	char path[PATH_MAX];
	unsigned int i;

	if (!cmd->cli.json) {
		printf("%s: a walker that works; make -C %s test, and then change it\n", cmd->arg,
		       cmd->arg);
		return cli_flush(CLI_OK);
	}
	doc = cli_doc(&cmd->cli);
	list = json_object_new_array();
	for (i = 0; i < NR_FILES; i++) {
		file_path(m, i, path, sizeof(path));
		json_object_array_add(list, cli_json_text(path));
	}
	json_object_object_add(doc, "walker", cli_json_text(cmd->arg));
	json_object_object_add(doc, "files", list);
	return cli_doc_print(doc, CLI_OK);
}

int walker_new(const struct walker_cmd *cmd)
{
	struct maker m = { .cmd = cmd };
	int ret = check(&m), err;
	size_t i;

	if (ret)
		return ret;
	for (i = 0; cmd->arg[i]; i++)
		m.upper[i] = (char)toupper((unsigned char)cmd->arg[i]);
	if (mkdir(cmd->arg, 0777))
		return cli_fail(&cmd->cli, CLI_IO, errno == EEXIST ?
				"%s: there is one already; nothing was written" :
				"%s: the directory cannot be made: %m", cmd->arg);
	for (; m.made < NR_FILES; m.made++) {
		err = make_file(&m, m.made);
		if (err)
			return undo(&m, err);
	}
	return show(&m);
}
