// SPDX-License-Identifier: GPL-2.0
/*
 * Damaged LMDB files: each field of each kind of page made wrong by itself, with
 * the error that must name the page.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_image.h"

/* Open and look up; hops must stay within those of an intact file. */
static int lookup(struct carom_reader *rd, const char *db, const char *key)
{
	struct carom_value val;
	int ret = fake_open(rd, db);

	if (!ret)
		ret = fake_get(rd, key, strlen(key), &val);
	assert_true(rd->hops <= f.depth + 3 + (rd->mem.scratch_size > 1024 ? BIG_LEN / PAGE : 0));
	return ret;
}

/* The file as it is now: @key must fail, naming @page and saying @what. */
static void expect_once(const char *db, const char *key, __u64 page, const char *what)
{
	struct carom_reader rd;
	char name[32];
	int ret;

	fake_init(&rd, "file", f.image, f.size);
	ret = lookup(&rd, db, key);
	snprintf(name, sizeof(name), "page %llu: ", (unsigned long long)page);
	if (ret != -EBADMSG || !strstr(rd.err.text, name) || !strstr(rd.err.text, what))
		fail_msg("wanted %s%s; got %d %s", name, what, ret, rd.err.text);
	assert_int_equal(rd.err.fault, CAROM_FAULT_FORMAT);
	fake_exit(&rd);
}

/* By a reader with room for values and by one without, of which there is every other one. */
static void expect_damage(const char *db, const char *key, __u64 page, const char *what)
{
	expect_once(db, key, page, what);
	expect_once(db, key, page, what);
}

static void expect_truncated(const char *key, const char *what)
{
	struct carom_reader rd;
	int ret;

	fake_init(&rd, "file", f.image, f.size);
	ret = lookup(&rd, NULL, key);
	if (ret != -EBADMSG || !strstr(rd.err.text, what) || !strstr(rd.err.text, "truncated"))
		fail_msg("wanted %s; got %d %s", what, ret, rd.err.text);
	fake_exit(&rd);
}

/* Change one field, expect the error, put the field back. */
static void damage(const char *key, __u64 off, size_t len, __u64 v, __u64 page,
		   const char *what)
{
	__u64 old = get(off, len);

	assert_true(old != v);
	set(off, len, v);
	expect_damage(NULL, key, page, what);
	set(off, len, old);
}

static void expect_intact(void)
{
	struct carom_reader rd;

	fake_init(&rd, "file", f.image, f.size);
	assert_int_equal(lookup(&rd, NULL, f.key), 0);
	assert_int_equal(lookup(&rd, NULL, "big"), 0);
	assert_int_equal(lookup(&rd, NULL, "medium"), 0);
	assert_int_equal(lookup(&rd, "sub", "k"), 0);
	fake_exit(&rd);
}

static void test_page_headers(void **state)
{
	unsigned int level;

	(void)state;
	for (level = 0; level < f.depth; level++) {
		__u64 p = f.path[level], flags = at(p, CAROM_LMDB_PG_FLAGS);
		__u64 lower = at(p, CAROM_LMDB_PG_LOWER), upper = at(p, CAROM_LMDB_PG_UPPER);
		const char *want = level + 1 < f.depth ? "needs a branch page" :
							 "needs a leaf page";
		__u64 other = level + 1 < f.depth ? 2 : 1;

		damage(f.key, at(p, 0), 8, p + 1, p, "claims to be page");
		damage(f.key, at(p, 0), 8, p | 1ULL << 40, p, "claims to be page");
		damage(f.key, flags, 2, 0, p, want);
		damage(f.key, flags, 2, other, p, want);
		damage(f.key, flags, 2, 3, p, want);
		damage(f.key, flags, 2, 0x22, p, want);
		damage(f.key, flags, 2, CAROM_LMDB_P_OVERFLOW, p, want);
		damage(f.key, lower, 2, 14, p, "free space");
		damage(f.key, lower, 2, get(lower, 2) + 1, p, "free space");
		damage(f.key, lower, 2, get(upper, 2) + 2, p, "free space");
		damage(f.key, lower, 2, 0xffff, p, "free space");
		damage(f.key, upper, 2, 4098, p, "free space");
		damage(f.key, upper, 2, get(upper, 2) + 1, p, "free space");
		damage(f.key, lower, 2, 16, p, "0 keys");
		if (level + 1 < f.depth)
			damage(f.key, lower, 2, 18, p, "1 keys");
		/* No room for entries. */
		damage(f.key, upper, 2, PAGE, p, "keys, which no such page");
	}
	expect_intact();
}

