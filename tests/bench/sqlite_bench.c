// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions of a row that is looked up by an index, three levels of index and three of table:
 * in the kernel, by reads, and by SQLite itself with nothing of the file in memory. Every answer
 * is checked.
 *
 * usage: sqlite_bench FILE
 * Fails if a lookup in the kernel takes more than 40 % of what it takes by pread, or, polled, more
 * than a fifth, or more than a quarter of what it takes SQLite.
 */
#include <err.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <carom/carom.h>
#include "insns.h"

#define ROWS		20000
#define LEVELS		3
#define NAME_LEN	48
#define BODY_LEN	160
#define ROUNDS		64
#define BLOCK		512	/* what ru_inblock counts */
#define PAGE		4096

/* Of the index, in another order than that of the rows. */
static void name_of(unsigned int row, char *name)
{
	snprintf(name, NAME_LEN + 1, "%010u-%037u", row * 2654435761U, row);
}

static unsigned int row_of(unsigned int i)
{
	return i * 40503 % ROWS;
}

static void sql(sqlite3 *db, int ret)
{
	if (ret != SQLITE_OK && ret != SQLITE_ROW && ret != SQLITE_DONE)
		errx(1, "sqlite3: %s", sqlite3_errmsg(db));
}

static void run(sqlite3 *db, const char *text)
{
	sql(db, sqlite3_exec(db, text, NULL, NULL, NULL));
}

/* ---- the file ---- */

static void insert_rows(sqlite3 *db)
{
	char name[NAME_LEN + 1], body[BODY_LEN];
	sqlite3_stmt *st;
	unsigned int i;

	sql(db, sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?, ?)", -1, &st, NULL));
	for (i = 0; i < ROWS; i++) {
		name_of(i, name);
		memset(body, 'a' + (int)(i % 26), sizeof(body));
		sql(db, sqlite3_bind_int64(st, 1, i));
		sql(db, sqlite3_bind_text(st, 2, name, NAME_LEN, SQLITE_STATIC));
		sql(db, sqlite3_bind_text(st, 3, body, BODY_LEN, SQLITE_STATIC));
		sql(db, sqlite3_step(st));
		sql(db, sqlite3_reset(st));
	}
	sqlite3_finalize(st);
}

static void build(const char *path)
{
	sqlite3 *db;

	unlink(path);
	sql(NULL, sqlite3_open(path, &db));
	run(db, "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		"BEGIN; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, body TEXT);");
	insert_rows(db);
	run(db, "CREATE UNIQUE INDEX i ON t (name); COMMIT");
	sqlite3_close(db);
}

/* Has what the file must have to be worth measuring: interior pages below the roots. */
static unsigned int levels(const char *path, const char *object)
{
	unsigned int depth = 1, page;
	unsigned char bytes[16];
	sqlite3_stmt *st;
	sqlite3 *db;
	int fd;

	sql(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
	sql(db, sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1, &st,
				   NULL));
	sql(db, sqlite3_bind_text(st, 1, object, -1, SQLITE_STATIC));
	sql(db, sqlite3_step(st));
	page = (unsigned int)sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (; ; depth++) {
		if (pread(fd, bytes, sizeof(bytes), (off_t)(page - 1) * PAGE) != sizeof(bytes))
			err(1, "%s", path);
		if (bytes[0] & 8)
			break;
		page = (unsigned int)bytes[8] << 24 | (unsigned int)bytes[9] << 16 |
		       (unsigned int)bytes[10] << 8 | bytes[11];
	}
	close(fd);
	return depth;
}

/* ---- lookups ---- */

/**
 * struct lookups - what looks up
 * @ix: an index, and @rd a reader of it; or
 * @db: SQLite, with @st prepared and the file open as @fd, to be dropped from memory
 * @ret: what the latest has come to, checked when nothing is counted
 */
