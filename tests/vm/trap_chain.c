// SPDX-License-Identifier: GPL-2.0
/*
 * What goes wrong when a driver sends reads from its completion path without
 * care: locks, resets, stale completions, passes without end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "vm.h"

#define NODES	256
#define CHASE	VM_FILE("trap.chase")
#define BULK	VM_FILE("trap.bulk")
#define BULK_BYTES (2 << 20)
#define RESET	"/sys/class/nvme/nvme0/reset_controller"
#define TRACING	"/sys/kernel/tracing/"
#define BUDGET	"/sys/module/nvme/parameters/chain_budget"

static struct engine_walker chase;
static volatile bool stop;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	unlink(CHASE);
	unlink(BULK);
	return 0;
}

struct worker {
	pthread_t thread;
	const struct engine *e;
	unsigned int slot;
	volatile unsigned int rounds;
	unsigned int wrong;
	unsigned int ends[CAROM_END_NR];
};

/* In threads nothing may be asserted: cmocka can only leave the main one. */
static void run_worker(struct worker *w, void *(*run)(void *))
{
	assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
}

/* Large enough to be several requests, which the driver submits as a list. */
static void *ordinary_io(void *arg)
{
	struct worker *w = arg;
	unsigned char *out, *in;
	int fd = open(BULK, O_RDWR | O_DIRECT | O_CLOEXEC);
	off_t pos = (off_t)w->slot * BULK_BYTES;

	if (posix_memalign((void **)&out, 4096, BULK_BYTES) ||
	    posix_memalign((void **)&in, 4096, BULK_BYTES))
		return NULL;
	while (!stop) {
		memset(out, (int)w->rounds + 1, BULK_BYTES);
		if (pwrite(fd, out, BULK_BYTES, pos) != BULK_BYTES ||
		    pread(fd, in, BULK_BYTES, pos) != BULK_BYTES ||
		    memcmp(in, out, BULK_BYTES))
			w->wrong++;
		if (pread(fd, in, 4096, pos) != 4096 || memcmp(in, out, 4096))
			w->wrong++;
		w->rounds++;
	}
	close(fd);
	free(out);
	free(in);
	return NULL;
}

/* A few seconds, and more on a host that is slow. */
static bool keep_on(const struct worker *io, long ms)
{
	return ms < 3000 || (ms < 60000 && (io[0].rounds < 5 || io[1].rounds < 5));
}

/* All on one CPU, so that the queue's interrupt meets its submitters. */
static void submission_lock(void **state)
{
	struct worker io[2] = { };
	struct engine e;
	cpu_set_t one, all;
	unsigned int i;
	long start;

	(void)state;
	vm_sh("dd if=/dev/zero of=%s bs=1M count=4 conv=fsync status=none", BULK);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	assert_sys(sched_getaffinity(0, sizeof(all), &all));
	assert_sys(sched_setaffinity(0, sizeof(one), &one));
	stop = false;
	for (i = 0; i < ARRAY_SIZE(io); i++) {
		io[i].slot = i;
		run_worker(&io[i], ordinary_io);
	}
	start = vm_now_ms();
	do {
		vm_walks(&e, CHASE, 40, 41, 1);
	} while (keep_on(io, vm_now_ms() - start));
	stop = true;
	for (i = 0; i < ARRAY_SIZE(io); i++) {
		pthread_join(io[i].thread, NULL);
		assert_int_equal(io[i].wrong, 0);
		assert_true(io[i].rounds >= 5);
	}
	assert_sys(sched_setaffinity(0, sizeof(all), &all));
	assert_true(vm_stats(&e).lookups > 10);
	engine_close(&e);
}

static void *loop_chains(void *arg)
{
	struct worker *w = arg;
	struct chase_query *query = engine_scratch(w->e, w->slot);
	int fd = open(CHASE, O_RDONLY | O_CLOEXEC);
	__u32 depth = NODES - w->slot;
	struct carom_lookup res;
	__u64 want, at;

	while (!stop) {
		query->depth = depth;
		if (engine_lookup(w->e, w->slot, 0, &res) ||
		    chase_expect(fd, 0, depth, &want)) {
			w->wrong++;
			continue;
		}
		w->ends[res.end]++;
		if (res.end == CAROM_END_DONE) {
			w->wrong += query->id != want || res.hops != depth;
			continue;
		}
		/* The node to go on from is the one that has not been seen. */
		if (chase_expect(fd, 0, res.hops + 1, &at) || res.at != at * 4096)
			w->wrong++;
		if (res.end != CAROM_END_IO && res.end != CAROM_END_STOPPED)
			w->wrong++;
	}
	close(fd);
	return NULL;
}

