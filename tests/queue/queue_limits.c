// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: limits, options, cancellation, their end with lookups in flight, threads.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "modes.h"

/* --- limits --- */

static void fill_up(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c[4], *more;
	struct queued k;
	unsigned int i;

	(void)mode;
	queued_open(&k, ix, 4, false);
	for (i = 0; i < 4; i++)
		queued_submit_number(&k, i, i);
	assert_int_equal(carom_queue__submit(k.q, "x", 1, 4), -EBUSY);
	assert_non_null(strstr(carom_queue__error(k.q)->text, "all 4 lookups"));
	assert_int_equal(carom_queue__error(k.q)->fault, CAROM_FAULT_USAGE);
	assert_int_equal(carom_queue__wait_nr(k.q, 100, -1), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(carom_queue__peek(k.q, &c[i]), 0);
	/* They have ended, but their values are still there. */
	assert_int_equal(carom_queue__submit(k.q, "x", 1, 4), -EBUSY);
	assert_int_equal(carom_queue__peek(k.q, &more), -EAGAIN);
	carom_queue__done(k.q, c[2]);
	/* Twice is once. */
	carom_queue__done(k.q, c[2]);
	carom_queue__done(k.q, NULL);
	assert_int_equal(carom_queue__submit(k.q, "x", 1, 7), 0);
	assert_int_equal(carom_queue__submit(k.q, "x", 1, 8), -EBUSY);
	assert_int_equal(carom_queue__wait(k.q, &more), 0);
	assert_int_equal(more->user_data, 7);
	queued_close(&k);
}

static void test_full(void **state)
{
	(void)state;
	each_mode(4, fill_up);
}

static void nothing(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	struct queued k;

	(void)mode;
	queued_open(&k, ix, 2, false);
	assert_int_equal(carom_queue__flush(k.q), 0);
	assert_int_equal(carom_queue__peek(k.q, &c), -EAGAIN);
	assert_int_equal(carom_queue__wait(k.q, &c), -ENOENT);
	assert_int_equal(carom_queue__wait_nr(k.q, 5, -1), 0);
	assert_int_equal(carom_queue__cancel(k.q, 1), -ENOENT);
	queued_close(&k);
}

static void test_nothing_in_flight(void **state)
{
	(void)state;
	each_mode(2, nothing);
}

static void bad_keys(const struct mode *mode, struct carom_index *ix)
{
	static const char key[DATABASE_KEY_LEN + 1];
	const struct carom_completion *c;
	struct queued k;

	(void)mode;
	queued_open(&k, ix, 1, false);
	assert_int_equal(carom_queue__submit(k.q, key, 0, 1), -EINVAL);
	assert_non_null(strstr(carom_queue__error(k.q)->text, "key of 0 bytes"));
	assert_int_equal(carom_queue__submit(k.q, key, sizeof(key), 2), -EINVAL);
	assert_non_null(strstr(carom_queue__error(k.q)->text, "key of 512 bytes"));
	assert_int_equal(carom_queue__submit(k.q, NULL, 3, 3), -EINVAL);
	/* None of them took the only place. */
	assert_int_equal(carom_queue__submit(k.q, key, DATABASE_KEY_LEN, 4), 0);
	assert_int_equal(carom_queue__wait(k.q, &c), 0);
	assert_int_equal(c->user_data, 4);
	assert_int_equal(c->ret, CAROM_NOTFOUND);
	queued_close(&k);
}

static void test_bad_keys(void **state)
{
	(void)state;
	each_mode(1, bad_keys);
}

static void wait_some(const struct mode *mode, struct carom_index *ix)
{
	struct oracle o;
	struct queued k;
	int ready;

	(void)mode;
	oracle_open(&o, mode_file(), NULL);
	queued_open(&k, ix, 16, false);
	while (queued_submit(&k))
		;
	ready = carom_queue__wait_nr(k.q, 16, 0);
	assert_in_range(ready, 0, 16);
	ready = carom_queue__wait_nr(k.q, 5, 60000);
	assert_in_range(ready, 5, 16);
	assert_int_equal(carom_queue__wait_nr(k.q, 16, -1), 16);
	queued_drain(&k, &o);
	assert_int_equal(k.ended, 16);
	queued_close(&k);
	oracle_close(&o);
}

static void test_wait_nr(void **state)
{
	(void)state;
	each_mode(16, wait_some);
}

static int new_queue(struct carom_index *ix, unsigned int depth, bool poll, const char *text)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = depth, .poll = poll };
	struct carom_error err = { 0 };
	struct carom_queue *q = NULL;
	int ret = carom_queue__new(ix, &opts, &q, &err);

	if (ret) {
		assert_null(q);
		assert_int_equal(err.code, ret);
		if (!strstr(err.text, text))
			fail_msg("'%s' not in '%s'", text, err.text);
	}
	carom_queue__free(q);
	return ret;
}

