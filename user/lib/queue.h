/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files of the queue.
 */
#ifndef CAROM_QUEUE_H
#define CAROM_QUEUE_H

#include "lib.h"

/**
 * enum query_state - where a query is
 * @QUERY_FREE: in queue.free
 * @QUERY_FLYING: in the ring; without a ring, in queue.todo
 * @QUERY_READY: in queue.ready
 * @QUERY_TAKEN: the caller has its completion
 */
enum query_state {
	QUERY_FREE,
	QUERY_FLYING,
	QUERY_READY,
	QUERY_TAKEN,
};

/**
 * struct query - one lookup of a queue
 * @c: what the caller sees of it
 * @rd: its slot
 * @offset: where its first chain begins (without a ring)
 */
struct query {
	struct carom_completion c;
	struct carom_reader rd;
	enum query_state state;
	__u64 offset;
	struct query *next;
};

struct query_list {
	struct query *head;
	struct query *tail;
};

/**
 * struct carom_queue - a queue
 * @ring: NULL with pread
 * @queries: @depth of them
 * @todo: what peek or wait has to run itself
 * @flying: lookups that are neither ready nor taken nor free
 * @nr_ready: lookups in @ready
 * @event_fd: eventfd, or -1 while nobody has asked for it
 * @signaled: we have written to it, and not read from it since
 */
struct carom_queue {
	struct carom_index *ix;
	struct carom_ring *ring;
	unsigned int depth;
	struct query *queries;
	struct query_list free;
	struct query_list todo;
	struct query_list ready;
	unsigned int flying;
	unsigned int nr_ready;
	int event_fd;
	bool signaled;
	struct carom_reader_stats stats;
	struct carom_error err;
};

void carom_query_push(struct query_list *list, struct query *e);

/* Have all lookups that @user_data points to, or with NULL all there are, end early. */
int carom_queue_cancel(struct carom_queue *q, const uint64_t *user_data);
/* Take in all that has ended. */
void carom_queue_reap(struct carom_queue *q);

#endif /* CAROM_QUEUE_H */
