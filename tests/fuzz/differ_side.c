// SPDX-License-Identifier: GPL-2.0
/* The same chain in the kernel and in libcarom, and what the programs that compare them share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "differ.h"

#define PATH_LEN	4096
#define BLOCK		4096

unsigned long differ_ends[CAROM_END_NR], differ_codes[256], differ_chains, differ_hops;
struct differ_input differ_corpus[DIFFER_INPUTS];
unsigned int differ_inputs;

static int device;
static __u8 *aligned;
static const __u8 *image;
static size_t image_len;

/* ---- the device ---- */

void differ_open(size_t longest)
{
	const char *path = getenv("CAROM_VM_DEVICE");

	longest = (longest > CAROM_MAX_NODE_SIZE ? longest : CAROM_MAX_NODE_SIZE) + BLOCK;
	assert_int_equal(posix_memalign((void **)&aligned, BLOCK, longest), 0);
	/* Not if it is mounted. */
	device = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (device < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

void differ_close(void)
{
	close(device);
	free(aligned);
}

void differ_image(const __u8 *bytes, size_t len)
{
	image = bytes;
	image_len = len;
	memcpy(aligned, image, len);
	assert_int_equal(pwrite(device, aligned, len, 0), len);
}

void differ_image_changed(size_t at)
{
	size_t start = at / BLOCK * BLOCK;
	size_t len = image_len - start < BLOCK ? image_len - start : BLOCK;

	memcpy(aligned, image + start, len);
	assert_int_equal(pwrite(device, aligned, len, (off_t)start), len);
}

static int read_node(void *ctx, __u64 offset)
{
	struct differ_side *s = ctx;
	__u32 size = s->walker->node_size;

	if (offset + size <= image_len) {
		memcpy(s->node, image + offset, size);
		return 0;
	}
	/* Behind the image there is whatever there is. */
	if (pread(device, aligned, size, (off_t)offset) != size)
		return -EIO;
	memcpy(s->node, aligned, size);
	return 0;
}

/* ---- walkers ---- */

void differ_side_open(struct differ_side *s, const struct carom_native_walker *walker,
		      __u32 scratch_size)
{
	const struct carom_open arg = { .node_size = walker->node_size,
					.scratch_size = scratch_size };
	const char *path = getenv("CAROM_VM_DEVICE");
	char object[PATH_LEN];
	int err;

	s->walker = walker;
	s->scratch_size = scratch_size;
	s->scratch = calloc(1, scratch_size);
	s->node = calloc(1, walker->node_size);
	assert_true(s->scratch && s->node);
	snprintf(object, sizeof(object), "%s/bpf/%s.bpf.o", getenv("CAROM_BUILD"), walker->name);
	err = engine_load(&s->loaded, object, NULL, 0);
	if (err)
		fail_msg("%s: %s", object, strerror(-err));
	err = engine_open(&s->kernel, path, walker->name, &arg);
	if (err)
		fail_msg("session on %s: %s", path, strerror(-err));
}

void differ_side_close(struct differ_side *s)
{
	engine_close(&s->kernel);
	engine_unload(&s->loaded);
	free(s->scratch);
	free(s->node);
}

static bool within(void *ctx, __u64 end)
{
	const struct differ_side *s = ctx;

	return end <= s->kernel.open.file_size;
}

static void same_bytes(const struct differ_side *s, const char *what, const void *kern,
		       const void *native, size_t len)
{
	const __u8 *a = kern, *b = native;
	size_t i;

	for (i = 0; i < len && a[i] == b[i]; i++)
		;
	if (i < len)
		fail_msg("%s: byte %zu of the %s: kernel 0x%02x, native 0x%02x", s->walker->name, i,
			 what, a[i], b[i]);
}

struct carom_lookup differ_run(struct differ_side *s, __u64 start)
{
	const struct differ_memory mem = {
		.walker = s->walker, .node = s->node, .scratch = s->scratch,
		.scratch_size = s->scratch_size, .read = read_node, .within = within, .ctx = s,
	};
	struct carom_lookup k, n;

	memcpy(engine_scratch(&s->kernel, 0), s->scratch, s->scratch_size);
	n = differ_native(&mem, start);
	assert_int_equal(engine_lookup(&s->kernel, 0, start, &k), 0);
	if (k.end != n.end || k.code != n.code || k.hops != n.hops || k.at != n.at)
		fail_msg("%s from %llu: kernel end %u code %d hops %u at %llu, native end %u code "
			 "%d hops %u at %llu", s->walker->name, start, k.end, k.code, k.hops, k.at,
			 n.end, n.code, n.hops, n.at);
	same_bytes(s, "scratch", engine_scratch(&s->kernel, 0), s->scratch,
		   s->scratch_size);
	if (k.hops)
		same_bytes(s, "node", engine_node(&s->kernel, 0), s->node, s->walker->node_size);
	differ_chains++;
	differ_hops += k.hops;
	differ_ends[k.end]++;
	if (k.end == CAROM_END_WALKER && k.code < 256)
		differ_codes[k.code]++;
	return k;
}

/* ---- inputs ---- */

void differ_read_corpus(const char *dir)
{
	struct dirent *entry;
	char path[PATH_LEN];
	DIR *d = opendir(dir);
	FILE *f;

	assert_non_null(d);
	while ((entry = readdir(d)) && differ_inputs < DIFFER_INPUTS) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		differ_corpus[differ_inputs].len = fread(differ_corpus[differ_inputs].bytes, 1,
							 DIFFER_LEN, f);
		differ_inputs++;
		fclose(f);
	}
	closedir(d);
}

unsigned int differ_rounds(void)
{
	const char *text = getenv("CAROM_FUZZ_IMAGES");

	return text ? (unsigned int)atoi(text) : getenv("CAROM_SLOW") ? 120 : 1200;
}
