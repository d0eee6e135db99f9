// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of a value on several pages, by how many: brought along by the chain, read by user
 * space after it, or all of it by pread. Every answer is checked.
 *
 * usage: values_bench FILE
 * Fails if 8 overflow pages of a row take more than a quarter of what they take by pread, or the
 * second page of an LMDB value more than half of what it takes to be read by user space.
 */
#include <err.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <carom/carom.h>
#include "insns.h"

#define PAGE		4096
#define ROUNDS		24
#define ALL_ROOM	65536
#define NO_ROOM		1

/* Further pages of the value that is key's number. */
static const unsigned int pages[] = { 0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 28 };
#define NR	(sizeof(pages) / sizeof(pages[0]))

static unsigned char bytes[30 * PAGE];

static size_t len_of(unsigned int i)
{
	return 3000 + pages[i] * (PAGE - 16);
}

/* ---- files ---- */

static void mdb_ok(int ret)
{
	if (ret)
		errx(1, "liblmdb: %s", mdb_strerror(ret));
}

static void build_lmdb(const char *path)
{
	unsigned int i;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	mdb_ok(mdb_env_create(&env));
	mdb_ok(mdb_env_set_mapsize(env, 1UL << 26));
	mdb_ok(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0644));
	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_dbi_open(txn, NULL, 0, &dbi));
	for (i = 0; i < NR; i++) {
		MDB_val k = { sizeof(i), &i }, v = { len_of(i), bytes };

		mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	}
	mdb_ok(mdb_txn_commit(txn));
	mdb_env_close(env);
}

static void sql_ok(sqlite3 *db, int ret)
{
	if (ret != SQLITE_OK && ret != SQLITE_DONE)
		errx(1, "sqlite3: %s", sqlite3_errmsg(db));
}

static void build_sqlite(const char *path)
{
	sqlite3_stmt *st;
	unsigned int i;
	sqlite3 *db;

	sql_ok(NULL, sqlite3_open(path, &db));
	sql_ok(db, sqlite3_exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, b)", NULL, NULL,
				NULL));
	sql_ok(db, sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?1, ?2)", -1, &st, NULL));
	for (i = 0; i < NR; i++) {
		sqlite3_bind_int64(st, 1, i);
		sqlite3_bind_blob(st, 2, bytes, (int)len_of(i), SQLITE_STATIC);
		sql_ok(db, sqlite3_step(st));
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	sync();
}

/* ---- lookups ---- */

struct lookups {
	struct carom_index *ix;
	struct carom_reader *rd;
	bool rows;
	unsigned int i;
	unsigned char key[16];
	size_t key_len;
};

static void open_file(struct lookups *l, const char *path, bool rows, enum carom_backend backend,
		      size_t room)
{
	const struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = backend, .direct = true, .value_room = room,
		.table = rows ? "t" : NULL,
	};
	struct carom_error e;

	l->rows = rows;
	if (carom_index__open(path, &opts, &l->ix, &e) || carom_reader__new(l->ix, &l->rd, &e))
		errx(1, "%s", e.text);
}

static void make_key(struct lookups *l)
{
	const struct carom_column col = { .type = CAROM_TYPE_INTEGER, .integer = l->i };
	struct carom_error e;

	l->key_len = l->rows ? sizeof(l->key) : sizeof(l->i);
	memcpy(l->key, &l->i, sizeof(l->i));
	if (l->rows && carom_index__key(l->ix, &col, 1, l->key, &l->key_len, &e))
		errx(1, "%s", e.text);
}

static void close_file(struct lookups *l)
{
	carom_reader__free(l->rd);
	carom_index__close(l->ix);
}

static void check(struct lookups *l, const struct carom_value *val)
{
	struct carom_value v = *val;
	struct carom_column cols[2];
	struct carom_error e;

	if (l->rows) {
		if (carom_index__row(l->ix, val, cols, 2, &e))
			errx(1, "%s", e.text);
		v.data = cols[1].data;
		v.len = cols[1].len;
	}
	/* Its ends, as a comparison of all of it would be counted, too. */
	if (v.len != len_of(l->i) || memcmp(v.data, bytes, 16) ||
	    memcmp((const char *)v.data + v.len - 16, bytes + v.len - 16, 16))
		errx(1, "value %u is another", l->i);
}

static void look_up(void *ctx, unsigned int round)
{
	struct lookups *l = ctx;
	struct carom_value val;

	(void)round;
	if (carom_reader__get(l->rd, l->key, l->key_len, &val))
		errx(1, "%s", carom_reader__error(l->rd)->text);
	check(l, &val);
}

static double count(const char *path, bool rows, enum carom_backend backend, size_t room,
		    unsigned int i)
{
	struct lookups l = { .i = i };
	double insns;
	int ret;

	open_file(&l, path, rows, backend, room);
	make_key(&l);
	look_up(&l, ROUNDS);
	ret = carom_insns_quartile(look_up, &l, ROUNDS, &insns);
	if (ret)
		errx(1, "instructions are not counted: %s", strerror(-ret));
	close_file(&l);
	return insns;
}

static void report(const char *what, const double *insns)
{
	unsigned int i;

	printf("%-22s", what);
	for (i = 0; i < NR; i++)
		printf(" %7.0f", insns[i]);
	printf("\n");
	fflush(stdout);
}

static void measure(const char *what, const char *path, bool rows, enum carom_backend backend,
		    size_t room, double *insns)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		insns[i] = count(path, rows, backend, room, i);
	report(what, insns);
}

/* What value @i takes more than the first, which is on one page. */
static double more(const double *insns, unsigned int i)
{
	return insns[i] - insns[0];
}

static void at_most(double insns, double of, double part, const char *what)
{
	if (insns <= of * part)
		return;
	warnx("%s: %.0f of %.0f instructions are more than %.2f", what, insns, of, part);
	exit(1);
}

int main(int argc, char **argv)
{
	double insns[NR], plain[NR], read[NR];
	unsigned int i;

	if (argc != 2)
		errx(2, "usage: values_bench FILE");
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 2654435761U >> 24);
	printf("%-22s", "further pages");
	for (i = 0; i < NR; i++)
		printf(" %7u", pages[i]);
	printf("\n");
	unlink(argv[1]);
	build_lmdb(argv[1]);
	measure("lmdb, pread", argv[1], false, CAROM_BACKEND_PREAD, 0, insns);
	measure("lmdb, kernel and read", argv[1], false, CAROM_BACKEND_KERNEL, NO_ROOM, read);
	measure("lmdb, kernel", argv[1], false, CAROM_BACKEND_KERNEL, ALL_ROOM, insns);
	at_most(more(insns, 1), more(read, 1), 1.0 / 2, "the second page of a value");
	unlink(argv[1]);
	build_sqlite(argv[1]);
	measure("sqlite, pread", argv[1], true, CAROM_BACKEND_PREAD, 0, plain);
	measure("sqlite, kernel", argv[1], true, CAROM_BACKEND_KERNEL, 0, insns);
	unlink(argv[1]);
	for (i = 0; i < NR; i++)
		if (pages[i] == 8)
			at_most(more(insns, i), more(plain, i), 1.0 / 4, "8 overflow pages");
	return 0;
}
