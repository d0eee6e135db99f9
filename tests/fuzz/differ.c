// SPDX-License-Identifier: GPL-2.0
/*
 * The walker in the kernel and the one in libcarom must agree: the same damaged
 * LMDB file, on the device for the one and in memory for the other, the same
 * query, and then the same end, code, place and number of hops, and the same
 * bytes in all of the scratch and the node. Inputs are the fuzzer's corpus and
 * what chance makes of it. Overwrites CAROM_VM_DEVICE.
 *
 * usage: differ CORPUS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ.h"
#include "lmdb_input.h"

/* bpf/lmdb_scan.bpf.c and lmdb_many.bpf.c, built natively. */
extern const struct carom_native_walker carom_walker_lmdb_scan, carom_walker_lmdb_many;

/* For values on several pages, up to three. */
#define VALUE_ROOM	12000

static const char *corpus_dir;
static struct differ_side single, scan, many;

static struct carom_lookup run_single(const struct carom_lmdb_scratch *query, __u64 start)
{
	memset(single.scratch, 0x5a, single.scratch_size);
	memcpy(single.scratch, query, sizeof(*query));
	return differ_run(&single, start);
}

static const struct carom_lmdb_scratch *answer(void)
{
	return (const void *)single.scratch;
}

static struct carom_lookup get(const struct carom_lmdb_db *db, __u64 last_pg,
			       const void *key, size_t len)
{
	struct carom_lmdb_scratch s = {
		.query = { .op = CAROM_LMDB_GET, .key_len = (__u32)len, .last_pg = last_pg },
		.walk = { .level = db->depth, .page = db->root },
		.rest = { .room = VALUE_ROOM },
	};

	memcpy(s.query.key, key, len < sizeof(s.query.key) ? len : sizeof(s.query.key));
	return run_single(&s, db->root * PAGE);
}

/* The key, and what else is in the file, as one end of a range each. */
static void scan_range(const struct input *in, const struct carom_lmdb_db *db, __u64 last_pg,
		       __u32 flags)
{
	struct carom_lmdb_scan *s = (void *)scan.scratch;
	const struct input_file *f = in->file;
	size_t other = in->key_len % f->nr_keys;

	memset(s, 0, scan.walker->scratch_size);
	s->query.scan = (struct carom_scan_query){
		.flags = flags, .limit = flags & CAROM_SCAN_TOTALS ? UINT64_MAX : 200,
		.width = flags & CAROM_SCAN_TOTALS ? 4 : 0, .pages = CAROM_DEFAULT_HOPS - 1,
	};
	s->query.last_pg = last_pg;
	s->query.entries = db->entries;
	s->query.depth = db->depth;
	s->query.low_len = (__u32)(in->key_len <= CAROM_LMDB_MAX_KEY ? in->key_len : 0);
	memcpy(s->query.low, in->key, s->query.low_len);
	s->query.high_len = in->key_len & 1 ? (__u32)f->keys[other].len : 0;
	memcpy(s->query.high, f->keys[other].bytes, s->query.high_len);
	s->answer.totals.min = UINT64_MAX;
	s->walk.level = db->depth;
	s->walk.mode = CAROM_LMDB_SEEK;
	s->walk.page = db->root;
	differ_run(&scan, db->root * PAGE);
}

/* The keys of the file, which need not be in order for that. */
static void many_keys(const struct input *in, const struct carom_lmdb_db *db, __u64 last_pg)
{
	struct carom_lmdb_many *s = (void *)many.scratch;
	const struct input_file *f = in->file;
	unsigned int i;

	memset(s, 0, many.walker->scratch_size);
	s->last_pg = last_pg;
	s->pages = CAROM_DEFAULT_HOPS - 1;
	s->level = db->depth;
	s->page = db->root;
	for (i = 0; i < f->nr_keys; i++) {
		s->key[i] = (struct carom_lmdb_key){ .page = db->root, .off = s->used,
						     .len = (__u32)f->keys[i].len };
		memcpy(s->area + s->used, f->keys[i].bytes, f->keys[i].len);
		s->used += (__u32)f->keys[i].len;
	}
	s->nr = f->nr_keys;
	differ_run(&many, db->root * PAGE);
}

static void whole_tree(const struct input *in, const struct carom_lmdb_db *db, __u64 last_pg)
{
	scan_range(in, db, last_pg, 0);
	scan_range(in, db, last_pg, CAROM_SCAN_REVERSE);
	scan_range(in, db, last_pg, CAROM_SCAN_TOTALS | CAROM_SCAN_SIGNED);
	many_keys(in, db, last_pg);
}

