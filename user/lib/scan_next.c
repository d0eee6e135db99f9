// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Scans: the entries that chains have left, and what they come to.
 */
#include <errno.h>
#include <string.h>
#include "scan.h"

/* ---- entries ---- */

/* The entry at @pos; NULL: there is none. It has been checked against the area. */
static const __u8 *entry_at(const struct carom_scan *scan, size_t pos,
			    struct carom_scan_entry *entry)
{
	const __u8 *p = scan->area + pos;

	if (scan->used < pos + sizeof(*entry))
		return NULL;
	memcpy(entry, p, sizeof(*entry));
	if ((__u64)entry->key_len + entry->local > scan->used - pos - sizeof(*entry))
		return NULL;
	return p + sizeof(*entry);
}

static size_t behind(size_t pos, const struct carom_scan_entry *entry)
{
	size_t end = pos + sizeof(*entry) + entry->key_len + entry->local;

	return (end + CAROM_SCAN_ALIGN - 1) / CAROM_SCAN_ALIGN * CAROM_SCAN_ALIGN;
}

/* There is nothing more to be had of the scan; @ret is why. */
static int fail_scan(struct carom_scan *scan, int ret)
{
	struct carom_error *err = &scan->rd->err;

	scan->state = SCAN_OVER;
	scan->ret = ret == -EAGAIN && !err->fault ? carom_scan_overwritten(scan, err) : ret;
	return scan->ret;
}

static int take_value(struct carom_scan *scan, const struct carom_scan_entry *entry,
		      const __u8 *bytes, struct carom_value *val)
{
	struct carom_error *err = &scan->rd->err;
	int ret;

	/* All of it, which is most of them. */
	if (entry->local == entry->value_len) {
		*val = (struct carom_value){ .data = bytes + entry->key_len, .len = entry->local };
		return 0;
	}
	memset(err, 0, sizeof(*err));
	ret = scan->fmt->value(scan->rd, entry, bytes, val, err);
	return ret ? fail_scan(scan, ret) : 0;
}

/* @value: what take_value() has said, or NULL: nobody has asked yet. */
static int take_key(struct carom_scan *scan, const struct carom_scan_entry *entry,
		    const __u8 *bytes, const struct carom_value *value, struct carom_value *key)
{
	struct carom_value whole;
	int ret;

	if (!scan->fmt->key) {
		*key = (struct carom_value){ .data = bytes, .len = entry->key_len };
		return 0;
	}
	if (!value) {
		ret = take_value(scan, entry, bytes, &whole);
		if (ret)
			return ret;
		value = &whole;
	}
	ret = scan->fmt->key(scan->rd, value, key, &scan->rd->err);
	return ret ? fail_scan(scan, ret) : 0;
}

/* ---- rows that entries name ---- */

/* Look up what the entry at scan->pos and some behind it name. */
static int find_rows(struct carom_scan *scan)
{
	struct carom_error *err = &scan->rd->err;
	struct carom_scan_entry entry;
	struct carom_value whole, key;
	enum scan_state state = scan->state;
	size_t pos = scan->pos;
	unsigned int nr;
	const __u8 *bytes;
	int ret = 0;

	if (!scan->rows) {
		ret = scan_rows_new(scan->base, scan->fmt->rows, &scan->rows, err);
		if (ret)
			return fail_scan(scan, ret);
	}
	scan_rows_clear(scan->rows);
	for (nr = 0; nr < CAROM_SCAN_ROWS && (bytes = entry_at(scan, pos, &entry)); nr++) {
		ret = take_value(scan, &entry, bytes, &whole);
		if (!ret)
			ret = scan->fmt->row_key(scan->rd, &whole, &key, err);
		if (!ret)
			ret = scan_rows_add(scan->rows, pos, &key, err);
		if (ret)
			break;
		pos = behind(pos, &entry);
	}
	/* What comes before a damaged entry is found nevertheless; that one is tried again. */
	if (ret && !nr)
		return fail_scan(scan, ret);
	scan->state = state;
	ret = scan_rows_wait(scan->rows, err);
	return ret ? fail_scan(scan, ret) : 0;
}

