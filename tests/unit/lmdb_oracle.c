// SPDX-License-Identifier: GPL-2.0
/*
 * The LMDB walker and format against liblmdb, on databases made at random.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_fake.h"

#define MAX_KEY		CAROM_LMDB_MAX_KEY
#define MIB		(1024 * 1024)

/* One database and both ways to look at it. */
struct both {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn;		/* open while comparing */
	struct carom_reader rd;
	unsigned long found, absent, max_hops;
};

static __u8 *big;	/* MIB random bytes, for values */

/* Look up both ways; the answers must be the same. */
static void compare_key(struct both *b, const void *key, size_t len)
{
	MDB_val k = { len, (void *)key }, v;
	struct carom_value val = { 0 };
	int want = mdb_get(b->txn, b->dbi, &k, &v);
	int got = fake_get(&b->rd, key, len, &val);

	if (want == MDB_NOTFOUND) {
		if (got != CAROM_NOTFOUND)
			fail_msg("absent key of %zu bytes: %d %s", len, got, b->rd.err.text);
		b->absent++;
		return;
	}
	mdb_ok(want);
	if (got)
		fail_msg("key of %zu bytes: %d %s", len, got, b->rd.err.text);
	assert_int_equal(val.len, v.mv_size);
	if (val.len)
		assert_memory_equal(val.data, v.mv_data, val.len);
	b->found++;
	if (b->rd.hops > b->max_hops)
		b->max_hops = b->rd.hops;
}

/* Keys near a key: its prefixes, longer ones, changed ones. */
static void compare_near(struct both *b, const __u8 *key, size_t len)
{
	__u8 near[MAX_KEY];
	size_t at = rnd_below(len);

	if (len > 1)
		compare_key(b, key, 1 + rnd_below(len - 1));
	memcpy(near, key, len);
	if (len < MAX_KEY) {
		near[len] = rnd_below(2) ? 0 : (__u8)rnd();
		compare_key(b, near, len + 1);
	}
	near[at] += rnd_below(2) ? 1 : -1;
	compare_key(b, near, len);
}

/* Every key that liblmdb has, or one in @every, and some that it may not have. */
static void compare_all(struct both *b, unsigned int every)
{
	__u8 key[MAX_KEY];
	MDB_cursor *cur;
	MDB_val k, v;
	int ret, i;

	mdb_ok(mdb_txn_begin(b->env, NULL, MDB_RDONLY, &b->txn));
	mdb_ok(mdb_cursor_open(b->txn, b->dbi, &cur));
	for (ret = mdb_cursor_get(cur, &k, &v, MDB_FIRST); !ret;
	     ret = mdb_cursor_get(cur, &k, &v, MDB_NEXT)) {
		if (every > 1 && rnd_below(every))
			continue;
		compare_key(b, k.mv_data, k.mv_size);
		compare_near(b, k.mv_data, k.mv_size);
	}
	assert_int_equal(ret, MDB_NOTFOUND);
	for (i = 0; i < 100; i++) {
		size_t len = 1 + rnd_below(MAX_KEY);

		rnd_fill(key, len);
		compare_key(b, key, len);
	}
	memset(key, 0, sizeof(key));
	compare_key(b, key, 1);
	memset(key, 0xff, sizeof(key));
	compare_key(b, key, MAX_KEY);
	mdb_cursor_close(cur);
	mdb_txn_abort(b->txn);
}

static void both_init(struct both *b, unsigned int env_flags)
{
	const char *path = tmp_file();

	memset(b, 0, sizeof(*b));
	b->env = env_create(path, env_flags);
	b->dbi = db_open(b->env, NULL, 0);
	fake_init(&b->rd, path, NULL, 0);
}

static void both_exit(struct both *b)
{
	fake_exit(&b->rd);
	mdb_env_close(b->env);
}

/* Compare as a file that may be written, then as a sealed one. */
static void check(struct both *b, const char *db, unsigned int every)
{
	int sealed;

	for (sealed = 0; sealed < 2; sealed++) {
		b->rd.sealed = sealed;
		if (fake_open(&b->rd, db))
			fail_msg("open: %s", b->rd.err.text);
		compare_all(b, every);
		fake_close(&b->rd);
	}
}

/* Half of the values are small; the others sit where LMDB changes its mind. */
static size_t random_value_len(size_t max)
{
	static const size_t edges[] = {
		0, 1, 1990, 2030, 2040, 2048, 4079, 4080, 4081, 4096, 8175, 8176, 8177, 65536,
	};
	size_t len = rnd_below(2) ? rnd_below(64) :
		     edges[rnd_below(sizeof(edges) / sizeof(edges[0]))] + rnd_below(3);

	return len < max ? len : max;
}

