// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: answers, their order, the descriptor, and damaged files.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "modes.h"

/* --- answers --- */

static void run_many(struct carom_index *ix, const char *db, unsigned int depth,
		     unsigned int hold, unsigned int nr)
{
	struct carom_reader_stats st;
	struct queued k;
	struct oracle o;

	oracle_open(&o, mode_file(), db);
	queued_open(&k, ix, depth, false);
	k.hold = hold;
	queued_run(&k, &o, nr);
	assert_int_equal(k.ended, nr);
	carom_queue__stats(k.q, &st, sizeof(st));
	assert_int_equal(st.lookups, db && !strcmp(db, "empty") ? st.lookups : nr);
	assert_int_equal(st.fallbacks + st.kernel_hops, 0);
	queued_close(&k);
	oracle_close(&o);
}

static void many(const struct mode *mode, struct carom_index *ix)
{
	(void)mode;
	run_many(ix, NULL, 1, 0, 200);
	run_many(ix, NULL, 32, 0, 2000);
	run_many(ix, NULL, 32, 20, 2000);
	run_many(ix, NULL, 512, 100, 5000);
}

static void test_many_in_flight(void **state)
{
	(void)state;
	each_mode(512, many);
}

static void test_named(void **state)
{
	static const char *const names[] = { "named", "empty" };
	struct carom_index *ix;
	size_t i, k;

	(void)state;
	for (i = 0; i < NR_MODES; i++) {
		for (k = 0; k < 2; k++) {
			ix = mode_open(&modes[i], mode_file(), names[k], 64);
			if (!ix)
				continue;
			run_many(ix, names[k], 64, 10, 300);
			carom_index__close(ix);
		}
	}
}

/*
 * Lookups that end at different depths overtake each other: the named database's
 * tree is lower than the main one's, but one queue has one tree. What is done is
 * that lookups are canceled in the middle, which end before those sent earlier.
 */
static void overtake(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	uint64_t order[3];
	struct queued k;
	unsigned int i;

	if (mode->backend != CAROM_BACKEND_IO_URING)
		return;
	queued_open(&k, ix, 3, false);
	for (i = 0; i < 3; i++)
		queued_submit_number(&k, i + 1, i);
	assert_int_equal(carom_queue__cancel(k.q, 2), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(carom_queue__wait(k.q, &c), 0);
		order[i] = c->user_data;
		assert_int_equal(c->ret == -ECANCELED, c->user_data == 2);
		carom_queue__done(k.q, c);
	}
	assert_int_equal(order[0], 2);
	queued_close(&k);
}

static void test_out_of_order(void **state)
{
	(void)state;
	each_mode(3, overtake);
}

/* --- the descriptor --- */

static void event_loop(const struct mode *mode, struct carom_index *ix)
{
	struct oracle o;
	struct queued k;

	(void)mode;
	oracle_open(&o, mode_file(), NULL);
	queued_open(&k, ix, 32, false);
	queued_run_events(&k, &o, 2000);
	queued_close(&k);
	oracle_close(&o);
}

static void test_descriptor(void **state)
{
	(void)state;
	each_mode(32, event_loop);
}

/* --- damage --- */

/* Every page but the metas and the root is overwritten, or the file ends there. */
static void damage(const char *path, bool cut)
{
	static const char junk[DATABASE_PAGE] = "junk";
	int fd = open(path, O_RDWR);
	uint64_t root, page, end;

	assert_true(fd >= 0);
	root = database_root(fd);
	end = (uint64_t)lseek(fd, 0, SEEK_END) / DATABASE_PAGE;
	for (page = 2; !cut && page < end; page++)
		if (page != root)
			assert_int_equal(pwrite(fd, junk, sizeof(junk),
						(off_t)(page * DATABASE_PAGE)), sizeof(junk));
	if (cut)
		assert_int_equal(ftruncate(fd, (off_t)((root + 1) * DATABASE_PAGE)), 0);
	close(fd);
}

/* The reader's words are the queue's. */
static void same_errors(const struct mode *mode, struct carom_index *ix)
{
	const struct carom_completion *c;
	char key[DATABASE_KEY_LEN];
	struct carom_reader *rd;
	struct carom_value val;
	unsigned int i, failed = 0;
	struct queued k;
	int ret;

	(void)mode;
	queued_open(&k, ix, 50, false);
	assert_int_equal(carom_reader__new(ix, &rd, NULL), 0);
	for (i = 0; i < 50; i++)
		queued_submit_number(&k, i, i);
	for (i = 0; i < 50; i++) {
		assert_int_equal(carom_queue__wait(k.q, &c), 0);
		ret = carom_reader__get(rd, key, database_key((unsigned int)c->user_data, key),
					&val);
		assert_int_equal(c->ret, ret);
		assert_string_equal(c->err->text, carom_reader__error(rd)->text);
		failed += ret == -EBADMSG;
		carom_queue__done(k.q, c);
	}
	assert_true(failed > 40);
	carom_reader__free(rd);
	queued_close(&k);
}

static void test_damaged(void **state)
{
	int cut;

	(void)state;
	for (cut = 0; cut < 2; cut++) {
		database_build(mode_file());
		damage(mode_file(), cut);
		each_mode(50, same_errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_in_flight),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("queue: answers", tests, mode_setup, mode_teardown);
}
