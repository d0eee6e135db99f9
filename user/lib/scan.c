// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Scans: one chain after the other, each of which leaves entries in its slot.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

/* Times that a scan starts over because of a writer. */
#define MAX_TRIES	100

static const struct carom_scan_format *const formats[] = { &carom_scan_lmdb };
#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

/**
 * enum scan_state - how far a scan is
 * @SCAN_NEW: no chain has run
 * @SCAN_MORE: the chain that has ended is not the last
 * @SCAN_LAST: it is
 * @SCAN_OVER: there is nothing more, or it has failed
 */
enum scan_state {
	SCAN_NEW,
	SCAN_MORE,
	SCAN_LAST,
	SCAN_OVER,
};

/**
 * struct carom_scan - a scan
 * @base: the index
 * @rd: a reader of the view that scans
 * @opts: as given, with copies of the keys
 * @asked: something has been asked of it
 * @totals: that was carom_scan__totals()
 * @area: where the last chain has left its entries
 * @used: bytes of it
 * @pos: of those, what has been handed out
 * @ret: what SCAN_OVER is because of
 */
struct carom_scan {
	struct carom_index *base;
	const struct carom_scan_format *fmt;
	struct carom_reader *rd;
	struct carom_scan_opts opts;
	bool asked;
	bool totals;
	enum scan_state state;
	const __u8 *area;
	size_t used;
	size_t pos;
	int ret;
};

/* Of the integers that there are, every other one. */
static bool is_signed(enum carom_integer integer)
{
	return integer && !(integer & 1);
}

static const struct carom_scan_format *format_of(const struct carom_index *ix)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++)
		if (formats[i]->format == ix->format)
			return formats[i];
	return NULL;
}

/* ---- beginning ---- */

static int check_opts(const struct carom_scan_opts *opts, struct carom_error *err)
{
	if ((!opts->from && opts->from_len) || (!opts->to && opts->to_len) ||
	    (!opts->prefix && opts->prefix_len))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
				       "options: a key is NULL and has a length");
	if ((unsigned int)opts->integer > CAROM_INTEGER_I64BE)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
				       "options: no integer %u", (unsigned int)opts->integer);
	return 0;
}

/* A copy of a key that may be NULL. false: there is no memory. */
static bool copy_key(const void **to, const void *key, size_t len)
{
	void *copy;

	if (!key)
		return true;
	copy = malloc(len ? len : 1);
	if (copy && len)
		memcpy(copy, key, len);
	*to = copy;
	return copy;
}

static int take_opts(struct carom_scan *scan, const struct carom_scan_opts *opts,
		     struct carom_error *err)
{
	struct carom_scan_opts own;
	int ret;

	ret = carom_opts_copy(&own, sizeof(own), opts, "carom_scan_opts", err);
	if (!ret)
		ret = check_opts(&own, err);
	if (ret)
		return ret;
	scan->opts = own;
	/* What is freed is never the caller's. */
	scan->opts.from = NULL;
	scan->opts.to = NULL;
	scan->opts.prefix = NULL;
	if (!copy_key(&scan->opts.from, own.from, own.from_len) ||
	    !copy_key(&scan->opts.to, own.to, own.to_len) ||
	    !copy_key(&scan->opts.prefix, own.prefix, own.prefix_len))
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	return 0;
}

/* The format needs a reader of lookups to find out what there is to be scanned. */
static int scan_open(struct carom_scan *scan, struct carom_error *err)
{
	struct carom_reader *point;
	int ret;

	ret = carom_reader__new(scan->base, &point, err);
	if (ret)
		return ret;
	ret = scan->fmt->open(scan->rd, point, &scan->opts, err);
	scan->rd->stats.hops += point->stats.hops;
	scan->rd->stats.kernel_hops += point->stats.kernel_hops;
	carom_reader__free(point);
	if (ret == CAROM_NOTFOUND) {
		scan->state = SCAN_OVER;
		scan->ret = CAROM_NOTFOUND;
		ret = 0;
	}
	return ret;
}

