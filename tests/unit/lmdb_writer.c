// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups in an LMDB file while liblmdb commits to it. Each key has a version
 * that every change of it raises; the value, or its absence, tells the version.
 * An answer is right if that version was the committed one at some moment
 * between the lookup's beginning and its end.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lmdb_fake.h"

#define KEYS		3000
#define READERS		2
#define CHANGES		20	/* of a commit, at most */
#define BIG_EVERY	16	/* keys whose value is on overflow pages */
#define BIG_LEN		20000
#define SMALL_LEN	40
#define RUN_SECONDS	3

static struct {
	MDB_env *env;
	MDB_dbi dbi;
	unsigned int pause_us;		/* between commits */
	atomic_bool stop;
	atomic_ulong commits;
	/* Versions of the keys: being written, and committed. */
	atomic_uint pending[KEYS];
	atomic_uint committed[KEYS];
} w;

struct reader {
	struct carom_reader rd;
	pthread_t thread;
	__u64 chance;
	unsigned long found, absent, again;
	char wrong[256];
};

/* The readers' own chance: rnd() is the writer's. */
static __u64 chance(struct reader *r)
{
	r->chance = r->chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return r->chance >> 33;
}

static bool is_absent(unsigned int version)
{
	return version % 4 == 0;
}

static size_t value_len(unsigned int key)
{
	return key % BIG_EVERY ? SMALL_LEN : BIG_LEN;
}

/* Every word of a value tells key and version, so that one torn apart shows. */
static __u32 value_word(unsigned int key, unsigned int version)
{
	return (__u32)key << 20 ^ version;
}

static size_t key_text(char *text, unsigned int key)
{
	/* Long enough for some levels. */
	return (size_t)sprintf(text, "%08u-%090u", key * 7919 % KEYS, key);
}

static void write_key(MDB_txn *txn, unsigned int key)
{
	static __u32 words[BIG_LEN / 4];
	unsigned int version = atomic_load(&w.committed[key]) + 1;
	char text[128];
	MDB_val k = { key_text(text, key), text }, v = { value_len(key), words };
	size_t i;
	int ret;

	atomic_store(&w.pending[key], version);
	if (is_absent(version)) {
		ret = mdb_del(txn, w.dbi, &k, NULL);
	} else {
		for (i = 0; i < v.mv_size / 4; i++)
			words[i] = value_word(key, version);
		ret = mdb_put(txn, w.dbi, &k, &v, 0);
	}
	mdb_ok(ret);
}

static void one_commit(unsigned int changes)
{
	static bool done[KEYS];
	unsigned int keys[KEYS], n = 0;
	MDB_txn *txn;

	mdb_ok(mdb_txn_begin(w.env, NULL, 0, &txn));
	while (n < changes) {
		keys[n] = changes == KEYS ? n : (unsigned int)rnd_below(KEYS);
		if (done[keys[n]])
			continue;
		done[keys[n]] = true;
		write_key(txn, keys[n++]);
	}
	mdb_ok(mdb_txn_commit(txn));
	while (n--) {
		done[keys[n]] = false;
		atomic_store(&w.committed[keys[n]], atomic_load(&w.pending[keys[n]]));
	}
	atomic_fetch_add(&w.commits, 1);
}

/* Wait between reads now and then, so that commits come in between. */
static void dawdle(struct carom_reader *rd)
{
	struct reader *r = (struct reader *)rd;

	if (!(chance(r) % 16))
		usleep((useconds_t)(chance(r) % 1000));
}

/* Is there a version of that kind from @lo to @hi? */
static bool may_be_absent(unsigned int lo, unsigned int hi)
{
	for (; lo <= hi; lo++)
		if (is_absent(lo))
			return true;
	return false;
}

static void judge_value(struct reader *r, unsigned int key, const struct carom_value *val,
			unsigned int lo, unsigned int hi)
{
	__u32 first, word;
	unsigned int version;
	size_t i;

	if (val->len != value_len(key)) {
		sprintf(r->wrong, "key %u: %zu bytes", key, val->len);
		return;
	}
	memcpy(&first, val->data, sizeof(first));
	version = first ^ (__u32)key << 20;
	if (version < lo || version > hi || is_absent(version))
		sprintf(r->wrong, "key %u: version %u, not of %u to %u", key, version, lo, hi);
	for (i = 0; i < val->len; i += 4) {
		memcpy(&word, (const char *)val->data + i, sizeof(word));
		if (word != first)
			sprintf(r->wrong, "key %u: torn at %zu", key, i);
	}
	r->found++;
}

