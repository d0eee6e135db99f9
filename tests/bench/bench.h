/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside chase_bench: the ways of reading that it compares.
 *
 * Each is a struct backend, of which one is open at a time. A run of it is one lookup, or a batch
 * of them in flight at once. What it costs is counted from outside (chase_bench.c), what came of
 * it is printed in report.c.
 */
#ifndef CAROM_TESTS_BENCH_H
#define CAROM_TESTS_BENCH_H

#include <limits.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>

#include "../lib/chase.h"
#include "../lib/engine.h"

#define MAX_DEPTH	6
#define BATCH		32
#define MAX_BACKENDS	48

struct bench;

/**
 * struct job - what one run of a backend has to do
 * @starts: file offsets of the first nodes, as many as the backend's batch
 * @depth: nodes to visit from each
 * @ids: what the last ones call themselves
 */
struct job {
	const __u64 *starts;
	unsigned int depth;
	__u64 *ids;
};

/* How often the caller goes to sleep, if that is known. */
enum sleeps { UNKNOWN, ONCE, FOR_EACH_READ };

/**
 * struct backend - a way of reading
 * @name: as users know it
 * @batch: lookups in flight, and in a job: 1 to BATCH
 * @polled: on a queue without interrupts
 * @sleeps: in one run
 * @chosen_only: runs only if it was asked for
 * @open: called before anything else
 * @run: do all of a job
 * @expect: what the lookup that begins at @start must find, chase_expect() if NULL
 * @check: if not NULL, called at the end: was it what its name says?
 * @close: called if @open has not failed
 * @prepare: for bench_ring_walk() and loops: fill an SQE that reads @offset into the node @i
 * @arrived: likewise: result of a read that has succeeded
 * @in_vain: if not NULL, instructions of the last @run that were polling in vain, but counted
 *
 * Functions return 0 or a negative errno; @open may say in bench.why what is missing.
 */
struct backend {
	const char *name;
	unsigned int batch;
	bool polled;
	enum sleeps sleeps;
	bool chosen_only;
	int (*open)(struct bench *b);
	int (*run)(struct bench *b, const struct job *job);
	int (*expect)(struct bench *b, __u64 start, unsigned int depth, __u64 *id);
	int (*check)(struct bench *b);
	void (*close)(struct bench *b);
	void (*prepare)(struct bench *b, struct io_uring_sqe *sqe, unsigned int i, __u64 offset);
	int arrived;
	double (*in_vain)(struct bench *b);
};

/**
 * struct bench - one run of the program
 * @path: the file
 * @walker: object file of the trivial walker
 * @loop: object file of the same in io_uring's loop
 * @direct: the file, O_DIRECT
 * @buffered: the file again, for the oracle
 * @nodes: BATCH of them, to read into; what is behind them is the loop's
 * @be: the backend that is open
 * @why: what it lacks
 * @loaded: the walker, once a backend has needed it
 * @ring: of @be, if it has one; likewise the rest
 */
struct bench {
	const char *path;
	const char *walker;
	const char *loop;
	int direct;
	int buffered;
	unsigned char *nodes;

	const struct backend *be;
	char why[128];
	struct engine_walker loaded;
	struct io_uring ring;
	struct engine engine;
	const struct carom_result *results;
};

static inline struct chase_node *bench_node(const struct bench *b, unsigned int i)
{
	return (struct chase_node *)(b->nodes + i * CHASE_NODE_SIZE);
}

