// SPDX-License-Identifier: GPL-2.0
/*
 * Which LMDB files are read at all: meta pages in either order, torn or damaged
 * ones, and what is refused with a reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_image.h"

static __u64 txnid_of(unsigned int page)
{
	return get(at(page, CAROM_LMDB_MT_TXNID), 8);
}

/* A field of main database's record, in both meta pages. */
static void set_main(unsigned int field, size_t len, __u64 v)
{
	set(at(0, CAROM_LMDB_MT_MAIN + field), len, v);
	set(at(1, CAROM_LMDB_MT_MAIN + field), len, v);
}

static void load_image(void)
{
	free(f.image);
	f.image = slurp(tmp_file(), &f.size);
}

/* A file in which the older meta page says key = "old", the newer key = "new". */
static void make_two(int commits_before)
{
	MDB_env *env = env_create(tmp_file(), 0);
	MDB_dbi dbi = db_open(env, NULL, 0);

	while (commits_before--)
		put_one(env, dbi, "x", 1, "y", 1);
	put_one(env, dbi, "key", 3, "old", 3);
	put_one(env, dbi, "key", 3, "new", 3);
	mdb_env_close(env);
	load_image();
}

static void expect_answer(const char *want)
{
	struct carom_value val;
	struct carom_reader rd;

	fake_init(&rd, "file", f.image, f.size);
	if (fake_open(&rd, NULL) || fake_get(&rd, "key", 3, &val))
		fail_msg("%s", rd.err.text);
	assert_int_equal(val.len, 3);
	assert_memory_equal(val.data, want, 3);
	fake_exit(&rd);
}

static void expect_refused(const char *db, int code, const char *what)
{
	struct carom_reader rd;
	int ret;

	fake_init(&rd, "the-file", f.image, f.size);
	ret = fake_open(&rd, db);
	if (ret != code || !strstr(rd.err.text, what) || !strstr(rd.err.text, "the-file: "))
		fail_msg("wanted %d %s; got %d %s", code, what, ret, rd.err.text);
	fake_exit(&rd);
}

static void test_meta_order(void **state)
{
	int commits;

	(void)state;
	for (commits = 0; commits < 4; commits++) {
		make_two(commits);
		/* Every commit goes to the other page. */
		assert_int_equal(txnid_of(0) > txnid_of(1), !(commits & 1));
		expect_answer("new");
	}
}

/* What a torn write or a bad sector can leave of a meta page. */
static void spoil(unsigned int page, int how)
{
	__u8 *m = f.image + page * PAGE;

	switch (how) {
	case 0:
		memset(m, 0, PAGE);
		break;
	case 1:
		memset(m, 0xff, PAGE);
		break;
	case 2:
		rnd_fill(m, PAGE);
		break;
	case 3:
		set(at(page, CAROM_LMDB_PG_PGNO), 8, 7);
		break;
	case 4:
		set(at(page, CAROM_LMDB_PG_FLAGS), 2, CAROM_LMDB_P_LEAF);
		break;
	case 5:
		set(at(page, CAROM_LMDB_MT_MAGIC), 4, 0xBEEFC0DF);
		break;
	case 6:
		set(at(page, CAROM_LMDB_MT_PSIZE), 4, 4097);
		break;
	case 7:
		set(at(page, CAROM_LMDB_MT_LAST_PG), 8, 1ULL << 48);
		break;
	case 8:
		set(at(page, CAROM_LMDB_MT_MAIN + 40), 8, 1);
		break;
	case 9:
		set(at(page, CAROM_LMDB_MT_MAIN + 40), 8, ~0ULL);
		break;
	case 10:
		set(at(page, CAROM_LMDB_MT_MAIN + 6), 2, 0);
		break;
	case 11:
		set(at(page, CAROM_LMDB_MT_MAIN + 6), 2, 33);
		break;
	default:
		/* An empty tree in a file without pages. */
		set(at(page, CAROM_LMDB_MT_MAIN + 6), 2, 0);
		set(at(page, CAROM_LMDB_MT_MAIN + 40), 8, ~0ULL);
		set(at(page, CAROM_LMDB_MT_LAST_PG), 8, 0);
	}
}

