/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Inside libcarom: what the index, its backends and the formats say to each
 * other. A format never knows which backend runs its chains.
 */
#ifndef CAROM_INTERNAL_H
#define CAROM_INTERNAL_H

#include <carom/carom.h>
#include <carom/scan.h>
#include <carom/walker.h>
#include <linux/carom.h>

/* Fill @err (may be NULL) and return @code. */
__attribute__((format(printf, 4, 5)))
int carom_error_set(struct carom_error *err, enum carom_fault fault, int code,
		    const char *fmt, ...);

/**
 * struct carom_reader_mem - the slot of a reader, whichever backend
 * @node: the node read last (read-only)
 * @scratch: query in, answer out
 * @scratch_size: bytes of it, at least what the walker needs
 * @max_hops: nodes that a chain may read
 */
struct carom_reader_mem {
	const __u8 *node;
	__u8 *scratch;
	__u32 scratch_size;
	__u32 max_hops;
};

const struct carom_reader_mem *carom_reader_mem(struct carom_reader *rd);

/* The format's private state of the reader's lookup, carom_format.lookup_size bytes. */
void *carom_reader_state(struct carom_reader *rd);

/* The format's private state of the index, as its open() left it. */
void *carom_reader_format_data(const struct carom_reader *rd);
void carom_reader_set_format_data(struct carom_reader *rd, void *data);

/* What a format's start() and finish() return when a chain has to run first. */
#define CAROM_CHAIN	2

/**
 * carom_reader_run() - run one chain to its end, on the reader's backend, and wait
 * @rd: the reader, query in its scratch
 * @offset: file offset of the first node
 * @res: end (CAROM_END_DONE, _MISS or _WALKER), code, hops and at
 * @err: filled on failure
 *
 * An abort in the kernel is carried on in user space. Return: 0, or a negative
 * errno when the chain could not be brought to an end (-EIO, -ELOOP, -ENODATA
 * for a read past the end of the file, -EINVAL for an unaligned offset).
 */
int carom_reader_run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res,
		     struct carom_error *err);

/* Read @len bytes at @offset of the file, past the walker. 0 or negative errno;
 * -ENODATA if the file ends before. No alignment needed. */
int carom_reader_pread(struct carom_reader *rd, void *buf, size_t len, __u64 offset);

/* The same through the page cache even under O_DIRECT: for a few bytes that are
 * read again and again, to see whether they have changed. */
int carom_reader_peek(struct carom_reader *rd, void *buf, size_t len, __u64 offset);

/* A buffer of the reader's own, at least @len bytes, kept until the next call. NULL: ENOMEM. */
void *carom_reader_buffer(struct carom_reader *rd, size_t len);

/* The file, as it was named to carom_index__open(), for error texts. */
const char *carom_reader_path(const struct carom_reader *rd);
/* The file, for locks. */
int carom_reader_fd(const struct carom_reader *rd);
/* File size in bytes, now. */
__u64 carom_reader_file_size(const struct carom_reader *rd);
/* Is the file sealed by the kernel, so that nobody can change it? */
bool carom_reader_sealed(const struct carom_reader *rd);

