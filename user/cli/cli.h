/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The carom command: what its parts share.
 */
#ifndef CAROM_CLI_H
#define CAROM_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include <carom/carom.h>
#include "complete.h"

/* Version of the JSON documents, not of the program. */
#define CLI_JSON_VERSION	1

enum cli_exit {
	CLI_OK = 0,
	CLI_ABSENT = 1,		/* some key, or a walker to unload */
	CLI_USAGE = 2,
	CLI_FORMAT = 3,		/* the file is not of that format, or damaged */
	CLI_BACKEND = 4,	/* what was asked for does not work on this machine */
	CLI_IO = 5,
};

/**
 * struct cli - one run of one subcommand
 * @name: "carom get", as it is typed
 * @json: print one JSON document instead of text
 * @usage_error: set by a parser that found an argument wrong, before EINVAL
 */
struct cli {
	const char *name;
	bool json;
	char usage_error[256];
};

/* ---- out.c ---- */

/* Take @exit with an error on stderr, or as the JSON document on stdout; returns @exit. */
__attribute__((format(printf, 3, 4)))
int cli_fail(const struct cli *cli, enum cli_exit exit, const char *fmt, ...);
/* The same inside a document that already has content. */
int cli_fail_in(const struct cli *cli, struct json_object *doc, enum cli_exit exit,
		const char *text);
/* A message for people: stderr, with or without --json. */
__attribute__((format(printf, 1, 2)))
void cli_note(const char *fmt, ...);
/* A new document: version and command are in it. */
struct json_object *cli_doc(const struct cli *cli);
/* Print the document and free it; @exit, or CLI_IO if stdout cannot be written. */
int cli_doc_print(struct json_object *doc, enum cli_exit exit);
/* Flush stdout; @exit, or CLI_IO with an error. */
int cli_flush(enum cli_exit exit);
/* Bytes as JSON: a string if they are UTF-8 and not @hex, else {"hex": "..."}. */
struct json_object *cli_json_bytes(const void *data, size_t len, bool hex);
/* A message as JSON: what is not UTF-8 in it (a path, say) becomes "?"; NULL is null. */
struct json_object *cli_json_text(const char *text);
/* What a reader or scan has done, as JSON; @lookups is what its lookups are called. */
struct json_object *cli_json_stats(const struct carom_reader_stats *st, const char *lookups);
/*
 * The escape sequence for @style if stdout is a terminal that has colours and its user
 * wants them (NO_COLOR), else "".
 */
enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_GOOD, CLI_BAD };
const char *cli_style(enum cli_style style);
/* Bytes in hex to stdout, no newline. */
void cli_print_hex(const void *data, size_t len);
/* Hex to bytes in a malloc()ed buffer; NULL if @text is no hex (or memory is out). */
void *cli_parse_hex(const char *text, size_t text_len, size_t *len);
enum cli_exit cli_exit_of(enum carom_fault fault);

/* Parse @argv; 0, or the exit status after the error was shown. */
int cli_parse(struct cli *cli, const struct argp *argp, int argc, char **argv, void *input);
/* For parsers: remember what is wrong with an argument; returns EINVAL. */
__attribute__((format(printf, 2, 3)))
error_t cli_usage(struct cli *cli, const char *fmt, ...);

/* For parsers: the backend of that name. 0 or EINVAL. */
error_t cli_parse_backend(struct cli *cli, const char *name, enum carom_backend *backend);
/* For struct cli_arg: names of backends, and of formats. */
const char *cli_backend_word(unsigned int i);
const char *cli_format_word(unsigned int i);

/* Every subcommand has this option. */
#define CLI_KEY_JSON	0x1000
#define CLI_OPTION_JSON	\
	{ "json", CLI_KEY_JSON, NULL, 0, "Print one JSON document on standard output", 90 }

/* ---- walker.c, for doctor ---- */

#define BPFFS_DIR	"/sys/fs/bpf"
#define PIN_DIR		BPFFS_DIR "/carom"

bool bpffs_mounted(void);

#endif /* CAROM_CLI_H */
