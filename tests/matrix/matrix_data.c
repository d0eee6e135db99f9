// SPDX-License-Identifier: GPL-2.0
/* Rows: writing, cutting, mapping. */
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "matrix.h"

#define BLOCK	CHASE_NODE_SIZE

/* What a writer left open before the file could be sealed. */
static struct {
	int	fd;
	char	*mem;
} held = { .fd = -1 };

static int put(int fd)
{
	return matrix_errno(pwrite(fd, "x", 1, BLOCK));
}

static int op_write(const char *path)
{
	return matrix_writer(path, 0, put);
}

static int put_direct(int fd)
{
	void *buf = aligned_alloc(BLOCK, BLOCK);
	int ret;

	assert_non_null(buf);
	memset(buf, 'x', BLOCK);
	ret = matrix_errno(pwrite(fd, buf, BLOCK, BLOCK));
	free(buf);
	return ret;
}

static int op_write_direct(const char *path)
{
	return matrix_writer(path, O_DIRECT, put_direct);
}

static int put_at_end(int fd)
{
	return matrix_errno(write(fd, "x", 1));
}

static int op_append(const char *path)
{
	return matrix_writer(path, O_APPEND, put_at_end);
}

static int reopen(int fd)
{
	char path[32];
	int again, ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_CLOEXEC);
	if (again < 0)
		return -errno;
	ret = put(again);
	close(again);
	return ret;
}

static int op_reopen(const char *path)
{
	return matrix_reader(path, reopen);
}

static int op_by_handle(const char *path)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} arg = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int dir, fd, id, ret;

	if (name_to_handle_at(AT_FDCWD, path, &arg.handle, &id, 0))
		return -errno;
	dir = vm_open(VM_DIR, O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(dir, &arg.handle, O_WRONLY | O_CLOEXEC);
	ret = fd < 0 ? -errno : put(fd);
	close(fd);
	close(dir);
	return ret;
}

static void hold(const char *path)
{
	held.fd = vm_open(path, O_RDWR);
}

static int op_held_write(const char *path)
{
	(void)path;
	return put(held.fd);
}

static void hold_mapping(const char *path)
{
	int fd = vm_open(path, O_RDWR);

	held.mem = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(held.mem, MAP_FAILED);
	close(fd);
}

static int op_held_mapping(const char *path)
{
	(void)path;
	held.mem[BLOCK / 2] = 'x';
	return matrix_errno(msync(held.mem, BLOCK, MS_SYNC));
}

static void let_go(void)
{
	if (held.fd >= 0)
		close(held.fd);
	if (held.mem)
		munmap(held.mem, BLOCK);
	held.fd = -1;
	held.mem = NULL;
}

static int map(int fd)
{
	char *mem = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int ret;

	if (mem == MAP_FAILED)
		return -errno;
	mem[BLOCK / 2] = 'x';
	ret = matrix_errno(msync(mem, BLOCK, MS_SYNC));
	munmap(mem, BLOCK);
	return ret;
}

static int op_map(const char *path)
{
	return matrix_writer(path, 0, map);
}

static int op_o_trunc(const char *path)
{
	int fd = open(path, O_RDONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int op_truncate(const char *path)
{
	return matrix_errno(truncate(path, BLOCK));
}

static int cut(int fd)
{
	return matrix_errno(ftruncate(fd, BLOCK));
}

static int op_ftruncate(const char *path)
{
	return matrix_writer(path, 0, cut);
}

#define FALLOCATE(name, mode, offset)						\
static int name(int fd)								\
{										\
	return matrix_errno(fallocate(fd, mode, offset, BLOCK));		\
}										\
static int op_##name(const char *path)						\
{										\
	return matrix_writer(path, 0, name);					\
}

FALLOCATE(extend, 0, MATRIX_SIZE(MATRIX_NODES))
FALLOCATE(punch, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK)
FALLOCATE(zero, FALLOC_FL_ZERO_RANGE, BLOCK)
FALLOCATE(collapse, FALLOC_FL_COLLAPSE_RANGE, BLOCK)
FALLOCATE(insert, FALLOC_FL_INSERT_RANGE, BLOCK)
FALLOCATE(unshare, FALLOC_FL_UNSHARE_RANGE, 0)

const struct matrix_row matrix_data[] = {
	{ .name = "open for writing, write()", .op = op_write },
	{ .name = "the same with O_DIRECT", .op = op_write_direct },
	{ .name = "the same by /proc/self/fd of a reader", .op = op_reopen },
	{ .name = "the same by open_by_handle_at()", .op = op_by_handle },
	{ .name = "write() to a descriptor that is open already",
	  .op = op_held_write, .prepare = hold,
	  .release = let_go, .flags = ROW_WRITER },
	{ .name = "append", .op = op_append },
	{ .name = "open with O_TRUNC", .op = op_o_trunc },
	{ .name = "truncate()", .op = op_truncate },
	{ .name = "ftruncate()", .op = op_ftruncate },
	{ .name = "fallocate: allocate past the end", .op = op_extend },
	{ .name = "fallocate: punch", .op = op_punch },
	{ .name = "fallocate: zero", .op = op_zero },
	{ .name = "fallocate: collapse", .op = op_collapse },
	{ .name = "fallocate: insert", .op = op_insert },
	{ .name = "fallocate: unshare", .op = op_unshare,
	  .lacks = { [MATRIX_EXT4] = "shares no blocks" } },
	{ .name = "write to a shared mapping that is there already", .op = op_held_mapping,
	  .prepare = hold_mapping, .release = let_go, .flags = ROW_WRITER },
	{ .name = "make a writable shared mapping", .op = op_map },
	{ }
};
