// SPDX-License-Identifier: GPL-2.0
/* Lookups by ioctl: answers, ends, memory, the map, statistics. */
#include "test.h"

/* Where the nodes of the file are. Node 5 is a hole; the file ends within node 9. */
#define NODE(i)		((__s64)(i) * SCRIPT_NODE)
#define HOLE		5
#define NODES		9
#define HOPS		16

static const struct script_node nodes[NODES] = {
	{ NODE(7), 1 },
	{ CAROM_STEP_MISS, 2 },
	{ CAROM_STEP_DONE, 4 },
	{ NODE(3), 8 },			/* never ends */
	{ CAROM_STEP_FAIL(42), 16 },
	{ 0, 0 },			/* the hole */
	{ NODE(HOLE), 32 },
	{ NODE(2), 64 },
	{ NODE(NODES), 128 },		/* there is no whole node */
};

FIXTURE(lookup) {
	struct script s;
};

FIXTURE_SETUP(lookup)
{
	struct carom_open arg = script_arg();
	const char *why;
	int fd;

	arg.max_hops = HOPS;
	ASSERT_EQ(0, script_setup(&self->s, "lookup", &why));
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, script_write(self->s.path, nodes, NODES));
	fd = open(self->s.path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, NODE(HOLE),
			       SCRIPT_NODE));
	ASSERT_EQ(0, ftruncate(fd, NODE(NODES) + SCRIPT_NODE / 2));
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	ASSERT_EQ(0, script_open(&self->s, &arg)) {
		TH_LOG("refusal %u %s", self->s.open.refusal, self->s.open.detail);
	}
}

FIXTURE_TEARDOWN(lookup)
{
	script_teardown(&self->s);
}

/**
 * struct outcome - what is to come of a lookup
 * @end: see struct carom_lookup
 * @hops: likewise, and what the walker has counted
 * @code: see struct carom_lookup
 * @at: likewise
 * @sum: of what the walker has seen
 */
struct outcome {
	__u32 end;
	__u32 hops;
	__s32 code;
	__u64 at;
	__u64 sum;
};

static void expect(struct __test_metadata *_metadata, const struct script *s, __u32 slot,
		   __u64 start, const struct outcome *want)
{
	struct carom_lookup res;

	ASSERT_EQ(0, script_lookup(s, slot, start, &res));
	EXPECT_EQ(want->end, res.end);
	EXPECT_EQ(want->hops, res.hops);
	EXPECT_EQ(want->code, res.code);
	EXPECT_EQ(want->at, res.at);
	EXPECT_EQ(want->hops, script_query(s, slot)->nodes);
	EXPECT_EQ(want->sum, script_query(s, slot)->sum);
}

#define EXPECT_LOOKUP(slot, start, ...)							\
	expect(_metadata, &self->s, slot, start, &(struct outcome) { __VA_ARGS__ })

TEST_F(lookup, done)
{
	EXPECT_LOOKUP(0, NODE(0), CAROM_END_DONE, 3, 0, NODE(2), 69);
	EXPECT_LOOKUP(0, NODE(2), CAROM_END_DONE, 1, 0, NODE(2), 4);
	EXPECT_LOOKUP(1, NODE(7), CAROM_END_DONE, 2, 0, NODE(2), 68);
}

/* The last node is in the slot's memory, as the file has it. */
TEST_F(lookup, node)
{
	const struct script_node *node;

	EXPECT_LOOKUP(1, NODE(0), CAROM_END_DONE, 3, 0, NODE(2), 69);
	node = (const void *)(self->s.nodes + self->s.open.node_stride);
	EXPECT_EQ(CAROM_STEP_DONE, node->next);
	EXPECT_EQ(4, node->value);
}

TEST_F(lookup, miss)
{
	EXPECT_LOOKUP(0, NODE(1), CAROM_END_MISS, 1, 0, NODE(1), 2);
}

TEST_F(lookup, walker)
{
	EXPECT_LOOKUP(0, NODE(4), CAROM_END_WALKER, 1, 42, NODE(4), 16);
}

TEST_F(lookup, hops)
{
	EXPECT_LOOKUP(0, NODE(3), CAROM_END_HOPS, HOPS, 0, NODE(3), 8 * HOPS);
}

TEST_F(lookup, hole)
{
	EXPECT_LOOKUP(0, NODE(HOLE), CAROM_END_HOLE, 0, 0, NODE(HOLE), 0);
	EXPECT_LOOKUP(0, NODE(6), CAROM_END_HOLE, 1, 0, NODE(HOLE), 32);
}

TEST_F(lookup, range)
{
	EXPECT_LOOKUP(0, NODE(NODES), CAROM_END_RANGE, 0, 0, NODE(NODES), 0);
	EXPECT_LOOKUP(0, NODE(8), CAROM_END_RANGE, 1, 0, NODE(NODES), 128);
	EXPECT_LOOKUP(0, 1ULL << 63, CAROM_END_RANGE, 0, 0, 1ULL << 63, 0);
}

