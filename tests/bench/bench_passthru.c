// SPDX-License-Identifier: GPL-2.0
/*
 * NVMe commands of user space's own, around filesystem and block layer: what is left of a read when
 * the program knows itself where its blocks are, and may read those of anybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "loop.h"

#define NVME_READ	0x02

/* Of the device below the file. */
static struct {
	int fd;
	__u32 nsid;
	__u64 start;	/* of the filesystem, in bytes */
	unsigned int lba_shift;
	struct fiemap_extent extents[LOOP_MAX_EXTENTS];
	unsigned int nr_extents;
} device;

/* /dev/nvme0n1 is /dev/ng0n1 to those who send it commands. */
static int open_generic(struct bench *b, const char *disk)
{
	char path[64];

	if (strncmp(disk, "nvme", 4))
		return bench_lacks(b, -ENODEV, "%s is no NVMe namespace", disk);
	snprintf(path, sizeof(path), "/dev/ng%s", disk + 4);
	device.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (device.fd < 0)
		return bench_lacks(b, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int find_device(struct bench *b)
{
	struct disk disk;
	__u64 lba_size;
	int err;

	err = disk_find(&disk, b->direct);
	if (err)
		return err;
	err = disk_number(&disk, "queue/logical_block_size", &lba_size);
	if (err)
		return err;
	device.start = disk.start;
	device.lba_shift = (unsigned int)__builtin_ctzll(lba_size);
	return open_generic(b, disk_name(&disk));
}

static int find_extents(struct bench *b)
{
	struct {
		struct fiemap head;
		struct fiemap_extent extents[LOOP_MAX_EXTENTS];
	} map = {
		.head = { .fm_length = ~0ULL, .fm_extent_count = LOOP_MAX_EXTENTS },
	};

	if (ioctl(b->direct, FS_IOC_FIEMAP, &map))
		return bench_lacks(b, -errno, "FIEMAP: %s", strerror(errno));
	device.nr_extents = map.head.fm_mapped_extents;
	memcpy(device.extents, map.extents, sizeof(map.extents));
	if (!device.nr_extents ||
	    !(map.extents[device.nr_extents - 1].fe_flags & FIEMAP_EXTENT_LAST))
		return bench_lacks(b, -EFBIG, "the file has more than %d extents",
				   LOOP_MAX_EXTENTS);
	return 0;
}

static int open_device(struct bench *b)
{
	int err, nsid;

	err = find_device(b);
	if (err)
		return err;
	nsid = ioctl(device.fd, NVME_IOCTL_ID);
	device.nsid = (__u32)nsid;
	err = nsid < 0 ? -errno : find_extents(b);
	if (err)
		close(device.fd);
	return err;
}

static int passthru_open(struct bench *b)
{
	int err;

	err = open_device(b);
	if (err)
		return err;
	err = bench_ring_open(b, device.fd, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
	if (err)
		goto close_device;
	err = bench_ring_register_nodes(b);
	if (!err)
		return 0;
	bench_ring_close(b);
close_device:
	close(device.fd);
	return err;
}

static void passthru_close(struct bench *b)
{
	bench_ring_close(b);
	close(device.fd);
}

static __u64 lba_of(const struct fiemap_extent *e)
{
	return (device.start + e->fe_physical) >> device.lba_shift;
}

static __u64 locate(__u64 offset)
{
	const struct fiemap_extent *e = device.extents;

	while (offset - e->fe_logical >= e->fe_length)
		e++;
	return lba_of(e) + ((offset - e->fe_logical) >> device.lba_shift);
}

void bench_passthru_prepare(struct bench *b, struct io_uring_sqe *sqe, unsigned int i,
			    __u64 offset)
{
	struct nvme_uring_cmd *cmd = (void *)sqe->cmd;
	__u64 lba = locate(offset);

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->cmd_op = NVME_URING_CMD_IO;
	sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
	*cmd = (struct nvme_uring_cmd) {
		.opcode = NVME_READ,
		.nsid = device.nsid,
		.addr = (__u64)(uintptr_t)bench_node(b, i),
		.data_len = CHASE_NODE_SIZE,
		.cdw10 = (__u32)lba,
		.cdw11 = (__u32)(lba >> 32),
		.cdw12 = (CHASE_NODE_SIZE >> device.lba_shift) - 1,
	};
}

int bench_device_open(struct bench *b, struct loop_setup *setup)
{
	unsigned int i;
	int err;

	err = open_device(b);
	if (err)
		return err;
	setup->lba_shift = device.lba_shift;
	setup->nr_extents = device.nr_extents;
	for (i = 0; i < device.nr_extents; i++)
		setup->extents[i] = (struct loop_extent) {
			.offset = device.extents[i].fe_logical,
			.length = device.extents[i].fe_length,
			.lba = lba_of(&device.extents[i]),
		};
	return device.fd;
}

void bench_device_close(void)
{
	close(device.fd);
}

const struct backend bench_passthru_irq = {
	.name = "passthru-irq", .batch = 1, .sleeps = FOR_EACH_READ, .chosen_only = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_passthru_8_irq = {
	.name = "passthru-8-irq", .batch = 8, .chosen_only = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_passthru_32_irq = {
	.name = "passthru-32-irq", .batch = BATCH, .chosen_only = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_passthru_1 = {
	.name = "passthru-1", .batch = 1, .polled = true, .chosen_only = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_passthru_8 = {
	.name = "passthru-8", .batch = 8, .polled = true, .chosen_only = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_passthru_32 = {
	.name = "passthru-32", .batch = BATCH, .polled = true,
	.open = passthru_open, .run = bench_ring_walk, .close = passthru_close,
	.prepare = bench_passthru_prepare,
};
