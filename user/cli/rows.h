/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys and values of formats that have columns.
 */
#ifndef CAROM_ROWS_H
#define CAROM_ROWS_H

#include <carom/carom.h>
#include "cli.h"

/**
 * struct rows - how keys are written, and room for rows
 * @ix: the index
 * @separator: between columns, of keys and of rows
 * @literals: keys are SQL's literals, with commas between them
 * @hex: keys and values are hex
 * @cols: columns of the row shown last
 * @nr: how many a row has; 0: values are bytes
 * @ns: time spent in the library
 */
struct rows {
	struct carom_index *ix;
	const char *separator;
	bool literals;
	bool hex;
	struct carom_column *cols;
	size_t nr;
	uint64_t ns;
};

/* Find out what @r->ix has. 0, or -ENOMEM. */
int rows_init(struct rows *r);
void rows_exit(struct rows *r);

/**
 * rows_key() - the key that is written so
 * @text: need not end in NUL
 * @key: malloc()ed
 * @msg: what is wrong with it
 *
 * Return: 0, or -1.
 */
int rows_key(struct rows *r, const char *text, size_t text_len, void **key, size_t *key_len,
	     char *msg, size_t msg_size);

/* Print a row as sqlite3 -list does, or add it to @json unless NULL. 0 or negative errno. */
int rows_show(struct rows *r, const struct carom_value *val, struct json_object *json,
	      struct carom_error *err);

/**
 * rows_lookup() - find all rows of a key and print them as sqlite3 -list does
 * @json: NULL, or a list that gets them instead
 * @found: there are some
 * @err: filled on failure
 *
 * Return: 0, or a negative errno; what was found before has been printed.
 */
int rows_lookup(struct rows *r, struct carom_reader *rd, const void *key, size_t key_len,
		struct json_object *json, bool *found, struct carom_error *err);

/* A result of the document, which takes @rows. */
struct json_object *rows_result(const char *text, size_t text_len, bool found,
				struct json_object *rows);

#endif /* CAROM_ROWS_H */