TEST_F(lookup, unaligned)
{
	EXPECT_LOOKUP(0, 1, CAROM_END_UNALIGNED, 0, 0, 1, 0);
	EXPECT_LOOKUP(0, NODE(1) + 256, CAROM_END_UNALIGNED, 0, 0, NODE(1) + 256, 0);
}

TEST_F(lookup, arguments)
{
	struct carom_lookup arg;

	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_LOOKUP, NULL));
	EXPECT_EQ(EFAULT, errno);
	arg = (struct carom_lookup) { .slot = 2 };
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_LOOKUP, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg = (struct carom_lookup) { .flags = 1U << 3 };
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_LOOKUP, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg = (struct carom_lookup) { .flags = CAROM_LOOKUP_HYBRID };
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_LOOKUP, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg = (struct carom_lookup) { .reserved = 1 };
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_LOOKUP, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_OPEN, NULL));
	EXPECT_EQ(ENOTTY, errno);
}

/* Polling works whether there are queues for it or not. */
TEST_F(lookup, polled)
{
	struct carom_lookup arg = { .flags = CAROM_LOOKUP_POLL };

	ASSERT_EQ(0, ioctl(self->s.fd, CAROM_IOC_LOOKUP, &arg));
	EXPECT_EQ(CAROM_END_DONE, arg.end);
	EXPECT_EQ(3, arg.hops);
}

/* What the device writes, nobody else does. */
TEST_F(lookup, mappings)
{
	size_t size = (size_t)2 * self->s.open.node_stride;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->s.fd,
				   CAROM_MMAP_NODES));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ, MAP_PRIVATE, self->s.fd,
				   CAROM_MMAP_NODES));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size / 2, PROT_READ, MAP_SHARED, self->s.fd,
				   CAROM_MMAP_NODES));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect((void *)self->s.nodes, size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
}

/* The map is that of the file: everything but the hole, in order. */
TEST_F(lookup, extents)
{
	struct carom_extent ext[NODES + 1];
	struct carom_extents arg = {
		.size = sizeof(arg),
		.count = NODES + 1,
		.extents = (unsigned long)ext,
	};
	__u64 end = 0, bytes = 0;
	__u32 i;

	ASSERT_EQ(0, ioctl(self->s.fd, CAROM_IOC_EXTENTS, &arg));
	ASSERT_EQ(self->s.open.nr_extents, arg.count);
	ASSERT_LE(2, arg.count);
	for (i = 0; i < arg.count; i++) {
		EXPECT_LE(end, ext[i].offset);
		end = ext[i].offset + ext[i].length;
		bytes += ext[i].length;
		EXPECT_TRUE(end <= NODE(HOLE) || ext[i].offset >= NODE(HOLE + 1));
		EXPECT_NE(0, ext[i].lba);
	}
	EXPECT_EQ(NODE(NODES - 1), bytes);
	/* From the second on. */
	arg.first = 1;
	arg.count = NODES + 1;
	ASSERT_EQ(0, ioctl(self->s.fd, CAROM_IOC_EXTENTS, &arg));
	EXPECT_EQ(self->s.open.nr_extents - 1, arg.count);
	arg.size--;
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_EXTENTS, &arg));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(lookup, statistics)
{
	struct carom_stats st = { .size = sizeof(st) };

	EXPECT_LOOKUP(0, NODE(0), CAROM_END_DONE, 3, 0, NODE(2), 69);
	EXPECT_LOOKUP(0, NODE(1), CAROM_END_MISS, 1, 0, NODE(1), 2);
	ASSERT_EQ(0, ioctl(self->s.fd, CAROM_IOC_STATS, &st));
	EXPECT_EQ(2, st.lookups);
	EXPECT_EQ(4, st.hops);
	/* A read that the device has sent back, or one that a new leg has begun with. */
	EXPECT_EQ(2, st.resubmits + st.yields);
	EXPECT_EQ(1, st.ends[CAROM_END_DONE]);
	EXPECT_EQ(1, st.ends[CAROM_END_MISS]);
	st.size = 8;
	EXPECT_EQ(-1, ioctl(self->s.fd, CAROM_IOC_STATS, &st));
	EXPECT_EQ(EINVAL, errno);
}

/* Lookups of a session whose walker is gone say so. */
TEST_F(lookup, unloaded)
{
	struct carom_lookup res;

	bpf_link__destroy(self->s.link);
	self->s.link = NULL;
	ASSERT_EQ(0, script_lookup(&self->s, 0, NODE(0), &res));
	EXPECT_EQ(CAROM_END_UNLOADED, res.end);
	EXPECT_EQ(0, res.hops);
}

/* A session that only maps has no slots. */
TEST_F(lookup, map_only)
{
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	int file = open(self->s.path, O_RDONLY | O_CLOEXEC);
	struct carom_lookup res = { };
	int fd;

	ASSERT_LE(0, file);
	fd = carom_open(self->s.dev, file, &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(self->s.open.nr_extents, arg.nr_extents);
	EXPECT_EQ(-1, ioctl(fd, CAROM_IOC_LOOKUP, &res));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
	close(file);
}

TEST_HARNESS_MAIN