static void test_pointers(void **state)
{
	unsigned int level;

	(void)state;
	for (level = 0; level < f.depth; level++) {
		__u64 p = f.path[level], ptr = pointer_of(p, f.entry[level]);

		damage(f.key, ptr, 2, 0, p, "outside");
		damage(f.key, ptr, 2, get(at(p, CAROM_LMDB_PG_UPPER), 2) - 2, p, "outside");
		damage(f.key, ptr, 2, get(ptr, 2) + 1, p, "outside");
		damage(f.key, ptr, 2, 4090, p, "outside");
		damage(f.key, ptr, 2, 0xfffe, p, "outside");
	}
	for (level = 0; level < f.depth; level++) {
		__u64 p = f.path[level], e = entry_of(p, f.entry[level]);

		damage(f.key, e + CAROM_LMDB_ND_KSIZE, 2, 0, p, "key of 0 bytes");
		damage(f.key, e + CAROM_LMDB_ND_KSIZE, 2, 4089, p, "key of 4089 bytes");
		damage(f.key, e + CAROM_LMDB_ND_KSIZE, 2, 0xffff, p, "key of 65535 bytes");
	}
	expect_intact();
}

static void test_children(void **state)
{
	unsigned int level;

	(void)state;
	for (level = 0; level + 1 < f.depth; level++) {
		__u64 p = f.path[level], e = entry_of(p, f.entry[level]);

		damage(f.key, e, 6, 0, p, "leads to page 0,");
		damage(f.key, e, 6, 1, p, "leads to page 1,");
		damage(f.key, e, 6, f.last_pg + 1, p, "none of the file");
		damage(f.key, e, 6, (1ULL << 48) - 1, p, "none of the file");
	}
	/* Cycles: the level runs out in a branch page. */
	damage(f.key, entry_of(f.path[f.depth - 2], f.entry[f.depth - 2]), 6,
	       f.path[f.depth - 2], f.path[f.depth - 2], "needs a leaf page");
	damage(f.key, entry_of(f.path[f.depth - 2], f.entry[f.depth - 2]), 6, f.path[0],
	       f.path[0], "needs a leaf page");
	/* A shortcut: a leaf too early. */
	damage(f.key, entry_of(f.path[0], f.entry[0]), 6, f.path[f.depth - 1],
	       f.path[f.depth - 1], "needs a branch page");
	damage(f.key, entry_of(f.path[f.depth - 2], f.entry[f.depth - 2]), 6, f.overflow,
	       f.overflow, "needs a leaf page");
	expect_intact();
}

static void test_values(void **state)
{
	__u64 p = f.path[f.depth - 1], e = entry_of(p, f.entry[f.depth - 1]);
	__u64 room = PAGE - (e % PAGE + CAROM_LMDB_ND_HDR + strlen(f.key)), old = get(e, 4);
	struct carom_reader rd;

	(void)state;
	/* Up to the last byte of the page, and not one more. */
	set(e, 4, room);
	fake_init(&rd, "file", f.image, f.size);
	assert_int_equal(lookup(&rd, NULL, f.key), 0);
	fake_exit(&rd);
	set(e, 4, old);
	damage(f.key, e, 4, room + 1, p, "that leave the page");
	damage(f.key, e, 4, PAGE, p, "data of 4096 bytes");
	damage(f.key, e, 4, 0xffffffff, p, "data of 4294967295 bytes");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, CAROM_LMDB_F_DUPDATA, p, "several values");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, 6, p, "several values");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, 8, p, "has flags 0x8");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, 3, p, "has flags 0x3");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, 0x8000, p, "has flags 0x8000");
	damage(f.key, e + CAROM_LMDB_ND_FLAGS, 2, CAROM_LMDB_F_SUBDATA, p, "database record");
	expect_intact();
}

static void test_overflow(void **state)
{
	__u64 o = f.overflow, pages = at(o, CAROM_LMDB_PG_PAGES), p, e, ref;
	__u64 need = (CAROM_LMDB_PG_HDR + BIG_LEN + PAGE - 1) / PAGE;

	(void)state;
	find_path("big");
	p = f.path[f.depth - 1];
	e = entry_of(p, f.entry[f.depth - 1]);
	ref = e + CAROM_LMDB_ND_HDR + 3;
	damage("big", ref, 8, 0, p, "value on page 0");
	damage("big", ref, 8, 1, p, "value on page 1");
	damage("big", ref, 8, f.last_pg + 1, p, "none of the file");
	damage("big", ref, 8, ~0ULL, p, "none of the file");
	damage("big", ref, 8, f.path[0], f.path[0], "needs an overflow page");
	damage("big", ref, 8, o + 1, o + 1, "claims to be page");
	damage("big", at(o, 0), 8, o + 1, o, "claims to be page");
	damage("big", at(o, CAROM_LMDB_PG_FLAGS), 2, CAROM_LMDB_P_LEAF, o, "overflow page");
	damage("big", at(o, CAROM_LMDB_PG_FLAGS), 2, 0, o, "overflow page");
	damage("big", pages, 4, 0, o, "0 overflow pages");
	damage("big", pages, 4, need - 1, o, "too few");
	damage("big", pages, 4, f.last_pg - o + 2, o, "past the last page");
	damage("big", pages, 4, 0xffffffff, o, "past the last page");
	damage("big", e, 4, need * PAGE - CAROM_LMDB_PG_HDR + 1, o, "too few");
	damage("big", e, 4, 0xffffffff, o, "too few");
	pick_key();
	expect_intact();
}

