// SPDX-License-Identifier: GPL-2.0
/*
 * The NVMe namespace below a file, and where in it the file is. Whoever may send it commands may
 * read everything on it; nothing but the filesystem's word says that the blocks are still the
 * file's, unless carom.ko has sealed it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "bench_ring.h"

#define NVME_READ	0x02

/**
 * struct bench_device - the namespace
 * @fd: for commands
 * @lba_shift: bits of the size of an LBA
 * @map: keeps the file sealed, where that can be
 */
struct bench_device {
	int fd;
	uint32_t nsid;
	unsigned int lba_shift;
	struct carom_map *map;
	const struct carom_map_extent *extents;
	size_t nr_extents;
};

/* The name of the disk that the file's filesystem is on, without its partition. */
static int disk_of(const char *path, char *name, size_t size)
{
	char link[64], dir[PATH_MAX + 16], *end;
	struct stat st;

	if (stat(path, &st))
		return -errno;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (!realpath(link, dir))
		return -errno;
	end = dir + strlen(dir);
	strcpy(end, "/partition");
	if (!access(dir, F_OK))
		end = memrchr(dir, '/', (size_t)(end - dir));
	*end = '\0';
	snprintf(name, size, "%s", strrchr(dir, '/') + 1);
	return 0;
}

static int device_fail(struct bench_run *run, const char *what, int code)
{
	snprintf(run->reason, sizeof(run->reason), "%s: %s", what, strerror(-code));
	return code;
}

static bool has_poll_queues(const char *disk)
{
	char path[128];
	int polls = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/io_poll", disk);
	file = fopen(path, "re");
	if (file && fscanf(file, "%d", &polls) != 1)
		polls = 0;
	if (file)
		fclose(file);
	return polls;
}

/* Commands go to /dev/ng0n1 where reads go to /dev/nvme0n1. */
static int open_generic(struct bench_run *run, struct bench_device *dev)
{
	char name[64] = "", path[80];
	int nsid, ret = disk_of(run->opts->path, name, sizeof(name));

	if (ret || strncmp(name, "nvme", 4)) {
		snprintf(run->reason, sizeof(run->reason), "the file is not on an NVMe namespace");
		return ret ? ret : -ENODEV;
	}
	if (run->be->poll && !has_poll_queues(name)) {
		snprintf(run->reason, sizeof(run->reason),
			 "%s has no poll queues (nvme.poll_queues)", name);
		return -EOPNOTSUPP;
	}
	snprintf(path, sizeof(path), "/dev/ng%s", name + 4);
	dev->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (dev->fd < 0)
		return device_fail(run, path, -errno);
	nsid = ioctl(dev->fd, NVME_IOCTL_ID);
	if (nsid < 0)
		return device_fail(run, path, -errno);
	dev->nsid = (uint32_t)nsid;
	return 0;
}

static int find_blocks(struct bench_run *run, struct bench_device *dev)
{
	struct carom_error err;
	int ret = carom_map__open(run->opts->path, &dev->map, &err);

	if (ret) {
		snprintf(run->reason, sizeof(run->reason), "%s", err.text);
		return ret;
	}
	dev->extents = carom_map__extents(dev->map, &dev->nr_extents);
	dev->lba_shift = (unsigned int)__builtin_ctz(carom_map__lba_bytes(dev->map));
	return 0;
}

int bench_device_open(struct bench_run *run)
{
	struct bench_device *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return -ENOMEM;
	dev->fd = -1;
	ret = open_generic(run, dev);
	if (!ret)
		ret = find_blocks(run, dev);
	if (ret)
		bench_device_close(dev);
	else
		run->device = dev;
	return ret;
}

void bench_device_close(struct bench_device *dev)
{
	if (!dev)
		return;
	carom_map__close(dev->map);
	if (dev->fd >= 0)
		close(dev->fd);
	free(dev);
}

/* The extent that has @offset, or the first one behind it. */
static const struct carom_map_extent *find_extent(const struct bench_device *dev, uint64_t offset)
{
	size_t low = 0, high = dev->nr_extents, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (dev->extents[mid].offset_bytes + dev->extents[mid].length_bytes > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low < dev->nr_extents ? &dev->extents[low] : NULL;
}

int bench_device_locate(const struct bench_device *dev, uint64_t offset, unsigned int len,
			uint64_t *lba)
{
	const struct carom_map_extent *e = find_extent(dev, offset);

	if (!e || offset < e->offset_bytes || offset + len > e->offset_bytes + e->length_bytes)
		return -ENODATA;
	*lba = e->lba + ((offset - e->offset_bytes) >> dev->lba_shift);
	return 0;
}

int bench_device_register(const struct bench_device *dev, struct io_uring *uring)
{
	return io_uring_register_files(uring, &dev->fd, 1);
}

void bench_device_prepare(const struct bench_device *dev, struct io_uring_sqe *sqe, void *to,
			  unsigned int len, uint64_t lba, unsigned int buffer)
{
	struct nvme_uring_cmd *cmd = (void *)sqe->cmd;

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->cmd_op = NVME_URING_CMD_IO;
	sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
	sqe->buf_index = (uint16_t)buffer;
	*cmd = (struct nvme_uring_cmd) {
		.opcode = NVME_READ,
		.nsid = dev->nsid,
		.addr = (uint64_t)(uintptr_t)to,
		.data_len = len,
		.cdw10 = (uint32_t)lba,
		.cdw11 = (uint32_t)(lba >> 32),
		.cdw12 = (len >> dev->lba_shift) - 1,
	};
}
