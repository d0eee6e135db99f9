/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A format for tests of the library without LMDB: every node says what the step
 * returns, so that a test can script any chain.
 */
#ifndef FAKE_FORMAT_H
#define FAKE_FORMAT_H

#include <stddef.h>
#include <linux/types.h>

#define FAKE_NODE	4096
#define FAKE_MAGIC	0x66616b65

struct carom_reader;

/* A node: @ret is what the step returns on it. */
struct fake_node {
	__s64 ret;
	__u32 magic;
	__u32 value;
};

/* The scratch: which nodes the chain has seen, and in which order. */
struct fake_scratch {
	__u32 count;
	__u32 index;		/* hop.index of the last one */
	__u64 trail;		/* their values, one decimal digit each */
};

/* A lookup from the node at @offset; what it says if it succeeds goes to @answer. */
int fake_lookup(struct carom_reader *rd, __u64 offset, struct fake_scratch *answer);

/* Make a temporary file of @count nodes and @extra bytes; its path is static. */
const char *fake_file(const struct fake_node *nodes, size_t count, size_t extra);

#endif /* FAKE_FORMAT_H */
