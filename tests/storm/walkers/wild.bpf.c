// SPDX-License-Identifier: GPL-2.0
#include <carom/walker.h>
#include "../../lib/chase.h"
#include "wild.h"

static __always_inline __s64 wild_scribble(__u8 *scratch, const struct chase_node *node)
{
	__u64 *words = (__u64 *)scratch;
	__u32 i;

	for (i = 0; i < WILD_SCRATCH / sizeof(*words); i++)
		words[i] = 0xbadbadbadbadbadbULL;
	return node->next;
}

CAROM_WALKER(wild, 4096, WILD_SCRATCH)
{
	const struct chase_node *node = (const void *)carom_node(hop, sizeof(*node));
	__u8 *scratch = carom_scratch(hop, WILD_SCRATCH);
	struct wild_query *query = (void *)scratch;

	if (!node || !query)
		return CAROM_STEP_FAIL(1);
	switch (query->mode) {
	case WILD_FOLLOW:
		query->id = node->id;
		return hop->index + 1 < query->depth ? (__s64)node->next : CAROM_STEP_DONE;
	case WILD_NUMBERS:
		return wild_number(&query->state);
	case WILD_MEDDLED:
		return *(volatile __s64 *)&query->ret;
	default:
		/* Also what a scribbler finds at its next node. */
		return wild_scribble(scratch, node);
	}
}
