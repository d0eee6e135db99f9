/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The native side of <carom/walker.h>: the same calls that a walker makes as
 * kfuncs in the kernel, with the same bounds and the same answers.
 */
#ifndef CAROM_NATIVE_H
#define CAROM_NATIVE_H

#include <stddef.h>
#include <string.h>
#include <linux/carom.h>

/**
 * struct carom_hop - one completed read, as a step sees it
 * @offset: file offset of the node, in bytes
 * @index: 0 for the first node of the chain
 * @node_size: bytes in the node
 *
 * The other members are the native runner's own.
 */
struct carom_hop {
	__u64 offset;
	__u32 index;
	__u32 node_size;
	const __u8 *node;
	__u8 *scratch;
	__u32 scratch_size;
};

/**
 * struct carom_native_walker - a walker built for user space
 * @name: the name that its BPF twin is loaded under
 * @abi: CAROM_ABI_VERSION that it was built for
 * @node_size: bytes of a node
 * @scratch_size: bytes of scratch it needs
 * @step: the walker
 */
struct carom_native_walker {
	const char *name;
	__u32 abi;
	__u32 node_size;
	__u32 scratch_size;
	__s64 (*step)(struct carom_hop *hop);
};

static inline const __u8 *carom_node(struct carom_hop *hop, const size_t size)
{
	return size <= hop->node_size ? hop->node : NULL;
}

static inline __u8 *carom_scratch(struct carom_hop *hop, const size_t size)
{
	return size <= hop->scratch_size ? hop->scratch : NULL;
}

static inline int carom_range_ok(__u32 off, __u32 len, __u32 size)
{
	return off <= size && len <= size - off;
}

static inline int carom_cmp(struct carom_hop *hop, __u32 node_off, __u32 node_len,
			    __u32 scratch_off, __u32 scratch_len)
{
	__u32 len = node_len < scratch_len ? node_len : scratch_len;
	int diff;

	if (!carom_range_ok(node_off, node_len, hop->node_size) ||
	    !carom_range_ok(scratch_off, scratch_len, hop->scratch_size))
		return CAROM_CMP_FAULT;
	diff = memcmp(hop->node + node_off, hop->scratch + scratch_off, len);
	if (diff)
		return diff < 0 ? -1 : 1;
	if (node_len == scratch_len)
		return 0;
	return node_len < scratch_len ? -1 : 1;
}

static inline int carom_copy(struct carom_hop *hop, __u32 scratch_off, __u32 node_off, __u32 len)
{
	if (!carom_range_ok(node_off, len, hop->node_size) ||
	    !carom_range_ok(scratch_off, len, hop->scratch_size))
		return CAROM_COPY_FAULT;
	memcpy(hop->scratch + scratch_off, hop->node + node_off, len);
	return 0;
}

static inline __u32 carom_le16(const __u8 *p)
{
	return p[0] | (__u32)p[1] << 8;
}

/* carom_cmp() with the key of entry @i, or CAROM_CMP_FAULT. @head: what an entry has at least. */
static inline int carom_cmp_entry(struct carom_hop *hop, const struct carom_keys *k, __u32 head,
				  __u32 i, __u32 scratch_off, __u32 scratch_len)
{
	__u32 at = carom_le16(hop->node + k->table + 2 * i), len;

	if (at > hop->node_size - head)
		return CAROM_CMP_FAULT;
	len = carom_le16(hop->node + at + k->len_at);
	if (!len)
		return CAROM_CMP_FAULT;
	return carom_cmp(hop, at + k->key_at, len, scratch_off, scratch_len);
}

static inline __s64 carom_search(struct carom_hop *hop, const struct carom_keys *k,
				 __u32 scratch_off, __u32 scratch_len)
{
	__u32 head = k->len_at + 2u > k->key_at ? k->len_at + 2u : k->key_at;
	__u32 low = 0, high = k->nr, mid;
	int cmp;

	if (k->table + 2 * (__u64)k->nr > hop->node_size || head > hop->node_size ||
	    !carom_range_ok(scratch_off, scratch_len, hop->scratch_size))
		return CAROM_SEARCH_FAULT;
	while (low < high) {
		mid = (low + high) / 2;
		cmp = carom_cmp_entry(hop, k, head, mid, scratch_off, scratch_len);
		if (cmp == CAROM_CMP_FAULT)
			return -1 - (__s64)mid;
		if (!cmp)
			return (__s64)mid << 1 | 1;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (__s64)low << 1;
}

/* The polynomial is linear: what a byte does is what its halves do. */
static inline __s64 carom_crc32c(struct carom_hop *hop, __u32 node_off, __u32 len, __u32 seed)
{
	static const __u32 low[16] = {
		0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c,
		0x26a1e7e8, 0xd4ca64eb, 0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
		0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
	};
	static const __u32 high[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	__u32 crc = seed, i;

	if (!carom_range_ok(node_off, len, hop->node_size))
		return CAROM_CRC32C_FAULT;
	for (i = 0; i < len; i++) {
		crc ^= hop->node[node_off + i];
		crc = crc >> 8 ^ low[crc & 15] ^ high[crc >> 4 & 15];
	}
	return crc;
}

#define CAROM_WALKER(_name, _node_size, _scratch_size)				\
static __s64 _name##_step(struct carom_hop *hop);				\
const struct carom_native_walker carom_walker_##_name = {			\
	.name = #_name,								\
	.abi = CAROM_ABI_VERSION,						\
	.node_size = (_node_size),						\
	.scratch_size = (_scratch_size),					\
	.step = _name##_step,							\
};										\
static __s64 _name##_step(struct carom_hop *hop)

#endif /* CAROM_NATIVE_H */
