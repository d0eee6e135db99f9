// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring and pread, buffered and direct, give the same answers; the reader's
 * and the options' limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../lib/skip.h"
#include "lib.h"
#include "fake_format.h"

/* 0 -> 2 -> 3 (done), 1 -> 0, 4 misses, 5 fails, 6 <-> 7, 8 -> beyond, 9 -> odd */
static const struct fake_node nodes[] = {
	{ 2 * FAKE_NODE, FAKE_MAGIC, 1 },
	{ 0, FAKE_MAGIC, 2 },
	{ 3 * FAKE_NODE, FAKE_MAGIC, 3 },
	{ CAROM_STEP_DONE, FAKE_MAGIC, 4 },
	{ CAROM_STEP_MISS, FAKE_MAGIC, 5 },
	{ CAROM_STEP_FAIL(9), FAKE_MAGIC, 6 },
	{ 7 * FAKE_NODE, FAKE_MAGIC, 7 },
	{ 6 * FAKE_NODE, FAKE_MAGIC, 8 },
	{ 10 * FAKE_NODE, FAKE_MAGIC, 9 },
	{ 100, FAKE_MAGIC, 9 },
};
#define NR_NODES	(sizeof(nodes) / sizeof(nodes[0]))
#define EXTRA		700	/* bytes beyond the last node: no whole node, no whole block */

static char path[256];

static const struct mode {
	enum carom_backend backend;
	bool direct;
} modes[] = {
	{ CAROM_BACKEND_PREAD, false },
	{ CAROM_BACKEND_PREAD, true },
	{ CAROM_BACKEND_IO_URING, false },
	{ CAROM_BACKEND_IO_URING, true },
};
#define NR_MODES	(sizeof(modes) / sizeof(modes[0]))

static struct carom_index *open_index(const struct mode *mode)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = mode->backend, .direct = mode->direct,
		.max_readers = 2, .max_hops = 20,
	};
	struct carom_error err;
	struct carom_index *ix;

	if (carom_index__open(path, &opts, &ix, &err)) {
		print_message("%s%s: %s\n", carom_backend__name(mode->backend),
			      mode->direct ? " direct" : "", err.text);
		return NULL;
	}
	assert_int_equal(carom_index__backend(ix), mode->backend);
	return ix;
}

static void check_answers(struct carom_reader *rd)
{
	struct carom_reader_stats st;
	struct fake_scratch s = { 0 };

	assert_int_equal(fake_lookup(rd, FAKE_NODE, &s), 0);
	assert_int_equal(s.trail, 2134);
	assert_int_equal(s.index, 3);
	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.lookups, 1);
	assert_int_equal(st.hops, 4);
	assert_int_equal(st.last_hops, 4);
	assert_int_equal(st.kernel_hops + st.fallbacks, 0);
	assert_null(st.last_abort);
	assert_int_equal(fake_lookup(rd, 4 * FAKE_NODE, &s), CAROM_NOTFOUND);
	assert_int_equal(fake_lookup(rd, 5 * FAKE_NODE, &s), -EBADMSG);
	assert_string_equal(carom_reader__error(rd)->text, "code 9");
	assert_int_equal(fake_lookup(rd, 6 * FAKE_NODE, &s), -ELOOP);
	assert_int_equal(carom_reader__error(rd)->fault, CAROM_FAULT_FORMAT);
	assert_int_equal(fake_lookup(rd, 8 * FAKE_NODE, &s), -ENODATA);
	assert_non_null(strstr(carom_reader__error(rd)->text, "offset 40960"));
	assert_int_equal(fake_lookup(rd, 9 * FAKE_NODE, &s), -EINVAL);
	/* After errors it still answers. */
	assert_int_equal(fake_lookup(rd, 0, &s), 0);
	assert_int_equal(s.trail, 134);
}

static void test_same_answers(void **state)
{
	struct carom_index *ix;
	struct carom_reader *rd;
	size_t i, ran = 0;

	(void)state;
	for (i = 0; i < NR_MODES; i++) {
		ix = open_index(&modes[i]);
		if (!ix)
			continue;
		assert_int_equal(carom_reader__new(ix, &rd, NULL), 0);
		check_answers(rd);
		carom_reader__free(rd);
		carom_index__close(ix);
		ran++;
	}
	/* Buffered pread works everywhere. */
	assert_true(ran >= 1);
}

/* Any offset, any length, any buffer, also O_DIRECT and up to the last odd byte. */
static void test_pread_anywhere(void **state)
{
	static const struct { __u64 offset; size_t len; } reads[] = {
		{ 0, 1 }, { 1, 4095 }, { 4095, 2 }, { 513, 9000 }, { 0, NR_NODES * FAKE_NODE },
		{ NR_NODES * FAKE_NODE, EXTRA }, { NR_NODES * FAKE_NODE - 3, EXTRA + 3 },
		{ 7, NR_NODES * FAKE_NODE + EXTRA - 7 },
	};
	static __u8 want[NR_NODES * FAKE_NODE + EXTRA], got[sizeof(want) + 1];
	struct carom_reader *rd;
	struct carom_index *ix;
	int fd = open(path, O_RDONLY);
	size_t i, k;

	(void)state;
	assert_int_equal(read(fd, want, sizeof(want)), sizeof(want));
	close(fd);
	for (i = 0; i < 2; i++) {
		ix = open_index(&modes[i]);
		if (!ix)
			continue;
		assert_int_equal(carom_reader__new(ix, &rd, NULL), 0);
		for (k = 0; k < sizeof(reads) / sizeof(reads[0]); k++) {
			memset(got, 0xee, sizeof(got));
			assert_int_equal(carom_reader_pread(rd, got + 1, reads[k].len,
							    reads[k].offset), 0);
			assert_memory_equal(got + 1, want + reads[k].offset, reads[k].len);
		}
		assert_int_equal(carom_reader_pread(rd, got, 2, sizeof(want) - 1), -ENODATA);
		assert_int_equal(carom_reader_pread(rd, got, 1, sizeof(want)), -ENODATA);
		assert_int_equal(carom_reader_pread(rd, got, 1, UINT64_MAX - 4), -ENODATA);
		assert_int_equal(carom_reader_file_size(rd), sizeof(want));
		carom_reader__free(rd);
		carom_index__close(ix);
	}
}

