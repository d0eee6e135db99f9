// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "batch.h"

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void key_free(struct batch *b, struct batch_key *k)
{
	carom_queue__done(b->q, k->c);
	free(k->text);
	free(k->key);
	*k = (struct batch_key){ 0 };
}

/* Wait until the key at @i has its completion; others come meanwhile. */
static int batch_wait(struct batch *b, unsigned int i)
{
	const struct carom_completion *c;
	uint64_t start = now_ns();
	int ret = 0;

	while (!b->keys[i].c && !ret) {
		ret = carom_queue__wait(b->q, &c);
		if (!ret)
			b->keys[c->user_data].c = c;
	}
	b->ns += now_ns() - start;
	return ret;
}

static int batch_answer_first(struct batch *b)
{
	struct batch_key *k = &b->keys[b->first];
	int ret = batch_wait(b, b->first);

	if (ret)
		ret = b->answer(b->ctx, k, ret, NULL, carom_queue__error(b->q));
	else
		ret = b->answer(b->ctx, k, k->c->ret, &k->c->val, k->c->err);
	key_free(b, k);
	b->first = (b->first + 1) % BATCH_DEPTH;
	b->count--;
	return ret;
}

static int batch_answer(struct batch *b, unsigned int left)
{
	int ret = 0;

	while (!ret && b->count > left)
		ret = batch_answer_first(b);
	return ret;
}

/* It was not even sent: what came before it is answered before it. */
static int batch_refuse(struct batch *b, struct batch_key *k, int code)
{
	const struct carom_error err = *carom_queue__error(b->q);
	int ret = batch_drain(b);

	if (!ret)
		ret = b->answer(b->ctx, k, code, NULL, &err);
	key_free(b, k);
	return ret;
}

static void *copy(const void *from, size_t len)
{
	void *to = malloc(len ? len : 1);

	if (!to)
		abort();
	return len ? memcpy(to, from, len) : to;
}

int batch_add(struct batch *b, const char *text, size_t text_len, const void *key,
	      size_t key_len)
{
	unsigned int i = (b->first + b->count) % BATCH_DEPTH;
	uint64_t start;
	int ret = 0;

	/* Half at a time, so that as many go out with one system call. */
	if (b->count == BATCH_DEPTH)
		ret = batch_answer(b, BATCH_DEPTH / 2);
	if (ret)
		return ret;
	b->keys[i] = (struct batch_key) {
		.text = copy(text, text_len), .text_len = text_len,
		.key = copy(key, key_len), .key_len = key_len,
	};
	start = now_ns();
	ret = carom_queue__submit(b->q, key, key_len, i);
	b->ns += now_ns() - start;
	if (ret)
		return batch_refuse(b, &b->keys[i], ret);
	b->count++;
	return 0;
}

int batch_drain(struct batch *b)
{
	return batch_answer(b, 0);
}

void batch_close(struct batch *b)
{
	while (b->count) {
		key_free(b, &b->keys[b->first]);
		b->first = (b->first + 1) % BATCH_DEPTH;
		b->count--;
	}
	carom_queue__free(b->q);
}