/* The number of the overflow page must itself lie within the page. */
static void test_overflow_number(void **state)
{
	__u64 p, e, end;
	__u8 whole[PAGE];

	(void)state;
	find_path("big");
	p = f.path[f.depth - 1];
	e = entry_of(p, f.entry[f.depth - 1]);
	memcpy(whole, f.image + at(p, 0), PAGE);
	/* The page's only entry, one byte of its data past the end. */
	end = PAGE - (CAROM_LMDB_ND_HDR + 3 + 7);
	memmove(f.image + at(p, end), f.image + e, PAGE - end);
	set(pointer_of(p, 0), 2, end);
	set(at(p, CAROM_LMDB_PG_LOWER), 2, CAROM_LMDB_PG_HDR + 2);
	expect_damage(NULL, "big", p, "data of 8 bytes that leave");
	memcpy(f.image + at(p, 0), whole, PAGE);
	pick_key();
	expect_intact();
}

/* A length that the pages seem to cover, but the file does not: no memory for that. */
static void test_huge_value(void **state)
{
	__u64 o = f.overflow, pages = 1U << 20, last = o + pages - 1, leaf;
	char what[64];

	(void)state;
	find_path("big");
	leaf = f.path[f.depth - 1];
	set(at(0, CAROM_LMDB_MT_LAST_PG), 8, last);
	set(at(1, CAROM_LMDB_MT_LAST_PG), 8, last);
	set(at(o, CAROM_LMDB_PG_PAGES), 4, pages);
	set(entry_of(leaf, f.entry[f.depth - 1]), 4, pages * PAGE - CAROM_LMDB_PG_HDR);
	snprintf(what, sizeof(what), "page %llu lies beyond", (unsigned long long)last);
	expect_truncated("big", what);
	free(f.image);
	make_file();
	expect_intact();
}

static void test_named_db(void **state)
{
	__u64 p, record;

	(void)state;
	find_path("sub");
	p = f.path[f.depth - 1];
	record = entry_of(p, f.entry[f.depth - 1]) + CAROM_LMDB_ND_HDR + 3;
	set(record + 40, 8, f.last_pg + 1);
	expect_damage("sub", "k", p, "database sub has root page");
	set(record + 40, 8, 1);
	expect_damage("sub", "k", p, "database sub has root page 1");
	set(record + 40, 8, ~0ULL);
	expect_damage("sub", "k", p, "database sub has root page");
	set(record + 40, 8, f.path[0]);
	set(record + 6, 2, 33);
	expect_damage("sub", "k", p, "at depth 33");
	set(record + 6, 2, 0);
	expect_damage("sub", "k", p, "at depth 0");
	/* Some page that is no page of that level. */
	set(record + 6, 2, 1);
	expect_damage("sub", "k", f.path[0], "needs a leaf page");
	free(f.image);
	make_file();
	expect_intact();
}

/* The file ends before a page that is needed. */
static void test_truncated(void **state)
{
	struct carom_reader rd;
	struct carom_value val;
	__u64 end;
	int ret;

	(void)state;
	for (end = 1; end < f.size; end += end < 3 * PAGE ? PAGE / 2 : 7 * PAGE) {
		__u8 *cut = malloc(end);

		assert_non_null(cut);
		memcpy(cut, f.image, end);
		fake_init(&rd, "file", cut, end);
		ret = fake_open(&rd, NULL);
		if (!ret)
			ret = fake_get(&rd, "big", 3, &val);
		if (ret == -EBADMSG)
			assert_non_null(strstr(rd.err.text, "truncated: page "));
		else
			assert_int_equal(ret, 0);
		if (!ret)
			assert_true(end >= (f.overflow + 1) * PAGE + BIG_LEN - PAGE);
		fake_exit(&rd);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_headers),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_number),
		cmocka_unit_test(test_huge_value),
		cmocka_unit_test(test_named_db),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests_name("lmdb: damage", tests, image_setup,
					   image_teardown);
}
