/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which part of an SQLite index is to be scanned.
 */
#ifndef CAROM_FORMAT_SQLITE_RANGE_H
#define CAROM_FORMAT_SQLITE_RANGE_H

#include "sqlite.h"

/**
 * struct sqlite_bound - a place in an index
 * @set: there is one
 * @level: pages above the leaf
 * @path: pages from the root on; the first entry in question is the leaf's cell, or comes
 *	behind all of the leaf's
 */
struct sqlite_bound {
	bool set;
	__u32 level;
	struct carom_sqlite_place path[CAROM_SQLITE_PATH];
};

/**
 * struct sqlite_range - a part of an index
 * @low: the first entry that counts
 * @high: the first behind it that does not
 */
struct sqlite_range {
	struct sqlite_bound low;
	struct sqlite_bound high;
};

/**
 * sqlite_range_find() - where in the index the keys of the options are
 * @point: a reader of lookups
 *
 * Return: 0; CAROM_NOTFOUND: nothing is between them; or negative errno.
 */
int sqlite_range_find(struct carom_reader *point, const struct carom_scan_opts *opts,
		      struct sqlite_range *range, struct carom_error *err);

/* Take a key apart: how many of @max columns, or -1. */
int sqlite_key_columns_of(const void *key, size_t len, struct carom_column *cols, int max);

#endif /* CAROM_FORMAT_SQLITE_RANGE_H */
