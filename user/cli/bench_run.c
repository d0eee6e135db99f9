// SPDX-License-Identifier: GPL-2.0
/*
 * One run: its threads warm up, begin together, and are waited for.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include "batch.h"
#include "bench.h"

#define PROGRESS_NS	500000000

/**
 * struct crew - the threads of a run
 * @gate: all of them and the caller, between phases
 * @broken: a lane could not be opened; @run->reason says why
 * @lock: @broken, @done
 * @done: lanes that are through with the phase
 */
struct crew {
	struct bench_run *run;
	struct bench_lane *lanes;
	pthread_t *threads;
	pthread_barrier_t gate;
	pthread_mutex_t lock;
	pthread_cond_t some_done;
	unsigned int done;
	bool broken;
};

struct member {
	struct crew *crew;
	struct bench_lane *lane;
};

/* ---- a lane's thread ---- */

static void lane_broken(struct crew *c, int code, const char *reason)
{
	pthread_mutex_lock(&c->lock);
	if (!c->broken)
		snprintf(c->run->reason, sizeof(c->run->reason), "%s",
			 reason[0] ? reason : strerror(-code));
	c->broken = true;
	pthread_mutex_unlock(&c->lock);
}

static int lane_open(struct crew *c, struct bench_lane *l)
{
	char reason[BENCH_REASON_LEN] = "";
	int ret;

	l->flights = calloc(l->depth, sizeof(*l->flights));
	l->free = calloc(l->depth, sizeof(*l->free));
	for (unsigned int i = 0; l->free && i < l->depth; i++)
		l->free[i] = i;
	ret = l->flights && l->free ? c->run->be->lane_open(l, reason) : -ENOMEM;
	if (ret)
		lane_broken(c, ret, reason);
	return ret;
}

/* A lane's share of something that all do together. */
static uint64_t share(const struct bench_lane *l, uint64_t of_all)
{
	uint64_t threads = l->run->threads;

	return of_all / threads + (l->number < of_all % threads);
}

static void lane_phase(struct crew *c, struct bench_lane *l, double seconds, uint64_t count)
{
	const struct bench_opts *opts = l->run->opts;
	struct bench_phase *ph = &l->phase;
	double gap_ns = opts->rate > 0 ? 1e9 * l->run->threads / opts->rate : 0;

	ph->start = now_ns();
	ph->end = count ? BENCH_FOREVER : ph->start + (uint64_t)(seconds * 1e9);
	ph->left = count ? share(l, count) : UINT64_MAX;
	arrivals_init(&ph->arrivals, rng_new(rng_next(&l->rng), 0), gap_ns, opts->poisson,
		      gap_ns * l->number / l->run->threads);
	if (!l->failed)
		bench_lane_run(l);
	pthread_mutex_lock(&c->lock);
	c->done++;
	pthread_cond_signal(&c->some_done);
	pthread_mutex_unlock(&c->lock);
}

static void stats_less(struct carom_reader_stats *st, const struct carom_reader_stats *before)
{
	st->lookups -= before->lookups;
	st->hops -= before->hops;
	st->kernel_hops -= before->kernel_hops;
	st->fallbacks -= before->fallbacks;
}

static uint64_t major_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return (uint64_t)ru.ru_majflt;
}

static void lane_work(struct crew *c, struct bench_lane *l)
{
	const struct bench_opts *opts = c->run->opts;
	struct carom_reader_stats before;
	uint64_t faults;

	if (opts->warm_up > 0)
		lane_phase(c, l, opts->warm_up, 0);
	pthread_barrier_wait(&c->gate);
	c->run->be->stats(l, &before);
	memset(&l->totals, 0, sizeof(l->totals));
	atomic_store(&l->began, 0);
	faults = major_faults();
	pthread_barrier_wait(&c->gate);
	lane_phase(c, l, opts->duration, opts->count);
	c->run->be->stats(l, &l->totals.stats);
	stats_less(&l->totals.stats, &before);
	l->totals.major_faults = major_faults() - faults;
	pthread_barrier_wait(&c->gate);
}

static void *lane_thread(void *arg)
{
	struct member *m = arg;
	struct crew *c = m->crew;
	int ret;

	/* An arrival is no timer that could be a little late. */
	prctl(PR_SET_TIMERSLACK, 1);
	ret = lane_open(c, m->lane);
	pthread_barrier_wait(&c->gate);
	if (!c->broken)
		lane_work(c, m->lane);
	if (!ret)
		c->run->be->lane_close(m->lane);
	free(m->lane->flights);
	free(m->lane->free);
	free(m);
	return NULL;
}

/* ---- the caller's ---- */

static uint64_t began(const struct crew *c)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->run->threads; i++)
		sum += atomic_load_explicit(&c->lanes[i].began, memory_order_relaxed);
	return sum;
}

static void wait_phase(struct crew *c, const char *phase, uint64_t start)
{
	struct timespec ts;
	uint64_t until = start;

	pthread_mutex_lock(&c->lock);
	while (c->done < c->run->threads) {
		until += PROGRESS_NS;
		ts = (struct timespec) { .tv_sec = (time_t)(until / 1000000000),
					 .tv_nsec = (long)(until % 1000000000) };
		pthread_cond_timedwait(&c->some_done, &c->lock, &ts);
		bench_progress(c->run, phase, (double)(now_ns() - start) / 1e9, began(c));
	}
	c->done = 0;
	pthread_mutex_unlock(&c->lock);
}