#define WAYS	13

static void test_torn_meta(void **state)
{
	unsigned int newer;
	int how, commits;

	(void)state;
	for (commits = 0; commits < 2; commits++)
		for (how = 0; how < WAYS; how++) {
			make_two(commits);
			newer = txnid_of(1) > txnid_of(0);
			spoil(newer, how);
			expect_answer("old");
			make_two(commits);
			spoil(!newer, how);
			expect_answer("new");
			spoil(newer, how);
			expect_refused(NULL, -EBADMSG, "neither meta page is valid: page 0: ");
		}
}

static int tear_hops;
static __u8 untorn[PAGE];

/*
 * What a reader can see of a meta page while it is written: the new transaction
 * with the old tree. On page 1, the first time that a chain reads it.
 */
static void tear(struct carom_reader *rd)
{
	(void)rd;
	if (++tear_hops != 2)
		return;
	memcpy(untorn, f.image + PAGE, PAGE);
	memcpy(f.image + PAGE + CAROM_LMDB_MT_MAIN, f.image + CAROM_LMDB_MT_MAIN,
	       CAROM_LMDB_MT_TXNID - CAROM_LMDB_MT_MAIN);
}

static void mend(struct carom_reader *rd)
{
	(void)rd;
	if (tear_hops == 2)
		memcpy(f.image + PAGE, untorn, PAGE);
}

static void test_meta_torn_by_reading(void **state)
{
	struct carom_value val;
	struct carom_reader rd;

	(void)state;
	make_two(1);
	assert_true(txnid_of(1) > txnid_of(0));
	fake_init(&rd, "file", f.image, f.size);
	tear_hops = 0;
	rd.before_hop = tear;
	rd.after_hop = mend;
	assert_int_equal(fake_open(&rd, NULL), 0);
	assert_int_equal(fake_get(&rd, "key", 3, &val), 0);
	assert_true(tear_hops > 3);
	assert_memory_equal(val.data, "new", 3);
	fake_exit(&rd);
}

/* Both equally new: liblmdb takes page 0. */
static void test_meta_tie(void **state)
{
	(void)state;
	make_two(1);
	assert_true(txnid_of(1) > txnid_of(0));
	set(at(1, CAROM_LMDB_MT_TXNID), 8, txnid_of(0));
	expect_answer("old");
}

static void test_flags(void **state)
{
	static const struct {
		unsigned int flags;
		const char *what;
	} refused[] = {
		{ MDB_DUPSORT, "MDB_DUPSORT" },
		{ MDB_DUPSORT | MDB_DUPFIXED, "MDB_DUPFIXED" },
		{ MDB_DUPSORT | MDB_REVERSEDUP, "MDB_DUPSORT" },
		{ MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP, "MDB_DUPFIXED" },
		{ MDB_INTEGERKEY, "MDB_INTEGERKEY" },
		{ MDB_REVERSEKEY, "MDB_REVERSEKEY" },
	};
	char want[64];
	MDB_env *env;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		env = env_create(tmp_file(), 0);
		db_open(env, NULL, refused[i].flags);
		mdb_env_close(env);
		load_image();
		expect_refused(NULL, -EOPNOTSUPP, refused[i].what);
		expect_refused(NULL, -EOPNOTSUPP, "the main database has");
		expect_refused("any", -EOPNOTSUPP, "the main database has");

		env = env_create(tmp_file(), 0);
		db_open(env, "one of them", refused[i].flags);
		mdb_env_close(env);
		load_image();
		expect_refused("one of them", -EOPNOTSUPP, refused[i].what);
		snprintf(want, sizeof(want), "database one of them has");
		expect_refused("one of them", -EOPNOTSUPP, want);
	}
	make_two(0);
	set_main(4, 2, 0x80);
	expect_refused(NULL, -EOPNOTSUPP, "unknown flags");
}

