// SPDX-License-Identifier: GPL-2.0
/*
 * As differ.c, the walkers of SQLite files: each chain of a lookup by rowid or index runs in the
 * kernel and natively, and so do chains of many rowids and such as scan. Overwrites
 * CAROM_VM_DEVICE.
 *
 * usage: differ_sqlite CORPUS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ.h"
#include "sqlite_reader.h"
#include "../sqlite/random.h"
#include <carom/sqlite_scan.h>

static const char *corpus_dir;
static struct carom_reader readers[FUZZ_FILES];
static struct differ_side singles[FUZZ_FILES], manies[FUZZ_FILES], scans[FUZZ_FILES];
static const struct fuzz_file *on_device;
static unsigned long rows, many_done, scanned, added, rounds[FUZZ_FILES];
/* Eight such walkers take a verifier that is itself being checked a quarter of an hour. */
static bool with_scans;

/* ---- chains ---- */

/* For the format: on both sides, in memory that is the native one's. */
static int run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res)
{
	struct differ_side *s = &singles[rd - readers];

	memcpy(s->scratch, rd->mem.scratch, rd->mem.scratch_size);
	*res = differ_run(s, offset);
	memcpy(rd->mem.scratch, s->scratch, rd->mem.scratch_size);
	memcpy(rd->node, s->node, rd->walker->node_size);
	if (res->end == CAROM_END_DONE || res->end == CAROM_END_MISS ||
	    res->end == CAROM_END_WALKER)
		return 0;
	return -ENODATA;
}

static void count_row(struct carom_reader *rd, void *ctx, const struct carom_value *val)
{
	(void)rd;
	(void)ctx;
	rows += val->len > 0;
}

static void one_lookup(struct carom_reader *rd, const struct fuzz_input *in)
{
	static __u8 key[65536];
	size_t size = sqlite_record_make(in->key, in->nr, key, sizeof(key));

	assert_true(size <= sizeof(key));
	fuzz_look_up(rd, key, size, count_row, NULL);
}

/* Rowids that are there and such beside them, in order but for one now and then. */
static void many_rowids(struct differ_side *side, const struct fuzz_input *in)
{
	struct carom_sqlite_many *s = (void *)side->scratch;
	const struct sqlite_index *ix = &in->tree->ix;
	unsigned int i;

	memset(s, 0, side->walker->scratch_size);
	s->single.query.usable = ix->file.usable;
	s->single.query.pages = ix->file.pages;
	s->pages = CAROM_DEFAULT_HOPS - 1;
	s->page = ix->schema.root;
	for (i = 0; i < in->tree->nr_keys && i < CAROM_SQLITE_KEYS; i++)
		s->key[i] = (struct carom_sqlite_rowid){
			.rowid = in->tree->keys[i].cols[0].integer + (i % 3 == 2), .page = s->page,
		};
	s->nr = i;
	many_done += differ_run(side, (s->page - 1ULL) * ix->file.page_size).end == CAROM_END_DONE;
}

/* Between two of the tree's keys, or all of it, or what another input has left off at. */
static void scan_query(struct carom_sqlite_scan *s, const struct fuzz_input *in)
{
	const struct sqlite_index *ix = &in->tree->ix;
	unsigned int other = in->nr_undo % in->tree->nr_keys;
	__u32 flags = rnd_below(2) ? CAROM_SCAN_REVERSE : 0;

	s->base.query.usable = ix->file.usable;
	s->base.query.pages = ix->file.pages;
	s->base.answer.bad_cell = CAROM_SQLITE_NO_CELL;
	s->answer.totals.min = UINT64_MAX;
	if (rnd_below(2)) {
		flags |= CAROM_SCAN_TOTALS;
		s->query.flags = rnd_below(3) ? CAROM_SQLITE_SCAN_COLUMN : 0;
		s->query.column = rnd_below(5);
	}
	s->query.scan = (struct carom_scan_query){
		.flags = flags, .limit = rnd_below(3) ? UINT64_MAX : rnd_below(200) + 1,
		.pages = CAROM_DEFAULT_HOPS - 1,
	};
	if (sqlite_key_tree(&ix->schema)) {
		s->walk.mode = CAROM_SQLITE_SCAN_EDGE;
		return;
	}
	s->query.flags |= CAROM_SQLITE_SCAN_TABLE | rnd_below(4) * CAROM_SQLITE_SCAN_LOW;
	s->query.low = in->key[0].integer;
	s->query.high = in->tree->keys[other].cols[0].integer;
}

