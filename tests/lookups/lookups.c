// SPDX-License-Identifier: GPL-2.0
/*
 * All backends against liblmdb, on a file of the filesystem under test: random
 * keys and values, named databases, what updates and deletes leave behind, and
 * damage. What differs between configurations is only which backends work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include <carom/carom.h>

#include "../lib/skip.h"

#define NR_KEYS		6000
#define NR_LOOKUPS	2500
#define MAX_VALUE	(1 << 20)
#define PAGE		4096

static const enum carom_backend backends[] = {
	CAROM_BACKEND_PREAD, CAROM_BACKEND_IO_URING, CAROM_BACKEND_KERNEL,
};

#define NR_BACKENDS	(sizeof(backends) / sizeof(backends[0]))

static const char *dir;			/* on the filesystem under test */
static bool patched;			/* is the driver ours? */
static unsigned int seed;
static char *value_bytes;		/* MAX_VALUE of them */

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static unsigned int rnd(unsigned int below)
{
	return (unsigned int)rand_r(&seed) % below;
}

/* --- a database with a past --- */

static size_t make_key(unsigned int i, char *key)
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
	MDB_val k = { .mv_size = make_key(i, key), .mv_data = key };
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
		MDB_val k = { .mv_size = make_key(i, key), .mv_data = key };
		int rc = mdb_del(txn, dbi, &k, NULL);

		assert_true(!rc || rc == MDB_NOTFOUND);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void build(const char *path)
{
	MDB_env *env;

	unlink(path);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 256UL << 20), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC, 0600), 0);
	fill(env, NULL, NR_KEYS);
	fill(env, "named", 300);
	fill(env, "empty", 0);
	assert_int_equal(mdb_env_sync(env, 1), 0);
	mdb_env_close(env);
}

/* --- opening --- */

static int open_index(const char *path, const char *db, enum carom_backend backend,
		      struct carom_index **ix, struct carom_error *err)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts),
		.db = db,
		.backend = backend,
		.direct = true,
	};

	return carom_index__open(path, &opts, ix, err);
}

static bool works_here(enum carom_backend backend)
{
	return backend != CAROM_BACKEND_KERNEL || patched;
}

/* --- answers --- */

static void compare(struct carom_reader *rd, MDB_txn *txn, MDB_dbi dbi, const char *key, size_t len)
{
	MDB_val k = { .mv_size = len, .mv_data = (void *)key }, v;
	struct carom_value val;
	int rc = mdb_get(txn, dbi, &k, &v);
	int ret = carom_reader__get(rd, key, len, &val);

	if (ret < 0)
		fail_msg("%s", carom_reader__error(rd)->text);
	if (rc == MDB_NOTFOUND) {
		assert_int_equal(ret, CAROM_NOTFOUND);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ret, 0);
	assert_int_equal(val.len, v.mv_size);
	assert_memory_equal(val.data, v.mv_data, v.mv_size);
}

static void check_ran_where_asked(struct carom_reader *rd, enum carom_backend backend)
{
	struct carom_reader_stats st;

	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.fallbacks, 0);
	assert_true(st.kernel_hops == (backend == CAROM_BACKEND_KERNEL ? st.hops : 0));
}