static void *use_reader(void *arg)
{
	struct fake_scratch s = { 0 };

	return fake_lookup(arg, 0, &s) || s.trail != 134 ? arg : NULL;
}

/* A ring belongs to one thread; a reader may be handed on. */
static void test_reader_changes_thread(void **state)
{
	struct carom_index *ix = open_index(&modes[2]);
	struct carom_reader *rd;
	pthread_t thread;
	void *failed;
	int i;

	(void)state;
	if (!ix)
		skip_because("io_uring does not work here");
	assert_int_equal(carom_reader__new(ix, &rd, NULL), 0);
	assert_null(use_reader(rd));
	for (i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, use_reader, rd);
		pthread_join(thread, &failed);
		assert_null(failed);
	}
	assert_null(use_reader(rd));
	carom_reader__free(rd);
	carom_index__close(ix);
}

static void test_too_many_readers(void **state)
{
	struct carom_index *ix = open_index(&modes[0]);
	struct carom_reader *a, *b, *c;
	struct carom_error err;

	(void)state;
	assert_int_equal(carom_reader__new(ix, &a, &err), 0);
	assert_int_equal(carom_reader__new(ix, &b, &err), 0);
	assert_int_equal(carom_reader__new(ix, &c, &err), -EBUSY);
	assert_non_null(strstr(err.text, "all 2 readers"));
	carom_reader__free(a);
	assert_int_equal(carom_reader__new(ix, &a, &err), 0);
	carom_reader__free(a);
	carom_reader__free(b);
	carom_index__close(ix);
}

/* The file grows and shrinks under an index that is not sealed. */
static void test_size_changes(void **state)
{
	const struct fake_node last = { CAROM_STEP_DONE, FAKE_MAGIC, 5 };
	struct carom_index *ix = open_index(&modes[0]);
	struct fake_scratch s = { 0 };
	struct carom_reader *rd;
	int fd;

	(void)state;
	assert_int_equal(carom_reader__new(ix, &rd, NULL), 0);
	assert_int_equal(fake_lookup(rd, 8 * FAKE_NODE, &s), -ENODATA);
	fd = open(path, O_WRONLY);
	assert_int_equal(ftruncate(fd, (NR_NODES + 1) * FAKE_NODE), 0);
	assert_int_equal(pwrite(fd, &last, sizeof(last), NR_NODES * FAKE_NODE), sizeof(last));
	close(fd);
	assert_int_equal(fake_lookup(rd, 8 * FAKE_NODE, &s), 0);
	assert_int_equal(s.trail, 95);
	assert_int_equal(truncate(path, 3 * FAKE_NODE), 0);
	assert_int_equal(fake_lookup(rd, 0, &s), -ENODATA);
	assert_int_equal(truncate(path, NR_NODES * FAKE_NODE), 0);
	/* What was cut off is zeros now: node 3 says "go to 0". */
	assert_int_equal(fake_lookup(rd, 0, &s), -ELOOP);
	carom_reader__free(rd);
	carom_index__close(ix);
}

static int open_with(const struct carom_index_opts *opts)
{
	struct carom_error err;
	struct carom_index *ix;
	int ret = carom_index__open(path, opts, &ix, &err);

	if (!ret)
		carom_index__close(ix);
	else
		assert_int_equal(err.code, ret);
	return ret;
}

static void test_options(void **state)
{
	static const struct carom_index_opts bad[] = {
		{ .sz = sizeof(bad[0]), .backend = 7 },
		{ .sz = sizeof(bad[0]), .format = "gdbm" },
		{ .sz = sizeof(bad[0]), .max_hops = CAROM_MAX_HOPS + 1 },
		{ .sz = sizeof(bad[0]), .max_readers = 5000 },
		{ .sz = sizeof(bad[0]), .max_in_flight = 5000 },
		{ .sz = sizeof(bad[0]), .max_in_flight = 4090 },
		{ .sz = sizeof(bad[0]), .max_readers = 1, .max_in_flight = UINT32_MAX },
		{ .sz = sizeof(bad[0]), .deadline_ms = 10001 },
	};
	struct {
		struct carom_index_opts opts;
		long future;
	} grown = { .opts = { .sz = sizeof(grown), .backend = CAROM_BACKEND_PREAD } };
	struct carom_index_opts opts = { .sz = sizeof(opts) };
	size_t i;

	(void)state;
	assert_int_equal(open_with(NULL), 0);
	assert_int_equal(open_with(&opts), 0);
	assert_int_equal(open_with(&grown.opts), 0);
	grown.future = 1;
	assert_int_equal(open_with(&grown.opts), -EINVAL);
	opts.sz = 0;
	assert_int_equal(open_with(&opts), -EINVAL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (open_with(&bad[i]) != -EINVAL)
			fail_msg("bad[%zu] is not refused", i);
	opts = (struct carom_index_opts){ .sz = sizeof(opts), .db = "x" };
	assert_int_equal(open_with(&opts), -ENOENT);
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s", fake_file(nodes, NR_NODES, EXTRA));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pread_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_changes_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_readers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options, setup, teardown),
	};

	return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
