// SPDX-License-Identifier: GPL-2.0
/*
 * The keys that are looked up, and what is to be found there, both from liblmdb.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

/* What an entry of the main database has about a named one. */
#define MDB_RECORD_BYTES	48

int bench_lmdb_open(const struct bench_opts *opts, MDB_env **env)
{
	int rc = mdb_env_create(env);

	if (rc)
		return rc;
	rc = mdb_env_set_maxdbs(*env, 1);
	/* Without locks, so nothing is written beside the file. */
	if (!rc)
		rc = mdb_env_open(*env, opts->path,
				  MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0);
	if (!rc)
		return 0;
	mdb_env_close(*env);
	return rc;
}

int bench_lmdb_begin(MDB_env *env, const struct bench_opts *opts, MDB_txn **txn, MDB_dbi *dbi)
{
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, txn);

	if (rc)
		return rc;
	rc = mdb_dbi_open(*txn, opts->index.db, 0, dbi);
	if (rc)
		mdb_txn_abort(*txn);
	return rc;
}

static int key_set(struct bench_key *k, const MDB_val *key, const MDB_val *val)
{
	void *data = malloc(key->mv_size ? key->mv_size : 1);

	if (!data)
		return ENOMEM;
	free(k->data);
	*k = (struct bench_key){ .data = data, .len = key->mv_size, .present = val };
	memcpy(data, key->mv_data, key->mv_size);
	if (!val)
		return 0;
	k->value_len = val->mv_size;
	memcpy(k->head, val->mv_data,
	       val->mv_size < BENCH_HEAD_LEN ? val->mv_size : BENCH_HEAD_LEN);
	return 0;
}

/* ---- from the database ---- */

/*
 * Is this entry of the main database a named one? Its value is a record of LMDB's then, and lookups
 * of it are refused.
 */
static bool is_database(MDB_txn *txn, const MDB_val *key, const MDB_val *val)
{
	char name[512];
	MDB_dbi dbi;

	if (val->mv_size != MDB_RECORD_BYTES || key->mv_size >= sizeof(name) ||
	    memchr(key->mv_data, '\0', key->mv_size))
		return false;
	memcpy(name, key->mv_data, key->mv_size);
	name[key->mv_size] = '\0';
	if (mdb_dbi_open(txn, name, 0, &dbi))
		return false;
	mdb_dbi_close(mdb_txn_env(txn), dbi);
	return true;
}

/*
 * Every key has the same chance to be among those that are kept (reservoir sampling): the i-th
 * takes the place of one of them with a chance of nr / i.
 */
static int keys_sample(const struct bench_opts *opts, struct bench_keys *keys, MDB_cursor *cur,
		       size_t room, struct rng *rng)
{
	MDB_val key, val;
	uint64_t seen = 0, place;
	int rc;

	while (!(rc = mdb_cursor_get(cur, &key, &val, MDB_NEXT))) {
		if (!opts->index.db && is_database(mdb_cursor_txn(cur), &key, &val))
			continue;
		place = seen++;
		if (keys->nr < room)
			keys->nr++;
		else
			place = rng_below(rng, seen);
		if (place >= room)
			continue;
		rc = key_set(&keys->keys[place], &key, &val);
		if (rc)
			return rc;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* In an order that has nothing to do with the tree's: zipf likes the first best. */
static void keys_shuffle(struct bench_keys *keys, struct rng *rng)
{
	struct bench_key swap;
	size_t i, j;

	for (i = keys->nr; i > 1; i--) {
		j = rng_below(rng, i);
		swap = keys->keys[i - 1];
		keys->keys[i - 1] = keys->keys[j];
		keys->keys[j] = swap;
	}
}

static int keys_from_database(const struct bench_opts *opts, struct bench_keys *keys, MDB_txn *txn,
			      MDB_dbi dbi)
{
	size_t room = keys->entries < opts->sample ? keys->entries : opts->sample;
	struct rng rng = rng_new(opts->seed, 0);
	MDB_cursor *cur;
	int rc;

	keys->keys = calloc(room ? room : 1, sizeof(*keys->keys));
	if (!keys->keys)
		return ENOMEM;
	rc = mdb_cursor_open(txn, dbi, &cur);
	if (rc)
		return rc;
	rc = keys_sample(opts, keys, cur, room, &rng);
	mdb_cursor_close(cur);
	keys_shuffle(keys, &rng);
	return rc;
}

/* ---- from a file ---- */

static int keys_add(struct bench_keys *keys, const MDB_val *key, MDB_txn *txn, MDB_dbi dbi)
{
	struct bench_key *more;
	MDB_val val;
	int rc;

	if (!(keys->nr & (keys->nr + 1))) {
		more = realloc(keys->keys, (2 * keys->nr + 2) * sizeof(*more));
		if (!more)
			return ENOMEM;
		memset(more + keys->nr, 0, (keys->nr + 2) * sizeof(*more));
		keys->keys = more;
	}
	rc = mdb_get(txn, dbi, (MDB_val *)key, &val);
	if (rc && rc != MDB_NOTFOUND)
		return rc;
	return key_set(&keys->keys[keys->nr++], key, rc ? NULL : &val);
}

static int keys_from_file(struct bench_keys *keys, FILE *file, MDB_txn *txn, MDB_dbi dbi)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getline(&line, &room, file)) >= 0) {
		MDB_val key = { .mv_data = line, .mv_size = (size_t)len };

		if (len && line[len - 1] == '\n')
			key.mv_size--;
		rc = keys_add(keys, &key, txn, dbi);
	}
	free(line);
	return rc ? rc : ferror(file) ? EIO : 0;
}

