// SPDX-License-Identifier: GPL-2.0
/*
 * Test vectors: lines of START QUERY RESULT.
 */
#include <stdlib.h>
#include <string.h>
#include "walker_test.h"

static bool parse_number(const char *text, unsigned long long max, unsigned long long *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return !*end && *n <= max;
}

static __u8 *parse_hex(const char *text, size_t *len)
{
	return cli_parse_hex(text, strlen(text), len);
}

/* fail, or fail=CODE */
static bool parse_fail(struct vector *v, const char *text)
{
	unsigned long long code;

	v->end = CAROM_END_WALKER;
	v->any_code = !*text;
	if (v->any_code)
		return true;
	if (*text != '=' || !parse_number(text + 1, CAROM_STEP_FAIL_MAX, &code))
		return false;
	v->code = (long)code;
	return true;
}

/* HEX behind the query, or OFFSET=HEX */
static bool parse_answer(struct vector *v, char *text)
{
	char *equals = strchr(text, '=');
	unsigned long long at = v->query_len;

	v->end = CAROM_END_DONE;
	if (equals) {
		*equals = '\0';
		if (!parse_number(text, CAROM_MAX_SCRATCH_SIZE, &at))
			return false;
		text = equals + 1;
	}
	v->at = (size_t)at;
	v->want = parse_hex(text, &v->want_len);
	return v->want;
}

static bool parse_result(struct vector *v, char *text)
{
	v->end = CAROM_END_DONE;
	if (!strcmp(text, "done"))
		return true;
	if (!strcmp(text, "miss")) {
		v->end = CAROM_END_MISS;
		return true;
	}
	if (!strncmp(text, "fail", 4))
		return parse_fail(v, text + 4);
	return parse_answer(v, text);
}

static int parse_words(struct vector *v, char *words[], size_t scratch_size, char *why,
		       size_t size)
{
	unsigned long long start;

	if (!words[2]) {
		snprintf(why, size, "START, QUERY and RESULT are expected");
		return -1;
	}
	if (!parse_number(words[0], ~0ULL, &start)) {
		snprintf(why, size, "START %s is no file offset", words[0]);
		return -1;
	}
	v->start = start;
	v->query = parse_hex(strcmp(words[1], "-") ? words[1] : "", &v->query_len);
	if (!v->query) {
		snprintf(why, size, "QUERY %.40s is not hex, two digits a byte", words[1]);
		return -1;
	}
	if (!parse_result(v, words[2])) {
		snprintf(why, size, "RESULT %.40s is none of HEX, OFFSET=HEX, done, miss, fail and "
			 "fail=CODE", words[2]);
		return -1;
	}
	if (v->query_len > scratch_size || v->at + v->want_len > scratch_size) {
		snprintf(why, size, "query or result is not within the walker's scratch of %zu bytes",
			 scratch_size);
		return -1;
	}
	return 1;
}

int vector_parse(struct vector *v, char *line, size_t scratch_size, char *why, size_t size)
{
	char *words[4] = { NULL }, *word, *rest = NULL;
	unsigned long number = v->line;
	unsigned int i = 0;
	int ret;

	*v = (struct vector){ .line = number };
	for (word = strtok_r(line, " \t\r\n", &rest); word && i < 4;
	     word = strtok_r(NULL, " \t\r\n", &rest))
		words[i++] = word;
	if (!i || words[0][0] == '#')
		return 0;
	if (words[3]) {
		snprintf(why, size, "%.40s: nothing more is expected there", words[3]);
		return -1;
	}
	ret = parse_words(v, words, scratch_size, why, size);
	if (ret < 0)
		vector_free(v);
	return ret;
}

void vector_free(struct vector *v)
{
	free(v->query);
	free(v->want);
	v->query = NULL;
	v->want = NULL;
}
