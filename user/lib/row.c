// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Rows and keys of formats that have columns.
 */
#include <errno.h>
#include <string.h>
#include "lib.h"

static int no_columns(const struct carom_index *ix, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"%s: format %s has no columns: keys and values are bytes", ix->path,
		ix->format->name);
}

size_t carom_index__columns(const struct carom_index *ix)
{
	return ix->format->columns ? ix->format->columns(ix->format_data) : 0;
}

size_t carom_index__key_columns(const struct carom_index *ix)
{
	return ix->format->key_columns ? ix->format->key_columns(ix->format_data) : 0;
}

int carom_index__row(const struct carom_index *ix, const struct carom_value *val,
		     struct carom_column *cols, size_t nr, struct carom_error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
	if (!val || !cols)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "val or cols is NULL");
	if (!ix->format->row)
		return no_columns(ix, err);
	if (nr < ix->format->columns(ix->format_data))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"room for %zu columns; a row has %zu", nr,
			ix->format->columns(ix->format_data));
	return ix->format->row(ix->format_data, val, cols, nr, err);
}

int carom_index__key(struct carom_index *ix, const struct carom_column *cols, size_t nr,
		     void *buf, size_t *size, struct carom_error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
	if (!cols || !size || (!buf && *size))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"cols, buf or size is NULL");
	if (!ix->format->key)
		return no_columns(ix, err);
	return ix->format->key(ix->format_data, cols, nr, buf, size, err);
}
