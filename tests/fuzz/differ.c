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
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differ.h"
#include "lmdb_input.h"
#include "../lib/engine.h"

#define MAX_INPUTS	4096
#define INPUT_LEN	800
#define PATH_LEN	4096
#define STRIDE		4096

static struct {
	__u8 bytes[INPUT_LEN];
	size_t len;
} corpus[MAX_INPUTS];
static unsigned int nr_corpus;

static const char *corpus_dir;
static struct engine_walker walker;
static struct engine kernel;
static int device;
static __u8 *aligned;

static unsigned long ends[CAROM_END_NR], codes[CAROM_LMDB_E_NR], chains, hops;

/* What the native side has. */
static __u8 node[CAROM_LMDB_PAGE], scratch[STRIDE];

static int read_node(void *ctx, __u64 offset)
{
	const struct input *in = ctx;

	if (offset + PAGE <= (__u64)in->file->pages * PAGE) {
		memcpy(node, in->file->image + offset, PAGE);
		return 0;
	}
	/* Behind the image there is whatever there is. */
	if (pread(device, aligned, PAGE, (off_t)offset) != PAGE)
		return -EIO;
	memcpy(node, aligned, PAGE);
	return 0;
}

static bool within(void *ctx, __u64 end)
{
	(void)ctx;
	return end <= kernel.open.file_size;
}

static struct carom_lookup run_native(struct input *in, __u64 start)
{
	const struct differ_memory mem = {
		.node = node, .scratch = scratch, .read = read_node, .within = within, .ctx = in,
	};

	return differ_native(&mem, start);
}

static void same_bytes(const char *what, const struct input *in, const void *kern,
		       const void *native, size_t len)
{
	const __u8 *a = kern, *b = native;
	size_t i;

	for (i = 0; i < len && a[i] == b[i]; i++)
		;
	if (i < len)
		fail_msg("file %td: byte %zu of the %s: kernel 0x%02x, native 0x%02x",
			 in->file - input_files, i, what, a[i], b[i]);
}

/* Run the query on both sides; the result that both agree on. */
static struct carom_lookup run_both(struct input *in, const struct carom_lmdb_scratch *query,
				    __u64 start)
{
	struct carom_lookup k, n;

	memset(scratch, 0x5a, sizeof(scratch));
	memcpy(scratch, query, sizeof(*query));
	memcpy(engine_scratch(&kernel, 0), scratch, sizeof(scratch));
	n = run_native(in, start);
	assert_int_equal(engine_lookup(&kernel, 0, start, &k), 0);
	if (k.end != n.end || k.code != n.code || k.hops != n.hops || k.at != n.at)
		fail_msg("file %td from %llu: kernel end %u code %d hops %u at %llu, "
			 "native end %u code %d hops %u at %llu", in->file - input_files, start,
			 k.end, k.code, k.hops, k.at, n.end, n.code, n.hops, n.at);
	same_bytes("scratch", in, engine_scratch(&kernel, 0), scratch, sizeof(scratch));
	if (k.hops)
		same_bytes("node", in, engine_node(&kernel, 0), node, sizeof(node));
	chains++;
	hops += k.hops;
	ends[k.end]++;
	if (k.end == CAROM_END_WALKER)
		codes[k.code]++;
	return k;
}

static const struct carom_lmdb_scratch *answer(void)
{
	return (const void *)scratch;
}

static struct carom_lookup get(struct input *in, const struct carom_lmdb_db *db, __u64 last_pg,
			       const void *key, size_t len)
{
	struct carom_lmdb_scratch s = {
		.query = { .op = CAROM_LMDB_GET, .key_len = (__u32)len, .last_pg = last_pg },
		.walk = { .level = db->depth, .page = db->root },
	};

	memcpy(s.query.key, key, len < sizeof(s.query.key) ? len : sizeof(s.query.key));
	return run_both(in, &s, db->root * PAGE);
}

