// SPDX-License-Identifier: GPL-2.0
/* Of LMDB files, whose values lie in pages side by side. */
#include <lmdb.h>
#include "values.h"

#define PAGE		4096
#define HDR		16
/* What a slot has besides its room for values. */
#define SCRATCH		1024

static const size_t lengths[] = {
	1, 2000, 3000, PAGE - HDR - 1, PAGE - HDR, PAGE - HDR + 1, 2 * PAGE - HDR - 1,
	2 * PAGE - HDR, 2 * PAGE - HDR + 1, 3 * PAGE - 1024, 3 * PAGE - 1023, 3 * PAGE - HDR,
	4 * PAGE - SCRATCH, 4 * PAGE - SCRATCH + 1, 5 * PAGE, 40000, MOST - SCRATCH - 1,
	MOST - SCRATCH, MOST - SCRATCH + 1, MOST, MOST + 1, 200000, 1 << 20,
};

static void mdb_ok(int ret)
{
	if (ret)
		fail_msg("liblmdb: %s", mdb_strerror(ret));
}

static size_t key_of(size_t i, char *key, size_t size)
{
	return (size_t)snprintf(key, size, "value %zu", i);
}

/* Returns the tree's depth. */
static unsigned int build(void)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_stat st;
	char key[64];
	size_t i;

	values_remove();
	mdb_ok(mdb_env_create(&env));
	mdb_ok(mdb_env_set_mapsize(env, 64UL << 20));
	mdb_ok(mdb_env_open(env, values_path, MDB_NOSUBDIR | MDB_NOLOCK, 0600));
	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_dbi_open(txn, NULL, 0, &dbi));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		MDB_val k = { .mv_data = key, .mv_size = key_of(i, key, sizeof(key)) };
		MDB_val v = { .mv_data = (void *)(values_bytes + i), .mv_size = lengths[i] };

		mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	}
	/* The tree is not just its root. */
	for (i = 0; i < 500; i++) {
		MDB_val k = { .mv_data = key, .mv_size = (size_t)snprintf(key, 64, "%zu", i) };

		mdb_ok(mdb_put(txn, dbi, &k, &k, 0));
	}
	mdb_ok(mdb_stat(txn, dbi, &st));
	mdb_ok(mdb_txn_commit(txn));
	mdb_ok(mdb_env_sync(env, 1));
	mdb_env_close(env);
	return st.ms_depth;
}

/* Bytes that a chain has room for. */
static size_t room_of(const struct setting *s)
{
	/* By default, of two pages. */
	size_t room = s->room ? s->room : 2 * PAGE - HDR;

	room = (room + SCRATCH + PAGE - 1) / PAGE * PAGE;
	return (room < MOST ? room : MOST) - SCRATCH;
}

/* Nodes of a lookup: all pages of what there is room for, and of the others the first. */
static unsigned int nodes(const struct setting *s, unsigned int depth, size_t len)
{
	if (len < 2000)
		return depth;
	if (len <= room_of(s))
		return depth + (unsigned int)((len + HDR + PAGE - 1) / PAGE);
	return depth + 1;
}

static void get_all(const struct setting *s, void *ctx)
{
	const unsigned int *depth = ctx;
	struct opened o;
	char key[64];
	size_t i;

	values_open(&o, s, NULL);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_int_equal(values_get(&o, key, key_of(i, key, sizeof(key))), 0);
		assert_int_equal(o.val.len, lengths[i]);
		assert_memory_equal(o.val.data, values_bytes + i, lengths[i]);
		if (lengths[i] != 2000 && o.hops != nodes(s, *depth, lengths[i]))
			fail_msg("%s, room %zu: %zu bytes in %llu nodes, not %u",
				 carom_backend__name(s->backend), s->room, lengths[i],
				 (unsigned long long)o.hops, nodes(s, *depth, lengths[i]));
	}
	values_close(&o);
}

static void lmdb_lengths(void **state)
{
	unsigned int depth = build();

	(void)state;
	each_setting(get_all, &depth);
}

/* There are hops for the tree and a page, and not for all pages that there is room for. */
static void get_with_few_hops(const struct setting *s, void *ctx)
{
	const unsigned int *depth = ctx;
	struct setting few = *s;
	struct opened o;
	char key[64];
	size_t i;

	for (few.max_hops = *depth + 1; few.max_hops < *depth + 4; few.max_hops++) {
		values_open(&o, &few, NULL);
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			assert_int_equal(values_get(&o, key, key_of(i, key, sizeof(key))), 0);
			assert_int_equal(o.val.len, lengths[i]);
			assert_memory_equal(o.val.data, values_bytes + i, lengths[i]);
			assert_in_range(o.hops, *depth, few.max_hops);
		}
		values_close(&o);
	}
}

static void lmdb_few_hops(void **state)
{
	unsigned int depth = build();

	(void)state;
	each_setting(get_with_few_hops, &depth);
}

/* File offset of the first page of value @i. */
static uint64_t page_of(size_t i)
{
	unsigned char want[32], page[PAGE];
	FILE *f = fopen(values_path, "re");
	uint64_t at = 0, found = 0;

	assert_non_null(f);
	memcpy(want, values_bytes + i, sizeof(want));
	for (; fread(page, 1, PAGE, f) == PAGE; at += PAGE)
		if (!memcmp(page + HDR, want, sizeof(want)))
			found = at;
	fclose(f);
	assert_true(found);
	return found;
}

static void lmdb_damage(void **state)
{
	/* Six, and so for any room but 65536 too long. */
	const size_t i = 14;
	const unsigned char no_flags[2] = { 0 }, leaf[2] = { 2 }, few[4] = { 5 };
	const unsigned char other[8] = { 3 }, many[4] = { 0, 0, 0, 1 };
	char key[64];
	uint64_t at;
	size_t len;

	(void)state;
	len = key_of(i, key, sizeof(key));
	build();
	at = page_of(i);
	values_poke(at + 10, no_flags, 2);
	values_refused(NULL, key, len, "needs an overflow page");
	build();
	values_poke(at + 10, leaf, 2);
	values_refused(NULL, key, len, "needs an overflow page");
	build();
	values_poke(at, other, 8);
	values_refused(NULL, key, len, "claims to be page 3");
	build();
	values_poke(at + 12, few, 4);
	values_refused(NULL, key, len, "5 overflow pages");
	build();
	values_poke(at + 12, many, 4);
	values_refused(NULL, key, len, "past the last page");
}

const struct CMUnitTest values_lmdb[] = {
	cmocka_unit_test(lmdb_lengths),
	cmocka_unit_test(lmdb_few_hops),
	cmocka_unit_test(lmdb_damage),
};
const size_t values_lmdb_nr = ARRAY_SIZE(values_lmdb);
