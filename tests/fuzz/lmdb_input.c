// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lmdb_input.h"

enum patch_op {
	PATCH_1,		/* one byte anywhere */
	PATCH_2,
	PATCH_4,
	PATCH_8,
	PATCH_HEADER,		/* two bytes of the page header */
	PATCH_POINTER,		/* a node's pointer */
	PATCH_NODE,		/* a field of a node, where its pointer says */
	PATCH_PAGE,		/* all of another page, but for its number */
};

struct input_file input_files[INPUT_MAX_FILES];

/* ---- reading an input ---- */

struct cursor {
	const __u8 *p;
	size_t left;
};

static __u64 take(struct cursor *c, size_t len)
{
	__u64 v = 0;
	size_t n = len < c->left ? len : c->left;

	memcpy(&v, c->p, n);
	c->p += n;
	c->left -= n;
	return v;
}

static void take_key(struct input *in, struct cursor *c, __u8 which)
{
	const struct input_file *f = in->file;
	size_t n;

	if (which < 0x80) {
		which %= f->nr_keys;
		in->key_len = f->keys[which].len;
		memcpy(in->key, f->keys[which].bytes, in->key_len);
		return;
	}
	in->key_len = take(c, 2) % (sizeof(in->key) + 1);
	n = in->key_len < c->left ? in->key_len : c->left;
	memset(in->key, 'k', in->key_len);
	memcpy(in->key, c->p, n);
	c->p += n;
	c->left -= n;
}

/* ---- patches ---- */

static void put(struct input_file *f, unsigned int page, size_t off, __u64 v, size_t len)
{
	if (off + len > PAGE)
		off = PAGE - len;
	memcpy(f->image + (size_t)page * PAGE + off, &v, len);
	f->dirty |= 1ULL << page;
}

/* The field that bits 3-4 of @op name, of the node that the pointer leads to. */
static void patch_node(struct input_file *f, unsigned int page, unsigned int pos, __u8 op,
		       __u64 v)
{
	static const __u8 fields[] = {
		CAROM_LMDB_ND_LO, CAROM_LMDB_ND_FLAGS, CAROM_LMDB_ND_KSIZE, CAROM_LMDB_ND_HDR,
	};
	__u16 node;

	memcpy(&node, f->image + (size_t)page * PAGE + CAROM_LMDB_PG_HDR + 2 * (pos % 340), 2);
	put(f, page, node + fields[op >> 3 & 3], v, 2);
}

static void patch_page(struct input_file *f, unsigned int page, unsigned int from)
{
	memcpy(f->image + (size_t)page * PAGE + 8, f->image + (size_t)(from % f->pages) * PAGE + 8,
	       PAGE - 8);
	f->dirty |= 1ULL << page;
}

static void patch(struct input_file *f, struct cursor *c)
{
	__u8 op = (__u8)take(c, 1);
	unsigned int page = (unsigned int)take(c, 1) % f->pages;
	unsigned int pos = (unsigned int)take(c, 2);

	switch ((enum patch_op)(op & 7)) {
	case PATCH_1:
	case PATCH_2:
	case PATCH_4:
	case PATCH_8:
		put(f, page, pos % PAGE, take(c, 1U << (op & 7)), 1U << (op & 7));
		break;
	case PATCH_HEADER:
		put(f, page, pos % CAROM_LMDB_PG_HDR, take(c, 2), 2);
		break;
	case PATCH_POINTER:
		put(f, page, CAROM_LMDB_PG_HDR + 2 * (pos % 340), take(c, 2), 2);
		break;
	case PATCH_NODE:
		patch_node(f, page, pos, op, take(c, 2));
		break;
	case PATCH_PAGE:
		patch_page(f, page, pos);
		break;
	}
}

static void take_lookup(struct input *in, struct cursor *c)
{
	static const char *const dbs[] = { NULL, NULL, NULL, "sub", "dup", "int", "none", "plain" };
	__u8 flags = (__u8)take(c, 1), key = (__u8)take(c, 1);

	in->sealed = flags & 1;
	in->db = dbs[flags >> 1 & 7];
	in->size -= (__u64)(flags >> 4) % in->file->pages * PAGE;
	take_key(in, c, key);
}

static void take_raw(struct input *in, struct cursor *c)
{
	struct carom_lmdb_query *q = &in->query.query;

	memset(&in->query, 0, sizeof(in->query));
	q->op = (__u32)take(c, 1);
	in->query.walk.level = (__u32)take(c, 1);
	take_key(in, c, (__u8)take(c, 1) & 0x7f);
	memcpy(q->key, in->key, in->key_len);
	q->key_len = (__u32)take(c, 2);
	if (!q->key_len)
		q->key_len = (__u32)in->key_len;
	in->start = take(c, 2) * 512;
	q->last_pg = take(c, 4);
	in->query.walk.need = (__u32)take(c, 4);
	in->query.walk.page = in->start / PAGE;
}