/* Note what is missing, and return @err. */
int bench_lacks(struct bench *b, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* NULL if there is none of that name. */
const struct backend *bench_find(const char *name);

extern const struct backend bench_pread, bench_uring, bench_uring_polled, bench_uring_8,
	bench_uring_8_polled, bench_uring_32, bench_uring_32_polled, bench_passthru_irq,
	bench_passthru_8_irq, bench_passthru_32_irq, bench_passthru_1, bench_passthru_8,
	bench_passthru_32, bench_loop, bench_loop_8, bench_loop_32, bench_loop_spin,
	bench_loop_8_spin, bench_loop_32_spin, bench_loop_plain, bench_loop_polled,
	bench_loop_32_all, bench_loop_passthru, bench_loop_8_passthru, bench_loop_32_passthru,
	bench_chain, bench_chain_polled, bench_chain_async, bench_chain_async_polled, bench_chain_8,
	bench_chain_8_polled, bench_chain_32, bench_chain_32_polled, bench_lmdb, bench_lmdb_late;

/* --- bench_disk.c --- */

/**
 * struct disk - what a file is on
 * @dir: sysfs directory of the disk; its last part is the disk's name
 * @start: of the partition that the file is on, in bytes
 */
struct disk {
	char dir[PATH_MAX];
	__u64 start;
};

int disk_find(struct disk *disk, int fd);
const char *disk_name(const struct disk *disk);
/* What a file of its directory says. */
int disk_number(const struct disk *disk, const char *file, __u64 *n);
/* The I/O scheduler in use. */
int disk_scheduler(const struct disk *disk, char *name, size_t size);

/* --- bench_ring.c --- */

/* A ring as the backend wants it, with @fd as file 0. @setup: IORING_SETUP_*, over and above. */
int bench_ring_open(struct bench *b, int fd, unsigned int setup);
int bench_ring_register_nodes(struct bench *b);
void bench_ring_close(struct bench *b);

/*
 * Submit what is prepared, and wait for @nr completions of @in_flight. A ring that polls stays in
 * the kernel until all are there, as libcarom's does; if some are enough it looks once, when
 * whatever is on its way has come.
 */
int bench_ring_wait(struct bench *b, unsigned int nr, unsigned int in_flight);

/* A job in user space: each lookup goes to its next node as soon as its read has completed. */
int bench_ring_walk(struct bench *b, const struct job *job);

/* How the reads of uring* are sent, and those of passthru*. */
void bench_uring_prepare(struct bench *b, struct io_uring_sqe *sqe, unsigned int i, __u64 offset);
void bench_passthru_prepare(struct bench *b, struct io_uring_sqe *sqe, unsigned int i,
			    __u64 offset);

/* --- bench_passthru.c --- */

struct loop_setup;

/* The device below the file, for commands, and in @setup where it has the file. Returns its fd. */
int bench_device_open(struct bench *b, struct loop_setup *setup);
void bench_device_close(void);

/* --- report.c --- */

/* What cannot run here is skipped, what goes wrong has failed. */
enum outcome { RAN, SKIPPED, FAILED };

/**
 * struct row - what came of a backend
 * @be: the backend
 * @outcome: whether there are figures
 * @insns: per lookup, by depth; 0: not measured
 * @measurements: for each depth
 * @why: if there are none
 */
struct row {
	const struct backend *be;
	enum outcome outcome;
	double insns[MAX_DEPTH + 1];
	unsigned int measurements;
	char why[128];
};

/**
 * struct report - all rows
 * @depths: bit for each that is measured
 * @scheduler: of I/O
 * @rows: in the order in which they ran
 */
struct report {
	unsigned int depths;
	char scheduler[32];
	struct row rows[MAX_BACKENDS];
	unsigned int nr;
};

void report_head(const struct report *r);
void report_row(const struct report *r, const struct row *row);
int report_json(const struct report *r, const char *path);

/**
 * struct limit_term - NUMBER, or BACKEND.WHAT*NUMBER
 * @be: NULL for just a number
 * @depth: 1 to MAX_DEPTH, or LIMIT_FIXED or LIMIT_HOP
 * @factor: the number
 */
struct limit_term {
	const struct backend *be;
	unsigned int depth;
	double factor;
};

#define LIMIT_FIXED	(MAX_DEPTH + 1)
#define LIMIT_HOP	(MAX_DEPTH + 2)

/* One term must not be more than another. */
struct limit {
	const char *text;
	struct limit_term what, most;
};

/* Return: 0, or -EINVAL if @text is no limit. */
int limit_parse(struct limit *limit, const char *text);

/* Says on stderr if not. */
bool limit_holds(const struct limit *limit, const struct report *r);

#endif /* CAROM_TESTS_BENCH_H */
