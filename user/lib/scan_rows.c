// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Rows that a scan's entries only name, in a queue of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "scan.h"

/* Of an index, that look rows up at the same time: what a session has slots for. */
#define MAX_SCANS	(CAROM_MAX_SLOTS / CAROM_SCAN_ROWS - 1)

/**
 * struct scan_rows - rows that are looked up together
 * @pos: of each, where the entry is that names it
 * @found: of each, what has become of it
 * @nr: how many
 */
struct scan_rows {
	struct carom_queue *q;
	size_t pos[CAROM_SCAN_ROWS];
	const struct carom_completion *found[CAROM_SCAN_ROWS];
	unsigned int nr;
};

int scan_rows_new(struct carom_index *ix, const struct carom_format *format,
		  struct scan_rows **out, struct carom_error *err)
{
	const struct carom_view spec = {
		.walker = ix->walker, .format = format, .state_size = format->lookup_size,
		.forget = format->forget, .max_readers = 1,
		.max_in_flight = ix->max_readers < MAX_SCANS ? ix->max_readers * CAROM_SCAN_ROWS :
				 MAX_SCANS * CAROM_SCAN_ROWS,
		.max_hops = ix->max_hops,
	};
	const struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = CAROM_SCAN_ROWS };
	struct scan_rows *rows = calloc(1, sizeof(*rows));
	struct carom_index *view;
	int ret;

	*out = rows;
	if (!rows)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	ret = carom_index_view(ix, &spec, &view, err);
	return ret ? ret : carom_queue__new(view, &opts, &rows->q, err);
}

void scan_rows_free(struct scan_rows *rows)
{
	if (!rows)
		return;
	scan_rows_clear(rows);
	carom_queue__free(rows->q);
	free(rows);
}

void scan_rows_clear(struct scan_rows *rows)
{
	while (rows->nr)
		carom_queue__done(rows->q, rows->found[--rows->nr]);
}

int scan_rows_add(struct scan_rows *rows, size_t pos, const struct carom_value *key,
		  struct carom_error *err)
{
	int ret = carom_queue__submit(rows->q, key->data, key->len, rows->nr);

	if (ret) {
		*err = *carom_queue__error(rows->q);
		return ret;
	}
	rows->found[rows->nr] = NULL;
	rows->pos[rows->nr++] = pos;
	return 0;
}

int scan_rows_wait(struct scan_rows *rows, struct carom_error *err)
{
	const struct carom_completion *c;
	unsigned int left;
	int ret;

	for (left = rows->nr; left; left--) {
		ret = carom_queue__wait(rows->q, &c);
		if (ret) {
			*err = *carom_queue__error(rows->q);
			return ret;
		}
		rows->found[c->user_data] = c;
	}
	return 0;
}

const struct carom_completion *scan_rows_find(const struct scan_rows *rows, size_t pos)
{
	unsigned int i;

	for (i = 0; i < rows->nr; i++)
		if (rows->pos[i] == pos)
			return rows->found[i];
	return NULL;
}

void scan_rows_stats(const struct scan_rows *rows, struct carom_reader_stats *st)
{
	carom_queue__stats(rows->q, st, sizeof(*st));
}