static int scan_init(struct carom_scan *scan, struct carom_error *err)
{
	const struct carom_view spec = {
		.walker = scan->fmt->walker(scan->base->format_data),
		.state_size = scan->fmt->state_size,
		.max_readers = scan->base->max_readers,
		.max_hops = CAROM_SCAN_HOPS,
	};
	struct carom_index *view;
	int ret;

	ret = carom_index_view(scan->base, &spec, &view, err);
	if (!ret)
		ret = carom_reader__new(view, &scan->rd, err);
	return ret ? ret : scan_open(scan, err);
}

int carom_scan__new(struct carom_index *ix, const struct carom_scan_opts *opts,
		    struct carom_scan **out, struct carom_error *err)
{
	struct carom_error spare;
	struct carom_scan *scan;
	int ret;

	if (!err)
		err = &spare;
	memset(err, 0, sizeof(*err));
	if (!ix || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "index or out is NULL");
	*out = NULL;
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	scan->base = ix;
	scan->fmt = format_of(ix);
	ret = take_opts(scan, opts, err);
	if (!ret && !scan->fmt)
		ret = carom_error_set(err, CAROM_FAULT_USAGE, -EOPNOTSUPP,
			"%s: files of format %s cannot be scanned", ix->path, ix->format->name);
	if (!ret)
		ret = scan_init(scan, err);
	if (ret)
		carom_scan__free(scan);
	else
		*out = scan;
	return ret;
}

void carom_scan__free(struct carom_scan *scan)
{
	if (!scan)
		return;
	carom_reader__free(scan->rd);
	free((void *)scan->opts.from);
	free((void *)scan->opts.to);
	free((void *)scan->opts.prefix);
	free(scan);
}

/* ---- chains ---- */

static int run_chain(struct carom_scan *scan, __u64 offset, struct carom_error *err)
{
	struct carom_reader *rd = scan->rd;
	struct carom_lookup res;
	size_t size;
	int ret;

	ret = carom_reader_run(rd, offset, &res, err);
	ret = scan->fmt->finish(rd, &res, ret, err);
	rd->stats.lookups++;
	if (ret)
		return ret;
	scan->state = scan->fmt->answer(rd)->more ? SCAN_MORE : SCAN_LAST;
	scan->used = scan->fmt->answer(rd)->used;
	scan->area = scan->fmt->area(rd, &size);
	if (scan->used > size)
		scan->used = size;
	return 0;
}

/* Nothing has been handed out yet, so that a writer's commit is no reason to fail. */
static int first_chain(struct carom_scan *scan, struct carom_error *err)
{
	unsigned int tries;
	__u64 offset;
	int ret;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		memset(err, 0, sizeof(*err));
		ret = tries ? scan_open(scan, err) : 0;
		if (!ret && scan->state == SCAN_OVER)
			return scan->ret;
		if (!ret)
			ret = scan->fmt->begin(scan->rd, scan->totals, &offset, err);
		if (ret == CAROM_CHAIN)
			ret = run_chain(scan, offset, err);
		if (ret != -EAGAIN || err->fault)
			return ret;
	}
	return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
		"%s: a writer commits faster than the scan reads (%d tries); try again",
		scan->base->path, MAX_TRIES);
}

static int overwritten(const struct carom_scan *scan, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
		"%s: a writer has overwritten the version of the file that was being scanned; "
		"scan again from behind the last key", scan->base->path);
}

static int further_chain(struct carom_scan *scan, struct carom_error *err)
{
	struct carom_scan_answer *a = scan->fmt->answer(scan->rd);
	int ret;

	a->pages = 0;
	a->used = 0;
	a->more = 0;
	ret = run_chain(scan, a->next, err);
	return ret == -EAGAIN && !err->fault ? overwritten(scan, err) : ret;
}

