// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "queued.h"

void queued_open(struct queued *k, struct carom_index *ix, unsigned int depth, bool poll)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = depth, .poll = poll };
	struct carom_error err;

	memset(k, 0, sizeof(*k));
	k->depth = depth;
	k->keys = calloc(depth, sizeof(*k->keys));
	k->turn = calloc(depth, sizeof(*k->turn));
	k->busy = calloc(depth, sizeof(*k->busy));
	k->held = calloc(depth, sizeof(*k->held));
	assert_true(k->keys && k->turn && k->busy && k->held);
	if (carom_queue__new(ix, &opts, &k->q, &err))
		fail_msg("%s", err.text);
}

void queued_close(struct queued *k)
{
	carom_queue__free(k->q);
	free(k->keys);
	free(k->turn);
	free(k->busy);
	free(k->held);
}

void queued_submit_number(struct queued *k, unsigned int number, uint64_t user_data)
{
	char key[DATABASE_KEY_LEN];

	assert_int_equal(carom_queue__submit(k->q, key, database_key(number, key), user_data), 0);
}

bool queued_submit(struct queued *k)
{
	char key[DATABASE_KEY_LEN];
	unsigned int i = 0;
	size_t len;

	if (k->in_flight + k->nr_held == k->depth)
		return false;
	while (k->busy[i])
		i++;
	k->keys[i] = rnd(DATABASE_KEYS * 3 / 2);
	len = database_key(k->keys[i], key);
	if (carom_queue__submit(k->q, key, len, i))
		fail_msg("%s", carom_queue__error(k->q)->text);
	k->turn[i] = ++k->submitted;
	k->busy[i] = true;
	k->in_flight++;
	return true;
}

static void check(struct queued *k, struct oracle *o, const struct carom_completion *c)
{
	char key[DATABASE_KEY_LEN];
	size_t len = database_key(k->keys[c->user_data], key);

	oracle_check(o, key, len, c->ret, &c->val, c->err->text);
}

static void give_back(struct queued *k, const struct carom_completion *c)
{
	k->busy[c->user_data] = false;
	carom_queue__done(k->q, c);
}

/* Of those held, any: what is given back need not be the oldest. */
static void give_one_back(struct queued *k, struct oracle *o)
{
	unsigned int i = rnd(k->nr_held);

	check(k, o, k->held[i]);
	give_back(k, k->held[i]);
	k->held[i] = k->held[--k->nr_held];
}

static void count(struct queued *k, const struct carom_completion *c)
{
	k->in_flight--;
	k->ended++;
	k->out_of_order += k->turn[c->user_data] < k->last_turn;
	k->last_turn = k->turn[c->user_data];
	if (!c->abort)
		return;
	k->aborted++;
	k->halfway += c->kernel_hops && c->hops > c->kernel_hops;
}

void queued_take(struct queued *k, struct oracle *o, const struct carom_completion *c)
{
	assert_in_range(c->user_data, 0, k->depth - 1);
	assert_true(k->busy[c->user_data]);
	count(k, c);
	check(k, o, c);
	if (!k->hold) {
		give_back(k, c);
		return;
	}
	k->held[k->nr_held++] = c;
	while (k->nr_held > k->hold)
		give_one_back(k, o);
}

static void take_next(struct queued *k, struct oracle *o)
{
	const struct carom_completion *c;

	if (carom_queue__wait(k->q, &c))
		fail_msg("%s", carom_queue__error(k->q)->text);
	queued_take(k, o, c);
	/* And what has come with it. */
	while (!carom_queue__peek(k->q, &c))
		queued_take(k, o, c);
}

void queued_drain(struct queued *k, struct oracle *o)
{
	while (k->in_flight)
		take_next(k, o);
	while (k->nr_held)
		give_one_back(k, o);
}

void queued_run(struct queued *k, struct oracle *o, unsigned int nr)
{
	while (nr) {
		while (nr && queued_submit(k))
			nr--;
		if (nr)
			take_next(k, o);
	}
	queued_drain(k, o);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_true(poll(&p, 1, timeout_ms) >= 0);
	return p.revents & POLLIN;
}

/* Not always to the end: what is ready must show in the descriptor. */
static void take_some(struct queued *k, struct oracle *o)
{
	const struct carom_completion *c;
	int ret;

	do {
		ret = carom_queue__peek(k->q, &c);
		if (!ret)
			queued_take(k, o, c);
	} while (!ret && rnd(8));
	assert_true(!ret || ret == -EAGAIN);
}

void queued_run_events(struct queued *k, struct oracle *o, unsigned int nr)
{
	unsigned long end = k->ended + nr;
	const struct carom_completion *c;
	int fd = carom_queue__fd(k->q);

	assert_true(fd >= 0);
	assert_int_equal(carom_queue__fd(k->q), fd);
	assert_int_equal(carom_queue__peek(k->q, &c), -EAGAIN);
	assert_false(readable(fd, 0));
	while (k->ended < end) {
		while (k->submitted < end && queued_submit(k))
			;
		assert_int_equal(carom_queue__flush(k->q), 0);
		if (!readable(fd, 60000))
			fail_msg("%u lookups in flight, and nothing comes", k->in_flight);
		take_some(k, o);
	}
	assert_int_equal(carom_queue__peek(k->q, &c), -EAGAIN);
	assert_false(readable(fd, 0));
}
