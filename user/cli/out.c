// SPDX-License-Identifier: GPL-2.0
/*
 * What the command prints: text and errors for people, one JSON document for
 * programs.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

static const char *exit_name(enum cli_exit exit)
{
	switch (exit) {
	case CLI_OK:
		return "ok";
	case CLI_ABSENT:
		return "absent";
	case CLI_USAGE:
		return "usage";
	case CLI_FORMAT:
		return "format";
	case CLI_BACKEND:
		return "backend";
	case CLI_IO:
		return "io";
	}
	return "unknown";
}

enum cli_exit cli_exit_of(enum carom_fault fault)
{
	switch (fault) {
	case CAROM_FAULT_USAGE:
		return CLI_USAGE;
	case CAROM_FAULT_FORMAT:
		return CLI_FORMAT;
	case CAROM_FAULT_BACKEND:
		return CLI_BACKEND;
	default:
		return CLI_IO;
	}
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	fputs("carom: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_flush(enum cli_exit exit)
{
	if (!fflush(stdout) && !ferror(stdout))
		return exit;
	cli_note("standard output cannot be written: %s", strerror(errno));
	return CLI_IO;
}

struct json_object *cli_doc(const struct cli *cli)
{
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "version", json_object_new_int(CLI_JSON_VERSION));
	json_object_object_add(doc, "command", json_object_new_string(cli->name));
	return doc;
}

int cli_doc_print(struct json_object *doc, enum cli_exit exit)
{
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
						 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	return cli_flush(exit);
}

int cli_fail_in(const struct cli *cli, struct json_object *doc, enum cli_exit exit,
		const char *text)
{
	struct json_object *error;

	if (!cli->json) {
		fflush(stdout);
		cli_note("%s", text);
		return cli_flush(exit);
	}
	error = json_object_new_object();
	json_object_object_add(error, "kind", json_object_new_string(exit_name(exit)));
	json_object_object_add(error, "exit", json_object_new_int(exit));
	json_object_object_add(error, "text", cli_json_text(text));
	json_object_object_add(doc, "error", error);
	return cli_doc_print(doc, exit);
}

int cli_fail(const struct cli *cli, enum cli_exit exit, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cli_fail_in(cli, cli->json ? cli_doc(cli) : NULL, exit, text);
}

/* Bytes of the UTF-8 character at @s, 0 if there is no valid one. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		      s[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (!need || need > len)
		return 0;
	for (i = 1; i < need; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return need;
}

static bool is_utf8(const unsigned char *s, size_t len)
{
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_char(s, len);
		if (!n)
			return false;
	}
	return true;
}

struct json_object *cli_json_text(const char *text)
{
	char *copy = text ? strdup(text) : NULL;
	size_t len = copy ? strlen(copy) : 0;
	struct json_object *obj;
	size_t i, n;

	if (!copy)
		return NULL;
	for (i = 0; i < len; i += n) {
		n = utf8_char((unsigned char *)copy + i, len - i);
		if (n)
			continue;
		copy[i] = '?';
		n = 1;
	}
	obj = json_object_new_string(copy);
	free(copy);
	return obj;
}

struct json_object *cli_json_stats(const struct carom_reader_stats *st, const char *lookups)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, lookups, json_object_new_uint64(st->lookups));
	json_object_object_add(obj, "hops", json_object_new_uint64(st->hops));
	json_object_object_add(obj, "kernel_hops", json_object_new_uint64(st->kernel_hops));
	json_object_object_add(obj, "fallbacks", json_object_new_uint64(st->fallbacks));
	json_object_object_add(obj, "last_abort", cli_json_text(st->last_abort));
	return obj;
}

static bool has_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && *term &&
	       strcmp(term, "dumb");
}

const char *cli_style(enum cli_style style)
{
	static const char *const sequences[] = {
		[CLI_PLAIN] = "\033[0m", [CLI_BOLD] = "\033[1m", [CLI_GOOD] = "\033[32m",
		[CLI_BAD] = "\033[1;31m",
	};

	return has_colours() ? sequences[style] : "";
}

static const char hex_digits[] = "0123456789abcdef";

static struct json_object *json_hex(const unsigned char *s, size_t len)
{
	struct json_object *obj = json_object_new_object();
	char *text = malloc(2 * len + 1);
	size_t i;

	if (!text)
		return obj;
	for (i = 0; i < len; i++) {
		text[2 * i] = hex_digits[s[i] >> 4];
		text[2 * i + 1] = hex_digits[s[i] & 15];
	}
	json_object_object_add(obj, "hex", json_object_new_string_len(text, (int)(2 * len)));
	free(text);
	return obj;
}

struct json_object *cli_json_bytes(const void *data, size_t len, bool hex)
{
	if (hex || len > INT32_MAX || !is_utf8(data, len))
		return json_hex(data, len);
	return json_object_new_string_len(data, (int)len);
}

void cli_print_hex(const void *data, size_t len)
{
	const unsigned char *s = data;
	size_t i;

	for (i = 0; i < len; i++) {
		putchar(hex_digits[s[i] >> 4]);
		putchar(hex_digits[s[i] & 15]);
	}
}

static int hex_value(char c)
{
	const char *p;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	p = c ? strchr(hex_digits, c) : NULL;
	return p ? (int)(p - hex_digits) : -1;
}

void *cli_parse_hex(const char *text, size_t text_len, size_t *len)
{
	unsigned char *data;
	int high, low;
	size_t i;

	if (text_len % 2)
		return NULL;
	data = malloc(text_len / 2 + 1);
	for (i = 0; data && i < text_len / 2; i++) {
		high = hex_value(text[2 * i]);
		low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			free(data);
			return NULL;
		}
		data[i] = (unsigned char)(high << 4 | low);
	}
	*len = text_len / 2;
	return data;
}

error_t cli_usage(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cli->usage_error, sizeof(cli->usage_error), fmt, ap);
	va_end(ap);
	return EINVAL;
}

const char *cli_backend_word(unsigned int i)
{
	unsigned int b = CAROM_BACKEND_AUTO + i;

	return b <= CAROM_BACKEND_PREAD ? carom_backend__name((enum carom_backend)b) : NULL;
}

const char *cli_format_word(unsigned int i)
{
	static const char *const names[] = { "lmdb", "sqlite", NULL };

	return names[i];
}

error_t cli_parse_backend(struct cli *cli, const char *name, enum carom_backend *backend)
{
	enum carom_backend b;

	for (b = CAROM_BACKEND_AUTO; b <= CAROM_BACKEND_PREAD; b++) {
		if (!strcmp(carom_backend__name(b), name)) {
			*backend = b;
			return 0;
		}
	}
	return cli_usage(cli, "no backend %s: auto, kernel, io_uring or pread", name);
}

/* Is @option among the options of @argv? */
static bool argv_has(int argc, char **argv, const char *option)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], option))
			return true;
	return false;
}

