// SPDX-License-Identifier: GPL-2.0
/*
 * Queues on a file that liblmdb commits to meanwhile. A key's value tells how often
 * it has been written, and is right if that was committed at some moment between the
 * lookup's submission and its completion. A commit writes some keys and their big
 * twins, so that pages are freed and taken again all the time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "modes.h"

#define KEYS		2000
#define DEPTH		32
#define SMALL_WORDS	10
#define BIG_WORDS	3000
#define BIG_EVERY	16
#define RUN_SECONDS	2

static struct {
	MDB_env *env;
	MDB_dbi dbi;
	atomic_bool stop;
	atomic_ulong commits;
	/* Being written, and committed. */
	atomic_uint pending[KEYS];
	atomic_uint committed[KEYS];
} w;

static size_t key_text(char *text, unsigned int key)
{
	return (size_t)sprintf(text, "%08u-%090u", key * 7919 % KEYS, key);
}

static size_t words_of(unsigned int key)
{
	return key % BIG_EVERY ? SMALL_WORDS : BIG_WORDS;
}

/* Every fourth version of a key is that there is none. */
static bool is_absent(unsigned int version)
{
	return version % 4 == 0;
}

static void write_key(MDB_txn *txn, unsigned int key)
{
	static uint32_t words[BIG_WORDS];
	unsigned int version = atomic_load(&w.committed[key]) + 1;
	char text[128];
	MDB_val k = { key_text(text, key), text }, v = { words_of(key) * 4, words };
	size_t i;

	atomic_store(&w.pending[key], version);
	for (i = 0; i < words_of(key); i++)
		words[i] = key << 20 ^ version;
	if (is_absent(version))
		mdb_del(txn, w.dbi, &k, NULL);
	else
		mdb_put(txn, w.dbi, &k, &v, 0);
}

/* Keys from @first to before @end. */
static void commit(unsigned int first, unsigned int end)
{
	unsigned int key;
	MDB_txn *txn;

	mdb_txn_begin(w.env, NULL, 0, &txn);
	for (key = first; key < end; key++)
		write_key(txn, key);
	mdb_txn_commit(txn);
	for (key = first; key < end; key++)
		atomic_store(&w.committed[key], atomic_load(&w.pending[key]));
	atomic_fetch_add(&w.commits, 1);
}

static void *writer(void *arg)
{
	const useconds_t *pause_us = arg;
	unsigned int first = 0;

	while (!atomic_load(&w.stop)) {
		commit(first, first + 10);
		first = (first + 10) % KEYS;
		if (*pause_us)
			usleep(*pause_us);
	}
	return NULL;
}

static bool may_be_absent(unsigned int lo, unsigned int hi)
{
	for (; lo <= hi; lo++)
		if (is_absent(lo))
			return true;
	return false;
}

/* Too many commits for one lookup are no wrong answer, but they should be rare. */
static unsigned long again;

static void judge(const struct carom_completion *c, unsigned int key, unsigned int lo,
		  unsigned int hi)
{
	uint32_t words[BIG_WORDS];
	unsigned int version;
	size_t i;

	if (c->ret == CAROM_NOTFOUND) {
		if (!may_be_absent(lo, hi))
			fail_msg("key %u: absent, versions %u to %u", key, lo, hi);
		return;
	}
	if (c->ret == -EAGAIN) {
		again++;
		return;
	}
	if (c->ret)
		fail_msg("key %u: %d %s", key, c->ret, c->err->text);
	assert_int_equal(c->err->code, 0);
	assert_int_equal(c->val.len, words_of(key) * 4);
	memcpy(words, c->val.data, c->val.len);
	version = words[0] ^ key << 20;
	if (version < lo || version > hi || is_absent(version))
		fail_msg("key %u: version %u, not of %u to %u", key, version, lo, hi);
	for (i = 1; i < words_of(key); i++)
		assert_int_equal(words[i], words[0]);
}

struct asked {
	unsigned int key;
	unsigned int lo;
};

static void ask(struct carom_queue *q, struct asked *a, uint64_t place)
{
	char text[128];

	a[place].key = rnd(KEYS);
	a[place].lo = atomic_load(&w.committed[a[place].key]);
	assert_int_equal(carom_queue__submit(q, text, key_text(text, a[place].key), place), 0);
}

static unsigned long look_up(struct carom_index *ix)
{
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = DEPTH };
	time_t end = time(NULL) + RUN_SECONDS;
	const struct carom_completion *c;
	unsigned long answers = 0;
	struct asked a[DEPTH];
	struct carom_queue *q;
	uint64_t place;

	assert_int_equal(carom_queue__new(ix, &opts, &q, NULL), 0);
	for (place = 0; place < DEPTH; place++)
		ask(q, a, place);
	while (time(NULL) < end) {
		assert_int_equal(carom_queue__wait(q, &c), 0);
		place = c->user_data;
		judge(c, a[place].key, a[place].lo, atomic_load(&w.pending[a[place].key]));
		answers++;
		carom_queue__done(q, c);
		ask(q, a, place);
	}
	/* With lookups in flight, some of them about to start over. */
	carom_queue__free(q);
	return answers;
}

static void make_file(unsigned int env_flags)
{
	MDB_txn *txn;

	unlink(mode_file());
	assert_int_equal(mdb_env_create(&w.env), 0);
	assert_int_equal(mdb_env_set_mapsize(w.env, 64 << 20), 0);
	assert_int_equal(mdb_env_open(w.env, mode_file(), env_flags | MDB_NOSUBDIR | MDB_NOSYNC,
				      0600), 0);
	assert_int_equal(mdb_txn_begin(w.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &w.dbi), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	commit(0, KEYS);
}

static void race(const struct mode *mode, unsigned int env_flags, useconds_t pause_us)
{
	struct carom_index *ix;
	unsigned long answers;
	pthread_t thread;

	memset(&w, 0, sizeof(w));
	again = 0;
	make_file(env_flags);
	ix = mode_open(mode, mode_file(), NULL, DEPTH);
	if (ix) {
		assert_int_equal(pthread_create(&thread, NULL, writer, &pause_us), 0);
		answers = look_up(ix);
		atomic_store(&w.stop, true);
		pthread_join(thread, NULL);
		print_message("# %s%s: %lu commits, %lu answers, %lu times EAGAIN\n",
			      carom_backend__name(mode->backend), mode->direct ? " direct" : "",
			      atomic_load(&w.commits), answers, again);
		assert_true(again * 10 < answers);
		assert_true(answers > DEPTH && atomic_load(&w.commits) > 20);
		carom_index__close(ix);
	}
	mdb_env_close(w.env);
}

static void test_steady_writer(void **state)
{
	(void)state;
	race(&modes[0], 0, 1000);
	race(&modes[2], 0, 1000);
	race(&modes[3], 0, 20000);
}

static void test_hasty_writer(void **state)
{
	(void)state;
	race(&modes[2], 0, 100);
	race(&modes[2], MDB_WRITEMAP, 300);
}

static int setup(void **state)
{
	(void)state;
	database_setup();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	database_teardown();
	mode_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady_writer),
		cmocka_unit_test(test_hasty_writer),
	};

	return cmocka_run_group_tests_name("queue: live writer", tests, setup, teardown);
}
