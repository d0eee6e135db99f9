// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Backend pread: works wherever the file can be read.
 */
#include "lib.h"

static int pread_open(struct carom_index *ix, char *reason)
{
	(void)ix;
	(void)reason;
	return 0;
}

static void pread_close(struct carom_index *ix)
{
	(void)ix;
}

static int pread_run(struct carom_reader *rd)
{
	return carom_reader_chain(rd, carom_reader_read_node);
}

const struct carom_backend_ops carom_backend_pread = {
	.id = CAROM_BACKEND_PREAD,
	.open = pread_open,
	.close = pread_close,
	.mem_init = carom_reader_alloc_mem,
	.mem_exit = carom_reader_free_mem,
	.run = pread_run,
};
