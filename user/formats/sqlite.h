/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files of the SQLite format.
 */
#ifndef CAROM_FORMAT_SQLITE_H
#define CAROM_FORMAT_SQLITE_H

#include <pthread.h>
#include <time.h>
#include <sqlite3.h>
#include <carom/sqlite.h>
#include "../lib/internal.h"

/* 1 << 63: no integer is so large, or less than its negative. */
#define SQLITE_TWO_63	9223372036854775808.0

/**
 * enum sqlite_affinity - what a column makes of values
 */
enum sqlite_affinity {
	SQLITE_AFFINITY_BLOB,		/* nothing */
	SQLITE_AFFINITY_TEXT,
	SQLITE_AFFINITY_NUMERIC,	/* and INTEGER, which compares alike */
	SQLITE_AFFINITY_REAL,
};

/**
 * struct sqlite_column - a column of the table
 * @place: which column of the record it is
 * @is_rowid: it is another name for the rowid; the record has NULL
 * @missing: its value in records that were written before it was added
 */
struct sqlite_column {
	char *name;
	enum sqlite_affinity affinity;
	unsigned int place;
	bool is_rowid;
	struct carom_column missing;
};

/* A column of an index; @column is that of the table, -1 the rowid. */
struct sqlite_part {
	int column;
	enum sqlite_affinity affinity;
	enum carom_sqlite_collation collation;
	bool desc;
};

/**
 * struct sqlite_tree - an index, or a table WITHOUT ROWID
 * @keys: columns that are its key
 * @nr: columns of its entries
 */
struct sqlite_tree {
	char *name;
	__u32 root;
	bool unique;
	unsigned int keys;
	unsigned int nr;
	struct sqlite_part *parts;
};

/**
 * struct sqlite_schema - a table, and what it is looked up by
 * @name: of the table
 * @root: of the table
 * @rowids: it has rowids, so it is a table tree
 * @primary: if not: its key
 * @by_index: keys are those of @index
 * @from: for each column of @primary's key, which column of @index's entries it is
 */
struct sqlite_schema {
	char *name;
	__u32 root;
	bool rowids;
	bool by_index;
	unsigned int nr;
	struct sqlite_column *columns;
	struct sqlite_tree primary;
	struct sqlite_tree index;
	unsigned int from[CAROM_SQLITE_MAX_COLUMNS];
};

/**
 * struct sqlite_file - the file, from its header
 * @head: the header, to see whether it has changed
 */
struct sqlite_file {
	__u8 head[CAROM_SQLITE_HD_SIZE];
	__u32 page_size;
	__u32 usable;
	__u32 pages;
	bool wal;
};

/**
 * struct sqlite_index - the format's state of an index
 * @path: of the file, without links
 * @locked: its descriptor if it has been locked, else -1
 * @changed: when it was written to last
 * @lock: @memory
 * @memory: a database in memory, which converts keys
 */
struct sqlite_index {
	char *path;
	int locked;
	struct timespec changed;
	struct sqlite_file file;
	struct sqlite_schema schema;
	pthread_mutex_t lock;
	sqlite3 *memory;
};

/**
 * struct sqlite_key - a key that is being looked up
 * @cols: its columns
 * @bytes: their texts and blobs, @room bytes of memory
 */
struct sqlite_key {
	struct carom_column cols[CAROM_SQLITE_MAX_COLUMNS];
	unsigned int nr;
	__u8 *bytes;
	size_t room;
};

/**
 * enum sqlite_stage - what the chain that is under way looks for
 * @SQLITE_DONE: none is; there are no more rows
 * @SQLITE_ENTRY: the entry, and the row if it is in that tree or in a table's
 * @SQLITE_PRIMARY: the row, by primary key
 */
enum sqlite_stage {
	SQLITE_STAGE_DONE,
	SQLITE_STAGE_ENTRY,
	SQLITE_STAGE_PRIMARY,
};

/**
 * struct sqlite_parts - a record that several chains bring
 * @buf: the reader's buffer, for all of it
 * @got: bytes that are there; 0: none of it has been brought
 */
