// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Where the value is that an LMDB lookup has found.
 */
#include <errno.h>
#include "lmdb.h"

/* Whole pages, as they lie. */
int lmdb_value_in_file(struct carom_reader *rd, __u64 at, size_t len, struct carom_value *val,
		       struct carom_error *err)
{
	__u64 page = at / CAROM_LMDB_PAGE, start = page * CAROM_LMDB_PAGE;
	size_t skip = at - start, all;
	__u8 *buf;
	int ret;

	all = (skip + len + CAROM_LMDB_PAGE - 1) / CAROM_LMDB_PAGE * CAROM_LMDB_PAGE;
	/* Before memory is asked for: a damaged length may be anything. */
	if (start + all > carom_reader_file_size(rd))
		return lmdb_truncated_error(rd, (start + all) / CAROM_LMDB_PAGE - 1, err);
	buf = carom_reader_buffer(rd, all);
	if (!buf)
		return lmdb_no_memory(err);
	ret = carom_reader_pread(rd, buf, all, start);
	if (ret == -ENODATA)
		return lmdb_truncated_error(rd, (start + all) / CAROM_LMDB_PAGE - 1, err);
	if (ret)
		return lmdb_read_error(rd, ret, err);
	val->data = buf + skip;
	val->len = len;
	return 0;
}

int lmdb_take_value(struct carom_reader *rd, struct carom_value *val, struct carom_error *err)
{
	const struct carom_lmdb_answer a = lmdb_scratch(rd)->answer;

	if (a.flags & CAROM_LMDB_IN_FILE)
		return lmdb_value_in_file(rd, a.value_at, a.value_len, val, err);
	if (a.value_off > CAROM_LMDB_PAGE || a.value_len > CAROM_LMDB_PAGE - a.value_off)
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	val->data = carom_reader_mem(rd)->node + a.value_off;
	val->len = a.value_len;
	return 0;
}
