// SPDX-License-Identifier: GPL-2.0
/*
 * Scans of libcarom against SQLite, on databases made at random.
 *
 * Settings are those of oracle.c: CAROM_SQLITE_DIR, _BACKENDS (default: "io_uring pread"),
 * _SIZES, _ROWS (default: 600) and CAROM_SQLITE_RANGES: ranges of each index (default: 25).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../user/formats/sqlite_range.h"
#include "../lib/skip.h"
#include "column.h"
#include "random.h"
#include "ranges.h"
#include "text.h"

#define MAX_KEY_BYTES	(1 << 20)

static char path[4096];
static const char *backends = "io_uring pread";
static unsigned int rows = 600, ranges = 25;
/* What has been compared. */
static unsigned long compared, scans, sums, refused;
static struct carom_reader_stats stats;

/* A key of the options, and the columns that it has. */
struct bound {
	unsigned char *bytes;
	size_t len;
	struct carom_column cols[MAX_PARTS];
	int nr;
};

/**
 * struct range - one range, both ways
 * @first, @end: of the oracle's rows
 */
struct range {
	struct oracle *o;
	struct carom_index *ix;
	struct carom_scan_opts opts;
	struct bound from;
	struct bound to;
	struct bound prefix;
	size_t first;
	size_t end;
};

/* ---- keys ---- */

/* Columns that a row has, or nearly. */
static void some_columns(const struct oracle *o, struct carom_column *cols, char *buf,
			 size_t size)
{
	sqlite3_str *s = sqlite3_str_new(o->db);
	sqlite3_stmt *st;
	size_t used = 0;
	char *text;
	int i;

	sqlite3_str_appendall(s, "SELECT ");
	for (i = 0; i < o->tree.parts; i++)
		sqlite3_str_appendf(s, "%s\"%w\"", i ? ", " : "", o->tree.name[i]);
	sqlite3_str_appendf(s, " FROM t LIMIT 1 OFFSET %u",
			    o->nr ? rnd_below((unsigned int)o->nr) : 0);
	text = sqlite3_str_finish(s);
	sql_ok(o->db, sqlite3_prepare_v2(o->db, text, -1, &st, NULL));
	sqlite3_free(text);
	memset(cols, 0, MAX_PARTS * sizeof(*cols));
	if (sqlite3_step(st) == SQLITE_ROW) {
		for (i = 0; i < o->tree.parts; i++) {
			cols[i] = column_of(st, i);
			if (!cols[i].len)
				continue;
			assert_true(used + cols[i].len < size);
			memcpy(buf + used, cols[i].data, cols[i].len);
			cols[i].data = buf + used;
			used += cols[i].len;
		}
	}
	sqlite3_finalize(st);
}

static void change(struct carom_column *c)
{
	switch (rnd_below(4)) {
	case 0:
		c->integer = (int64_t)((uint64_t)c->integer + rnd_below(5) - 2);
		c->real += 0.25;
		if (c->len)
			((char *)c->data)[rnd_below((unsigned int)c->len)] ^= 1 + rnd_below(64);
		break;
	case 1:
		if (c->len)
			c->len = rnd_below((unsigned int)(c->len < 8 ? c->len : 8));
		break;
	default:
		break;
	}
}

/* Make it the key that an application would have. */
static void some_bound(const struct range *r, struct bound *b)
{
	static char buf[MAX_KEY_BYTES];
	struct carom_error err;
	int ret;

	b->nr = 1 + (int)rnd_below((unsigned int)r->o->tree.parts);
	some_columns(r->o, b->cols, buf, sizeof(buf));
	change(&b->cols[b->nr - 1]);
	b->len = MAX_KEY_BYTES;
	b->bytes = malloc(b->len);
	ret = carom_index__key(r->ix, b->cols, (size_t)b->nr, b->bytes, &b->len, &err);
	if (ret)
		fail_msg("%s", err.text);
	/* As they would be stored. */
	assert_int_equal(sqlite_key_columns_of(b->bytes, b->len, b->cols, MAX_PARTS), b->nr);
}

static void cut(struct range *r, size_t first, size_t end)
{
	r->first = first > r->first ? first : r->first;
	r->end = end < r->end ? end : r->end;
}