/* The chains that the format makes of a lookup, without its checks in between. */
static void look_up(struct input *in)
{
	struct carom_lmdb_scratch meta = { .query.op = CAROM_LMDB_META };
	struct carom_lmdb_meta m;
	struct carom_lmdb_db db;

	if (run_single(&meta, 0).end != CAROM_END_DONE)
		return;
	m = answer()->answer.meta;
	get(&m.main, m.last_pg, in->key, in->key_len);
	whole_tree(in, &m.main, m.last_pg);
	if (!in->db || get(&m.main, m.last_pg, in->db, strlen(in->db)).end != CAROM_END_DONE)
		return;
	if (!(answer()->answer.flags & CAROM_LMDB_IS_DB))
		return;
	memcpy(&db, single.node + answer()->answer.value_off, sizeof(db));
	whole_tree(in, &db, m.last_pg);
	get(&db, m.last_pg, in->key, in->key_len);
}

static void try_input(const __u8 *data, size_t size)
{
	struct input in;

	input_apply(&in, data, size);
	differ_image(in.file->image, (size_t)in.file->pages * PAGE);
	if (in.raw)
		run_single(&in.query, in.start);
	else
		look_up(&in);
	input_undo(&in);
}

/* ---- inputs ---- */

static void all_of_the_corpus(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < differ_inputs; i++)
		try_input(differ_corpus[i].bytes, differ_corpus[i].len);
	print_message("# %u inputs, %lu chains, %lu hops\n", differ_inputs, differ_chains,
		      differ_hops);
	assert_true(differ_inputs > 100);
}

static const __u16 values[] = {
	0, 1, 2, 3, 4, 8, 10, 16, 48, 511, 512, 2048, 4080, 4088, 4094, 4096, 32768, 65535,
};

/* Header, pointer or node, of a page that there is, to a value that matters. */
static size_t add_patch(__u8 *data, size_t len)
{
	__u16 v = rnd_below(3) ? values[rnd_below(sizeof(values) / 2)] : (__u16)rnd();

	data[len++] = (__u8)(4 + rnd_below(rnd_below(8) ? 3 : 4)) | (__u8)(rnd_below(4) << 3);
	data[len++] = (__u8)rnd_below(INPUT_MAX_PAGES);
	data[len++] = (__u8)rnd_below(rnd_below(2) ? 16 : 256);
	data[len++] = (__u8)(rnd_below(16) == 0);
	data[len++] = (__u8)v;
	data[len++] = (__u8)(v >> 8);
	return len;
}

static size_t make_input(__u8 *data)
{
	unsigned int i = (unsigned int)rnd_below(differ_inputs), n;
	size_t len = differ_corpus[i].len;

	memcpy(data, differ_corpus[i].bytes, len);
	/* Whole files are worth a walk too, at a key that is in there. */
	if (rnd_below(3) == 0) {
		len = 3;
		data[0] = (__u8)rnd_below(INPUT_MAX_FILES);
		data[1] = (__u8)rnd_below(16);
		data[2] = (__u8)rnd_below(0x80);
	}
	for (n = (unsigned int)rnd_below(3); n && len; n--)
		data[rnd_below(len)] ^= (__u8)(1 << rnd_below(8));
	for (n = (unsigned int)rnd_below(4); n; n--)
		len = add_patch(data, len);
	return len;
}

static void chance(void **state)
{
	__u8 data[DIFFER_LEN + 64];
	unsigned int i, kinds = 0;

	(void)state;
	for (i = 0; i < differ_rounds(); i++)
		try_input(data, make_input(data));
	for (i = 0; i < CAROM_LMDB_E_NR; i++)
		kinds += differ_codes[i] > 0;
	print_message("# %u images more, %lu chains, %lu hops; %lu done, %lu miss, %lu refused "
		      "for %u reasons, %lu out of range\n", differ_rounds(), differ_chains,
		      differ_hops, differ_ends[CAROM_END_DONE], differ_ends[CAROM_END_MISS],
		      differ_ends[CAROM_END_WALKER], kinds, differ_ends[CAROM_END_RANGE]);
	/* It must have seen nearly all that the walker can find wrong. */
	assert_true(kinds >= 14);
	assert_true(differ_ends[CAROM_END_DONE] > 100 && differ_ends[CAROM_END_MISS] > 50);
}

/* ---- */

static int setup(void **state)
{
	(void)state;
	rnd_init();
	input_init();
	differ_read_corpus(corpus_dir);
	differ_open(INPUT_MAX_PAGES * PAGE);
	differ_side_open(&single, &carom_walker_lmdb, CAROM_LMDB_AREA + VALUE_ROOM);
	differ_side_open(&scan, &carom_walker_lmdb_scan, carom_walker_lmdb_scan.scratch_size);
	differ_side_open(&many, &carom_walker_lmdb_many, carom_walker_lmdb_many.scratch_size);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	differ_side_close(&single);
	differ_side_close(&scan);
	differ_side_close(&many);
	differ_close();
	input_exit();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_the_corpus),
		cmocka_unit_test(chance),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: differ CORPUS\n");
		return 2;
	}
	corpus_dir = argv[1];
	return cmocka_run_group_tests_name("differ", tests, setup, teardown);
}
