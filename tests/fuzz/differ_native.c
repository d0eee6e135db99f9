// SPDX-License-Identifier: GPL-2.0
#include "differ.h"
#include "../../user/lib/lib.h"

struct carom_lookup differ_native(const struct differ_memory *mem, __u64 start)
{
	const struct carom_chain chain = {
		.walker = mem->walker, .node = mem->node, .scratch = mem->scratch,
		.scratch_size = mem->scratch_size, .max_hops = CAROM_DEFAULT_HOPS,
		.read = mem->read, .within = mem->within, .ctx = mem->ctx,
	};
	struct carom_lookup res = { .offset = start, .at = start };

	carom_chain_run(&chain, &res);
	return res;
}
