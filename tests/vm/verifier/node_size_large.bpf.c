// SPDX-License-Identifier: GPL-2.0
// expect: Invalid argument
// carom: a power of two from 512 to 65536
/* More than a slot can hold. */
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
	.node_size = 2 * CAROM_MAX_NODE_SIZE,
	.scratch_size = 64,
	.step = (void *)step,
};

char _license[] SEC("license") = "GPL";