struct sqlite_parts {
	__u8 *buf;
	size_t got;
};

/**
 * struct sqlite_lookup - the format's state of a lookup
 * @key: what is looked for
 * @primary: PRIMARY: likewise
 * @parts: what there is of a record with overflow pages
 * @kept: PRIMARY: query and walk of the index, for the next row
 */
struct sqlite_lookup {
	enum sqlite_stage stage;
	struct sqlite_key key;
	struct sqlite_key primary;
	struct sqlite_parts parts;
	struct {
		struct carom_sqlite_query query;
		struct carom_sqlite_walk walk;
	} kept;
};

/* ---- sqlite.c ---- */

/* Begin a chain for a rowid, or for a key of @tree that is kept in @key. As carom_format.start. */
int sqlite_begin_rowid(struct carom_reader *rd, const struct sqlite_index *ix,
		       const struct carom_column *col, __u64 *offset, struct carom_error *err);
int sqlite_begin_key(struct carom_reader *rd, const struct sqlite_index *ix,
		     const struct sqlite_tree *tree, struct sqlite_key *key,
		     const struct carom_column *cols, unsigned int nr, __u64 *offset,
		     struct carom_error *err);

/* Where a page is in the file. */
static inline __u64 sqlite_offset_of(const struct sqlite_index *ix, __u64 page)
{
	return (page - 1) * ix->file.page_size;
}

/* Parts of carom_format_sqlite, for the format of rows. */
int sqlite_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		  __u64 *offset, struct carom_value *val, struct carom_error *err);
void sqlite_forget(void *state);

/* Column @i of an entry. 0 or -EBADMSG. */
int sqlite_entry_column(const struct carom_value *entry, unsigned int i,
			struct carom_column *col);

/* ---- sqlite_schema.c ---- */

/**
 * sqlite_schema_read() - find a table and an index in a database
 * @index: its name, or NULL
 * @s: to be freed with sqlite_schema_free() in any case
 *
 * Return: 0; -ENOENT there is no such table or index; -EOPNOTSUPP; -EBADMSG; -ENOMEM.
 */
int sqlite_schema_read(sqlite3 *db, const char *path, const char *table, const char *index,
		       struct sqlite_schema *s, struct carom_error *err);
void sqlite_schema_free(struct sqlite_schema *s);

/* What the keys of lookups are those of; NULL: rowids. */
static inline const struct sqlite_tree *sqlite_key_tree(const struct sqlite_schema *s)
{
	return s->by_index ? &s->index : s->rowids ? NULL : &s->primary;
}

/* ---- sqlite.c ---- */

/* The rowid that a key's column is. 0; CAROM_NOTFOUND: none; -EINVAL: no number. */
int sqlite_rowid(const struct carom_column *col, int64_t *rowid);

/* ---- sqlite_file.c ---- */

bool sqlite_probe(const void *head, size_t len);
const struct carom_native_walker *sqlite_pick(const char *path, const void *head, size_t len,
					      struct carom_error *err);

/* The walker of many rowids; NULL: there are no pages of that size. */
const struct carom_native_walker *sqlite_pick_many(__u32 page_size);

/* What the header says. 0 or negative errno. */
int sqlite_file_check(const char *path, const __u8 *head, __u64 size, struct sqlite_file *file,
		      struct carom_error *err);

/* Lock the file against writers, unless it is sealed, and refuse one with a journal. */
int sqlite_file_guard(struct carom_reader *rd, struct sqlite_index *ix, struct carom_error *err);

/* Let the lock go. */
void sqlite_file_release(struct sqlite_index *ix);

/* Has an unsealed file been changed in spite of that? 0 or -EAGAIN and such. */
int sqlite_file_unchanged(struct carom_reader *rd, struct sqlite_index *ix,
			  struct carom_error *err);

/* ---- sqlite_record.c ---- */

/**
 * struct sqlite_record - a record that is being taken apart
 * @data: the whole of it
 * @at, @end: types still to come
 * @body: where the next value is
 */