void input_apply(struct input *in, const __u8 *data, size_t size)
{
	struct cursor c = { data, size };
	__u8 which = (__u8)take(&c, 1);

	in->file = &input_files[(which & 0x7f) % INPUT_MAX_FILES];
	in->size = (__u64)in->file->pages * PAGE;
	in->raw = which & 0x80;
	if (in->raw)
		take_raw(in, &c);
	else
		take_lookup(in, &c);
	while (c.left)
		patch(in->file, &c);
}

void input_undo(struct input *in)
{
	struct input_file *f = in->file;
	unsigned int page;

	for (page = 0; f->dirty; page++) {
		if (f->dirty & 1ULL << page)
			memcpy(f->image + (size_t)page * PAGE, f->pristine + (size_t)page * PAGE,
			       PAGE);
		f->dirty &= ~(1ULL << page);
	}
}

/* ---- the files ---- */

static void add_key(struct input_file *f, const void *key, size_t len)
{
	assert_true(f->nr_keys < INPUT_MAX_KEYS && len <= CAROM_LMDB_MAX_KEY);
	memcpy(f->keys[f->nr_keys].bytes, key, len);
	f->keys[f->nr_keys++].len = len;
}

/* @count keys of @key_len bytes with values of @val_len, some of them worth a lookup. */
static void fill(struct input_file *f, MDB_dbi dbi, unsigned int count, size_t key_len,
		 size_t val_len)
{
	char key[CAROM_LMDB_MAX_KEY + 1], val[PAGE];
	unsigned int i;

	memset(val, 'v', sizeof(val));
	for (i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%0*u", (int)key_len, i * 2);
		val[0] = (char)i;
		put_one(f->env, dbi, key, key_len, val, val_len);
		if (i % (count / 3 + 1) == 0 || i + 1 == count)
			add_key(f, key, key_len);
	}
	snprintf(key, sizeof(key), "%0*u", (int)key_len, count | 1);
	add_key(f, key, key_len);
}

static void build_empty(struct input_file *f)
{
	db_open(f->env, NULL, 0);
	add_key(f, "k", 1);
}

static void build_leaf(struct input_file *f)
{
	fill(f, db_open(f->env, NULL, 0), 9, 5, 20);
}

/* Two levels, values in the leaf, on one and on more overflow pages. */
static void build_values(struct input_file *f)
{
	static char big[3 * PAGE];
	MDB_dbi dbi = db_open(f->env, NULL, 0);

	fill(f, dbi, 60, 12, 120);
	memset(big, 'b', sizeof(big));
	put_one(f->env, dbi, "big", 3, big, sizeof(big) - 100);
	put_one(f->env, dbi, "medium", 6, big, 3000);
	put_one(f->env, dbi, "nothing", 7, big, 0);
	add_key(f, "big", 3);
	add_key(f, "medium", 6);
	add_key(f, "nothing", 7);
}

/* Long keys make a high tree of few pages. */
static void build_deep(struct input_file *f)
{
	fill(f, db_open(f->env, NULL, 0), 60, 500, 300);
}

static void build_named(struct input_file *f)
{
	MDB_dbi dbi;
	__u64 n = 7;

	put_one(f->env, db_open(f->env, NULL, 0), "plain", 5, "value", 5);
	dbi = db_open(f->env, "dup", MDB_DUPSORT);
	put_one(f->env, dbi, "k", 1, "a", 1);
	put_one(f->env, dbi, "k", 1, "b", 1);
	put_one(f->env, db_open(f->env, "int", MDB_INTEGERKEY), &n, sizeof(n), "v", 1);
	fill(f, db_open(f->env, "sub", 0), 40, 30, 200);
	add_key(f, "plain", 5);
	add_key(f, "k", 1);
}

static void input_build(struct input_file *f, void (*build)(struct input_file *f))
{
	__u64 size;

	f->env = env_create(tmp_file(), 0);
	build(f);
	f->image = slurp(tmp_file(), &size);
	f->pages = (unsigned int)(size / PAGE);
	assert_true(size % PAGE == 0 && f->pages <= INPUT_MAX_PAGES);
	f->pristine = malloc(size);
	assert_non_null(f->pristine);
	memcpy(f->pristine, f->image, size);
	mdb_ok(mdb_txn_begin(f->env, NULL, MDB_RDONLY, &f->txn));
	/* The environment goes on without its name. */
	tmp_done();
}

void input_init(void)
{
	static void (*const builders[INPUT_MAX_FILES])(struct input_file *) = {
		build_empty, build_leaf, build_values, build_deep, build_named,
	};
	unsigned int i;

	for (i = 0; i < INPUT_MAX_FILES; i++)
		input_build(&input_files[i], builders[i]);
}

void input_exit(void)
{
	unsigned int i;

	for (i = 0; i < INPUT_MAX_FILES; i++) {
		mdb_txn_abort(input_files[i].txn);
		mdb_env_close(input_files[i].env);
		free(input_files[i].image);
		free(input_files[i].pristine);
	}
}