/* The chains that the format makes of a lookup, without its checks in between. */
static void look_up(struct input *in)
{
	struct carom_lmdb_scratch meta = { .query.op = CAROM_LMDB_META };
	struct carom_lmdb_meta m;
	struct carom_lmdb_db db;

	if (run_both(in, &meta, 0).end != CAROM_END_DONE)
		return;
	m = answer()->answer.meta;
	get(in, &m.main, m.last_pg, in->key, in->key_len);
	if (!in->db || get(in, &m.main, m.last_pg, in->db, strlen(in->db)).end != CAROM_END_DONE)
		return;
	if (!(answer()->answer.flags & CAROM_LMDB_IS_DB))
		return;
	memcpy(&db, node + answer()->answer.value_off, sizeof(db));
	get(in, &db, m.last_pg, in->key, in->key_len);
}

static void try_input(const __u8 *data, size_t size)
{
	struct input in;
	size_t len;

	input_apply(&in, data, size);
	len = (size_t)in.file->pages * PAGE;
	memcpy(aligned, in.file->image, len);
	assert_int_equal(pwrite(device, aligned, len, 0), len);
	if (in.raw)
		run_both(&in, &in.query, in.start);
	else
		look_up(&in);
	input_undo(&in);
}

/* ---- inputs ---- */

static void read_corpus(void)
{
	struct dirent *entry;
	char path[PATH_LEN];
	DIR *dir = opendir(corpus_dir);
	FILE *f;

	assert_non_null(dir);
	while ((entry = readdir(dir)) && nr_corpus < MAX_INPUTS) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", corpus_dir, entry->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		corpus[nr_corpus].len = fread(corpus[nr_corpus].bytes, 1, INPUT_LEN, f);
		nr_corpus++;
		fclose(f);
	}
	closedir(dir);
}

static void all_of_the_corpus(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < nr_corpus; i++)
		try_input(corpus[i].bytes, corpus[i].len);
	print_message("# %u inputs, %lu chains, %lu hops\n", nr_corpus, chains, hops);
	assert_true(nr_corpus > 100);
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
	unsigned int i = (unsigned int)rnd_below(nr_corpus), n;
	size_t len = corpus[i].len;

	memcpy(data, corpus[i].bytes, len);
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

static unsigned int rounds(void)
{
	const char *text = getenv("CAROM_FUZZ_IMAGES");

	return text ? (unsigned int)atoi(text) : getenv("CAROM_SLOW") ? 300 : 1200;
}

static void chance(void **state)
{
	__u8 data[INPUT_LEN + 64];
	unsigned int i, kinds = 0;

	(void)state;
	for (i = 0; i < rounds(); i++)
		try_input(data, make_input(data));
	for (i = 0; i < CAROM_LMDB_E_NR; i++)
		kinds += codes[i] > 0;
	print_message("# %u images more, %lu chains, %lu hops; %lu done, %lu miss, %lu refused "
		      "for %u reasons, %lu out of range\n", rounds(), chains, hops,
		      ends[CAROM_END_DONE], ends[CAROM_END_MISS], ends[CAROM_END_WALKER], kinds,
		      ends[CAROM_END_RANGE]);
	/* It must have seen nearly all that the walker can find wrong. */
	assert_true(kinds >= 14);
	assert_true(ends[CAROM_END_DONE] > 100 && ends[CAROM_END_MISS] > 50);
}

/* ---- */

static int setup(void **state)
{
	const struct carom_open arg = { .scratch_size = CAROM_LMDB_SCRATCH_SIZE };
	const char *path = getenv("CAROM_VM_DEVICE");
	char object[PATH_LEN];
	int err;

	(void)state;
	rnd_init();
	input_init();
	read_corpus();
	assert_int_equal(posix_memalign((void **)&aligned, PAGE, INPUT_MAX_PAGES * PAGE), 0);
	snprintf(object, sizeof(object), "%s/bpf/lmdb.bpf.o", getenv("CAROM_BUILD"));
	err = engine_load(&walker, object, NULL, 0);
	if (err)
		fail_msg("%s: %s", object, strerror(-err));
	/* Not if it is mounted. */
	device = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (device < 0)
		fail_msg("%s: %s", path, strerror(errno));
	err = engine_open(&kernel, path, "lmdb", &arg);
	if (err)
		fail_msg("session on %s: %s", path, strerror(-err));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_close(&kernel);
	engine_unload(&walker);
	close(device);
	free(aligned);
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
