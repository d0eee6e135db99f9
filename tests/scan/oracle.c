// SPDX-License-Identifier: GPL-2.0
/*
 * Scans of libcarom against cursors of liblmdb, on files made at random.
 *
 * CAROM_SCAN_DIR: where to make them (default: TMPDIR); CAROM_SCAN_BACKENDS: with which
 * backends (default: "io_uring pread"); CAROM_SCAN_RANGES: ranges of each file (default:
 * 150).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

#define RANGES	150

static char path[4096];
static const char *backends = "io_uring pread";
static unsigned int ranges = RANGES;
/* What has been compared, of all backends. */
static unsigned long compared, scans, batches;

/* One range, both ways. */
struct both {
	struct oracle o;
	MDB_cursor *cur;
	struct carom_index *ix;
	struct carom_scan *scan;
	struct carom_scan_opts opts;
	unsigned char from[DATABASE_KEY_LEN];
	unsigned char to[DATABASE_KEY_LEN];
	unsigned char prefix[DATABASE_KEY_LEN];
};

/* ---- liblmdb's ---- */

static int compare(const MDB_val *a, const void *b, size_t b_len)
{
	int diff = memcmp(a->mv_data, b, a->mv_size < b_len ? a->mv_size : b_len);

	return diff ? diff : (a->mv_size > b_len) - (a->mv_size < b_len);
}

static bool counts(const struct carom_scan_opts *opts, const MDB_val *k)
{
	if (opts->from && compare(k, opts->from, opts->from_len) < 0)
		return false;
	if (opts->to && compare(k, opts->to, opts->to_len) >= 0)
		return false;
	return !opts->prefix || (k->mv_size >= opts->prefix_len &&
				 !memcmp(k->mv_data, opts->prefix, opts->prefix_len));
}

/* The next entry that counts. The whole tree is gone through, so that bounds are judged here. */
static bool want_next(struct both *b, bool first, MDB_val *k, MDB_val *v)
{
	MDB_cursor_op op = b->opts.reverse ? MDB_PREV : MDB_NEXT;
	int ret;

	if (first)
		op = b->opts.reverse ? MDB_LAST : MDB_FIRST;
	while (!(ret = mdb_cursor_get(b->cur, k, v, op))) {
		if (counts(&b->opts, k))
			return true;
		op = b->opts.reverse ? MDB_PREV : MDB_NEXT;
	}
	assert_int_equal(ret, MDB_NOTFOUND);
	return false;
}

/* ---- ranges ---- */

/* A key that is there, or near one, or any. */
static size_t some_key(struct both *b, enum keys kind, unsigned char *key)
{
	MDB_val k, v;
	size_t len = file_key(kind, key);

	k = (MDB_val){ .mv_data = key, .mv_size = len };
	if (rnd(4) && !mdb_cursor_get(b->cur, &k, &v, MDB_SET_RANGE)) {
		len = k.mv_size;
		memcpy(key, k.mv_data, len);
	}
	if (!rnd(4) && len > 1)
		len = 1 + rnd((unsigned int)len - 1);
	if (!rnd(4))
		key[len - 1] += rnd(2) ? 1 : -1;
	return len;
}

static void some_range(struct both *b, enum keys kind)
{
	b->opts = (struct carom_scan_opts){ .sz = sizeof(b->opts), .reverse = rnd(2) };
	if (rnd(2)) {
		b->opts.from = b->from;
		b->opts.from_len = some_key(b, kind, b->from);
	}
	if (rnd(2)) {
		b->opts.to = b->to;
		b->opts.to_len = some_key(b, kind, b->to);
	}
	if (!rnd(3)) {
		b->opts.prefix = b->prefix;
		b->opts.prefix_len = some_key(b, kind, b->prefix);
		if (rnd(2))
			b->opts.prefix_len = 1 + rnd(2) % b->opts.prefix_len;
	}
	if (!rnd(3))
		b->opts.limit = 1 + rnd(rnd(2) ? 10 : 2000);
}

static void new_scan(struct both *b)
{
	struct carom_error err;

	if (carom_scan__new(b->ix, &b->opts, &b->scan, &err))
		fail_msg("carom_scan__new: %s", err.text);
	scans++;
}

static void end_scan(struct both *b)
{
	struct carom_reader_stats st;

	carom_scan__stats(b->scan, &st, sizeof(st));
	batches += st.lookups;
	/* All of it in the kernel, or nothing. */
	if (carom_scan__backend(b->scan) == CAROM_BACKEND_KERNEL)
		assert_int_equal(st.hops, st.kernel_hops);
	carom_scan__free(b->scan);
}