static void test_options(void **state)
{
	struct carom_queue_opts small = { .sz = 3 };
	struct carom_queue *a, *b;
	struct carom_index *ix;

	(void)state;
	ix = mode_open(&modes[0], mode_file(), NULL, 40);
	assert_int_equal(new_queue(ix, 41, false, "depth is 41"), -EINVAL);
	assert_int_equal(new_queue(ix, 40, true, "pread cannot poll"), -EOPNOTSUPP);
	assert_int_equal(carom_queue__new(ix, &small, &a, NULL), -EINVAL);
	assert_int_equal(carom_queue__new(ix, NULL, &a, NULL), 0);
	assert_int_equal(carom_queue__new(ix, NULL, &b, NULL), -EBUSY);
	assert_int_equal(new_queue(ix, 9, false, "no 9 slots left"), -EBUSY);
	assert_int_equal(new_queue(ix, 8, false, ""), 0);
	carom_queue__free(a);
	assert_int_equal(new_queue(ix, 40, false, ""), 0);
	carom_index__close(ix);
	ix = mode_open(&modes[2], mode_file(), NULL, 4);
	if (ix)
		assert_int_equal(new_queue(ix, 4, true, "opened with direct"), -EOPNOTSUPP);
	carom_index__close(ix);
	carom_queue__free(NULL);
}

/* Works, or says why not: that depends on the device here. */
static void test_polling_io_uring(void **state)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = 32, .poll = true };
	struct carom_error err;
	struct carom_queue *q;
	struct carom_index *ix;
	struct oracle o;
	struct queued k;

	(void)state;
	ix = mode_open(&modes[3], mode_file(), NULL, 32);
	if (!ix)
		skip_because("io_uring does not work here");
	if (carom_queue__new(ix, &opts, &q, &err)) {
		assert_int_equal(err.code, -EOPNOTSUPP);
		assert_non_null(strstr(err.text, "poll_queues"));
		print_message("# %s\n", err.text);
	} else {
		assert_int_equal(carom_queue__fd(q), -EOPNOTSUPP);
		carom_queue__free(q);
		oracle_open(&o, mode_file(), NULL);
		queued_open(&k, ix, 32, true);
		queued_run(&k, &o, 1000);
		queued_close(&k);
		oracle_close(&o);
	}
	carom_index__close(ix);
}

/* --- the end --- */

static void free_early(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	struct queued k;
	unsigned int i;

	(void)mode;
	for (i = 0; i < 30; i++) {
		queued_open(&k, ix, 200, false);
		while (queued_submit(&k))
			;
		if (i % 3)
			assert_int_equal(carom_queue__flush(k.q), 0);
		if (i % 3 == 2)
			assert_int_equal(carom_queue__wait(k.q, &c), 0);
		queued_close(&k);
	}
}

static void test_free_in_flight(void **state)
{
	(void)state;
	each_mode(200, free_early);
}

