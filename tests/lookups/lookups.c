// SPDX-License-Identifier: GPL-2.0
/*
 * All backends against liblmdb, on a file of the filesystem under test: random
 * keys and values, named databases, what updates and deletes leave behind, and
 * damage. What differs between configurations is only which backends work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lookups.h"

/* Fewer on a kernel that checks everything. */
#define NR_LOOKUPS	(getenv("CAROM_SLOW") ? 200 : 2500)
#define PAGE		DATABASE_PAGE

static const enum carom_backend backends[] = {
	CAROM_BACKEND_PREAD, CAROM_BACKEND_IO_URING, CAROM_BACKEND_KERNEL,
};

#define NR_BACKENDS	(sizeof(backends) / sizeof(backends[0]))

static const char *dir;			/* on the filesystem under test */
bool patched;

const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* --- opening --- */

static int open_index(const char *path, const char *db, enum carom_backend backend,
		      enum carom_wait wait, struct carom_index **ix, struct carom_error *err)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts),
		.db = db,
		.backend = backend,
		.direct = true,
		.wait = wait,
	};

	return carom_index__open(path, &opts, ix, err);
}

bool works_here(enum carom_backend backend)
{
	return backend != CAROM_BACKEND_KERNEL || patched;
}

/* --- answers --- */

static void compare(struct carom_reader *rd, struct oracle *o, const char *key, size_t len)
{
	struct carom_value val = { 0 };
	int ret = carom_reader__get(rd, key, len, &val);

	oracle_check(o, key, len, ret, &val, carom_reader__error(rd)->text);
}

static void check_ran_where_asked(struct carom_reader *rd, enum carom_backend backend)
{
	struct carom_reader_stats st;

	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.fallbacks, 0);
	assert_true(st.kernel_hops == (backend == CAROM_BACKEND_KERNEL ? st.hops : 0));
}

static void lookups(const char *path, const char *db, enum carom_backend backend,
		    enum carom_wait wait, unsigned int nr)
{
	char key[DATABASE_KEY_LEN];
	struct carom_error err;
	struct carom_index *ix;
	struct carom_reader *rd;
	struct oracle o;
	unsigned int i;

	oracle_open(&o, path, db);
	if (open_index(path, db, backend, wait, &ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_reader__new(ix, &rd, &err), 0);
	for (i = 0; i < nr; i++)
		compare(rd, &o, key, database_any_key(key));
	check_ran_where_asked(rd, backend);
	carom_reader__free(rd);
	carom_index__close(ix);
	oracle_close(&o);
}

static void test_answers(void **state)
{
	char *path = strdup(path_of("answers.mdb"));
	size_t i;

	(void)state;
	database_build(path);
	for (i = 0; i < NR_BACKENDS; i++) {
		if (!works_here(backends[i]))
			continue;
		lookups(path, NULL, backends[i], CAROM_WAIT_SLEEP, NR_LOOKUPS);
		lookups(path, "named", backends[i], CAROM_WAIT_POLL, 300);
		lookups(path, "named", backends[i], CAROM_WAIT_HYBRID, 300);
		lookups(path, "empty", backends[i], CAROM_WAIT_SLEEP, 10);
	}
	free(path);
}

/* --- which backend, and why --- */

static int open_answers(enum carom_backend backend, struct carom_index **ix,
			struct carom_error *err)
{
	return open_index(path_of("answers.mdb"), NULL, backend, CAROM_WAIT_SLEEP, ix, err);
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
		patched ? CAROM_BACKEND_KERNEL : CAROM_BACKEND_IO_URING, CAROM_WAIT_SLEEP, 100);
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

	ret = open_index(path, NULL, backend, CAROM_WAIT_SLEEP, &ix, err);
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
	root = database_root(fd);
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
	(void)state;
	database_setup();
	return mkdir(dir, 0700) && errno != EEXIST ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	database_teardown();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_kernel_refused),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_queue_descriptor),
		cmocka_unit_test(test_queues_polling),
		cmocka_unit_test(test_queue_deadlines),
		cmocka_unit_test(test_queue_early_end),
		cmocka_unit_test(test_queue_unloaded),
		cmocka_unit_test(test_damaged),
	};

	if (argc != 3) {
		fprintf(stderr, "usage: lookups DIRECTORY patched|distro\n");
		return 2;
	}
	dir = argv[1];
	patched = !strcmp(argv[2], "patched");
	return cmocka_run_group_tests_name("lookups", tests, setup, teardown);
}
