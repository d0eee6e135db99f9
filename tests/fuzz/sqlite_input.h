/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the SQLite fuzzer starts from: files that SQLite has made, keys that are in them,
 * and what an input does to both.
 */
#ifndef CAROM_SQLITE_INPUT_H
#define CAROM_SQLITE_INPUT_H

#include "../../user/formats/sqlite.h"

#define FUZZ_FILES	5
#define FUZZ_TREES	5	/* rowid or primary key, and four indexes */
#define FUZZ_KEYS	64
#define FUZZ_DAMAGES	24

/**
 * struct fuzz_tree - a table by one of its keys
 * @ix: what the format has of it
 * @keys: such as are in the file
 */
struct fuzz_tree {
	struct sqlite_index ix;
	unsigned int parts;
	struct {
		struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS];
	} keys[FUZZ_KEYS];
	unsigned int nr_keys;
	char *name[CAROM_SQLITE_MAX_COLUMNS];
	char *collation[CAROM_SQLITE_MAX_COLUMNS];
};

/**
 * struct fuzz_file - a file in memory
 * @db: SQLite, on a copy of it that stays as it is
 */
struct fuzz_file {
	__u8 *image;
	size_t size;
	sqlite3 *db;
	const struct carom_native_walker *walker;
	struct fuzz_tree trees[FUZZ_TREES];
	unsigned int nr_trees;
};

extern struct fuzz_file fuzz_files[FUZZ_FILES];

/**
 * struct fuzz_input - an input, taken apart
 * @damaged: the file differs from what SQLite has
 * @ask: SQLite is to be asked, which takes its time
 * @scan: not a lookup, but scans that begin and end at the key
 * @raw: not a lookup, but a chain with bytes of the input in the scratch
 */
struct fuzz_input {
	struct fuzz_file *file;
	struct fuzz_tree *tree;
	struct carom_column key[CAROM_SQLITE_MAX_COLUMNS];
	unsigned int nr;
	char text[64];
	bool damaged;
	bool ask;
	bool scan;
	bool raw;
	const __u8 *rest;
	size_t rest_len;
	struct {
		size_t at;
		__u8 was;
	} undo[FUZZ_DAMAGES * 4];
	unsigned int nr_undo;
};

void fuzz_files_make(void);
void fuzz_files_free(void);
/* Take an input apart and damage its file; undo that with fuzz_undo(). */
void fuzz_apply(struct fuzz_input *in, const __u8 *data, size_t size);
void fuzz_undo(struct fuzz_input *in);

#endif /* CAROM_SQLITE_INPUT_H */
