// SPDX-License-Identifier: GPL-2.0
/* The walker of script.h. */
#include <stddef.h>
#include <linux/carom.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "script.h"

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

extern const __u8 *carom_node(struct carom_hop *hop, const size_t rdonly_buf_size) __ksym;
extern __u8 *carom_scratch(struct carom_hop *hop, const size_t rdwr_buf_size) __ksym;

SEC("struct_ops/script_step")
__s64 BPF_PROG(script_step, struct carom_hop *hop)
{
	const struct script_node *node = (const void *)carom_node(hop, sizeof(*node));
	struct script_query *query = (void *)carom_scratch(hop, sizeof(*query));

	if (!node || !query)
		return CAROM_STEP_FAIL(1);
	query->nodes++;
	query->sum += node->value;
	return node->next;
}

SEC(".struct_ops.link")
struct carom_walker_ops script = {
	.name = SCRIPT_WALKER,
	.abi = CAROM_ABI_VERSION,
	.node_size = SCRIPT_NODE,
	.scratch_size = sizeof(struct script_query),
	.step = (void *)script_step,
};

char _license[] SEC("license") = "GPL";