static void cancel(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	unsigned int canceled = 0, i;
	struct queued k;

	(void)mode;
	queued_open(&k, ix, 20, false);
	/* Number 3 has a value, deep in the tree. */
	for (i = 0; i < 20; i++)
		queued_submit_number(&k, 3, i % 5);
	assert_int_equal(carom_queue__cancel(k.q, 4), 0);
	assert_int_equal(carom_queue__cancel(k.q, 9), -ENOENT);
	for (i = 0; i < 20; i++) {
		assert_int_equal(carom_queue__wait(k.q, &c), 0);
		if (c->user_data == 4) {
			assert_int_equal(c->ret, -ECANCELED);
			assert_int_equal(c->err->code, -ECANCELED);
			assert_non_null(strstr(c->err->text, "canceled"));
			assert_null(c->val.data);
			canceled++;
		} else {
			assert_int_equal(c->ret, 0);
		}
		carom_queue__done(k.q, c);
	}
	assert_int_equal(canceled, 4);
	/* The wish does not stick to the place. */
	for (i = 0; i < 20; i++)
		queued_submit_number(&k, 3, 4);
	for (i = 0; i < 20; i++) {
		assert_int_equal(carom_queue__wait(k.q, &c), 0);
		assert_int_equal(c->ret, 0);
		carom_queue__done(k.q, c);
	}
	queued_close(&k);
}

static void test_cancel(void **state)
{
	(void)state;
	each_mode(20, cancel);
}

/* --- threads --- */

static void *use_elsewhere(void *arg)
{
	struct queued *k = arg;
	const struct carom_completion *c;
	int ret = carom_queue__wait(k->q, &c);

	if (ret != -EEXIST || !strstr(carom_queue__error(k->q)->text, "another thread"))
		return arg;
	return NULL;
}

/* Only kernels that know rings of one thread, from 6.1 on, can tell. */
static void foreign(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	pthread_t thread;
	struct queued k;
	void *failed;

	if (mode->backend != CAROM_BACKEND_IO_URING)
		return;
	queued_open(&k, ix, 1, false);
	queued_submit_number(&k, 3, 1);
	pthread_create(&thread, NULL, use_elsewhere, &k);
	pthread_join(thread, &failed);
	assert_null(failed);
	/* No harm done. */
	assert_int_equal(carom_queue__wait(k.q, &c), 0);
	assert_int_equal(c->ret, 0);
	queued_close(&k);
}

static void test_foreign_thread(void **state)
{
	(void)state;
	each_mode(1, foreign);
}

#define THREADS 3

struct worker {
	struct carom_index *ix;
	unsigned long wrong;
};

/* One key, known to be there: the checks of queued.c must not fail in a thread. */
static void *work(void *arg)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = 16 };
	struct worker *w = arg;
	const struct carom_completion *c;
	char key[DATABASE_KEY_LEN];
	size_t len = database_key(3, key);
	struct carom_queue *q;
	unsigned int i, sent = 0;

	if (carom_queue__new(w->ix, &opts, &q, NULL)) {
		w->wrong = 1;
		return NULL;
	}
	for (i = 0; i < 2000; i++) {
		while (sent < 2000 && !carom_queue__submit(q, key, len, sent))
			sent++;
		if (carom_queue__wait(q, &c)) {
			w->wrong++;
			break;
		}
		w->wrong += !!c->ret;
		carom_queue__done(q, c);
	}
	carom_queue__free(q);
	return NULL;
}

static void parallel(const struct mode *mode, struct carom_index *ix)
{
	struct worker w[THREADS];
	pthread_t threads[THREADS];
	int i;

	(void)mode;
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) { .ix = ix };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].wrong, 0);
	}
}

static void test_queue_per_thread(void **state)
{
	(void)state;
	each_mode(16 * THREADS, parallel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_nothing_in_flight),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_wait_nr),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_polling_io_uring),
		cmocka_unit_test(test_free_in_flight),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_foreign_thread),
		cmocka_unit_test(test_queue_per_thread),
	};

	return cmocka_run_group_tests_name("queue: limits", tests, mode_setup, mode_teardown);
}