struct lookups {
	struct carom_index *ix;
	struct carom_reader *rd;
	sqlite3 *db;
	sqlite3_stmt *st;
	int fd;
	uint64_t key[16];
	size_t key_len;
	char name[NAME_LEN + 1];
	struct carom_value val;
	int ret;
};

static void check_row(unsigned int row, int64_t id, const void *body, size_t len)
{
	const char *bytes = body;

	if (id != row || len != BODY_LEN || bytes[0] != (char)('a' + row % 26) ||
	    memcmp(bytes, bytes + 1, BODY_LEN - 1))
		errx(1, "row %u: another one has been found", row);
}

static void carom_prepare(struct lookups *l, unsigned int row)
{
	struct carom_column col = { .type = CAROM_TYPE_TEXT, .data = l->name, .len = NAME_LEN };
	struct carom_error e;

	name_of(row, l->name);
	l->key_len = sizeof(l->key);
	if (carom_index__key(l->ix, &col, 1, l->key, &l->key_len, &e))
		errx(1, "%s", e.text);
}

static void carom_lookup(struct lookups *l)
{
	l->ret = carom_reader__get(l->rd, l->key, l->key_len, &l->val);
}

static void carom_check(struct lookups *l, unsigned int row)
{
	struct carom_column cols[3];
	struct carom_error e;

	if (l->ret)
		errx(1, "row %u: %s", row, carom_reader__error(l->rd)->text);
	if (carom_index__row(l->ix, &l->val, cols, 3, &e))
		errx(1, "%s", e.text);
	check_row(row, cols[0].integer, cols[2].data, cols[2].len);
}

/* Neither SQLite's nor the kernel's cache has anything of the file. */
static void sqlite_prepare(struct lookups *l, unsigned int row)
{
	name_of(row, l->name);
	sql(l->db, sqlite3_reset(l->st));
	sql(l->db, sqlite3_bind_text(l->st, 1, l->name, NAME_LEN, SQLITE_STATIC));
	sqlite3_db_release_memory(l->db);
	if (posix_fadvise(l->fd, 0, 0, POSIX_FADV_DONTNEED))
		errx(1, "the file cannot be dropped from the page cache");
}

static void sqlite_lookup(struct lookups *l)
{
	l->ret = sqlite3_step(l->st);
}

static void sqlite_check(struct lookups *l, unsigned int row)
{
	if (l->ret != SQLITE_ROW)
		errx(1, "row %u: sqlite3: %s", row, sqlite3_errmsg(l->db));
	check_row(row, sqlite3_column_int64(l->st, 0), sqlite3_column_text(l->st, 1),
		  (size_t)sqlite3_column_bytes(l->st, 1));
}

/**
 * struct way - a way of looking up
 * @prepare, @check: before and after, not counted
 */
struct way {
	void (*prepare)(struct lookups *l, unsigned int row);
	void (*lookup)(struct lookups *l);
	void (*check)(struct lookups *l, unsigned int row);
};

static const struct way carom = { carom_prepare, carom_lookup, carom_check };
static const struct way sqlite = { sqlite_prepare, sqlite_lookup, sqlite_check };

/* ---- counting ---- */

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long blocks_read(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_inblock;
}

/* The lower decile of the instructions, as chase_bench has it. @blocks: read, of all lookups. */
static double count(const struct way *way, struct lookups *l, long *blocks)
{
	static uint64_t insns[ROUNDS];
	unsigned int i, row;
	long before;
	int ret;

	*blocks = 0;
	for (i = 0; i < ROUNDS; i++) {
		row = row_of(i);
		way->prepare(l, row);
		before = blocks_read();
		carom_insns_begin();
		way->lookup(l);
		carom_insns_end();
		*blocks += blocks_read() - before;
		way->check(l, row);
		ret = carom_insns_read(&insns[i]);
		if (ret)
			errx(1, "instructions are not counted: %s", strerror(-ret));
	}
	qsort(insns, ROUNDS, sizeof(insns[0]), by_value);
	return (double)insns[ROUNDS / 10];
}