static void some_range(struct range *r)
{
	size_t first, end;

	r->opts.reverse = rnd_below(2);
	if (rnd_below(2)) {
		some_bound(r, &r->from);
		r->opts.from = r->from.bytes;
		r->opts.from_len = r->from.len;
		cut(r, oracle_before(r->o, r->from.cols, r->from.nr), r->o->nr);
	}
	if (rnd_below(2)) {
		some_bound(r, &r->to);
		r->opts.to = r->to.bytes;
		r->opts.to_len = r->to.len;
		cut(r, 0, oracle_before(r->o, r->to.cols, r->to.nr));
	}
	if (!rnd_below(3) && !r->o->tree.rowids) {
		some_bound(r, &r->prefix);
		r->opts.prefix = r->prefix.bytes;
		r->opts.prefix_len = r->prefix.len;
		oracle_prefix(r->o, r->prefix.cols, r->prefix.nr, &first, &end);
		cut(r, first, end);
	}
	if (!rnd_below(3))
		r->opts.limit = 1 + rnd_below(rnd_below(2) ? 5 : 300);
}

/* Some prefixes have no entries side by side. */
static bool must_refuse(const struct range *r)
{
	const struct carom_column *last;
	const char *collation;

	if (!r->opts.prefix)
		return false;
	last = &r->prefix.cols[r->prefix.nr - 1];
	if (last->type != CAROM_TYPE_TEXT)
		return false;
	collation = r->o->tree.collation[r->prefix.nr - 1];
	return !strcmp(collation, "RTRIM") ||
	       (!strcmp(collation, "NOCASE") && last->len && memchr(last->data, 0, last->len));
}

/* ---- scans ---- */

static void range_begin(struct range *r, struct oracle *o, struct carom_index *ix)
{
	*r = (struct range){ .o = o, .ix = ix, .opts.sz = sizeof(r->opts), .end = o->nr };
}

static void range_end(struct range *r)
{
	free(r->from.bytes);
	free(r->to.bytes);
	free(r->prefix.bytes);
}

static void end_scan(struct carom_scan *scan)
{
	struct carom_reader_stats st;

	carom_scan__stats(scan, &st, sizeof(st));
	stats.lookups += st.lookups;
	stats.hops += st.hops;
	stats.kernel_hops += st.kernel_hops;
	stats.fallbacks += st.fallbacks;
	carom_scan__free(scan);
}

/* Which of the rows is the @n-th. */
static const struct row *want(const struct range *r, size_t n)
{
	return &r->o->row[r->opts.reverse ? r->end - 1 - n : r->first + n];
}

static size_t wanted(const struct range *r)
{
	size_t n = r->end > r->first ? r->end - r->first : 0;

	return r->opts.limit && r->opts.limit < n ? (size_t)r->opts.limit : n;
}

static void show_key(const char *what, const struct range *r, const struct bound *b)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int i;

	for (i = 0; i < b->nr; i++) {
		text_of_column(f, &b->cols[i]);
		fprintf(f, "(%s%s) ", r->o->tree.collation[i], r->o->tree.desc[i] ? " DESC" : "");
	}
	fclose(f);
	print_message("# %s: %.300s\n", what, text);
	free(text);
}

static void show_range(const struct range *r)
{
	show_key("from", r, &r->from);
	show_key("to", r, &r->to);
	show_key("prefix", r, &r->prefix);
	print_message("# index %s, rows %zu to %zu of %zu, limit %llu, reverse %d\n",
		      r->o->tree.index ? r->o->tree.index : "none", r->first,
		      r->end, r->o->nr, (unsigned long long)r->opts.limit, r->opts.reverse);
}

/* A scan from the key on begins with the first entry that has it. */
static void check_key(const struct range *r, const struct carom_value *key, size_t n)
{
	struct carom_column cols[MAX_PARTS];
	int nr = sqlite_key_columns_of(key->data, key->len, cols, MAX_PARTS);
	size_t at = r->opts.reverse ? r->end - 1 - n : r->first + n;

	assert_int_equal(nr, r->o->tree.parts);
	assert_true(oracle_before(r->o, cols, nr) <= at);
}

