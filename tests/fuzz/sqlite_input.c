// SPDX-License-Identifier: GPL-2.0
/*
 * An input is five bytes that say which file, tree and key, and then damages of six: a
 * page, a place in it, and what comes there. Places are more often in what the walker
 * believes than chance would have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../sqlite/column.h"
#include "../sqlite/random.h"
#include "sqlite_input.h"

struct fuzz_file fuzz_files[FUZZ_FILES];

static const struct layout layouts[FUZZ_FILES] = {
	{ .page_size = 512, .rowids = true, .rows = 700, .longest = 300 },
	{ .page_size = 512, .rowids = false, .rows = 700, .longest = 300 },
	{ .page_size = 1024, .reserved = 40, .rowids = true, .rows = 600, .longest = 3000 },
	{ .page_size = 4096, .rowids = false, .rows = 800, .longest = 2000 },
	{ .page_size = 65536, .rowids = true, .rows = 1500, .longest = 200 },
};

/* ---- files ---- */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzzer: %s\n", what);
	abort();
}

static void *copy(const void *data, size_t len)
{
	void *to = calloc(1, len + 1);

	must(to, "memory");
	if (len)
		memcpy(to, data, len);
	return to;
}

static void take_key(sqlite3_stmt *st, struct fuzz_tree *t)
{
	unsigned int i;

	for (i = 0; i < t->parts; i++) {
		struct carom_column *c = &t->keys[t->nr_keys].cols[i];

		*c = column_of(st, (int)i);
		if (c->type == CAROM_TYPE_TEXT || c->type == CAROM_TYPE_BLOB)
			c->data = copy(c->data, c->len);
	}
	t->nr_keys++;
}

static void take_keys(struct fuzz_file *f, struct fuzz_tree *t)
{
	sqlite3_str *s = sqlite3_str_new(f->db);
	sqlite3_stmt *st;
	unsigned int i;
	char *text;

	sqlite3_str_appendall(s, "SELECT ");
	for (i = 0; i < t->parts; i++)
		sqlite3_str_appendf(s, "%s\"%w\"", i ? ", " : "", t->name[i]);
	sqlite3_str_appendall(s, " FROM t");
	text = sqlite3_str_finish(s);
	must(sqlite3_prepare_v2(f->db, text, -1, &st, NULL) == SQLITE_OK, text);
	sqlite3_free(text);
	for (i = 0; t->nr_keys < FUZZ_KEYS && sqlite3_step(st) == SQLITE_ROW; i++)
		if (i % 9 == 0)
			take_key(st, t);
	sqlite3_finalize(st);
	must(t->nr_keys, "no keys");
}

static void name_parts(struct fuzz_file *f, struct fuzz_tree *t)
{
	static const char *const collations[] = { "BINARY", "NOCASE", "RTRIM" };
	const struct sqlite_tree *tree = sqlite_key_tree(&t->ix.schema);

	(void)f;
	if (!tree) {
		t->name[0] = strdup("rowid");
		t->collation[0] = strdup("BINARY");
		t->parts = 1;
		return;
	}
	for (; t->parts < tree->keys; t->parts++) {
		t->name[t->parts] = strdup(t->ix.schema.columns
					   [tree->parts[t->parts].column].name);
		t->collation[t->parts] = strdup(collations[tree->parts[t->parts].collation]);
	}
}

static void make_tree(struct fuzz_file *f, const char *index)
{
	struct fuzz_tree *t = &f->trees[f->nr_trees++];
	struct carom_error err;

	t->ix.path = strdup("file");
	pthread_mutex_init(&t->ix.lock, NULL);
	must(!sqlite_file_check("file", f->image, f->size, &t->ix.file, &err), "header");
	must(!sqlite_schema_read(f->db, "file", "t", index, &t->ix.schema, &err), err.text);
	must(!sqlite_convert_open(&t->ix), "memory");
	name_parts(f, t);
	take_keys(f, t);
}

static void make_file(struct fuzz_file *f, const struct layout *l)
{
	char path[] = "/tmp/carom-fuzz-XXXXXX";
	sqlite3 *db;
	FILE *in;

	must(close(mkstemp(path)) == 0, "temporary file");
	db = random_database(path, l);
	sqlite3_close(db);
	in = fopen(path, "r");
	must(in && !fseek(in, 0, SEEK_END), path);
	f->size = (size_t)ftell(in);
	f->image = malloc(f->size);
	rewind(in);
	must(f->image && fread(f->image, 1, f->size, in) == f->size, path);
	fclose(in);
	f->walker = sqlite_pick(path, f->image, f->size, NULL);
	must(f->walker, "page size");
	/* It stays open, and the name goes. */
	must(sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK, path);
	make_tree(f, NULL);
	make_tree(f, "i0");
	make_tree(f, "i1");
	make_tree(f, "i2");
	make_tree(f, "i3");
	unlink(path);
}

void fuzz_files_make(void)
{
	unsigned int i;

	rnd_init();
	for (i = 0; i < FUZZ_FILES; i++)
		make_file(&fuzz_files[i], &layouts[i]);
}

