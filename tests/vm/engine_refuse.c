// SPDX-License-Identifier: GPL-2.0
/* Files that cannot be sealed, and the reason that each is refused with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define CHASE	VM_FILE("refuse.chase")
#define OTHER	VM_FILE("refuse.other")
#define IMAGE	VM_FILE("refuse.image")
#define MNT	"/mnt/refuse"

static struct engine_walker chase;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, 64);
	mkdir(MNT, 0755);
	vm_modprobe("loop");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	assert_int_equal(vm_info().nr_sessions, 0);
	unlink(CHASE);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	vm_try("umount -q " MNT "; rm -f %s %s", OTHER, IMAGE);
	return 0;
}

/* What every refusal must leave as it was: a file that can be sealed and written. */
static void check_usable(const char *path)
{
	struct engine e;

	vm_session(&e, path, "chase", 4096, NULL);
	vm_walks(&e, path, 1, 2, 1);
	engine_close(&e);
	close(vm_open(path, O_RDWR));
}

static void not_readable(void **state)
{
	struct carom_open arg = vm_chase_arg();
	int fd;

	(void)state;
	fd = vm_open(CHASE, O_WRONLY);
	vm_refused_arg(fd, &arg, EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	close(fd);
	vm_refused_arg(-1, &arg, EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	vm_refused_arg(1 << 30, &arg, EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	fd = vm_open(CHASE, O_PATH);
	vm_refused_arg(fd, &arg, EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	close(fd);
	check_usable(CHASE);
}

#define NOBODY	65534

/* Exit status of a child that is nobody: the refusal, or 100 for none. */
static int refusal_of_nobody(const char *path)
{
	struct carom_open arg = vm_chase_arg();
	int status, ret;
	pid_t pid;

	assert_sys(chmod("/dev/carom", 0666));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		int fd;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(101);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			_exit(102);
		ret = engine_ioctl_open(fd, &arg);
		_exit(ret >= 0 ? 100 : ret == -EPERM ? (int)arg.refusal : 103);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_sys(chmod("/dev/carom", 0600));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void not_owner(void **state)
{
	(void)state;
	assert_sys(chmod(CHASE, 0644));
	assert_int_equal(refusal_of_nobody(CHASE), CAROM_REFUSED_NOT_OWNER);
	check_usable(CHASE);
	assert_sys(chown(CHASE, NOBODY, NOBODY));
	assert_int_equal(refusal_of_nobody(CHASE), 100);
	/* Root is privileged in any case. */
	check_usable(CHASE);
	assert_sys(chown(CHASE, 0, 0));
}

static void file_type(void **state)
{
	(void)state;
	vm_refused(VM_DIR, EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE, "directory");
	vm_refused("/dev/null", EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE, "special file");
	assert_sys(mkfifo(OTHER, 0600));
	vm_refused(OTHER, EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE, "special file");
}

static void filesystem(void **state)
{
	(void)state;
	vm_chase_file("/tmp/refuse.chase", CHASE_NODE_SIZE, 4);
	vm_refused("/tmp/refuse.chase", EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM, "tmpfs");
	unlink("/tmp/refuse.chase");
	vm_refused("/etc/passwd", EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM, "9p");
	vm_refused("/proc/cpuinfo", EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM, "proc");
	vm_modprobe("overlay");
	vm_sh("mount -t tmpfs tmpfs " MNT " && mkdir " MNT "/up " MNT "/work " MNT "/over "
	      MNT "/low && mount --bind " VM_DIR " " MNT "/low && mount -t overlay overlay "
	      "-o lowerdir=" MNT "/low,upperdir=" MNT "/up,workdir=" MNT "/work " MNT "/over");
	vm_refused(MNT "/over/refuse.chase", EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM, "overlay");
	vm_sh("umount " MNT "/over " MNT "/low " MNT);
	check_usable(CHASE);
}

/* An ext4 in a file; what is wrong with a file on it comes before what is wrong with loop. */
static void ext4_image(const char *features, const char *options)
{
	/* Once is enough, and where the module is loaded. */
	if (!vm_fs_is("ext4"))
		skip_because("once is enough, where ext4 was");
	vm_sh("truncate -s 64M %s && mkfs.ext4 -q -F %s %s && mount -o loop,%s %s " MNT, IMAGE,
	      features, IMAGE, options, IMAGE);
}

static void device(void **state)
{
	(void)state;
	ext4_image("", "rw");
	vm_chase_file(MNT "/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_DEVICE, "loop0");
	vm_refused("/dev/loop0", EOPNOTSUPP, CAROM_REFUSED_DEVICE, "loop0");
	/* The refusal comes after the seal was begun, or before: it must be gone. */
	close(vm_open(MNT "/chase", O_RDWR));
	vm_sh("umount " MNT);
	vm_modprobe("brd rd_nr=1 rd_size=1024");
	vm_refused("/dev/ram0", EOPNOTSUPP, CAROM_REFUSED_DEVICE, "ram0");
}

static void device_mapper(void **state)
{
	(void)state;
	vm_modprobe("dm-mod");
	/* Not the scratch namespace, which is in use: what is above does not matter. */
	vm_modprobe("brd rd_nr=1 rd_size=1024");
	vm_sh("echo '0 2048 linear /dev/ram0 0' | dmsetup create --noudevsync --noudevrules refuse");
	vm_refused("/dev/dm-0", EOPNOTSUPP, CAROM_REFUSED_DEVICE, "dm-0");
	vm_sh("dmsetup remove --noudevsync refuse");
}

static void empty(void **state)
{
	(void)state;
	close(vm_open(OTHER, O_RDWR | O_CREAT));
	vm_refused(OTHER, ENODATA, CAROM_REFUSED_EMPTY, NULL);
	/* Blocks beyond the end are no bytes to read. */
	vm_sh("fallocate -n -l 64K %s", OTHER);
	vm_refused(OTHER, ENODATA, CAROM_REFUSED_EMPTY, NULL);
	vm_chase_file(OTHER, CHASE_NODE_SIZE, 2);
	check_usable(OTHER);
}

static void swapfile(void **state)
{
	(void)state;
	vm_sh("dd if=/dev/zero of=%s bs=64K count=16 conv=fsync status=none && chmod 600 %s && "
	      "mkswap -q %s && swapon %s", OTHER, OTHER, OTHER, OTHER);
	vm_refused(OTHER, EBUSY, CAROM_REFUSED_SWAPFILE, NULL);
	vm_sh("swapoff %s", OTHER);
	vm_chase_file(OTHER, CHASE_NODE_SIZE, 2);
	check_usable(OTHER);
}

static void journaled(void **state)
{
	(void)state;
	ext4_image("", "data=journal");
	vm_chase_file(MNT "/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_JOURNALED, "data=journal");
	vm_chase_file(OTHER, CHASE_NODE_SIZE, 2);
	vm_sh("chattr +j %s", OTHER);
	vm_refused(OTHER, EOPNOTSUPP, CAROM_REFUSED_JOURNALED, "chattr +j");
	vm_sh("chattr -j %s", OTHER);
	check_usable(OTHER);
}

static void inline_data(void **state)
{
	int fd;

	(void)state;
	ext4_image("-O inline_data -I 256", "rw");
	fd = vm_open(MNT "/small", O_RDWR | O_CREAT);
	assert_int_equal(write(fd, "small", 5), 5);
	close(fd);
	vm_refused(MNT "/small", EOPNOTSUPP, CAROM_REFUSED_INLINE, NULL);
	vm_chase_file(MNT "/large", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/large", EOPNOTSUPP, CAROM_REFUSED_DEVICE, NULL);
}

static void compressed(void **state)
{
	(void)state;
	if (!vm_fs_is("ext4"))
		skip_because("only ext4 has the flag");
	vm_chase_file(OTHER, CHASE_NODE_SIZE, 2);
	vm_sh("chattr +c %s", OTHER);
	vm_refused(OTHER, EOPNOTSUPP, CAROM_REFUSED_COMPRESSED, NULL);
}

static void verity(void **state)
{
	struct fsverity_enable_arg arg = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096,
	};
	int fd;

	(void)state;
	ext4_image("-O verity -b 4096", "rw");
	vm_chase_file(MNT "/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_DEVICE, NULL);
	fd = vm_open(MNT "/chase", O_RDONLY);
	assert_sys(ioctl(fd, FS_IOC_ENABLE_VERITY, &arg));
	close(fd);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_VERITY, NULL);
}

static void encrypted(void **state)
{
	(void)state;
	ext4_image("-O encrypt -b 4096", "rw");
	/* Linux 7.3 has other names for two of them; Debian's has most built in. */
	vm_sh("modprobe -d $CAROM_VM_KERNEL_ROOT -a xts cts ecb cbc aes_generic sha512_generic || "
	      "modprobe -d $CAROM_VM_KERNEL_ROOT -a xts cts ecb cbc aes sha512 || "
	      "modprobe -d $CAROM_VM_KERNEL_ROOT -a xts cts");
	vm_sh("cd " MNT " && mkdir dir && key=$(head -c 64 /dev/zero | tr '\\0' k | "
	      "xfs_io -c add_enckey . | grep -o '[0-9a-f]\\{32\\}') && "
	      "xfs_io -c \"set_encpolicy -v 2 $key\" dir");
	/* The ciphers test themselves first, and a slow kernel gives up waiting for that. */
	vm_sh("cd " MNT "/dir && for i in 1 2 3 4 5; do touch warm && exit 0; done; exit 1");
	vm_chase_file(MNT "/dir/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/dir/chase", EOPNOTSUPP, CAROM_REFUSED_ENCRYPTED, NULL);
	vm_chase_file(MNT "/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_DEVICE, NULL);
}

static void reflink(void **state)
{
	(void)state;
	if (!vm_fs_is("xfs"))
		skip_because("needs XFS");
	vm_chase_file(OTHER, CHASE_NODE_SIZE, 8);
	check_usable(OTHER);
	vm_sh("cp --reflink=always %s %s", OTHER, IMAGE);
	vm_refused(OTHER, EOPNOTSUPP, CAROM_REFUSED_REFLINK, NULL);
	vm_refused(IMAGE, EOPNOTSUPP, CAROM_REFUSED_REFLINK, NULL);
	close(vm_open(OTHER, O_RDWR));
	/* A plain copy is one way out. */
	vm_sh("cp --reflink=never %s %s.2 && mv %s.2 %s", OTHER, OTHER, OTHER, OTHER);
	check_usable(OTHER);
}

static void realtime(void **state)
{
	(void)state;
	if (!vm_fs_is("xfs"))
		skip_because("needs XFS");
	vm_sh("truncate -s 300M %s && truncate -s 64M %s && losetup /dev/loop1 %s && "
	      "losetup /dev/loop2 %s && mkfs.xfs -q -m reflink=0,rmapbt=0 -r rtdev=/dev/loop2 "
	      "/dev/loop1 && mount -o rtdev=/dev/loop2 /dev/loop1 " MNT, IMAGE, OTHER, IMAGE,
	      OTHER);
	vm_sh("xfs_io -f -R -c 'pwrite -q 0 64k' -c fsync " MNT "/rt");
	vm_refused(MNT "/rt", EOPNOTSUPP, CAROM_REFUSED_REALTIME, NULL);
	vm_chase_file(MNT "/chase", CHASE_NODE_SIZE, 4);
	vm_refused(MNT "/chase", EOPNOTSUPP, CAROM_REFUSED_DEVICE, "loop1");
	vm_sh("umount " MNT " && losetup -d /dev/loop1 /dev/loop2");
}

int main(void)
{
#define REFUSE_TEST(f) cmocka_unit_test_teardown(f, clean)
	const struct CMUnitTest tests[] = {
		REFUSE_TEST(not_readable),
		REFUSE_TEST(not_owner),
		REFUSE_TEST(file_type),
		REFUSE_TEST(filesystem),
		REFUSE_TEST(device),
		REFUSE_TEST(device_mapper),
		REFUSE_TEST(empty),
		REFUSE_TEST(swapfile),
		REFUSE_TEST(journaled),
		REFUSE_TEST(inline_data),
		REFUSE_TEST(compressed),
		REFUSE_TEST(verity),
		REFUSE_TEST(encrypted),
		REFUSE_TEST(reflink),
		REFUSE_TEST(realtime),
	};

	return cmocka_run_group_tests_name("refuse", tests, setup, teardown);
}
