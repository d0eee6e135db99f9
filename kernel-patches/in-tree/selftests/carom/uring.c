// SPDX-License-Identifier: GPL-2.0
/* Lookups as commands of an io_uring. */
#include "test.h"

#include <io_uring/mini_liburing.h>

#define NODE(i)		((__s64)(i) * SCRIPT_NODE)

static const struct script_node nodes[] = {
	{ NODE(3), 1 },
	{ CAROM_STEP_MISS, 2 },
	{ CAROM_STEP_FAIL(7), 4 },
	{ CAROM_STEP_DONE, 8 },
};

FIXTURE(uring) {
	struct script s;
	struct io_uring ring;
	bool up;
	const struct carom_result *results;
};

FIXTURE_SETUP(uring)
{
	struct carom_open arg = script_arg();
	const char *why;
	int err;

	ASSERT_EQ(0, script_setup(&self->s, "uring", &why));
	if (why)
		SKIP(return, "%s", why);
	err = io_uring_queue_init(8, &self->ring, 0);
	if (err)
		SKIP(return, "no io_uring");
	self->up = true;
	ASSERT_EQ(0, script_write(self->s.path, nodes, ARRAY_SIZE(nodes)));
	ASSERT_EQ(0, script_open(&self->s, &arg));
	self->results = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, self->s.fd,
			     CAROM_MMAP_RESULTS);
	ASSERT_NE(MAP_FAILED, self->results);
}

FIXTURE_TEARDOWN(uring)
{
	if (self->up)
		io_uring_queue_exit(&self->ring);
	if (self->results)
		munmap((void *)self->results, getpagesize());
	script_teardown(&self->s);
}

/* The ring has room for more than there ever are. */
static void send_command(struct io_uring *ring, int fd, __u32 op, const struct carom_uring *cmd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		abort();
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = op;
	sqe->user_data = cmd->slot;
	memcpy(sqe->cmd, cmd, sizeof(*cmd));
}

/* The next completion's result; @slot is whose it is. */
static int next_result(struct io_uring *ring, __u64 *slot)
{
	struct io_uring_cqe *cqe;
	int res;

	res = io_uring_wait_cqe(ring, &cqe);
	if (res)
		return res;
	res = cqe->res;
	*slot = cqe->user_data;
	io_uring_cqe_seen(ring);
	return res;
}

static int command(struct io_uring *ring, int fd, __u32 op, __u32 slot, __u32 flags, __u64 offset)
{
	const struct carom_uring cmd = { .slot = slot, .flags = flags, .offset = offset };
	__u64 data;
	int err;

	send_command(ring, fd, op, &cmd);
	err = io_uring_submit(ring);
	return err == 1 ? next_result(ring, &data) : -EIO;
}

#define LOOKUP(slot, flags, offset)						\
	command(&self->ring, self->s.fd, CAROM_URING_LOOKUP, slot, flags, offset)
#define CANCEL(slot, flags, offset)						\
	command(&self->ring, self->s.fd, CAROM_URING_CANCEL, slot, flags, offset)

TEST_F(uring, lookup)
{
	const struct carom_result *res = &self->results[1];

	EXPECT_EQ(CAROM_END_DONE, LOOKUP(1, 0, NODE(0)));
	EXPECT_EQ(CAROM_END_DONE, res->end);
	EXPECT_EQ(2, res->hops);
	EXPECT_EQ(0, res->code);
	EXPECT_EQ((__u64)NODE(3), res->at);
	EXPECT_EQ(1, res->sequence);
	EXPECT_EQ(2, script_query(&self->s, 1)->nodes);
	EXPECT_EQ(9, script_query(&self->s, 1)->sum);
	EXPECT_EQ(CAROM_END_MISS, LOOKUP(1, 0, NODE(1)));
	EXPECT_EQ(2, res->sequence);
	EXPECT_EQ(CAROM_END_WALKER, LOOKUP(1, 0, NODE(2)));
	EXPECT_EQ(7, res->code);
	EXPECT_EQ(CAROM_END_RANGE, LOOKUP(1, 0, NODE(4)));
	EXPECT_EQ(4, res->sequence);
	/* The other slot's has not been touched. */
	EXPECT_EQ(0, self->results[0].sequence);
}

/* Two at a time, and each knows its own. */
TEST_F(uring, two)
{
	const struct carom_uring first = { .slot = 0, .offset = NODE(1) };
	const struct carom_uring second = { .slot = 1, .offset = NODE(0) };
	int res[2];
	__u64 slot;
	int i;

	send_command(&self->ring, self->s.fd, CAROM_URING_LOOKUP, &first);
	send_command(&self->ring, self->s.fd, CAROM_URING_LOOKUP, &second);
	ASSERT_EQ(2, io_uring_submit(&self->ring));
	for (i = 0; i < 2; i++) {
		int end = next_result(&self->ring, &slot);

		ASSERT_GT(2, slot);
		res[slot] = end;
	}
	EXPECT_EQ(CAROM_END_MISS, res[0]);
	EXPECT_EQ(CAROM_END_DONE, res[1]);
}

TEST_F(uring, arguments)
{
	EXPECT_EQ(-EINVAL, LOOKUP(2, 0, 0));
	EXPECT_EQ(-EINVAL, LOOKUP(0, CAROM_LOOKUP_POLL, 0));
	EXPECT_EQ(-EINVAL, LOOKUP(0, 1U << 31, 0));
	EXPECT_EQ(-ENOTTY, command(&self->ring, self->s.fd, CAROM_IOC_LOOKUP, 0, 0, 0));
	EXPECT_EQ(-EINVAL, CANCEL(2, 0, 0));
	EXPECT_EQ(-EINVAL, CANCEL(0, 1, 0));
	EXPECT_EQ(-EINVAL, CANCEL(0, 0, 1));
	EXPECT_EQ(0, self->results[0].sequence);
}

TEST_F(uring, nowait)
{
	int res = LOOKUP(0, CAROM_LOOKUP_NOWAIT, NODE(0));

	EXPECT_TRUE(res == CAROM_END_DONE || res == -EAGAIN);
}

TEST_F(uring, nothing_to_cancel)
{
	EXPECT_EQ(-ENOENT, CANCEL(0, 0, 0));
	EXPECT_EQ(CAROM_END_DONE, LOOKUP(0, 0, NODE(0)));
	EXPECT_EQ(-ENOENT, CANCEL(0, 0, 0));
}

/* Lookups that nobody waits for are no trouble when the ring goes. */
TEST_F(uring, left_alone)
{
	const struct carom_uring cmd = { .slot = 0, .offset = NODE(0) };

	send_command(&self->ring, self->s.fd, CAROM_URING_LOOKUP, &cmd);
	ASSERT_EQ(1, io_uring_submit(&self->ring));
	io_uring_queue_exit(&self->ring);
	self->up = false;
}

TEST_HARNESS_MAIN
