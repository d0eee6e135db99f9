// SPDX-License-Identifier: GPL-2.0
/* Processes that are killed wherever they happen to be, and modules that come and go. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storm.h"

#define OWN	VM_FILE("storm.own")
#define SHARED	VM_FILE("storm.shared")
#define THREADS	3

/* How far a child has come, in memory that outlives it. */
enum stage { FORKED, OPENED, LOOKING, STAGES };

struct child {
	enum stage stage;
	const struct engine *e;
	unsigned int slot;
};

static struct engine_walker chase;
static struct child *child;

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	storm_fill(OWN);
	storm_fill(SHARED);
	child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(child != MAP_FAILED);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&chase);
	unlink(OWN);
	unlink(SHARED);
	return 0;
}

static void reached(enum stage stage)
{
	__atomic_store_n(&child->stage, stage, __ATOMIC_RELEASE);
}

static enum stage stage_of(void)
{
	return __atomic_load_n(&child->stage, __ATOMIC_ACQUIRE);
}

/* Does not return unless something is wrong. */
static void *look(void *arg)
{
	const struct child *c = arg;
	struct chase_query *query = engine_scratch(c->e, c->slot);
	struct carom_lookup res;

	query->depth = ~0U;
	reached(LOOKING);
	while (!engine_lookup(c->e, c->slot, 0, &res) &&
	       (res.end == CAROM_END_HOPS || res.end == CAROM_END_DEADLINE))
		;
	_exit(3);
}

/* In a child nothing may be asserted either. */
static void look_alone(unsigned int threads)
{
	const struct carom_open arg = {
		.nr_slots = THREADS, .max_hops = CAROM_MAX_HOPS, .deadline_ms = 10000,
	};
	struct child c[THREADS];
	pthread_t thread;
	struct engine e;
	unsigned int i;

	if (engine_open(&e, OWN, "chase", &arg))
		_exit(2);
	reached(OPENED);
	for (i = threads; i--;) {
		c[i] = (struct child) { .e = &e, .slot = i };
		if (i && pthread_create(&thread, NULL, look, &c[i]))
			_exit(2);
	}
	look(&c[0]);
}

static pid_t start(const struct engine *shared, unsigned int round)
{
	/* The storm has the first slots. */
	struct child c = { .e = shared, .slot = STORM_SLOTS + round % STORM_SLOTS };
	pid_t pid;

	child->stage = FORKED;
	fflush(NULL);
	pid = fork();
	if (pid) {
		assert_int_not_equal(pid, -1);
		return pid;
	}
	if (shared)
		look(&c);
	look_alone(1 + round % THREADS);
	_exit(3);
}

static enum stage kill_it(pid_t pid)
{
	int status;

