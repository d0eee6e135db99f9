// SPDX-License-Identifier: GPL-2.0
/* The files that the matrix is about, and what several of its operations need. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "matrix.h"

/* Offsets of what mkswap writes into the first page; nodes have nothing there but filling. */
#define SWAP_VERSION	1024
#define SWAP_LAST_PAGE	1028
#define SWAP_MAGIC	(4096 - 10)

enum matrix_fs matrix_fs_type(void)
{
	return vm_fs_is("xfs") ? MATRIX_XFS : MATRIX_EXT4;
}

/* Written once per size, in memory: thousands of system calls are slow in an emulated CPU. */
static const void *content(unsigned int nodes)
{
	static unsigned char *made[MATRIX_NODES + 1];
	char path[] = "/tmp/matrix.XXXXXX";
	int fd;

	assert_in_range(nodes, 1, MATRIX_NODES);
	if (made[nodes])
		return made[nodes];
	fd = mkstemp(path);
	assert_sys(fd);
	assert_ok(chase_write(fd, CHASE_NODE_SIZE, nodes, nodes));
	made[nodes] = malloc(MATRIX_SIZE(nodes));
	assert_non_null(made[nodes]);
	assert_int_equal(pread(fd, made[nodes], MATRIX_SIZE(nodes), 0), MATRIX_SIZE(nodes));
	close(fd);
	unlink(path);
	return made[nodes];
}

void matrix_file(const char *path, unsigned int nodes)
{
	int fd = vm_open(path, O_RDWR | O_CREAT | O_TRUNC);

	assert_int_equal(pwrite(fd, content(nodes), MATRIX_SIZE(nodes), 0), MATRIX_SIZE(nodes));
	assert_sys(fsync(fd));
	close(fd);
}

const char *matrix_path(const char *path, const char *suffix)
{
	static char paths[4][256];
	static unsigned int next;
	char *out = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(out, sizeof(paths[0]), "%s.%s", path, suffix);
	return out;
}

const char *matrix_twin(const char *path)
{
	const char *twin = matrix_path(path, "twin");

	if (access(twin, F_OK))
		matrix_file(twin, MATRIX_NODES);
	return twin;
}

void matrix_where(int fd, unsigned int nodes, __u64 *where)
{
	struct fiemap *map = calloc(1, sizeof(*map) + nodes * sizeof(map->fm_extents[0]));
	const struct fiemap_extent *ext;
	__u64 at;

	assert_non_null(map);
	map->fm_length = MATRIX_SIZE(nodes);
	map->fm_extent_count = nodes;
	assert_sys(ioctl(fd, FS_IOC_FIEMAP, map));
	memset(where, 0, nodes * sizeof(*where));
	for (ext = map->fm_extents; ext < map->fm_extents + map->fm_mapped_extents; ext++)
		for (at = 0; at < ext->fe_length; at += CHASE_NODE_SIZE)
			if ((ext->fe_logical + at) / CHASE_NODE_SIZE < nodes)
				where[(ext->fe_logical + at) / CHASE_NODE_SIZE] =
					ext->fe_physical + at;
	free(map);
}

int matrix_reader(const char *path, int (*act)(int fd))
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = act(fd);
	close(fd);
	return ret;
}

int matrix_writer(const char *path, int flags, int (*act)(int fd))
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags);
	int ret;

	if (fd < 0) {
		ret = -errno;
		return matrix_reader(path, act) ? ret : 0;
	}
	ret = act(fd);
	close(fd);
	return ret;
}

int matrix_dedupe(const char *src, const char *dest)
{
	union {
		struct file_dedupe_range range;
		char room[sizeof(struct file_dedupe_range) +
			  sizeof(struct file_dedupe_range_info)];
	} arg = { .range = { .src_length = CHASE_NODE_SIZE, .dest_count = 1 } };
	int from = vm_open(src, O_RDONLY), to = vm_open(dest, O_RDONLY);
	int ret;

	arg.range.info[0].dest_fd = to;
	ret = ioctl(from, FIDEDUPERANGE, &arg) ? -errno : arg.range.info[0].status;
	close(from);
	close(to);
	return ret == FILE_DEDUPE_RANGE_DIFFERS ? -EILSEQ : ret;
}

void matrix_make_swap(const char *path)
{
	const __u32 version = 1, last_page = MATRIX_NODES - 1;
	int fd = vm_open(path, O_RDWR);

	assert_int_equal(pwrite(fd, &version, sizeof(version), SWAP_VERSION), sizeof(version));
	assert_int_equal(pwrite(fd, &last_page, sizeof(last_page), SWAP_LAST_PAGE),
			 sizeof(last_page));
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, SWAP_LAST_PAGE + 4), 4);
	assert_int_equal(pwrite(fd, "SWAPSPACE2", 10, SWAP_MAGIC), 10);
	assert_sys(fsync(fd));
	close(fd);
}

int matrix_mount(void)
{
	return matrix_errno(mount(getenv("CAROM_VM_DEVICE"), VM_DIR, getenv("CAROM_VM_FS"), 0,
				  getenv("CAROM_MATRIX_OPTIONS")));
}

int matrix_umount(int flags)
{
	return matrix_errno(umount2(VM_DIR, flags));
}