static void lookups(const char *path, const char *db, enum carom_backend backend,
		    unsigned int nr)
{
	struct carom_error err;
	struct carom_index *ix;
	struct carom_reader *rd;
	unsigned int i;
	char key[511];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, db, 0, &dbi), 0);
	if (open_index(path, db, backend, &ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_reader__new(ix, &rd, &err), 0);
	for (i = 0; i < nr; i++) {
		/* A third of these was never put, a fifth deleted. */
		size_t len = make_key(rnd(NR_KEYS * 3 / 2), key);

		compare(rd, txn, dbi, key, len);
	}
	check_ran_where_asked(rd, backend);
	carom_reader__free(rd);
	carom_index__close(ix);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

static void test_answers(void **state)
{
	char *path = strdup(path_of("answers.mdb"));
	size_t i;

	(void)state;
	build(path);
	for (i = 0; i < NR_BACKENDS; i++) {
		if (!works_here(backends[i]))
			continue;
		lookups(path, NULL, backends[i], NR_LOOKUPS);
		lookups(path, "named", backends[i], 300);
		lookups(path, "empty", backends[i], 10);
	}
	free(path);
}

/* --- which backend, and why --- */

static int open_answers(enum carom_backend backend, struct carom_index **ix,
			struct carom_error *err)
{
	return open_index(path_of("answers.mdb"), NULL, backend, ix, err);
}

static void test_auto(void **state)
{
	struct carom_error err;
	struct carom_index *ix;

	(void)state;
	assert_int_equal(open_answers(CAROM_BACKEND_AUTO, &ix, &err), 0);
	if (patched) {
		assert_int_equal(carom_index__backend(ix), CAROM_BACKEND_KERNEL);
	} else {
		assert_int_equal(carom_index__backend(ix), CAROM_BACKEND_IO_URING);
		assert_non_null(strstr(carom_index__why(ix), "/dev/carom"));
	}
	carom_index__close(ix);
	lookups(path_of("answers.mdb"), NULL,
		patched ? CAROM_BACKEND_KERNEL : CAROM_BACKEND_IO_URING, 100);
}

static void test_kernel_refused(void **state)
{
	struct carom_error err;
	struct carom_index *ix;
	int fd;

	(void)state;
	if (!patched) {
		assert_true(open_answers(CAROM_BACKEND_KERNEL, &ix, &err) < 0);
		assert_int_equal(err.fault, CAROM_FAULT_BACKEND);
		assert_non_null(strstr(err.text, "/dev/carom"));
		return;
	}
	fd = open(path_of("answers.mdb"), O_RDWR);
	assert_true(fd >= 0);
	assert_true(open_answers(CAROM_BACKEND_KERNEL, &ix, &err) < 0);
	assert_int_equal(err.fault, CAROM_FAULT_BACKEND);
	assert_non_null(strstr(err.text, "writing"));
	/* auto goes on without the kernel, and says so. */
	assert_int_equal(open_answers(CAROM_BACKEND_AUTO, &ix, &err), 0);
	assert_int_equal(carom_index__backend(ix), CAROM_BACKEND_IO_URING);
	assert_non_null(strstr(carom_index__why(ix), "writing"));
	carom_index__close(ix);
	close(fd);
}

static void test_sealed(void **state)
{
	struct carom_error err;
	struct carom_index *ix;
	int fd;

	(void)state;
	if (!patched)
		skip_because("needs the patched driver");
	assert_int_equal(open_answers(CAROM_BACKEND_KERNEL, &ix, &err), 0);
	assert_int_equal(open(path_of("answers.mdb"), O_RDWR), -1);
	assert_int_equal(errno, ETXTBSY);
	assert_int_equal(truncate(path_of("answers.mdb"), 0), -1);
	assert_int_equal(errno, ETXTBSY);
	carom_index__close(ix);
	fd = open(path_of("answers.mdb"), O_RDWR);
	assert_true(fd >= 0);
	close(fd);
}

/* --- damage: the same words from every backend --- */

static void copy_file(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t len;

	assert_true(in >= 0 && out >= 0);
	while ((len = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)len), len);
	assert_int_equal(fsync(out), 0);
	close(in);
	close(out);
}

struct meta {
	uint64_t root;
	uint64_t txnid;
};

/* Root of the newer meta; offsets as in LMDB's data version 1. */
static uint64_t root_page(int fd)
{
	struct meta m[2];
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(pread(fd, &m[i].root, 8, i * PAGE + 128), 8);
		assert_int_equal(pread(fd, &m[i].txnid, 8, i * PAGE + 144), 8);
	}
	return m[1].txnid > m[0].txnid ? m[1].root : m[0].root;
}

static void poke(int fd, uint64_t page, unsigned int off, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, (off_t)(page * PAGE + off)), len);
}

