/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom stat: what carom.ko has counted, and how it is shown.
 */
#ifndef CAROM_CLI_STAT_H
#define CAROM_CLI_STAT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <linux/carom.h>
#include "cli.h"

#define STAT_BUCKETS	64

/**
 * struct stat_counts - as doc/abi.md has them
 * @latency: bucket i: 2^i ns or more, and less than twice that; the last one all above
 * @nr_latency: buckets that the module has
 */
struct stat_counts {
	uint64_t lookups;
	uint64_t hops;
	uint64_t resubmits;
	uint64_t yields;
	uint64_t polls;
	uint64_t latency_ns;
	uint64_t ends[CAROM_END_NR];
	uint64_t latency[STAT_BUCKETS];
	unsigned int nr_latency;
};

/**
 * struct stat_session - one session that can be seen
 * @pid: a process that has it open, the first one found
 * @comm: of that process
 * @processes: how many have it open
 * @file: path, in the root directory of who asks
 * @dev: major:minor
 * @walker: empty if the session only maps
 */
struct stat_session {
	uint64_t id;
	pid_t pid;
	char comm[32];
	unsigned int processes;
	char *file;
	char dev[24];
	char walker[CAROM_WALKER_NAME_LEN];
	uint64_t node_size;
	uint64_t slots;
	uint64_t busy;
	uint64_t max_hops;
	uint64_t deadline_ms;
	struct stat_counts counts;
};

/**
 * struct stat_sample - all of it, at one time
 * @walkers: loaded
 * @open: sessions, those that cannot be seen, too
 * @opened: sessions, ever
 * @refused: sessions that were not made, by enum carom_refusal
 * @counts: of all sessions, closed ones, too
 * @timed: latencies are measured
 * @sessions: by number; those that can be seen
 * @seconds: when, on some clock
 */
struct stat_sample {
	uint64_t walkers;
	uint64_t open;
	uint64_t opened;
	uint64_t refused[CAROM_REFUSED_NR];
	struct stat_counts counts;
	bool timed;
	struct stat_session *sessions;
	size_t nr_sessions;
	double seconds;
};

/* ---- stat_read.c ---- */

/*
 * Take a sample of the system below @root ("" for this one). Return: CLI_OK, or an exit
 * status with @error filled.
 */
enum cli_exit stat_read(const char *root, struct stat_sample *s, char *error, size_t size);
void stat_free(struct stat_sample *s);

/* ---- stat_sum.c ---- */

/* "writer", "no-walker", ... */
const char *stat_refusal_name(unsigned int refusal);
/* Lookups that the kernel gave up, and those of them that libcarom carries on. */
uint64_t stat_aborts(const struct stat_counts *c);
uint64_t stat_fallbacks(const struct stat_counts *c);
uint64_t stat_refusals(const struct stat_sample *s);
/* Lookups that were timed. */
uint64_t stat_timed(const struct stat_counts *c);
/* End of the bucket that a share of @percent of them does not exceed, in ns; 0: none. */
uint64_t stat_percentile(const struct stat_counts *c, double percent);
/* What was counted from @old to @new. */
struct stat_counts stat_since(const struct stat_counts *new, const struct stat_counts *old);

/* ---- stat_show.c ---- */

struct json_object *stat_json(const struct cli *cli, const struct stat_sample *s);
/*
 * As text, for people: what was counted since @old, per second, or, if that is NULL, in
 * all. At most @rows lines.
 */
void stat_text(FILE *to, const struct stat_sample *s, const struct stat_sample *old,
	       unsigned int rows);

/* ---- stat_metrics.c ---- */

/* As OpenMetrics; @s is NULL if there is no module. */
void stat_metrics(FILE *to, const struct stat_sample *s);

/* ---- stat_watch.c ---- */

/**
 * struct stat_watch - how to look again and again
 * @root: see stat_read()
 * @interval: seconds
 * @count: how often, 0: until somebody ends it
 */
struct stat_watch {
	const char *root;
	double interval;
	unsigned int count;
};

int stat_watch(const struct cli *cli, const struct stat_watch *w);

#endif /* CAROM_CLI_STAT_H */
