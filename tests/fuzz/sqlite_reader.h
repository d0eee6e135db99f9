/* SPDX-License-Identifier: GPL-2.0 */
/* A libcarom of some lines, on an image in memory, for who tries the SQLite format by itself. */
#ifndef CAROM_SQLITE_READER_H
#define CAROM_SQLITE_READER_H

#include "sqlite_input.h"

/**
 * struct carom_reader - the fake
 * @run: a chain from @offset: 0 and *@res, or a negative errno
 */
struct carom_reader {
	const struct fuzz_file *file;
	struct sqlite_index *ix;
	const struct carom_native_walker *walker;
	int (*run)(struct carom_reader *rd, __u64 offset, struct carom_lookup *res);
	struct carom_reader_mem mem;
	__u8 *node;
	void *state;
	void (*forget)(void *state);
	void *buf;
	struct carom_error err;
};

/* Node, scratch and state are made once for each file, and have the sizes that they need. */
void fuzz_reader_make(struct carom_reader *rd, const struct fuzz_file *file,
		      int (*run)(struct carom_reader *rd, __u64 offset,
				 struct carom_lookup *res));
/* The same for scans. */
void fuzz_scanner_make(struct carom_reader *rd, struct fuzz_file *file,
		       int (*run)(struct carom_reader *rd, __u64 offset,
				  struct carom_lookup *res));
void fuzz_reader_free(struct carom_reader *rd);

/*
 * Look all rows of a key up, FUZZ_ROWS at most, and call @row for each. How many were found,
 * or what went wrong.
 */
int fuzz_look_up(struct carom_reader *rd, const void *key, size_t len,
		 void (*row)(struct carom_reader *rd, void *ctx, const struct carom_value *val),
		 void *ctx);

/* A raw input's bytes to the scratch; returns where its chain begins. */
__u64 fuzz_raw_query(struct carom_reader *rd, const struct fuzz_input *in);

#define FUZZ_ROWS	8
/* Pages that a chain may read: down, up and down again in the index, and the table. */
#define FUZZ_HOPS	(4 * CAROM_SQLITE_MAX_DEPTH)

#endif /* CAROM_SQLITE_READER_H */