static void report(const char *what, double insns, double pages)
{
	printf("%-34s %10.0f %8.1f\n", what, insns, pages);
	fflush(stdout);
}

static double by_carom(const char *path, enum carom_backend backend, enum carom_wait wait)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = backend, .direct = true,
					 .table = "t", .index = "i", .wait = wait };
	struct carom_reader_stats st;
	struct lookups l = { 0 };
	struct carom_error e;
	char what[40];
	double insns;
	long blocks;

	if (carom_index__open(path, &opts, &l.ix, &e) || carom_reader__new(l.ix, &l.rd, &e))
		errx(1, "%s", e.text);
	insns = count(&carom, &l, &blocks);
	carom_reader__stats(l.rd, &st, sizeof(st));
	if (backend == CAROM_BACKEND_KERNEL && st.kernel_hops != st.hops)
		errx(1, "%llu of %llu pages were not the kernel's",
		     (unsigned long long)(st.hops - st.kernel_hops), (unsigned long long)st.hops);
	snprintf(what, sizeof(what), "row by index, %s%s", carom_backend__name(backend),
		 wait == CAROM_WAIT_POLL ? ", polled" : "");
	report(what, insns, (double)st.hops / ROUNDS);
	carom_reader__free(l.rd);
	carom_index__close(l.ix);
	return insns;
}

static double by_sqlite(const char *path)
{
	struct lookups l = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	double insns, pages;
	long blocks;

	if (l.fd < 0)
		err(1, "%s", path);
	sql(NULL, sqlite3_open_v2(path, &l.db, SQLITE_OPEN_READONLY, NULL));
	sql(l.db, sqlite3_prepare_v2(l.db, "SELECT id, body FROM t WHERE name = ?", -1, &l.st,
				     NULL));
	insns = count(&sqlite, &l, &blocks);
	pages = (double)blocks * BLOCK / PAGE / ROUNDS;
	report("row by index, sqlite3, cold cache", insns, pages);
	if (pages < 2 * LEVELS - 1)
		errx(1, "sqlite3 has read %.1f pages of a lookup: its cache was not cold", pages);
	sqlite3_finalize(l.st);
	sqlite3_close(l.db);
	close(l.fd);
	return insns;
}

static void at_most(double insns, double of, unsigned int percent, const char *whose)
{
	if (insns * 100 <= of * percent)
		return;
	warnx("row by index: %.0f instructions are more than %u %% of %s's %.0f", insns, percent,
	      whose, of);
	exit(1);
}

int main(int argc, char **argv)
{
	double kernel, polled, by_pread, by_sqlite3;

	if (argc != 2)
		errx(2, "usage: sqlite_bench FILE");
	build(argv[1]);
	if (levels(argv[1], "t") != LEVELS || levels(argv[1], "i") != LEVELS)
		errx(1, "table and index have %u and %u levels, not %d", levels(argv[1], "t"),
		     levels(argv[1], "i"), LEVELS);
	sync();
	printf("%-34s %10s %8s\n", "", "instr.", "pages");
	by_pread = by_carom(argv[1], CAROM_BACKEND_PREAD, CAROM_WAIT_SLEEP);
	by_carom(argv[1], CAROM_BACKEND_IO_URING, CAROM_WAIT_SLEEP);
	kernel = by_carom(argv[1], CAROM_BACKEND_KERNEL, CAROM_WAIT_SLEEP);
	polled = by_carom(argv[1], CAROM_BACKEND_KERNEL, CAROM_WAIT_POLL);
	by_sqlite3 = by_sqlite(argv[1]);
	unlink(argv[1]);
	at_most(kernel, by_pread, 40, "pread");
	at_most(kernel, by_sqlite3, 25, "sqlite3");
	at_most(polled, by_pread, 20, "pread");
	return 0;
}
