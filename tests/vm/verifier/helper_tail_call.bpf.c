// SPDX-License-Identifier: GPL-2.0
// expect: program of this type cannot use helper bpf_tail_call#12
/* Chains of programs are bounded one by one and not in sum. */
#include <linux/bpf.h>
#include <carom/walker.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} programs SEC(".maps");

SEC("struct_ops/step")
__s64 step(__u64 *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
	return CAROM_STEP_DONE;
}

SEC(".struct_ops.link")
struct carom_walker_ops ops = {
	.name = "helper_tail_call",
	.abi = CAROM_ABI_VERSION,
	.node_size = 4096,
	.scratch_size = 64,
	.step = (void *)step,
};

char _license[] SEC("license") = "GPL";
