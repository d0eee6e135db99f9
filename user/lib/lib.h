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
#define CAROM_DEFAULT_DEPTH	32
/* Enough for every O_DIRECT file whose filesystem does not say what it needs. */
#define CAROM_DIO_ALIGN		4096
/* No device has smaller logical blocks; the kernel engine checks the real size. */
#define CAROM_NODE_ALIGN	512

/* ---- chain.c: a chain in user space ---- */

/**
 * struct carom_chain - what the user-space runner needs
 * @walker: the walker
 * @node: where @read puts a node
 * @scratch: query and answer
 * @scratch_size: bytes of @scratch
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
	__u32 scratch_size;
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

/*
 * The same in pieces, for those whose reads take their time: carom_chain_next()
 * says whether the node at res->at is to be read, carom_chain_step() whether the
 * chain goes on after it. When they say no the chain has come to its end, res->end.
 */
bool carom_chain_next(const struct carom_chain *chain, struct carom_lookup *res);
bool carom_chain_step(const struct carom_chain *chain, struct carom_lookup *res);
/* The read failed with @ret, which is returned. */
int carom_chain_read_failed(struct carom_lookup *res, int ret);

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
 * @mem_init: give a reader its memory; 0 or negative errno, @reason as above
 * @mem_exit: undo @mem_init
 * @run_init: prepare @run; NULL: there is nothing to prepare
 * @run_exit: undo @run_init
 * @run: run the chain that rd->chain describes, as carom_chain_run(), and wait.
 *	The readers of a queue have no @run_init and no @run, see flight.c.
 */
struct carom_backend_ops {
	enum carom_backend id;
	int (*open)(struct carom_index *ix, char *reason);
	void (*close)(struct carom_index *ix);
	int (*mem_init)(struct carom_reader *rd, char *reason);
	void (*mem_exit)(struct carom_reader *rd);
	int (*run_init)(struct carom_reader *rd, char *reason);
	void (*run_exit)(struct carom_reader *rd);
	int (*run)(struct carom_reader *rd);
};

extern const struct carom_backend_ops carom_backend_kernel;
extern const struct carom_backend_ops carom_backend_uring;
extern const struct carom_backend_ops carom_backend_pread;

/*
 * The kernel has ended the chain of rd->chain: count it, and say whether it is to
 * be carried on in user space.
 */
bool carom_kernel_carry_on(struct carom_reader *rd);
/* The latter alone: can ordinary reads bring a chain to its end that ended so? */
bool carom_kernel_can_carry_on(__u32 end);

/* Format a reason; returns @code. */
__attribute__((format(printf, 3, 4)))
int carom_reason_set(char *reason, int code, const char *fmt, ...);

/* ---- the kernel's side, shared by the kernel backend and the map ---- */

/**
 * struct carom_session - a session of carom.ko
 * @fd: its descriptor
 * @nodes: nodes of all slots, read-only
 * @scratch: scratch areas of all slots
 * @results: results of all slots, read-only
 * @open: sizes, as the kernel filled them in
 */