static void compare_range(struct both *b)
{
	struct carom_value key, val;
	uint64_t n = 0;
	bool more;
	MDB_val k, v;
	int ret;

	new_scan(b);
	for (more = want_next(b, true, &k, &v); more && (!b->opts.limit || n < b->opts.limit);
	     more = want_next(b, false, &k, &v), n++) {
		ret = carom_scan__next(b->scan, &key, &val);
		if (ret)
			fail_msg("entry %llu: %d %s", (unsigned long long)n, ret,
				 carom_scan__error(b->scan)->text);
		assert_int_equal(key.len, k.mv_size);
		assert_memory_equal(key.data, k.mv_data, k.mv_size);
		assert_int_equal(val.len, v.mv_size);
		assert_memory_equal(val.data, v.mv_data, v.mv_size);
	}
	if (carom_scan__next(b->scan, &key, &val) != CAROM_NOTFOUND)
		fail_msg("more than %llu entries: limit %llu, reverse %d, from %d, to %d, prefix %d",
			 (unsigned long long)n, (unsigned long long)b->opts.limit, b->opts.reverse,
			 (int)b->opts.from_len, (int)b->opts.to_len, (int)b->opts.prefix_len);
	assert_int_equal(carom_scan__next(b->scan, &key, &val), CAROM_NOTFOUND);
	compared += n;
	end_scan(b);
}

/* ---- totals ---- */

static unsigned int width_of(enum carom_integer type)
{
	static const unsigned int widths[] = { 0, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8 };

	return widths[type];
}

static __int128 number_of(enum carom_integer type, const unsigned char *p)
{
	bool big = type > CAROM_INTEGER_I8 && (type - CAROM_INTEGER_U16LE) % 4 >= 2;
	unsigned int width = width_of(type), i;
	uint64_t v = 0;

	for (i = 0; i < width; i++)
		v |= (uint64_t)p[big ? width - 1 - i : i] << 8 * i;
	if (type % 2)
		return v;
	/* Signed: every other one. */
	return (int64_t)(v << (64 - 8 * width)) >> (64 - 8 * width);
}

static void compare_totals(struct both *b, enum carom_integer type)
{
	__int128 sum = 0, least = 0, greatest = 0, v;
	struct carom_totals t;
	uint64_t n = 0;
	bool more;
	MDB_val k, d;

	b->opts.integer = type;
	new_scan(b);
	for (more = want_next(b, true, &k, &d); more && (!b->opts.limit || n < b->opts.limit);
	     more = want_next(b, false, &k, &d), n++) {
		if (!type)
			continue;
		v = number_of(type, d.mv_data);
		sum += v;
		least = !n || v < least ? v : least;
		greatest = !n || v > greatest ? v : greatest;
	}
	if (carom_scan__totals(b->scan, &t))
		fail_msg("totals: %s", carom_scan__error(b->scan)->text);
	assert_int_equal(t.count, n);
	assert_true((uint64_t)sum == t.sum_low && (int64_t)(sum >> 64) == t.sum_high);
	assert_int_equal(t.min, (int64_t)least);
	assert_int_equal(t.max, (int64_t)greatest);
	assert_int_equal(carom_scan__totals(b->scan, &t), -EINVAL);
	assert_int_equal(carom_scan__next(b->scan, NULL, NULL), -EINVAL);
	compared += n;
	end_scan(b);
}

/* ---- files ---- */

static void open_both(struct both *b, const char *name, enum carom_backend backend)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .db = name, .backend = backend,
					 .max_readers = 2, .max_in_flight = 1 };
	struct carom_error err;

	memset(b, 0, sizeof(*b));
	oracle_open(&b->o, path, name);
	assert_int_equal(mdb_cursor_open(b->o.txn, b->o.dbi, &b->cur), 0);
	if (carom_index__open(path, &opts, &b->ix, &err))
		fail_msg("open: %s", err.text);
}

static void close_both(struct both *b)
{
	carom_index__close(b->ix);
	mdb_cursor_close(b->cur);
	oracle_close(&b->o);
}

static void compare_ranges(const struct file_spec *spec, enum carom_backend backend)
{
	struct both b;
	unsigned int i;

	open_both(&b, spec->name, backend);
	b.opts = (struct carom_scan_opts){ .sz = sizeof(b.opts) };
	compare_range(&b);
	b.opts.reverse = true;
	compare_range(&b);
	for (i = 0; i < ranges; i++) {
		some_range(&b, spec->keys);
		if (spec->fixed)
			compare_totals(&b, CAROM_INTEGER_U64LE + rnd(4));
		else if (rnd(5))
			compare_range(&b);
		else
			compare_totals(&b, CAROM_INTEGER_NONE);
	}
	close_both(&b);
}