static void compare_rows(struct range *r)
{
	struct carom_value key = { 0 }, val;
	struct carom_scan *scan;
	struct carom_error err;
	size_t n, nr = wanted(r);
	char *text;
	int ret;

	ret = carom_scan__new(r->ix, &r->opts, &scan, &err);
	if (must_refuse(r)) {
		assert_int_equal(ret, -EINVAL);
		assert_non_null(strstr(err.text, "prefix: "));
		refused++;
		return;
	}
	if (ret)
		fail_msg("carom_scan__new: %s", err.text);
	for (n = 0; n < nr; n++) {
		ret = carom_scan__next(scan, rnd_below(2) ? &key : NULL, &val);
		if (ret) {
			show_range(r);
			fail_msg("row %zu: %d %s", n, ret, carom_scan__error(scan)->text);
		}
		text = text_of_value(r->ix, &val);
		if (strcmp(text, want(r, n)->text)) {
			show_range(r);
			fail_msg("row %zu is %.200s and not %.200s", n, text, want(r, n)->text);
		}
		free(text);
		if (key.data && !rnd_below(40))
			check_key(r, &key, n);
		key.data = NULL;
	}
	ret = carom_scan__next(scan, &key, &val);
	if (ret != CAROM_NOTFOUND) {
		show_range(r);
		fail_msg("after %zu rows: %d", n, ret);
	}
	assert_int_equal(carom_scan__next(scan, &key, &val), CAROM_NOTFOUND);
	compared += n;
	scans++;
	end_scan(scan);
}

/* ---- totals ---- */

struct sum {
	uint64_t values;
	__int128 sum;
	int64_t min;
	int64_t max;
	bool other;	/* there is something else than integers */
};

static void add_up(const struct range *r, int col, struct sum *s)
{
	size_t n;

	for (n = 0; n < wanted(r); n++) {
		const struct row *row = want(r, n);
		int64_t v = row->integer[col];

		if (row->type[col] == SQLITE_NULL)
			continue;
		if (row->type[col] != SQLITE_INTEGER) {
			s->other = true;
			continue;
		}
		s->sum += v;
		s->min = !s->values || v < s->min ? v : s->min;
		s->max = !s->values || v > s->max ? v : s->max;
		s->values++;
	}
}

/* Is the column in the index, or in the row that it is? */
static bool covered(const struct range *r, int col)
{
	const struct tree *t = &r->o->tree;
	int i;

	if (!t->index)
		return true;
	for (i = 0; i < t->parts; i++)
		if (!strcasecmp(t->name[i], r->o->column[col]))
			return true;
	return false;
}

static void check_totals(struct range *r, struct carom_scan *scan, const struct sum *want_sum)
{
	struct carom_totals t;
	int ret = carom_scan__totals(scan, &t);

	if (want_sum->other) {
		assert_int_equal(ret, -EINVAL);
		assert_non_null(strstr(carom_scan__error(scan)->text, "totals are of integers"));
		refused++;
		return;
	}
	if (ret) {
		show_range(r);
		fail_msg("totals: %s", carom_scan__error(scan)->text);
	}
	assert_int_equal(t.count, wanted(r));
	assert_int_equal(t.values, want_sum->values);
	assert_true((uint64_t)want_sum->sum == t.sum_low &&
		    (int64_t)(want_sum->sum >> 64) == t.sum_high);
	assert_int_equal(t.min, want_sum->min);
	assert_int_equal(t.max, want_sum->max);
	sums++;
}

static void compare_totals(struct range *r, int col)
{
	struct sum s = { 0 };
	struct carom_scan *scan;
	struct carom_error err;
	int ret;

	if (must_refuse(r))
		return;
	add_up(r, col, &s);
	r->opts.column = r->o->column[col];
	ret = carom_scan__new(r->ix, &r->opts, &scan, &err);
	r->opts.column = NULL;
	if (r->o->real[col]) {
		assert_int_equal(ret, -EINVAL);
		assert_non_null(strstr(err.text, "is REAL"));
		return;
	}
	/* What an index has beside its own columns is not known here. */
	if (ret == -EINVAL && !covered(r, col)) {
		assert_non_null(strstr(err.text, "is not in index"));
		return;
	}
	if (ret)
		fail_msg("carom_scan__new: %s", err.text);
	check_totals(r, scan, &s);
	end_scan(scan);
}