	assert_sys(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("the child has ended by itself: status %#x", status);
	return stage_of();
}

static void wait_stage(enum stage stage)
{
	while (stage_of() < stage)
		storm_sleep_us(100);
}

/* Somewhere between fork and lookup, or some time into the lookups. */
static void wait_random(unsigned int round, unsigned int startup_us)
{
	if (round % 2) {
		storm_sleep_us(storm_random(0, startup_us));
		return;
	}
	wait_stage(LOOKING);
	storm_sleep_us(storm_random(0, 4000));
}

/* Of which nothing may be left: session, seal, mapping. */
static void killed_alone(void **state)
{
	unsigned int round, rounds = storm_times(600), died[STAGES] = { }, startup_us;
	long began = vm_now_ms();
	pid_t pid;

	(void)state;
	pid = start(NULL, 0);
	wait_stage(LOOKING);
	startup_us = (unsigned int)(vm_now_ms() - began + 1) * 1000;
	kill_it(pid);
	for (round = 0; round < rounds; round++) {
		pid = start(NULL, round);
		wait_random(round, startup_us);
		died[kill_it(pid)]++;
		assert_int_equal(vm_info().nr_sessions, 0);
		close(vm_open(OWN, O_RDWR));
	}
	printf("# killed after fork %u, open %u, in lookups %u\n", died[FORKED], died[OPENED],
	       died[LOOKING]);
	if (died[LOOKING] < rounds / 2 || (rounds > 100 && !died[FORKED]))
		fail_msg("that was not at random moments");
}

/* Of which only the chain may end: session and slot are somebody else's, too. */
static void killed_sharing(void **state)
{
	struct storm s = { .depth = 20, .spare = STORM_SLOTS };
	unsigned int round, rounds = storm_times(400);
	struct carom_open arg = {
		.nr_slots = 2 * STORM_SLOTS, .max_hops = CAROM_MAX_HOPS, .deadline_ms = 10000,
	};
	struct carom_stats st;
	struct engine e;
	pid_t pid;

	(void)state;
	vm_session(&e, SHARED, "chase", CHASE_NODE_SIZE, &arg);
	s.e = &e;
	storm_begin(&s);
	for (round = 0; round < rounds; round++) {
		pid = start(&e, round);
		wait_stage(LOOKING);
		storm_sleep_us(storm_random(0, 4000));
		kill_it(pid);
	}
	storm_end(&s);
	st = vm_stats(&e);
	printf("# %llu canceled, %u lookups beside\n", st.ends[CAROM_END_CANCELED], s.lookups);
	if (st.ends[CAROM_END_CANCELED] < rounds / 2)
		fail_msg("only %llu of %u were met in a chain", st.ends[CAROM_END_CANCELED],
			 rounds);
	for (round = 0; round < arg.nr_slots; round++)
		storm_check(&e, round, round, 30);
	engine_close(&e);
	close(vm_open(SHARED, O_RDWR));
}

static void modules_in_use(void **state)
{
	struct storm s = { .depth = 40 };
	struct engine e;
	unsigned int i;

	(void)state;
	if (vm_built_in())
		skip_because("driver and engine are built in");
	storm_session(&e, OWN, "chase", 10000);
	s.e = &e;
	storm_begin(&s);
	for (i = 0; i < storm_times(100); i++) {
		assert_int_equal(storm_unload("carom"), -EWOULDBLOCK);
		assert_int_equal(storm_unload("nvme"), -EWOULDBLOCK);
	}
	storm_wait_answers(&s);
	storm_end(&s);
	engine_close(&e);
}

/* Opens sessions whenever there is something to open them with. */
static pid_t fork_opener(void)
{
	struct carom_open arg = { .flags = CAROM_OPEN_MAP_ONLY };
	pid_t pid;
	int file, fd;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	file = open(OWN, O_RDONLY | O_CLOEXEC);
	for (;;) {
		fd = engine_ioctl_open(file, &arg);
		if (fd >= 0)
			close(fd);
		else if (fd != -ENOENT && fd != -ENODEV && fd != -ENXIO)
			_exit(1);
		storm_sleep_us(1500);
	}
}

static void modules_come_and_go(void **state)
{
	unsigned int round, refused = 0;
	struct engine e;
	int status, err;
	pid_t pid;

	(void)state;
	if (vm_built_in())
		skip_because("driver and engine are built in");
	engine_unload(&chase);
	storm_unload_patiently("carom");
	pid = fork_opener();
	for (round = 0; round < storm_times(100); round++) {
		assert_ok(storm_load_module());
		while ((err = storm_unload("carom")) == -EWOULDBLOCK) {
			refused++;
			storm_sleep_us(storm_random(0, 1000));
		}
		assert_ok(err);
	}
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("# %u times a session was open\n", refused);

	for (round = 0; round < storm_times(10); round++) {
		assert_ok(storm_load_module());
		vm_load(&chase, "chase");
		storm_session(&e, OWN, "chase", 10000);
		storm_check(&e, 0, round, 20);
		engine_close(&e);
		engine_unload(&chase);
		storm_unload_patiently("carom");
		close(vm_open(OWN, O_RDWR));
	}
	assert_ok(storm_load_module());
	vm_load(&chase, "chase");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		storm_test(killed_alone),
		storm_test(killed_sharing),
		storm_test(modules_in_use),
		storm_test(modules_come_and_go),
	};

	return cmocka_run_group_tests_name("storm_death", tests, setup, teardown);
}
