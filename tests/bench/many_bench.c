// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of a range of 96 keys, and of 64 keys at once, in an LMDB tree of depth 6: in the
 * kernel, by reads, and key by key. Every answer is checked.
 *
 * usage: many_bench FILE
 * Fails if a range takes more than a quarter of what it takes by pread, or, polled, a fifth, or
 * many keys more than a third of what they take one by one.
 */
#include <err.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carom/carom.h>
#include "insns.h"

#define KEY_LEN		511
#define ENTRIES		30000
#define DEPTH		6
#define RANGE		96
#define KEYS		64
#define ROUNDS		24

/* Long, so that few fit into a page and the tree is deep. */
static void key_of(unsigned int i, char *key)
{
	snprintf(key, KEY_LEN + 1, "%09u", i);
	memset(key + 9, 'k', KEY_LEN - 9);
}

static void mdb_ok(int ret)
{
	if (ret)
		errx(1, "liblmdb: %s", mdb_strerror(ret));
}

static void build(const char *path)
{
	char key[KEY_LEN + 1];
	unsigned int i;
	MDB_env *env;
	MDB_txn *txn;
	MDB_stat st;
	MDB_dbi dbi;

	mdb_ok(mdb_env_create(&env));
	mdb_ok(mdb_env_set_mapsize(env, 1UL << 28));
	mdb_ok(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644));
	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_dbi_open(txn, NULL, 0, &dbi));
	for (i = 0; i < ENTRIES; i++) {
		MDB_val k = { KEY_LEN, key }, v = { sizeof(i), &i };

		key_of(i, key);
		mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	}
	mdb_ok(mdb_stat(txn, dbi, &st));
	mdb_ok(mdb_txn_commit(txn));
	mdb_ok(mdb_env_sync(env, 1));
	mdb_env_close(env);
	if (st.ms_depth != DEPTH)
		errx(1, "the tree has depth %u, not %d", st.ms_depth, DEPTH);
}

static struct carom_index *open_index(const char *path, enum carom_backend backend,
				      enum carom_wait wait)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = backend, .direct = true,
					 .wait = wait };
	struct carom_index *ix;
	struct carom_error e;

	if (carom_index__open(path, &opts, &ix, &e))
		errx(1, "%s", e.text);
	return ix;
}

static unsigned int first_of(unsigned int i)
{
	return i * 2654435761U % (ENTRIES - RANGE);
}

static void check(unsigned int want, const struct carom_value *val)
{
	if (val->len != sizeof(want) || memcmp(val->data, &want, sizeof(want)))
		errx(1, "entry %u has another value", want);
}

/* ---- ranges ---- */

struct range {
	struct carom_index *ix;
	uint64_t pages;
};

static void scan_range(void *ctx, unsigned int i)
{
	struct carom_scan_opts opts = { .sz = sizeof(opts), .limit = RANGE };
	unsigned int first = first_of(i), n;
	struct carom_reader_stats st;
	struct range *r = ctx;
	char key[KEY_LEN + 1];
	struct carom_scan *s;
	struct carom_value v;
	struct carom_error e;

	key_of(first, key);
	opts.from = key;
	opts.from_len = KEY_LEN;
	if (carom_scan__new(r->ix, &opts, &s, &e))
		errx(1, "%s", e.text);
	for (n = 0; n < RANGE; n++) {
		if (carom_scan__next(s, NULL, &v))
			errx(1, "entry %u: %s", n, carom_scan__error(s)->text);
		check(first + n, &v);
	}
	carom_scan__stats(s, &st, sizeof(st));
	r->pages += st.hops;
	carom_scan__free(s);
}

/* ---- keys ---- */

struct keys {
	struct carom_reader *rd;
	struct carom_many *many;
	uint64_t pages;
};

static unsigned int number_of(unsigned int i, unsigned int k)
{
	return (i * KEYS + k) * 2654435761U % ENTRIES;
}

static void one_by_one(void *ctx, unsigned int i)
{
	char key[KEY_LEN + 1];
	struct keys *keys = ctx;
	struct carom_value v;
	unsigned int k;

	for (k = 0; k < KEYS; k++) {
		key_of(number_of(i, k), key);
		if (carom_reader__get(keys->rd, key, KEY_LEN, &v))
			errx(1, "%s", carom_reader__error(keys->rd)->text);
		check(number_of(i, k), &v);
	}
}

static void at_once(void *ctx, unsigned int i)
{
	static char bytes[KEYS][KEY_LEN + 1];
	struct carom_answer answers[KEYS];
	struct carom_value all[KEYS];
	struct keys *keys = ctx;
	unsigned int k;

	for (k = 0; k < KEYS; k++) {
		key_of(number_of(i, k), bytes[k]);
		all[k] = (struct carom_value){ .data = bytes[k], .len = KEY_LEN };
	}
	if (carom_many__get(keys->many, all, KEYS, answers))
		errx(1, "%s", carom_many__error(keys->many)->text);
	for (k = 0; k < KEYS; k++)
		check(number_of(i, k), &answers[k].val);
}

