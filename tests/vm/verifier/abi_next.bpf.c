// SPDX-License-Identifier: GPL-2.0
// expect: Protocol error
// carom: has ABI 2, this carom 1
/* Built for the next version of the interface. */
#include <carom/walker.h>

SEC("struct_ops/step")
__s64 BPF_PROG(step, struct carom_hop *hop)
{
	return CAROM_STEP_DONE;
}

SEC(".struct_ops.link")
struct carom_walker_ops ops = {
	.name = "fields",
	.abi = CAROM_ABI_VERSION + 1,
	.node_size = 4096,
	.scratch_size = 64,
	.step = (void *)step,
};

char _license[] SEC("license") = "GPL";
