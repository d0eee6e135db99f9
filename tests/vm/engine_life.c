// SPDX-License-Identifier: GPL-2.0
/* Walkers that go, processes that die, descriptors that travel, a module that is wanted away. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define NODES	64
#define CHASE	VM_FILE("life.chase")
#define NOBODY	65534

static int setup(void **state)
{
	(void)state;
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(CHASE);
	return 0;
}

static void check_unloaded(const struct engine *e, __u64 offset)
{
	struct carom_lookup res = vm_lookup(e, 0, offset);

	assert_int_equal(res.end, CAROM_END_UNLOADED);
	assert_int_equal(res.hops, 0);
	assert_int_equal(res.at, offset);
}

static void unloaded_between(void **state)
{
	struct engine_walker chase;
	struct engine e, second;

	(void)state;
	vm_load(&chase, "chase");
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_walks(&e, CHASE, 1, 3, 1);
	engine_unload(&chase);
	assert_int_equal(vm_info().nr_walkers, 0);
	check_unloaded(&e, 8192);
	vm_refused(CHASE, ENOENT, CAROM_REFUSED_NO_WALKER, "chase");

	/* Another walker of that name is not the one that the session asked for. */
	vm_load(&chase, "chase");
	check_unloaded(&e, 4096);
	vm_session(&second, CHASE, "chase", 4096, NULL);
	vm_walks(&second, CHASE, 1, 3, 1);
	assert_int_equal(vm_stats(&e).ends[CAROM_END_UNLOADED], 2);
	engine_close(&second);
	engine_close(&e);
	engine_unload(&chase);
}

static struct carom_open endless(void)
{
	return (struct carom_open) {
		.max_hops = CAROM_MAX_HOPS, .deadline_ms = CAROM_MAX_DEADLINE_MS, .nr_slots = 4,
	};
}

struct looper {
	const struct engine *e;
	unsigned int slot;
	struct carom_lookup res;
	int err;
};

static void *loop(void *arg)
{
	struct looper *l = arg;

	((struct chase_query *)engine_scratch(l->e, l->slot))->depth = ~0U;
	do {
		l->err = engine_lookup(l->e, l->slot, 0, &l->res);
	} while (!l->err && l->res.end == CAROM_END_HOPS);
	return NULL;
}

/* Each time chains are somewhere in the middle when their walker goes. */
static void unloaded_during(void **state)
{
	struct carom_open arg = endless();
	struct looper loopers[4];
	pthread_t threads[4];
	struct engine_walker chase;
	unsigned int i, round;
	__u64 id, hops = 0;
	struct engine e;
	int fd = vm_open(CHASE, O_RDONLY);

	(void)state;
	for (round = 0; round < 5; round++) {
		vm_load(&chase, "chase");
		vm_session(&e, CHASE, "chase", 4096, &arg);
		for (i = 0; i < 4; i++) {
			loopers[i] = (struct looper) { .e = &e, .slot = i };
			assert_int_equal(pthread_create(&threads[i], NULL, loop, &loopers[i]), 0);
		}
		vm_sleep_ms(50 + 17 * round);
		engine_unload(&chase);
		for (i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(loopers[i].err, 0);
			assert_int_equal(loopers[i].res.end, CAROM_END_UNLOADED);
			assert_ok(chase_expect(fd, 0, loopers[i].res.hops + 1, &id));
			assert_int_equal(loopers[i].res.at, id * 4096);
			hops += loopers[i].res.hops;
		}
		engine_close(&e);
	}
	assert_true(hops > 0);
	close(fd);
}

