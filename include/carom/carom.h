/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libcarom: index lookups through the NVMe completion path.
 *
 * An index is an open file of a known format and the backend that reads it. A
 * reader runs lookups on an index, one at a time; use one per thread. A queue has
 * many in flight; use one per thread, too. All backends run the same walker and
 * give the same answers:
 *
 *	kernel		the whole chain in the NVMe driver (carom.ko, sealed file)
 *	io_uring	one read per hop through an io_uring of the reader or queue
 *	pread		one pread() per hop
 *
 * The kernel backend seals the file: while the index is open nobody can open
 * it for writing. The others do not, and check instead that what they read
 * belongs to one version of the file.
 *
 * Functions that return int return 0 or a negative errno; CAROM_NOTFOUND, a
 * positive code, is an ordinary answer. Nothing here may be called from a
 * signal handler. An index may be shared by threads; a reader or a queue may not.
 */
#ifndef CAROM_CAROM_H
#define CAROM_CAROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAROM_NOTFOUND	1

enum carom_backend {
	CAROM_BACKEND_AUTO,
	CAROM_BACKEND_KERNEL,
	CAROM_BACKEND_IO_URING,
	CAROM_BACKEND_PREAD,
};

/**
 * enum carom_wait - how a call waits for its chain in the kernel
 * @CAROM_WAIT_SLEEP: until the device's interrupts have brought it to its end
 * @CAROM_WAIT_POLL: not at all: it looks for each read on a queue without interrupts
 *	(nvme.poll_queues), which keeps the CPU busy; best for devices that take a few
 *	microseconds. Without such queues it sleeps.
 * @CAROM_WAIT_HYBRID: sleeps for about half of what reads take, and then polls
 */
enum carom_wait {
	CAROM_WAIT_SLEEP,
	CAROM_WAIT_POLL,
	CAROM_WAIT_HYBRID,
};

/**
 * enum carom_fault - what kind of thing went wrong
 * @CAROM_FAULT_NONE: nothing
 * @CAROM_FAULT_USAGE: an argument
 * @CAROM_FAULT_FORMAT: the file is not of that format, is damaged, or uses a
 *	feature of the format that is not supported
 * @CAROM_FAULT_BACKEND: the asked-for backend does not work here
 * @CAROM_FAULT_IO: the file cannot be opened or read
 */
enum carom_fault {
	CAROM_FAULT_NONE,
	CAROM_FAULT_USAGE,
	CAROM_FAULT_FORMAT,
	CAROM_FAULT_BACKEND,
	CAROM_FAULT_IO,
};

/**
 * struct carom_error - why a call failed
 * @fault: kind
 * @code: the negative errno that the call returned
 * @text: one line: what, where, and what to do
 */
struct carom_error {
	enum carom_fault fault;
	int code;
	char text[512];
};

struct carom_index;
struct carom_reader;

/**
 * struct carom_index_opts - options of carom_index__open()
 * @sz: sizeof(struct carom_index_opts), for growth
 * @format: "lmdb" or "sqlite", or NULL to find out from the file
 * @db: named database inside the file, or NULL for the main one
 * @backend: which backend; CAROM_BACKEND_AUTO takes the first that works
 * @direct: io_uring and pread bypass the page cache (O_DIRECT)
 * @max_readers: readers that can exist at once, 0 for 16
 * @max_hops: hop limit of a lookup, 0 for the default (256)
 * @deadline_ms: time limit of a chain in the kernel, 0 for the default
 * @max_in_flight: lookups that the queues of the index can have in flight, all
 *	together, 0 for 32; @max_readers and it are at most 4096
 * @table: sqlite: the table; needed
 * @index: sqlite: index of the table whose columns the keys are, or NULL: keys are
 *	rowids, or the primary key if the table has none (WITHOUT ROWID)
 * @value_room: bytes of memory that each reader, and each lookup in flight, has for
 *	values on several pages, so that a chain in the kernel can bring them along;
 *	what does not fit is read afterwards. 65536 is as much as there can be. 0: what
 *	the format gains by, and at most 4 MiB altogether but for a page of an SQLite
 *	file each. Answers do not depend on it.
 * @wait: how readers and scans wait for chains in the kernel; queues have an option of
 *	their own. Answers do not depend on it.
 */
