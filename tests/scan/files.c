// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

#define MAX_VALUE	100000

static unsigned char value_bytes[MAX_VALUE];

static void mdb_ok(int ret)
{
	if (ret)
		fail_msg("liblmdb: %s", mdb_strerror(ret));
}

static size_t any_bytes(unsigned char *key, size_t len, unsigned int letters)
{
	size_t i;

	for (i = 0; i < len; i++)
		key[i] = (unsigned char)rnd(letters);
	/* What nothing is greater than, and what a prefix of such bytes has no end at. */
	if (!rnd(30))
		memset(key, 0xff, 1 + rnd((unsigned int)len));
	return len;
}

size_t file_key(enum keys kind, unsigned char *key)
{
	switch (kind) {
	case KEYS_SHORT:
		return any_bytes(key, 1 + rnd(12), 3);
	case KEYS_ANY:
		return any_bytes(key, 1 + rnd(40), 256);
	default:
		memset(key, 'k', DATABASE_KEY_LEN);
		any_bytes(key + DATABASE_KEY_LEN - 3, 3, 256);
		return DATABASE_KEY_LEN;
	}
}

static size_t value_len(const struct file_spec *spec)
{
	static const size_t edges[] = { 0, 1, 2000, 2035, 4079, 4080, 4081, 12272, 12273 };
	size_t len;

	if (spec->fixed)
		return spec->fixed;
	switch (rnd(20)) {
	case 0:
		len = rnd(MAX_VALUE);
		break;
	case 1:
	case 2:
		len = edges[rnd(sizeof(edges) / sizeof(edges[0]))];
		break;
	default:
		len = rnd(60);
	}
	return len < spec->longest ? len : spec->longest;
}

static void put(MDB_txn *txn, MDB_dbi dbi, const struct file_spec *spec, unsigned int nr)
{
	unsigned char key[DATABASE_KEY_LEN];
	MDB_val k, v;

	while (nr--) {
		k = (MDB_val){ .mv_data = key, .mv_size = file_key(spec->keys, key) };
		v.mv_size = value_len(spec);
		v.mv_data = value_bytes + rnd((unsigned int)(MAX_VALUE - v.mv_size + 1));
		mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	}
}

static void delete_some(MDB_txn *txn, MDB_dbi dbi)
{
	MDB_cursor *cur;
	MDB_val k, v;
	int ret;

	mdb_ok(mdb_cursor_open(txn, dbi, &cur));
	for (ret = mdb_cursor_get(cur, &k, &v, MDB_FIRST); !ret;
	     ret = mdb_cursor_get(cur, &k, &v, MDB_NEXT))
		if (!rnd(3))
			mdb_ok(mdb_cursor_del(cur, 0));
	mdb_cursor_close(cur);
}

static MDB_env *env_open(const char *path)
{
	MDB_env *env;

	mdb_ok(mdb_env_create(&env));
	mdb_ok(mdb_env_set_mapsize(env, 1UL << 30));
	mdb_ok(mdb_env_set_maxdbs(env, 4));
	mdb_ok(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644));
	return env;
}

/* One commit. */
static void change(MDB_env *env, const struct file_spec *spec, unsigned int nr, bool delete)
{
	MDB_txn *txn;
	MDB_dbi dbi;

	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_dbi_open(txn, spec->name, spec->name ? MDB_CREATE : 0, &dbi));
	if (delete)
		delete_some(txn, dbi);
	put(txn, dbi, spec, nr);
	mdb_ok(mdb_txn_commit(txn));
}

void file_make(const char *path, const struct file_spec *spec)
{
	MDB_env *env;
	size_t i;

	for (i = 0; i < sizeof(value_bytes); i++)
		value_bytes[i] = (unsigned char)rnd(256);
	unlink(path);
	env = env_open(path);
	change(env, spec, spec->entries, false);
	if (spec->entries > 1)
		change(env, spec, spec->entries / 2, true);
	mdb_ok(mdb_env_sync(env, 1));
	mdb_env_close(env);
}

void file_add(const char *path, const struct file_spec *spec, unsigned int nr)
{
	MDB_env *env = env_open(path);

	change(env, spec, nr, false);
	mdb_env_close(env);
}

void file_damage(const char *path, unsigned int nr)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char byte;
	struct stat st;
	off_t page;

	assert_true(fd >= 0 && !fstat(fd, &st));
	while (nr--) {
		page = 2 + rnd((unsigned int)(st.st_size / DATABASE_PAGE) - 2);
		byte = (unsigned char)rnd(256);
		/* Mostly where it says what is in the page. */
		assert_int_equal(pwrite(fd, &byte, 1, page * DATABASE_PAGE +
					rnd(rnd(4) ? 64 : DATABASE_PAGE)), 1);
	}
	assert_int_equal(fsync(fd), 0);
	close(fd);
}
