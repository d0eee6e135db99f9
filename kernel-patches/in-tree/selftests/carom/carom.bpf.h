/* SPDX-License-Identifier: GPL-2.0 */
/* What a walker is written with. */
#ifndef SELFTESTS_CAROM_BPF_H
#define SELFTESTS_CAROM_BPF_H

#include <stddef.h>
#include <linux/carom.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The kernel's, of which libbpf finds the members by their names. */
struct carom_hop {
	__u64 offset;
	__u32 index;
	__u32 node_size;
} __attribute__((preserve_access_index));

struct carom_walker_ops {
	char name[CAROM_WALKER_NAME_LEN];
	__u32 abi;
	__u32 node_size;
	__u32 scratch_size;
	__s64 (*step)(struct carom_hop *hop);
};

const __u8 *carom_node(struct carom_hop *hop, const size_t rdonly_buf_size) __ksym;
__u8 *carom_scratch(struct carom_hop *hop, const size_t rdwr_buf_size) __ksym;

#endif /* SELFTESTS_CAROM_BPF_H */
