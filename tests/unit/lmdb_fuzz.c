// SPDX-License-Identifier: GPL-2.0
/*
 * LMDB files damaged at random, and a scratch that changes under the walker:
 * nothing may crash, loop or read outside a page.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_image.h"

#define LOOKUPS		200000

enum { DAMAGED, FOUND, OTHER, NR_OUTCOMES };
static unsigned long outcome[NR_OUTCOMES];

/* Look a key up and touch all of the answer. */
static void fuzz_lookup(struct carom_reader *rd, const char *db, const char *key)
{
	struct carom_value val = { 0 };
	volatile __u8 sum = 0;
	int ret = fake_open(rd, db);
	size_t i;

	if (!ret)
		ret = fake_get(rd, key, strlen(key), &val);
	assert_true(rd->hops <= CAROM_LMDB_MAX_DEPTH + 1);
	for (i = 0; i < val.len; i++)
		sum += ((const __u8 *)val.data)[i];
	outcome[ret == -EBADMSG ? DAMAGED : ret ? OTHER : FOUND]++;
	switch (ret) {
	case -EBADMSG:
		assert_non_null(strstr(rd->err.text, "page "));
		break;
	case 0:
	case CAROM_NOTFOUND:
	case -EOPNOTSUPP:
	case -ENOENT:		/* the named database */
		break;
	default:
		fail_msg("%d %s", ret, rd->err.text);
	}
	fake_close(rd);
}

/* An offset that matters: mostly on the way, and mostly in headers. */
static __u64 fuzz_offset(void)
{
	__u64 page;

	switch (rnd_below(8)) {
	case 0:
		page = rnd_below(2);
		return at(page, rnd_below(CAROM_LMDB_MT_END));
	case 1:
		return rnd_below(f.size);
	case 2:
		return at(f.overflow, rnd_below(20));
	default:
		page = f.path[rnd_below(f.depth)];
	}
	switch (rnd_below(4)) {
	case 0:
		return at(page, rnd_below(CAROM_LMDB_PG_HDR));
	case 1:
		return pointer_of(page, rnd_below(150));
	case 2:
		return at(page, rnd_below(PAGE));
	default:
		return at(page, get(at(page, CAROM_LMDB_PG_UPPER), 2) % 4000 + rnd_below(64));
	}
}

static void test_fuzz(void **state)
{
	static const char *const others[] = { "big", "medium", "sub", "k", "zzz" };
	struct carom_reader rd;
	__u64 offs[8] = { 0 };
	__u8 old[8] = { 0 };
	char key[16];
	int i, n, j;

	(void)state;
	fake_init(&rd, "file", f.image, f.size);
	for (i = 0; i < LOOKUPS; i++) {
		n = 1 + rnd_below(8);
		for (j = 0; j < n; j++) {
			offs[j] = fuzz_offset();
			old[j] = f.image[offs[j]];
			f.image[offs[j]] = rnd_below(3) ? (__u8)rnd() :
							  old[j] ^ (1 << rnd_below(8));
		}
		snprintf(key, sizeof(key), "key%08u", (unsigned int)rnd_below(KEYS));
		rd.sealed = rnd_below(2);
		fuzz_lookup(&rd, i % 5 ? NULL : "sub",
			    i % 2 ? f.key : i % 3 ? key : others[rnd_below(5)]);
		/* Backwards: an offset may have been hit twice. */
		while (j--)
			f.image[offs[j]] = old[j];
	}
	fake_exit(&rd);
	print_message("# damaged %lu, found %lu, other %lu\n", outcome[DAMAGED], outcome[FOUND],
		      outcome[OTHER]);
	/* It must have hit what matters, and not only that. */
	assert_true(outcome[DAMAGED] > LOOKUPS / 4);
	assert_true(outcome[FOUND] > LOOKUPS / 10);
}

static void expect_query_refused(__u32 op, __u32 key_len, __u32 level, __u64 page)
{
	struct carom_lookup res;
	struct carom_reader rd;
	struct carom_error err;

	fake_init(&rd, "file", f.image, f.size);
	memset(lmdb_scratch(&rd), 0, sizeof(struct carom_lmdb_scratch));
	lmdb_scratch(&rd)->query.op = op;
	lmdb_scratch(&rd)->query.key_len = key_len;
	lmdb_scratch(&rd)->query.last_pg = f.last_pg;
	lmdb_scratch(&rd)->walk.level = level;
	assert_int_equal(carom_reader_run(&rd, page * PAGE, &res, &err), 0);
	assert_int_equal(res.end, CAROM_END_WALKER);
	assert_int_equal(res.code, CAROM_LMDB_E_QUERY);
	assert_int_equal(rd.hops, 1);
	fake_exit(&rd);
}

static void test_bad_queries(void **state)
{
	__u64 root = f.path[0];

	(void)state;
	expect_query_refused(0, 1, f.depth, root);
	expect_query_refused(CAROM_LMDB_GET + 1, 1, f.depth, root);
	expect_query_refused(CAROM_LMDB_GET, 0, f.depth, root);
	expect_query_refused(CAROM_LMDB_GET, CAROM_LMDB_MAX_KEY + 1, f.depth, root);
	expect_query_refused(CAROM_LMDB_GET, ~0U, f.depth, root);
	expect_query_refused(CAROM_LMDB_GET, 1, CAROM_LMDB_MAX_DEPTH + 1, root);
	expect_query_refused(CAROM_LMDB_GET, 1, ~0U, root);
	expect_query_refused(CAROM_LMDB_META, 1, 1, root);
}

/* Whoever holds the session writes into the scratch while the chain runs. */
static void scribble(struct carom_reader *rd)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);

	switch (rnd_below(5)) {
	case 0:
		s->walk.level = (__u32)rnd() & (rnd_below(2) ? 7 : ~0U);
		break;
	case 1:
		s->query.last_pg = rnd();
		break;
	case 2:
		s->query.key_len = (__u32)rnd() & (rnd_below(2) ? 1023 : ~0U);
		break;
	case 3:
		s->query.op = (__u32)rnd_below(4);
		break;
	default:
		rnd_fill((__u8 *)s + rnd_below(sizeof(*s)), 1);
	}
}

static void test_scribbled_scratch(void **state)
{
	struct carom_lookup res;
	struct carom_reader rd;
	struct carom_error err;
	int i;

	(void)state;
	fake_init(&rd, "file", f.image, f.size);
	rd.sealed = true;
	rd.before_hop = scribble;
	for (i = 0; i < 50000; i++) {
		struct carom_lmdb_scratch *s = lmdb_scratch(&rd);

		memset(s, 0, sizeof(*s));
		s->query.op = CAROM_LMDB_GET;
		s->query.key_len = (__u32)strlen(f.key);
		s->query.last_pg = f.last_pg;
		memcpy(s->query.key, f.key, strlen(f.key));
		s->walk.level = f.depth;
		carom_reader_run(&rd, f.path[0] * PAGE, &res, &err);
	}
	fake_exit(&rd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fuzz),
		cmocka_unit_test(test_bad_queries),
		cmocka_unit_test(test_scribbled_scratch),
	};

	return cmocka_run_group_tests_name("lmdb: damage at random", tests, image_setup,
					   image_teardown);
}
