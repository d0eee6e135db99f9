/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files of scans.
 */
#ifndef CAROM_LIB_SCAN_H
#define CAROM_LIB_SCAN_H

#include "lib.h"

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
 * @rows: if entries name rows: those of some entries; NULL: nobody has asked yet
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
	struct scan_rows *rows;
	const __u8 *area;
	size_t used;
	size_t pos;
	int ret;
};

/* Run a chain, the first or the next. 0: scan->area has what it has left; or as @scan->ret. */
int carom_scan_chain(struct carom_scan *scan);
/* A writer has. Returns -EAGAIN. */
int carom_scan_overwritten(const struct carom_scan *scan, struct carom_error *err);

/* ---- scan_rows.c: rows that entries only name, looked up some at a time ---- */

/* In flight together. */
#define CAROM_SCAN_ROWS		32

/**
 * scan_rows_new() - prepare for it
 * @ix: the index that is scanned
 * @format: whose start() takes the keys
 *
 * Return: 0 or negative errno.
 */
int scan_rows_new(struct carom_index *ix, const struct carom_format *format,
		  struct scan_rows **out, struct carom_error *err);
/* NULL is ignored. */
void scan_rows_free(struct scan_rows *rows);

/* Give the rows back that have been looked up before. */
void scan_rows_clear(struct scan_rows *rows);
/* Look one more up, named by the entry at @pos; CAROM_SCAN_ROWS at most. 0 or negative errno. */
int scan_rows_add(struct scan_rows *rows, size_t pos, const struct carom_value *key,
		  struct carom_error *err);
/* Wait for all. 0 or negative errno. */
int scan_rows_wait(struct scan_rows *rows, struct carom_error *err);
/* The row of the entry at @pos; NULL: it has not been looked up. */
const struct carom_completion *scan_rows_find(const struct scan_rows *rows, size_t pos);

void scan_rows_stats(const struct scan_rows *rows, struct carom_reader_stats *st);

#endif /* CAROM_LIB_SCAN_H */