static int scan_chain(struct carom_scan *scan)
{
	struct carom_error *err = &scan->rd->err;
	int ret;

	if (scan->state == SCAN_OVER)
		return scan->ret;
	memset(err, 0, sizeof(*err));
	scan->pos = 0;
	scan->used = 0;
	if (scan->state == SCAN_NEW)
		ret = first_chain(scan, err);
	else
		ret = scan->state == SCAN_MORE ? further_chain(scan, err) : CAROM_NOTFOUND;
	if (ret) {
		scan->state = SCAN_OVER;
		scan->ret = ret;
	}
	return ret;
}

/* ---- entries ---- */

/* The entry at scan->pos; NULL: there is none. It has been checked against the area. */
static const __u8 *entry_at(struct carom_scan *scan, struct carom_scan_entry *entry)
{
	const __u8 *p = scan->area + scan->pos;

	if (scan->used < scan->pos + sizeof(*entry))
		return NULL;
	memcpy(entry, p, sizeof(*entry));
	if ((__u64)entry->key_len + entry->local > scan->used - scan->pos - sizeof(*entry))
		return NULL;
	return p + sizeof(*entry);
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
	if (!ret)
		return 0;
	scan->state = SCAN_OVER;
	scan->ret = ret == -EAGAIN && !err->fault ? overwritten(scan, err) : ret;
	return scan->ret;
}

int carom_scan__next(struct carom_scan *scan, struct carom_value *key, struct carom_value *val)
{
	struct carom_scan_entry entry;
	struct carom_value found = { 0 };
	const __u8 *bytes = NULL;
	size_t end;
	int ret;

	if (scan->totals)
		return carom_error_set(&scan->rd->err, CAROM_FAULT_USAGE, -EINVAL,
				       "scan: totals have been asked for, not entries");
	scan->asked = true;
	while (scan->state == SCAN_OVER || !(bytes = entry_at(scan, &entry))) {
		ret = scan_chain(scan);
		if (ret)
			return ret;
	}
	ret = val ? take_value(scan, &entry, bytes, &found) : 0;
	if (ret)
		return ret;
	end = scan->pos + sizeof(entry) + entry.key_len + entry.local;
	scan->pos = (end + CAROM_SCAN_ALIGN - 1) / CAROM_SCAN_ALIGN * CAROM_SCAN_ALIGN;
	if (key)
		*key = (struct carom_value){ .data = bytes, .len = entry.key_len };
	if (val)
		*val = found;
	return 0;
}

/* ---- totals ---- */

static void take_totals(const struct carom_scan *scan, struct carom_totals *totals)
{
	const struct carom_scan_totals *t = &scan->fmt->answer(scan->rd)->totals;
	__u64 sign = is_signed(scan->opts.integer) ? 1ULL << 63 : 0;

	*totals = (struct carom_totals){ .count = t->count };
	if (!scan->opts.integer || !t->count)
		return;
	totals->sum_low = t->sum_low;
	totals->sum_high = (int64_t)t->sum_high;
	totals->min = (int64_t)(t->min ^ sign);
	totals->max = (int64_t)(t->max ^ sign);
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
		ret = scan_chain(scan);
	} while (!ret && scan->state == SCAN_MORE);
	if (ret == CAROM_NOTFOUND)
		*totals = (struct carom_totals){ 0 };
	else if (!ret)
		take_totals(scan, totals);
	return ret < 0 ? ret : 0;
}

/* ---- what there is to say of it ---- */

const struct carom_error *carom_scan__error(const struct carom_scan *scan)
{
	return &scan->rd->err;
}

void carom_scan__stats(const struct carom_scan *scan, struct carom_reader_stats *st, size_t sz)
{
	carom_reader__stats(scan->rd, st, sz);
}

enum carom_backend carom_scan__backend(const struct carom_scan *scan)
{
	return carom_index__backend(scan->rd->ix);
}

const char *carom_scan__why(const struct carom_scan *scan)
{
	return carom_index__why(scan->rd->ix);
}
