// SPDX-License-Identifier: GPL-2.0
/*
 * The SQLite format and its walkers, native, under libFuzzer: nothing may crash, loop, or
 * touch a byte that is not its own (ASan and UBSan are on), every damage has its text,
 * in an undamaged file as many rows are found as SQLite finds, and a key divides all rows
 * into those that scans find before it and those that they find from there on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <carom/sqlite_scan.h>
#include "../sqlite/random.h"
#include "check.h"
#include "sqlite_reader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

/* Chains of a scan, each of which leaves something, or reads CAROM_SCAN_HOPS pages. */
#define MAX_SCAN	10000

/* As user/lib/chain.c does it. */
static int run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res)
{
	struct carom_hop hop = {
		.node_size = rd->walker->node_size, .node = rd->node, .scratch = rd->mem.scratch,
		.scratch_size = rd->mem.scratch_size,
	};
	__s64 next = (__s64)offset;

	*res = (struct carom_lookup){ .offset = offset };
	while (next >= 0) {
		check(res->hops < rd->mem.max_hops);
		res->at = (__u64)next;
		check(next % rd->walker->node_size == 0);
		if (carom_reader_pread(rd, rd->node, hop.node_size, res->at))
			return -ENODATA;
		hop.offset = res->at;
		hop.index = res->hops++;
		next = rd->walker->step(&hop);
	}
	if (next == CAROM_STEP_DONE) {
		res->end = CAROM_END_DONE;
	} else if (next == CAROM_STEP_MISS) {
		res->end = CAROM_END_MISS;
	} else {
		res->end = CAROM_END_WALKER;
		res->code = (__s32)(-next - CAROM_STEP_FAIL_BASE);
		check(res->code > 0 && res->code < CAROM_SQLITE_E_NR);
	}
	return 0;
}

static struct carom_reader readers[FUZZ_FILES], scanners[FUZZ_FILES];

static void readers_free(void)
{
	struct carom_reader *rd;

	for (rd = readers; rd < readers + FUZZ_FILES; rd++)
		fuzz_reader_free(rd);
	for (rd = scanners; rd < scanners + FUZZ_FILES; rd++)
		fuzz_reader_free(rd);
	fuzz_files_free();
}

/* ---- lookups ---- */

/* What they come to, so that they are read. */
static volatile __u64 all_bytes;

static void check_row(struct carom_reader *rd, void *ctx, const struct carom_value *val)
{
	const struct fuzz_input *in = ctx;
	struct carom_column cols[MAX_COLS + 4];
	unsigned int i;
	__u64 sum = 0;
	int ret;

	check(rd->ix->schema.nr <= MAX_COLS + 4);
	ret = carom_format_sqlite.row(rd->ix, val, cols, MAX_COLS + 4, &rd->err);
	check(!ret || (ret == -EBADMSG && in->damaged));
	for (i = 0; !ret && i < rd->ix->schema.nr; i++)
		while (cols[i].len)
			sum += ((const __u8 *)cols[i].data)[--cols[i].len];
	all_bytes = sum;
}

static int ask_sqlite(const struct fuzz_input *in)
{
	sqlite3_str *s = sqlite3_str_new(in->file->db);
	sqlite3_stmt *st;
	unsigned int i;
	char *text;
	int rows = 0;

	sqlite3_str_appendall(s, "SELECT 1 FROM t WHERE ");
	for (i = 0; i < in->nr; i++)
		sqlite3_str_appendf(s, "%s\"%w\" COLLATE %s IS ?", i ? " AND " : "",
				    in->tree->name[i], in->tree->collation[i]);
	text = sqlite3_str_finish(s);
	check(sqlite3_prepare_v2(in->file->db, text, -1, &st, NULL) == SQLITE_OK);
	sqlite3_free(text);
	for (i = 0; i < in->nr; i++) {
		const struct carom_column *c = &in->key[i];

		if (c->type == CAROM_TYPE_INTEGER)
			sqlite3_bind_int64(st, (int)i + 1, c->integer);
		else if (c->type == CAROM_TYPE_REAL)
			sqlite3_bind_double(st, (int)i + 1, c->real);
		else if (c->type == CAROM_TYPE_TEXT)
			sqlite3_bind_text(st, (int)i + 1, c->len ? c->data : "", (int)c->len,
					  SQLITE_STATIC);
		else if (c->type == CAROM_TYPE_BLOB)
			sqlite3_bind_blob(st, (int)i + 1, c->len ? c->data : "", (int)c->len,
					  SQLITE_STATIC);
	}
	while (rows < FUZZ_ROWS && sqlite3_step(st) == SQLITE_ROW)
		rows++;
	sqlite3_finalize(st);
	return rows;
}