/* ---- counting ---- */

static double count(void (*run)(void *ctx, unsigned int i), void *ctx)
{
	double insns;
	int ret;

	run(ctx, ROUNDS);
	ret = carom_insns_quartile(run, ctx, ROUNDS, &insns);
	if (ret)
		errx(1, "instructions are not counted: %s", strerror(-ret));
	return insns;
}

static void report(const char *what, double insns, double pages, double trips)
{
	printf("%-34s %10.0f %8.1f %8.1f\n", what, insns, pages, trips);
	fflush(stdout);
}

static double range_by(const char *path, enum carom_backend backend, enum carom_wait wait)
{
	struct range r = { .ix = open_index(path, backend, wait) };
	double insns = count(scan_range, &r);
	char what[40];

	snprintf(what, sizeof(what), "range of %d, %s%s", RANGE, carom_backend__name(backend),
		 wait == CAROM_WAIT_POLL ? ", polled" : "");
	report(what, insns, (double)r.pages / (ROUNDS + 1), (double)r.pages / (ROUNDS + 1));
	carom_index__close(r.ix);
	return insns;
}

static double keys_one_by_one(const char *path, enum carom_backend backend)
{
	struct carom_index *ix = open_index(path, backend, CAROM_WAIT_SLEEP);
	struct keys keys = { 0 };
	struct carom_error e;
	double insns;
	char what[40];

	if (carom_reader__new(ix, &keys.rd, &e))
		errx(1, "%s", e.text);
	insns = count(one_by_one, &keys);
	snprintf(what, sizeof(what), "%d keys one by one, %s", KEYS, carom_backend__name(backend));
	report(what, insns, KEYS * DEPTH, KEYS * DEPTH);
	carom_reader__free(keys.rd);
	carom_index__close(ix);
	return insns;
}

/* A chain's pages are read one after the other, those of several chains side by side. */
static double keys_at_once(const char *path, unsigned int chains)
{
	struct carom_many_opts opts = { .sz = sizeof(opts), .chains = chains,
					.chain_keys = KEYS / chains };
	struct carom_index *ix = open_index(path, CAROM_BACKEND_KERNEL, CAROM_WAIT_SLEEP);
	struct carom_reader_stats st;
	struct keys keys = { 0 };
	struct carom_error e;
	double insns, pages;
	char what[40];

	if (carom_many__new(ix, &opts, &keys.many, &e))
		errx(1, "%s", e.text);
	insns = count(at_once, &keys);
	carom_many__stats(keys.many, &st, sizeof(st));
	pages = (double)st.hops / (ROUNDS + 1);
	snprintf(what, sizeof(what), "%d keys at once, %u chain%s", KEYS, chains,
		 chains > 1 ? "s" : "");
	report(what, insns, pages, pages / chains);
	carom_many__free(keys.many);
	carom_index__close(ix);
	return insns;
}

static void at_most(double insns, double of, double part, const char *what)
{
	if (insns <= of * part)
		return;
	warnx("%s: %.0f of %.0f instructions are %.2f, more than %.2f", what, insns, of,
	      insns / of, part);
	exit(1);
}

int main(int argc, char **argv)
{
	static const unsigned int chains[] = { 1, 2, 4, 8, 16 };
	double range, polled, range_pread, single, insns, usual = 0;
	size_t i;

	if (argc != 2)
		errx(2, "usage: many_bench FILE");
	unlink(argv[1]);
	build(argv[1]);
	printf("%-34s %10s %8s %8s\n", "", "instr.", "pages", "trips");
	range_pread = range_by(argv[1], CAROM_BACKEND_PREAD, CAROM_WAIT_SLEEP);
	range_by(argv[1], CAROM_BACKEND_IO_URING, CAROM_WAIT_SLEEP);
	range = range_by(argv[1], CAROM_BACKEND_KERNEL, CAROM_WAIT_SLEEP);
	polled = range_by(argv[1], CAROM_BACKEND_KERNEL, CAROM_WAIT_POLL);
	keys_one_by_one(argv[1], CAROM_BACKEND_PREAD);
	single = keys_one_by_one(argv[1], CAROM_BACKEND_KERNEL);
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		insns = keys_at_once(argv[1], chains[i]);
		/* What carom_many_opts of zeros comes to. */
		if (chains[i] == 8)
			usual = insns;
	}
	unlink(argv[1]);
	at_most(range, range_pread, 1.0 / 4, "range");
	at_most(polled, range_pread, 1.0 / 5, "range, polled");
	at_most(usual, single, 1.0 / 3, "keys at once");
	return 0;
}
