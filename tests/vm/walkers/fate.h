/* SPDX-License-Identifier: GPL-2.0 */
/* A walker that the test tells what to return, and when. */
#ifndef CAROM_FATE_H
#define CAROM_FATE_H

#include <linux/types.h>

/* In the scratch. */
struct fate_query {
	__u32 hops;	/* in: how many nodes to follow first, as the trivial format has them */
	__u32 node_size; /* out: as the last step saw it, like the following */
	__s64 ret;	/* in: what to return then */
	__u64 offset;
	__u64 index;
	__u64 id;
};

#endif /* CAROM_FATE_H */
