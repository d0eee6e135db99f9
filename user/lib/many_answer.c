// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What becomes of many keys that are looked up at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "many.h"

static void fail(struct carom_many *many, struct carom_answer *a, int ret,
		 const struct carom_error *err)
{
	a->ret = ret;
	if (many->ret)
		return;
	many->ret = ret;
	many->err = *err;
}

/* The value stays until the next call. */
static void answer_copy(struct carom_many *many, struct carom_answer *a,
			const struct carom_value *val)
{
	struct kept *kept = malloc(sizeof(*kept) + val->len);
	struct carom_error err;

	if (!kept) {
		fail(many, a, no_memory(&err), &err);
		return;
	}
	if (val->len)
		memcpy(kept->data, val->data, val->len);
	kept->next = many->kept;
	many->kept = kept;
	a->ret = 0;
	a->val = (struct carom_value){ .data = kept->data, .len = val->len };
}

void carom_many_alone(struct carom_many *many, const struct carom_value *key)
{
	struct carom_answer *a = answer_of(many, key);
	struct carom_value val;
	int ret = carom_reader__get(many->point, key->data, key->len, &val);

	many->alone = true;
	if (ret < 0)
		fail(many, a, ret, carom_reader__error(many->point));
	else if (ret)
		a->ret = ret;
	else
		answer_copy(many, a, &val);
}

static void answer_from_file(struct carom_many *many, const struct carom_value *key, __u64 at,
			     struct carom_value *val)
{
	struct carom_error err = { 0 };
	int ret = many->fmt->read(many->point, many->version, at, val, &err);

	if (ret)
		fail(many, answer_of(many, key), ret, &err);
	else
		answer_copy(many, answer_of(many, key), val);
}

/* @hold: its slot is not needed for another chain. */
static void answer_key(struct carom_many *many, struct carom_reader *rd, size_t k,
		       const struct carom_value *key, bool hold)
{
	struct carom_answer *a = answer_of(many, key);
	struct carom_value val = { 0 };
	__u64 at = 0;
	int ret = many->fmt->result(rd, k, &val, &at);

	switch (ret) {
	case 0:
		a->val = val;
		if (!hold)
			answer_copy(many, a, &val);
		break;
	case CAROM_NOTFOUND:
		a->ret = ret;
		break;
	case CAROM_MANY_IN_FILE:
		answer_from_file(many, key, at, &val);
		break;
	default:
		carom_many_alone(many, key);
	}
}

/* A chain of one key has ended. */
static void answer_single(struct carom_many *many, const struct carom_completion *c,
			  const struct carom_value *key, bool hold)
{
	struct carom_answer *a = answer_of(many, key);

	if (c->ret < 0) {
		carom_many_alone(many, key);
		return;
	}
	a->ret = c->ret;
	a->val = c->val;
	if (!c->ret && !hold)
		answer_copy(many, a, &c->val);
}

void carom_many_part(struct carom_many *many, const struct carom_completion *c, bool hold)
{
	const struct part *part = &many->parts[c->user_data];
	struct carom_reader *rd = &((struct query *)c)->rd;
	size_t k;

	for (k = 0; k < part->nr; k++) {
		const struct carom_value *key = many->unique[part->first + k];

		if (!many->walker)
			answer_single(many, c, key, hold);
		else if (c->ret)
			carom_many_alone(many, key);
		else
			answer_key(many, rd, k, key, hold);
	}
	if (hold)
		many->held[many->nr_held++] = c;
	else
		carom_queue__done(many->q, c);
}

void carom_many_let_go(struct carom_many *many)
{
	struct kept *kept;

	while (many->nr_held)
		carom_queue__done(many->q, many->held[--many->nr_held]);
	while ((kept = many->kept)) {
		many->kept = kept->next;
		free(kept);
	}
}

void carom_many_rest(struct carom_many *many, size_t nr)
{
	size_t i;

	for (i = 1; i < many->nr_sorted; i++)
		if (!many->fmt->compare(many->sorted[i - 1], many->sorted[i]))
			*answer_of(many, many->sorted[i]) = *answer_of(many, many->sorted[i - 1]);
	for (i = 0; i < nr && many->walker; i++)
		if (!many->fmt->valid(&many->keys[i]))
			carom_many_alone(many, &many->keys[i]);
}