static void scan_tree(struct differ_side *side, const struct fuzz_input *in)
{
	const struct sqlite_tree *tree = sqlite_key_tree(&in->tree->ix.schema);
	__u32 root = tree ? tree->root : in->tree->ix.schema.root;
	struct carom_sqlite_scan *s = (void *)side->scratch;

	memset(s, 0, side->scratch_size);
	scan_query(s, in);
	if (differ_run(side, (root - 1ULL) * in->tree->ix.file.page_size).end != CAROM_END_DONE)
		return;
	scanned += s->answer.totals.count;
	added += s->answer.totals.values;
}

/* Query, walk and answer have bytes of the input in them. */
static void scan_raw(struct differ_side *side, struct carom_reader *rd,
		     const struct fuzz_input *in)
{
	struct carom_reader scanner = *rd;

	memset(side->scratch, 0, side->scratch_size);
	scanner.mem.scratch = side->scratch;
	differ_run(side, fuzz_raw_query(&scanner, in));
}

static void scan(size_t i, const struct fuzz_input *in)
{
	if (!with_scans)
		return;
	if (in->raw)
		scan_raw(&scans[i], &readers[i], in);
	else
		scan_tree(&scans[i], in);
}

/* ---- inputs ---- */

/* The device has the file, with the input's damage. */
static void write_damage(const struct fuzz_input *in)
{
	unsigned int i;

	if (on_device != in->file)
		differ_image(in->file->image, in->file->size);
	on_device = in->file;
	for (i = 0; i < in->nr_undo; i++)
		differ_image_changed(in->undo[i].at);
}

static void undo_damage(struct fuzz_input *in)
{
	unsigned int nr = in->nr_undo, i;

	fuzz_undo(in);
	for (i = 0; i < nr; i++)
		differ_image_changed(in->undo[i].at);
}

static void try_input(const __u8 *data, size_t size)
{
	static struct fuzz_input in;
	struct carom_lookup res;
	struct carom_reader *rd;
	size_t i;

	fuzz_apply(&in, data, size);
	i = (size_t)(in.file - fuzz_files);
	rd = &readers[i];
	rd->ix = &in.tree->ix;
	rounds[i]++;
	write_damage(&in);
	if (in.scan)
		scan(i, &in);
	in.scan = false;
	if (in.raw)
		run(rd, fuzz_raw_query(rd, &in), &res);
	else
		one_lookup(rd, &in);
	if (!in.raw && !sqlite_key_tree(&rd->ix->schema))
		many_rowids(&manies[i], &in);
	undo_damage(&in);
}

static void all_of_the_corpus(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < differ_inputs; i++)
		try_input(differ_corpus[i].bytes, differ_corpus[i].len);
	print_message("# %u inputs, %lu chains, %lu hops, %lu rows\n", differ_inputs, differ_chains,
		      differ_hops, rows);
	assert_true(differ_inputs > 100);
}

