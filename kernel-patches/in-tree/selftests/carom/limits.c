// SPDX-License-Identifier: GPL-2.0
/* What the administrator lets sessions have; and what a session is given if it asks for less. */
#include <time.h>

#include "test.h"

#define PARAMETERS "/sys/module/carom/parameters/"

FIXTURE(limits) {
	struct script s;
	unsigned int was;
};

FIXTURE_VARIANT(limits) {
	const char *name;
	struct carom_open more;		/* by one than @limit */
	unsigned int limit;
};

FIXTURE_VARIANT_ADD(limits, slots) {
	.name = "max_slots",
	.more = { .nr_slots = 4 },
	.limit = 3,
};

FIXTURE_VARIANT_ADD(limits, hops) {
	.name = "max_hops",
	.more = { .nr_slots = 1, .max_hops = 6 },
	.limit = 5,
};

FIXTURE_VARIANT_ADD(limits, deadline) {
	.name = "max_deadline_ms",
	.more = { .nr_slots = 1, .deadline_ms = 2001 },
	.limit = 2000,
};

static int read_parameter(const char *name, unsigned int *value)
{
	char path[PATH_MAX];
	FILE *f;
	int nr;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	nr = fscanf(f, "%u", value);
	fclose(f);
	return nr == 1 ? 0 : -EINVAL;
}

static int write_parameter(const char *name, unsigned int value)
{
	char path[PATH_MAX], text[16];
	int fd, len, err = 0;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%u\n", value);
	if (write(fd, text, len) != len)
		err = -errno;
	close(fd);
	return err;
}

/* A node that names itself. */
FIXTURE_SETUP(limits)
{
	static const struct script_node nodes[] = { { 0, 1 } };
	const char *why;

	ASSERT_EQ(0, script_setup(&self->s, "limits", &why));
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, script_write(self->s.path, nodes, 1));
	ASSERT_EQ(0, read_parameter(variant->name, &self->was));
}

/*
 * In the parent, so that it happens whatever becomes of the test, with whose process
 * the session and the walker go.
 */
FIXTURE_TEARDOWN_PARENT(limits)
{
	if (self->was)
		write_parameter(variant->name, self->was);
	unlink(self->s.path);
}

static struct carom_open arg_of(const struct carom_open *limits, unsigned int less)
{
	struct carom_open arg = script_arg();

	arg.nr_slots = limits->nr_slots > 1 ? limits->nr_slots - less : 1;
	arg.max_hops = limits->max_hops ? limits->max_hops - less : 0;
	arg.deadline_ms = limits->deadline_ms ? limits->deadline_ms - less : 0;
	return arg;
}

TEST_F(limits, refused)
{
	struct carom_open arg = arg_of(&variant->more, 0);

	ASSERT_EQ(0, write_parameter(variant->name, variant->limit));
	EXPECT_EQ(-EPERM, script_open(&self->s, &arg));
	EXPECT_EQ(CAROM_REFUSED_LIMIT, self->s.open.refusal);
	EXPECT_STREQ(variant->name, self->s.open.detail);
	arg = arg_of(&variant->more, 1);
	EXPECT_EQ(0, script_open(&self->s, &arg));
}

TEST_F(limits, nonsense)
{
	EXPECT_EQ(-EINVAL, write_parameter(variant->name, 0));
	EXPECT_EQ(-EINVAL, write_parameter(variant->name, 10001));
}

FIXTURE(endless) {
	struct script s;
};

FIXTURE_SETUP(endless)
{
	static const struct script_node nodes[] = { { 0, 1 } };
	const char *why;

	ASSERT_EQ(0, script_setup(&self->s, "endless", &why));
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, script_write(self->s.path, nodes, 1));
}

FIXTURE_TEARDOWN(endless)
{
	script_teardown(&self->s);
}

static unsigned long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000UL + ts.tv_nsec / 1000000;
}

TEST_F(endless, hops)
{
	struct carom_open arg = script_arg();
	struct carom_lookup res;

	arg.max_hops = 100;
	ASSERT_EQ(0, script_open(&self->s, &arg));
	ASSERT_EQ(0, script_lookup(&self->s, 0, 0, &res));
	EXPECT_EQ(CAROM_END_HOPS, res.end);
	EXPECT_EQ(100, res.hops);
	EXPECT_EQ(100, script_query(&self->s, 0)->sum);
}

/* A device that reads CAROM_MAX_HOPS nodes within a tick need not be found out. */
TEST_F(endless, deadline)
{
	struct carom_open arg = script_arg();
	struct carom_lookup res;
	unsigned long begun;

	arg.max_hops = CAROM_MAX_HOPS;
	arg.deadline_ms = 1;
	ASSERT_EQ(0, script_open(&self->s, &arg));
	begun = now_ms();
	ASSERT_EQ(0, script_lookup(&self->s, 0, 0, &res));
	if (res.end == CAROM_END_HOPS && now_ms() - begun < 20)
		SKIP(return, "%u reads took %lu ms", res.hops, now_ms() - begun);
	EXPECT_EQ(CAROM_END_DEADLINE, res.end);
	EXPECT_GT(CAROM_MAX_HOPS, res.hops);
	EXPECT_EQ(res.hops, script_query(&self->s, 0)->nodes);
}

TEST_HARNESS_MAIN