struct carom_index_opts {
	size_t sz;
	const char *format;
	const char *db;
	enum carom_backend backend;
	bool direct;
	unsigned int max_readers;
	unsigned int max_hops;
	unsigned int deadline_ms;
	unsigned int max_in_flight;
	const char *table;
	const char *index;
	size_t value_room;
	enum carom_wait wait;
};

/**
 * carom_index__open() - open an index file for lookups
 * @path: the file
 * @opts: options, or NULL
 * @out: the index, to be closed with carom_index__close()
 * @err: filled on failure, or NULL
 *
 * Return: 0, or -EINVAL (an option), -EBADMSG (not of that format, or damaged),
 * -EOPNOTSUPP (a feature of the format, or the asked-for backend), -ENOENT (no
 * such named database), or what open(2) and read(2) gave.
 */
int carom_index__open(const char *path, const struct carom_index_opts *opts,
		      struct carom_index **out, struct carom_error *err);

/**
 * carom_index__close() - close an index and unseal its file
 * @ix: the index; its readers and queues must be gone. NULL is ignored.
 */
void carom_index__close(struct carom_index *ix);

/** carom_index__backend() - the backend in use, never CAROM_BACKEND_AUTO */
enum carom_backend carom_index__backend(const struct carom_index *ix);

/**
 * carom_index__why() - why that backend is in use, one line
 *
 * Return: text owned by the index.
 */
const char *carom_index__why(const struct carom_index *ix);

/** carom_index__format() - name of the file's format, static text */
const char *carom_index__format(const struct carom_index *ix);

/**
 * struct carom_value - an answer
 * @data: the bytes; valid until the reader's next call
 * @len: how many
 */
struct carom_value {
	const void *data;
	size_t len;
};

/*
 * Rows. In formats that have columns (sqlite) keys and values are records of them, in
 * the file's own encoding; these functions put them together and take them apart.
 */

enum carom_type {
	CAROM_TYPE_NULL,
	CAROM_TYPE_INTEGER,
	CAROM_TYPE_REAL,
	CAROM_TYPE_TEXT,
	CAROM_TYPE_BLOB,
};

/**
 * struct carom_column - one column of a row or of a key
 * @name: row: its name, owned by the index; not looked at in keys
 * @type: which of the following counts
 * @integer: CAROM_TYPE_INTEGER
 * @real: CAROM_TYPE_REAL
 * @data: CAROM_TYPE_TEXT (UTF-8, not NUL-terminated), CAROM_TYPE_BLOB
 * @len: bytes of @data
 */
struct carom_column {
	const char *name;
	enum carom_type type;
	int64_t integer;
	double real;
	const void *data;
	size_t len;
};

/**
 * carom_index__columns() - columns of a row
 *
 * Return: how many; 0 if values are bytes and no more (lmdb).
 */
size_t carom_index__columns(const struct carom_index *ix);

/**
 * carom_index__key_columns() - columns of a key, at most
 *
 * Return: how many; 0 if keys are bytes and no more (lmdb).
 */
size_t carom_index__key_columns(const struct carom_index *ix);

/**
 * carom_index__row() - take a value apart
 * @ix: the index
 * @val: a value that a lookup in @ix has given
 * @cols: filled; texts and blobs lie in @val, or are the index's own
 * @nr: room in @cols, at least carom_index__columns()
 * @err: filled on failure, or NULL
 *
 * Return: 0; -EINVAL @nr is too small, or the format has no columns; -EBADMSG the row
 * is damaged.
 */
int carom_index__row(const struct carom_index *ix, const struct carom_value *val,
		     struct carom_column *cols, size_t nr, struct carom_error *err);

/**
 * carom_index__key() - put a key together
 * @ix: the index
 * @cols: its columns; fewer than the index has if it is the leading ones
 * @nr: how many
 * @buf: the key, for carom_reader__get() and carom_queue__submit()
 * @size: in: room in @buf; out: bytes of the key
 * @err: filled on failure, or NULL
 *
 * Columns are converted as SQLite converts what stands on the other side of = from the
 * column: a text that is a number to a number where the column is numeric, a number
 * to a text where it is text. NULL finds rows where the column is NULL.
 *
 * Return: 0; -EINVAL too many columns, a rowid that is no number, or a format without
 * columns; -ENOSPC @buf is too small, @size says what is needed; -ENOMEM.
 */
