/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The BPF side of <carom/walker.h>: kfuncs of carom.ko and the struct_ops that
 * makes a function a walker. Build with clang -target bpf -O2 -g; load with
 * `carom walker load`.
 *
 * Kfuncs are called by a step only, with the step's own @hop, and in its context: hard
 * interrupt mostly, a polling task with preemption disabled otherwise. None of them
 * sleeps, allocates or takes a lock; each takes a time that the size of node and
 * scratch bounds. Where they are said to return NULL the verifier insists on a check.
 */
#ifndef CAROM_BPF_H
#define CAROM_BPF_H

#include <stddef.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/carom.h>

/**
 * struct carom_hop - one completed read, as a step sees it; read-only
 * @offset: file offset of the node, in bytes
 * @index: 0 for the first node of the chain
 * @node_size: bytes in the node, all of which have been read
 */
struct carom_hop {
	__u64 offset;
	__u32 index;
	__u32 node_size;
} __attribute__((preserve_access_index));

/*
 * The kernel's struct of this name; libbpf matches members by name. CAROM_WALKER()
 * fills it in.
 */
struct carom_walker_ops {
	char name[CAROM_WALKER_NAME_LEN];
	__u32 abi;
	__u32 node_size;
	__u32 scratch_size;
	__s64 (*step)(struct carom_hop *hop);
};

/**
 * carom_node() - the node just read
 * @hop: the step's argument
 * @rdonly_buf_size: constant; how many bytes of the node the walker will look at,
 *	from its start
 *
 * What the device has read does not change while the step runs.
 *
 * Return: read-only memory of that many bytes, until the step returns; NULL if the
 * node is smaller.
 */
extern const __u8 *carom_node(struct carom_hop *hop, const size_t rdonly_buf_size) __ksym;

/**
 * carom_scratch() - the slot's scratch area
 * @hop: the step's argument
 * @rdwr_buf_size: constant; how many bytes of it the walker will use, from its start
 *
 * Whoever holds the session can change this memory while the walker runs: read
 * a value once, check it, use the copy.
 *
 * Return: memory of that many bytes, NULL if the scratch is smaller.
 */
extern __u8 *carom_scratch(struct carom_hop *hop, const size_t rdwr_buf_size) __ksym;

/**
 * carom_cmp() - compare bytes of the node with bytes of the scratch
 * @hop: the step's argument
 * @node_off: where in the node, in bytes
 * @node_len: how many bytes of it; may be 0
 * @scratch_off: where in the scratch, in bytes
 * @scratch_len: how many bytes of it; may be 0
 *
 * Return: -1, 0 or 1 as memcmp() of the common length, then the shorter first;
 * CAROM_CMP_FAULT if a range is outside its memory.
 */
extern int carom_cmp(struct carom_hop *hop, __u32 node_off, __u32 node_len,
		     __u32 scratch_off, __u32 scratch_len) __ksym;

/**
 * carom_search() - find a key among those of a slotted page
 * @hop: the step's argument
 * @keys: where they are, all members set; the step's own memory (its stack)
 * @scratch_off: where in the scratch the key is, in bytes
 * @scratch_len: how many bytes it has
 *
 * Keys are ordered as carom_cmp() orders them. Looks at O(log) of the entries.
 *
 * Return: the first entry that is not less, index << 1, or'ed with 1 if it is
 * equal; -1 - index if that entry or its key is not within the node, or empty;
 * CAROM_SEARCH_FAULT if the table or the key asked for is outside its memory.
 */
extern __s64 carom_search(struct carom_hop *hop, const struct carom_keys *keys,
			  __u32 scratch_off, __u32 scratch_len) __ksym;

/**
 * carom_copy() - copy bytes of the node to the scratch
 * @hop: the step's argument
 * @scratch_off: where to, in bytes
 * @node_off: where from, in bytes
 * @len: how many bytes; may be 0
 *
 * Return: 0, or CAROM_COPY_FAULT if a range is outside its memory.
 */
extern int carom_copy(struct carom_hop *hop, __u32 scratch_off, __u32 node_off,
		      __u32 len) __ksym;

/**
 * carom_crc32c() - CRC-32C (Castagnoli) of bytes of the node
 * @hop: the step's argument
 * @node_off: where in the node, in bytes
 * @len: how many bytes of it; may be 0
 * @seed: ~0U to begin, what an earlier call has returned to go on behind it
 *
 * Not inverted at the end, so that calls can be strung together; most formats keep
 * ~(__u32) of it. Of "123456789" that is 0xe3069283.
 *
 * Return: 0 to 0xffffffff; CAROM_CRC32C_FAULT (negative) if the range is outside the
 * node.
 */
extern __s64 carom_crc32c(struct carom_hop *hop, __u32 node_off, __u32 len, __u32 seed) __ksym;

/* See <carom/walker.h>. One walker in an object, as its licence is in there, too. */
#define CAROM_WALKER(_name, _node_size, _scratch_size)				\
static __always_inline __s64 _name##_body(struct carom_hop *hop);		\
SEC("struct_ops/" #_name "_step")						\
__s64 BPF_PROG(_name##_step, struct carom_hop *hop)				\
{										\
	return _name##_body(hop);						\
}										\
SEC(".struct_ops.link")								\
struct carom_walker_ops _name = {						\
	.name = #_name,								\
	.abi = CAROM_ABI_VERSION,						\
	.node_size = (_node_size),						\
	.scratch_size = (_scratch_size),					\
	.step = (void *)_name##_step,						\
};										\
char _license[] SEC("license") = "GPL";						\
static __always_inline __s64 _name##_body(struct carom_hop *hop)

#endif /* CAROM_BPF_H */
