// SPDX-License-Identifier: GPL-2.0
/*
 * carom_many__get() against liblmdb, on files made at random. The environment is that of
 * oracle.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"

#define MAX_KEYS	600

static char path[4096];
static const char *backends = "io_uring pread";
static unsigned int ranges = 60;
static unsigned long found, absent, hops, single_hops;

/* Keys of one call, and what has become of them. */
struct call {
	unsigned char bytes[MAX_KEYS][DATABASE_KEY_LEN];
	struct carom_value keys[MAX_KEYS];
	struct carom_answer answers[MAX_KEYS];
	size_t nr;
};

struct both {
	struct oracle o;
	MDB_cursor *cur;
	struct carom_index *ix;
	struct carom_many *many;
};

/* ---- keys ---- */

/* Some are there, some are not, some are there twice. */
static void some_keys(struct both *b, struct call *c, enum keys kind, size_t nr)
{
	MDB_val k, v;
	size_t i;

	c->nr = nr;
	for (i = 0; i < nr; i++) {
		c->keys[i] = (struct carom_value){ .data = c->bytes[i] };
		c->keys[i].len = file_key(kind, c->bytes[i]);
		if (i && !rnd(20)) {
			c->keys[i] = c->keys[rnd((unsigned int)i)];
			continue;
		}
		k = (MDB_val){ .mv_data = c->bytes[i], .mv_size = c->keys[i].len };
		if (!rnd(4) || mdb_cursor_get(b->cur, &k, &v, MDB_SET_RANGE))
			continue;
		memcpy(c->bytes[i], k.mv_data, k.mv_size);
		c->keys[i].len = k.mv_size;
	}
}

static void check_answer(struct both *b, const struct carom_value *key,
			 const struct carom_answer *a)
{
	MDB_val k = { .mv_data = (void *)key->data, .mv_size = key->len }, v;
	int want = mdb_get(b->o.txn, b->o.dbi, &k, &v);

	if (want == MDB_NOTFOUND) {
		assert_int_equal(a->ret, CAROM_NOTFOUND);
		absent++;
		return;
	}
	assert_int_equal(want, 0);
	assert_int_equal(a->ret, 0);
	assert_int_equal(a->val.len, v.mv_size);
	assert_memory_equal(a->val.data, v.mv_data, v.mv_size);
	found++;
}

static void compare_keys(struct both *b, struct call *c)
{
	size_t i;

	if (carom_many__get(b->many, c->keys, c->nr, c->answers))
		fail_msg("%s", carom_many__error(b->many)->text);
	for (i = 0; i < c->nr; i++)
		check_answer(b, &c->keys[i], &c->answers[i]);
}

/* ---- files ---- */

static void open_both(struct both *b, const char *name, enum carom_backend backend,
		      const struct carom_many_opts *many)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .db = name, .backend = backend,
					 .max_readers = 2, .max_in_flight = 1 };
	struct carom_error err;

	memset(b, 0, sizeof(*b));
	oracle_open(&b->o, path, name);
	assert_int_equal(mdb_cursor_open(b->o.txn, b->o.dbi, &b->cur), 0);
	if (carom_index__open(path, &opts, &b->ix, &err) ||
	    carom_many__new(b->ix, many, &b->many, &err))
		fail_msg("open: %s", err.text);
	assert_int_equal(carom_many__backend(b->many), backend);
}

static void close_both(struct both *b)
{
	struct carom_reader_stats st;

	carom_many__stats(b->many, &st, sizeof(st));
	hops += st.hops;
	if (carom_many__backend(b->many) == CAROM_BACKEND_KERNEL)
		assert_int_equal(st.hops, st.kernel_hops);
	carom_many__free(b->many);
	carom_index__close(b->ix);
	mdb_cursor_close(b->cur);
	oracle_close(&b->o);
}

static void compare_backend(const struct file_spec *spec, enum carom_backend backend)
{
	static const struct carom_many_opts opts[] = {
		{ .sz = sizeof(opts[0]) },
		{ .sz = sizeof(opts[0]), .chains = 1 },
		{ .sz = sizeof(opts[0]), .chains = 32, .chain_keys = 1 },
		{ .sz = sizeof(opts[0]), .chains = 3, .chain_keys = 100 },
	};
	static struct call c;
	struct both b;
	MDB_stat st;
	size_t i;
	unsigned int k;

	for (i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		open_both(&b, spec->name, backend, &opts[i]);
		assert_int_equal(mdb_stat(b.o.txn, b.o.dbi, &st), 0);
		for (k = 0; k < ranges; k++) {
			some_keys(&b, &c, spec->keys, rnd(10) ? rnd(100) : rnd(MAX_KEYS));
			compare_keys(&b, &c);
			single_hops += c.nr * st.ms_depth;
		}
		close_both(&b);
	}
}