static void compare_count(struct range *r)
{
	struct carom_scan *scan;
	struct carom_totals t;

	if (must_refuse(r))
		return;
	assert_int_equal(carom_scan__new(r->ix, &r->opts, &scan, NULL), 0);
	assert_int_equal(carom_scan__totals(scan, &t), 0);
	assert_int_equal(t.count, wanted(r));
	assert_int_equal(t.values, 0);
	end_scan(scan);
}

/* ---- databases ---- */

static void compare_index(struct oracle *o, enum carom_backend backend)
{
	const struct carom_index_opts opts = {
		.sz = sizeof(opts), .format = "sqlite", .table = "t", .index = o->tree.index,
		.backend = backend, .max_readers = 2, .max_in_flight = 1,
	};
	struct carom_index *ix;
	struct carom_error err;
	struct range r;
	unsigned int i;

	if (carom_index__open(path, &opts, &ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_index__backend(ix), backend);
	for (i = 0; i < ranges + 2; i++) {
		range_begin(&r, o, ix);
		r.opts.reverse = i & 1;
		if (i >= 2)
			some_range(&r);
		compare_rows(&r);
		compare_count(&r);
		compare_totals(&r, (int)rnd_below((unsigned int)o->cols));
		range_end(&r);
	}
	carom_index__close(ix);
}

static void compare_file(void)
{
	struct tree trees[MAX_TREES];
	struct oracle o = { 0 };
	enum carom_backend b;
	sqlite3 *db;
	int nr, i;

	sql_ok(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
	nr = oracle_trees(db, trees);
	for (i = 0; i < nr; i++) {
		o.db = db;
		o.tree = trees[i];
		oracle_read(&o);
		for (b = CAROM_BACKEND_KERNEL; b <= CAROM_BACKEND_PREAD; b++)
			if (strstr(backends, carom_backend__name(b)))
				compare_index(&o, b);
		oracle_free(&o);
		tree_free(&trees[i]);
	}
	sqlite3_close(db);
}

static void compare_random(const struct layout *l)
{
	/* It could not be sealed while somebody may write to it. */
	sqlite3_close(random_database(path, l));
	compare_file();
}

static void compared_something(void)
{
	print_message("# %lu rows in %lu scans, %lu totals, %lu refused; %llu hops, %llu in the "
		      "kernel, %llu fallbacks\n", compared, scans, sums, refused,
		      (unsigned long long)stats.hops, (unsigned long long)stats.kernel_hops,
		      (unsigned long long)stats.fallbacks);
	assert_true(compared > 300 && scans > 10);
	/* All of it in the kernel, or nothing. */
	if (!strcmp(backends, "kernel"))
		assert_int_equal(stats.hops, stats.kernel_hops);
	assert_true(!strstr(backends, "kernel") || stats.kernel_hops > 100);
	compared = scans = sums = refused = 0;
	memset(&stats, 0, sizeof(stats));
}

static bool left_out(unsigned int size)
{
	const char *sizes = getenv("CAROM_SQLITE_SIZES");
	char text[16];

	snprintf(text, sizeof(text), "%u", size);
	return sizes && !strstr(sizes, text);
}

static void page_size(void **state)
{
	unsigned int size = *(unsigned int *)*state;
	struct layout l = { .page_size = size, .rows = rows,
			    .longest = size < 800 ? 2 * size : 1500 };

	if (left_out(size))
		skip_because("not one of CAROM_SQLITE_SIZES");
	l.rowids = true;
	compare_random(&l);
	l.rowids = false;
	compare_random(&l);
	compared_something();
}

/* Records that go on in overflow pages, and in the largest pages such as are too long to copy. */
static void long_records(void **state)
{
	struct layout l = { .page_size = 1024, .rowids = true, .rows = rows / 5,
			    .longest = 100000 };

	(void)state;
	if (left_out(l.page_size) || left_out(65536))
		skip_because("not one of CAROM_SQLITE_SIZES");
	compare_random(&l);
	l.page_size = 65536;
	compare_random(&l);
	l.rowids = false;
	compare_random(&l);
	compared_something();
}

/* Entries so long that a chain leaves fewer than are looked up at once. */
static void few_entries(void **state)
{
	const unsigned int size = 65536;
	sqlite3 *db;

	(void)state;
	if (left_out(size))
		skip_because("not one of CAROM_SQLITE_SIZES");
	unlink(path);
	sql_ok(NULL, sqlite3_open(path, &db));
	sql(db, "PRAGMA page_size = %u; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
	    "CREATE TABLE t (a TEXT, b INT); CREATE INDEX by_a ON t (a); "
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
	    "INSERT INTO t SELECT printf('%%05d%%.*c', i * 7919 %% 100, 8000, 'x'), i FROM n",
	    size);
	sqlite3_close(db);
	compare_file();
	compared_something();
}

/* Columns of integers: all widths, NULL, far to the right, behind long texts, added later. */
static void integers(void **state)
{
	unsigned int size = *(unsigned int *)*state, i;
	sqlite3 *db;

	if (left_out(size))
		skip_because("not one of CAROM_SQLITE_SIZES");
	unlink(path);
	sql_ok(NULL, sqlite3_open(path, &db));
	sql(db, "PRAGMA page_size = %u; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
	    "BEGIN; CREATE TABLE t (a INT, id INTEGER PRIMARY KEY, b TEXT, c INT); "
	    "CREATE INDEX by_c ON t (c DESC, a)", size);
	for (i = 0; i < rows; i++) {
		int64_t v = (int64_t)rnd() >> rnd_below(64);
		int c = (int)rnd_below(600) - 300;

		if (i == rows / 2)
			sql(db, "ALTER TABLE t ADD COLUMN r INT DEFAULT 77");
		sql(db, "INSERT INTO t (a, b, c) VALUES (%lld, hex(zeroblob(%u)), "
		    "nullif(%d, -300))", (long long)v, rnd_below(30) ? 0 : size,
		    rnd_below(9) ? c : -300);
	}
	for (i = 0; i < 14; i++)
		sql(db, "ALTER TABLE t ADD COLUMN x%u INT", i);
	sql(db, "INSERT INTO t (a, x13) VALUES (%lld, 5), (%lld, 6), (0, -7); COMMIT",
	    (long long)INT64_MAX, (long long)INT64_MIN);
	sqlite3_close(db);
	compare_file();
	assert_true(sums > ranges);
	compared_something();
}

static void settings(void)
{
	const char *dir = getenv("CAROM_SQLITE_DIR");

	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/carom-scans-%d.db", dir ? dir : "/tmp", getpid());
	if (getenv("CAROM_SQLITE_BACKENDS"))
		backends = getenv("CAROM_SQLITE_BACKENDS");
	if (getenv("CAROM_SQLITE_ROWS"))
		rows = (unsigned int)atoi(getenv("CAROM_SQLITE_ROWS"));
	if (getenv("CAROM_SQLITE_RANGES"))
		ranges = (unsigned int)atoi(getenv("CAROM_SQLITE_RANGES"));
}

int main(void)
{
	static unsigned int sizes[] = { 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
	const struct CMUnitTest tests[] = {
		{ "pages of 512 bytes", page_size, NULL, NULL, &sizes[0] },
		{ "pages of 1024 bytes", page_size, NULL, NULL, &sizes[1] },
		{ "pages of 2048 bytes", page_size, NULL, NULL, &sizes[2] },
		{ "pages of 4096 bytes", page_size, NULL, NULL, &sizes[3] },
		{ "pages of 8192 bytes", page_size, NULL, NULL, &sizes[4] },
		{ "pages of 16384 bytes", page_size, NULL, NULL, &sizes[5] },
		{ "pages of 32768 bytes", page_size, NULL, NULL, &sizes[6] },
		{ "pages of 65536 bytes", page_size, NULL, NULL, &sizes[7] },
		{ "integers in 512 bytes", integers, NULL, NULL, &sizes[0] },
		{ "integers in 4096 bytes", integers, NULL, NULL, &sizes[3] },
		{ "integers in 65536 bytes", integers, NULL, NULL, &sizes[7] },
		cmocka_unit_test(long_records),
		cmocka_unit_test(few_entries),
	};
	int ret;

	settings();
	rnd_init();
	ret = cmocka_run_group_tests_name("sqlite_scans", tests, NULL, NULL);
	unlink(path);
	return ret;
}
