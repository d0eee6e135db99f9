// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Lookups of a queue, from submission to being given back.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include "queue.h"

void carom_query_push(struct query_list *list, struct query *e)
{
	e->next = NULL;
	if (list->head)
		list->tail->next = e;
	else
		list->head = e;
	list->tail = e;
}

static struct query *query_pop(struct query_list *list)
{
	struct query *e = list->head;

	if (e)
		list->head = e->next;
	return e;
}

static __s64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__s64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int enter_error(struct carom_queue *q, int code)
{
	return carom_error_set(&q->err, CAROM_FAULT_IO, code, "%s: io_uring: %s", q->ix->path,
			       code == -EEXIST ? "the queue belongs to another thread" :
			       strerror(-code));
}

/* ---- the descriptor ---- */

/* Readable is what it must be while something is ready, or only waits to be run. */
static void queue_signal(struct carom_queue *q)
{
	if (q->event_fd < 0 || q->signaled || (!q->nr_ready && !q->todo.head))
		return;
	eventfd_write(q->event_fd, 1);
	q->signaled = true;
}

/* Before the look at the ring: what comes after that signals again. */
static void queue_unsignal(struct carom_queue *q)
{
	eventfd_t value;

	if (q->event_fd < 0)
		return;
	eventfd_read(q->event_fd, &value);
	q->signaled = false;
}

/* ---- a lookup ends ---- */

static void queue_count(struct carom_queue *q, const struct carom_reader_stats *st)
{
	q->stats.lookups += st->lookups;
	q->stats.hops += st->hops;
	q->stats.kernel_hops += st->kernel_hops;
	q->stats.fallbacks += st->fallbacks;
	q->stats.last_hops = st->last_hops;
	if (st->last_abort)
		q->stats.last_abort = st->last_abort;
}

static void query_ready(struct carom_queue *q, struct query *e, int ret)
{
	e->rd.stats.lookups += e->rd.reached;
	queue_count(q, &e->rd.stats);
	e->c.ret = ret;
	e->c.hops = e->rd.stats.hops;
	e->c.kernel_hops = e->rd.stats.kernel_hops;
	e->c.abort = e->rd.stats.last_abort;
	if (ret)
		e->c.val = (struct carom_value){ 0 };
	e->state = QUERY_READY;
	carom_query_push(&q->ready, e);
	q->flying--;
	q->nr_ready++;
}

/* The format has said @ret: go on, through as many chains as are over at once. */
static void query_go_on(struct carom_queue *q, struct query *e, int ret, __u64 offset)
{
	int chain_ret;

	while (ret == CAROM_CHAIN) {
		carom_reader_chain_begin(&e->rd, offset);
		if (!carom_flight_begin(q->ring, &e->rd, &chain_ret))
			return;
		ret = carom_reader_chain_over(&e->rd, chain_ret, &offset, &e->c.val);
	}
	query_ready(q, e, ret);
}

static struct query *query_of(struct carom_reader *rd)
{
	return (struct query *)((char *)rd - offsetof(struct query, rd));
}

static void query_ended(void *ctx, struct carom_reader *rd, int res)
{
	struct carom_queue *q = ctx;
	__u64 offset = 0;
	int ret;

	/* What became of a wish to cancel shows in the lookup itself. */
	if (!rd || !carom_flight_ended(q->ring, rd, res, &ret))
		return;
	ret = carom_reader_chain_over(rd, ret, &offset, &query_of(rd)->c.val);
	query_go_on(q, query_of(rd), ret, offset);
}

void carom_queue_reap(struct carom_queue *q)
{
	queue_unsignal(q);
	if (q->ring)
		carom_ring_reap(q->ring, query_ended, q);
}

/* ---- without a ring ---- */

static int query_run(struct query *e)
{
	if (e->rd.canceled)
		return carom_error_set(&e->rd.err, CAROM_FAULT_IO, -ECANCELED,
				       "%s: lookup canceled", e->rd.ix->path);
	return carom_reader_finish(&e->rd, CAROM_CHAIN, e->offset, &e->c.val);
}

/* Run lookups until @nr are ready; at least one, so that polling gets on. */
static void queue_run_todo(struct carom_queue *q, unsigned int nr, __s64 until)
{
	struct query *e;

	while (q->nr_ready < nr) {
		e = query_pop(&q->todo);
		if (!e)
			break;
		query_ready(q, e, query_run(e));
		if (until >= 0 && now_ns() >= until)
			break;
	}
}

/* ---- submission ---- */

int carom_queue__submit(struct carom_queue *q, const void *key, size_t key_len,
			uint64_t user_data)
{
	struct query *e = q->free.head;
	__u64 offset = 0;
	int ret;

	if (!e)
		return carom_error_set(&q->err, CAROM_FAULT_USAGE, -EBUSY,
			"all %u lookups of the queue are in flight or not given back yet",
			q->depth);
	e->rd.stats = (struct carom_reader_stats){ 0 };
	ret = carom_reader_start(&e->rd, key, key_len, &offset);
	if (ret == -EINVAL && e->rd.err.fault == CAROM_FAULT_USAGE) {
		q->err = e->rd.err;
		return ret;
	}
	query_pop(&q->free);
	e->c.user_data = user_data;
	e->state = QUERY_FLYING;
	q->flying++;
	if (q->ring || ret != CAROM_CHAIN) {
		query_go_on(q, e, ret, offset);
	} else {
		e->offset = offset;
		carom_query_push(&q->todo, e);
	}
	queue_signal(q);
	return 0;
}

