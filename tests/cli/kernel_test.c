// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel backend against a carom.ko that is played here (open, ioctl and mmap
 * are wrapped): what it makes of refusals, and how it carries on what the kernel
 * aborts.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib.h"
#include "fake_format.h"

/* 0 -> 1 -> 2 -> 3 -> done; 5 <-> 6 */
static const struct fake_node nodes[] = {
	{ 1 * FAKE_NODE, FAKE_MAGIC, 1 },
	{ 2 * FAKE_NODE, FAKE_MAGIC, 2 },
	{ 3 * FAKE_NODE, FAKE_MAGIC, 3 },
	{ 4 * FAKE_NODE, FAKE_MAGIC, 4 },
	{ CAROM_STEP_DONE, FAKE_MAGIC, 5 },
	{ 6 * FAKE_NODE, FAKE_MAGIC, 6 },
	{ 5 * FAKE_NODE, FAKE_MAGIC, 7 },
};
#define NR_NODES	(sizeof(nodes) / sizeof(nodes[0]))
#define NODE_STRIDE	8192
#define SCRATCH_STRIDE	4096
#define NR_EXTENTS	1000

static char path[256];

/*
 * The module. It runs @abort_after hops of a chain and then ends it as
 * @abort_end, unless the walker ended it before.
 */
static struct {
	int open_errno;
	__u32 abi;
	int refuse_errno;
	__u32 refusal;
	const char *detail;
	int lookup_errno;
	__u32 abort_end;
	__u32 abort_after;
	__u32 file_size;
	struct carom_open opened;
	int index_fd;
	int session_fd;
	__u8 *nodes;
	__u8 *scratch;
	struct carom_result *results;
	unsigned int lookups;
	__u32 last_slot;
} mod;

int __real_open(const char *name, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_open(const char *name, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);

int __wrap_open(const char *name, int flags, ...)
{
	if (strcmp(name, "/dev/carom"))
		return __real_open(name, flags);
	if (mod.open_errno) {
		errno = mod.open_errno;
		return -1;
	}
	return __real_open("/dev/null", flags);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	__u8 *mem;

	if (fd < 0 || fd != mod.session_fd)
		return __real_mmap(addr, len, prot, flags, fd, offset);
	assert_true(flags & MAP_SHARED);
	mem = __real_mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (offset == 0) {
		assert_int_equal(prot, PROT_READ);
		assert_int_equal(len, (size_t)NODE_STRIDE * mod.opened.nr_slots);
		mod.nodes = mem;
	} else if ((__u64)offset == CAROM_MMAP_RESULTS) {
		assert_int_equal(prot, PROT_READ);
		assert_int_equal(len, sizeof(struct carom_result) * mod.opened.nr_slots);
		mod.results = (struct carom_result *)mem;
	} else {
		assert_true((__u64)offset == CAROM_MMAP_SCRATCH);
		assert_int_equal(len, (size_t)SCRATCH_STRIDE * mod.opened.nr_slots);
		mod.scratch = mem;
	}
	return mem;
}

static int mod_info(struct carom_info *info)
{
	assert_int_equal(info->size, sizeof(*info));
	info->abi = mod.abi;
	return 0;
}

static int mod_open(struct carom_open *open)
{
	assert_int_equal(open->size, sizeof(*open));
	if (mod.refuse_errno) {
		open->refusal = mod.refusal;
		snprintf(open->detail, sizeof(open->detail), "%s", mod.detail);
		errno = mod.refuse_errno;
		return -1;
	}
	open->lba_shift = 9;
	open->file_size = mod.file_size;
	open->node_stride = NODE_STRIDE;
	open->scratch_stride = SCRATCH_STRIDE;
	mod.opened = *open;
	mod.index_fd = dup(open->fd);
	mod.session_fd = __real_open("/dev/null", O_RDWR);
	return mod.session_fd;
}

static int mod_extents(struct carom_extents *req)
{
	struct carom_extent *ext = (struct carom_extent *)(uintptr_t)req->extents;
	__u32 room = req->count;

	for (req->count = 0; req->count < room && req->first + req->count < NR_EXTENTS;
	     req->count++) {
		ext[req->count].offset = (req->first + req->count) * 4096;
		ext[req->count].length = 4096;
		ext[req->count].lba = (req->first + req->count) * 80 + 7;
	}
	return 0;
}

static int mod_lookup(struct carom_lookup *res)
{
	const struct carom_native_walker *walker = carom_format_lmdb.walker;
	struct carom_hop hop = { .node_size = FAKE_NODE, .scratch_size = walker->scratch_size };
	__u64 at = res->offset;
	__s64 ret;

	mod.lookups++;
	mod.last_slot = res->slot;
	assert_true(res->slot < mod.opened.nr_slots);
	if (mod.lookup_errno) {
		errno = mod.lookup_errno;
		return -1;
	}
	hop.node = mod.nodes + res->slot * NODE_STRIDE;
	hop.scratch = mod.scratch + res->slot * SCRATCH_STRIDE;
	for (res->hops = 0;; at = (__u64)ret) {
		res->at = at;
		if (res->hops == mod.abort_after) {
			res->end = mod.abort_end;
			return 0;
		}
		assert_int_equal(pread(mod.index_fd, (void *)hop.node, FAKE_NODE, (off_t)at),
				 FAKE_NODE);
		hop.index = res->hops++;
		ret = walker->step(&hop);
		if (ret == CAROM_STEP_DONE) {
			res->end = CAROM_END_DONE;
			return 0;
		}
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	switch (request) {
	case CAROM_IOC_INFO:
		return mod_info(arg);
	case CAROM_IOC_OPEN:
		return mod_open(arg);
	case CAROM_IOC_LOOKUP:
		assert_int_equal(fd, mod.session_fd);
		return mod_lookup(arg);
	case CAROM_IOC_EXTENTS:
		assert_int_equal(fd, mod.session_fd);
		return mod_extents(arg);
	default:
		return __real_ioctl(fd, request, arg);
	}
}

static int open_index(enum carom_backend backend, struct carom_index **ix,
		      struct carom_error *err)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = backend, .max_readers = 3, .max_in_flight = 5,
		.max_hops = 9, .deadline_ms = 77,
	};

	return carom_index__open(path, &opts, ix, err);
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
	assert_int_equal(carom_map__open(path, &map, NULL), 0);
	assert_int_equal(mod.opened.flags, CAROM_OPEN_MAP_ONLY);
	assert_null(carom_map__refusal(map));
	assert_int_equal(carom_map__lba_bytes(map), 512);
	ext = carom_map__extents(map, &count);
	assert_int_equal(count, NR_EXTENTS);
	assert_int_equal(ext[999].offset_bytes, 999 * 4096);
	assert_int_equal(ext[999].lba, 999 * 80 + 7);
	carom_map__close(map);
}

static int setup(void **state)
{
	(void)state;
	memset(&mod, 0, sizeof(mod));
	mod.abi = CAROM_ABI_VERSION;
	mod.abort_after = 100;
	mod.detail = "";
	mod.file_size = NR_NODES * FAKE_NODE;
	mod.index_fd = -1;
	mod.session_fd = -1;
	snprintf(path, sizeof(path), "%s", fake_file(nodes, NR_NODES, 0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (mod.index_fd >= 0)
		close(mod.index_fd);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_auto_takes_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_from_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readers_have_their_own_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_carries_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hop_budget_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_does_not_carry_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_refusal_has_its_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed_map, setup, teardown),
	};

	return cmocka_run_group_tests_name("kernel backend", tests, NULL, NULL);
}