struct carom_session {
	int fd;
	__u8 *nodes;
	__u8 *scratch;
	const struct carom_result *results;
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
/* Map nodes, scratch and results of all slots. */
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

/*
 * Copy options that start with their size; members beyond what the caller has are
 * 0, those beyond what we have must be. @what names the structure.
 */
int carom_opts_copy(void *own, size_t own_sz, const void *opts, const char *what,
		    struct carom_error *err);

/**
 * struct carom_index - an index
 * @walker: of the format, for this file
 * @scratch_size: bytes of scratch that slots have
 * @state_size: bytes that the format keeps of a lookup
 * @forget: frees what those refer to; NULL: nothing
 * @wanted: the backend that was asked for
 * @wait: how readers wait for a chain in the kernel
 * @max_readers: slots of readers
 * @max_in_flight: slots of queues, which come after those
 * @slots: in use, all of them
 * @lock: @slots
 * @base: NULL; or the index that this one is a view of: file and format's data are its
 * @views: views of this one; @views_lock
 * @next_view: the next in that list
 */
struct carom_index {
	char *path;
	struct carom_file file;
	const struct carom_format *format;
	const struct carom_native_walker *walker;
	__u32 scratch_size;
	void *format_data;
	size_t state_size;
	void (*forget)(void *state);
	enum carom_backend wanted;
	enum carom_wait wait;
	const struct carom_backend_ops *ops;
	struct carom_session session;
	unsigned int max_readers;
	unsigned int max_in_flight;
	unsigned int max_hops;
	unsigned int deadline_ms;
	pthread_mutex_t lock;
	bool *slots;
	char why[CAROM_WHY_LEN];
	struct carom_index *base;
	struct carom_index *views;
	struct carom_index *next_view;
	pthread_mutex_t views_lock;
};

/**
 * struct carom_view - what a view of an index is like
 * @walker: another than the index's
 * @format: whose start() and finish() readers of the view have; NULL: they have none
 * @state_size: bytes that it keeps
 * @forget: frees what those refer to; NULL: nothing
 * @max_readers: as of an index
 * @max_in_flight: likewise
 * @max_hops: likewise
 */
struct carom_view {
	const struct carom_native_walker *walker;
	const struct carom_format *format;
	size_t state_size;
	void (*forget)(void *state);
	unsigned int max_readers;
	unsigned int max_in_flight;
	unsigned int max_hops;
};

/**
 * carom_index_view() - the view of an index by another walker
 * @out: the view, which is closed with @ix; made at the first call for that walker
 *
 * Return: 0 or negative errno.
 */
int carom_index_view(struct carom_index *ix, const struct carom_view *view,
		     struct carom_index **out, struct carom_error *err);

/**
 * struct carom_reader - one slot and the lookup in it
 * @slot: its number, and its slot in a session
 * @mem: where the format looks
 * @node: a node buffer in user space, for the backends and for carrying on
 * @file_size: size the file had when last asked
 * @reached: the current lookup has touched the file
 * @canceled: the current lookup is to end
 * @chain: the chain that is under way, or the last one
 * @in_kernel: it is the kernel's (flight.c)
 * @buffer: number of @node among those of the ring
 * @got: bytes that there are of its next node (flight.c)
 * @buf: see carom_reader_buffer()
 * @state: see carom_reader_state()
 * @priv: the backend's
 *
 * A carom_queue has one for each lookup that can be in flight.
 */
struct carom_reader {
	struct carom_index *ix;
	unsigned int slot;
	struct carom_reader_mem mem;
	__u8 *node;
	__u64 file_size;
	bool reached;
	bool canceled;
	struct carom_lookup chain;
	bool in_kernel;
	unsigned int buffer;
	size_t got;
	void *buf;
	size_t buf_size;
	void *state;
	void *priv;
	struct carom_reader_stats stats;
	struct carom_error err;
};

/* As carom_reader__new(), with the backend's one-line reason. */
int carom_reader_new(struct carom_index *ix, struct carom_reader **out, char *reason);
/* Make a reader in @slot, all zeros until now; and undo it. The slot is the caller's. */
int carom_reader_init(struct carom_reader *rd, struct carom_index *ix, unsigned int slot,
		      char *reason);
void carom_reader_exit(struct carom_reader *rd);
/* Allocate rd->node, and rd->mem that points at it and at a private scratch, or only at it. */
int carom_reader_alloc_mem(struct carom_reader *rd, char *reason);
int carom_reader_alloc_node(struct carom_reader *rd, char *reason);
void carom_reader_free_mem(struct carom_reader *rd);
/* Run rd->chain in user space with @read, from rd->chain.at. */
int carom_reader_chain(struct carom_reader *rd, int (*read)(void *rd, __u64 offset));
/* That chain, for those who run it themselves. */
struct carom_chain carom_reader_chain_of(struct carom_reader *rd);
/* Read a node into rd->node by pread(). */
int carom_reader_read_node(void *rd, __u64 offset);

/*
 * A lookup, whoever runs its chains: carom_reader_start() begins it, and after each
 * chain carom_reader_chain_over() says what comes of it. Both return CAROM_CHAIN
 * when a chain has to run from *@offset, and otherwise as carom_reader__get().
 */
int carom_reader_start(struct carom_reader *rd, const void *key, size_t key_len,
		       __u64 *offset);
/* Describe the chain in rd->chain. */
void carom_reader_chain_begin(struct carom_reader *rd, __u64 offset);
/* It has come to @ret, as carom_chain_run() returns it. */
int carom_reader_chain_over(struct carom_reader *rd, int ret, __u64 *offset,
			    struct carom_value *val);
/* Run what is left of a lookup of which @ret and @offset were said, and wait. */
int carom_reader_finish(struct carom_reader *rd, int ret, __u64 offset,
			struct carom_value *val);

/* For callers whose structure may be older or newer, of @sz bytes. */
void carom_stats_copy(const struct carom_reader_stats *own, struct carom_reader_stats *st,
		      size_t sz);

/* Take @count free slots of those from @first to before @end: 0, or -EBUSY. */
int carom_slots_take(struct carom_index *ix, unsigned int first, unsigned int end,
		     unsigned int *slots, unsigned int count);
void carom_slot_give_back(struct carom_index *ix, unsigned int slot);

/* ---- ring.c: an io_uring for the lookups of one thread ---- */

struct carom_ring;

/**
 * struct carom_ring_opts - what a ring is for
 * @nr: operations that can be under way at once
 * @poll: IORING_SETUP_IOPOLL
 * @nodes: NULL, or @nr node buffers to be registered, by carom_reader.buffer
 */
struct carom_ring_opts {
	unsigned int nr;
	bool poll;
	__u8 *const *nodes;
};

int carom_ring_open(struct carom_ring **out, const struct carom_index *ix,
		    const struct carom_ring_opts *opts);
/* Nothing may be under way. NULL is ignored. */
void carom_ring_close(struct carom_ring *ring);
/* One line about a code of carom_ring_open(). */
const char *carom_ring_advice(int code);

/* Can @len bytes at @offset be read through it into @buf? */
bool carom_ring_can_read(const struct carom_ring *ring, const void *buf, size_t len,
			 __u64 offset);
/*
 * Prepare an operation of @rd's: to read what is missing of its node, or a command
 * on the session (CAROM_URING_*) about its slot. 0 or negative errno.
 */
int carom_ring_read(struct carom_ring *ring, struct carom_reader *rd);
int carom_ring_command(struct carom_ring *ring, struct carom_reader *rd, __u32 op);

/* Operations that are prepared but not sent; and those whose end has not been seen. */
unsigned int carom_ring_prepared(const struct carom_ring *ring);
unsigned int carom_ring_pending(const struct carom_ring *ring);
bool carom_ring_polls(const struct carom_ring *ring);

/*
 * Send what is prepared, and wait until @nr operations have ended or @ns
 * nanoseconds have passed (negative: for ever). 0 even if a signal or the time
 * ended it before; or negative errno.
 */
int carom_ring_enter(struct carom_ring *ring, unsigned int nr, __s64 ns);
/* Call @ended for each operation that has ended. @rd: NULL for CAROM_URING_CANCEL. */
void carom_ring_reap(struct carom_ring *ring,
		     void (*ended)(void *ctx, struct carom_reader *rd, int res), void *ctx);
/* Have @fd, an eventfd, signaled when an operation ends. 0 or negative errno. */
int carom_ring_notify(struct carom_ring *ring, int fd);

/* ---- flight.c: chains under way in a ring ---- */

/*
 * Begin the chain that rd->chain describes, or take it up again after its ring was
 * lost; an operation of it has ended with @res. True: it is over, and *@ret is as
 * of carom_chain_run().
 */
bool carom_flight_begin(struct carom_ring *ring, struct carom_reader *rd, int *ret);
bool carom_flight_resume(struct carom_ring *ring, struct carom_reader *rd, int *ret);
bool carom_flight_ended(struct carom_ring *ring, struct carom_reader *rd, int res, int *ret);

#endif /* CAROM_LIB_H */
