// SPDX-License-Identifier: GPL-2.0
/*
 * carom_many__get() against SQLite, by rowid and by index, on files made at random. The environment
 * is that of oracle.c; CAROM_SQLITE_KEYS is calls for each file and backend (default: 40).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <carom/carom.h>
#include "random.h"

#define MAX_KEYS	300
#define KEY_LEN		64
#define ROWID_STEP	97

static char path[4096];
static const char *backends = "io_uring pread";
static const char *sizes = "512 1024 2048 4096 8192 16384 32768 65536";
static unsigned int rows = 1500;
static unsigned int calls = 40;
static unsigned long found, absent, invalid, pages, depth_pages;

/**
 * struct call - keys of one call, and what has become of them
 * @rowid: that the key means
 * @none: no row can have the key: 'n' is NULL, 'x' no record
 */
struct call {
	unsigned char bytes[MAX_KEYS][KEY_LEN];
	struct carom_value keys[MAX_KEYS];
	struct carom_answer answers[MAX_KEYS];
	int64_t rowid[MAX_KEYS];
	char none[MAX_KEYS];
	size_t nr;
};

struct both {
	sqlite3 *db;
	sqlite3_stmt *st;
	struct carom_index *ix;
	struct carom_many *many;
	bool by_index;
};

/* ---- files ---- */

/* Some negative, some large, with gaps. */
static int64_t some_rowid(void)
{
	int64_t n = ROWID_STEP * ((int64_t)rnd_below(2 * rows) - rows / 2);

	return rnd_below(8) ? n : n * ((int64_t)1 << 40);
}

static unsigned int length(unsigned int longest)
{
	return rnd_below(20) ? rnd_below(60) : rnd_below(longest + 1);
}

static void make_file(unsigned int page_size, unsigned int longest)
{
	sqlite3_stmt *st;
	unsigned int i;
	sqlite3 *db;

	unlink(path);
	sql_ok(NULL, sqlite3_open(path, &db));
	sql(db, "PRAGMA page_size = %u; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
	    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, body BLOB);"
	    "CREATE UNIQUE INDEX i ON t (name)", page_size);
	sql_ok(db, sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO t VALUES (?1, 'n' || ?1, "
				      "randomblob(?2))", -1, &st, NULL));
	for (i = 0; i < rows; i++) {
		sql_ok(db, sqlite3_bind_int64(st, 1, some_rowid()));
		sql_ok(db, sqlite3_bind_int64(st, 2, length(longest)));
		sqlite3_step(st);
		sql_ok(db, sqlite3_reset(st));
	}
	sqlite3_finalize(st);
	sql(db, "COMMIT");
	sqlite3_close(db);
}

static void damage_file(unsigned int page_size, unsigned int nr)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	unsigned char byte;
	off_t at;

	while (nr--) {
		at = (off_t)page_size * (1 + rnd_below((unsigned int)(size / page_size) - 1)) +
		     rnd_below(40);
		byte = (unsigned char)rnd();
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

/* ---- keys ---- */

static void make_key(struct both *b, struct call *c, size_t i)
{
	struct carom_column col = { .type = CAROM_TYPE_INTEGER, .integer = c->rowid[i] };
	size_t size = KEY_LEN;
	char name[32];

	if (b->by_index) {
		snprintf(name, sizeof(name), "n%lld", (long long)c->rowid[i]);
		col = (struct carom_column){ .type = CAROM_TYPE_TEXT, .data = name,
					     .len = strlen(name) };
	} else if (!rnd_below(10) && llabs(c->rowid[i]) < 1LL << 50) {
		col.type = CAROM_TYPE_REAL;
		col.real = (double)c->rowid[i];
	}
	if (c->none[i] == 'n')
		col.type = CAROM_TYPE_NULL;
	assert_int_equal(carom_index__key(b->ix, &col, 1, c->bytes[i], &size, NULL), 0);
	c->keys[i] = (struct carom_value){ .data = c->bytes[i], .len = size };
}

static void some_keys(struct both *b, struct call *c, bool bad_ones)
{
	size_t i, twin;

	c->nr = rnd_below(10) ? rnd_below(80) : rnd_below(MAX_KEYS);
	for (i = 0; i < c->nr; i++) {
		c->rowid[i] = some_rowid() + (rnd_below(6) ? 0 : 1);
		c->none[i] = 0;
		if (!rnd_below(100))
			c->none[i] = 'n';
		make_key(b, c, i);
		if (bad_ones && !rnd_below(50)) {
			c->none[i] = 'x';
			c->keys[i].len = 0;
		} else if (i && !rnd_below(20)) {
			twin = rnd_below((unsigned int)i);
			c->keys[i] = c->keys[twin];
			c->rowid[i] = c->rowid[twin];
			c->none[i] = c->none[twin];
		}
	}
}

/* ---- the two ways ---- */

static void open_both(struct both *b, enum carom_backend backend, bool by_index,
		      const struct carom_many_opts *many)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = backend, .table = "t",
					 .index = by_index ? "i" : NULL,
					 .max_readers = 2, .max_in_flight = 1 };
	struct carom_error err;

	*b = (struct both){ .by_index = by_index };
	sql_ok(NULL, sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READONLY, NULL));
	sql_ok(b->db, sqlite3_prepare_v2(b->db, "SELECT id, name, body FROM t WHERE id = ?", -1,
					 &b->st, NULL));
	if (carom_index__open(path, &opts, &b->ix, &err) ||
	    carom_many__new(b->ix, many, &b->many, &err))
		fail_msg("open: %s", err.text);
	assert_int_equal(carom_many__backend(b->many), backend);
}

