/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A carom.ko that is played: open, ioctl and mmap are wrapped, see rules.mk.
 */
#ifndef FAKE_MODULE_H
#define FAKE_MODULE_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib.h"
#include "fake_format.h"

#define MOD_EXTENTS	1000

/*
 * The module. It runs @abort_after hops of a chain and then ends it as
 * @abort_end, unless the walker ended it before.
 */
struct mod {
	int open_errno;
	__u32 abi;
	int refuse_errno;
	__u32 refusal;
	const char *detail;
	int lookup_errno;
	__u32 abort_end;
	__u32 abort_after;
	__u32 file_size;
	struct carom_open opened;
	int index_fd;
	int session_fd;
	__u8 *nodes;
	__u8 *scratch;
	struct carom_result *results;
	unsigned int lookups;
	__u32 last_slot;
	__u32 last_flags;
};

extern struct mod mod;

/* The index: nodes 0 -> 1 -> 2 -> 3 -> done; 5 <-> 6 */
extern char mod_path[256];

/* For each test: a module that aborts nothing, and the index. */
int mod_setup(void **state);
int mod_teardown(void **state);

/* CAROM_IOC_LOOKUP: 0, or -1 with errno. */
int mod_lookup(struct carom_lookup *res);

#endif /* FAKE_MODULE_H */
