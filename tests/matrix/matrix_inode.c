// SPDX-License-Identifier: GPL-2.0
/* Rows: what an inode says of itself. */
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "matrix.h"

#define EXT4_IOC_MIGRATE	_IO('f', 9)

/* Whose quota is changed. */
#define SOMEONE		12345
#define SOMEONE_ELSE	12346
#define PROJECT		77

static int set_flags(const char *path, int set, int clear)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret, flags;

	if (fd < 0)
		return -errno;
	ret = matrix_errno(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	/* To clear what is not set would be no error anywhere, and show nothing. */
	if (!ret && (flags & clear) != clear)
		ret = -ENODATA;
	flags = (flags & ~clear) | set;
	ret = ret ?: matrix_errno(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	return ret;
}

#define CHATTR(name, set, clear)					\
static int op_##name(const char *path)					\
{									\
	return set_flags(path, set, clear);				\
}									\
static void undo_##name(const char *path)				\
{									\
	assert_int_equal(set_flags(path, clear, set), 0);		\
}

CHATTR(immutable, FS_IMMUTABLE_FL, 0)
CHATTR(append_only, FS_APPEND_FL, 0)
CHATTR(journaled, FS_JOURNAL_DATA_FL, 0)
CHATTR(compressed, FS_COMPR_FL, 0)
CHATTR(block_map, 0, FS_EXTENT_FL)
CHATTR(extents, FS_EXTENT_FL, 0)

static void make_block_mapped(const char *path)
{
	if (matrix_fs_type() == MATRIX_EXT4)
		assert_int_equal(set_flags(path, 0, FS_EXTENT_FL), 0);
}

static int migrate(int fd)
{
	return matrix_errno(ioctl(fd, EXT4_IOC_MIGRATE));
}

static int op_migrate(const char *path)
{
	return matrix_reader(path, migrate);
}

static int enable_verity(int fd)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	return matrix_errno(ioctl(fd, FS_IOC_ENABLE_VERITY, &arg));
}

static int op_verity(const char *path)
{
	return matrix_reader(path, enable_verity);
}

static int op_xattr(const char *path)
{
	return matrix_errno(setxattr(path, "user.carom", "x", 1, 0));
}

static void undo_xattr(const char *path)
{
	assert_sys(removexattr(path, "user.carom"));
}

/* More than fits into an inode. */
static int op_xattr_block(const char *path)
{
	static const char value[2000];

	return matrix_errno(setxattr(path, "user.carom", value, sizeof(value), 0));
}

static int op_chmod(const char *path)
{
	return matrix_errno(chmod(path, 0400)) ?: matrix_errno(chmod(path, 0600));
}

static void to_someone(const char *path)
{
	assert_sys(chown(path, SOMEONE, SOMEONE));
}

/* Of blocks and inodes from one quota to another. */
static int op_chown(const char *path)
{
	return matrix_errno(chown(path, SOMEONE_ELSE, SOMEONE_ELSE));
}

static int set_project(int fd)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr))
		return -errno;
	attr.fsx_projid = PROJECT;
	return matrix_errno(ioctl(fd, FS_IOC_FSSETXATTR, &attr));
}

static int op_project(const char *path)
{
	return matrix_reader(path, set_project);
}

static int quota(int cmd, int id, void *arg)
{
	return matrix_errno(quotactl(QCMD(cmd, USRQUOTA), getenv("CAROM_VM_DEVICE"), id, arg));
}

/* Less than the file has. */
static int op_quota_limit(const char *path)
{
	struct dqblk limit = {
		.dqb_bhardlimit = 4,
		.dqb_bsoftlimit = 4,
		.dqb_valid = QIF_BLIMITS,
	};

	(void)path;
	return quota(Q_SETQUOTA, SOMEONE, &limit);
}

static void undo_quota_limit(const char *path)
{
	struct dqblk limit = { .dqb_valid = QIF_BLIMITS };

	(void)path;
	assert_int_equal(quota(Q_SETQUOTA, SOMEONE, &limit), 0);
}

static int op_quota_off(const char *path)
{
	(void)path;
	return quota(Q_QUOTAOFF, 0, NULL);
}

static void undo_quota_off(const char *path)
{
	(void)path;
	assert_int_equal(quota(Q_QUOTAON, QFMT_VFS_V1, VM_DIR), 0);
}

#define EXT4_ONLY	.lacks = { [MATRIX_XFS] = "ext4's own" }

const struct matrix_row matrix_inode[] = {
	{ .name = "chattr +i", .op = op_immutable, .undo = undo_immutable },
	{ .name = "chattr +a", .op = op_append_only, .undo = undo_append_only },
	{ .name = "chattr +j", .op = op_journaled, .undo = undo_journaled,
	  .lacks = { [MATRIX_XFS] = "does not journal data" } },
	{ .name = "chattr +c", .op = op_compressed, .undo = undo_compressed,
	  .lacks = { [MATRIX_XFS] = "does not compress" } },
	{ .name = "chattr -e, of an extent-mapped file", .op = op_block_map, .undo = undo_block_map,
	  .nodes = MATRIX_FEW, .lacks = { [MATRIX_XFS] = "the flag is not set" } },
	{ .name = "chattr +e, of a block-mapped file", .op = op_extents, .undo = undo_extents,
	  .prepare = make_block_mapped, .nodes = MATRIX_FEW, EXT4_ONLY },
	{ .name = "EXT4_IOC_MIGRATE, of a block-mapped file",
	  .op = op_migrate, .undo = make_block_mapped,
	  .prepare = make_block_mapped, .nodes = MATRIX_FEW, EXT4_ONLY },
	{ .name = "fs-verity: FS_IOC_ENABLE_VERITY", .op = op_verity,
	  .lacks = { [MATRIX_XFS] = "has no fs-verity" } },
	{ .name = "chmod", .op = op_chmod },
	{ .name = "chown, from one quota to another", .op = op_chown, .prepare = to_someone },
	{ .name = "change of project", .op = op_project },
	{ .name = "quota limit below what its owner has",
	  .op = op_quota_limit, .undo = undo_quota_limit,
	  .prepare = to_someone },
	{ .name = "quotaoff, quotaon", .op = op_quota_off, .undo = undo_quota_off },
	{ .name = "extended attribute in the inode", .op = op_xattr, .undo = undo_xattr },
	{ .name = "extended attribute in a block of its own",
	  .op = op_xattr_block, .undo = undo_xattr },
	{ }
};
