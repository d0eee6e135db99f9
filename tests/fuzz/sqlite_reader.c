// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <carom/sqlite_scan.h>
#include "check.h"
#include "sqlite_reader.h"

/* Chains of a row: comparisons that are left to the caller. */
#define MAX_CHAINS	2000

const struct carom_reader_mem *carom_reader_mem(struct carom_reader *rd)
{
	return &rd->mem;
}

void *carom_reader_state(struct carom_reader *rd)
{
	return rd->state;
}

void *carom_reader_format_data(const struct carom_reader *rd)
{
	return rd->ix;
}

void carom_reader_set_format_data(struct carom_reader *rd, void *data)
{
	rd->ix = data;
}

const char *carom_reader_path(const struct carom_reader *rd)
{
	(void)rd;
	return "file";
}

int carom_reader_fd(const struct carom_reader *rd)
{
	(void)rd;
	return -1;
}

bool carom_reader_sealed(const struct carom_reader *rd)
{
	(void)rd;
	return true;
}

__u64 carom_reader_file_size(const struct carom_reader *rd)
{
	return rd->file->size;
}

int carom_reader_pread(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	if (offset > rd->file->size || len > rd->file->size - offset)
		return -ENODATA;
	memcpy(buf, rd->file->image + offset, len);
	return 0;
}

int carom_reader_peek(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	return carom_reader_pread(rd, buf, len, offset);
}

/* A new one each time, and none that the file could not fill. */
void *carom_reader_buffer(struct carom_reader *rd, size_t len)
{
	check(len <= rd->file->size + 16);
	free(rd->buf);
	rd->buf = malloc(len);
	return rd->buf;
}

int carom_reader_run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res,
		     struct carom_error *err)
{
	(void)err;
	return rd->run(rd, offset, res);
}

/* @room: bytes of scratch beyond what the walker needs */
static void reader_make(struct carom_reader *rd, const struct fuzz_file *file,
			const struct carom_native_walker *walker, __u32 room, size_t state_size)
{
	rd->file = file;
	rd->walker = walker;
	rd->node = malloc(walker->node_size);
	rd->mem.node = rd->node;
	rd->mem.scratch_size = walker->scratch_size + room;
	if (rd->mem.scratch_size > CAROM_MAX_SCRATCH_SIZE)
		rd->mem.scratch_size = walker->scratch_size;
	rd->mem.scratch = malloc(rd->mem.scratch_size);
	rd->state = calloc(1, state_size);
	check(rd->node && rd->mem.scratch && rd->state);
	/* A slot's scratch has what the last lookup left there. */
	memset(rd->mem.scratch, 0xa5, rd->mem.scratch_size);
}

void fuzz_reader_make(struct carom_reader *rd, const struct fuzz_file *file,
		      int (*run)(struct carom_reader *rd, __u64 offset,
				 struct carom_lookup *res))
{
	/* Room for one page and a part, or for a part of one. */
	reader_make(rd, file, file->walker, file->walker->node_size / 2 * 3,
		    carom_format_sqlite.lookup_size);
	rd->mem.max_hops = FUZZ_HOPS;
	rd->forget = carom_format_sqlite.forget;
	rd->run = run;
}

void fuzz_scanner_make(struct carom_reader *rd, struct fuzz_file *file,
		       int (*run)(struct carom_reader *rd, __u64 offset,
				  struct carom_lookup *res))
{
	reader_make(rd, file, carom_scan_sqlite.walker(&file->trees[0].ix), 0,
		    carom_scan_sqlite.state_size);
	rd->mem.max_hops = CAROM_SCAN_HOPS;
	rd->forget = carom_scan_sqlite.forget;
	rd->run = run;
}

void fuzz_reader_free(struct carom_reader *rd)
{
	rd->forget(rd->state);
	free(rd->state);
	free(rd->mem.scratch);
	free(rd->node);
	free(rd->buf);
}

static int finish(struct carom_reader *rd, int ret, __u64 offset, struct carom_value *val)
{
	struct carom_lookup res;
	unsigned int chains;

	for (chains = 0; ret == CAROM_CHAIN; chains++) {
		check(chains < MAX_CHAINS);
		ret = rd->run(rd, offset, &res);
		ret = carom_format_sqlite.finish(rd, &res, ret, &offset, val, &rd->err);
	}
	return ret;
}

int fuzz_look_up(struct carom_reader *rd, const void *key, size_t len,
		 void (*row)(struct carom_reader *rd, void *ctx, const struct carom_value *val),
		 void *ctx)
{
	struct carom_value val;
	__u64 offset = 0;
	int ret, rows;

	ret = carom_format_sqlite.start(rd, key, len, &offset, &rd->err);
	ret = finish(rd, ret, offset, &val);
	for (rows = 0; !ret && rows < FUZZ_ROWS; rows++) {
		row(rd, ctx, &val);
		ret = carom_format_sqlite.next(rd, &offset, &rd->err);
		ret = finish(rd, ret, offset, &val);
	}
	return ret < 0 ? ret : rows;
}

/* So many pages are what ends a scan. */
static void raw_scan(struct carom_sqlite_scan *s)
{
	s->query.scan.pages %= CAROM_SCAN_HOPS + 1;
	s->answer.pages = 0;
}

__u64 fuzz_raw_query(struct carom_reader *rd, const struct fuzz_input *in)
{
	struct carom_sqlite_scratch *s = sqlite_scratch(rd);
	struct carom_sqlite_scan *scan = (struct carom_sqlite_scan *)s;
	size_t size = in->scan ? sizeof(*scan) : sizeof(*s), i, at;
	const struct sqlite_file *file = &rd->ix->file;

	memset(s, 0, size);
	s->query.usable = file->usable;
	s->query.pages = file->pages;
	if (in->scan) {
		scan->query.scan.pages = CAROM_SCAN_HOPS;
		scan->query.scan.limit = UINT64_MAX;
	}
	for (i = 0; i + 3 <= in->rest_len; i += 3) {
		at = (in->rest[i] | (size_t)in->rest[i + 1] << 8) % size;
		((__u8 *)s)[at] = in->rest[i + 2];
	}
	if (in->scan)
		raw_scan(scan);
	return (__u64)(in->rest_len % file->pages) * file->page_size;
}