static void resets(void **state)
{
	struct carom_open arg = { .nr_slots = 2, .max_hops = NODES, .deadline_ms = 10000 };
	unsigned int i, round, done = 0, stopped = 0, failed = 0;
	struct worker chains[2] = { };
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, &arg);
	stop = false;
	for (i = 0; i < ARRAY_SIZE(chains); i++) {
		chains[i].e = &e;
		chains[i].slot = i;
		run_worker(&chains[i], loop_chains);
	}
	for (round = 0; round < 8; round++) {
		vm_sleep_ms(150 + 20 * round);
		vm_sh("echo 1 >" RESET);
	}
	vm_sleep_ms(200);
	stop = true;
	for (i = 0; i < ARRAY_SIZE(chains); i++) {
		pthread_join(chains[i].thread, NULL);
		assert_int_equal(chains[i].wrong, 0);
		done += chains[i].ends[CAROM_END_DONE];
		stopped += chains[i].ends[CAROM_END_STOPPED];
		failed += chains[i].ends[CAROM_END_IO];
	}
	/* Most of the time a chain is on its way: resets have to meet one, and to stop it. */
	if (!done || stopped < 4 || failed > stopped)
		fail_msg("%u done, %u stopped, %u failed", done, stopped, failed);
	vm_walks(&e, CHASE, 1, 20, 1);
	engine_close(&e);
}

static void trace(const char *file, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = vm_open(path, value[0] ? O_WRONLY : O_WRONLY | O_TRUNC);
	if (value[0])
		assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* Command ids of the next I/O command in the trace, set up and completed. */
static bool next_pair(FILE *f, unsigned int *set_up, unsigned int *completed)
{
	bool seen = false;
	const char *id;
	char line[512];

	while (fgets(line, sizeof(line), f)) {
		id = strstr(line, "cmdid=");
		if (!id || strstr(line, "qid=0,"))
			continue;
		if (strstr(line, "nvme_setup_cmd:")) {
			*set_up = (unsigned int)strtoul(id + 6, NULL, 10);
			seen = true;
		} else if (seen && strstr(line, "nvme_complete_rq:")) {
			*completed = (unsigned int)strtoul(id + 6, NULL, 10);
			return true;
		}
	}
	return false;
}

/*
 * Each read of a chain has its own generation in the upper bits of the command
 * id, or a late completion of the one before would pass for its own.
 */
static void generations(void **state)
{
	static const unsigned int depths[] = { 1, 2, 3, 9, 16, 17, 18, 40 };
	unsigned int i, a, b;
	struct chase_query *query;
	struct engine e;
	FILE *f;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_sh("sync -f " VM_DIR);
	query = engine_scratch(&e, 0);
	for (i = 0; i < ARRAY_SIZE(depths); i++) {
		trace("trace", "");
		trace("events/nvme/nvme_setup_cmd/enable", "1");
		trace("events/nvme/nvme_complete_rq/enable", "1");
		query->depth = depths[i];
		assert_int_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DONE);
		trace("events/nvme/nvme_setup_cmd/enable", "0");
		trace("events/nvme/nvme_complete_rq/enable", "0");
		f = fopen(TRACING "trace", "r");
		assert_non_null(f);
		if (!next_pair(f, &a, &b))
			fail_msg("depth %u: no command in the trace", depths[i]);
		fclose(f);
		if ((a & 0xfff) != (b & 0xfff) || ((b >> 12) - (a >> 12) - (depths[i] - 1)) % 16)
			fail_msg("depth %u: command %#x, completed as %#x", depths[i], a, b);
	}
	engine_close(&e);
}

/* A chain that may not go on in the interrupt goes on from its caller. */
static void budget(void **state)
{
	struct carom_stats st;
	struct engine e;

	(void)state;
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_sh("cat " BUDGET " >/tmp/budget && echo 0 >" BUDGET);
	vm_walks(&e, CHASE, 20, 21, 1);
	st = vm_stats(&e);
	vm_sh("cat /tmp/budget >" BUDGET);
	assert_int_equal(st.hops, 41);
	assert_int_equal(st.yields, 39);
	assert_int_equal(st.resubmits, 0);
	vm_walks(&e, CHASE, 20, 20, 1);
	st = vm_stats(&e);
	assert_int_equal(st.yields, 39);
	assert_int_equal(st.resubmits, 19);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generations),
		cmocka_unit_test(budget),
		cmocka_unit_test(resets),
		cmocka_unit_test(submission_lock),
	};

	return cmocka_run_group_tests_name("trap_chain", tests, setup, teardown);
}
