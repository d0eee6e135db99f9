/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_CRC32C_QUERY_H
#define CAROM_CRC32C_QUERY_H

#include <linux/types.h>

/* In the scratch. */
struct crc32c_query {
	__u32 node_off;	/* in: arguments of carom_crc32c() */
	__u32 len;
	__u32 seed;
	__u32 pad;
	__s64 ret;	/* out: what it returned */
};

#endif /* CAROM_CRC32C_QUERY_H */