static void one_lookup(struct carom_reader *rd, struct fuzz_input *in)
{
	static __u8 key[65536];
	size_t size = sizeof(key);
	int ret;

	if (in->damaged || !in->ask) {
		/* As it is: what is not converted is another key, of which nothing is known. */
		size = sqlite_record_make(in->key, in->nr, key, size);
		check(size <= sizeof(key));
	} else if (carom_format_sqlite.key(rd->ix, in->key, in->nr, key, &size, &rd->err)) {
		check(!sqlite_key_tree(&rd->ix->schema));	/* no rowid */
		return;
	}
	ret = fuzz_look_up(rd, key, size, check_row, in);
	if (!in->damaged)
		check((ret >= 0 && (!in->ask || ret == ask_sqlite(in))) ||
		      (ret == -EINVAL && !sqlite_key_tree(&rd->ix->schema)));
	else if (ret == -EBADMSG)
		check(strstr(rd->err.text, "page ") || strstr(rd->err.text, "row"));
	else
		check(ret >= 0 || (ret == -EINVAL && !sqlite_key_tree(&rd->ix->schema)));
}

/* ---- scans ---- */

static void check_entry(struct carom_reader *rd, const struct fuzz_input *in,
			const struct carom_scan_entry *entry, const __u8 *bytes)
{
	struct carom_value whole = { .data = bytes, .len = entry->local }, key;
	int ret = 0;

	check(!entry->key_len && (!entry->local || entry->local == entry->value_len));
	if (entry->local != entry->value_len)
		ret = carom_scan_sqlite.value(rd, entry, bytes, &whole, &rd->err);
	if (!ret && !carom_scan_sqlite.names(rd))
		check_row(rd, (void *)(uintptr_t)in, &whole);
	if (!ret)
		ret = carom_scan_sqlite.key(rd, &whole, &key, &rd->err);
	if (!ret && carom_scan_sqlite.names(rd))
		ret = carom_scan_sqlite.row_key(rd, &whole, &key, &rd->err);
	check(!ret || (ret == -EBADMSG && in->damaged));
}

/* What a chain has left in the area. */
static void check_area(struct carom_reader *rd, const struct fuzz_input *in)
{
	size_t size, pos = 0, used = carom_scan_sqlite.answer(rd)->used;
	const __u8 *area = carom_scan_sqlite.area(rd, &size);
	struct carom_scan_entry entry;

	check(used <= size + CAROM_SCAN_ALIGN);
	while (pos + sizeof(entry) <= used) {
		memcpy(&entry, area + pos, sizeof(entry));
		pos += sizeof(entry);
		check(entry.local <= size - pos);
		check_entry(rd, in, &entry, area + pos);
		pos = (pos + entry.local + CAROM_SCAN_ALIGN - 1) / CAROM_SCAN_ALIGN *
		      CAROM_SCAN_ALIGN;
	}
}

