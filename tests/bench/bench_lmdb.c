// SPDX-License-Identifier: GPL-2.0
/*
 * LMDB files through libcarom: what the walker of a real format takes of a page.
 *
 * Trees of depth 1 to MAX_TREE, of PER_PAGE keys in each page. Keys differ in their first half, as
 * hashes do, or, which takes longer to find out, in their second, as small numbers do.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carom/carom.h>

#include "bench.h"

#define MAX_TREE	2
#define PER_PAGE	100
#define KEY_LEN		16
/* Of a leaf's 4080 bytes each entry takes its value, its key and 10. */
#define VALUE_LEN	14

struct tree {
	char path[PATH_MAX];
	struct carom_index *ix;
	struct carom_reader *rd;
};

static struct tree trees[MAX_TREE + 1];

static unsigned int nr_keys(unsigned int depth)
{
	return depth == 1 ? PER_PAGE : PER_PAGE * PER_PAGE;
}

static bool differ_late(const struct bench *b)
{
	return b->be == &bench_lmdb_late;
}

static void make_key(const struct bench *b, char key[KEY_LEN + 1], unsigned int depth,
		     unsigned int i)
{
	unsigned long long step = differ_late(b) ? 7919 : ~0ULL / nr_keys(depth);

	snprintf(key, KEY_LEN + 1, "%0*llx", KEY_LEN, i * step);
}

static int put_all(const struct bench *b, MDB_txn *txn, MDB_dbi dbi, unsigned int depth)
{
	char key[KEY_LEN + 1], value[VALUE_LEN] = "";
	MDB_val k = { .mv_size = KEY_LEN, .mv_data = key };
	MDB_val v = { .mv_size = VALUE_LEN, .mv_data = value };
	unsigned int i;
	int rc = 0;

	for (i = 0; i < nr_keys(depth) && !rc; i++) {
		make_key(b, key, depth, i);
		memcpy(value, &i, sizeof(i));
		rc = mdb_put(txn, dbi, &k, &v, MDB_APPEND);
	}
	return rc;
}

static int check_depth(struct bench *b, MDB_txn *txn, MDB_dbi dbi, unsigned int depth)
{
	unsigned int nr = nr_keys(depth), leaves = depth == 1 ? 1 : PER_PAGE;
	MDB_stat st;
	int rc = mdb_stat(txn, dbi, &st);

	if (rc)
		return rc;
	/* A few per cent more fit than are asked for. */
	if (st.ms_depth == depth && st.ms_leaf_pages * 110 >= leaves * 100 &&
	    st.ms_leaf_pages <= leaves)
		return 0;
	return bench_lacks(b, -EINVAL, "%u keys make a tree of depth %u with %zu leaves", nr,
			   st.ms_depth, st.ms_leaf_pages);
}

static int build(struct bench *b, MDB_env *env, unsigned int depth)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc;

	rc = mdb_env_set_mapsize(env, 64 << 20);
	if (!rc)
		rc = mdb_env_open(env, trees[depth].path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (!rc)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (!rc)
		rc = put_all(b, txn, dbi, depth);
	if (!rc)
		rc = check_depth(b, txn, dbi, depth);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int build_tree(struct bench *b, unsigned int depth)
{
	MDB_env *env;
	int rc;

	unlink(trees[depth].path);
	rc = mdb_env_create(&env);
	if (rc)
		return bench_lacks(b, -EIO, "liblmdb: %s", mdb_strerror(rc));
	rc = build(b, env, depth);
	mdb_env_close(env);
	if (rc && !b->why[0])
		bench_lacks(b, -EIO, "%s: %s", trees[depth].path, mdb_strerror(rc));
	return rc ? -EIO : 0;
}

static int open_tree(struct bench *b, struct tree *tree)
{
	const struct carom_index_opts opts = {
		.sz = sizeof(opts), .format = "lmdb", .backend = CAROM_BACKEND_KERNEL,
	};
	struct carom_error err;

	if (!carom_index__open(tree->path, &opts, &tree->ix, &err) &&
	    !carom_reader__new(tree->ix, &tree->rd, &err))
		return 0;
	return bench_lacks(b, err.code, "%.120s", err.text);
}

static void lmdb_close(struct bench *b)
{
	unsigned int depth;

	(void)b;
	for (depth = 1; depth <= MAX_TREE; depth++) {
		carom_reader__free(trees[depth].rd);
		carom_index__close(trees[depth].ix);
		unlink(trees[depth].path);
		trees[depth].rd = NULL;
		trees[depth].ix = NULL;
	}
}

static int lmdb_open(struct bench *b)
{
	unsigned int depth;
	int err = 0;

	for (depth = 1; depth <= MAX_TREE && !err; depth++) {
		snprintf(trees[depth].path, sizeof(trees[depth].path), "%s.%u.mdb", b->path, depth);
		err = build_tree(b, depth) ?: open_tree(b, &trees[depth]);
	}
	if (err)
		lmdb_close(b);
	return err;
}

/* The job says nodes of another file; here they stand for keys. */
static unsigned int key_of(const struct job *job)
{
	return (unsigned int)(job->starts[0] / CHASE_NODE_SIZE) % nr_keys(job->depth);
}

static int lmdb_run(struct bench *b, const struct job *job)
{
	struct carom_value value;
	char key[KEY_LEN + 1];
	unsigned int i;

	if (job->depth > MAX_TREE)
		return bench_lacks(b, -EINVAL, "there are trees of depth 1 to %d", MAX_TREE);
	make_key(b, key, job->depth, key_of(job));
	if (carom_reader__get(trees[job->depth].rd, key, KEY_LEN, &value))
		return bench_lacks(b, -EIO, "%.120s",
				   carom_reader__error(trees[job->depth].rd)->text);
	memcpy(&i, value.data, sizeof(i));
	job->ids[0] = i;
	return 0;
}

static int lmdb_expect(struct bench *b, __u64 start, unsigned int depth, __u64 *id)
{
	const struct job job = { .starts = &start, .depth = depth };

	(void)b;
	*id = key_of(&job);
	return 0;
}

/* Carried on in user space, a lookup would be counted for what it is not. */
static int lmdb_check(struct bench *b)
{
	struct carom_reader_stats st;
	unsigned int depth;

	for (depth = 1; depth <= MAX_TREE; depth++) {
		carom_reader__stats(trees[depth].rd, &st, sizeof(st));
		if (st.fallbacks)
			return bench_lacks(b, -EIO, "%llu lookups were not the kernel's: %s",
					   (unsigned long long)st.fallbacks, st.last_abort);
	}
	return 0;
}

const struct backend bench_lmdb = {
	.name = "lmdb", .batch = 1, .sleeps = ONCE, .chosen_only = true,
	.open = lmdb_open, .run = lmdb_run, .expect = lmdb_expect, .check = lmdb_check,
	.close = lmdb_close,
};

const struct backend bench_lmdb_late = {
	.name = "lmdb-late", .batch = 1, .sleeps = ONCE, .chosen_only = true,
	.open = lmdb_open, .run = lmdb_run, .expect = lmdb_expect, .check = lmdb_check,
	.close = lmdb_close,
};
