/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files of the LMDB format.
 */
#ifndef CAROM_FORMAT_LMDB_H
#define CAROM_FORMAT_LMDB_H

#include <carom/lmdb.h>
#include "../lib/internal.h"

/* bpf/lmdb.bpf.c, built natively. */
extern const struct carom_native_walker carom_walker_lmdb;

static inline struct carom_lmdb_scratch *lmdb_scratch(struct carom_reader *rd)
{
	return (struct carom_lmdb_scratch *)carom_reader_mem(rd)->scratch;
}

/**
 * struct lmdb_snap - one commit, as far as a lookup needs it
 * @meta: its meta page
 * @raw: what both meta pages said when it was taken (unsealed files)
 * @db: the tree that is looked up in
 */
struct lmdb_snap {
	struct carom_lmdb_meta meta;
	__u8 raw[2][CAROM_LMDB_SNAP];
	struct carom_lmdb_db db;
};

/*
 * 1 if the commit is intact, or with @newest if it is still the last one; 0 if
 * not; negative errno. Of a snapshot without a usable meta page: 1 if neither
 * has changed.
 */
int lmdb_unchanged(struct carom_reader *rd, const struct lmdb_snap *snap, bool newest,
		   struct carom_error *err);

/* The last commit. @rd is a reader of lookups. 0 or negative errno. */
int lmdb_newest(struct carom_reader *rd, struct lmdb_snap *snap, struct carom_error *err);

/* Fill @err for a chain that the walker ended with @code; returns -EBADMSG or such. */
int lmdb_walker_error(struct carom_reader *rd, __s32 code, struct carom_error *err);
int lmdb_bad_error(struct carom_reader *rd, __s32 code, const struct carom_lmdb_bad *bad,
		   struct carom_error *err);

/* The same for a page that lies beyond the end of the file. */
int lmdb_truncated_error(struct carom_reader *rd, __u64 page, struct carom_error *err);

/*
 * Refuse a database whose order or values we cannot do; @db is its name, NULL
 * for the main one. 0 or -EOPNOTSUPP.
 */
int lmdb_flags_error(struct carom_reader *rd, const char *db, unsigned int flags,
		     struct carom_error *err);

/*
 * Refuse files of other LMDB versions and machines; @head is their first page.
 * 0 or -EOPNOTSUPP.
 */
int lmdb_layout_error(struct carom_reader *rd, const __u8 *head, struct carom_error *err);

/* Memory is short, or a read failed with @code, which is returned. */
int lmdb_no_memory(struct carom_error *err);
int lmdb_read_error(struct carom_reader *rd, int code, struct carom_error *err);

/* carom_format.value_room */
size_t lmdb_value_room(const struct carom_native_walker *walker, size_t share);

/* Bytes of the area that a chain through a tree of @depth levels can fill. */
__u32 lmdb_room(struct carom_reader *rd, unsigned int depth);

/*
 * Turn the walker's answer into a value, which is in the node or the scratch, or else
 * is read to the reader's buffer. 0 or negative errno.
 */
int lmdb_take_value(struct carom_reader *rd, struct carom_value *val, struct carom_error *err);

/*
 * Read @len bytes at @at of the file, and what comes before them in the page, to the
 * reader's buffer. 0 or negative errno.
 */
int lmdb_value_in_file(struct carom_reader *rd, __u64 at, size_t len, struct carom_value *val,
		       struct carom_error *err);

/*
 * The same of a value on overflow pages from @page on, of which the first is checked.
 */
int lmdb_overflow_value(struct carom_reader *rd, __u64 page, size_t len, __u64 last_pg,
			struct carom_value *val, struct carom_error *err);

/* As liblmdb orders keys: < 0, 0, > 0. */
int lmdb_compare(const void *a, size_t a_len, const void *b, size_t b_len);

/* Does a file that starts so come from some LMDB? */
bool lmdb_probe(const void *head, size_t len);

#endif /* CAROM_FORMAT_LMDB_H */
