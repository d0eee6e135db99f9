// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Scans: one chain after the other, each of which leaves entries in its slot.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "scan.h"

/* Times that a scan starts over because of a writer. */
#define MAX_TRIES	100

static const struct carom_scan_format *const formats[] = { &carom_scan_lmdb, &carom_scan_sqlite };
#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

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
	if (opts->integer && opts->column)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
				       "options: values are an integer or have a column");
	return 0;
}

/* What the format has to say of that. */
static int check_format(const struct carom_scan *scan, struct carom_error *err)
{
	const struct carom_format *format = scan->base->format;

	if (!scan->fmt)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EOPNOTSUPP,
			"%s: files of format %s cannot be scanned", scan->base->path,
			format->name);
	if (scan->opts.column && !format->columns)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: values of format %s have no columns; say which integers they are "
			"(integer, --totals TYPE)", scan->base->path, format->name);
	if (scan->opts.integer && format->columns)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: values of format %s are rows; name a column (column, --totals COLUMN)",
			scan->base->path, format->name);
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
	scan->opts.column = NULL;
	if (own.column && !(scan->opts.column = strdup(own.column)))
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
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
		.state_size = scan->fmt->state_size, .forget = scan->fmt->forget,
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
	if (!ret)
		ret = check_format(scan, err);
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
	scan_rows_free(scan->rows);
	carom_reader__free(scan->rd);
	free((void *)scan->opts.column);
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

int carom_scan_overwritten(const struct carom_scan *scan, struct carom_error *err)
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
	return ret == -EAGAIN && !err->fault ? carom_scan_overwritten(scan, err) : ret;
}

int carom_scan_chain(struct carom_scan *scan)
{
	struct carom_error *err = &scan->rd->err;
	int ret;

	if (scan->state == SCAN_OVER)
		return scan->ret;
	memset(err, 0, sizeof(*err));
	/* What has been looked up is known by the place of its entry in the area that ends here. */
	if (scan->rows)
		scan_rows_clear(scan->rows);
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

/* ---- what there is to say of it ---- */

const struct carom_error *carom_scan__error(const struct carom_scan *scan)
{
	return &scan->rd->err;
}

void carom_scan__stats(const struct carom_scan *scan, struct carom_reader_stats *st, size_t sz)
{
	struct carom_reader_stats all = scan->rd->stats, rows;

	if (scan->rows) {
		scan_rows_stats(scan->rows, &rows);
		all.lookups += rows.lookups;
		all.hops += rows.hops;
		all.kernel_hops += rows.kernel_hops;
		all.fallbacks += rows.fallbacks;
		if (rows.last_abort)
			all.last_abort = rows.last_abort;
	}
	carom_stats_copy(&all, st, sz);
}

enum carom_backend carom_scan__backend(const struct carom_scan *scan)
{
	return carom_index__backend(scan->rd->ix);
}

const char *carom_scan__why(const struct carom_scan *scan)
{
	return carom_index__why(scan->rd->ix);
}
