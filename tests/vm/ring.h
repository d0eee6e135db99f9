/* SPDX-License-Identifier: GPL-2.0 */
/* Lookups through an io_uring. Whatever does not work here fails the test that called. */
#ifndef CAROM_TESTS_RING_H
#define CAROM_TESTS_RING_H

#include <liburing.h>

#include "vm.h"

/* One way to set a ring up. */
struct flavour {
	const char *name;
	unsigned int setup;	/* IORING_SETUP_* */
	bool fixed;		/* the session is a registered file */
};

#define RING_FLAVOURS 8
extern const struct flavour ring_flavours[RING_FLAVOURS];

/**
 * struct ring - a ring for the lookups of one session
 * @uring: the ring
 * @flavour: how it was set up
 * @fd: the session, as sqe->fd has it
 */
struct ring {
	struct io_uring uring;
	const struct flavour *flavour;
	int fd;
};

void ring_open(struct ring *r, const struct engine *e, const struct flavour *f,
	       unsigned int entries);
/* With lookups in flight, too. */
void ring_close(struct ring *r);
bool ring_polls(const struct ring *r);

/* A command, its user_data being @data; it is sent by ring_submit() at the latest. */
struct io_uring_sqe *ring_command(struct ring *r, __u32 op, __u32 slot, __u32 flags,
				  __u64 offset, __u64 data);
/* The lookup in @slot, whose number is its user_data. */
void ring_lookup(struct ring *r, __u32 slot, __u32 flags, __u64 offset);
void ring_submit(struct ring *r);

/* The next completion's result, and its user_data if @data is not NULL. */
int ring_wait(struct ring *r, __u64 *data);
/* One command, with nothing else in flight. */
int ring_call(struct ring *r, __u32 op, __u32 slot, __u32 flags, __u64 offset);
/* CAROM_URING_CANCEL of @slot while lookups are in flight that do not end before it. */
int ring_cancel(struct ring *r, __u32 slot);

/* Results of a session, until ring_unmap_results(). */
const struct carom_result *ring_map_results(const struct engine *e);
void ring_unmap_results(const struct engine *e, const struct carom_result *results);

/* Does the scratch filesystem's device have poll queues? */
bool ring_device_polls(void);

/*
 * Reads that one pass over a completion queue sends back (nvme.chain_budget), and
 * requests that a queue of the device takes; 0 for what it was at first.
 */
void ring_set_budget(unsigned int budget);
void ring_set_requests(unsigned int requests);

#define BENCH_NODES 256

/**
 * struct bench - a session on a file of BENCH_NODES, and what was asked in its slots
 * @e: the session
 * @results: its results
 * @depth: of the last lookup in each slot
 * @start: node that it began with
 * @sequence: lookups through rings that each slot has had
 * @next: the node that each node names
 */
struct bench {
	struct engine e;
	const struct carom_result *results;
	__u32 *depth, *start, *sequence;
	__u32 next[BENCH_NODES];
};

void bench_open(struct bench *b, const char *path, unsigned int slots);
void bench_close(struct bench *b);

/* Fill in the query for a walk of @depth nodes from number @start; the offset of that. */
__u64 bench_ask(struct bench *b, __u32 slot, __u32 start, __u32 depth);
/* The completion of it says @res. */
void bench_check(struct bench *b, __u32 slot, int res);

/*
 * @count lookups of depths up to @depth in the @slots slots from @first on; whatever
 * slot is free takes the next.
 */
void bench_run(struct bench *b, struct ring *r, __u32 first, __u32 slots, unsigned int count,
	       unsigned int depth);

#endif /* CAROM_TESTS_RING_H */