/* Every child of the root is the root itself. */
static void make_cycle(int fd, uint64_t root)
{
	uint16_t lower, ptr, lo = (uint16_t)root, hi = (uint16_t)(root >> 16), top = 0;
	unsigned int i;

	assert_int_equal(pread(fd, &lower, 2, (off_t)(root * PAGE + 12)), 2);
	for (i = 16; i < lower; i += 2) {
		assert_int_equal(pread(fd, &ptr, 2, (off_t)(root * PAGE + i)), 2);
		poke(fd, root, ptr, &lo, 2);
		poke(fd, root, ptr + 2U, &hi, 2);
		poke(fd, root, ptr + 4U, &top, 2);
	}
}

static void make_wrong_pgno(int fd, uint64_t root)
{
	uint64_t wrong = root + 1;

	poke(fd, root, 0, &wrong, 8);
}

static void make_wrong_flags(int fd, uint64_t root)
{
	uint16_t overflow = 4;

	poke(fd, root, 10, &overflow, 2);
}

static void make_bad_pointers(int fd, uint64_t root)
{
	uint16_t ptr[8];

	memset(ptr, 0xff, sizeof(ptr));
	poke(fd, root, 16, ptr, sizeof(ptr));
	poke(fd, root, 16 + sizeof(ptr), ptr, sizeof(ptr));
}

static void make_hole(int fd, uint64_t root)
{
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   (off_t)(root * PAGE), PAGE), 0);
}

static void make_short(int fd, uint64_t root)
{
	assert_int_equal(ftruncate(fd, (off_t)(root * PAGE)), 0);
}

static int get_error(const char *path, enum carom_backend backend, struct carom_error *err)
{
	struct carom_value val;
	struct carom_index *ix;
	struct carom_reader *rd;
	int ret;

	ret = open_index(path, NULL, backend, &ix, err);
	if (ret)
		return ret;
	assert_int_equal(carom_reader__new(ix, &rd, err), 0);
	ret = carom_reader__get(rd, "pp", 2, &val);
	*err = *carom_reader__error(rd);
	carom_reader__free(rd);
	carom_index__close(ix);
	return ret;
}

static void damaged(const char *name, void (*damage)(int fd, uint64_t root))
{
	char *path = strdup(path_of("damaged.mdb"));
	struct carom_error err[NR_BACKENDS];
	uint64_t root;
	char page[40];
	size_t i;
	int fd;

	copy_file(path_of("answers.mdb"), path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	root = root_page(fd);
	damage(fd, root);
	assert_int_equal(fsync(fd), 0);
	close(fd);
	snprintf(page, sizeof(page), "page %llu", (unsigned long long)root);
	for (i = 0; i < NR_BACKENDS; i++) {
		if (!works_here(backends[i]))
			continue;
		assert_true(get_error(path, backends[i], &err[i]) < 0);
		print_message("# %s, %s: %s\n", name, carom_backend__name(backends[i]),
			      err[i].text);
		assert_int_equal(err[i].fault, CAROM_FAULT_FORMAT);
		assert_int_equal(err[i].code, -EBADMSG);
		assert_string_equal(err[i].text, err[0].text);
		if (damage != make_short)
			assert_non_null(strstr(err[i].text, page));
	}
	free(path);
}

static void test_damaged(void **state)
{
	(void)state;
	damaged("cycle", make_cycle);
	damaged("wrong page number", make_wrong_pgno);
	damaged("wrong flags", make_wrong_flags);
	damaged("bad pointers", make_bad_pointers);
	damaged("hole", make_hole);
	damaged("cut short", make_short);
}

static int setup(void **state)
{
	unsigned int i, s = 1;

	(void)state;
	value_bytes = malloc(MAX_VALUE + 16);
	if (!value_bytes)
		return -1;
	for (i = 0; i < MAX_VALUE + 16; i++)
		value_bytes[i] = (char)rand_r(&s);
	return mkdir(dir, 0700) && errno != EEXIST ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	free(value_bytes);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_kernel_refused),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_damaged),
	};

	if (argc != 3) {
		fprintf(stderr, "usage: lookups DIRECTORY patched|distro\n");
		return 2;
	}
	dir = argv[1];
	patched = !strcmp(argv[2], "patched");
	seed = getenv("CAROM_SEED") ? (unsigned int)strtoul(getenv("CAROM_SEED"), NULL, 10) : 1;
	return cmocka_run_group_tests_name("lookups", tests, setup, teardown);
}
