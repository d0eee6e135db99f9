/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom bench: what its parts share.
 *
 * A run is one backend with so many threads and lookups in flight. Each thread has a lane: its own
 * reader or queue, its own keys by chance, and its own histogram.
 */
#ifndef CAROM_BENCH_H
#define CAROM_BENCH_H

#include <lmdb.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "bench_hist.h"
#include "bench_random.h"
#include "cli.h"

#define BENCH_REASON_LEN	512
#define BENCH_MAX_LIST		32
#define BENCH_MAX_THREADS	1024
#define BENCH_HEAD_LEN		8
#define BENCH_FOREVER		UINT64_MAX

enum bench_choice { BENCH_UNIFORM, BENCH_ZIPF, BENCH_FILE };

struct bench_backend;

/**
 * struct bench_opts - what was asked for
 * @index: format and database
 * @choice: how keys are chosen; @key_file: where they are, if from a file
 * @theta: of zipf
 * @sample: keys taken from the database at most
 * @duration: seconds, if @count is 0
 * @warm_up: seconds
 * @rate: lookups per second to begin, 0: as many as possible
 * @poisson: those come by chance
 */
struct bench_opts {
	struct carom_index_opts index;
	const char *path;
	const char *output;
	const struct bench_backend *backends[BENCH_MAX_LIST];
	unsigned int nr_backends;
	unsigned int threads[BENCH_MAX_LIST];
	unsigned int nr_threads;
	unsigned int depths[BENCH_MAX_LIST];
	unsigned int nr_depths;
	enum bench_choice choice;
	const char *key_file;
	double theta;
	uint64_t sample;
	double duration;
	uint64_t count;
	double warm_up;
	double rate;
	bool poisson;
	uint64_t seed;
};

/**
 * struct bench_key - a key, and what liblmdb found there
 * @present: it is in the database; the rest is about its value
 * @head: the first bytes
 */
struct bench_key {
	void *data;
	size_t len;
	bool present;
	size_t value_len;
	unsigned char head[BENCH_HEAD_LEN];
};

/**
 * struct bench_keys - those to choose from
 * @entries: that the database has
 * @depth: of its tree
 */
struct bench_keys {
	struct bench_key *keys;
	size_t nr;
	uint64_t entries;
	unsigned int depth;
};

/**
 * struct bench_answer - how a lookup ended
 * @ret: as carom_reader__get()
 * @why: if negative
 */
struct bench_answer {
	int ret;
	struct carom_value val;
	const char *why;
};

struct bench_run;
struct bench_lane;

#define BENCH_ASYNC	0x1	/* several lookups can be in flight */
#define BENCH_COLD	0x2	/* caches are dropped before each lookup */
#define BENCH_MMAP	0x4	/* page faults of liblmdb's, so nodes are not counted */

/**
 * struct bench_backend - a way to look keys up
 * @index: the library's backend that it is made of
 * @direct: O_DIRECT
 * @poll: without interrupts
 * @open: before the threads begin; may be NULL, as the other three
 * @lane_open: in the lane's thread. Both say in run->reason why they cannot.
 * @get: one lookup; for those that are not BENCH_ASYNC
 * @submit: begin one; 0 or a negative errno
 * @reap: hand over with bench_lane_answer() what has ended; if nothing has, wait for it, for so
 *	many nanoseconds (BENCH_FOREVER), or less. Returns 0 or a negative errno.
 * @stats: totals so far
 */
struct bench_backend {
	const char *name;
	const char *text;
	unsigned int flags;
	enum carom_backend index;
	bool direct;
	bool poll;
	int (*open)(struct bench_run *run);
	void (*close)(struct bench_run *run);
	int (*lane_open)(struct bench_lane *l, char *reason);
	void (*lane_close)(struct bench_lane *l);
	void (*get)(struct bench_lane *l, const struct bench_key *key, struct bench_answer *a);
	int (*submit)(struct bench_lane *l, const struct bench_key *key, unsigned int tag);
	int (*reap)(struct bench_lane *l, uint64_t ns);
	void (*stats)(struct bench_lane *l, struct carom_reader_stats *st);
};

extern const struct bench_backend bench_pread, bench_cache, bench_cache_cold, bench_mmap,
	bench_mmap_cold, bench_uring_plain, bench_uring, bench_uring_polled, bench_passthru,
	bench_passthru_polled, bench_kernel, bench_kernel_async, bench_kernel_polled;

/* All there are, in the order in which they are listed; ends with NULL. */
extern const struct bench_backend *const bench_backends[];

/* ---- bench_opts.c ---- */

extern const struct argp bench_argp;
extern const struct cli_arg bench_args[];


/**
 * struct bench_totals - what came of the lookups of a lane, or of all
 * @hist: nanoseconds of each
 * @lookups: that have ended
 * @misses: that found nothing, rightly or not
 * @wrong: whose answer was not what liblmdb had found
 * @errors: that failed
 * @unstarted: that should have begun, but had not when the time was over
 * @busy_ns: time in lookups, where they are one by one
 * @cpu_ns: CPU time, for BENCH_COLD
 * @major_faults: for BENCH_MMAP
 */