static void put(struct both *b, MDB_txn *txn, const void *key, size_t klen, size_t vlen)
{
	MDB_val k = { klen, (void *)key };
	MDB_val v = { vlen, big + rnd_below(MIB - vlen + 1) };

	mdb_ok(mdb_put(txn, b->dbi, &k, &v, 0));
}

/* @n keys of 1 to @max_klen random bytes out of an alphabet of @letters. */
static void fill(struct both *b, unsigned int n, size_t max_klen, unsigned int letters,
		 size_t max_vlen)
{
	__u8 key[MAX_KEY];
	MDB_txn *txn;
	size_t i, len;

	mdb_ok(mdb_txn_begin(b->env, NULL, 0, &txn));
	while (n--) {
		len = 1 + rnd_below(max_klen);
		for (i = 0; i < len; i++)
			key[i] = (__u8)rnd_below(letters);
		put(b, txn, key, len, random_value_len(max_vlen));
	}
	mdb_ok(mdb_txn_commit(txn));
}

static void test_sizes(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 2, 3, 10, 100, 1000, 20000 };
	struct both b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		both_init(&b, 0);
		fill(&b, sizes[i], 40, 256, sizes[i] > 1000 ? 100 : 70000);
		check(&b, NULL, 1);
		assert_true(b.found || !sizes[i]);
		assert_true(b.absent);
		both_exit(&b);
	}
}

/* A file in which nothing was ever committed. */
static void test_never_written(void **state)
{
	struct both b;
	const char *path = tmp_file();

	(void)state;
	memset(&b, 0, sizeof(b));
	b.env = env_create(path, 0);
	mdb_ok(mdb_txn_begin(b.env, NULL, MDB_RDONLY, &b.txn));
	mdb_ok(mdb_dbi_open(b.txn, NULL, 0, &b.dbi));
	mdb_txn_abort(b.txn);
	fake_init(&b.rd, path, NULL, 0);
	check(&b, NULL, 1);
	assert_int_equal(b.found, 0);
	both_exit(&b);
}

/* Every length of key, each as a prefix of the next and with random bytes. */
static void test_key_lengths(void **state)
{
	__u8 key[MAX_KEY];
	struct both b;
	MDB_txn *txn;
	size_t len;
	int i;

	(void)state;
	both_init(&b, 0);
	mdb_ok(mdb_txn_begin(b.env, NULL, 0, &txn));
	memset(key, 'a', sizeof(key));
	for (len = 1; len <= MAX_KEY; len++)
		put(&b, txn, key, len, len % 5);
	for (i = 0; i < 4; i++)
		for (len = 1; len <= MAX_KEY; len++) {
			rnd_fill(key, len);
			put(&b, txn, key, len, random_value_len(3000));
		}
	mdb_ok(mdb_txn_commit(txn));
	check(&b, NULL, 1);
	both_exit(&b);
}

/* Few letters make many prefixes; bytes above 127 compare as unsigned. */
static void test_prefixes(void **state)
{
	struct both b;

	(void)state;
	both_init(&b, 0);
	fill(&b, 5000, 12, 2, 20);
	check(&b, NULL, 1);
	both_exit(&b);
}

static void test_values(void **state)
{
	static const size_t lens[] = { 0, 1, 2035, 4080, 4081, 12272, 12273, MIB - 1, MIB };
	struct both b;
	MDB_txn *txn;
	size_t i;

	(void)state;
	both_init(&b, 0);
	fill(&b, 300, 30, 256, 70000);
	mdb_ok(mdb_txn_begin(b.env, NULL, 0, &txn));
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		put(&b, txn, &lens[i], sizeof(lens[i]), lens[i]);
	/* An odd key leaves the number of the overflow page unaligned. */
	put(&b, txn, "odd", 3, MIB);
	put(&b, txn, "even", 4, MIB);
	mdb_ok(mdb_txn_commit(txn));
	check(&b, NULL, 1);
	both_exit(&b);
}

/* The longest keys make the deepest tree. */
static void test_deep(void **state)
{
	__u8 key[MAX_KEY];
	struct both b;
	MDB_txn *txn;
	MDB_stat st;
	int i;

	(void)state;
	both_init(&b, 0);
	mdb_ok(mdb_txn_begin(b.env, NULL, 0, &txn));
	memset(key, 'k', sizeof(key));
	for (i = 0; i < 30000; i++) {
		/* Alike but for the end, so that branches need the whole key. */
		rnd_fill(key + sizeof(key) - 4, 4);
		put(&b, txn, key, sizeof(key), 8);
	}
	mdb_ok(mdb_stat(txn, b.dbi, &st));
	mdb_ok(mdb_txn_commit(txn));
	assert_true(st.ms_depth >= 6);
	check(&b, NULL, 4);
	assert_int_equal(b.max_hops, st.ms_depth);
	both_exit(&b);
}