int carom_index__key(struct carom_index *ix, const struct carom_column *cols, size_t nr,
		     void *buf, size_t *size, struct carom_error *err);

/** carom_backend__name() - "auto", "kernel", "io_uring" or "pread", static text */
const char *carom_backend__name(enum carom_backend backend);

/**
 * carom_reader__new() - a reader of an index
 *
 * Return: 0; -EBUSY when max_readers exist; -ENOMEM, or what io_uring gave.
 */
int carom_reader__new(struct carom_index *ix, struct carom_reader **out,
		      struct carom_error *err);

/** carom_reader__free() - give a reader back; NULL is ignored */
void carom_reader__free(struct carom_reader *rd);

/**
 * carom_reader__get() - look one key up
 * @rd: the reader
 * @key: bytes of the key
 * @key_len: how many
 * @val: the answer, untouched unless 0 is returned
 *
 * Return: 0 found; CAROM_NOTFOUND absent; -EINVAL a key that no such file can
 * hold; -EBADMSG the file is damaged (the text names the page); -EAGAIN the
 * file is being changed; -ELOOP hop limit; -EIO or what read(2) gave. A chain
 * that the kernel aborts is carried on in user space from the hop it reached,
 * and counted in carom_reader_stats.fallbacks.
 */
int carom_reader__get(struct carom_reader *rd, const void *key, size_t key_len,
		      struct carom_value *val);

/**
 * carom_reader__next() - a further value of the key that was looked up last
 * @rd: the reader, after carom_reader__get() or carom_reader__next() has returned 0
 * @val: the answer, untouched unless 0 is returned
 *
 * In the order of the index. Return: as carom_reader__get(); CAROM_NOTFOUND when there
 * are no more.
 */
int carom_reader__next(struct carom_reader *rd, struct carom_value *val);

/** carom_reader__error() - why the reader's last call failed; owned by it */
const struct carom_error *carom_reader__error(const struct carom_reader *rd);

/**
 * struct carom_reader_stats - totals of one reader or queue
 * @lookups: lookups that reached the file
 * @hops: nodes read, by whichever backend
 * @kernel_hops: of those, how many a walker saw in the kernel
 * @fallbacks: chains carried on in user space
 * @last_hops: nodes read by the last lookup
 * @last_abort: name of the reason of the last fallback, or NULL; static text
 */
struct carom_reader_stats {
	uint64_t lookups;
	uint64_t hops;
	uint64_t kernel_hops;
	uint64_t fallbacks;
	uint64_t last_hops;
	const char *last_abort;
};

/**
 * carom_reader__stats() - totals of a reader
 * @sz: sizeof(struct carom_reader_stats) of the caller
 */
void carom_reader__stats(const struct carom_reader *rd, struct carom_reader_stats *st,
			 size_t sz);

/*
 * Scans: the keys of a range in the order of the index, forwards or backwards. A chain
 * walks down to the first and from leaf to leaf, until there is no room for a further
 * entry in its slot; the next chain goes on there. A scan, like a reader, is used by
 * one thread at a time, and takes the place of a reader; while it is being made, of two.
 *
 * A scan sees one version of the file. If an unsealed file is written to while it is
 * being scanned, the scan may end with -EAGAIN; go on with a new one behind the last
 * key.
 */
struct carom_scan;

/**
 * enum carom_integer - an integer in a value
 * @CAROM_INTEGER_NONE: it is not one
 *
 * The least byte first (LE), or the greatest (BE).
 */
enum carom_integer {
	CAROM_INTEGER_NONE,
	CAROM_INTEGER_U8,
	CAROM_INTEGER_I8,
	CAROM_INTEGER_U16LE,
	CAROM_INTEGER_I16LE,
	CAROM_INTEGER_U16BE,
	CAROM_INTEGER_I16BE,
	CAROM_INTEGER_U32LE,
	CAROM_INTEGER_I32LE,
	CAROM_INTEGER_U32BE,
	CAROM_INTEGER_I32BE,
	CAROM_INTEGER_U64LE,
	CAROM_INTEGER_I64LE,
	CAROM_INTEGER_U64BE,
	CAROM_INTEGER_I64BE,
};