struct sqlite_record {
	const __u8 *data;
	size_t len;
	size_t at;
	size_t end;
	size_t body;
};

/* Bytes of the varint, 1 to 9, or 0 if it does not end within @len. */
size_t sqlite_get_varint(const __u8 *p, size_t len, __u64 *value);

/* false: not a record. */
bool sqlite_record_begin(struct sqlite_record *r, const void *data, size_t len);
/* 1: *@col is the next column; 0: there are no more; -EBADMSG: it leaves the record. */
int sqlite_record_next(struct sqlite_record *r, struct carom_column *col);
/* Bytes that the record takes; written if @size is enough. */
size_t sqlite_record_make(const struct carom_column *cols, size_t nr, void *buf, size_t size);

int sqlite_row(const void *data, const struct carom_value *val, struct carom_column *cols,
	       size_t nr, struct carom_error *err);

/* carom_format.value_room */
size_t sqlite_value_room(const struct carom_native_walker *walker, size_t share);

/* What a chain needs to know of overflow pages, and that it begins in a tree. */
void sqlite_rest_begin(struct carom_reader *rd);

/*
 * The record of the walker's answer, with what is on overflow pages and, before it, the
 * rowid's varint. 0; CAROM_CHAIN: for the rest a chain has to begin at *@offset, and this
 * be called again with the same @parts; or negative errno.
 */
int sqlite_payload(struct carom_reader *rd, const struct sqlite_file *file,
		   struct sqlite_parts *parts, __u64 *offset, struct carom_value *val,
		   struct carom_error *err);
/*
 * The same of a record whose place in the file is known: it, or the rowid before it, begins
 * at @at, and has @len bytes with that. 0 or negative errno.
 */
int sqlite_payload_at(struct carom_reader *rd, const struct sqlite_file *file, bool rowid,
		      __u64 at, size_t len, struct carom_value *val, struct carom_error *err);

/* ---- sqlite_key.c ---- */

int sqlite_key(void *data, const struct carom_column *cols, size_t nr, void *buf, size_t *size,
	       struct carom_error *err);

/* Value @col as SQLite stores it in a column of that affinity. Text is @ix->memory's. */
int sqlite_convert(struct sqlite_index *ix, enum sqlite_affinity affinity,
		   const struct carom_column *col, struct carom_column *out);
int sqlite_convert_open(struct sqlite_index *ix);

/* Keep a key of at most CAROM_SQLITE_MAX_COLUMNS columns. 0 or -ENOMEM. */
int sqlite_key_keep(struct sqlite_key *key, const struct carom_column *cols, unsigned int nr);

/* The least integer that is not less than @d, and the like. */
void sqlite_query_real(struct carom_sqlite_column *q, double d);

/* Make a key the query of the scratch. */
void sqlite_query_key(struct carom_sqlite_query *q, const struct sqlite_tree *tree,
		      const struct sqlite_key *key);

/*
 * How an entry compares with the key, which is the query's, too, in the order of @tree:
 * -1, 0, 1; 2: the entry is damaged.
 */
int sqlite_compare(const struct carom_sqlite_query *q, const struct sqlite_tree *tree,
		   const struct sqlite_key *key, const void *entry, size_t len);

/* ---- sqlite_error.c ---- */

static inline struct carom_sqlite_scratch *sqlite_scratch(struct carom_reader *rd)
{
	return (struct carom_sqlite_scratch *)carom_reader_mem(rd)->scratch;
}

int sqlite_no_memory(struct carom_error *err);
int sqlite_walker_error(struct carom_reader *rd, __s32 code, struct carom_error *err);
int sqlite_truncated_error(struct carom_reader *rd, __u64 page, struct carom_error *err);
/* Page @page is damaged: @what, with one number in it. */
__attribute__((format(printf, 3, 0)))
int sqlite_page_error(struct carom_reader *rd, __u64 page, const char *what,
		      unsigned long long value, struct carom_error *err);

#endif /* CAROM_FORMAT_SQLITE_H */
