// SPDX-License-Identifier: GPL-2.0
/*
 * Rows as sqlite3 prints them, and keys as it would read them.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "batch.h"
#include "rows.h"

#define MAX_KEY_COLUMNS	64
#define REAL_LEN	64

int rows_init(struct rows *r)
{
	r->nr = carom_index__columns(r->ix);
	r->cols = calloc(r->nr ? r->nr : 1, sizeof(*r->cols));
	return r->cols ? 0 : -ENOMEM;
}

void rows_exit(struct rows *r)
{
	free(r->cols);
}

/* ---- keys ---- */

/**
 * struct literals - literals that are being read
 * @p, @end: what is left
 * @room: for texts and blobs
 */
struct literals {
	const char *p;
	const char *end;
	char *room;
};

static void skip_blanks(struct literals *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
}

/* 'text', in which '' is a quote. */
static bool read_text(struct literals *l, struct carom_column *col)
{
	char *to = l->room;

	col->type = CAROM_TYPE_TEXT;
	col->data = to;
	for (l->p++; l->p < l->end; l->p++) {
		if (*l->p == '\'' && (l->p + 1 == l->end || l->p[1] != '\'')) {
			l->p++;
			col->len = (size_t)(to - l->room);
			l->room = to;
			return true;
		}
		l->p += *l->p == '\'';
		*to++ = *l->p;
	}
	return false;
}

/* x'hex' */
static bool read_blob(struct literals *l, struct carom_column *col)
{
	const char *from = l->p + 2, *to = memchr(from, '\'', (size_t)(l->end - from));
	void *bytes;

	if (!to)
		return false;
	bytes = cli_parse_hex(from, (size_t)(to - from), &col->len);
	if (!bytes)
		return false;
	memcpy(l->room, bytes, col->len);
	free(bytes);
	col->type = CAROM_TYPE_BLOB;
	col->data = l->room;
	l->room += col->len;
	l->p = to + 1;
	return true;
}

/* A number, or NULL: up to the next comma or blank. */
static bool read_word(struct literals *l, struct carom_column *col)
{
	char word[REAL_LEN], *end;
	size_t len = 0;

	while (l->p < l->end && len + 1 < sizeof(word) && !strchr(", \t'", *l->p))
		word[len++] = *l->p++;
	word[len] = '\0';
	if (!strcasecmp(word, "NULL")) {
		col->type = CAROM_TYPE_NULL;
		return true;
	}
	/* strtod() reads more than SQL: names, and hex. */
	if (!len || strspn(word, "+-.0123456789eE") != len)
		return false;
	errno = 0;
	col->type = CAROM_TYPE_INTEGER;
	col->integer = strtoll(word, &end, 10);
	if (!*end && !errno)
		return true;
	col->type = CAROM_TYPE_REAL;
	col->real = strtod(word, &end);
	return !*end;
}

static bool read_literal(struct literals *l, struct carom_column *col)
{
	*col = (struct carom_column){ 0 };
	skip_blanks(l);
	if (l->p == l->end)
		return false;
	if (*l->p == '\'')
		return read_text(l, col);
	if ((*l->p == 'x' || *l->p == 'X') && l->end - l->p > 1 && l->p[1] == '\'')
		return read_blob(l, col);
	return read_word(l, col);
}

/* How many columns, or -1. */
static int read_literals(struct literals *l, struct carom_column *cols, int max)
{
	int nr = 0;

	while (nr < max && read_literal(l, &cols[nr])) {
		nr++;
		skip_blanks(l);
		if (l->p == l->end)
			return nr;
		if (*l->p++ != ',')
			return -1;
	}
	return -1;
}

/* Texts between separators; the last column has the rest. */
static int split(const struct rows *r, const char *text, size_t len, struct carom_column *cols,
		 int max)
{
	size_t sep = strlen(r->separator);
	const char *end = text + len, *p;
	int nr;

	for (nr = 0; ; nr++) {
		p = sep && nr + 1 < max ?
		    memmem(text, (size_t)(end - text), r->separator, sep) : NULL;
		cols[nr] = (struct carom_column){
			.type = CAROM_TYPE_TEXT, .data = text,
			.len = (size_t)((p ? p : end) - text),
		};
		if (!p)
			return nr + 1;
		text = p + sep;
	}
}

static int read_columns(const struct rows *r, const char *text, size_t text_len, char *room,
			struct carom_column *cols)
{
	size_t max = carom_index__key_columns(r->ix);
	struct literals l = { .p = text, .end = text + text_len, .room = room };

	if (max > MAX_KEY_COLUMNS)
		max = MAX_KEY_COLUMNS;
	if (r->literals)
		return read_literals(&l, cols, MAX_KEY_COLUMNS);
	return split(r, text, text_len, cols, (int)max);
}