static void compare_file(const char *what, const struct file_spec *spec)
{
	enum carom_backend backend;

	file_make(path, spec);
	for (backend = CAROM_BACKEND_KERNEL; backend <= CAROM_BACKEND_PREAD; backend++)
		if (strstr(backends, carom_backend__name(backend)))
			compare_backend(spec, backend);
	print_message("# %s: %lu found, %lu absent; %lu pages read, one by one %lu\n", what, found,
		      absent, hops, single_hops);
	assert_true(absent > 100 && (found > 100 || !spec->entries));
	found = absent = hops = single_hops = 0;
}

/* ---- tests ---- */

static void empty(void **state)
{
	(void)state;
	compare_file("empty", &(struct file_spec){ .keys = KEYS_ANY });
}

static void ordinary(void **state)
{
	(void)state;
	compare_file("ordinary", &(struct file_spec){ .entries = 20000, .keys = KEYS_ANY,
						      .longest = 60 });
}

static void deep_tree(void **state)
{
	(void)state;
	compare_file("deep tree", &(struct file_spec){ .entries = 4000, .keys = KEYS_LONG,
						       .longest = 100 });
}

/* More than there is room for in a slot, and what is on overflow pages. */
static void large_values(void **state)
{
	(void)state;
	compare_file("large values", &(struct file_spec){ .entries = 2000, .keys = KEYS_ANY,
							  .longest = 100000 });
	compare_file("values of 1,500 bytes", &(struct file_spec){ .entries = 2000,
						.keys = KEYS_ANY, .fixed = 1500 });
}

static void named(void **state)
{
	(void)state;
	compare_file("named", &(struct file_spec){ .name = "n", .entries = 2000,
						   .keys = KEYS_SHORT, .longest = 3000 });
}

/* A key that cannot be fails, and the others have their answers. */
static void invalid_keys(void **state)
{
	static unsigned char long_key[DATABASE_KEY_LEN + 1];
	static struct call c;
	struct both b;
	size_t i;

	(void)state;
	file_make(path, &(struct file_spec){ .entries = 500, .keys = KEYS_ANY, .longest = 60 });
	open_both(&b, NULL, CAROM_BACKEND_PREAD, NULL);
	some_keys(&b, &c, KEYS_ANY, 20);
	c.keys[7] = (struct carom_value){ .data = long_key, .len = sizeof(long_key) };
	c.keys[11] = (struct carom_value){ 0 };
	assert_int_equal(carom_many__get(b.many, c.keys, c.nr, c.answers), -EINVAL);
	assert_non_null(strstr(carom_many__error(b.many)->text, "key of 512 bytes"));
	for (i = 0; i < c.nr; i++) {
		if (i == 7 || i == 11)
			assert_int_equal(c.answers[i].ret, -EINVAL);
		else
			check_answer(&b, &c.keys[i], &c.answers[i]);
	}
	assert_int_equal(carom_many__get(b.many, NULL, 0, NULL), 0);
	assert_int_equal(carom_many__get(b.many, NULL, 1, NULL), -EINVAL);
	close_both(&b);
}

static void refusals(void **state)
{
	struct carom_many_opts opts = { .sz = sizeof(opts), .chains = 33 };
	struct carom_error err;
	struct carom_many *m;
	struct both b;

	(void)state;
	file_make(path, &(struct file_spec){ .entries = 500, .keys = KEYS_ANY, .longest = 60 });
	open_both(&b, NULL, CAROM_BACKEND_PREAD, NULL);
	assert_int_equal(carom_many__new(b.ix, &opts, &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "chains is 33"));
	opts.chains = 25;
	assert_int_equal(carom_many__new(b.ix, &opts, &m, &err), -EBUSY);
	opts.chains = 24;
	assert_int_equal(carom_many__new(b.ix, &opts, &m, &err), 0);
	carom_many__free(m);
	close_both(&b);
}