/* Has @argp an option that @arg, without its dashes, is or begins? */
static bool knows_option(const struct argp *argp, const char *arg)
{
	static const char *const argps_own[] = { "help", "usage", "version" };
	size_t len = strcspn(arg, "="), i;
	const struct argp_option *opt;

	for (i = 0; i < sizeof(argps_own) / sizeof(argps_own[0]); i++)
		if (!strncmp(argps_own[i], arg, len))
			return true;
	for (opt = argp->options; opt->name; opt++)
		if (!strncmp(opt->name, arg, len))
			return true;
	return false;
}

/* What argp would say itself on stderr. */
static int fail_option(const struct cli *cli, const struct argp *argp, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (argv[i][0] == '-' && argv[i][1] &&
		    (argv[i][1] != '-' || !knows_option(argp, argv[i] + 2)))
			return cli_fail(cli, CLI_USAGE, "unknown option %s; see %s --help",
					argv[i], cli->name);
	return cli_fail(cli, CLI_USAGE,
			"an option without its argument, or with one that it does not take, or "
			"not enough of its name; see %s --help", cli->name);
}

int cli_parse(struct cli *cli, const struct argp *argp, int argc, char **argv, void *input)
{
	unsigned int flags = 0;

	/* Known before parsing, so that an error in an earlier argument is JSON too. */
	cli->json = argv_has(argc, argv, "--json");
	if (cli->json && !argv_has(argc, argv, "--help") && !argv_has(argc, argv, "--usage") &&
	    !argv_has(argc, argv, "--version") && !argv_has(argc, argv, "-?"))
		flags |= ARGP_NO_ERRS;
	argp_err_exit_status = CLI_USAGE;
	argv[0] = (char *)cli->name;
	if (!argp_parse(argp, argc, argv, flags, NULL, input))
		return 0;
	if (cli->usage_error[0])
		return cli_fail(cli, CLI_USAGE, "%s; see %s --help", cli->usage_error, cli->name);
	return fail_option(cli, argp, argc, argv);
}