static void look_up(struct reader *r)
{
	unsigned int key = (unsigned int)(chance(r) % KEYS), lo, hi;
	struct carom_value val;
	char text[128];
	int ret;

	lo = atomic_load(&w.committed[key]);
	/* Not fake_get(): a failing assertion must not leave this thread. */
	ret = fake_lookup(&r->rd, text, key_text(text, key), &val);
	hi = atomic_load(&w.pending[key]);
	if (!ret) {
		judge_value(r, key, &val, lo, hi);
	} else if (ret == CAROM_NOTFOUND) {
		r->absent++;
		if (!may_be_absent(lo, hi))
			sprintf(r->wrong, "key %u: absent, versions %u to %u", key, lo, hi);
	} else if (ret == -EAGAIN) {
		r->again++;
	} else {
		snprintf(r->wrong, sizeof(r->wrong), "key %u: %d %.200s", key, ret,
			 r->rd.err.text);
	}
	if (ret >= 0 && r->rd.err.code)
		sprintf(r->wrong, "key %u: an error is left of an answer", key);
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(&w.stop) && !r->wrong[0])
		look_up(r);
	atomic_store(&w.stop, true);
	return NULL;
}

static void write_until_stopped(void)
{
	time_t end = time(NULL) + RUN_SECONDS;

	while (!atomic_load(&w.stop) && time(NULL) < end) {
		one_commit(1 + (unsigned int)rnd_below(CHANGES));
		if (w.pause_us)
			usleep(w.pause_us);
	}
	atomic_store(&w.stop, true);
}

static void start_reader(struct reader *r, void *format_data)
{
	memset(r, 0, sizeof(*r));
	r->chance = rnd();
	fake_init(&r->rd, tmp_file(), NULL, 0);
	r->rd.format_data = format_data;
	r->rd.before_hop = dawdle;
	assert_int_equal(pthread_create(&r->thread, NULL, reader_main, r), 0);
}

static void run(unsigned int env_flags, unsigned int pause_us)
{
	struct reader r[READERS];
	struct carom_reader first;
	unsigned long answers = 0, again = 0;
	int i;

	memset(&w, 0, sizeof(w));
	w.pause_us = pause_us;
	w.env = env_create(tmp_file(), env_flags);
	w.dbi = db_open(w.env, NULL, 0);
	one_commit(KEYS);
	fake_init(&first, tmp_file(), NULL, 0);
	assert_int_equal(fake_open(&first, NULL), 0);
	for (i = 0; i < READERS; i++)
		start_reader(&r[i], first.format_data);
	write_until_stopped();
	for (i = 0; i < READERS; i++) {
		pthread_join(r[i].thread, NULL);
		if (r[i].wrong[0])
			print_error("%s\n", r[i].wrong);
		assert_int_equal(r[i].wrong[0], 0);
		assert_true(r[i].found && r[i].absent);
		answers += r[i].found + r[i].absent;
		again += r[i].again;
		fake_exit_shared(&r[i].rd);
	}
	fake_exit(&first);
	mdb_env_close(w.env);
	print_message("# %lu commits, %lu answers, %lu times EAGAIN\n",
		      atomic_load(&w.commits), answers, again);
	assert_true(atomic_load(&w.commits) > 100);
	assert_true(again * 10 < answers);
}

static void test_hasty_writer(void **state)
{
	(void)state;
	run(0, 0);
}

static void test_steady_writer(void **state)
{
	(void)state;
	run(0, 1000);
}

static void test_writemap_writer(void **state)
{
	(void)state;
	run(MDB_WRITEMAP, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hasty_writer),
		cmocka_unit_test(test_steady_writer),
		cmocka_unit_test(test_writemap_writer),
	};

	return cmocka_run_group_tests_name("lmdb: live writer", tests, lmdb_setup, lmdb_teardown);
}
