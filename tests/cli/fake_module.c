// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fake_module.h"

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
#define MOD_NODE_STRIDE	8192
#define MOD_SCRATCH_STRIDE 4096

struct mod mod;
char mod_path[256];

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
		assert_int_equal(len, (size_t)MOD_NODE_STRIDE * mod.opened.nr_slots);
		mod.nodes = mem;
	} else if ((__u64)offset == CAROM_MMAP_RESULTS) {
		assert_int_equal(prot, PROT_READ);
		assert_int_equal(len, sizeof(struct carom_result) * mod.opened.nr_slots);
		mod.results = (struct carom_result *)mem;
	} else {
		assert_true((__u64)offset == CAROM_MMAP_SCRATCH);
		assert_int_equal(len, (size_t)MOD_SCRATCH_STRIDE * mod.opened.nr_slots);
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
	open->node_stride = MOD_NODE_STRIDE;
	open->scratch_stride = MOD_SCRATCH_STRIDE;
	mod.opened = *open;
	mod.index_fd = dup(open->fd);
	mod.session_fd = __real_open("/dev/null", O_RDWR);
	return mod.session_fd;
}

static int mod_extents(struct carom_extents *req)
{
	struct carom_extent *ext = (struct carom_extent *)(uintptr_t)req->extents;
	__u32 room = req->count;

	for (req->count = 0; req->count < room && req->first + req->count < MOD_EXTENTS;
	     req->count++) {
		ext[req->count].offset = (req->first + req->count) * 4096;
		ext[req->count].length = 4096;
		ext[req->count].lba = (req->first + req->count) * 80 + 7;
	}
	return 0;
}

int mod_lookup(struct carom_lookup *res)
{
	const struct carom_native_walker *walker = carom_format_lmdb.walker;
	struct carom_hop hop = { .node_size = FAKE_NODE, .scratch_size = walker->scratch_size };
	__u64 at = res->offset;
	__s64 ret;

	mod.lookups++;
	mod.last_slot = res->slot;
	mod.last_flags = res->flags;
	assert_true(res->slot < mod.opened.nr_slots);
	if (mod.lookup_errno) {
		errno = mod.lookup_errno;
		return -1;
	}
	hop.node = mod.nodes + res->slot * MOD_NODE_STRIDE;
	hop.scratch = mod.scratch + res->slot * MOD_SCRATCH_STRIDE;
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

int mod_setup(void **state)
{
	(void)state;
	memset(&mod, 0, sizeof(mod));
	mod.abi = CAROM_ABI_VERSION;
	mod.abort_after = 100;
	mod.detail = "";
	mod.file_size = NR_NODES * FAKE_NODE;
	mod.index_fd = -1;
	mod.session_fd = -1;
	snprintf(mod_path, sizeof(mod_path), "%s", fake_file(nodes, NR_NODES, 0));
	return 0;
}

int mod_teardown(void **state)
{
	(void)state;
	if (mod.index_fd >= 0)
		close(mod.index_fd);
	return unlink(mod_path);
}
