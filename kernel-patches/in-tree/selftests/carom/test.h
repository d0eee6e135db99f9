/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of carom have in common. They want root, and most of them an
 * ext4 or XFS on a PCI NVMe namespace: CAROM_TEST_DIR is a directory there, in which
 * files are made and removed. What is missing is a reason to skip.
 */
#ifndef SELFTESTS_CAROM_TEST_H
#define SELFTESTS_CAROM_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/carom.h>

#include "../kselftest_harness.h"
#include "script.h"

#define CAROM_DEV	"/dev/carom"

/* Why there is nothing to test, or NULL. */
static inline const char *no_device(int dev)
{
	if (dev >= 0)
		return NULL;
	return errno == EACCES ? "needs root" : "no " CAROM_DEV ": CONFIG_CAROM is not there";
}

/* A path in CAROM_TEST_DIR, or NULL. */
static inline const char *test_path(char path[PATH_MAX], const char *name)
{
	const char *dir = getenv("CAROM_TEST_DIR");

	if (!dir)
		return NULL;
	snprintf(path, PATH_MAX, "%s/selftest-carom-%s", dir, name);
	return path;
}

/* A file of @nr nodes, on stable storage. 0 or a negative errno. */
static inline int script_write(const char *path, const struct script_node *nodes, size_t nr)
{
	char block[SCRIPT_NODE];
	int fd, err = 0;
	size_t i;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (i = 0; i < nr && !err; i++) {
		memset(block, 0, sizeof(block));
		memcpy(block, &nodes[i], sizeof(nodes[i]));
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			err = -EIO;
	}
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

/* CAROM_IOC_OPEN: the session's descriptor or a negative errno, @arg filled. */
static inline int carom_open(int dev, int file, struct carom_open *arg)
{
	int fd;

	arg->size = sizeof(*arg);
	arg->fd = file;
	fd = ioctl(dev, CAROM_IOC_OPEN, arg);
	return fd < 0 ? -errno : fd;
}

/* What the script walker's sessions are like. */
static inline struct carom_open script_arg(void)
{
	return (struct carom_open) {
		.node_size = SCRIPT_NODE,
		.scratch_size = sizeof(struct script_query),
		.nr_slots = 2,
		.walker = SCRIPT_WALKER,
	};
}

/**
 * struct script - the walker, a file of its format, and a session on that
 * @obj: the walker's BPF object
 * @link: keeps it registered
 * @dev: /dev/carom
 * @path: of the file
 * @open: as the kernel has answered
 * @fd: the session
 * @nodes: of all slots
 * @scratch: likewise
 */
struct script {
	struct bpf_object *obj;
	struct bpf_link *link;
	int dev;
	char path[PATH_MAX];
	struct carom_open open;
	int fd;
	const unsigned char *nodes;
	unsigned char *scratch;
};

/* Load the walker, which lives as long as the process. 0 or a negative errno. */
static inline int script_load(struct script *s)
{
	struct bpf_map *map;

	s->obj = bpf_object__open_file("script.bpf.o", NULL);
	if (!s->obj)
		return -errno;
	if (bpf_object__load(s->obj))
		return -errno;
	map = bpf_object__find_map_by_name(s->obj, "script");
	if (!map)
		return -ENOENT;
	s->link = bpf_map__attach_struct_ops(map);
	return s->link ? 0 : -errno;
}

/* A session on @s->path. 0 or a negative errno, @s->open saying why. */
static inline int script_open(struct script *s, const struct carom_open *arg)
{
	int file = open(s->path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return -errno;
	s->open = *arg;
	s->fd = carom_open(s->dev, file, &s->open);
	close(file);
	if (s->fd < 0)
		return s->fd;
	s->nodes = mmap(NULL, (size_t)arg->nr_slots * s->open.node_stride, PROT_READ,
			MAP_SHARED, s->fd, CAROM_MMAP_NODES);
	s->scratch = mmap(NULL, (size_t)arg->nr_slots * s->open.scratch_stride,
			  PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, CAROM_MMAP_SCRATCH);
	return s->nodes == MAP_FAILED || s->scratch == MAP_FAILED ? -errno : 0;
}

static inline void script_close(struct script *s)
{
	munmap((void *)s->nodes, (size_t)s->open.nr_slots * s->open.node_stride);
	munmap(s->scratch, (size_t)s->open.nr_slots * s->open.scratch_stride);
	close(s->fd);
	s->fd = -1;
}

static inline struct script_query *script_query(const struct script *s, __u32 slot)
{
	return (void *)(s->scratch + (size_t)slot * s->open.scratch_stride);
}

/* One lookup with an empty query. 0 or a negative errno. */
static inline int script_lookup(const struct script *s, __u32 slot, __u64 offset,
				struct carom_lookup *res)
{
	memset(script_query(s, slot), 0, sizeof(struct script_query));
	*res = (struct carom_lookup) { .slot = slot, .offset = offset };
	return ioctl(s->fd, CAROM_IOC_LOOKUP, res) ? -errno : 0;
}

/*
 * Everything up to the walker; @why is then why there is nothing to test, or NULL.
 * 0 or a negative errno.
 */
static inline int script_setup(struct script *s, const char *name, const char **why)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->dev = open(CAROM_DEV, O_RDWR | O_CLOEXEC);
	*why = no_device(s->dev);
	if (*why)
		return 0;
	if (!test_path(s->path, name)) {
		*why = "CAROM_TEST_DIR is not set: a directory on an NVMe namespace";
		return 0;
	}
	return script_load(s);
}

static inline void script_teardown(struct script *s)
{
	if (s->fd >= 0)
		script_close(s);
	if (s->path[0])
		unlink(s->path);
	bpf_link__destroy(s->link);
	bpf_object__close(s->obj);
	if (s->dev >= 0)
		close(s->dev);
}

#endif /* SELFTESTS_CAROM_TEST_H */
