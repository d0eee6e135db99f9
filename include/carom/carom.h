/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libcarom: index lookups through the NVMe completion path.
 *
 * An index is an open file of a known format and the backend that reads it. A
 * reader runs lookups on an index, one at a time; use one per thread. All
 * backends run the same walker and give the same answers:
 *
 *	kernel		the whole chain in the NVMe driver (carom.ko, sealed file)
 *	io_uring	one read per hop through an io_uring of the reader
 *	pread		one pread() per hop
 *
 * The kernel backend seals the file: while the index is open nobody can open
 * it for writing. The others do not, and check instead that what they read
 * belongs to one version of the file.
 *
 * Functions that return int return 0 or a negative errno; CAROM_NOTFOUND, a
 * positive code, is an ordinary answer. Nothing here may be called from a
 * signal handler. An index may be shared by threads; a reader may not.
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
 * @format: "lmdb", or NULL to find out from the file
 * @db: named database inside the file, or NULL for the main one
 * @backend: which backend; CAROM_BACKEND_AUTO takes the first that works
 * @direct: io_uring and pread bypass the page cache (O_DIRECT)
 * @max_readers: readers that can exist at once, 0 for 16
 * @max_hops: hop limit of a lookup, 0 for the default (256)
 * @deadline_ms: time limit of a chain in the kernel, 0 for the default
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
 * @ix: the index; its readers must be gone. NULL is ignored.
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
 * struct carom_value - an answer
 * @data: the bytes; valid until the reader's next call
 * @len: how many
 */
struct carom_value {
	const void *data;
	size_t len;
};

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

/** carom_reader__error() - why the reader's last call failed; owned by it */
const struct carom_error *carom_reader__error(const struct carom_reader *rd);

/**
 * struct carom_reader_stats - totals of one reader
 * @lookups: calls of carom_reader__get() that reached the file
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