/* An input of the corpus, or a key of the file's own, and then damage. */
static size_t make_input(__u8 *data)
{
	const struct differ_input *from = &differ_corpus[rnd_below(differ_inputs)];
	size_t len = from->len < 100 ? from->len : 100, i;
	unsigned int n;

	memcpy(data, from->bytes, len);
	if (!rnd_below(3) || len < 5) {
		for (len = 0; len < 5; len++)
			data[len] = (__u8)rnd();
		data[0] = (__u8)rnd_below(16);
	}
	for (n = rnd_below(3); n; n--)
		data[rnd_below((unsigned int)len)] ^= (__u8)(1 << rnd_below(8));
	for (n = rnd_below(5); n; n--)
		for (i = 0; i < 6; i++)
			data[len++] = (__u8)(i ? rnd() : rnd_below(8));
	return len;
}

static void chance(void **state)
{
	__u8 data[DIFFER_LEN];
	unsigned int i, kinds = 0, files = 0;

	(void)state;
	for (i = 0; i < differ_rounds(); i++)
		try_input(data, make_input(data));
	for (i = 0; i < CAROM_SQLITE_E_NR; i++)
		kinds += differ_codes[i] > 0;
	for (i = 0; i < FUZZ_FILES; i++)
		files += rounds[i] > 10;
	print_message("# %u images more, %lu chains, %lu hops, %lu rows; %lu done, %lu miss, %lu "
		      "refused for %u reasons\n", differ_rounds(), differ_chains, differ_hops, rows,
		      differ_ends[CAROM_END_DONE], differ_ends[CAROM_END_MISS],
		      differ_ends[CAROM_END_WALKER], kinds);
	/* It must have seen nearly all that the walkers can find wrong, in all files. */
	assert_true(kinds >= 10 && files == FUZZ_FILES);
	assert_true(rows > 100 && many_done > 20 && differ_ends[CAROM_END_MISS] > 50);
	if (!with_scans)
		return;
	print_message("# %lu entries scanned, %lu added up\n", scanned, added);
	assert_true(scanned > 10000 && added > 1000);
}

/* ---- */

/* Files have page sizes in common, but a walker is loaded once. */
static void open_sides(unsigned int i)
{
	const struct carom_native_walker *walker = fuzz_files[i].walker;
	const struct carom_native_walker *many = sqlite_pick_many(walker->node_size);
	unsigned int k;

	fuzz_reader_make(&readers[i], &fuzz_files[i], run);
	for (k = 0; k < i && fuzz_files[k].walker != walker; k++)
		;
	if (k < i) {
		singles[i] = singles[k];
		manies[i] = manies[k];
		scans[i] = scans[k];
		return;
	}
	differ_side_open(&singles[i], walker, readers[i].mem.scratch_size);
	differ_side_open(&manies[i], many, many->scratch_size);
	walker = carom_scan_sqlite.walker(&fuzz_files[i].trees[0].ix);
	if (with_scans)
		differ_side_open(&scans[i], walker, walker->scratch_size);
}

static void close_sides(unsigned int i)
{
	unsigned int k;

	fuzz_reader_free(&readers[i]);
	for (k = 0; k < i && fuzz_files[k].walker != fuzz_files[i].walker; k++)
		;
	if (k < i)
		return;
	differ_side_close(&singles[i]);
	differ_side_close(&manies[i]);
	if (with_scans)
		differ_side_close(&scans[i]);
}

static int setup(void **state)
{
	size_t longest = 0;
	unsigned int i;

	(void)state;
	with_scans = !getenv("CAROM_SLOW");
	fuzz_files_make();
	differ_read_corpus(corpus_dir);
	for (i = 0; i < FUZZ_FILES; i++)
		longest = fuzz_files[i].size > longest ? fuzz_files[i].size : longest;
	differ_open(longest);
	for (i = 0; i < FUZZ_FILES; i++)
		open_sides(i);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < FUZZ_FILES; i++)
		close_sides(i);
	differ_close();
	fuzz_files_free();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_the_corpus),
		cmocka_unit_test(chance),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: differ_sqlite CORPUS\n");
		return 2;
	}
	corpus_dir = argv[1];
	return cmocka_run_group_tests_name("differ_sqlite", tests, setup, teardown);
}