/**
 * struct carom_scan_opts - what is to be scanned
 * @sz: sizeof(struct carom_scan_opts), for growth
 * @from: the least key that counts, or NULL: from the first on
 * @from_len: its bytes
 * @to: the least key that is too great, or NULL: to the last
 * @to_len: its bytes
 * @prefix: what keys must begin with, or NULL; together with @from and @to what is in
 *	both ranges counts
 * @prefix_len: its bytes
 * @reverse: begin with the greatest key
 * @limit: entries at most, 0: all
 * @integer: carom_scan__totals(): what values are
 * @column: carom_scan__totals(): name of a column, in formats that have some
 *
 * In formats that have columns keys are such as carom_index__key() makes, and may have fewer
 * columns than the index. What is less comes first in the index, which may have columns in
 * descending order. A prefix has its columns, the last of which is the beginning of one if it
 * is a text or a blob.
 */
struct carom_scan_opts {
	size_t sz;
	const void *from;
	size_t from_len;
	const void *to;
	size_t to_len;
	const void *prefix;
	size_t prefix_len;
	bool reverse;
	uint64_t limit;
	enum carom_integer integer;
	const char *column;
};

/**
 * carom_scan__new() - begin a scan
 * @ix: the index
 * @opts: options, or NULL: all of it. Keys are copied.
 * @out: the scan, to be freed with carom_scan__free() before the index is closed
 * @err: filled on failure, or NULL
 *
 * Return: 0; -EINVAL an option; -EBUSY as many readers and scans as
 * carom_index_opts.max_readers exist; -EOPNOTSUPP the format cannot be scanned, or the
 * asked-for backend does not scan here (its walker is not loaded); or as
 * carom_reader__get().
 */
int carom_scan__new(struct carom_index *ix, const struct carom_scan_opts *opts,
		    struct carom_scan **out, struct carom_error *err);

/** carom_scan__free() - end a scan; NULL is ignored */
void carom_scan__free(struct carom_scan *scan);

/**
 * carom_scan__next() - the next entry
 * @scan: the scan
 * @key: its key; may be NULL
 * @val: its value; may be NULL
 *
 * Both are valid until the scan's next call, and untouched unless 0 is returned.
 *
 * Return: 0; CAROM_NOTFOUND when there are no more; otherwise as carom_reader__get().
 */
int carom_scan__next(struct carom_scan *scan, struct carom_value *key,
		     struct carom_value *val);

/**
 * struct carom_totals - of all entries of a scan
 * @count: how many there are
 * @sum_low: the sum of their values as an integer of 128 bits in two's complement,
 * @sum_high: whose upper half this is
 * @min: the least value
 * @max: the greatest
 * @values: how many there are; NULLs of a column are none
 *
 * All but @count are 0 if there is no value, or nothing has been said of them. @min and @max
 * of unsigned integers are the same bits as an uint64_t.
 */
struct carom_totals {
	uint64_t count;
	uint64_t sum_low;
	int64_t sum_high;
	int64_t min;
	int64_t max;
	uint64_t values;
};

/**
 * carom_scan__totals() - add the values of a scan up, where its chains run
 * @scan: the scan, of which no entry has been asked for
 * @totals: the answer
 *
 * What carom_scan_opts says counts, @limit and direction, too.
 *
 * Return: 0; -EINVAL entries have been asked for, or a value is no such integer (the
 * text names the page, or the row); otherwise as carom_reader__get().
 */
int carom_scan__totals(struct carom_scan *scan, struct carom_totals *totals);

/** carom_scan__error() - why the scan's last call failed; owned by it */
const struct carom_error *carom_scan__error(const struct carom_scan *scan);

/**
 * carom_scan__stats() - totals of a scan; a chain counts as a lookup
 * @sz: sizeof(struct carom_reader_stats) of the caller
 */
