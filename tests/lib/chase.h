/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trivial format that benchmarks and tests of the engine use: each node
 * starts with its own number and the file offset of the next node, and ends with
 * its number again. A query is how many nodes to visit.
 */
#ifndef CAROM_CHASE_H
#define CAROM_CHASE_H

#include <linux/types.h>

#define CHASE_NODE_SIZE	4096

struct chase_node {
	__u64 id;
	__u64 next;
};

/* In the scratch. */
struct chase_query {
	__u32 depth;	/* in: nodes to visit */
	__u32 pad;
	__u64 id;	/* out: number of the last one */
};

#ifndef __bpf__
/*
 * One cycle through @nodes nodes of @size bytes in random order, over what the
 * file has from its start, on stable storage. 0 or a negative errno.
 */
int chase_write(int fd, unsigned int size, unsigned int nodes, unsigned int seed);

/* The same with nodes that begin @stride bytes apart, and nothing between them. */
int chase_write_apart(int fd, unsigned int size, unsigned int stride, unsigned int nodes,
		      unsigned int seed);

/* The same as a new file, in nodes of CHASE_NODE_SIZE that begin @stride bytes apart. */
int chase_build(const char *path, unsigned int stride, unsigned int nodes, unsigned int seed);

/* What a walk of @depth nodes from @offset must find, by buffered reads of @fd. */
int chase_expect(int fd, __u64 offset, unsigned int depth, __u64 *id);
#endif

#endif /* CAROM_CHASE_H */
