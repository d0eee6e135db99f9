// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"

#define MAX_VALUE	(1 << 20)

static unsigned int seed;
static char *value_bytes;		/* MAX_VALUE of them, and some */

void database_setup(void)
{
	const char *chance = getenv("CAROM_SEED");
	unsigned int i, s = 1;

	seed = chance ? (unsigned int)strtoul(chance, NULL, 10) : 1;
	value_bytes = malloc(MAX_VALUE + 16);
	assert_non_null(value_bytes);
	for (i = 0; i < MAX_VALUE + 16; i++)
		value_bytes[i] = (char)rand_r(&s);
}

void database_teardown(void)
{
	free(value_bytes);
}

unsigned int rnd(unsigned int below)
{
	return (unsigned int)rand_r(&seed) % below;
}

size_t database_key(unsigned int i, char *key)
{
	unsigned int s = i * 2654435761U + 1;
	size_t len = 1 + (unsigned int)rand_r(&s) % 511, k;

	for (k = 0; k < len; k++)
		key[k] = (char)rand_r(&s);
	/* Every key length, and keys that are prefixes of others. */
	if (i % 7 == 0)
		memset(key, 'p', len);
	return len;
}

/* Mostly inline, some on one overflow page, few on many. */
static size_t value_len(unsigned int i)
{
	unsigned int s = i * 40503U + 7, r = (unsigned int)rand_r(&s);

	if (i % 500 == 3)
		return r % MAX_VALUE + 1;
	if (i % 13 == 0)
		return r % 9000;
	return r % 60;
}

static void put(MDB_txn *txn, MDB_dbi dbi, unsigned int i, unsigned int version)
{
	char key[511];
	MDB_val k = { .mv_size = database_key(i, key), .mv_data = key };
	MDB_val v = { .mv_size = value_len(i + version), .mv_data = value_bytes + version };

	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

static void fill(MDB_env *env, const char *name, unsigned int nr)
{
	unsigned int i;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, name, name ? MDB_CREATE : 0, &dbi), 0);
	for (i = 0; i < nr; i++)
		put(txn, dbi, i, 0);
	assert_int_equal(mdb_txn_commit(txn), 0);

	/* Commits that free pages and take them again. */
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (i = 0; i < nr; i += 3)
		put(txn, dbi, i, 1);
	assert_int_equal(mdb_txn_commit(txn), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (i = 0; i < nr; i += 5) {
		char key[511];
		MDB_val k = { .mv_size = database_key(i, key), .mv_data = key };
		int rc = mdb_del(txn, dbi, &k, NULL);

		assert_true(!rc || rc == MDB_NOTFOUND);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
}

void database_build(const char *path)
{
	MDB_env *env;

	unlink(path);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 256UL << 20), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC, 0600), 0);
	fill(env, NULL, DATABASE_KEYS);
	fill(env, "named", DATABASE_NAMED);
	fill(env, "empty", 0);
	assert_int_equal(mdb_env_sync(env, 1), 0);
	mdb_env_close(env);
}

size_t database_any_key(char *key)
{
	return database_key(rnd(DATABASE_KEYS * 3 / 2), key);
}

struct meta {
	uint64_t root;
	uint64_t txnid;
};

/* Root of the newer meta; offsets as in LMDB's data version 1. */
uint64_t database_root(int fd)
{
	struct meta m[2];
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(pread(fd, &m[i].root, 8, i * DATABASE_PAGE + 128), 8);
		assert_int_equal(pread(fd, &m[i].txnid, 8, i * DATABASE_PAGE + 144), 8);
	}
	return m[1].txnid > m[0].txnid ? m[1].root : m[0].root;
}

/* --- liblmdb's answers --- */

void oracle_open(struct oracle *o, const char *path, const char *db)
{
	assert_int_equal(mdb_env_create(&o->env), 0);
	assert_int_equal(mdb_env_set_maxdbs(o->env, 4), 0);
	assert_int_equal(mdb_env_open(o->env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0), 0);
	assert_int_equal(mdb_txn_begin(o->env, NULL, MDB_RDONLY, &o->txn), 0);
	assert_int_equal(mdb_dbi_open(o->txn, db, 0, &o->dbi), 0);
}

void oracle_close(struct oracle *o)
{
	mdb_txn_abort(o->txn);
	mdb_env_close(o->env);
}

void oracle_check(struct oracle *o, const char *key, size_t len, int ret,
		  const struct carom_value *val, const char *why)
{
	MDB_val k = { .mv_size = len, .mv_data = (void *)key }, v;
	int rc = mdb_get(o->txn, o->dbi, &k, &v);

	if (ret < 0)
		fail_msg("%d: %s", ret, why);
	if (rc == MDB_NOTFOUND) {
		assert_int_equal(ret, CAROM_NOTFOUND);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ret, 0);
	assert_int_equal(val->len, v.mv_size);
	assert_memory_equal(val->data, v.mv_data, v.mv_size);
}
