// SPDX-License-Identifier: GPL-2.0
/* Of SQLite files, where each overflow page of a row names the next one. */
#include <sqlite3.h>
#include <unistd.h>
#include "values.h"

#define KEY_SIZE	16
#define CHAIN_MAX	600

static void sql(sqlite3 *db, const char *text)
{
	char *err = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &err))
		fail_msg("%s: %s", text, err ? err : sqlite3_errmsg(db));
}

static sqlite3 *create(unsigned int page_size)
{
	sqlite3 *db;
	char text[64];

	values_remove();
	assert_int_equal(sqlite3_open(values_path, &db), SQLITE_OK);
	snprintf(text, sizeof(text), "PRAGMA page_size = %u", page_size);
	sql(db, text);
	sql(db, "PRAGMA journal_mode = OFF; BEGIN; CREATE TABLE t (id INTEGER PRIMARY KEY, b)");
	return db;
}

static void done(sqlite3 *db)
{
	sql(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	sync();
}

static void insert(sqlite3 *db, int64_t id, size_t len)
{
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?1, ?2)", -1, &st, NULL),
			 SQLITE_OK);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_blob(st, 2, values_bytes + id, (int)len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
}

/* ---- lengths ---- */

/**
 * struct rows - what a table has
 * @len: bytes of the blob of row @i + 1
 * @pages: overflow pages that SQLite says the row has
 */
struct rows {
	unsigned int page_size;
	unsigned int nr;
	size_t len[64];
	unsigned int pages[64];
};

/* Around where a row leaves its page, where another page begins, where room ends. */
static void choose_lengths(struct rows *r)
{
	static const unsigned int kinds[] = { 1, 2, 3, 5, 8 };
	unsigned int p = r->page_size, i;
	int d;

	r->nr = 0;
	r->len[r->nr++] = 1;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (d = -45; d <= 0; d += 9)
			r->len[r->nr++] = (size_t)((int)(kinds[i] * p) + d);
	for (d = -3000; d <= 1000; d += 1000)
		r->len[r->nr++] = (size_t)(MOST + d);
	r->len[r->nr++] = 3 * MOST;
	/* Pages of 512 bytes come to more than a chain's 256 nodes. */
	r->len[r->nr++] = p < 4096 ? 300 * p : 1 << 20;
}

/* As dbstat counts them: all of the file's less those before this row. */
static unsigned int overflow_pages(sqlite3 *db)
{
	sqlite3_stmt *st;
	unsigned int n;

	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM dbstat WHERE name = 't' AND "
					    "pagetype = 'overflow'", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = (unsigned int)sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void build_rows(struct rows *r)
{
	sqlite3 *db = create(r->page_size);
	unsigned int i, before = 0, now;

	choose_lengths(r);
	for (i = 0; i < r->nr; i++) {
		insert(db, (int64_t)i + 1, r->len[i]);
		now = overflow_pages(db);
		r->pages[i] = now - before;
		before = now;
	}
	done(db);
}

static void check_row(const struct opened *o, int64_t id, size_t len)
{
	struct carom_column cols[2];
	struct carom_error err;

	if (carom_index__row(o->ix, &o->val, cols, 2, &err))
		fail_msg("%s", err.text);
	assert_int_equal(cols[0].integer, id);
	assert_int_equal(cols[1].len, len);
	assert_memory_equal(cols[1].data, values_bytes + id, len);
}

static void get_rows(const struct setting *s, void *ctx)
{
	const struct rows *r = ctx;
	uint64_t tree = 0;
	char key[KEY_SIZE];
	struct opened o;
	unsigned int i;
	size_t n;

	values_open(&o, s, "t");
	for (i = 0; i < r->nr; i++) {
		n = values_rowid(&o, i + 1, key, sizeof(key));
		if (values_get(&o, key, n))
			fail_msg("%s", o.error->text);
		check_row(&o, i + 1, r->len[i]);
		if (!i)
			tree = o.hops;
		/* Room for all of it: each page once. */
		if (s->room == MOST && r->len[i] < MOST - 5000 && r->page_size < MOST)
			assert_in_range(o.hops - r->pages[i], 1, tree + 1);
		else
			assert_in_range(o.hops, r->pages[i], 100000);
	}
	values_close(&o);
}

static void sqlite_lengths(void **state)
{
	static const unsigned int sizes[] = { 512, 1024, 4096, 65536 };
	struct rows r = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		r.page_size = sizes[i];
		build_rows(&r);
		each_setting(get_rows, &r);
	}
}

static void get_with_few_hops(const struct setting *s, void *ctx)
{
	struct rows *r = ctx;
	struct setting few = *s;

	for (few.max_hops = 4; few.max_hops < 7; few.max_hops++)
		get_rows(&few, r);
}

/* A chain has as many as the tree needs, and some. */
static void sqlite_few_hops(void **state)
{
	struct rows r = { .page_size = 1024 };

	(void)state;
	build_rows(&r);
	each_setting(get_with_few_hops, &r);
}

#define IN_FLIGHT	32