static void close_both(struct both *b)
{
	struct carom_reader_stats st;

	carom_many__stats(b->many, &st, sizeof(st));
	pages += st.hops;
	if (carom_many__backend(b->many) == CAROM_BACKEND_KERNEL)
		assert_int_equal(st.hops, st.kernel_hops);
	carom_many__free(b->many);
	carom_index__close(b->ix);
	sqlite3_finalize(b->st);
	sqlite3_close(b->db);
}

static void check_row(struct both *b, const struct carom_value *val)
{
	struct carom_column cols[3];
	struct carom_error err;
	int i;

	if (carom_index__row(b->ix, val, cols, 3, &err))
		fail_msg("%s", err.text);
	assert_int_equal(cols[0].integer, sqlite3_column_int64(b->st, 0));
	for (i = 1; i < 3; i++) {
		assert_int_equal(cols[i].len, sqlite3_column_bytes(b->st, i));
		if (cols[i].len)
			assert_memory_equal(cols[i].data, sqlite3_column_blob(b->st, i),
					    cols[i].len);
	}
}

static void check_answer(struct both *b, struct call *c, size_t i)
{
	const struct carom_answer *a = &c->answers[i];
	int there;

	if (c->none[i] == 'x') {
		assert_int_equal(a->ret, -EINVAL);
		invalid++;
		return;
	}
	sql_ok(b->db, sqlite3_reset(b->st));
	sql_ok(b->db, sqlite3_bind_int64(b->st, 1, c->rowid[i]));
	there = !c->none[i] && sqlite3_step(b->st) == SQLITE_ROW;
	assert_int_equal(a->ret, there ? 0 : CAROM_NOTFOUND);
	found += there != 0;
	absent += !there;
	if (there)
		check_row(b, &a->val);
}

static void compare_keys(struct both *b, struct call *c)
{
	bool bad = false;
	size_t i;
	int ret;

	for (i = 0; i < c->nr; i++)
		bad |= c->none[i] == 'x';
	ret = carom_many__get(b->many, c->keys, c->nr, c->answers);
	if (ret != (bad ? -EINVAL : 0))
		fail_msg("%d %s", ret, carom_many__error(b->many)->text);
	if (bad)
		assert_non_null(strstr(carom_many__error(b->many)->text, "carom_index__key()"));
	for (i = 0; i < c->nr; i++)
		check_answer(b, c, i);
}

/* What it takes to look each of them up by itself. */
static unsigned long one_by_one(struct both *b, struct call *c)
{
	struct carom_reader_stats st;
	struct carom_reader *rd;
	struct carom_value val;
	size_t i;

	assert_int_equal(carom_reader__new(b->ix, &rd, NULL), 0);
	for (i = 0; i < c->nr; i++)
		carom_reader__get(rd, c->keys[i].data, c->keys[i].len, &val);
	carom_reader__stats(rd, &st, sizeof(st));
	carom_reader__free(rd);
	return st.hops;
}

static void compare_backend(enum carom_backend backend, bool by_index)
{
	static const struct carom_many_opts opts[] = {
		{ .sz = sizeof(opts[0]) },
		{ .sz = sizeof(opts[0]), .chains = 1 },
		{ .sz = sizeof(opts[0]), .chains = 32, .chain_keys = 1 },
		{ .sz = sizeof(opts[0]), .chains = 3, .chain_keys = 100 },
	};
	static struct call c;
	struct both b;
	unsigned int i, k;

	for (i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		open_both(&b, backend, by_index, &opts[i]);
		for (k = 0; k < (calls + 3) / 4; k++) {
			some_keys(&b, &c, true);
			compare_keys(&b, &c);
			depth_pages += one_by_one(&b, &c);
		}
		close_both(&b);
	}
}

static void compare_file(const char *what, bool by_index)
{
	enum carom_backend backend;

	found = absent = invalid = pages = depth_pages = 0;
	for (backend = CAROM_BACKEND_KERNEL; backend <= CAROM_BACKEND_PREAD; backend++)
		if (strstr(backends, carom_backend__name(backend)))
			compare_backend(backend, by_index);
	print_message("# %s, by %s: %lu found, %lu absent, %lu invalid; %lu pages read, one by one "
		      "%lu\n", what, by_index ? "index" : "rowid", found, absent, invalid, pages,
		      depth_pages);
	assert_true(found > 50 && absent > 50);
	/* A page is read once for all rowids of a chain. */
	assert_true(by_index || pages * 10 < depth_pages * 9);
}

/* ---- tests ---- */