static int keys_open_file(const struct cli *cli, const struct bench_opts *opts,
			  struct bench_keys *keys, MDB_txn *txn, MDB_dbi dbi)
{
	FILE *file = fopen(opts->key_file, "re");
	int rc;

	if (!file)
		return cli_fail(cli, CLI_IO, "%s: cannot be opened: %s", opts->key_file,
				strerror(errno));
	rc = keys_from_file(keys, file, txn, dbi);
	fclose(file);
	if (rc == MDB_BAD_VALSIZE)
		return cli_fail(cli, CLI_USAGE, "%s: line %zu: no key of %s, which are of 1 to 511 bytes",
				opts->key_file, keys->nr + 1, opts->path);
	if (rc)
		return cli_fail(cli, CLI_IO, "%s: line %zu: %s", opts->key_file, keys->nr + 1,
				mdb_strerror(rc));
	return 0;
}

/* ---- files that liblmdb does not survive ---- */

static sigjmp_buf crash;

static void crashed(int sig)
{
	(void)sig;
	siglongjmp(crash, 1);
}

static void asserted(MDB_env *env, const char *msg)
{
	(void)env;
	(void)msg;
	siglongjmp(crash, 1);
}

/* It trusts what it maps: pages that hold something else end in assertions, or worse. */
static void on_crash(void (*then)(int sig))
{
	signal(SIGSEGV, then);
	signal(SIGBUS, then);
	signal(SIGABRT, then);
}

/* ---- */

static enum cli_exit exit_of(int rc)
{
	return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID ? CLI_FORMAT :
	       CLI_IO;
}

static int keys_read(const struct cli *cli, const struct bench_opts *opts, struct bench_keys *keys,
		     MDB_txn *txn, MDB_dbi dbi)
{
	MDB_stat st;
	int rc = mdb_stat(txn, dbi, &st);

	keys->entries = rc ? 0 : st.ms_entries;
	keys->depth = rc ? 0 : st.ms_depth;
	if (!rc && !keys->entries)
		return cli_fail(cli, CLI_USAGE, "%s: the database is empty", opts->path);
	if (!rc && opts->choice == BENCH_FILE)
		return keys_open_file(cli, opts, keys, txn, dbi);
	if (!rc)
		rc = keys_from_database(opts, keys, txn, dbi);
	if (rc)
		return cli_fail(cli, exit_of(rc), "%s: reading the keys: %s", opts->path,
				mdb_strerror(rc));
	return 0;
}

static int keys_load(const struct cli *cli, const struct bench_opts *opts, struct bench_keys *keys)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc;

	rc = bench_lmdb_open(opts, &env);
	if (rc)
		return cli_fail(cli, exit_of(rc), "%s: liblmdb cannot open it for the keys: %s",
				opts->path, mdb_strerror(rc));
	mdb_env_set_assert(env, asserted);
	rc = bench_lmdb_begin(env, opts, &txn, &dbi);
	if (rc) {
		mdb_env_close(env);
		return cli_fail(cli, CLI_IO, "%s: liblmdb cannot read the keys: %s", opts->path,
				mdb_strerror(rc));
	}
	rc = keys_read(cli, opts, keys, txn, dbi);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return rc;
}

int bench_keys_load(const struct cli *cli, const struct bench_opts *opts, struct bench_keys *keys)
{
	int rc;

	if (sigsetjmp(crash, 1)) {
		on_crash(SIG_DFL);
		return cli_fail(cli, CLI_FORMAT,
			"%s: damaged, or cut off: liblmdb crashes when it reads the keys",
			opts->path);
	}
	on_crash(crashed);
	rc = keys_load(cli, opts, keys);
	on_crash(SIG_DFL);
	if (rc || keys->nr)
		return rc;
	if (opts->choice == BENCH_FILE)
		return cli_fail(cli, CLI_USAGE, "%s: no keys in it", opts->key_file);
	return cli_fail(cli, CLI_USAGE, "%s: only named databases in it: name one with --db",
			opts->path);
}

void bench_keys_free(struct bench_keys *keys)
{
	while (keys->nr)
		free(keys->keys[--keys->nr].data);
	free(keys->keys);
}