static void test_page_size(void **state)
{
	static const unsigned int sizes[] = { 512, 2048, 8192, 65536 };
	char want[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_two(0);
		set(at(0, CAROM_LMDB_MT_PSIZE), 4, sizes[i]);
		/* What such a file has at 4096 is no meta page, or the other says it too. */
		if (sizes[i] < PAGE)
			memset(f.image + PAGE, 0, PAGE);
		else
			set(at(1, CAROM_LMDB_MT_PSIZE), 4, sizes[i]);
		snprintf(want, sizeof(want), "pages of %u bytes", sizes[i]);
		expect_refused(NULL, -EOPNOTSUPP, want);
	}
}

/* Files of other versions and machines have their magic number elsewhere. */
static void test_other_layouts(void **state)
{
	(void)state;
	make_two(0);
	set(at(0, CAROM_LMDB_MT_VERSION), 4, 999);
	set(at(1, CAROM_LMDB_MT_VERSION), 4, 999);
	expect_refused(NULL, -EOPNOTSUPP, "data version 999");

	make_two(0);
	memset(f.image, 0, 2 * PAGE);
	set(at(0, 24), 4, CAROM_LMDB_MAGIC);
	set(at(0, 28), 4, 2);
	assert_true(carom_format_lmdb.probe(f.image, 2 * PAGE));
	expect_refused(NULL, -EOPNOTSUPP, "data version 2");

	memset(f.image, 0, 2 * PAGE);
	set(at(0, 12), 4, CAROM_LMDB_MAGIC);
	assert_true(carom_format_lmdb.probe(f.image, 2 * PAGE));
	expect_refused(NULL, -EOPNOTSUPP, "32-bit");

	memset(f.image, 0, 2 * PAGE);
	set(at(0, 16), 4, __builtin_bswap32(CAROM_LMDB_MAGIC));
	assert_true(carom_format_lmdb.probe(f.image, 2 * PAGE));
	expect_refused(NULL, -EOPNOTSUPP, "big-endian");

	memset(f.image, 0, 2 * PAGE);
	expect_refused(NULL, -EBADMSG, "neither meta page is valid");
}

static void test_probe(void **state)
{
	__u8 *head;
	size_t len;

	(void)state;
	make_two(0);
	assert_true(carom_format_lmdb.probe(f.image, 2 * PAGE));
	/* Exactly as many bytes as it was told, for ASan. */
	for (len = 0; len < 40; len++) {
		head = malloc(len ? len : 1);
		assert_non_null(head);
		memcpy(head, f.image, len);
		assert_int_equal(carom_format_lmdb.probe(head, len), len >= 20);
		free(head);
	}
	memset(f.image, 0, PAGE);
	assert_true(carom_format_lmdb.probe(f.image, 2 * PAGE));
	assert_false(carom_format_lmdb.probe(f.image, PAGE));
	memset(f.image, 0, 2 * PAGE);
	assert_false(carom_format_lmdb.probe(f.image, 2 * PAGE));
}

static void test_short_files(void **state)
{
	static const __u64 sizes[] = { 1, 100, 4095, 4096, 5000, 8191 };
	__u8 *cut;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_two(0);
		cut = malloc(sizes[i]);
		assert_non_null(cut);
		memcpy(cut, f.image, sizes[i]);
		free(f.image);
		f.image = cut;
		f.size = sizes[i];
		expect_refused(NULL, -EBADMSG, "truncated: page ");
	}
}

static void test_names(void **state)
{
	char name[600];

	(void)state;
	make_two(0);
	expect_refused("nobody", -ENOENT, "no database nobody");
	expect_refused("key", -ENOENT, "it is a plain key");
	expect_refused("", -EINVAL, "database name of 0 bytes");
	memset(name, 'n', sizeof(name));
	name[511] = 0;
	expect_refused(name, -ENOENT, "no database n");
	memset(name, 'n', sizeof(name));
	name[512] = 0;
	expect_refused(name, -EINVAL, "database name of 512 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta_order),
		cmocka_unit_test(test_torn_meta),
		cmocka_unit_test(test_meta_torn_by_reading),
		cmocka_unit_test(test_meta_tie),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_page_size),
		cmocka_unit_test(test_other_layouts),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_short_files),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("lmdb: metas and refusals", tests, lmdb_setup,
					   image_teardown);
}
