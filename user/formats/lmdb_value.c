// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Where the value is that an LMDB lookup has found.
 */
#include <errno.h>
#include <string.h>
#include "lmdb.h"

/*
 * Pages of a value that a chain goes to, unless the caller says how much room there is.
 * They lie side by side, so they can as well be read at once, which takes more
 * instructions but waits for the device only once more: doc/performance.md.
 */
#define VALUE_PAGES	2

size_t lmdb_value_room(const struct carom_native_walker *walker, size_t share)
{
	size_t room = VALUE_PAGES * CAROM_LMDB_PAGE - CAROM_LMDB_PG_HDR;

	(void)walker;
	return room < share ? room : share;
}

__u32 lmdb_room(struct carom_reader *rd, unsigned int depth)
{
	const struct carom_reader_mem *mem = carom_reader_mem(rd);
	__u64 room, most;

	if (mem->max_hops <= depth || mem->scratch_size < CAROM_LMDB_AREA)
		return 0;
	room = mem->scratch_size - CAROM_LMDB_AREA;
	most = (__u64)(mem->max_hops - depth) * CAROM_LMDB_PAGE - CAROM_LMDB_PG_HDR;
	return (__u32)(room < most ? room : most);
}

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

int lmdb_compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return diff ? diff : (a_len > b_len) - (a_len < b_len);
}

/* What the walker "lmdb" checks of the first overflow page. 0 or -EBADMSG. */
static int check_overflow(struct carom_reader *rd, const __u8 *head, __u64 page, size_t len,
			  __u64 last_pg, struct carom_error *err)
{
	struct carom_lmdb_bad bad = { .page = page, .node = CAROM_LMDB_NO_NODE };
	__u32 pages;
	__u64 pgno;
	__u16 flags;

	memcpy(&pgno, head + CAROM_LMDB_PG_PGNO, sizeof(pgno));
	memcpy(&flags, head + CAROM_LMDB_PG_FLAGS, sizeof(flags));
	memcpy(&pages, head + CAROM_LMDB_PG_PAGES, sizeof(pages));
	bad.value = pgno;
	if (pgno != page)
		return lmdb_bad_error(rd, CAROM_LMDB_E_PGNO, &bad, err);
	bad.value = flags;
	if (flags != CAROM_LMDB_P_OVERFLOW)
		return lmdb_bad_error(rd, CAROM_LMDB_E_NOT_OVERFLOW, &bad, err);
	bad.value = pages;
	if ((__u64)pages * CAROM_LMDB_PAGE < CAROM_LMDB_PG_HDR + len ||
	    page + pages - 1 > last_pg)
		return lmdb_bad_error(rd, CAROM_LMDB_E_PAGES, &bad, err);
	return 0;
}

int lmdb_overflow_value(struct carom_reader *rd, __u64 page, size_t len, __u64 last_pg,
			struct carom_value *val, struct carom_error *err)
{
	int ret;

	ret = lmdb_value_in_file(rd, page * CAROM_LMDB_PAGE + CAROM_LMDB_PG_HDR, len, val, err);
	if (ret)
		return ret;
	return check_overflow(rd, (const __u8 *)val->data - CAROM_LMDB_PG_HDR, page, len,
			      last_pg, err);
}

int lmdb_take_value(struct carom_reader *rd, struct carom_value *val, struct carom_error *err)
{
	const struct carom_lmdb_answer a = lmdb_scratch(rd)->answer;

	if (a.flags & CAROM_LMDB_IN_FILE)
		return lmdb_value_in_file(rd, a.value_at, a.value_len, val, err);
	if (a.flags & CAROM_LMDB_IN_AREA) {
		if (a.value_len > carom_reader_mem(rd)->scratch_size - CAROM_LMDB_AREA)
			return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
		val->data = carom_reader_mem(rd)->scratch + CAROM_LMDB_AREA;
		val->len = a.value_len;
		return 0;
	}
	if (a.value_off > CAROM_LMDB_PAGE || a.value_len > CAROM_LMDB_PAGE - a.value_off)
		return lmdb_walker_error(rd, CAROM_LMDB_E_QUERY, err);
	val->data = carom_reader_mem(rd)->node + a.value_off;
	val->len = a.value_len;
	return 0;
}
