// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel backend against a carom.ko that is played: what it makes of refusals,
 * and how it carries on what the kernel aborts.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "fake_module.h"

static int open_index(enum carom_backend backend, struct carom_index **ix,
		      struct carom_error *err)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = backend, .max_readers = 3, .max_in_flight = 5,
		.max_hops = 9, .deadline_ms = 77,
	};

	return carom_index__open(mod_path, &opts, ix, err);
}

static struct carom_index *open_kernel(struct carom_reader **rd)
{
	struct carom_error err;
	struct carom_index *ix;

	if (open_index(CAROM_BACKEND_KERNEL, &ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_reader__new(ix, rd, &err), 0);
	return ix;
}

static void test_auto_takes_the_kernel(void **state)
{
	struct carom_error err;
	struct carom_index *ix;

	(void)state;
	assert_int_equal(open_index(CAROM_BACKEND_AUTO, &ix, &err), 0);
	assert_int_equal(carom_index__backend(ix), CAROM_BACKEND_KERNEL);
	assert_string_equal(carom_index__why(ix), "kernel: file sealed, walker fake");
	assert_string_equal(mod.opened.walker, "fake");
	assert_int_equal(mod.opened.flags, 0);
	assert_int_equal(mod.opened.node_size, FAKE_NODE);
	assert_int_equal(mod.opened.scratch_size, sizeof(struct fake_scratch));
	assert_int_equal(mod.opened.nr_slots, 3 + 5);
	assert_int_equal(mod.opened.max_hops, 9);
	assert_int_equal(mod.opened.deadline_ms, 77);
	carom_index__close(ix);
}

static void test_answer_from_the_kernel(void **state)
{
	struct carom_reader_stats st;
	struct fake_scratch s = { 0 };
	struct carom_reader *rd;
	struct carom_index *ix = open_kernel(&rd);

	(void)state;
	assert_true(carom_reader_sealed(rd));
	assert_int_equal(fake_lookup(rd, 0, &s), 0);
	assert_int_equal(s.trail, 12345);
	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.hops, 5);
	assert_int_equal(st.kernel_hops, 5);
	assert_int_equal(st.fallbacks, 0);
	assert_null(st.last_abort);
	carom_reader__free(rd);
	carom_index__close(ix);
}

static void test_readers_have_their_own_slots(void **state)
{
	struct carom_reader *a, *b;
	struct carom_index *ix = open_kernel(&a);
	struct fake_scratch s = { 0 };
	__u32 slot;

	(void)state;
	assert_int_equal(carom_reader__new(ix, &b, NULL), 0);
	assert_int_equal(fake_lookup(a, 0, &s), 0);
	slot = mod.last_slot;
	assert_int_equal(fake_lookup(b, FAKE_NODE, &s), 0);
	assert_int_equal(s.trail, 2345);
	assert_int_not_equal(mod.last_slot, slot);
	assert_ptr_not_equal(a->mem.scratch, b->mem.scratch);
	assert_ptr_not_equal(a->mem.node, b->mem.node);
	carom_reader__free(a);
	carom_reader__free(b);
	carom_index__close(ix);
}

/* Whatever the reason and however far it came: the same answer, and counted. */
static void test_ways_to_wait(void **state)
{
	struct carom_index_opts opts = { .sz = sizeof(opts), .backend = CAROM_BACKEND_KERNEL };
	static const __u32 flags[] = {
		[CAROM_WAIT_SLEEP] = 0,
		[CAROM_WAIT_POLL] = CAROM_LOOKUP_POLL,
		[CAROM_WAIT_HYBRID] = CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID,
	};
	struct fake_scratch s = { 0 };
	struct carom_reader *rd;
	struct carom_error err;
	struct carom_index *ix;

	(void)state;
	for (opts.wait = CAROM_WAIT_SLEEP; opts.wait <= CAROM_WAIT_HYBRID; opts.wait++) {
		assert_int_equal(carom_index__open(mod_path, &opts, &ix, &err), 0);
		assert_int_equal(carom_reader__new(ix, &rd, &err), 0);
		assert_int_equal(fake_lookup(rd, 0, &s), 0);
		assert_int_equal(mod.last_flags, flags[opts.wait]);
		carom_reader__free(rd);
		carom_index__close(ix);
	}
	assert_int_equal(carom_index__open(mod_path, &opts, &ix, &err), -EINVAL);
	assert_string_equal(err.text, "options: no way to wait 3");
}

