// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

#define BLOCKS		72U	/* of the larger files: more than one 64 KiB node */
#define MAX_EXTENTS	256

static int create(const char *path)
{
	return vm_open(path, O_RDWR | O_CREAT | O_TRUNC);
}

/* What belongs into the file: no byte of it is one of a mark. */
static void write_own(int fd, __u64 offset, size_t len)
{
	unsigned char buf[BLOCK];
	size_t i, n;

	for (; len; len -= n, offset += n) {
		n = len < BLOCK ? len : BLOCK;
		for (i = 0; i < n; i++)
			buf[i] = (unsigned char)(offset / SECTOR * 11 + i * 13) & 0x7f;
		assert_int_equal(pwrite(fd, buf, n, (off_t)offset), n);
	}
}

static void write_blocks(int fd, unsigned int from, unsigned int to)
{
	write_own(fd, (__u64)from * BLOCK, (size_t)(to - from) * BLOCK);
}

static void write_secret(int fd, __u64 offset, size_t len)
{
	unsigned char buf[BLOCK];
	size_t n;

	mark_fill(buf, sizeof(buf), MARK_SECRET);
	for (; len; len -= n, offset += n) {
		n = len < BLOCK ? len : BLOCK;
		assert_int_equal(pwrite(fd, buf, n, (off_t)offset), n);
	}
}

static void allocate(int fd, int mode, __u64 offset, __u64 len)
{
	assert_sys(fallocate(fd, mode, (off_t)offset, (off_t)len));
}

static void make_plain(int fd)
{
	write_blocks(fd, 0, BLOCKS);
}

static void make_unwritten(int fd)
{
	allocate(fd, 0, 0, BLOCKS * BLOCK);
	write_blocks(fd, 0, 2);
	write_blocks(fd, 5, 6);
	write_blocks(fd, 40, 60);
}

static void make_holes(int fd)
{
	write_blocks(fd, 0, 1);
	write_blocks(fd, 3, 5);
	write_blocks(fd, 20, 50);
	assert_sys(ftruncate(fd, (off_t)BLOCKS * BLOCK));
}

/* The last sector is not the file's to its end, and neither is the last block. */
static void make_tail(int fd)
{
	write_own(fd, 0, 32 * BLOCK + 1000);
}

/* Blocks behind the end of the file. */
static void make_keep(int fd)
{
	write_blocks(fd, 0, 8);
	allocate(fd, FALLOC_FL_KEEP_SIZE, 0, 64 * BLOCK);
}

/* The secret was in it, and went with the truncation. */
static void make_cut(int fd)
{
	write_own(fd, 0, 100);
	write_secret(fd, 100, BLOCKS * BLOCK - 100);
	assert_sys(fsync(fd));
	assert_sys(ftruncate(fd, 100));
	assert_sys(ftruncate(fd, (off_t)BLOCKS * BLOCK));
}

/* One sector of a block that was not written: the rest of the block is not the device's. */
static void make_sector(int fd)
{
	int direct;
	void *buf = NULL;

	allocate(fd, 0, 0, 48 * BLOCK);
	assert_int_equal(posix_memalign(&buf, BLOCK, SECTOR), 0);
	memset(buf, 's', SECTOR);
	direct = vm_open(SECRET_DIR "/sector", O_WRONLY | O_DIRECT);
	assert_int_equal(pwrite(direct, buf, SECTOR, 20 * BLOCK + 1024), SECTOR);
	close(direct);
	free(buf);
}

static void make_punched(int fd)
{
	write_blocks(fd, 0, 6);
	write_secret(fd, 6 * BLOCK, (BLOCKS - 12) * BLOCK);
	write_blocks(fd, BLOCKS - 6, BLOCKS);
	assert_sys(fsync(fd));
	allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 6 * BLOCK, 30 * BLOCK);
	allocate(fd, FALLOC_FL_ZERO_RANGE, 36 * BLOCK, (BLOCKS - 42) * BLOCK);
}

/* Block by block with a file that is all secret. */
static void make_neighbour(int fd)
{
	int other = create(SECRET_DIR "/neighbour.other");
	unsigned int i;

	for (i = 0; i < 40; i++) {
		allocate(fd, 0, i * BLOCK, BLOCK);
		allocate(other, 0, i * BLOCK, BLOCK);
	}
	write_blocks(fd, 0, 40);
	write_secret(other, 0, 40 * BLOCK);
	assert_sys(fsync(other));
	close(other);
}

