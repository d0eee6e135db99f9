// SPDX-License-Identifier: GPL-2.0
/*
 * The demo's guest half: every backend answers the same keys, each answer is
 * compared with liblmdb's, and the instructions that a lookup takes are
 * counted by depth. A wrong answer, or a kernel row that was not answered in
 * the kernel, fails it.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <carom/carom.h>

#include "../bench/insns.h"

#define MAX_DEPTH	6
#define COUNTED		200	/* lookups whose instructions are counted */

struct keys {
	char **key;
	size_t nr;
};

struct oracle {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

struct row {
	enum carom_backend backend;
	size_t right, wrong, absent;
	double hops;		/* per lookup */
	double us;		/* per lookup, wall clock */
	double insns[MAX_DEPTH + 1];
	char why[160];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "demo: %s: %s\n", what, why);
	exit(1);
}

static void drop_caches(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	sync();
	if (!f || fputs("3", f) < 0 || fclose(f))
		die("/proc/sys/vm/drop_caches", strerror(errno));
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* --- liblmdb, the oracle --- */

static void oracle_check(int rc, const char *what)
{
	if (rc)
		die(what, mdb_strerror(rc));
}

static void oracle_open(struct oracle *o, const char *path, const char *db)
{
	oracle_check(mdb_env_create(&o->env), path);
	oracle_check(mdb_env_set_maxdbs(o->env, 8), path);
	oracle_check(mdb_env_open(o->env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0), path);
	oracle_check(mdb_txn_begin(o->env, NULL, MDB_RDONLY, &o->txn), path);
	oracle_check(mdb_dbi_open(o->txn, db, 0, &o->dbi), db ? db : path);
}

static void oracle_close(struct oracle *o)
{
	mdb_txn_abort(o->txn);
	mdb_env_close(o->env);
}

static bool oracle_agrees(const struct oracle *o, const char *key, int found,
			  const struct carom_value *val)
{
	MDB_val k = { .mv_size = strlen(key), .mv_data = (void *)key }, v;
	int rc = mdb_get(o->txn, o->dbi, &k, &v);

	if (rc == MDB_NOTFOUND)
		return found == CAROM_NOTFOUND;
	oracle_check(rc, key);
	return found == 0 && v.mv_size == val->len && !memcmp(v.mv_data, val->data, val->len);
}

/* --- keys --- */

static void keys_add(struct keys *k, const char *text, size_t len)
{
	if (!(k->nr & (k->nr + 1)))
		k->key = realloc(k->key, (2 * k->nr + 2) * sizeof(*k->key));
	if (!k->key || !(k->key[k->nr] = strndup(text, len)))
		die("keys", "out of memory");
	k->nr++;
}

static void keys_read(struct keys *k, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (!f)
		die(path, strerror(errno));
	while ((len = getline(&line, &room, f)) > 0)
		keys_add(k, line, (size_t)len - (line[len - 1] == '\n'));
	free(line);
	fclose(f);
}

/* All keys of a database, as liblmdb lists them. */
static void keys_list(struct keys *k, const struct oracle *o)
{
	MDB_cursor *cur;
	MDB_val key, val;

	oracle_check(mdb_cursor_open(o->txn, o->dbi, &cur), "cursor");
	while (!mdb_cursor_get(cur, &key, &val, MDB_NEXT))
		keys_add(k, key.mv_data, key.mv_size);
	mdb_cursor_close(cur);
}

static void keys_free(struct keys *k)
{
	while (k->nr)
		free(k->key[--k->nr]);
	free(k->key);
	k->key = NULL;
}

/* --- lookups --- */

static struct carom_index *open_index(const char *path, const char *db, struct row *row)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts),
		.db = db,
		.backend = row->backend,
		.direct = true,
	};
	struct carom_index *ix;
	struct carom_error err;

	if (carom_index__open(path, &opts, &ix, &err))
		die(path, err.text);
	snprintf(row->why, sizeof(row->why), "%s", carom_index__why(ix));
	return ix;
}

static struct carom_reader *new_reader(struct carom_index *ix)
{
	struct carom_reader *rd;
	struct carom_error err;

	if (carom_reader__new(ix, &rd, &err))
		die("reader", err.text);
	return rd;
}

static int get(struct carom_reader *rd, const char *key, struct carom_value *val)
{
	int ret = carom_reader__get(rd, key, strlen(key), val);

	if (ret < 0)
		die(key, carom_reader__error(rd)->text);
	return ret;
}

/* The whole point: was it the kernel that walked, and only the kernel? */
static void check_kernel(const struct carom_reader *rd, const struct row *row)
{
	struct carom_reader_stats st;

	carom_reader__stats(rd, &st, sizeof(st));
	if (row->backend == CAROM_BACKEND_KERNEL &&
	    (st.fallbacks || !st.hops || st.kernel_hops != st.hops))
		die("kernel", st.last_abort ? st.last_abort : "lookups did not run in the kernel");
}

static void answer_all(const char *path, const struct keys *keys, const struct oracle *o,
		       struct row *row)
{
	struct carom_index *ix;
	struct carom_reader *rd;
	struct carom_reader_stats st;
	struct carom_value val;
	double start, spent = 0;
	size_t i;
	int found;

