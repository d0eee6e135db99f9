/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Inside libcarom: what its own files share and formats do not see.
 */
#ifndef CAROM_LIB_H
#define CAROM_LIB_H

#include <pthread.h>
#include <sys/types.h>
#include "internal.h"

#define CAROM_DEVICE		"/dev/carom"
#define CAROM_REASON_LEN	320
#define CAROM_WHY_LEN		(3 * CAROM_REASON_LEN)
#define CAROM_DEFAULT_READERS	16
/* Enough for every O_DIRECT file whose filesystem does not say what it needs. */
#define CAROM_DIO_ALIGN		4096
/* No device has smaller logical blocks; the kernel engine checks the real size. */
#define CAROM_NODE_ALIGN	512

/* ---- chain.c: a chain in user space ---- */

/**
 * struct carom_chain - what the user-space runner needs
 * @walker: the walker
 * @node: where @read puts a node
 * @scratch: query and answer, @walker->scratch_size bytes
 * @max_hops: hop limit
 * @read: read the node at @offset into @node; 0 or negative errno, -ENODATA
 *	when the file ends before
 * @within: does the file have @end bytes?
 * @ctx: for both
 */
struct carom_chain {
	const struct carom_native_walker *walker;
	const __u8 *node;
	__u8 *scratch;
	__u32 max_hops;
	int (*read)(void *ctx, __u64 offset);
	bool (*within)(void *ctx, __u64 end);
	void *ctx;
};

/**
 * carom_chain_run() - run a chain from res->at, res->hops nodes into it
 *
 * Return: 0 with res->end DONE, MISS or WALKER; otherwise a negative errno, and
 * @res says where and why it stopped.
 */
int carom_chain_run(const struct carom_chain *chain, struct carom_lookup *res);

/* The errno that goes with an end that is no answer. */
int carom_end_errno(__u32 end);

/* ---- file.c: the index file ---- */

/**
 * struct carom_file - the index file
 * @fd: open for reading
 * @dio_align: 0, or what O_DIRECT reads must be aligned to
 * @cached: with O_DIRECT the same file through the page cache, or -1
 */
struct carom_file {
	int fd;
	size_t dio_align;
	int cached;
};

int carom_file_open(struct carom_file *file, const char *path, bool direct,
		    struct carom_error *err);
void carom_file_close(struct carom_file *file);
/* Bytes read, fewer than @len only at the end of the file, or negative errno. */
ssize_t carom_file_read_some(const struct carom_file *file, void *buf, size_t len,
			     __u64 offset);
/* 0, -ENODATA at the end of the file, or negative errno. */
int carom_file_read(const struct carom_file *file, void *buf, size_t len, __u64 offset);
/* The same through the page cache, where that is possible. */
int carom_file_peek(const struct carom_file *file, void *buf, size_t len, __u64 offset);
int carom_file_size(const struct carom_file *file, __u64 *size);
/* Can O_DIRECT take this read as it is? */
bool carom_file_aligned(const struct carom_file *file, const void *buf, size_t len,
			__u64 offset);

/* ---- backends ---- */

/**
 * struct carom_backend_ops - one way to run chains
 * @id: which
 * @open: make it work for this index, or say in @reason (CAROM_REASON_LEN bytes,
 *	one line) why it does not work here; 0 or negative errno
 * @close: undo @open
 * @reader_init: give a reader its memory; 0 or negative errno, @reason as above
 * @reader_exit: undo @reader_init
 * @run: run the chain that @res describes, as carom_chain_run()
 */
struct carom_backend_ops {
	enum carom_backend id;
	int (*open)(struct carom_index *ix, char *reason);
	void (*close)(struct carom_index *ix);
	int (*reader_init)(struct carom_reader *rd, char *reason);
	void (*reader_exit)(struct carom_reader *rd);
	int (*run)(struct carom_reader *rd, struct carom_lookup *res);
};

extern const struct carom_backend_ops carom_backend_kernel;
extern const struct carom_backend_ops carom_backend_uring;
extern const struct carom_backend_ops carom_backend_pread;

/* Format a reason; returns @code. */
__attribute__((format(printf, 3, 4)))
int carom_reason_set(char *reason, int code, const char *fmt, ...);

/* ---- the kernel's side, shared by the kernel backend and the map ---- */

/**
 * struct carom_session - a session of carom.ko
 * @fd: its descriptor
 * @nodes: nodes of all slots, read-only
 * @scratch: scratch areas of all slots
 * @open: sizes, as the kernel filled them in
 */
struct carom_session {
	int fd;
	__u8 *nodes;
	__u8 *scratch;
	struct carom_open open;
};

/**
 * carom_session_open() - make a session as @s->open asks
 * @s: session, with in-members of @s->open but size set
 * @reason: CAROM_REASON_LEN bytes: one line on failure
 *
 * Return: 0 or negative errno.
 */
int carom_session_open(struct carom_session *s, char *reason);
/* Map nodes and scratch of all slots. */
int carom_session_map(struct carom_session *s, char *reason);
void carom_session_close(struct carom_session *s);

/* ---- errors.c ---- */

/* "hops", "deadline", ...; "unknown" for what this library does not know. */
const char *carom_end_name(__u32 end);
/* One line for a refusal, with what to do. */
void carom_refusal_text(char *reason, const struct carom_open *open, int code);
/* Fill @err for a chain that ended with @ret (carom_chain_run()); returns @ret. */
int carom_chain_error(struct carom_error *err, const char *path,
		      const struct carom_lookup *res, __u32 max_hops, int ret);

/* ---- index and reader ---- */

struct carom_index {
	char *path;
	struct carom_file file;
	const struct carom_format *format;
	void *format_data;
	const struct carom_backend_ops *ops;
	struct carom_session session;
	unsigned int max_readers;
	unsigned int max_hops;
	unsigned int deadline_ms;
	pthread_mutex_t lock;	/* slots */
	bool *slots;		/* in use, max_readers of them */
	char why[CAROM_WHY_LEN];
};

/**
 * struct carom_reader - a reader
 * @slot: its number, and its slot in a session
 * @mem: where the format looks
 * @node: a node buffer in user space, for the backends and for carrying on
 * @file_size: size the file had when last asked
 * @reached: the current lookup has touched the file
 * @buf: see carom_reader_buffer()
 * @priv: the backend's
 */
struct carom_reader {
	struct carom_index *ix;
	unsigned int slot;
	struct carom_reader_mem mem;
	__u8 *node;
	__u64 file_size;
	bool reached;
	void *buf;
	size_t buf_size;
	void *priv;
	struct carom_reader_stats stats;
	struct carom_error err;
};

/* As carom_reader__new(), with the backend's one-line reason. */
int carom_reader_new(struct carom_index *ix, struct carom_reader **out, char *reason);
/* Allocate rd->node, and rd->mem that points at it and at a private scratch. */
int carom_reader_alloc_mem(struct carom_reader *rd, char *reason);
void carom_reader_free_mem(struct carom_reader *rd);
/* Run @res in user space with @read, from res->at. */
int carom_reader_chain(struct carom_reader *rd, struct carom_lookup *res,
		       int (*read)(void *rd, __u64 offset));
/* Read a node into rd->node by pread(). */
int carom_reader_read_node(void *rd, __u64 offset);

#endif /* CAROM_LIB_H */