void carom_scan__stats(const struct carom_scan *scan, struct carom_reader_stats *st, size_t sz);

/** carom_scan__backend() - the backend in use, never CAROM_BACKEND_AUTO */
enum carom_backend carom_scan__backend(const struct carom_scan *scan);

/** carom_scan__why() - why that backend is in use, one line; owned by the index */
const char *carom_scan__why(const struct carom_scan *scan);

/*
 * Many keys at once. They are sorted and divided among some chains, which are in flight
 * together; each reads a page once for all of its keys that need it. Serial in one chain
 * reads the fewest pages, one after the other; several chains read pages above the leaves
 * again, but at the same time as others. Values are kept where the chains have left them.
 * That is so for keys of LMDB files and rowids of SQLite tables; keys of an SQLite index, or
 * of a table WITHOUT ROWID, have a chain each, and the answer is the key's first row.
 *
 * With pread the chains run one after the other. A struct carom_many is used by one
 * thread, that which made it.
 */
struct carom_many;

/**
 * struct carom_many_opts - options of carom_many__new()
 * @sz: sizeof(struct carom_many_opts), for growth
 * @chains: in flight at most, 0 for 8; at most 32
 * @chain_keys: keys of a chain at least, 0 for 8: with fewer keys than twice that there is
 *	one chain
 */
struct carom_many_opts {
	size_t sz;
	unsigned int chains;
	unsigned int chain_keys;
};

/**
 * carom_many__new() - prepare for looking many keys up at once
 * @ix: the index
 * @opts: options, or NULL
 * @out: to be freed with carom_many__free() before the index is closed
 * @err: filled on failure, or NULL
 *
 * It takes the place of a reader, and of carom_many_opts.chains of the 32 chains that all
 * of them have together.
 *
 * Return: 0; -EINVAL an option; -EBUSY there is no such place left; -EOPNOTSUPP the format
 * has no such walker, or the asked-for backend does not work here (it is not loaded);
 * -ENOMEM; or what setting an io_uring up gave.
 */
int carom_many__new(struct carom_index *ix, const struct carom_many_opts *opts,
		    struct carom_many **out, struct carom_error *err);

/** carom_many__free() - free it, and all values; NULL is ignored */
void carom_many__free(struct carom_many *many);

/**
 * struct carom_answer - what has become of one of many keys
 * @ret: as carom_reader__get() returns
 * @val: the answer if @ret is 0
 */
struct carom_answer {
	int ret;
	struct carom_value val;
};

/**
 * carom_many__get() - look many keys up
 * @many: with what
 * @keys: the keys, in any order, perhaps several times the same
 * @nr: how many; hundreds are what this is for
 * @answers: filled, @nr of them, in the order of the keys; values are valid until the next
 *	call
 *
 * All of them are of one version of the file.
 *
 * Return: 0 if each key is there or is not; else the error of the first that cannot be
 * said of, which carom_many__error() explains; the others have their answers. -ENOMEM, and
 * what io_uring_enter(2) gave, is of all.
 */
int carom_many__get(struct carom_many *many, const struct carom_value *keys, size_t nr,
		    struct carom_answer *answers);

/** carom_many__error() - why the last call failed; owned by it */
const struct carom_error *carom_many__error(const struct carom_many *many);

/**
 * carom_many__stats() - totals; a chain counts as a lookup
 * @sz: sizeof(struct carom_reader_stats) of the caller
 */
void carom_many__stats(const struct carom_many *many, struct carom_reader_stats *st, size_t sz);

/** carom_many__backend() - the backend in use, never CAROM_BACKEND_AUTO */
enum carom_backend carom_many__backend(const struct carom_many *many);

