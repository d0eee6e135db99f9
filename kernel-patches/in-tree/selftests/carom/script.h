/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A format in which the file says what its walker does: each node begins with what
 * the walker returns, be it the offset of another node or how to end.
 */
#ifndef SELFTESTS_CAROM_SCRIPT_H
#define SELFTESTS_CAROM_SCRIPT_H

#include <linux/types.h>

#define SCRIPT_WALKER	"selftest_script"
#define SCRIPT_NODE	4096

struct script_node {
	__s64 next;
	__u64 value;
};

/* In the scratch. */
struct script_query {
	__u64 nodes;	/* that the walker has seen */
	__u64 sum;	/* of their values */
};

#endif /* SELFTESTS_CAROM_SCRIPT_H */