static void free_tree(struct fuzz_tree *t)
{
	unsigned int i, j;

	for (i = 0; i < t->nr_keys; i++)
		for (j = 0; j < t->parts; j++)
			free((void *)t->keys[i].cols[j].data);
	for (j = 0; j < t->parts; j++) {
		free(t->name[j]);
		free(t->collation[j]);
	}
	sqlite3_close(t->ix.memory);
	sqlite_schema_free(&t->ix.schema);
	free(t->ix.path);
}

void fuzz_files_free(void)
{
	struct fuzz_file *f;
	unsigned int i;

	for (f = fuzz_files; f < fuzz_files + FUZZ_FILES; f++) {
		for (i = 0; i < f->nr_trees; i++)
			free_tree(&f->trees[i]);
		sqlite3_close(f->db);
		free(f->image);
	}
}

/* ---- inputs ---- */

static void put(struct fuzz_input *in, size_t at, __u8 byte)
{
	if (at >= in->file->size || in->nr_undo == sizeof(in->undo) / sizeof(in->undo[0]))
		return;
	in->undo[in->nr_undo].at = at;
	in->undo[in->nr_undo++].was = in->file->image[at];
	in->file->image[at] = byte;
	in->damaged = true;
}

static void put_be(struct fuzz_input *in, size_t at, __u32 value, unsigned int len)
{
	while (len--)
		put(in, at++, (__u8)(value >> 8 * len));
}

static void damage(struct fuzz_input *in, const __u8 *d)
{
	__u32 page_size = in->tree->ix.file.page_size, place = d[2] | (__u32)d[3] << 8;
	size_t page = (d[1] | (size_t)(d[0] >> 4) << 8) % in->tree->ix.file.pages;
	size_t start = page * page_size, at, header = page ? 0 : CAROM_SQLITE_HD_SIZE;
	const __u8 *image = in->file->image;
	__u32 value = d[4] | (__u32)d[5] << 8, cell;

	/* The first page is the schema's, which has been read. */
	if (start + page_size > in->file->size)
		return;
	cell = (__u32)header + 8 + 2 * (place % 64);
	if (cell + 2 > page_size)
		return;
	at = start + ((image[start + cell] << 8 | image[start + cell + 1]) + d[3] % 16) %
	     page_size;
	switch (d[0] & 7) {
	case 0:
		put(in, start + place % page_size, d[4]);
		break;
	case 1:
		put(in, start + header + place % 12, d[4]);
		break;
	case 2:
		put_be(in, start + cell, value, 2);
		break;
	case 3:
		put(in, at, d[4]);
		break;
	case 4:
		put_be(in, at, value % (in->tree->ix.file.pages + 3), 4);
		break;
	case 5:
		put_be(in, start + header + 8, value % (in->tree->ix.file.pages + 3), 4);
		break;
	case 6:
		put(in, start + header, "\2\5\12\15"[d[4] & 3]);
		break;
	default:
		put(in, at, (__u8)(image[at < in->file->size ? at : 0] + d[4]));
	}
}

/* A key of the file, or one that is nearly it. */
static void choose_key(struct fuzz_input *in, const __u8 *d)
{
	struct carom_column *c;

	in->nr = 1 + (d[2] >> 6) % in->tree->parts;
	memcpy(in->key, in->tree->keys[(d[2] & 63) % in->tree->nr_keys].cols, sizeof(in->key));
	if (!(d[3] & 3))
		return;
	c = &in->key[d[3] % in->nr];
	c->integer = (int64_t)((uint64_t)c->integer + (uint64_t)(int8_t)d[4]);
	c->real += (int8_t)d[4] / 8.0;
	if (c->len && c->len < sizeof(in->text) - 1 && d[3] & 4) {
		memcpy(in->text, c->data, c->len);
		in->text[c->len] = (char)d[4];
		in->text[d[3] % c->len] ^= d[3] & 32;
		c->data = in->text;
		c->len += d[3] & 1;
	} else if (d[3] & 8) {
		c->len /= 2;
	}
	if ((d[3] & 0xf0) == 0x50) {
		c->type = (enum carom_type)(d[4] % 5);
		if (c->type >= CAROM_TYPE_TEXT && !c->data)
			c->len = 0;
	}
}

void fuzz_apply(struct fuzz_input *in, const __u8 *data, size_t size)
{
	__u8 head[5] = { 0 };
	unsigned int i;

	memset(in, 0, sizeof(*in));
	memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
	/* Large pages take their time. */
	in->file = &fuzz_files[head[0] % 16 == 15 ? FUZZ_FILES - 1 : head[0] % (FUZZ_FILES - 1)];
	in->tree = &in->file->trees[head[1] % in->file->nr_trees];
	in->raw = head[0] >= 250;
	in->ask = head[4] == 1;
	in->scan = head[4] & 2;
	choose_key(in, head);
	if (size <= sizeof(head))
		return;
	in->rest = data + sizeof(head);
	in->rest_len = size - sizeof(head);
	for (i = 0; !in->raw && i < FUZZ_DAMAGES && (i + 1) * 6 <= in->rest_len; i++)
		damage(in, in->rest + i * 6);
}

void fuzz_undo(struct fuzz_input *in)
{
	while (in->nr_undo--)
		in->file->image[in->undo[in->nr_undo].at] = in->undo[in->nr_undo].was;
}