/*
 * Queues: many lookups in flight, in the manner of liburing.
 *
 * carom_queue__submit() prepares lookups, carom_queue__flush() sends all that are
 * prepared with one system call, carom_queue__peek() and carom_queue__wait() hand
 * out completions in the order in which lookups end, and carom_queue__done() gives
 * each back. A lookup keeps its place in the queue, and its value, until then.
 *
 * With the kernel backend a lookup is one command of the queue's io_uring, however
 * deep the tree is. With io_uring it is a read for each hop, each sent when the one
 * before has ended; peek and wait see to that. With pread lookups run one after the
 * other, within peek and wait. A chain that the kernel aborts is carried on by reads
 * in the same ring from the hop it had reached, among the other lookups, and
 * counted. Three things are done at once, while peek or wait reaps: values on
 * several overflow pages are read; so are nodes that the ring cannot read (a poll
 * queue carries on so); and whether an unsealed file has changed is looked at, in
 * the page cache. A lookup that lost against a writer starts over by itself.
 *
 * A queue belongs to the thread that made it; what another thread asks of it may
 * fail with EEXIST.
 */
struct carom_queue;

/**
 * struct carom_queue_opts - options of carom_queue__new()
 * @sz: sizeof(struct carom_queue_opts), for growth
 * @depth: lookups that have been submitted and not been given back, at most; 0 for
 *	32. carom_index_opts.max_in_flight must have room for it, next to the other
 *	queues of the index.
 * @poll: look for completions instead of waiting for interrupts: only peek and wait
 *	make progress, wait spins, and there is no carom_queue__fd(). For the kernel
 *	backend, and for io_uring with carom_index_opts.direct; the device should have
 *	poll queues (nvme.poll_queues), and must for io_uring.
 */
struct carom_queue_opts {
	size_t sz;
	unsigned int depth;
	bool poll;
};

/**
 * carom_queue__new() - a queue of an index, for the calling thread
 * @ix: the index
 * @opts: options, or NULL
 * @out: the queue, to be freed with carom_queue__free() before the index is closed
 * @err: filled on failure, or NULL
 *
 * Return: 0; -EINVAL an option; -EBUSY the index has not as many slots left, see
 * carom_index_opts.max_in_flight; -EOPNOTSUPP @poll does not work here; -ENOMEM; or
 * what setting an io_uring up gave, such as -EPERM where it is forbidden.
 */
int carom_queue__new(struct carom_index *ix, const struct carom_queue_opts *opts,
		     struct carom_queue **out, struct carom_error *err);

/**
 * carom_queue__free() - end the lookups in flight, wait for that, and free the queue
 * @q: the queue; its completions and their values go with it. NULL is ignored.
 *
 * Waits for one read or one chain at most. Call it in the queue's thread: called in
 * another while lookups are in flight it leaks the queue, because the kernel may still
 * be writing to it.
 */
void carom_queue__free(struct carom_queue *q);

/**
 * carom_queue__submit() - prepare a lookup
 * @q: the queue
 * @key: bytes of the key; copied
 * @key_len: how many
 * @user_data: comes back in the completion
 *
 * Nothing is sent before carom_queue__flush(), or before peek or wait finds nothing
 * that is ready.
 *
 * Return: 0: there will be a completion; -EBUSY: as many as the queue's depth have
 * been submitted and not been given back; -EINVAL: a key that no such file can hold.
 */
int carom_queue__submit(struct carom_queue *q, const void *key, size_t key_len,
			uint64_t user_data);

/**
 * carom_queue__flush() - send what is prepared; does not wait
 *
 * Return: 0, or what io_uring_enter(2) gave; then all stays prepared.
 */
int carom_queue__flush(struct carom_queue *q);

/**
 * struct carom_completion - how a lookup ended
 * @user_data: of carom_queue__submit()
 * @ret: as carom_reader__get() returns: 0, CAROM_NOTFOUND or a negative errno; and
 *	-ECANCELED after carom_queue__cancel()
 * @val: the answer if @ret is 0
 * @hops: nodes read, by whichever backend
 * @kernel_hops: of those, how many a walker saw in the kernel
 * @abort: name of the reason if the lookup was carried on in user space, else NULL;
 *	static text
 * @err: why, if @ret is negative
 *
 * It belongs to the queue, with @val and @err, and is valid until it is given back.
 * Only the library makes such structures, so members may be added at the end.
 */
struct carom_completion {
	uint64_t user_data;
	int ret;
	struct carom_value val;
	uint64_t hops;
	uint64_t kernel_hops;
	const char *abort;
	const struct carom_error *err;
};