/* Send what is prepared. */
static int queue_send(struct carom_queue *q)
{
	int ret;

	if (!q->ring || !carom_ring_prepared(q->ring))
		return 0;
	ret = carom_ring_enter(q->ring, 0, 0);
	return ret ? enter_error(q, ret) : 0;
}

int carom_queue__flush(struct carom_queue *q)
{
	return queue_send(q);
}

/* Send it and wait for at most @missing lookups. */
static int queue_enter(struct carom_queue *q, unsigned int missing, __s64 ns)
{
	unsigned int pending = carom_ring_pending(q->ring);
	int ret;

	/*
	 * Where an operation is a lookup, all can be waited for at once. Where it is
	 * a hop, the next one should be sent as soon as one has ended.
	 */
	if (q->ix->session.fd < 0)
		missing = 1;
	else if (missing > pending)
		missing = pending;
	ret = carom_ring_enter(q->ring, missing, ns);
	return ret ? enter_error(q, ret) : 0;
}

/* ---- completions ---- */

/* Until @nr are ready, or the time is @until (negative: never). */
static int queue_wait(struct carom_queue *q, unsigned int nr, __s64 until)
{
	__s64 left = -1;
	int ret;

	if (nr > q->nr_ready + q->flying)
		nr = q->nr_ready + q->flying;
	if (q->nr_ready >= nr)
		return 0;
	for (;;) {
		carom_queue_reap(q);
		queue_run_todo(q, nr, until);
		if (until >= 0)
			left = until - now_ns();
		if (q->nr_ready >= nr || !q->ring || (until >= 0 && left <= 0))
			return queue_send(q);
		ret = queue_enter(q, nr - q->nr_ready, left);
		if (ret)
			return ret;
	}
}

/* What there is without waiting. What is sent may have ended at once. */
static int queue_look(struct carom_queue *q)
{
	int ret;

	for (;;) {
		carom_queue_reap(q);
		queue_run_todo(q, 1, -1);
		if (!q->ring || !carom_ring_prepared(q->ring))
			return 0;
		ret = queue_send(q);
		if (ret || q->nr_ready)
			return ret;
	}
}

static int queue_take(struct carom_queue *q, const struct carom_completion **out)
{
	struct query *e = query_pop(&q->ready);

	queue_signal(q);
	if (!e)
		return -EAGAIN;
	q->nr_ready--;
	e->state = QUERY_TAKEN;
	*out = &e->c;
	return 0;
}

int carom_queue__peek(struct carom_queue *q, const struct carom_completion **out)
{
	int ret = q->nr_ready ? 0 : queue_look(q);

	return ret && !q->nr_ready ? ret : queue_take(q, out);
}

int carom_queue__wait(struct carom_queue *q, const struct carom_completion **out)
{
	int ret;

	if (!q->nr_ready && !q->flying)
		return carom_error_set(&q->err, CAROM_FAULT_USAGE, -ENOENT,
				       "no lookup is in flight");
	ret = queue_wait(q, 1, -1);
	return ret && !q->nr_ready ? ret : queue_take(q, out);
}

int carom_queue__wait_nr(struct carom_queue *q, unsigned int nr, int timeout_ms)
{
	__s64 until = timeout_ms < 0 ? -1 : now_ns() + (__s64)timeout_ms * 1000000;
	int ret = queue_wait(q, nr, until);

	queue_signal(q);
	return ret ? ret : (int)q->nr_ready;
}

void carom_queue__done(struct carom_queue *q, const struct carom_completion *c)
{
	struct query *e = (struct query *)c;

	if (!e || e->state != QUERY_TAKEN)
		return;
	e->state = QUERY_FREE;
	carom_query_push(&q->free, e);
}

/* ---- cancellation ---- */

static int query_cancel(struct carom_queue *q, struct query *e)
{
	e->rd.canceled = true;
	return e->rd.in_kernel ? carom_ring_command(q->ring, &e->rd, CAROM_URING_CANCEL) : 0;
}

int carom_queue_cancel(struct carom_queue *q, const uint64_t *user_data)
{
	unsigned int i, found = 0;
	int ret = 0, err;

	for (i = 0; i < q->depth; i++) {
		struct query *e = &q->queries[i];

		if (e->state != QUERY_FLYING || (user_data && e->c.user_data != *user_data))
			continue;
		found++;
		err = query_cancel(q, e);
		if (err)
			ret = err;
	}
	return ret ? ret : found ? 0 : -ENOENT;
}

int carom_queue__cancel(struct carom_queue *q, uint64_t user_data)
{
	int ret = carom_queue_cancel(q, &user_data);

	if (ret == -ENOENT)
		return carom_error_set(&q->err, CAROM_FAULT_USAGE, ret,
				       "no such lookup is in flight");
	return ret ? enter_error(q, ret) : queue_send(q);
}
