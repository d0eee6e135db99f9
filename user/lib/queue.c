// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The queue: its slots, its ring, and their end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "queue.h"

static int new_error(struct carom_queue *q, int code, const char *reason,
		     struct carom_error *err)
{
	enum carom_fault fault = CAROM_FAULT_BACKEND;

	if (code == -EBUSY || code == -EINVAL)
		fault = CAROM_FAULT_USAGE;
	else if (code == -ENOMEM)
		fault = CAROM_FAULT_IO;
	return carom_error_set(err, fault, code, "%s: no new queue: %s", q->ix->path, reason);
}

/* ---- queries ---- */

static int queries_init(struct carom_queue *q, const unsigned int *slots, char *reason)
{
	unsigned int i;
	int ret;

	for (i = 0; i < q->depth; i++) {
		struct query *e = &q->queries[i];

		ret = carom_reader_init(&e->rd, q->ix, slots[i], reason);
		if (ret)
			break;
		e->rd.buffer = i;
		e->c.err = &e->rd.err;
		carom_query_push(&q->free, e);
	}
	if (i == q->depth)
		return 0;
	while (i--)
		carom_reader_exit(&q->queries[i].rd);
	return ret;
}

/* Slots of the index for all queries. */
static int queue_alloc(struct carom_queue *q, char *reason)
{
	unsigned int end = q->ix->max_readers + q->ix->max_in_flight, i;
	unsigned int *slots = calloc(q->depth, sizeof(*slots));
	int ret;

	q->queries = calloc(q->depth, sizeof(*q->queries));
	if (!slots || !q->queries) {
		free(slots);
		free(q->queries);
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	}
	ret = carom_slots_take(q->ix, q->ix->max_readers, end, slots, q->depth);
	if (ret)
		carom_reason_set(reason, ret, "the index has no %u slots left for queues; "
				 "open it with a larger max_in_flight", q->depth);
	else
		ret = queries_init(q, slots, reason);
	for (i = 0; ret && ret != -EBUSY && i < q->depth; i++)
		carom_slot_give_back(q->ix, slots[i]);
	free(slots);
	if (ret)
		free(q->queries);
	return ret;
}

static void queue_free(struct carom_queue *q)
{
	unsigned int i;

	carom_ring_close(q->ring);
	if (q->event_fd >= 0)
		close(q->event_fd);
	for (i = 0; i < q->depth; i++) {
		carom_slot_give_back(q->ix, q->queries[i].rd.slot);
		carom_reader_exit(&q->queries[i].rd);
	}
	free(q->queries);
	free(q);
}

/* ---- the ring ---- */

static int ring_open(struct carom_queue *q, bool poll)
{
	struct carom_ring_opts opts = { .nr = q->depth, .poll = poll };
	__u8 **nodes = NULL;
	unsigned int i;
	int ret;

	/* With a session reads are the exception. */
	if (q->ix->session.fd < 0)
		nodes = calloc(q->depth, sizeof(*nodes));
	for (i = 0; nodes && i < q->depth; i++)
		nodes[i] = q->queries[i].rd.node;
	opts.nodes = nodes;
	ret = carom_ring_open(&q->ring, q->ix, &opts);
	free(nodes);
	return ret;
}

static void probe_ended(void *ctx, struct carom_reader *rd, int res)
{
	(void)rd;
	*(int *)ctx = res;
}

/* Can reads be polled for here? Nothing but a read tells. */
static int ring_probe(struct carom_queue *q)
{
	struct carom_reader *rd = &q->queries[0].rd;
	int res = 0, ret;

	rd->chain.at = 0;
	rd->got = 0;
	ret = carom_ring_read(q->ring, rd);
	while (!ret && carom_ring_pending(q->ring)) {
		ret = carom_ring_enter(q->ring, 1, -1);
		carom_ring_reap(q->ring, probe_ended, &res);
	}
	return ret ? ret : res < 0 ? res : 0;
}