static void test_carries_on(void **state)
{
	static const struct { __u32 end; const char *name; } ends[] = {
		{ CAROM_END_DEADLINE, "deadline" }, { CAROM_END_UNALIGNED, "unaligned" },
		{ CAROM_END_RANGE, "range" }, { CAROM_END_HOLE, "hole" },
		{ CAROM_END_SPLIT, "split" }, { CAROM_END_IO, "io" },
		{ CAROM_END_STOPPED, "stopped" }, { CAROM_END_UNLOADED, "unloaded" },
		{ CAROM_END_STALE, "stale" },
	};
	struct carom_reader_stats st;
	struct fake_scratch s;
	struct carom_reader *rd;
	struct carom_index *ix;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		ix = open_kernel(&rd);
		mod.abort_end = ends[i].end;
		mod.abort_after = (__u32)i % 5;
		s = (struct fake_scratch){ 0 };
		assert_int_equal(fake_lookup(rd, 0, &s), 0);
		assert_int_equal(s.trail, 12345);
		assert_int_equal(s.count, 5);
		assert_int_equal(s.index, 4);
		carom_reader__stats(rd, &st, sizeof(st));
		assert_int_equal(st.hops, 5);
		assert_int_equal(st.kernel_hops, i % 5);
		assert_int_equal(st.fallbacks, 1);
		assert_string_equal(st.last_abort, ends[i].name);
		/* The next one may go through in the kernel again. */
		mod.abort_after = 100;
		assert_int_equal(fake_lookup(rd, 0, &s), 0);
		assert_int_equal(s.trail, 12345);
		carom_reader__stats(rd, &st, sizeof(st));
		assert_int_equal(st.kernel_hops, i % 5 + 5);
		assert_int_equal(st.fallbacks, 1);
		carom_reader__free(rd);
		carom_index__close(ix);
		close(mod.index_fd);
	}
	mod.index_fd = -1;
}

static void test_hop_budget_is_one(void **state)
{
	struct carom_reader_stats st;
	struct fake_scratch s;
	struct carom_reader *rd;
	struct carom_index *ix = open_kernel(&rd);

	(void)state;
	mod.abort_end = CAROM_END_STOPPED;
	mod.abort_after = 6;
	assert_int_equal(fake_lookup(rd, 5 * FAKE_NODE, &s), -ELOOP);
	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.hops, 9);
	assert_int_equal(st.kernel_hops, 6);
	carom_reader__free(rd);
	carom_index__close(ix);
}

static void test_does_not_carry_on(void **state)
{
	static const struct { __u32 end; int code; enum carom_fault fault; } ends[] = {
		{ CAROM_END_HOPS, -ELOOP, CAROM_FAULT_FORMAT },
		{ CAROM_END_CANCELED, -EINTR, CAROM_FAULT_IO },
		{ CAROM_END_BAD_RETURN, -EPROTO, CAROM_FAULT_BACKEND },
		{ CAROM_END_NONE, -EIO, CAROM_FAULT_IO },
		{ CAROM_END_NR + 3, -EIO, CAROM_FAULT_IO },
	};
	struct carom_reader_stats st;
	struct fake_scratch s;
	struct carom_reader *rd;
	struct carom_index *ix = open_kernel(&rd);
	size_t i;

	(void)state;
	mod.abort_after = 2;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		mod.abort_end = ends[i].end;
		assert_int_equal(fake_lookup(rd, 0, &s), ends[i].code);
		assert_int_equal(carom_reader__error(rd)->fault, ends[i].fault);
		assert_int_equal(carom_reader__error(rd)->code, ends[i].code);
	}
	carom_reader__stats(rd, &st, sizeof(st));
	assert_int_equal(st.fallbacks, 0);
	mod.lookup_errno = EBUSY;
	assert_int_equal(fake_lookup(rd, 0, &s), -EBUSY);
	assert_int_equal(carom_reader__error(rd)->fault, CAROM_FAULT_IO);
	carom_reader__free(rd);
	carom_index__close(ix);
}