static void page_sizes(void **state)
{
	unsigned int size;
	char what[32];

	(void)state;
	for (size = 512; size <= 65536; size *= 2) {
		snprintf(what, sizeof(what), "%u", size);
		if (!strstr(sizes, what))
			continue;
		make_file(size, size < 4096 ? size : 2000);
		compare_file(what, false);
		compare_file(what, true);
	}
}

/* More than there is room for in a slot, and what goes on in overflow pages. */
static void large_rows(void **state)
{
	(void)state;
	make_file(1024, 100000);
	compare_file("overflow pages", false);
	make_file(4096, 4000);
	compare_file("rows of a page", false);
}

static void few_rows(void **state)
{
	unsigned int all = rows;
	struct both b;
	struct call c = { .nr = 3 };
	size_t i;

	(void)state;
	for (rows = 0; rows < 2; rows++) {
		make_file(4096, 60);
		open_both(&b, CAROM_BACKEND_PREAD, false, NULL);
		for (i = 0; i < c.nr; i++) {
			c.rowid[i] = (int64_t)i;
			make_key(&b, &c, i);
		}
		compare_keys(&b, &c);
		assert_int_equal(carom_many__get(b.many, NULL, 0, NULL), 0);
		assert_int_equal(carom_many__get(b.many, NULL, 1, NULL), -EINVAL);
		close_both(&b);
	}
	rows = all;
}

/* As a reader has it, with its words, on whatever backend. */
static unsigned int damaged_call(struct both *b, struct carom_reader *rd, struct call *c)
{
	bool same_words = false;
	unsigned int bad = 0;
	struct carom_value val;
	size_t i;
	int ret;

	ret = carom_many__get(b->many, c->keys, c->nr, c->answers);
	for (i = 0; i < c->nr; i++) {
		assert_int_equal(carom_reader__get(rd, c->keys[i].data, c->keys[i].len, &val),
				 c->answers[i].ret);
		if (c->answers[i].ret < 0) {
			bad++;
			same_words |= !strcmp(carom_reader__error(rd)->text,
					      carom_many__error(b->many)->text);
		}
		if (c->answers[i].ret)
			continue;
		assert_int_equal(val.len, c->answers[i].val.len);
		assert_memory_equal(val.data, c->answers[i].val.data, val.len);
	}
	assert_int_equal(ret < 0, bad > 0);
	assert_true(!bad || same_words);
	return bad;
}

/* The reader that says what is right reads by pread. */
static unsigned int damaged_backend(enum carom_backend backend, bool by_index)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = CAROM_BACKEND_PREAD,
					 .table = "t", .index = by_index ? "i" : NULL };
	struct carom_index *plain;
	struct carom_reader *rd;
	static struct call c;
	struct carom_error err;
	unsigned int bad;
	struct both b = { .by_index = by_index };

	if (carom_index__open(path, &opts, &plain, &err))
		return 0;
	opts.backend = backend;
	if (carom_index__open(path, &opts, &b.ix, &err) ||
	    carom_many__new(b.ix, NULL, &b.many, &err) || carom_reader__new(plain, &rd, &err))
		fail_msg("%s", err.text);
	some_keys(&b, &c, false);
	bad = damaged_call(&b, rd, &c);
	carom_reader__free(rd);
	carom_many__free(b.many);
	carom_index__close(b.ix);
	carom_index__close(plain);
	return bad;
}

static void damage(void **state)
{
	enum carom_backend backend;
	unsigned int bad = 0, i, size;

	(void)state;
	for (i = 0; i < calls; i++) {
		size = 512U << 3 * rnd_below(2);
		make_file(size, 900);
		damage_file(size, 20);
		for (backend = CAROM_BACKEND_KERNEL; backend <= CAROM_BACKEND_PREAD; backend++) {
			if (!strstr(backends, carom_backend__name(backend)))
				continue;
			bad += damaged_backend(backend, false);
			bad += damaged_backend(backend, true);
		}
	}
	print_message("# damage was met %u times\n", bad);
	assert_true(bad > 10);
}

static int setup(void **state)
{
	(void)state;
	rnd_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(large_rows),
		cmocka_unit_test(few_rows),
		cmocka_unit_test(damage),
	};
	const char *dir = getenv("CAROM_SQLITE_DIR");
	int ret;

	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/carom-many-%d.db", dir ? dir : "/tmp", getpid());
	if (getenv("CAROM_SQLITE_BACKENDS"))
		backends = getenv("CAROM_SQLITE_BACKENDS");
	if (getenv("CAROM_SQLITE_SIZES"))
		sizes = getenv("CAROM_SQLITE_SIZES");
	if (getenv("CAROM_SQLITE_ROWS"))
		rows = (unsigned int)atoi(getenv("CAROM_SQLITE_ROWS"));
	if (getenv("CAROM_SQLITE_KEYS"))
		calls = (unsigned int)atoi(getenv("CAROM_SQLITE_KEYS"));
	ret = cmocka_run_group_tests_name("many", tests, setup, NULL);
	unlink(path);
	return ret;
}