/**
 * carom_queue__peek() - hand out a completion if there is one
 * @q: the queue
 * @out: the completion; each is handed out once
 *
 * If none is ready it looks for some and sends what is prepared. Does not wait, but
 * for what the introduction names; with pread it runs one lookup.
 *
 * Return: 0, -EAGAIN if none is ready, or what io_uring_enter(2) gave.
 */
int carom_queue__peek(struct carom_queue *q, const struct carom_completion **out);

/**
 * carom_queue__wait() - hand out a completion, waiting until there is one
 * @q: the queue
 * @out: the completion; each is handed out once
 *
 * Sends what is prepared if it has to wait. Signals do not end it.
 *
 * Return: 0, -ENOENT if no lookup is in flight, or what io_uring_enter(2) gave.
 */
int carom_queue__wait(struct carom_queue *q, const struct carom_completion **out);

/**
 * carom_queue__wait_nr() - wait until several completions are ready for peek
 * @q: the queue
 * @nr: how many; if there are fewer lookups in flight, all of those
 * @timeout_ms: milliseconds to wait at most, negative for ever; looked at between
 *	reads, so that with pread it can take one lookup longer
 *
 * Sends what is prepared if it has to wait. Signals do not end it.
 *
 * Return: how many are ready (fewer than @nr after a timeout), or what
 * io_uring_enter(2) gave.
 */
int carom_queue__wait_nr(struct carom_queue *q, unsigned int nr, int timeout_ms);

/**
 * carom_queue__done() - give a completion back
 * @q: the queue
 * @c: what peek or wait handed out, in any order; invalid from now on. NULL is ignored.
 */
void carom_queue__done(struct carom_queue *q, const struct carom_completion *c);

/**
 * carom_queue__cancel() - end lookups early
 * @q: the queue
 * @user_data: of those that are meant, all of them
 *
 * They end before their next hop, with -ECANCELED, or with their answer if they are
 * quicker; either way there is a completion.
 *
 * Return: 0, -ENOENT if none of those is in flight, or what io_uring_enter(2) gave.
 */
int carom_queue__cancel(struct carom_queue *q, uint64_t user_data);

/**
 * carom_queue__fd() - a descriptor for poll(2), select(2) and epoll(7)
 *
 * It becomes readable when peek may have something, and stays so until peek has
 * found nothing; so call peek until it says -EAGAIN, and expect that it says so at
 * once. Do not read from it. It is the queue's, and the same at each call.
 *
 * Return: the descriptor, -EOPNOTSUPP for a queue that polls, or what eventfd(2) gave.
 */
int carom_queue__fd(struct carom_queue *q);

/** carom_queue__error() - why the queue's last call failed; owned by it */
const struct carom_error *carom_queue__error(const struct carom_queue *q);

/**
 * carom_queue__stats() - totals of a queue, of the lookups that are complete
 * @sz: sizeof(struct carom_reader_stats) of the caller
 */
void carom_queue__stats(const struct carom_queue *q, struct carom_reader_stats *st,
			size_t sz);

/* What the kernel says of a file, independent of formats. */
struct carom_map;

/**
 * carom_map__open() - a file's extents and whether it can be sealed
 *
 * With carom.ko and a file that can be sealed the extents are the sealed map
 * and the file stays sealed until carom_map__close(); otherwise they are what
 * the filesystem reports (FIEMAP), and carom_map__refusal() says why.
 *
 * Return: 0, or what open(2) or FIEMAP gave.
 */
int carom_map__open(const char *path, struct carom_map **out, struct carom_error *err);
void carom_map__close(struct carom_map *map);

struct carom_map_extent {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	uint64_t lba;
};

/** carom_map__extents() - the extents, in file order; owned by the map */
const struct carom_map_extent *carom_map__extents(const struct carom_map *map, size_t *count);
/** carom_map__lba_bytes() - size of an LBA in bytes */
unsigned int carom_map__lba_bytes(const struct carom_map *map);
/** carom_map__refusal() - NULL if the file is sealed, else one line why not */
const char *carom_map__refusal(const struct carom_map *map);

#ifdef __cplusplus
}
#endif

#endif /* CAROM_CAROM_H */