static void expect_reason(const char *reason)
{
	struct carom_error err;
	struct carom_index *ix;

	assert_int_equal(open_index(CAROM_BACKEND_KERNEL, &ix, &err), -EOPNOTSUPP);
	assert_null(ix);
	assert_int_equal(err.fault, CAROM_FAULT_BACKEND);
	assert_int_equal(err.code, -EOPNOTSUPP);
	if (!strstr(err.text, reason))
		fail_msg("'%s' not in '%s'", reason, err.text);
	assert_null(strchr(err.text, '\n'));
	/* auto goes on with another one, and says the same. */
	assert_int_equal(open_index(CAROM_BACKEND_AUTO, &ix, &err), 0);
	assert_int_not_equal(carom_index__backend(ix), CAROM_BACKEND_KERNEL);
	if (!strstr(carom_index__why(ix), reason))
		fail_msg("'%s' not in '%s'", reason, carom_index__why(ix));
	carom_index__close(ix);
}

static void test_every_refusal_has_its_text(void **state)
{
	char seen[CAROM_REFUSED_NR][CAROM_REASON_LEN] = { "" };
	struct carom_open open = { .detail = "thing" };
	__u32 i, k;

	(void)state;
	for (i = CAROM_REFUSED_ARGUMENT; i < CAROM_REFUSED_NR; i++) {
		open.refusal = i;
		carom_refusal_text(seen[i], &open, -EINVAL);
		assert_true(strlen(seen[i]) > 10);
		assert_null(strstr(seen[i], "(refusal"));
		for (k = CAROM_REFUSED_ARGUMENT; k < i; k++)
			assert_string_not_equal(seen[i], seen[k]);
	}
	open.refusal = CAROM_REFUSED_NR + 1;
	carom_refusal_text(seen[0], &open, -EINVAL);
	assert_non_null(strstr(seen[0], "thing"));
}

static void test_refusals(void **state)
{
	(void)state;
	mod.refuse_errno = EOPNOTSUPP;
	mod.refusal = CAROM_REFUSED_DEVICE;
	mod.detail = "dm-3";
	expect_reason("file is on dm-3, not directly on a PCI NVMe namespace");
	mod.refusal = CAROM_REFUSED_FILESYSTEM;
	mod.detail = "btrfs";
	expect_reason("file is on btrfs, which cannot be sealed");
	mod.refusal = CAROM_REFUSED_NO_WALKER;
	mod.detail = "";
	mod.refuse_errno = ENOENT;
	expect_reason("walker fake is not loaded; load it as root with carom walker load fake");
	mod.refusal = CAROM_REFUSED_WRITER;
	mod.refuse_errno = ETXTBSY;
	expect_reason("open for writing");
	mod.refusal = CAROM_REFUSED_NOT;
	mod.refuse_errno = E2BIG;
	expect_reason("Argument list too long");
}

static void test_no_device(void **state)
{
	(void)state;
	mod.open_errno = ENOENT;
	expect_reason("/dev/carom does not exist (carom.ko is not loaded)");
	mod.open_errno = EACCES;
	expect_reason("no permission to open /dev/carom");
	mod.open_errno = ENXIO;
	expect_reason("left over");
	mod.open_errno = 0;
	mod.abi = CAROM_ABI_VERSION + 1;
	expect_reason("ABI 2");
}

static void test_sealed_map(void **state)
{
	const struct carom_map_extent *ext;
	struct carom_map *map;
	size_t count;

	(void)state;
	assert_int_equal(carom_map__open(mod_path, &map, NULL), 0);
	assert_int_equal(mod.opened.flags, CAROM_OPEN_MAP_ONLY);
	assert_null(carom_map__refusal(map));
	assert_int_equal(carom_map__lba_bytes(map), 512);
	ext = carom_map__extents(map, &count);
	assert_int_equal(count, MOD_EXTENTS);
	assert_int_equal(ext[999].offset_bytes, 999 * 4096);
	assert_int_equal(ext[999].lba, 999 * 80 + 7);
	carom_map__close(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_auto_takes_the_kernel, mod_setup,
						mod_teardown),
		cmocka_unit_test_setup_teardown(test_answer_from_the_kernel, mod_setup,
						mod_teardown),
		cmocka_unit_test_setup_teardown(test_readers_have_their_own_slots, mod_setup,
						mod_teardown),
		cmocka_unit_test_setup_teardown(test_ways_to_wait, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_carries_on, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_hop_budget_is_one, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_does_not_carry_on, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_every_refusal_has_its_text, mod_setup,
						mod_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_no_device, mod_setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_sealed_map, mod_setup, mod_teardown),
	};

	return cmocka_run_group_tests_name("kernel backend", tests, NULL, NULL);
}
