/* SPDX-License-Identifier: GPL-2.0 */
/* libcarom's runner of chains, kept away from the fake reader, whose names are libcarom's too. */
#ifndef DIFFER_H
#define DIFFER_H

#include <stdbool.h>
#include <linux/carom.h>

/* As in struct carom_chain. */
struct differ_memory {
	__u8 *node;
	__u8 *scratch;
	int (*read)(void *ctx, __u64 offset);
	bool (*within)(void *ctx, __u64 end);
	void *ctx;
};

/* The LMDB walker from @start. */
struct carom_lookup differ_native(const struct differ_memory *mem, __u64 start);

#endif /* DIFFER_H */
