// SPDX-License-Identifier: GPL-2.0
/* /dev/carom, and how its structures may grow: what needs no NVMe device. */
#include "test.h"

FIXTURE(abi) {
	int dev;
	int file;
};

FIXTURE_SETUP(abi)
{
	self->file = -1;
	self->dev = open(CAROM_DEV, O_RDWR | O_CLOEXEC);
	if (no_device(self->dev))
		SKIP(return, "%s", no_device(self->dev));
	self->file = memfd_create("carom", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, SCRIPT_NODE));
}

FIXTURE_TEARDOWN(abi)
{
	close(self->file);
	close(self->dev);
}

TEST_F(abi, unknown_ioctl)
{
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_LOOKUP, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->dev, _IO(CAROM_IOC_MAGIC, 0xff), NULL));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_F(abi, info)
{
	struct carom_info info = { .size = sizeof(info) };

	ASSERT_EQ(0, ioctl(self->dev, CAROM_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(CAROM_ABI_VERSION, info.abi);
	EXPECT_EQ(0, info.features);
	EXPECT_LE(1, info.max_slots);
	EXPECT_GE(CAROM_MAX_SLOTS, info.max_slots);
	EXPECT_GE(CAROM_MAX_HOPS, info.max_hops);
	EXPECT_GE(CAROM_MAX_DEADLINE_MS, info.max_deadline_ms);
	EXPECT_EQ(CAROM_MAX_NODE_SIZE, info.max_node_size);
	EXPECT_EQ(CAROM_MAX_SCRATCH_SIZE, info.max_scratch_size);
	EXPECT_EQ(0, info.reserved);
}

/* Who has a shorter structure gets no more than that. */
TEST_F(abi, info_sizes)
{
	struct carom_info info;
	__u32 size;

	for (size = 0; size < offsetof(struct carom_info, features); size++) {
		info.size = size;
		EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_INFO, &info));
		EXPECT_EQ(EINVAL, errno);
	}
	memset(&info, 0xaa, sizeof(info));
	info.size = offsetof(struct carom_info, features);
	ASSERT_EQ(0, ioctl(self->dev, CAROM_IOC_INFO, &info));
	EXPECT_EQ(CAROM_ABI_VERSION, info.abi);
	EXPECT_EQ(0xaaaaaaaaaaaaaaaaULL, info.features);
	EXPECT_EQ(0xaaaaaaaaU, info.reserved);
	/* And who has a longer one what there is. */
	info.size = 2 * sizeof(info);
	ASSERT_EQ(0, ioctl(self->dev, CAROM_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
}

TEST_F(abi, bad_pointers)
{
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_INFO, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(abi, open_sizes)
{
	struct {
		struct carom_open arg;
		__u64 more;
		char page[65536];
	} later = { .arg = script_arg() };

	later.arg.fd = self->file;
	later.arg.size = sizeof(later.arg) - 1;
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, &later));
	EXPECT_EQ(EINVAL, errno);
	later.arg.size = 0;
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, &later));
	EXPECT_EQ(EINVAL, errno);
	later.arg.size = sizeof(later);
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, &later));
	EXPECT_EQ(E2BIG, errno);
	/* What a later version has more is fine as long as it is not used. */
	later.arg.size = sizeof(later.arg) + sizeof(later.more);
	later.more = 1;
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, &later));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(CAROM_REFUSED_NOT, later.arg.refusal);
	later.more = 0;
	EXPECT_EQ(-1, ioctl(self->dev, CAROM_IOC_OPEN, &later));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(CAROM_REFUSED_FILESYSTEM, later.arg.refusal);
}

/* What is wrong with the arguments is said by their names, whatever the file is. */
FIXTURE(argument) {
	int dev;
	int file;
};

FIXTURE_VARIANT(argument) {
	struct carom_open arg;
	const char *detail;
};

FIXTURE_VARIANT_ADD(argument, flags) {
	.arg = { .node_size = 4096, .scratch_size = 64, .nr_slots = 1, .flags = 1U << 1 },
	.detail = "flags",
};

FIXTURE_VARIANT_ADD(argument, no_slots) {
	.arg = { .node_size = 4096, .scratch_size = 64 },
	.detail = "nr_slots",
};

FIXTURE_VARIANT_ADD(argument, too_many_slots) {
	.arg = { .node_size = 4096, .scratch_size = 64, .nr_slots = CAROM_MAX_SLOTS + 1 },
	.detail = "nr_slots",
};

FIXTURE_VARIANT_ADD(argument, small_node) {
	.arg = { .node_size = 256, .scratch_size = 64, .nr_slots = 1 },
	.detail = "node_size",
};

FIXTURE_VARIANT_ADD(argument, odd_node) {
	.arg = { .node_size = 4097, .scratch_size = 64, .nr_slots = 1 },
	.detail = "node_size",
};

FIXTURE_VARIANT_ADD(argument, large_node) {
	.arg = { .node_size = 131072, .scratch_size = 64, .nr_slots = 1 },
	.detail = "node_size",
};

FIXTURE_VARIANT_ADD(argument, no_scratch) {
	.arg = { .node_size = 4096, .nr_slots = 1 },
	.detail = "scratch_size",
};

FIXTURE_VARIANT_ADD(argument, large_scratch) {
	.arg = { .node_size = 4096, .scratch_size = CAROM_MAX_SCRATCH_SIZE + 1, .nr_slots = 1 },
	.detail = "scratch_size",
};

FIXTURE_VARIANT_ADD(argument, hops) {
	.arg = { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
		 .max_hops = CAROM_MAX_HOPS + 1 },
	.detail = "max_hops",
};

FIXTURE_VARIANT_ADD(argument, deadline) {
	.arg = { .node_size = 4096, .scratch_size = 64, .nr_slots = 1,
		 .deadline_ms = CAROM_MAX_DEADLINE_MS + 1 },
	.detail = "deadline_ms",
};

FIXTURE_SETUP(argument)
{
	self->file = -1;
	self->dev = open(CAROM_DEV, O_RDWR | O_CLOEXEC);
	if (no_device(self->dev))
		SKIP(return, "%s", no_device(self->dev));
	self->file = memfd_create("carom", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(argument)
{
	close(self->file);
	close(self->dev);
}

TEST_F(argument, refused)
{
	struct carom_open arg = variant->arg;

	EXPECT_EQ(-EINVAL, carom_open(self->dev, self->file, &arg));
	EXPECT_EQ(CAROM_REFUSED_ARGUMENT, arg.refusal);
	EXPECT_STREQ(variant->detail, arg.detail);
}

TEST_HARNESS_MAIN
