// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/* The walker of many rowids in SQLite files with pages of 1024 bytes. */
#define SQLITE_PAGE_SIZE	1024
#include "sqlite_many.h"

CAROM_WALKER(sqlite1024_many, SQLITE_PAGE_SIZE, CAROM_SCAN_SCRATCH)
{
	return sqlite_many_step(hop);
}