/* One chain without end; the descriptor is the parent's too, which can count. */
static pid_t fork_looper(const struct engine *e)
{
	struct looper l = { .e = e };
	char go = 'x';
	int fds[2];
	pid_t pid;

	assert_sys(pipe(fds));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (write(fds[1], &go, 1) == 1)
			loop(&l);
		_exit(0);
	}
	assert_int_equal(read(fds[0], &go, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static long kill_and_wait(pid_t pid)
{
	long start = vm_now_ms();
	int status;

	assert_sys(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return vm_now_ms() - start;
}

static void killed(void **state)
{
	struct carom_open arg = endless();
	struct engine_walker chase;
	struct carom_stats st;
	unsigned int round;
	struct engine e;
	pid_t pid;
	long took;

	(void)state;
	vm_load(&chase, "chase");
	for (round = 0; round < 3; round++) {
		vm_session(&e, CHASE, "chase", 4096, &arg);
		pid = fork_looper(&e);
		vm_sleep_ms(100);
		took = kill_and_wait(pid);
		st = vm_stats(&e);
		if (st.ends[CAROM_END_CANCELED] != 1 || took > 2000)
			fail_msg("%llu canceled of %llu, after %ld ms",
				 st.ends[CAROM_END_CANCELED], st.lookups, took);
		assert_int_equal(st.lookups, st.ends[CAROM_END_HOPS] + 1);
		vm_walks(&e, CHASE, 3, 3, 1);
		engine_close(&e);
	}
	engine_unload(&chase);
}

/* In a child, where nothing can be asserted. Returns only if something fails. */
static void loop_with_all(int ready)
{
	struct carom_open arg = endless();
	struct engine_walker chase;
	struct engine e;
	struct looper l = { .e = &e };
	char go = 'x';

	if (vm_try_load(&chase, "chase") || engine_open(&e, CHASE, "chase", &arg))
		return;
	if (write(ready, &go, 1) == 1)
		loop(&l);
}

/* A process with all that it had: session, walker, mappings. Nobody else has it. */
static void killed_with_all(void **state)
{
	int status, fds[2];
	char go;
	pid_t pid;

	(void)state;
	assert_sys(pipe(fds));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		loop_with_all(fds[1]);
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &go, 1), 1);
	vm_sleep_ms(100);
	assert_int_equal(vm_info().nr_sessions, 1);
	assert_int_equal(vm_info().nr_walkers, 1);
	assert_sys(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(vm_info().nr_sessions, 0);
	/* The file can be written, and the walker's link went with its descriptor. */
	close(vm_open(CHASE, O_RDWR));
	for (status = 0; vm_info().nr_walkers && status < 50; status++)
		vm_sleep_ms(20);
	assert_int_equal(vm_info().nr_walkers, 0);
	close(fds[0]);
}

static void other_signals(void **state)
{
	struct carom_open arg = endless();
	struct engine_walker chase;
	struct engine e;
	pid_t pid;

	(void)state;
	vm_load(&chase, "chase");
	vm_session(&e, CHASE, "chase", 4096, &arg);
	pid = fork_looper(&e);
	vm_sleep_ms(30);
	/* A stop is not the end of a chain. */
	assert_sys(kill(pid, SIGSTOP));
	vm_sleep_ms(30);
	assert_sys(kill(pid, SIGCONT));
	assert_int_equal(vm_stats(&e).ends[CAROM_END_CANCELED], 0);
	kill_and_wait(pid);
	engine_close(&e);
	engine_unload(&chase);
}

/* Whoever holds the descriptor may look up, whoever he is. */
static void descriptor_travels(void **state)
{
	struct engine_walker chase;
	struct carom_lookup res;
	struct engine e;
	int status;
	pid_t pid;

	(void)state;
	assert_sys(chmod(CHASE, 0600));
	vm_load(&chase, "chase");
	vm_session(&e, CHASE, "chase", 4096, NULL);
	((struct chase_query *)engine_scratch(&e, 0))->depth = 7;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY) || open(CHASE, O_RDONLY) >= 0)
			_exit(1);
		_exit(engine_lookup(&e, 0, 0, &res) || res.end != CAROM_END_DONE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(vm_stats(&e).ends[CAROM_END_DONE], 1);
	engine_close(&e);
	engine_unload(&chase);
}

/* Sessions and walkers hold the module; without them it goes, and comes back. */
static void module_unload(void **state)
{
	struct engine_walker chase;
	struct engine e;

	(void)state;
	if (vm_built_in())
		skip_because("driver and engine are built in");
	vm_load(&chase, "chase");
	assert_int_not_equal(vm_try("rmmod carom 2>/dev/null"), 0);
	vm_session(&e, CHASE, "chase", 4096, NULL);
	engine_unload(&chase);
	assert_int_not_equal(vm_try("rmmod carom 2>/dev/null"), 0);
	assert_int_not_equal(vm_try("rmmod nvme 2>/dev/null"), 0);
	check_unloaded(&e, 0);
	engine_close(&e);
	/* A walker's memory is freed behind a grace period. */
	vm_sh("for i in 1 2 3 4 5 6 7 8 9; do rmmod carom 2>/dev/null && exit; sleep 0.2; done; "
	      "rmmod carom");
	assert_int_not_equal(access("/dev/carom", F_OK), 0);
	/* Where vmtest/run keeps the modules of this VM. */
	vm_sh("insmod $(findmnt -n -f -o TARGET -S carom.run)/carom.ko");
	vm_load(&chase, "chase");
	vm_session(&e, CHASE, "chase", 4096, NULL);
	vm_walks(&e, CHASE, 1, 5, 1);
	engine_close(&e);
	engine_unload(&chase);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unloaded_between),
		cmocka_unit_test(unloaded_during),
		cmocka_unit_test(killed),
		cmocka_unit_test(killed_with_all),
		cmocka_unit_test(other_signals),
		cmocka_unit_test(descriptor_travels),
		cmocka_unit_test(module_unload),
	};

	return cmocka_run_group_tests_name("life", tests, setup, teardown);
}
