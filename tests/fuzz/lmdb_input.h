/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzzer's input means: a lookup in one of some small LMDB files that
 * liblmdb has built, and what is damaged in that file before.
 *
 * Bytes of an input:
 *	0	which file; bit 7: a raw query
 *	1	bit 0: sealed; bits 1-3: which database; bits 4-7: pages cut off its end
 *	2	which of the file's own keys; from 0x80 on, a 16-bit length and the key follow
 * of a raw query, which goes past the format to the walker, instead of 1 and 2
 *	1	operation
 *	2	level
 *	3	which of the file's own keys
 *	4-5	length of the key, if other than 0
 *	6-7	first node, in sectors
 *	8-11	last page
 *	12-15	bytes that an overflow page needs
 * then patches until the input ends:
 *	0	bits 0-2: enum patch_op; the others choose among its fields
 *	1	page
 *	2-3	where in it, little-endian like all numbers
 *	4-	new bytes, as many as the operation takes (missing ones are 0)
 */
#ifndef LMDB_INPUT_H
#define LMDB_INPUT_H

#include "../unit/lmdb_fake.h"

#define PAGE			CAROM_LMDB_PAGE
#define INPUT_MAX_PAGES		48
#define INPUT_MAX_FILES		5
#define INPUT_MAX_KEYS		12

/**
 * struct input_file - a file that liblmdb has built
 * @image: its bytes, which patches change
 * @pristine: as they were
 * @pages: of PAGE bytes
 * @dirty: bit per page that differs from @pristine
 * @keys: keys that are worth a lookup
 * @env: still open, for the answers
 * @txn: a read transaction in it
 */
struct input_file {
	__u8 *image;
	__u8 *pristine;
	unsigned int pages;
	__u64 dirty;
	struct {
		__u8 bytes[CAROM_LMDB_MAX_KEY];
		size_t len;
	} keys[INPUT_MAX_KEYS];
	unsigned int nr_keys;
	MDB_env *env;
	MDB_txn *txn;
};

extern struct input_file input_files[INPUT_MAX_FILES];

/**
 * struct input - a decoded input
 * @file: with patches applied
 * @size: how many of its bytes are there
 * @sealed: whether the reader is to think that nobody can change the file
 * @db: NULL for the main one
 * @key: may be longer than a key can be, and empty
 * @key_len: its bytes
 * @raw: the scratch and the first node, not the above, are the query
 * @query: scratch of a raw query
 * @start: file offset of its first node
 */
struct input {
	struct input_file *file;
	__u64 size;
	bool sealed;
	const char *db;
	__u8 key[CAROM_LMDB_MAX_KEY + 9];
	size_t key_len;
	bool raw;
	struct carom_lmdb_scratch query;
	__u64 start;
};

/* Build the files; once. */
void input_init(void);
void input_exit(void);

/* Decode and apply; undo with input_undo(). */
void input_apply(struct input *in, const __u8 *data, size_t size);
void input_undo(struct input *in);

#endif /* LMDB_INPUT_H */