static void compare_file(const struct file_spec *spec)
{
	enum carom_backend backend;

	file_make(path, spec);
	for (backend = CAROM_BACKEND_KERNEL; backend <= CAROM_BACKEND_PREAD; backend++)
		if (strstr(backends, carom_backend__name(backend)))
			compare_ranges(spec, backend);
}

static void compared_something(const char *what)
{
	print_message("# %s: %lu entries in %lu scans, %lu chains\n", what, compared, scans,
		      batches);
	/* Some ranges are empty. */
	assert_true(compared > 1000 && batches > scans / 2);
	compared = scans = batches = 0;
}

/* ---- tests ---- */

static void sizes(void **state)
{
	static const unsigned int entries[] = { 0, 1, 2, 10, 100, 3000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		compare_file(&(struct file_spec){ .entries = entries[i], .keys = KEYS_ANY,
						  .longest = 100000 });
	compared_something("sizes");
}

static void prefixes(void **state)
{
	(void)state;
	compare_file(&(struct file_spec){ .entries = 5000, .keys = KEYS_SHORT, .longest = 20 });
	compared_something("prefixes");
}

static void deep_tree(void **state)
{
	(void)state;
	compare_file(&(struct file_spec){ .entries = 4000, .keys = KEYS_LONG, .longest = 8 });
	compared_something("deep tree");
}

static void named(void **state)
{
	(void)state;
	compare_file(&(struct file_spec){ .name = "n", .entries = 2000, .keys = KEYS_ANY,
					  .longest = 3000 });
	compared_something("named");
}

/* More leaves than one chain may read. */
static void long_totals(void **state)
{
	struct file_spec spec = { .entries = 60000, .keys = KEYS_ANY, .fixed = 8 };
	unsigned int all = ranges;

	(void)state;
	ranges = all / 10 + 1;
	compare_file(&spec);
	ranges = all;
	compared_something("long totals");
}

static void integers(void **state)
{
	enum carom_backend backend;
	enum carom_integer type;
	struct both b;

	(void)state;
	for (type = CAROM_INTEGER_U8; type <= CAROM_INTEGER_I64BE; type++) {
		file_make(path, &(struct file_spec){ .entries = 300, .keys = KEYS_ANY,
						     .fixed = width_of(type) });
		for (backend = CAROM_BACKEND_KERNEL; backend <= CAROM_BACKEND_PREAD; backend++) {
			if (!strstr(backends, carom_backend__name(backend)))
				continue;
			open_both(&b, NULL, backend);
			b.opts = (struct carom_scan_opts){ .sz = sizeof(b.opts) };
			compare_totals(&b, type);
			close_both(&b);
		}
	}
	compared_something("integers");
}

static void expect_error(const char *name, const struct carom_scan_opts *opts, int code,
			 const char *text)
{
	struct carom_error err = { 0 };
	struct carom_totals t;
	struct both b;
	int ret;

	open_both(&b, name, CAROM_BACKEND_PREAD);
	ret = carom_scan__new(b.ix, opts, &b.scan, &err);
	if (!ret) {
		ret = carom_scan__totals(b.scan, &t);
		err = *carom_scan__error(b.scan);
		carom_scan__free(b.scan);
	}
	assert_int_equal(ret, code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	close_both(&b);
}

static void refusals(void **state)
{
	static unsigned char key[DATABASE_KEY_LEN + 1];
	struct carom_scan_opts opts = { .sz = sizeof(opts), .integer = CAROM_INTEGER_U32LE };

	(void)state;
	file_make(path, &(struct file_spec){ .entries = 50, .keys = KEYS_ANY, .fixed = 5 });
	expect_error(NULL, &opts, -EINVAL, "the value of entry 0 has 5 bytes");
	opts = (struct carom_scan_opts){ .sz = sizeof(opts), .from = key, .from_len = sizeof(key) };
	expect_error(NULL, &opts, -EINVAL, "from of 512 bytes");
	opts = (struct carom_scan_opts){ .sz = sizeof(opts), .prefix_len = 1 };
	expect_error(NULL, &opts, -EINVAL, "a key is NULL");
	opts = (struct carom_scan_opts){ .sz = sizeof(opts), .integer = 99 };
	expect_error(NULL, &opts, -EINVAL, "no integer 99");
}

/* Readers and scans are counted together. */
static void too_many(void **state)
{
	struct carom_scan *scan[3] = { 0 };
	struct carom_error err;
	struct both b;

	(void)state;
	file_make(path, &(struct file_spec){ .entries = 50, .keys = KEYS_ANY, .longest = 5 });
	open_both(&b, NULL, CAROM_BACKEND_PREAD);
	assert_int_equal(carom_scan__new(b.ix, NULL, &scan[0], &err), 0);
	assert_int_equal(carom_scan__new(b.ix, NULL, &scan[1], &err), 0);
	assert_int_equal(carom_scan__new(b.ix, NULL, &scan[2], &err), -EBUSY);
	assert_non_null(strstr(err.text, "all 2 readers are in use"));
	carom_scan__free(scan[0]);
	assert_int_equal(carom_scan__new(b.ix, NULL, &scan[2], &err), 0);
	carom_scan__free(scan[1]);
	carom_scan__free(scan[2]);
	close_both(&b);
}

/* A scan sees one commit, or says that it cannot any more. */
static void writer(void **state)
{
	const struct file_spec spec = { .entries = 3000, .keys = KEYS_ANY, .longest = 3000 };
	unsigned int commits, lost = 0, whole = 0;
	struct both b;
	uint64_t n;
	int ret;

	(void)state;
	for (commits = 0; commits < 5; commits++) {
		file_make(path, &spec);
		open_both(&b, NULL, CAROM_BACKEND_PREAD);
		b.opts = (struct carom_scan_opts){ .sz = sizeof(b.opts) };
		new_scan(&b);
		assert_int_equal(carom_scan__next(b.scan, NULL, NULL), 0);
		for (n = 0; n < commits; n++)
			file_add(path, &spec, 50);
		n = 1;
		while (!(ret = carom_scan__next(b.scan, NULL, NULL)))
			n++;
		if (ret == -EAGAIN) {
			assert_non_null(strstr(carom_scan__error(b.scan)->text, "scan again"));
			lost++;
		} else {
			MDB_stat st;

			assert_int_equal(ret, CAROM_NOTFOUND);
			assert_int_equal(mdb_stat(b.o.txn, b.o.dbi, &st), 0);
			assert_int_equal(n, st.ms_entries);
			whole++;
		}
		carom_scan__free(b.scan);
		close_both(&b);
	}
	assert_true(lost && whole);
}

/* Whatever is in the pages: an end, and no byte that is not the file's (the sanitizers look). */
static void damage(void **state)
{
	const struct file_spec spec = { .entries = 600, .keys = KEYS_ANY, .longest = 5000 };
	unsigned int i, bad = 0, good = 0;
	struct carom_value key, val;
	struct carom_error err;
	struct carom_index *ix;
	struct carom_scan *scan;
	int ret;

	(void)state;
	for (i = 0; i < 400; i++) {
		struct carom_scan_opts opts = { .sz = sizeof(opts), .reverse = i % 2 };

		if (i % 20 == 0)
			file_make(path, &spec);
		file_damage(path, 2);
		if (carom_index__open(path, NULL, &ix, &err))
			continue;
		assert_int_equal(carom_scan__new(ix, &opts, &scan, &err), 0);
		while (!(ret = carom_scan__next(scan, &key, &val)))
			good++;
		if (ret != CAROM_NOTFOUND) {
			if (ret != -EBADMSG)
				fail_msg("%d %s", ret, carom_scan__error(scan)->text);
			bad++;
		}
		carom_scan__free(scan);
		carom_index__close(ix);
	}
	print_message("# damage: %u times met, after %u entries in all\n", bad, good);
	assert_true(bad > 50 && good > 1000);
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
		cmocka_unit_test(sizes),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(deep_tree),
		cmocka_unit_test(named),
		cmocka_unit_test(long_totals),
		cmocka_unit_test(integers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_many),
		cmocka_unit_test(writer),
		cmocka_unit_test(damage),
	};
	const char *dir = getenv("CAROM_SCAN_DIR"), *nr = getenv("CAROM_SCAN_RANGES");
	int ret;

	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/carom-scan-%d.mdb", dir ? dir : "/tmp", getpid());
	if (getenv("CAROM_SCAN_BACKENDS"))
		backends = getenv("CAROM_SCAN_BACKENDS");
	if (nr)
		ranges = (unsigned int)atoi(nr);
	ret = cmocka_run_group_tests_name("scan_oracle", tests, setup, teardown);
	unlink(path);
	return ret;
}