/* Rows that take several chains each, all at once, and all of them looked at in the end. */
static void get_at_once(const struct setting *s, void *ctx)
{
	const struct carom_completion *c[IN_FLIGHT];
	const struct rows *r = ctx;
	char key[KEY_SIZE];
	struct opened o;
	unsigned int i;
	size_t n;

	if (!s->queue)
		return;
	assert_true(r->nr >= IN_FLIGHT);
	values_open(&o, s, "t");
	for (i = r->nr - IN_FLIGHT; i < r->nr; i++) {
		n = values_rowid(&o, i + 1, key, sizeof(key));
		assert_int_equal(carom_queue__submit(o.q, key, n, i), 0);
	}
	for (i = 0; i < IN_FLIGHT; i++) {
		assert_int_equal(carom_queue__wait(o.q, &c[i]), 0);
		assert_int_equal(c[i]->ret, 0);
	}
	for (i = 0; i < IN_FLIGHT; i++) {
		o.val = c[i]->val;
		check_row(&o, (int64_t)c[i]->user_data + 1, r->len[c[i]->user_data]);
		carom_queue__done(o.q, c[i]);
	}
	values_close(&o);
}

static void sqlite_in_flight(void **state)
{
	struct rows r = { .page_size = 1024 };

	(void)state;
	build_rows(&r);
	each_setting(get_at_once, &r);
}

/* ---- damage ---- */

#define PAGE		1024
#define BIG		(20 * PAGE)

/**
 * struct chain - overflow pages of row 2, which is the only one that has any
 */
struct chain {
	unsigned int page[CHAIN_MAX];
	unsigned int nr;
	unsigned int pages;
};

static void build_chain(struct chain *c)
{
	sqlite3 *db = create(PAGE);
	sqlite3_stmt *st;

	insert(db, 1, 1);
	insert(db, 2, BIG);
	insert(db, 3, 1);
	sql(db, "COMMIT; BEGIN");
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT pageno, (SELECT page_count FROM "
					    "pragma_page_count) FROM dbstat WHERE name = 't' AND "
					    "pagetype = 'overflow' ORDER BY path", -1, &st, NULL),
			 SQLITE_OK);
	for (c->nr = 0; sqlite3_step(st) == SQLITE_ROW; c->nr++) {
		assert_true(c->nr < CHAIN_MAX);
		c->page[c->nr] = (unsigned int)sqlite3_column_int(st, 0);
		c->pages = (unsigned int)sqlite3_column_int(st, 1);
	}
	sqlite3_finalize(st);
	assert_true(c->nr >= 18);
	done(db);
}

static void refused(const char *what)
{
	/* A record of one column, an integer of one byte. */
	static const unsigned char two[] = { 2, 1, 2 };

	values_refused("t", two, sizeof(two), what);
}

/* Let page @i of the chain lead to @next: that shows at page @at of it. */
static void lead(const struct chain *c, unsigned int i, unsigned int next, unsigned int at,
		 const char *what)
{
	const unsigned char be[4] = { (unsigned char)(next >> 24), (unsigned char)(next >> 16),
				      (unsigned char)(next >> 8), (unsigned char)next };
	char text[200];

	values_poke((uint64_t)(c->page[i] - 1) * PAGE, be, 4);
	snprintf(text, sizeof(text), "damaged: page %u: its overflow chain %s", c->page[at], what);
	refused(text);
}

static void sqlite_damage(void **state)
{
	struct chain c;

	(void)state;
	build_chain(&c);
	lead(&c, 0, 0, 0, "ends before the record (next page: 0)");
	build_chain(&c);
	lead(&c, 11, 0, 11, "ends before the record");
	build_chain(&c);
	lead(&c, 11, 1, 11, "leads to a page that is none of the file (next page: 1)");
	build_chain(&c);
	lead(&c, 11, c.pages + 1, 11, "leads to a page that is none of the file");
	build_chain(&c);
	lead(&c, 11, 0xffffffff, 11,
	     "leads to a page that is none of the file (next page: 4294967295)");
	/* Back to itself, back to the second, and a short cut. */
	build_chain(&c);
	lead(&c, 0, c.page[0], 0, "goes on behind the record, or in a circle");
	build_chain(&c);
	lead(&c, 15, c.page[1], c.nr - 16, "goes on behind the record, or in a circle");
	build_chain(&c);
	lead(&c, 3, c.page[9], c.nr - 1, "ends before the record");
	build_chain(&c);
	lead(&c, c.nr - 1, c.page[0], c.nr - 1, "goes on behind the record");
}

/* A page of the chain is one of a tree now, as if it had been freed and taken again. */
static void sqlite_page_of_tree(void **state)
{
	const unsigned char leaf[8] = { 13, 0, 0, 0, 1, 3, 0xe0, 0 };
	struct chain c;

	(void)state;
	build_chain(&c);
	values_poke((uint64_t)(c.page[7] - 1) * PAGE, leaf, sizeof(leaf));
	refused("its overflow chain leads to a page that is none of the file");
}

const struct CMUnitTest values_sqlite[] = {
	cmocka_unit_test(sqlite_lengths),
	cmocka_unit_test(sqlite_few_hops),
	cmocka_unit_test(sqlite_in_flight),
	cmocka_unit_test(sqlite_damage),
	cmocka_unit_test(sqlite_page_of_tree),
};
const size_t values_sqlite_nr = ARRAY_SIZE(values_sqlite);