static int make_key(const struct rows *r, const struct carom_column *cols, int nr, void **key,
		    size_t *key_len, char *msg, size_t msg_size)
{
	struct carom_error err;
	int ret;

	*key = NULL;
	*key_len = 0;
	ret = carom_index__key(r->ix, cols, (size_t)nr, NULL, key_len, &err);
	if (ret == -ENOSPC) {
		*key = malloc(*key_len);
		ret = -ENOMEM;
		if (*key)
			ret = carom_index__key(r->ix, cols, (size_t)nr, *key, key_len, &err);
	}
	if (!ret)
		return 0;
	snprintf(msg, msg_size, "%s", ret == -ENOMEM ? "out of memory" : err.text);
	free(*key);
	return -1;
}

int rows_key(struct rows *r, const char *text, size_t text_len, void **key, size_t *key_len,
	     char *msg, size_t msg_size)
{
	struct carom_column cols[MAX_KEY_COLUMNS];
	char *room = malloc(text_len + 1);
	int ret = -1, nr;

	if (!room) {
		snprintf(msg, msg_size, "out of memory");
		return -1;
	}
	nr = read_columns(r, text, text_len, room, cols);
	if (nr < 0)
		snprintf(msg, msg_size, "key %.*s: not literals as 1, 2.5, 'text', x'00ff' or "
			 "NULL, with commas between them", text_len > 64 ? 64 : (int)text_len,
			 text);
	else
		ret = make_key(r, cols, nr, key, key_len, msg, msg_size);
	free(room);
	return ret;
}

/* ---- rows ---- */

static void print_column(const struct rows *r, const struct carom_column *col)
{
	char real[REAL_LEN];

	switch (col->type) {
	case CAROM_TYPE_INTEGER:
		printf("%lld", (long long)col->integer);
		break;
	case CAROM_TYPE_REAL:
		sqlite3_snprintf(sizeof(real), real, "%!.15g", col->real);
		fputs(real, stdout);
		break;
	case CAROM_TYPE_TEXT:
	case CAROM_TYPE_BLOB:
		/* sqlite3 ends them at a NUL, too. */
		if (r->hex)
			cli_print_hex(col->data, col->len);
		else
			fwrite(col->data, 1, strnlen(col->data, col->len), stdout);
		break;
	default:
		break;
	}
}

static void print_row(const struct rows *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		if (i)
			fputs(r->separator, stdout);
		print_column(r, &r->cols[i]);
	}
	putchar('\n');
}

/* The shortest that is the same double again; 1e999 is how JSON can say infinity. */
static struct json_object *json_real(double d)
{
	char text[REAL_LEN];

	sqlite3_snprintf(sizeof(text), text, "%!.15g", d);
	if (strtod(text, NULL) != d)
		snprintf(text, sizeof(text), "%.17g", d);
	if (d - d != 0)
		snprintf(text, sizeof(text), "%s1e999", d < 0 ? "-" : "");
	return json_object_new_double_s(d, text);
}

static struct json_object *json_column(const struct rows *r, const struct carom_column *col)
{
	switch (col->type) {
	case CAROM_TYPE_INTEGER:
		return json_object_new_int64(col->integer);
	case CAROM_TYPE_REAL:
		return json_real(col->real);
	case CAROM_TYPE_TEXT:
		return cli_json_bytes(col->data, col->len, r->hex);
	case CAROM_TYPE_BLOB:
		return cli_json_bytes(col->data, col->len, true);
	default:
		return NULL;
	}
}

static struct json_object *json_row(const struct rows *r)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	for (i = 0; i < r->nr; i++)
		json_object_object_add(obj, r->cols[i].name, json_column(r, &r->cols[i]));
	return obj;
}

struct json_object *rows_result(const char *text, size_t text_len, bool found,
				struct json_object *rows)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "key", cli_json_bytes(text, text_len, false));
	json_object_object_add(obj, "found", json_object_new_boolean(found));
	json_object_object_add(obj, "rows", rows);
	return obj;
}

int rows_show(struct rows *r, const struct carom_value *val, struct json_object *json,
	      struct carom_error *err)
{
	int ret = carom_index__row(r->ix, val, r->cols, r->nr, err);

	if (ret)
		return ret;
	if (json)
		json_object_array_add(json, json_row(r));
	else
		print_row(r);
	return 0;
}

int rows_lookup(struct rows *r, struct carom_reader *rd, const void *key, size_t key_len,
		struct json_object *json, bool *found, struct carom_error *err)
{
	uint64_t start = now_ns();
	struct carom_value val;
	int ret;

	ret = carom_reader__get(rd, key, key_len, &val);
	r->ns += now_ns() - start;
	while (!ret) {
		if (rows_show(r, &val, json, err))
			return err->code;
		*found = true;
		start = now_ns();
		ret = carom_reader__next(rd, &val);
		r->ns += now_ns() - start;
	}
	if (ret == CAROM_NOTFOUND)
		return 0;
	*err = *carom_reader__error(rd);
	return ret;
}
