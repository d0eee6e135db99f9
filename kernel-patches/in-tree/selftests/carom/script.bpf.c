// SPDX-License-Identifier: GPL-2.0
/* The walker of script.h. */
#include "carom.bpf.h"
#include "script.h"

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
