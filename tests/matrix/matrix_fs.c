// SPDX-License-Identifier: GPL-2.0
/* Rows: the filesystem, the device below it, and those who use files as devices. */
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <unistd.h>

#include "matrix.h"

struct xfs_growfs_data {
	__u64	newblocks;
	__u32	imaxpct;
};

#define EXT4_IOC_SWAP_BOOT	_IO('f', 17)
#define EXT4_IOC_RESIZE_FS	_IOW('f', 16, __u64)
#define XFS_IOC_FSGROWFSDATA	_IOW('X', 110, struct xfs_growfs_data)
/* The same for both. */
#define FS_IOC_GOINGDOWN	_IOR('X', 125, __u32)

static int on_dir(unsigned long request, void *arg)
{
	int dir = vm_open(VM_DIR, O_RDONLY | O_DIRECTORY);
	int ret = matrix_errno(ioctl(dir, request, arg));

	close(dir);
	return ret;
}

static int op_trim(const char *path)
{
	struct fstrim_range range = { .len = ~0ULL };

	(void)path;
	return on_dir(FITRIM, &range);
}

static int op_freeze(const char *path)
{
	(void)path;
	return on_dir(FIFREEZE, NULL);
}

static void undo_freeze(const char *path)
{
	(void)path;
	assert_int_equal(on_dir(FITHAW, NULL), 0);
}

static int remount(unsigned long flags)
{
	return matrix_errno(mount(NULL, VM_DIR, NULL, MS_REMOUNT | flags, NULL));
}

static int op_read_only(const char *path)
{
	(void)path;
	return remount(MS_RDONLY);
}

static void undo_read_only(const char *path)
{
	(void)path;
	assert_int_equal(remount(0), 0);
}

static int op_umount(const char *path)
{
	(void)path;
	return matrix_umount(0);
}

/* When the session is closed nothing is left that uses the device. */
static void undo_umount(const char *path)
{
	int fd;

	(void)path;
	fd = vm_open(getenv("CAROM_VM_DEVICE"), O_RDWR | O_EXCL);
	close(fd);
	assert_int_equal(matrix_mount(), 0);
}

static int op_umount_lazy(const char *path)
{
	(void)path;
	return matrix_umount(MNT_DETACH);
}

static int op_shutdown(const char *path)
{
	__u32 flags = 0;

	(void)path;
	return on_dir(FS_IOC_GOINGDOWN, &flags);
}

static void undo_shutdown(const char *path)
{
	assert_int_equal(matrix_umount(0), 0);
	undo_umount(path);
}

/* 8 MiB larger each time; CAROM_MATRIX_BLOCKS is what it was made with. */
static int op_grow(const char *path)
{
	static __u64 blocks;
	struct xfs_growfs_data grow = { .imaxpct = 25 };

	(void)path;
	blocks = (blocks ?: strtoull(getenv("CAROM_MATRIX_BLOCKS"), NULL, 10)) + 2048;
	grow.newblocks = blocks;
	return matrix_fs_type() == MATRIX_XFS ? on_dir(XFS_IOC_FSGROWFSDATA, &grow) :
						on_dir(EXT4_IOC_RESIZE_FS, &blocks);
}

static int op_swapon(const char *path)
{
	return matrix_errno(swapon(path, 0));
}

static void undo_swapon(const char *path)
{
	assert_sys(swapoff(path));
}

static struct {
	int	fd;
	char	path[32];
} loop = { .fd = -1 };

static int attach(const char *path, int flags)
{
	int control = vm_open("/dev/loop-control", O_RDWR);
	int fd = open(path, flags | O_CLOEXEC);
	struct loop_config config = { .fd = (__u32)fd };
	int err = fd < 0 ? -errno : 0;

	if (!err) {
		snprintf(loop.path, sizeof(loop.path), "/dev/loop%d",
			 ioctl(control, LOOP_CTL_GET_FREE));
		loop.fd = vm_open(loop.path, flags);
		err = matrix_errno(ioctl(loop.fd, LOOP_CONFIGURE, &config));
		close(fd);
	}
	close(control);
	return err;
}