struct clocks {
	uint64_t wall;
	uint64_t cpu;
	uint64_t user;
	uint64_t system;
};

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000 + (uint64_t)tv->tv_usec * 1000;
}

static struct clocks clocks_now(void)
{
	struct timespec ts;
	struct rusage ru;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	getrusage(RUSAGE_SELF, &ru);
	return (struct clocks) {
		.wall = now_ns(),
		.cpu = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec,
		.user = timeval_ns(&ru.ru_utime),
		.system = timeval_ns(&ru.ru_stime),
	};
}

static void add_lane(struct bench_run *run, const struct bench_lane *l, uint64_t *end)
{
	struct bench_totals *all = &run->totals;
	const struct bench_totals *t = &l->totals;

	hist_merge(&all->hist, &t->hist);
	all->lookups += t->lookups;
	all->misses += t->misses;
	all->wrong += t->wrong;
	all->errors += t->errors + !!l->failed;
	all->unstarted += t->unstarted;
	all->busy_ns += t->busy_ns;
	all->cpu_ns += t->cpu_ns;
	all->major_faults += t->major_faults;
	all->stats.lookups += t->stats.lookups;
	all->stats.hops += t->stats.hops;
	all->stats.kernel_hops += t->stats.kernel_hops;
	all->stats.fallbacks += t->stats.fallbacks;
	if (t->stats.last_abort)
		all->stats.last_abort = t->stats.last_abort;
	if (l->end > *end)
		*end = l->end;
	if (l->failed && !l->why[0])
		snprintf(run->why, sizeof(run->why), "%s", strerror(-l->failed));
	else if (l->why[0])
		snprintf(run->why, sizeof(run->why), "%s", l->why);
}

static void add_lanes(struct crew *c, const struct clocks *before, const struct clocks *after)
{
	bool cold = c->run->be->flags & BENCH_COLD;
	uint64_t end = before->wall;
	unsigned int i;

	for (i = 0; i < c->run->threads; i++)
		add_lane(c->run, &c->lanes[i], &end);
	c->run->wall_ns = cold ? c->run->totals.busy_ns : end - before->wall;
	c->run->cpu_ns = cold ? c->run->totals.cpu_ns : after->cpu - before->cpu;
	c->run->user_ns = after->user - before->user;
	c->run->system_ns = after->system - before->system;
}

static void crew_lead(struct crew *c)
{
	struct clocks before, after;

	pthread_barrier_wait(&c->gate);
	if (c->broken)
		return;
	if (c->run->opts->warm_up > 0)
		wait_phase(c, "warming up", now_ns());
	pthread_barrier_wait(&c->gate);
	before = clocks_now();
	pthread_barrier_wait(&c->gate);
	wait_phase(c, "measuring", before.wall);
	after = clocks_now();
	pthread_barrier_wait(&c->gate);
	add_lanes(c, &before, &after);
}

static int crew_start(struct crew *c)
{
	struct member *m;
	unsigned int i;
	int ret;

	for (i = 0; i < c->run->threads; i++) {
		struct bench_lane *l = &c->lanes[i];

		*l = (struct bench_lane) {
			.run = c->run, .number = i, .depth = c->run->depth,
			.rng = rng_new(c->run->opts->seed, i + 1),
		};
		m = malloc(sizeof(*m));
		if (!m)
			return -ENOMEM;
		*m = (struct member){ .crew = c, .lane = l };
		ret = pthread_create(&c->threads[i], NULL, lane_thread, m);
		if (ret)
			return -ret;
	}
	return 0;
}

static int crew_run(struct crew *c)
{
	pthread_condattr_t attr;
	unsigned int i;
	int ret;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->some_done, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&c->lock, NULL);
	pthread_barrier_init(&c->gate, NULL, c->run->threads + 1);
	ret = crew_start(c);
	/* Those that did start wait for the others, which will not come. */
	if (ret)
		return ret;
	crew_lead(c);
	for (i = 0; i < c->run->threads; i++)
		pthread_join(c->threads[i], NULL);
	pthread_barrier_destroy(&c->gate);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->some_done);
	return 0;
}

static const char *cannot(const struct bench_run *run)
{
	if (!(run->be->flags & BENCH_COLD))
		return NULL;
	if (run->threads > 1)
		return "caches are cold for one thread only: what one reads another would drop";
	return run->opts->rate > 0 ? "caches cannot be dropped at a given rate" : NULL;
}

/* Errors of the library name the file first. There is only one. */
static void shorten(struct bench_run *run)
{
	size_t len = strlen(run->opts->path);

	if (!strncmp(run->reason, run->opts->path, len) && !strncmp(run->reason + len, ": ", 2))
		memmove(run->reason, run->reason + len + 2, strlen(run->reason + len + 2) + 1);
}

int bench_run(struct bench_run *run)
{
	const char *why = cannot(run);
	struct crew c = { .run = run };
	int ret = 0;

	if (why) {
		snprintf(run->reason, sizeof(run->reason), "%s", why);
		return 0;
	}
	if (run->be->open(run)) {
		if (!run->reason[0])
			snprintf(run->reason, sizeof(run->reason), "out of memory");
		shorten(run);
		return 0;
	}
	c.lanes = calloc(run->threads, sizeof(*c.lanes));
	c.threads = calloc(run->threads, sizeof(*c.threads));
	ret = c.lanes && c.threads ? crew_run(&c) : -ENOMEM;
	/* After a failure, threads may still use it. */
	if (ret)
		return ret;
	free(c.lanes);
	free(c.threads);
	run->be->close(run);
	shorten(run);
	return 0;
}
