// SPDX-License-Identifier: GPL-2.0
// expect: attach to unsupported member step of struct carom_walker_ops
// carom: no bound that the verifier has seen
/* Interrupts cannot sleep. */
#include <carom/walker.h>

SEC("struct_ops.s/sleepable_step")
__s64 BPF_PROG(sleepable_step, struct carom_hop *hop)
{
	return CAROM_STEP_DONE;
}

SEC(".struct_ops.link")
struct carom_walker_ops sleepable = {
	.name = "sleepable",
	.abi = CAROM_ABI_VERSION,
	.node_size = 4096,
	.scratch_size = 64,
	.step = (void *)sleepable_step,
};

char _license[] SEC("license") = "GPL";
