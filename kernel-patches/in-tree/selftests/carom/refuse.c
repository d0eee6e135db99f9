// SPDX-License-Identifier: GPL-2.0
/* Which files are refused, and why. */
#include <sys/syscall.h>

#include "test.h"

#define NOBODY	65534

FIXTURE(refuse) {
	struct script s;
};

FIXTURE_SETUP(refuse)
{
	static const struct script_node nodes[] = { { CAROM_STEP_DONE, 1 } };
	const char *why;

	ASSERT_EQ(0, script_setup(&self->s, "refuse", &why));
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, script_write(self->s.path, nodes, 1));
}

FIXTURE_TEARDOWN(refuse)
{
	script_teardown(&self->s);
}

#define EXPECT_REFUSED(err, reason, text, file) do {				\
	struct carom_open _arg = script_arg();					\
										\
	EXPECT_EQ(-(err), carom_open(self->s.dev, file, &_arg));		\
	EXPECT_EQ(reason, _arg.refusal);					\
	EXPECT_STREQ(text, _arg.detail);					\
} while (0)

/* The same file is taken by who asks properly. */
TEST_F(refuse, not)
{
	struct carom_open arg = script_arg();

	ASSERT_EQ(0, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_NOT, self->s.open.refusal);
	EXPECT_EQ(SCRIPT_NODE, self->s.open.file_size);
	EXPECT_EQ(1, self->s.open.nr_extents);
	EXPECT_LE(9, self->s.open.lba_shift);
}

TEST_F(refuse, no_descriptor)
{
	EXPECT_REFUSED(EBADF, CAROM_REFUSED_NOT_READABLE, "", -1);
}

TEST_F(refuse, write_only)
{
	int fd = open(self->s.path, O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_REFUSED(EBADF, CAROM_REFUSED_NOT_READABLE, "", fd);
	close(fd);
}

TEST_F(refuse, writer)
{
	int fd = open(self->s.path, O_RDWR | O_CLOEXEC);
	int reader = open(self->s.path, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, reader);
	EXPECT_REFUSED(ETXTBSY, CAROM_REFUSED_WRITER, "", reader);
	EXPECT_REFUSED(ETXTBSY, CAROM_REFUSED_WRITER, "", fd);
	close(fd);
	close(reader);
}

TEST_F(refuse, directory)
{
	int fd = open(getenv("CAROM_TEST_DIR"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_REFUSED(EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE, "directory", fd);
	close(fd);
}

TEST_F(refuse, pipe)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_REFUSED(EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE, "special file", fds[0]);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(refuse, filesystem)
{
	int fd = memfd_create("carom", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, SCRIPT_NODE));
	EXPECT_REFUSED(EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM, "tmpfs", fd);
	close(fd);
}

TEST_F(refuse, empty)
{
	int fd;

	ASSERT_EQ(0, truncate(self->s.path, 0));
	fd = open(self->s.path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_REFUSED(ENODATA, CAROM_REFUSED_EMPTY, "", fd);
	close(fd);
}

/* Of this thread: glibc would ask all of a process. */
static int become(uid_t uid)
{
	return syscall(SYS_setresuid, -1, uid, -1);
}

/* Who may read a file must not be able to keep others from writing to it. */
TEST_F(refuse, stranger)
{
	int fd = open(self->s.path, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_REFUSED(EPERM, CAROM_REFUSED_NOT_OWNER, "", fd);
	ASSERT_EQ(0, become(0));
	close(fd);
}

/* Its owner need not be privileged, once he has been given the device. */
TEST_F(refuse, owner)
{
	struct carom_open arg = script_arg();
	int fd = open(self->s.path, O_RDONLY | O_CLOEXEC);
	int session;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchown(fd, NOBODY, -1));
	ASSERT_EQ(0, become(NOBODY));
	session = carom_open(self->s.dev, fd, &arg);
	EXPECT_LE(0, session);
	EXPECT_EQ(CAROM_REFUSED_NOT, arg.refusal);
	close(session);
	ASSERT_EQ(0, become(0));
	close(fd);
}

TEST_F(refuse, no_walker)
{
	struct carom_open arg = script_arg();

	snprintf(arg.walker, sizeof(arg.walker), "nobody");
	EXPECT_EQ(-ENOENT, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_NO_WALKER, self->s.open.refusal);
	EXPECT_STREQ("nobody", self->s.open.detail);
}

TEST_F(refuse, walker_gone)
{
	struct carom_open arg = script_arg();

	bpf_link__destroy(self->s.link);
	self->s.link = NULL;
	EXPECT_EQ(-ENOENT, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_NO_WALKER, self->s.open.refusal);
}

TEST_F(refuse, walker_sizes)
{
	struct carom_open arg = script_arg();

	arg.node_size = 2 * SCRIPT_NODE;
	EXPECT_EQ(-EINVAL, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_WALKER_SIZE, self->s.open.refusal);
	EXPECT_STREQ(SCRIPT_WALKER, self->s.open.detail);
	arg = script_arg();
	arg.scratch_size--;
	EXPECT_EQ(-EINVAL, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_WALKER_SIZE, self->s.open.refusal);
}

TEST_HARNESS_MAIN