struct bench_totals {
	struct hist hist;
	uint64_t lookups;
	uint64_t misses;
	uint64_t wrong;
	uint64_t errors;
	uint64_t unstarted;
	uint64_t busy_ns;
	uint64_t cpu_ns;
	uint64_t major_faults;
	struct carom_reader_stats stats;
};

/* A lookup in flight. */
struct bench_flight {
	const struct bench_key *key;
	uint64_t start;
};

/**
 * struct bench_phase - warm-up or measurement, of one lane
 * @start: when, by now_ns()
 * @end: no lookup begins from then on
 * @left: lookups still to begin
 * @due: when the next is to, in an open loop
 */
struct bench_phase {
	uint64_t start;
	uint64_t end;
	uint64_t left;
	uint64_t due;
	struct arrivals arrivals;
};

/**
 * struct bench_lane - what one thread has
 * @depth: lookups in flight at most
 * @flights: those, by tag; @free: tags that are not in use
 * @began: lookups that have begun, for the progress line
 * @failed: the lane itself does not work any more; @why says why, or what was wrong first
 * @end: when the last lookup had ended
 */
struct bench_lane {
	struct bench_run *run;
	unsigned int number;
	unsigned int depth;
	struct rng rng;
	struct bench_flight *flights;
	unsigned int *free;
	unsigned int in_flight;
	struct bench_phase phase;
	struct bench_totals totals;
	atomic_uint_least64_t began;
	int failed;
	char why[BENCH_REASON_LEN];
	uint64_t end;

	struct carom_reader *rd;
	struct carom_queue *q;
	MDB_txn *txn;
	struct bench_ring *ring;
};

/**
 * struct bench_run - one backend with so many threads and lookups in flight
 * @reason: why it could not run, else empty
 * @why: what went wrong first in a lookup, else empty
 * @wall_ns: from the first lookup to the end of the last
 * @cpu_ns: CPU time of the process; @user_ns, @system_ns: its parts, roughly
 */
struct bench_run {
	const struct bench_opts *opts;
	const struct bench_keys *keys;
	const struct zipf *zipf;
	const struct bench_backend *be;
	unsigned int threads;
	unsigned int depth;
	unsigned int number;
	unsigned int of;
	char reason[BENCH_REASON_LEN];
	char why[BENCH_REASON_LEN];
	struct bench_totals totals;
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t user_ns;
	uint64_t system_ns;

	struct carom_index *ix;
	MDB_env *env;
	MDB_dbi dbi;
	void *map;
	size_t map_len;
	struct bench_cold *cold;
	struct bench_device *device;
};

/* ---- bench_opts.c ---- */

int bench_opts_parse(struct cli *cli, struct bench_opts *opts, int argc, char **argv);

/* ---- bench_keys.c ---- */

/* 0, or the exit status after the error was shown. */
int bench_keys_load(const struct cli *cli, const struct bench_opts *opts, struct bench_keys *keys);
void bench_keys_free(struct bench_keys *keys);
/* Open the file with liblmdb, for reading, beside anything else; returns an error of liblmdb's. */
int bench_lmdb_open(const struct bench_opts *opts, MDB_env **env);
int bench_lmdb_begin(MDB_env *env, const struct bench_opts *opts, MDB_txn **txn, MDB_dbi *dbi);

/* ---- bench_lane.c ---- */

/* Do the lookups of lane->phase. Those that fail or answer wrongly are counted. */
void bench_lane_run(struct bench_lane *l);
/* The lookup of that tag has ended. */
void bench_lane_answer(struct bench_lane *l, unsigned int tag, const struct bench_answer *a);

/* ---- bench_run.c ---- */

/* Fills run->reason, or run->totals and the times. -ENOMEM, or 0. */
int bench_run(struct bench_run *run);

/* ---- bench_progress.c ---- */

/* A line on standard error, if that is a terminal; over the last one. */
void bench_progress(const struct bench_run *run, const char *phase, double seconds,
		    uint64_t lookups);
void bench_progress_clear(void);

/* ---- bench_cold.c ---- */

int bench_cold_open(struct bench_run *run);
void bench_cold_close(struct bench_run *run);
/*
 * Have nothing of the file in the page cache, nor mapped at run->map, but what every lookup would
 * have read before it. 0 or a negative errno; -EBUSY: some of it stays.
 */
int bench_cold_drop(struct bench_run *run);
/* Do that, and see whether it has worked; if not, run->reason says so. */
int bench_cold_try(struct bench_run *run);

/* ---- bench_machine.c ---- */

/* What the figures depend on: machine, kernel, device, carom; added to @doc. */
void bench_machine_add(struct json_object *doc, const char *path);
/* Is CPU or device emulated, so that times mean nothing? */
bool bench_machine_emulated(const char *path);

/* ---- bench_report.c ---- */

void bench_report_head(const struct bench_opts *opts, const struct bench_keys *keys);
void bench_report_row(const struct bench_run *run);
void bench_report_end(const struct bench_opts *opts);
struct json_object *bench_report_options(const struct bench_opts *opts,
					 const struct bench_keys *keys);
struct json_object *bench_report_result(const struct bench_run *run);

#endif /* CAROM_BENCH_H */
