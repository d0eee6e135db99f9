// SPDX-License-Identifier: GPL-2.0
/*
 * The lookups of one thread: which key, when it is to begin, and whether the answer is right.
 *
 * In a closed loop a lookup begins when there is room for it. In an open loop it begins at its
 * time, however long the earlier ones take, and if there is no room then, its latency counts from
 * that time all the same: a device that stalls is not asked less, so all whom it kept waiting are
 * counted.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "batch.h"
#include "bench.h"

#define NS	1000000000ULL

static uint64_t cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static const struct bench_key *next_key(struct bench_lane *l)
{
	const struct bench_keys *keys = l->run->keys;

	if (l->run->opts->choice == BENCH_ZIPF)
		return &keys->keys[zipf_next(l->run->zipf, &l->rng)];
	return &keys->keys[rng_below(&l->rng, keys->nr)];
}

/* ---- answers ---- */

__attribute__((format(printf, 3, 4)))
static void complain(struct bench_lane *l, const struct bench_key *key, const char *fmt, ...)
{
	char what[BENCH_REASON_LEN / 2];
	va_list ap;

	if (l->why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(l->why, sizeof(l->why), "key %.*s: %s", (int)(key->len < 64 ? key->len : 64),
		 (const char *)key->data, what);
}

static bool same_value(const struct bench_key *key, const struct carom_value *val)
{
	size_t len = val->len < BENCH_HEAD_LEN ? val->len : BENCH_HEAD_LEN;

	return val->len == key->value_len && !memcmp(val->data, key->head, len);
}

static void check(struct bench_lane *l, const struct bench_key *key, const struct bench_answer *a)
{
	const char *is = a->ret == CAROM_NOTFOUND ? "not found" : "found";

	if (a->ret < 0) {
		l->totals.errors++;
		complain(l, key, "%s", a->why);
		return;
	}
	l->totals.misses += a->ret == CAROM_NOTFOUND;
	if (key->present == !a->ret && (a->ret || same_value(key, &a->val)))
		return;
	l->totals.wrong++;
	if (key->present == !a->ret)
		is = "another value";
	complain(l, key, "wrong answer: %s, unlike with liblmdb before (is somebody writing?)", is);
}

static void ended(struct bench_lane *l, const struct bench_key *key, uint64_t start, uint64_t now,
		  const struct bench_answer *a)
{
	l->end = now;
	l->totals.lookups++;
	hist_add(&l->totals.hist, now - start);
	check(l, key, a);
}

void bench_lane_answer(struct bench_lane *l, unsigned int tag, const struct bench_answer *a)
{
	const struct bench_flight *f = &l->flights[tag];

	ended(l, f->key, f->start, now_ns(), a);
	l->free[--l->in_flight] = tag;
}

/* ---- lookups ---- */

/* One by one. What is done to have caches cold is neither in its time nor in its CPU time. */
static void look_up(struct bench_lane *l, const struct bench_key *key, uint64_t start)
{
	bool cold = l->run->be->flags & BENCH_COLD;
	struct bench_answer a = { 0 };
	uint64_t cpu = 0, now;

	if (cold) {
		l->failed = bench_cold_drop(l->run);
		cpu = cpu_now();
		start = now_ns();
	}
	l->run->be->get(l, key, &a);
	now = now_ns();
	if (cold)
		l->totals.cpu_ns += cpu_now() - cpu;
	l->totals.busy_ns += now - start;
	ended(l, key, start, now, &a);
}

static void begin(struct bench_lane *l, uint64_t start)
{
	const struct bench_key *key = next_key(l);
	unsigned int tag;

	l->phase.left--;
	atomic_fetch_add_explicit(&l->began, 1, memory_order_relaxed);
	if (!(l->run->be->flags & BENCH_ASYNC)) {
		look_up(l, key, start);
		return;
	}
	tag = l->free[l->in_flight++];
	l->flights[tag] = (struct bench_flight){ .key = key, .start = start };
	l->failed = l->run->be->submit(l, key, tag);
	if (l->failed)
		l->free[--l->in_flight] = tag;
}

/* ---- when ---- */

static bool open_loop(const struct bench_lane *l)
{
	return l->run->opts->rate > 0;
}

static void next_arrival(struct bench_phase *ph)
{
	ph->due = ph->start + arrivals_next(&ph->arrivals);
}

/* When the next lookup is to begin; BENCH_FOREVER: there is none. */
static uint64_t next_due(const struct bench_lane *l, uint64_t now)
{
	const struct bench_phase *ph = &l->phase;

	if (!ph->left || now >= ph->end)
		return BENCH_FOREVER;
	if (!open_loop(l))
		return now;
	return ph->due < ph->end ? ph->due : BENCH_FOREVER;
}

static void sleep_until(uint64_t when)
{
	struct timespec ts = { .tv_sec = (time_t)(when / NS), .tv_nsec = (long)(when % NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void wait_for(struct bench_lane *l, uint64_t now, uint64_t due)
{
	uint64_t ns = BENCH_FOREVER;

	if (!l->in_flight) {
		sleep_until(due);
		return;
	}
	if (due != BENCH_FOREVER && l->in_flight < l->depth)
		ns = due - now;
	l->failed = l->run->be->reap(l, ns);
}

/* Those whose time came while there was no room, until it was over. */
static void count_unstarted(struct bench_lane *l)
{
	struct bench_phase *ph = &l->phase;

	for (; open_loop(l) && ph->left && ph->due < ph->end; next_arrival(ph)) {
		ph->left--;
		l->totals.unstarted++;
	}
}

void bench_lane_run(struct bench_lane *l)
{
	uint64_t now, due;

	if (open_loop(l))
		next_arrival(&l->phase);
	while (!l->failed) {
		now = now_ns();
		due = next_due(l, now);
		if (due == BENCH_FOREVER && !l->in_flight)
			break;
		if (due > now || l->in_flight == l->depth) {
			wait_for(l, now, due);
			continue;
		}
		begin(l, due);
		if (open_loop(l))
			next_arrival(&l->phase);
	}
	if (l->phase.end != BENCH_FOREVER)
		count_unstarted(l);
}