static void make_short(int fd)
{
	write_own(fd, 0, 100);
}

/* ---- where it is ---- */

static void read_back(struct secret_file *f)
{
	struct stat st;

	assert_sys(fstat(f->fd, &st));
	f->size = (__u64)st.st_size;
	f->nr = (unsigned int)((f->size + SECTOR - 1) / SECTOR);
	f->data = calloc(f->nr, SECTOR);
	f->where = calloc(f->nr, sizeof(*f->where));
	assert_true(f->data && f->where);
	assert_int_equal(pread(f->fd, f->data, f->size, 0), f->size);
	assert_false(mark_found(f->data, f->size, MARK_SECRET));
}

static bool secret_on_device(int dev, __u64 sector)
{
	unsigned char buf[SECTOR] __attribute__((aligned(4096)));

	assert_int_equal(pread(dev, buf, SECTOR, (off_t)(sector * SECTOR)), SECTOR);
	return mark_found(buf, SECTOR, MARK_SECRET);
}

static void take_extent(struct secret_file *f, int dev, const struct fiemap_extent *ext)
{
	__u64 i, first = ext->fe_logical / SECTOR, phys = ext->fe_physical / SECTOR;

	assert_false(ext->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
				      FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_INLINE));
	for (i = first; i < first + ext->fe_length / SECTOR && i < f->nr; i++, phys++) {
		if (!(ext->fe_flags & FIEMAP_EXTENT_UNWRITTEN)) {
			f->where[i] = phys + 1;
			continue;
		}
		f->unwritten++;
		f->stale += secret_on_device(dev, phys);
	}
}

static void find_extents(struct secret_file *f, int dev)
{
	struct fiemap *map = calloc(1, sizeof(*map) + MAX_EXTENTS * sizeof(map->fm_extents[0]));
	unsigned int i;

	assert_non_null(map);
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = MAX_EXTENTS;
	assert_sys(ioctl(f->fd, FS_IOC_FIEMAP, map));
	assert_true(map->fm_mapped_extents < MAX_EXTENTS);
	for (i = 0; i < map->fm_mapped_extents; i++)
		take_extent(f, dev, &map->fm_extents[i]);
	free(map);
}

static void make(struct secret_file *f, int dev, const char *name, void (*fill)(int fd))
{
	int fd;

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), SECRET_DIR "/%s", name);
	fd = create(f->path);
	fill(fd);
	assert_sys(fsync(fd));
	close(fd);
	f->fd = vm_open(f->path, O_RDONLY);
	read_back(f);
	find_extents(f, dev);
}

void secret_make(struct secret_file files[SECRET_FILES])
{
	static const struct {
		const char *name;
		void (*fill)(int fd);
	} kinds[SECRET_FILES] = {
		{ "plain", make_plain }, { "unwritten", make_unwritten },
		{ "holes", make_holes }, { "tail", make_tail }, { "keep", make_keep },
		{ "cut", make_cut }, { "sector", make_sector }, { "punched", make_punched },
		{ "neighbour", make_neighbour }, { "short", make_short },
	};
	int dev = vm_open(getenv("CAROM_VM_DEVICE"), O_RDONLY | O_DIRECT);
	unsigned int i;

	vm_sh("rm -rf " SECRET_DIR " && mkdir " SECRET_DIR);
	for (i = 0; i < SECRET_FILES; i++)
		make(&files[i], dev, kinds[i].name, kinds[i].fill);
	close(dev);
}

void secret_close(struct secret_file files[SECRET_FILES])
{
	unsigned int i;

	for (i = 0; i < SECRET_FILES; i++) {
		close(files[i].fd);
		free(files[i].data);
		free(files[i].where);
	}
	vm_sh("rm -r " SECRET_DIR);
}

enum carom_end secret_expect(const struct secret_file *f, __s64 offset, unsigned int len)
{
	__u64 first = (__u64)offset / SECTOR, i;

	if (offset < 0)
		return CAROM_END_RANGE;
	if (offset % SECTOR)
		return CAROM_END_UNALIGNED;
	if ((__u64)offset > f->size || f->size - (__u64)offset < len)
		return CAROM_END_RANGE;
	if (!f->where[first])
		return CAROM_END_HOLE;
	for (i = 1; i < len / SECTOR; i++) {
		if (f->where[first + i] != f->where[first] + i)
			return CAROM_END_SPLIT;
	}
	return CAROM_END_DONE;
}