static int take_row(struct carom_scan *scan, struct carom_value *val)
{
	const struct carom_completion *c = NULL;
	int ret;

	if (scan->rows)
		c = scan_rows_find(scan->rows, scan->pos);
	if (!c) {
		ret = find_rows(scan);
		if (ret)
			return ret;
		c = scan_rows_find(scan->rows, scan->pos);
	}
	if (c->ret) {
		scan->rd->err = *c->err;
		return fail_scan(scan, c->ret);
	}
	*val = c->val;
	return 0;
}

/* Has the format values beside the entries, and does this scan need them? */
static bool by_name(const struct carom_scan *scan)
{
	return scan->fmt->names && scan->fmt->names(scan->rd);
}

int carom_scan__next(struct carom_scan *scan, struct carom_value *key, struct carom_value *val)
{
	struct carom_value found = { 0 }, found_key = { 0 };
	struct carom_scan_entry entry;
	const __u8 *bytes = NULL;
	bool names;
	int ret;

	if (scan->totals)
		return carom_error_set(&scan->rd->err, CAROM_FAULT_USAGE, -EINVAL,
				       "scan: totals have been asked for, not entries");
	scan->asked = true;
	while (scan->state == SCAN_OVER || !(bytes = entry_at(scan, scan->pos, &entry))) {
		ret = carom_scan_chain(scan);
		if (ret)
			return ret;
	}
	names = by_name(scan);
	ret = 0;
	if (val)
		ret = names ? take_row(scan, &found) : take_value(scan, &entry, bytes, &found);
	/* Last, as looking rows up makes keys, too. */
	if (!ret && key)
		ret = take_key(scan, &entry, bytes, val && !names ? &found : NULL, &found_key);
	if (ret)
		return ret;
	scan->pos = behind(scan->pos, &entry);
	if (key)
		*key = found_key;
	if (val)
		*val = found;
	return 0;
}

/* ---- totals ---- */

/* Of the integers that there are, every other one. */
static bool is_signed(enum carom_integer integer)
{
	return integer && !(integer & 1);
}

static void take_totals(const struct carom_scan *scan, struct carom_totals *totals)
{
	const struct carom_scan_totals *t = &scan->fmt->answer(scan->rd)->totals;
	bool is_int = scan->opts.column || is_signed(scan->opts.integer);
	__u64 sign = is_int ? 1ULL << 63 : 0;

	*totals = (struct carom_totals){ .count = t->count };
	if (scan->opts.column)
		totals->values = t->values;
	else if (scan->opts.integer)
		totals->values = t->count;
	if (!totals->values)
		return;
	totals->sum_low = t->sum_low;
	totals->sum_high = (int64_t)t->sum_high;
	totals->min = (int64_t)(t->min ^ sign);
	totals->max = (int64_t)(t->max ^ sign);
}

/* Entries of which the walker could not tell. */
static int add_left(struct carom_scan *scan)
{
	struct carom_scan_entry entry;
	struct carom_value whole;
	const __u8 *bytes;
	int ret = 0;

	while (!ret && scan->fmt->add && (bytes = entry_at(scan, scan->pos, &entry))) {
		ret = take_value(scan, &entry, bytes, &whole);
		if (!ret)
			ret = scan->fmt->add(scan->rd, &whole, &scan->rd->err);
		scan->pos = behind(scan->pos, &entry);
	}
	return ret ? fail_scan(scan, ret) : 0;
}

int carom_scan__totals(struct carom_scan *scan, struct carom_totals *totals)
{
	int ret;

	if (scan->asked)
		return carom_error_set(&scan->rd->err, CAROM_FAULT_USAGE, -EINVAL,
				       "scan: something has been asked for already");
	scan->asked = true;
	scan->totals = true;
	do {
		ret = carom_scan_chain(scan);
		if (!ret)
			ret = add_left(scan);
	} while (!ret && scan->state == SCAN_MORE);
	if (ret == CAROM_NOTFOUND)
		*totals = (struct carom_totals){ 0 };
	else if (!ret)
		take_totals(scan, totals);
	return ret < 0 ? ret : 0;
}