/**
 * struct carom_format - one file format
 * @name: as in --format
 * @walker: its native walker; the BPF one has the same name and sizes
 * @pick: which walker a file that starts so needs, if there are several; then @walker
 *	is NULL. NULL: none, and @err says why.
 * @lookup_size: bytes that it keeps of a lookup, see carom_reader_state()
 * @value_area: where in the scratch values on several pages go
 * @value_room: bytes that it gains by having there, if @share is what there is; NULL:
 *	it does not put values there
 * @probe: do these first bytes (up to 8192; fewer if the file is shorter) look
 *	like this format?
 * @open: find the tree that the options name, check what must be supported,
 *	and keep what lookups need with carom_reader_set_format_data(). Runs
 *	once per index, on a reader of its own. 0 or negative errno, @err filled.
 * @close: free what @open kept
 * @start: begin a lookup: check the key and write the query. CAROM_CHAIN: run
 *	a chain from *@offset, then call @finish; otherwise as carom_reader__get().
 *	-EINVAL with CAROM_FAULT_USAGE is for what no such file can hold.
 * @finish: the chain has come to @ret, as carom_reader_run() returns it: take
 *	the answer to @val, fetch what the chain left to user space, check that an
 *	unsealed file has not changed meanwhile. Returns as @start does, with
 *	CAROM_CHAIN for what else has to be read. @err holds what was said of the
 *	chain.
 * @next: as @start, but for the value after the one that the reader's lookup has
 *	come to last; NULL: there is one value per key
 * @forget: free what the state of a lookup refers to; NULL: nothing
 * @columns, @key_columns: of a row and of a key; NULL: they are bytes and no more
 * @row: take a value apart; as carom_index__row()
 * @key: put a key together; as carom_index__key()
 *
 * Many lookups are between @start and @finish at once, each on a reader of its
 * own: what they keep goes to carom_reader_state(). Neither runs chains itself.
 */
struct carom_format {
	const char *name;
	const struct carom_native_walker *walker;
	size_t lookup_size;
	size_t value_area;
	size_t (*value_room)(const struct carom_native_walker *walker, size_t share);
	bool (*probe)(const void *head, size_t len);
	const struct carom_native_walker *(*pick)(const char *path, const void *head, size_t len,
						  struct carom_error *err);
	int (*open)(struct carom_reader *rd, const struct carom_index_opts *opts,
		    struct carom_error *err);
	void (*close)(void *data);
	int (*start)(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		     struct carom_error *err);
	int (*finish)(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		      __u64 *offset, struct carom_value *val, struct carom_error *err);
	int (*next)(struct carom_reader *rd, __u64 *offset, struct carom_error *err);
	void (*forget)(void *state);
	size_t (*columns)(const void *data);
	size_t (*key_columns)(const void *data);
	int (*row)(const void *data, const struct carom_value *val, struct carom_column *cols,
		   size_t nr, struct carom_error *err);
	int (*key)(void *data, const struct carom_column *cols, size_t nr, void *buf,
		   size_t *size, struct carom_error *err);
};

/* Nodes that one chain of a scan may read. */
#define CAROM_SCAN_HOPS	1024

/**
 * struct carom_scan_format - how a format is scanned
 * @format: which
 * @walker: the walker for an index
 * @state_size: bytes that it keeps of a scan, see carom_reader_state()
 * @forget: as of struct carom_format
 * @open: check and keep the range, and the state of the file to be scanned. @point is
 *	a reader of lookups, @rd the scan's. 0, CAROM_NOTFOUND: there can be nothing in
 *	it; or negative errno.
 * @begin: write the query of the first chain, which begins at *@offset. CAROM_CHAIN,
 *	or as @open. @totals: no entries are wanted, but what they come to.
 * @finish: the chain has come to @ret, as carom_reader_run() returns it. 0: there is
 *	what the answer says; -EAGAIN with CAROM_FAULT_NONE: a writer has been quicker, so
 *	nothing of it counts; or negative errno.
 * @answer: of the last chain
 * @area: where entries are, @size bytes at most
 * @value: take the value of an entry that is not all in the area, and whose key is at
 *	@key; 0 or negative errno
 * @key: the key of an entry that has this value; NULL: it is in the area. Valid until
 *	the next call. 0 or negative errno.
 * @add: an entry that a scan for totals has left in the area: add it to @answer's; NULL:
 *	there are none
 * @rows: whose start() takes what @row_key says for a key, and whose answer is the value of
 *	an entry that only names it; NULL: there are no such entries
 * @names: do entries of this scan only name their values?
 * @row_key: of an entry, as @key
 */
