// SPDX-License-Identifier: GPL-2.0
/* Rows: names, and blocks that two files have in common or exchange. */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "matrix.h"

/* The kernel has these structures in no header that is installed. */
struct move_extent {
	__u32	reserved;
	__u32	donor_fd;
	__u64	orig_start;
	__u64	donor_start;
	__u64	len;
	__u64	moved_len;
};

#define EXT4_IOC_MOVE_EXT	_IOWR('f', 15, struct move_extent)

struct xfs_time {
	long	sec;
	__s32	nsec;
};

struct xfs_bstat {
	__u64		ino;
	__u16		mode;
	__u16		nlink;
	__u32		uid, gid, rdev;
	__s32		blksize;
	__s64		size;
	struct xfs_time	atime, mtime, ctime;
	__s64		blocks;
	__u32		xflags;
	__s32		extsize;
	__s32		extents;
	__u32		gen;
	__u16		projid_lo, forkoff, projid_hi, sick, checked;
	__u8		pad[2];
	__u32		cowextsize;
	__u32		dmevmask;
	__u16		dmstate;
	__u16		aextents;
};

struct xfs_swapext {
	__s64			version;
	__s64			target;
	__s64			tmp;
	__s64			offset;
	__s64			length;
	char			pad[16];
	struct xfs_bstat	stat;
};

#define XFS_IOC_SWAPEXT		_IOWR('X', 109, struct xfs_swapext)

struct xfs_exchange_range {
	__s32	file1;
	__u32	pad;
	__u64	file1_offset;
	__u64	file2_offset;
	__u64	length;
	__u64	flags;
};

#define XFS_IOC_EXCHANGE_RANGE	_IOW('X', 129, struct xfs_exchange_range)