/* Entries that are found, or what went wrong. */
static long long one_scan(struct carom_reader *rd, struct carom_reader *point,
			  const struct fuzz_input *in, const struct carom_scan_opts *opts,
			  bool totals)
{
	struct carom_scan_answer *a = carom_scan_sqlite.answer(rd);
	struct carom_lookup res;
	unsigned int chains;
	__u64 offset;
	int ret;

	ret = carom_scan_sqlite.open(rd, point, opts, &rd->err);
	if (!ret)
		ret = carom_scan_sqlite.begin(rd, totals, &offset, &rd->err);
	if (ret == CAROM_NOTFOUND)
		return 0;
	for (chains = 0; ret == CAROM_CHAIN; chains++) {
		check(chains < MAX_SCAN);
		ret = run(rd, offset, &res);
		ret = carom_scan_sqlite.finish(rd, &res, ret, &rd->err);
		if (ret)
			break;
		check_area(rd, in);
		ret = a->more ? CAROM_CHAIN : 0;
		offset = a->next;
		a->pages = a->used = a->more = 0;
	}
	if (!ret)
		return (long long)a->totals.count;
	if (in->damaged && ret == -EBADMSG)
		check(strstr(rd->err.text, "page ") || strstr(rd->err.text, "entry"));
	else
		check(ret == -EINVAL && !sqlite_key_tree(&rd->ix->schema));
	return ret;
}

/* All, before the key, and from it on. */
static void some_scans(struct carom_reader *rd, struct carom_reader *point,
		       const struct fuzz_input *in)
{
	struct carom_scan_opts opts = { .sz = sizeof(opts), .reverse = in->nr & 1 };
	static __u8 key[65536];
	size_t size = sqlite_record_make(in->key, in->nr, key, sizeof(key));
	bool totals = in->rest_len & 1;
	long long all, less, more;

	check(size <= sizeof(key));
	all = one_scan(rd, point, in, &opts, !totals);
	opts.to = key;
	opts.to_len = size;
	less = one_scan(rd, point, in, &opts, totals);
	opts.to = NULL;
	opts.from = key;
	opts.from_len = size;
	more = one_scan(rd, point, in, &opts, totals);
	/* No rowid compares with NULL. */
	if (in->damaged || less < 0 || more < 0 ||
	    (!sqlite_key_tree(&rd->ix->schema) && in->key[0].type == CAROM_TYPE_NULL))
		return;
	check(all == less + more);
}

/* ---- whatever the query ---- */

static void check_answer(const struct carom_reader *rd, const struct carom_sqlite_answer *a)
{
	const struct sqlite_file *file = &rd->ix->file;

	check(a->kind >= CAROM_SQLITE_ROW && a->kind <= CAROM_SQLITE_PLACE);
	if (a->kind == CAROM_SQLITE_PLACE)
		return;
	check(a->off <= file->page_size && a->local <= file->page_size - a->off);
	check(a->id_len <= a->off);
}

/* The walker ends, and what it calls an answer is one. */
static void one_raw(struct carom_reader *rd, const struct fuzz_input *in)
{
	struct carom_sqlite_scratch *s = sqlite_scratch(rd);
	const __u64 offset = fuzz_raw_query(rd, in);
	const bool in_record = s->rest.left;
	struct carom_lookup res;

	if (run(rd, offset, &res))
		return;
	/* What begins in the middle of a record has no answer but that. */
	if (res.end == CAROM_END_DONE && !in->scan && !in_record)
		check_answer(rd, &s->answer);
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	static struct fuzz_input in;
	struct carom_reader *rd, *scan;

	fuzz_apply(&in, data, size);
	rd = &readers[in.file - fuzz_files];
	rd->ix = &in.tree->ix;
	scan = &scanners[in.file - fuzz_files];
	scan->ix = rd->ix;
	if (in.raw)
		one_raw(in.scan ? scan : rd, &in);
	else if (in.scan)
		some_scans(scan, rd, &in);
	else
		one_lookup(rd, &in);
	fuzz_undo(&in);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	unsigned int i;

	(void)argc;
	(void)argv;
	fuzz_files_make();
	for (i = 0; i < FUZZ_FILES; i++) {
		fuzz_reader_make(&readers[i], &fuzz_files[i], run);
		fuzz_scanner_make(&scanners[i], &fuzz_files[i], run);
	}
	return atexit(readers_free);
}
