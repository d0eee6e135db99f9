// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chase.h"

/* Sattolo's algorithm: a permutation that is a single cycle. */
static uint32_t *one_cycle(unsigned int nodes, unsigned int seed)
{
	uint32_t *next = calloc(nodes, sizeof(*next));
	unsigned int i, j;
	uint32_t tmp;

	if (!next)
		return NULL;
	for (i = 0; i < nodes; i++)
		next[i] = i;
	for (i = nodes - 1; i > 0; i--) {
		j = (unsigned int)rand_r(&seed) % i;
		tmp = next[i];
		next[i] = next[j];
		next[j] = tmp;
	}
	return next;
}

/* The number stands at both ends, so that a node that has arrived in part is seen. */
static void fill_node(void *buf, unsigned int size, __u64 id, __u64 next)
{
	struct chase_node node = { .id = id, .next = next };

	memset(buf, (int)id, size);
	memcpy(buf, &node, sizeof(node));
	memcpy((char *)buf + size - sizeof(id), &id, sizeof(id));
}

static int write_nodes(int fd, const uint32_t *next, unsigned int size, unsigned int stride,
		       unsigned int nodes)
{
	void *buf = malloc(size);
	unsigned int i;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (i = 0; i < nodes && !err; i++) {
		fill_node(buf, size, i, (__u64)next[i] * stride);
		if (pwrite(fd, buf, size, (off_t)i * stride) != (ssize_t)size)
			err = errno ? -errno : -EIO;
	}
	free(buf);
	return err ?: fsync(fd) ? -errno : 0;
}

int chase_write_apart(int fd, unsigned int size, unsigned int stride, unsigned int nodes,
		      unsigned int seed)
{
	uint32_t *next = one_cycle(nodes, seed);
	int err = next ? write_nodes(fd, next, size, stride, nodes) : -ENOMEM;

	free(next);
	return err;
}

int chase_write(int fd, unsigned int size, unsigned int nodes, unsigned int seed)
{
	return chase_write_apart(fd, size, size, nodes, seed);
}

int chase_build(const char *path, unsigned int stride, unsigned int nodes, unsigned int seed)
{
	int fd, err;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = chase_write_apart(fd, CHASE_NODE_SIZE, stride, nodes, seed);
	close(fd);
	return err;
}

int chase_expect(int fd, __u64 offset, unsigned int depth, __u64 *id)
{
	struct chase_node node = { .next = offset };

	while (depth--) {
		if (pread(fd, &node, sizeof(node), (off_t)node.next) != (ssize_t)sizeof(node))
			return errno ? -errno : -EIO;
	}
	*id = node.id;
	return 0;
}
