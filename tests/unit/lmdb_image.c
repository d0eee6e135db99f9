// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_image.h"

struct lmdb_image f;

__u64 get(__u64 off, size_t len)
{
	__u64 v = 0;

	assert_true(off + len <= f.size);
	memcpy(&v, f.image + off, len);
	return v;
}

void set(__u64 off, size_t len, __u64 v)
{
	assert_true(off + len <= f.size);
	memcpy(f.image + off, &v, len);
}

__u64 at(__u64 page, unsigned int field)
{
	return page * PAGE + field;
}

__u64 pointer_of(__u64 page, unsigned int i)
{
	return at(page, CAROM_LMDB_PG_HDR + 2 * i);
}

__u64 entry_of(__u64 page, unsigned int i)
{
	return at(page, get(pointer_of(page, i), 2));
}

static unsigned int keys_of(__u64 page)
{
	return (get(at(page, CAROM_LMDB_PG_LOWER), 2) - CAROM_LMDB_PG_HDR) / 2;
}

static __u64 child_of(__u64 page, unsigned int i)
{
	__u64 e = entry_of(page, i);

	return get(e, 4) | get(e + 4, 2) << 32;
}

/* memcmp() order, by a linear search: this is not the walker's. */
static int cmp_entry(__u64 page, unsigned int i, const char *key)
{
	__u64 e = entry_of(page, i);
	size_t ksize = get(e + CAROM_LMDB_ND_KSIZE, 2), len = strlen(key);
	int diff = memcmp(f.image + e + CAROM_LMDB_ND_HDR, key, ksize < len ? ksize : len);

	return diff ? diff : (ksize > len) - (ksize < len);
}

void find_path(const char *key)
{
	__u64 page = get(at(f.meta, CAROM_LMDB_MT_MAIN + 40), 8);
	unsigned int level, i = 0;

	f.depth = (unsigned int)get(at(f.meta, CAROM_LMDB_MT_MAIN + 6), 2);
	for (level = 0; level < f.depth; level++) {
		f.path[level] = page;
		for (i = keys_of(page) - 1; i && cmp_entry(page, i, key) > 0; i--)
			;
		f.entry[level] = i;
		if (level + 1 < f.depth)
			page = child_of(page, i);
	}
	assert_int_equal(cmp_entry(page, i, key), 0);
}

void pick_key(void)
{
	unsigned int i, level;

	for (i = 0; i < KEYS; i++) {
		snprintf(f.key, sizeof(f.key), "key%08u", i);
		find_path(f.key);
		for (level = 0; level < f.depth && f.entry[level]; level++)
			;
		if (level == f.depth && !get(entry_of(f.path[level - 1], f.entry[level - 1]) +
					     CAROM_LMDB_ND_FLAGS, 2))
			return;
	}
	fail_msg("no such key");
}

void make_file(void)
{
	static char big[BIG_LEN];
	MDB_env *env = env_create(tmp_file(), 0);
	MDB_dbi dbi = db_open(env, NULL, 0), sub;
	char key[16];
	MDB_txn *txn;
	unsigned int i;

	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	for (i = 0; i < KEYS; i++) {
		MDB_val k = { (size_t)sprintf(key, "key%08u", i), key }, v = { i % 90, big };

		memset(big, 'a' + i % 26, 90);
		mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	}
	mdb_ok(mdb_txn_commit(txn));
	put_one(env, dbi, "big", 3, big, BIG_LEN);
	put_one(env, dbi, "medium", 6, big, MEDIUM_LEN);
	sub = db_open(env, "sub", 0);
	put_one(env, sub, "k", 1, "v", 1);
	mdb_env_close(env);
	f.image = slurp(tmp_file(), &f.size);
	tmp_done();
	f.meta = get(at(1, CAROM_LMDB_MT_TXNID), 8) > get(at(0, CAROM_LMDB_MT_TXNID), 8);
	f.last_pg = get(at(f.meta, CAROM_LMDB_MT_LAST_PG), 8);
	find_path("big");
	f.overflow = get(entry_of(f.path[f.depth - 1], f.entry[f.depth - 1]) +
			 CAROM_LMDB_ND_HDR + 3, 8);
	pick_key();
	assert_true(f.depth >= 3);
}

int image_setup(void **state)
{
	lmdb_setup(state);
	make_file();
	return 0;
}

int image_teardown(void **state)
{
	free(f.image);
	return lmdb_teardown(state);
}
