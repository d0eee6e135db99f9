// SPDX-License-Identifier: GPL-2.0
/* A sealed file: who is kept from what, and that it ends with the last session. */
#include <sys/vfs.h>

#include <linux/magic.h>

#include "test.h"

FIXTURE(seal) {
	struct script s;
	bool xfs;
};

FIXTURE_SETUP(seal)
{
	static const struct script_node nodes[] = {
		{ CAROM_STEP_DONE, 1 },
		{ CAROM_STEP_MISS, 2 },
	};
	struct carom_open arg = script_arg();
	struct statfs st;
	const char *why;

	ASSERT_EQ(0, script_setup(&self->s, "seal", &why));
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, script_write(self->s.path, nodes, 2));
	ASSERT_EQ(0, statfs(self->s.path, &st));
	self->xfs = st.f_type == XFS_SUPER_MAGIC;
	ASSERT_EQ(0, script_open(&self->s, &arg));
}

FIXTURE_TEARDOWN(seal)
{
	script_teardown(&self->s);
}

static int errno_of(long ret)
{
	if (ret >= 0)
		close(ret);
	return ret < 0 ? errno : 0;
}

#define OPEN(flags) errno_of(open(self->s.path, (flags) | O_CLOEXEC))

TEST_F(seal, writers)
{
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY));
	EXPECT_EQ(ETXTBSY, OPEN(O_RDWR));
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY | O_APPEND));
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY | O_DIRECT));
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY | O_TRUNC));
	EXPECT_EQ(ETXTBSY, OPEN(O_RDWR | O_CREAT));
	EXPECT_EQ(-1, truncate(self->s.path, 0));
	EXPECT_EQ(ETXTBSY, errno);
}

TEST_F(seal, writers_by_another_name)
{
	char path[64];
	int fd = open(self->s.path, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(ETXTBSY, errno_of(open(path, O_WRONLY | O_CLOEXEC)));
	close(fd);
}

TEST_F(seal, readers)
{
	struct script_node node;
	int fd = open(self->s.path, O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(node), pread(fd, &node, sizeof(node), SCRIPT_NODE));
	EXPECT_EQ(2, node.value);
	EXPECT_NE(MAP_FAILED, mmap(NULL, SCRIPT_NODE, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);
}

/* What XFS has of its own to share blocks with is kept away with a mark that forbids this. */
TEST_F(seal, names)
{
	char path[PATH_MAX];
	int ret;

	ASSERT_NE(NULL, test_path(path, "renamed"));
	ret = rename(self->s.path, path);
	if (self->xfs) {
		EXPECT_EQ(-1, ret);
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-1, unlink(self->s.path));
		EXPECT_EQ(EPERM, errno);
		return;
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, unlink(path));
}

/* The session goes on with a file that has no name any more. */
TEST_F(seal, lookups)
{
	struct carom_lookup res;

	ASSERT_TRUE(self->xfs || !unlink(self->s.path));
	ASSERT_EQ(0, script_lookup(&self->s, 0, SCRIPT_NODE, &res));
	EXPECT_EQ(CAROM_END_MISS, res.end);
	EXPECT_EQ(2, script_query(&self->s, 0)->sum);
}

TEST_F(seal, closed)
{
	struct carom_open arg = script_arg();
	struct script other = self->s;

	ASSERT_EQ(0, script_open(&other, &arg));
	script_close(&self->s);
	/* There is another session. */
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY));
	/* And what keeps a session is its memory, too. */
	close(other.fd);
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY));
	munmap((void *)other.nodes, (size_t)other.open.nr_slots * other.open.node_stride);
	munmap(other.scratch, (size_t)other.open.nr_slots * other.open.scratch_stride);
	EXPECT_EQ(0, OPEN(O_WRONLY));
	EXPECT_EQ(0, truncate(self->s.path, 0));
	EXPECT_EQ(0, unlink(self->s.path));
}

/* A session that only maps seals as well. */
TEST_F(seal, map_only)
{
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	int file = open(self->s.path, O_RDONLY | O_CLOEXEC);
	int fd;

	ASSERT_LE(0, file);
	fd = carom_open(self->s.dev, file, &arg);
	ASSERT_LE(0, fd);
	close(file);
	script_close(&self->s);
	EXPECT_EQ(ETXTBSY, OPEN(O_WRONLY));
	close(fd);
	EXPECT_EQ(0, OPEN(O_WRONLY));
}

TEST_HARNESS_MAIN
