// SPDX-License-Identifier: GPL-2.0
// expect: File exists
// carom: walker fields is loaded already
/* The first is registered, the second is not. */
#include <carom/walker.h>

SEC("struct_ops/step")
__s64 BPF_PROG(step, struct carom_hop *hop)
{
	return CAROM_STEP_DONE;
}

SEC(".struct_ops.link")
struct carom_walker_ops ops = {
	.name = "fields",
	.abi = CAROM_ABI_VERSION,
	.node_size = 4096,
	.scratch_size = 64,
	.step = (void *)step,
};

SEC(".struct_ops.link")
struct carom_walker_ops second = {
	.name = "fields",
	.abi = CAROM_ABI_VERSION,
	.node_size = 4096,
	.scratch_size = 64,
	.step = (void *)step,
};

char _license[] SEC("license") = "GPL";