static int queue_open_polling(struct carom_queue *q, char *reason)
{
	int ret;

	if (q->ix->session.fd >= 0)
		return 0;
	if (!q->ix->file.dio_align)
		return carom_reason_set(reason, -EOPNOTSUPP,
			"io_uring can poll only an index that was opened with direct");
	ret = ring_probe(q);
	if (ret == -EOPNOTSUPP)
		return carom_reason_set(reason, ret, "reads of this file cannot be polled for; "
			"do its device (nvme.poll_queues) and filesystem support it?");
	return ret ? carom_reason_set(reason, ret, "%s", strerror(-ret)) : 0;
}

static int queue_open(struct carom_queue *q, bool poll, char *reason)
{
	int ret;

	if (q->ix->ops->id == CAROM_BACKEND_PREAD)
		return !poll ? 0 : carom_reason_set(reason, -EOPNOTSUPP,
						    "backend pread cannot poll");
	ret = ring_open(q, poll);
	if (ret)
		return carom_reason_set(reason, ret, "io_uring cannot be set up: %s",
					carom_ring_advice(ret));
	return poll ? queue_open_polling(q, reason) : 0;
}

/* ---- what callers see ---- */

static int opts_take(struct carom_queue_opts *own, const struct carom_queue_opts *opts,
		     const struct carom_index *ix, struct carom_error *err)
{
	int ret = carom_opts_copy(own, sizeof(*own), opts, "carom_queue_opts", err);

	if (ret)
		return ret;
	if (!own->depth)
		own->depth = CAROM_DEFAULT_DEPTH;
	if (own->depth <= ix->max_in_flight)
		return 0;
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"options: depth is %u, but max_in_flight of the index %u", own->depth,
		ix->max_in_flight);
}

int carom_queue__new(struct carom_index *ix, const struct carom_queue_opts *opts,
		     struct carom_queue **out, struct carom_error *err)
{
	char reason[CAROM_REASON_LEN] = "out of memory";
	struct carom_queue_opts own;
	struct carom_queue *q;
	int ret;

	if (err)
		memset(err, 0, sizeof(*err));
	if (!ix || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "index or out is NULL");
	*out = NULL;
	ret = opts_take(&own, opts, ix, err);
	if (ret)
		return ret;
	q = calloc(1, sizeof(*q));
	if (!q)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	q->ix = ix;
	q->depth = own.depth;
	q->event_fd = -1;
	ret = queue_alloc(q, reason);
	if (ret) {
		new_error(q, ret, reason, err);
		free(q);
		return ret;
	}
	ret = queue_open(q, own.poll, reason);
	if (ret) {
		new_error(q, ret, reason, err);
		queue_free(q);
		return ret;
	}
	*out = q;
	return 0;
}

void carom_queue__free(struct carom_queue *q)
{
	if (!q)
		return;
	if (q->ring)
		carom_queue_cancel(q, NULL);
	while (q->ring && carom_ring_pending(q->ring)) {
		if (carom_ring_enter(q->ring, 1, -1))
			return;
		carom_queue_reap(q);
	}
	queue_free(q);
}

int carom_queue__fd(struct carom_queue *q)
{
	int fd, ret;

	if (q->event_fd >= 0)
		return q->event_fd;
	if (q->ring && carom_ring_polls(q->ring))
		return carom_error_set(&q->err, CAROM_FAULT_USAGE, -EOPNOTSUPP,
			"a queue that polls has no descriptor: nothing would signal it");
	/* Readable at first: something may have ended before. */
	fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return carom_error_set(&q->err, CAROM_FAULT_IO, -errno, "eventfd: %s",
				       strerror(errno));
	ret = q->ring ? carom_ring_notify(q->ring, fd) : 0;
	if (ret) {
		close(fd);
		return carom_error_set(&q->err, CAROM_FAULT_IO, ret,
				       "registering an eventfd: %s", strerror(-ret));
	}
	q->signaled = true;
	q->event_fd = fd;
	return fd;
}

const struct carom_error *carom_queue__error(const struct carom_queue *q)
{
	return &q->err;
}

void carom_queue__stats(const struct carom_queue *q, struct carom_reader_stats *st, size_t sz)
{
	carom_stats_copy(&q->stats, st, sz);
}
