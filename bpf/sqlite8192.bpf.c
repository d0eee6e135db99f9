// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/* The walker of SQLite files with pages of 8192 bytes. */
#define SQLITE_PAGE_SIZE	8192
#include "sqlite_step.h"

CAROM_WALKER(sqlite8192, SQLITE_PAGE_SIZE, CAROM_SQLITE_SCRATCH_SIZE)
{
	return sqlite_step(hop);
}
