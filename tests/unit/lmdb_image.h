/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An LMDB file in memory whose pages the tests find without the walker's help.
 */
#ifndef LMDB_IMAGE_H
#define LMDB_IMAGE_H

#include "lmdb_fake.h"

#define PAGE		CAROM_LMDB_PAGE
#define KEYS		20000
#define BIG_LEN		50000
#define MEDIUM_LEN	3000

/**
 * struct lmdb_image - the file, and the way to the keys that the tests look up
 * @path: pages from root to leaf
 * @entry: the entry taken in each
 * @key: has an inline value
 * @overflow: first page of key "big"'s value
 * @meta: page of the newer meta
 */
struct lmdb_image {
	__u8 *image;
	__u64 size;
	__u64 last_pg;
	__u64 path[CAROM_LMDB_MAX_DEPTH];
	unsigned int entry[CAROM_LMDB_MAX_DEPTH];
	unsigned int depth;
	char key[16];
	__u64 overflow;
	unsigned int meta;
};

extern struct lmdb_image f;

/* KEYS keys "key%08u", and "big", "medium" and the database "sub" with key "k". */
void make_file(void);
/* lmdb_setup() and make_file(), and what undoes them. */
int image_setup(void **state);
int image_teardown(void **state);
/* Note the way from the root to @key in f.path and f.entry. */
void find_path(const char *key);
/* A key whose way leads through no first entry, so that each one is compared. */
void pick_key(void);

/* Little-endian numbers of @len bytes at file offset @off. */
__u64 get(__u64 off, size_t len);
void set(__u64 off, size_t len, __u64 v);

/* File offset of a field of a page's header, of entry @i, and of its pointer. */
__u64 at(__u64 page, unsigned int field);
__u64 entry_of(__u64 page, unsigned int i);
__u64 pointer_of(__u64 page, unsigned int i);

#endif /* LMDB_IMAGE_H */