struct carom_scan_format {
	const struct carom_format *format;
	const struct carom_native_walker *(*walker)(void *data);
	size_t state_size;
	void (*forget)(void *state);
	int (*open)(struct carom_reader *rd, struct carom_reader *point,
		    const struct carom_scan_opts *opts, struct carom_error *err);
	int (*begin)(struct carom_reader *rd, bool totals, __u64 *offset,
		     struct carom_error *err);
	int (*finish)(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		      struct carom_error *err);
	struct carom_scan_answer *(*answer)(struct carom_reader *rd);
	const __u8 *(*area)(struct carom_reader *rd, size_t *size);
	int (*value)(struct carom_reader *rd, const struct carom_scan_entry *entry,
		     const __u8 *key, struct carom_value *val, struct carom_error *err);
	int (*key)(struct carom_reader *rd, const struct carom_value *entry,
		   struct carom_value *key, struct carom_error *err);
	int (*add)(struct carom_reader *rd, const struct carom_value *entry,
		   struct carom_error *err);
	const struct carom_format *rows;
	bool (*names)(const struct carom_reader *rd);
	int (*row_key)(struct carom_reader *rd, const struct carom_value *entry,
		       struct carom_value *key, struct carom_error *err);
};

extern const struct carom_scan_format carom_scan_lmdb;
extern const struct carom_scan_format carom_scan_sqlite;

/**
 * struct carom_many_chain - keys that are to be looked up in one chain
 * @version: of the file
 * @keys: sorted, all different
 * @nr: how many
 */
struct carom_many_chain {
	const void *version;
	const struct carom_value *const *keys;
	size_t nr;
};

/**
 * enum carom_many_ret - what has become of a key in a chain, besides 0 and CAROM_NOTFOUND
 * @CAROM_MANY_IN_FILE: its value is to be read by @read of the format
 * @CAROM_MANY_ALONE: it is to be looked up by itself
 */
enum carom_many_ret {
	CAROM_MANY_IN_FILE = 10,
	CAROM_MANY_ALONE,
};

/**
 * struct carom_many_format - how a format looks many keys up
 * @format: which
 * @chains: its start() takes a struct carom_many_chain for a key, and its finish() says 0
 *	when the chain is over
 * @walker: the walker for an index of that format_data; NULL: its keys are looked up one by
 *	one, several at a time, and @chains, @valid, @compare, @fits, @result and @read do not
 *	count
 * @version_size: bytes of what @version keeps
 * @version: which version of the file lookups would see now. @point is a reader of them. 0
 *	or negative errno; CAROM_NOTFOUND: there is no key in it.
 * @unchanged: 1: that version is still whole, and with @newest the last one; 0: no; or
 *	negative errno
 * @valid: can a file have such a key?
 * @compare: of keys
 * @fits: how many of @nr keys fit into one chain, at least 1
 * @result: what has become of key @k of the last chain of @rd: 0 and *@val,
 *	CAROM_NOTFOUND, -EPROTO, or enum carom_many_ret. In the file: *@at and val->len.
 * @read: the value that @result says is in the file; it has val->len bytes and goes to
 *	the buffer of @point. 0 or negative errno.
 */
struct carom_many_format {
	const struct carom_format *format;
	const struct carom_format *chains;
	const struct carom_native_walker *(*walker)(const void *data);
	size_t version_size;
	int (*version)(struct carom_reader *point, void *version, struct carom_error *err);
	int (*unchanged)(struct carom_reader *point, const void *version, bool newest,
			 struct carom_error *err);
	bool (*valid)(const struct carom_value *key);
	int (*compare)(const struct carom_value *a, const struct carom_value *b);
	size_t (*fits)(const struct carom_value *const *keys, size_t nr);
	int (*result)(struct carom_reader *rd, size_t k, struct carom_value *val, __u64 *at);
	int (*read)(struct carom_reader *point, const void *version, __u64 at,
		    struct carom_value *val, struct carom_error *err);
};

extern const struct carom_many_format carom_many_lmdb;
extern const struct carom_many_format carom_many_sqlite;

extern const struct carom_format carom_format_lmdb;
extern const struct carom_format carom_format_sqlite;

#endif /* CAROM_INTERNAL_H */