/* Hand blocks that nobody holds to others, who write to them, or discard them. */
static void reuse_blocks(void)
{
	struct fstrim_range range = { .len = ~0ULL };
	int dir = vm_open(VM_DIR, O_RDONLY | O_DIRECTORY);
	int fd = vm_open(VM_FILE("other"), O_WRONLY | O_CREAT | O_TRUNC);
	static char block[1 << 20];
	int i;

	memset(block, 0xee, sizeof(block));
	sync();
	for (i = 0; i < 8; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_sys(fsync(fd));
	close(fd);
	assert_sys(ioctl(dir, FITRIM, &range));
	close(dir);
}

static int op_unlink(const char *path)
{
	if (unlink(path))
		return -errno;
	reuse_blocks();
	return 0;
}

static int op_rename(const char *path)
{
	return matrix_errno(rename(path, matrix_path(path, "moved")));
}

static void undo_rename(const char *path)
{
	assert_sys(rename(matrix_path(path, "moved"), path));
}

static int op_rename_over(const char *path)
{
	const char *other = matrix_path(path, "moved");

	matrix_file(other, 1);
	if (rename(other, path))
		return -errno;
	reuse_blocks();
	return 0;
}

static int op_rename_exchange(const char *path)
{
	return matrix_errno(renameat2(AT_FDCWD, path, AT_FDCWD, matrix_twin(path),
				      RENAME_EXCHANGE));
}

static void undo_rename_exchange(const char *path)
{
	assert_int_equal(op_rename_exchange(path), 0);
}

/* In a session on XFS the new name cannot be removed, so the last one is removed here. */
static int op_link(const char *path)
{
	const char *name = matrix_path(path, "link");

	unlink(name);
	return matrix_errno(link(path, name));
}

/* The other file of an operation on two. */
static int other;

static int with_other(const char *path, int (*act)(int fd), bool writer)
{
	int ret;

	other = vm_open(matrix_twin(path), O_RDWR);
	ret = writer ? matrix_writer(path, 0, act) : matrix_reader(path, act);
	close(other);
	return ret;
}

static int clone_from(int fd)
{
	return matrix_errno(ioctl(other, FICLONE, fd));
}

static int op_clone_from(const char *path)
{
	return with_other(path, clone_from, false);
}

static int clone_onto(int fd)
{
	return matrix_errno(ioctl(fd, FICLONE, other));
}

static int op_clone_onto(const char *path)
{
	return with_other(path, clone_onto, true);
}

static int op_dedupe_from(const char *path)
{
	return matrix_dedupe(path, matrix_twin(path));
}

static int op_dedupe_onto(const char *path)
{
	return matrix_dedupe(matrix_twin(path), path);
}

static int copy_from(int fd)
{
	loff_t from = 0, to = 0;

	return matrix_errno(copy_file_range(fd, &from, other, &to, CHASE_NODE_SIZE, 0));
}

static int op_copy_from(const char *path)
{
	return with_other(path, copy_from, false);
}

static int copy_onto(int fd)
{
	loff_t from = 0, to = CHASE_NODE_SIZE;

	return matrix_errno(copy_file_range(other, &from, fd, &to, CHASE_NODE_SIZE, 0));
}

static int op_copy_onto(const char *path)
{
	return with_other(path, copy_onto, true);
}

/* Which way of copying it takes is its own choice, but copy it must. */
static int op_cp(const char *path)
{
	const char *copy = matrix_path(path, "copy");

	return vm_try("cp %s %s && cmp %s %s", path, copy, path, copy) ? -EIO : 0;
}

static int move_blocks(int file, int donor)
{
	struct move_extent arg = { .donor_fd = (__u32)donor, .len = MATRIX_NODES };

	if (ioctl(file, EXT4_IOC_MOVE_EXT, &arg))
		return -errno;
	return arg.moved_len == MATRIX_NODES ? 0 : -ENODATA;
}

static int move_to_donor(int fd)
{
	return move_blocks(fd, other);
}

static int op_move(const char *path)
{
	return with_other(path, move_to_donor, true);
}

static int move_from_donor(int fd)
{
	return move_blocks(other, fd);
}

static int op_donate(const char *path)
{
	return with_other(path, move_from_donor, true);
}

static int swap_extents(int target, int tmp)
{
	struct xfs_swapext arg = { .target = target, .tmp = tmp };
	struct stat st;

	assert_sys(fstat(target, &st));
	arg.length = st.st_size;
	arg.stat.mtime = (struct xfs_time) { st.st_mtim.tv_sec, (__s32)st.st_mtim.tv_nsec };
	arg.stat.ctime = (struct xfs_time) { st.st_ctim.tv_sec, (__s32)st.st_ctim.tv_nsec };
	return matrix_errno(ioctl(target, XFS_IOC_SWAPEXT, &arg));
}

static int swap_target(int fd)
{
	return swap_extents(fd, other);
}

static int op_swap_target(const char *path)
{
	return with_other(path, swap_target, true);
}

static int swap_tmp(int fd)
{
	return swap_extents(other, fd);
}

static int op_swap_tmp(const char *path)
{
	return with_other(path, swap_tmp, true);
}

static int exchange(int fd)
{
	struct xfs_exchange_range arg = { .file1 = other, .length = CHASE_NODE_SIZE };

	return matrix_errno(ioctl(fd, XFS_IOC_EXCHANGE_RANGE, &arg));
}

static int op_exchange(const char *path)
{
	return with_other(path, exchange, true);
}

#define NO_SHARING	.lacks = { [MATRIX_EXT4] = "shares no blocks" }
#define EXT4_ONLY	.lacks = { [MATRIX_XFS] = "ext4's own" }
#define XFS_ONLY	.lacks = { [MATRIX_EXT4] = "XFS's own" }

const struct matrix_row matrix_names[] = {
	{ .name = "unlink, and use of free blocks", .op = op_unlink },
	{ .name = "rename away", .op = op_rename, .undo = undo_rename },
	{ .name = "rename over it, and use of free blocks", .op = op_rename_over },
	{ .name = "exchange names", .op = op_rename_exchange, .undo = undo_rename_exchange },
	{ .name = "hard link", .op = op_link },
	{ .name = "FICLONE from it", .op = op_clone_from, NO_SHARING },
	{ .name = "FICLONE onto it", .op = op_clone_onto, NO_SHARING },
	{ .name = "FIDEDUPERANGE from it", .op = op_dedupe_from, NO_SHARING },
	{ .name = "FIDEDUPERANGE onto it, by its owner", .op = op_dedupe_onto, NO_SHARING },
	{ .name = "copy_file_range from it", .op = op_copy_from },
	{ .name = "copy_file_range onto it", .op = op_copy_onto },
	{ .name = "cp", .op = op_cp },
	{ .name = "e4defrag: EXT4_IOC_MOVE_EXT", .op = op_move, EXT4_ONLY },
	{ .name = "the same with it as the donor", .op = op_donate, EXT4_ONLY },
	{ .name = "xfs_fsr: XFS_IOC_SWAPEXT", .op = op_swap_target, XFS_ONLY },
	{ .name = "the same with it as the temporary file", .op = op_swap_tmp, XFS_ONLY },
	{ .name = "XFS_IOC_EXCHANGE_RANGE", .op = op_exchange, XFS_ONLY },
	{ }
};