	drop_caches();
	ix = open_index(path, NULL, row);
	rd = new_reader(ix);
	for (i = 0; i < keys->nr; i++) {
		start = now_us();
		found = get(rd, keys->key[i], &val);
		spent += now_us() - start;
		row->absent += found == CAROM_NOTFOUND;
		if (oracle_agrees(o, keys->key[i], found, &val))
			row->right++;
		else
			row->wrong++;
	}
	carom_reader__stats(rd, &st, sizeof(st));
	row->hops = (double)st.hops / (double)st.lookups;
	row->us = spent / (double)keys->nr;
	check_kernel(rd, row);
	carom_reader__free(rd);
	carom_index__close(ix);
}

/* Prime, so that the keys come from all over the tree. */
static const char *some_key(const struct keys *keys, size_t i)
{
	return keys->key[i * 7919 % keys->nr];
}

struct counted {
	struct carom_reader *rd;
	const struct keys *keys;
};

static void look_up(void *ctx, unsigned int i)
{
	const struct counted *c = ctx;
	struct carom_value val;

	get(c->rd, some_key(c->keys, i), &val);
}

static double count_lookups(struct carom_reader *rd, const struct keys *keys)
{
	struct counted c = { .rd = rd, .keys = keys };
	double insns;

	if (carom_insns_quartile(look_up, &c, COUNTED, &insns))
		die("instructions", "not counted; run under vmtest/run --insns");
	return insns;
}

/* The same keys twice: first every answer is checked, then the lookups are counted. */
static double count_depth(const char *path, unsigned int depth, struct row *row)
{
	char db[] = { 'd', 'e', 'p', 't', 'h', (char)('0' + depth), '\0' };
	struct keys keys = { };
	struct carom_reader *rd;
	struct carom_index *ix;
	struct carom_value val;
	struct oracle o;
	double insns;
	size_t i;

	oracle_open(&o, path, db);
	keys_list(&keys, &o);
	ix = open_index(path, db, row);
	rd = new_reader(ix);
	for (i = 0; i < COUNTED; i++) {
		const char *key = some_key(&keys, i);

		if (!oracle_agrees(&o, key, get(rd, key, &val), &val))
			die(key, "not liblmdb's answer");
	}
	insns = count_lookups(rd, &keys);
	check_kernel(rd, row);
	carom_reader__free(rd);
	carom_index__close(ix);
	keys_free(&keys);
	oracle_close(&o);
	return insns;
}

/* --- the tables --- */

static double hop_cost(const struct row *row)
{
	return (row->insns[MAX_DEPTH] - row->insns[1]) / (MAX_DEPTH - 1);
}

static void print_answers(const struct row *rows, size_t nr, const char *path, size_t keys)
{
	size_t i;

	printf("\n%zu lookups in %s (%zu absent), page cache dropped, answers compared with liblmdb's:\n\n",
	       keys, path, rows[0].absent);
	printf("%-9s %7s %7s %11s %13s %14s %16s\n", "backend", "right", "wrong", "hops/lookup",
	       "fixed insns", "insns per hop", "us (emulated) *");
	for (i = 0; i < nr; i++)
		printf("%-9s %7zu %7zu %11.2f %13.0f %14.0f %16.0f\n",
		       carom_backend__name(rows[i].backend), rows[i].right, rows[i].wrong,
		       rows[i].hops, rows[i].insns[1] - hop_cost(&rows[i]), hop_cost(&rows[i]),
		       rows[i].us);
}

static void print_depths(const struct row *rows, size_t nr)
{
	unsigned int depth;
	size_t i;

	printf("\nguest instructions per lookup by depth of the tree, keys of 511 bytes:\n\n%-9s",
	       "depth");
	for (depth = 1; depth <= MAX_DEPTH; depth++)
		printf(" %8u", depth);
	for (i = 0; i < nr; i++) {
		printf("\n%-9s", carom_backend__name(rows[i].backend));
		for (depth = 1; depth <= MAX_DEPTH; depth++)
			printf(" %8.0f", rows[i].insns[depth]);
	}
	printf("\n\n* wall clock of an emulated CPU and device: says nothing about hardware.\n");
}

int main(int argc, char **argv)
{
	struct row rows[] = {
		{ .backend = CAROM_BACKEND_PREAD },
		{ .backend = CAROM_BACKEND_IO_URING },
		{ .backend = CAROM_BACKEND_KERNEL },
	};
	const size_t nr = sizeof(rows) / sizeof(rows[0]);
	struct keys keys = { };
	struct oracle o;
	unsigned int depth;
	size_t i, wrong = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: demo PACKAGES.mdb KEYS DEPTHS.mdb\n");
		return 2;
	}
	keys_read(&keys, argv[2]);
	oracle_open(&o, argv[1], NULL);
	for (i = 0; i < nr; i++) {
		answer_all(argv[1], &keys, &o, &rows[i]);
		for (depth = 1; depth <= MAX_DEPTH; depth++)
			rows[i].insns[depth] = count_depth(argv[3], depth, &rows[i]);
		printf("  %s\n", rows[i].why);
		fflush(stdout);
		wrong += rows[i].wrong;
	}
	print_answers(rows, nr, argv[1], keys.nr);
	print_depths(rows, nr);
	oracle_close(&o);
	keys_free(&keys);
	return wrong ? 1 : 0;
}