static void undo_loop(const char *path)
{
	(void)path;
	assert_sys(ioctl(loop.fd, LOOP_CLR_FD, 0));
	close(loop.fd);
	loop.fd = -1;
}

static int op_loop(const char *path)
{
	return attach(path, O_RDWR);
}

/* And then try to write to it all the same. */
static int op_loop_read_only(const char *path)
{
	const int off = 0;
	int ret, fd;

	ret = attach(path, O_RDONLY);
	if (ret)
		return ret;
	ioctl(loop.fd, BLKROSET, &off);
	fd = open(loop.path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		if (pwrite(fd, "x", 1, 0) == 1)
			fsync(fd);
		close(fd);
	}
	return 0;
}

/*
 * On a filesystem that counts for quotas 6.12 takes too small a transaction for this and
 * warns; with or without sessions.
 */
static void drop_quotas(const char *path)
{
	static bool dropped;

	(void)path;
	if (dropped || matrix_fs_type() != MATRIX_EXT4)
		return;
	assert_int_equal(matrix_umount(0), 0);
	vm_sh("tune2fs -O ^quota %s >/dev/null", getenv("CAROM_VM_DEVICE"));
	unsetenv("CAROM_MATRIX_OPTIONS");
	assert_int_equal(matrix_mount(), 0);
	dropped = true;
}

static int swap_boot(int fd)
{
	return matrix_errno(ioctl(fd, EXT4_IOC_SWAP_BOOT));
}

static int op_swap_boot(const char *path)
{
	return matrix_writer(path, 0, swap_boot);
}

/* Change a byte of the last node's filling on the device. */
static int op_raw_write(const char *path)
{
	unsigned char *buf = aligned_alloc(CHASE_NODE_SIZE, CHASE_NODE_SIZE);
	__u64 where[MATRIX_NODES];
	int fd = vm_open(path, O_RDONLY);
	int dev, ret;
	off_t at;

	assert_non_null(buf);
	matrix_where(fd, MATRIX_NODES, where);
	close(fd);
	at = (off_t)where[MATRIX_NODES - 1];
	dev = open(getenv("CAROM_VM_DEVICE"), O_RDWR | O_DIRECT | O_CLOEXEC);
	ret = dev < 0 ? -errno : matrix_errno(pread(dev, buf, CHASE_NODE_SIZE, at));
	buf[CHASE_NODE_SIZE / 2] ^= 0xff;
	ret = ret ?: matrix_errno(pwrite(dev, buf, CHASE_NODE_SIZE, at));
	close(dev);
	free(buf);
	return ret;
}

const struct matrix_row matrix_fs[] = {
	{ .name = "FITRIM", .op = op_trim },
	{ .name = "fsfreeze", .op = op_freeze, .undo = undo_freeze },
	{ .name = "remount read-only", .op = op_read_only, .undo = undo_read_only },
	{ .name = "umount", .op = op_umount, .undo = undo_umount, .flags = ROW_UNMOUNT },
	{ .name = "umount -l",
	  .op = op_umount_lazy, .undo = undo_umount, .flags = ROW_UNMOUNT | ROW_UNDO_LATE },
	{ .name = "resize2fs, xfs_growfs", .op = op_grow },
	{ .name = "swapon", .op = op_swapon, .undo = undo_swapon, .prepare = matrix_make_swap },
	{ .name = "losetup", .op = op_loop, .undo = undo_loop },
	{ .name = "losetup -r", .op = op_loop_read_only, .undo = undo_loop },
	{ .name = "write to its block on the device, by root",
	  .op = op_raw_write, .flags = ROW_RAW },
	{ .name = "EXT4_IOC_SWAP_BOOT", .op = op_swap_boot, .prepare = drop_quotas,
	  .lacks = { [MATRIX_XFS] = "ext4's own" } },
	{ .name = "shutdown (GOINGDOWN) of the filesystem",
	  .op = op_shutdown, .undo = undo_shutdown,
	  .flags = ROW_UNDO_LATE },
	{ }
};
