// SPDX-License-Identifier: GPL-2.0
/* Calls carom_crc32c() as the test says. */
#include <carom/walker.h>
#include "crc32c.h"

CAROM_WALKER(crc32c, 4096, sizeof(struct crc32c_query))
{
	struct crc32c_query *query = (void *)carom_scratch(hop, sizeof(*query));

	if (!query)
		return CAROM_STEP_FAIL(1);
	query->ret = carom_crc32c(hop, query->node_off, query->len, query->seed);
	return CAROM_STEP_DONE;
}