static void test_million(void **state)
{
	char key[16];
	struct both b;
	MDB_txn *txn;
	unsigned int i;

	(void)state;
	both_init(&b, 0);
	mdb_ok(mdb_txn_begin(b.env, NULL, 0, &txn));
	for (i = 0; i < 1000000; i++) {
		MDB_val k = { (size_t)sprintf(key, "%08u", i * 7), key }, v = { 4, &i };

		mdb_ok(mdb_put(txn, b.dbi, &k, &v, MDB_APPEND));
	}
	mdb_ok(mdb_txn_commit(txn));
	check(&b, NULL, 20);
	assert_true(b.found > 50000);
	both_exit(&b);
}

/* Delete about half of everything, so that later transactions reuse pages. */
static void delete_half(struct both *b)
{
	MDB_cursor *cur;
	MDB_txn *txn;
	MDB_val k, v;
	int ret;

	mdb_ok(mdb_txn_begin(b->env, NULL, 0, &txn));
	mdb_ok(mdb_cursor_open(txn, b->dbi, &cur));
	for (ret = mdb_cursor_get(cur, &k, &v, MDB_FIRST); !ret;
	     ret = mdb_cursor_get(cur, &k, &v, MDB_NEXT))
		if (rnd_below(2))
			mdb_ok(mdb_cursor_del(cur, 0));
	mdb_cursor_close(cur);
	mdb_ok(mdb_txn_commit(txn));
}

static void change_and_check(unsigned int env_flags)
{
	struct both b;
	int round;

	both_init(&b, env_flags);
	for (round = 0; round < 12; round++) {
		fill(&b, 1200, 60, round & 1 ? 3 : 256, 9000);
		delete_half(&b);
		check(&b, NULL, 2);
	}
	both_exit(&b);
}

static void test_changes(void **state)
{
	(void)state;
	change_and_check(0);
}

static void test_changes_writemap(void **state)
{
	(void)state;
	change_and_check(MDB_WRITEMAP);
}

/* A reader that is not reopened sees each commit. */
static void test_follows_commits(void **state)
{
	struct both b;
	int i;

	(void)state;
	both_init(&b, 0);
	assert_int_equal(fake_open(&b.rd, NULL), 0);
	for (i = 0; i < 60; i++) {
		if (i % 3 == 2)
			delete_half(&b);
		else
			fill(&b, 40, 20, 256, 5000);
		compare_all(&b, 1);
	}
	/* Down to nothing, and up again. */
	for (i = 0; i < 20; i++)
		delete_half(&b);
	compare_all(&b, 1);
	fill(&b, 10, 20, 256, 100);
	compare_all(&b, 1);
	both_exit(&b);
}

static void test_named(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 50, 3000 };
	struct both b;
	MDB_dbi main_db;
	char name[32];
	size_t i;

	(void)state;
	both_init(&b, 0);
	main_db = b.dbi;
	fill(&b, 200, 20, 256, 100);
	for (i = 0; i < 4; i++) {
		sprintf(name, "database %zu", i);
		b.dbi = db_open(b.env, name, 0);
		fill(&b, sizes[i], 50, 256, 5000);
		check(&b, name, 1);
	}
	/* The main one has their records among its keys, and mdb_get() returns them. */
	b.dbi = main_db;
	check(&b, NULL, 1);
	both_exit(&b);
}

static void test_key_limits(void **state)
{
	static const __u8 key[MAX_KEY + 1];
	struct carom_value val;
	struct both b;

	(void)state;
	both_init(&b, 0);
	fill(&b, 10, 20, 256, 10);
	assert_int_equal(fake_open(&b.rd, NULL), 0);
	assert_int_equal(fake_get(&b.rd, key, 0, &val), -22);
	assert_non_null(strstr(b.rd.err.text, "key of 0 bytes"));
	assert_int_equal(b.rd.err.fault, CAROM_FAULT_USAGE);
	assert_int_equal(fake_get(&b.rd, key, MAX_KEY, &val), CAROM_NOTFOUND);
	assert_int_equal(fake_get(&b.rd, key, MAX_KEY + 1, &val), -22);
	assert_non_null(strstr(b.rd.err.text, "key of 512 bytes"));
	both_exit(&b);
}

static int setup(void **state)
{
	lmdb_setup(state);
	big = malloc(MIB);
	if (!big)
		return -1;
	rnd_fill(big, MIB);
	return 0;
}

static int teardown(void **state)
{
	free(big);
	return lmdb_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_never_written),
		cmocka_unit_test(test_key_lengths),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changes_writemap),
		cmocka_unit_test(test_follows_commits),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_key_limits),
	};

	return cmocka_run_group_tests_name("lmdb: answers", tests, setup, teardown);
}