/* Damage costs the keys that meet it their answer, with the reader's words, and no others. */
static void damage(void **state)
{
	const struct file_spec spec = { .entries = 3000, .keys = KEYS_ANY, .longest = 5000 };
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = CAROM_BACKEND_PREAD };
	unsigned int bad = 0, i, k;
	struct carom_error err;
	struct carom_reader *rd;
	struct carom_value val;
	static struct call c;
	struct both b;
	int ret;

	(void)state;
	for (i = 0; i < 60; i++) {
		file_make(path, &spec);
		open_both(&b, NULL, CAROM_BACKEND_PREAD, NULL);
		some_keys(&b, &c, KEYS_ANY, 200);
		close_both(&b);
		file_damage(path, 20);
		if (carom_index__open(path, &opts, &b.ix, &err))
			continue;
		assert_int_equal(carom_many__new(b.ix, NULL, &b.many, &err), 0);
		assert_int_equal(carom_reader__new(b.ix, &rd, &err), 0);
		ret = carom_many__get(b.many, c.keys, c.nr, c.answers);
		bad += ret < 0;
		for (k = 0; k < c.nr; k++) {
			assert_int_equal(carom_reader__get(rd, c.keys[k].data, c.keys[k].len, &val),
					 c.answers[k].ret);
			if (c.answers[k].ret)
				continue;
			assert_int_equal(val.len, c.answers[k].val.len);
			assert_memory_equal(val.data, c.answers[k].val.data, val.len);
		}
		carom_reader__free(rd);
		carom_many__free(b.many);
		carom_index__close(b.ix);
	}
	print_message("# damage was met %u times\n", bad);
	assert_true(bad > 10);
}

/* ---- a writer ---- */

#define STAMPED		200

/* Each commit gives all keys one value; @fd is told of the first. */
static void write_for_ever(int fd)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint32_t i, stamp;

	if (mdb_env_create(&env) || mdb_env_set_mapsize(env, 1UL << 30) ||
	    mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644))
		_exit(1);
	for (stamp = 1; ; stamp++) {
		if (mdb_txn_begin(env, NULL, 0, &txn) || mdb_dbi_open(txn, NULL, 0, &dbi))
			_exit(1);
		for (i = 0; i < STAMPED; i++) {
			MDB_val k = { sizeof(i), &i }, v = { sizeof(stamp), &stamp };

			if (mdb_put(txn, dbi, &k, &v, 0))
				_exit(1);
		}
		if (mdb_txn_commit(txn) || (stamp == 1 && write(fd, "", 1) != 1))
			_exit(1);
		usleep(1000);
	}
}

static void one_version(void **state)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = CAROM_BACKEND_PREAD };
	static struct call c;
	uint32_t i, stamp, last = 0, changes = 0;
	struct carom_index *ix;
	struct carom_many *m;
	struct carom_error err;
	unsigned int n;
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	unlink(path);
	fflush(NULL);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		write_for_ever(fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	assert_int_equal(carom_index__open(path, &opts, &ix, &err), 0);
	assert_int_equal(carom_many__new(ix, NULL, &m, &err), 0);
	for (i = 0; i < STAMPED; i++) {
		memcpy(c.bytes[i], &i, sizeof(i));
		c.keys[i] = (struct carom_value){ .data = c.bytes[i], .len = sizeof(i) };
	}
	/* More of them where the writer is slow. */
	for (n = 0; n < 300 || (changes <= 5 && n < 10000); n++) {
		if (carom_many__get(m, c.keys, STAMPED, c.answers))
			fail_msg("%s", carom_many__error(m)->text);
		memcpy(&stamp, c.answers[0].val.data, sizeof(stamp));
		for (i = 0; i < STAMPED; i++) {
			assert_int_equal(c.answers[i].ret, 0);
			assert_memory_equal(c.answers[i].val.data, &stamp, sizeof(stamp));
		}
		assert_true(stamp >= last);
		changes += stamp != last;
		last = stamp;
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	carom_many__free(m);
	carom_index__close(ix);
	print_message("# %u versions in %u calls\n", changes, n);
	assert_true(changes > 5);
}

static int setup(void **state)
{
	(void)state;
	database_setup();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	database_teardown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(ordinary),
		cmocka_unit_test(deep_tree),
		cmocka_unit_test(large_values),
		cmocka_unit_test(named),
		cmocka_unit_test(invalid_keys),
		cmocka_unit_test(refusals),
		cmocka_unit_test(damage),
		cmocka_unit_test(one_version),
	};
	const char *dir = getenv("CAROM_SCAN_DIR"), *nr = getenv("CAROM_SCAN_RANGES");
	int ret;

	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/carom-many-%d.mdb", dir ? dir : "/tmp", getpid());
	if (getenv("CAROM_SCAN_BACKENDS"))
		backends = getenv("CAROM_SCAN_BACKENDS");
	if (nr)
		ranges = (unsigned int)atoi(nr);
	ret = cmocka_run_group_tests_name("many", tests, setup, teardown);
	unlink(path);
	return ret;
}
