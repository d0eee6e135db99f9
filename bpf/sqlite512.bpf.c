// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause
/* The walker of SQLite files with pages of 512 bytes. */
#define SQLITE_PAGE_SIZE	512
#include "sqlite_step.h"

CAROM_WALKER(sqlite512, SQLITE_PAGE_SIZE, CAROM_SQLITE_SCRATCH_SIZE)
{
	return sqlite_step(hop);
}
