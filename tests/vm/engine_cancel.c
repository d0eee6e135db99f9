// SPDX-License-Identifier: GPL-2.0
/* Lookups through an io_uring that do not come to their own end, and what outlives what. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define NODES	64
#define CHASE	VM_FILE("cancel.chase")
#define SLOTS	24
/* What is canceled has at most one read left; the rest is for a slow machine. */
#define SOON_MS	4000

static struct engine_walker chase;

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
	ring_set_budget(0);
	ring_set_requests(0);
	engine_unload(&chase);
	unlink(CHASE);
	return 0;
}

/* Chains that go on for ten seconds if nobody minds. */
static void open_endless(struct engine *e)
{
	struct carom_open arg = {
		.nr_slots = SLOTS, .max_hops = CAROM_MAX_HOPS, .deadline_ms = CAROM_MAX_DEADLINE_MS,
	};
	unsigned int i;

	vm_session(e, CHASE, "chase", 4096, &arg);
	for (i = 0; i < SLOTS; i++)
		((struct chase_query *)engine_scratch(e, i))->depth = ~0U;
}

static void send_all(struct ring *r)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		ring_lookup(r, i, 0, (i % NODES) * 4096ULL);
	ring_submit(r);
}

/* Every lookup has ended and been counted, soon, and every slot can be used again. */
static void check_all_ended(const struct engine *e, const char *what)
{
	long until = vm_now_ms() + SOON_MS;
	struct carom_stats st;
	unsigned int i;
	int fd;

	do {
		vm_sleep_ms(5);
		st = vm_stats(e);
	} while (st.lookups < SLOTS && vm_now_ms() < until);
	if (st.lookups != SLOTS || !st.ends[CAROM_END_CANCELED] ||
	    st.ends[CAROM_END_CANCELED] + st.ends[CAROM_END_HOPS] != SLOTS)
		fail_msg("%s: %llu of %u lookups ended, %llu of them canceled", what, st.lookups,
			 SLOTS, st.ends[CAROM_END_CANCELED]);
	fd = vm_open(CHASE, O_RDONLY);
	for (i = 0; i < SLOTS; i++)
		vm_walk(e, i, fd, i * 4096, 3);
	close(fd);
}

/* ---- by command ---- */

static void command(void **state)
{
	const struct carom_result *results;
	unsigned int i, k;
	struct engine e;
	struct ring r;
	__u64 slot;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		results = ring_map_results(&e);
		ring_open(&r, &e, &ring_flavours[k], 2 * SLOTS);
		assert_int_equal(ring_cancel(&r, 3), -ENOENT);
		for (i = 0; i < 3; i++) {
			ring_lookup(&r, i, 0, i * 4096ULL);
			ring_submit(&r);
			vm_sleep_ms(10);
			assert_int_equal(ring_cancel(&r, i), 0);
			assert_int_equal(ring_wait(&r, &slot), CAROM_END_CANCELED);
			assert_int_equal(slot, i);
			assert_int_equal(results[i].end, CAROM_END_CANCELED);
			assert_int_equal(results[i].sequence, 1);
			/* A polling ring's chain may have been canceled before its first hop. */
			assert_int_equal(results[i].code, 0);
			assert_int_equal(ring_cancel(&r, i), -ENOENT);
		}
		ring_close(&r);
		ring_unmap_results(&e, results);
		engine_close(&e);
	}
}

/* The next lookup is not canceled with the last, however close they are. */
static void late_command(void **state)
{
	unsigned int i, canceled = 0;
	struct chase_query *query;
	struct engine e;
	struct ring r;
	__u64 data;
	int res;

	(void)state;
	open_endless(&e);
	query = engine_scratch(&e, 0);
	ring_open(&r, &e, &ring_flavours[0], 8);
	for (i = 0; i < 200; i++) {
		query->depth = 1 + i % 3;
		ring_lookup(&r, 0, 0, 0);
		if (i % 4 == 3)
			ring_submit(&r);
		ring_command(&r, CAROM_URING_CANCEL, 0, 0, 0, 99);
		ring_submit(&r);
		while (res = ring_wait(&r, &data), data == 99)
			assert_true(res == 0 || res == -ENOENT);
		assert_true(res == CAROM_END_DONE || res == CAROM_END_CANCELED);
		canceled += res == CAROM_END_CANCELED;
		ring_lookup(&r, 1, 0, 0);
		((struct chase_query *)engine_scratch(&e, 1))->depth = 2;
		ring_submit(&r);
		do {
			res = ring_wait(&r, &data);
		} while (data == 99);
		assert_int_equal(res, CAROM_END_DONE);
	}
	assert_true(canceled > 0);
	ring_close(&r);
	engine_close(&e);
}

struct waiter {
	const struct engine *e;
	struct carom_lookup look;
	int err;
};

static void *wait_for_lookup(void *arg)
{
	struct waiter *w = arg;

	w->err = ioctl(w->e->fd, CAROM_IOC_LOOKUP, &w->look) ? -errno : 0;
	return NULL;
}

/* A lookup that somebody waits for is a lookup like any other. */
static void command_for_a_waiter(void **state)
{
	static const __u32 flags[] = {
		0, CAROM_LOOKUP_POLL, CAROM_LOOKUP_POLL | CAROM_LOOKUP_HYBRID,
	};
	struct waiter w;
	pthread_t thread;
	struct engine e;
	struct ring r;
	unsigned int i;

	(void)state;
	open_endless(&e);
	ring_open(&r, &e, &ring_flavours[0], 8);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		w = (struct waiter) { .e = &e, .look = { .slot = 5, .flags = flags[i] } };
		assert_int_equal(pthread_create(&thread, NULL, wait_for_lookup, &w), 0);
		vm_sleep_ms(60);
		assert_int_equal(ring_cancel(&r, 5), 0);
		pthread_join(thread, NULL);
		assert_int_equal(w.err, 0);
		assert_int_equal(w.look.end, CAROM_END_CANCELED);
	}
	ring_close(&r);
	engine_close(&e);
}

/*
 * io_uring can take back what still waits in its workers. What is with the
 * device it leaves alone.
 */
static void async_cancel(void **state)
{
	const struct carom_result *results;
	unsigned int i, left, taken_back = 0;
	struct io_uring_sqe *sqe;
	struct engine e;
	struct ring r;
	__u64 data;
	int res;

	(void)state;
	ring_set_requests(4);
	open_endless(&e);
	results = ring_map_results(&e);
	ring_open(&r, &e, &ring_flavours[0], 4 * SLOTS);
	send_all(&r);
	for (i = 0; i < SLOTS; i++) {
		sqe = io_uring_get_sqe(&r.uring);
		io_uring_prep_cancel64(sqe, i, 0);
		sqe->user_data = 1000;
	}
	for (i = 0; i < SLOTS; i++)
		ring_command(&r, CAROM_URING_CANCEL, i, 0, 0, 2000);
	ring_submit(&r);
	for (left = 3 * SLOTS; left; left--) {
		res = ring_wait(&r, &data);
		if (data == 1000) {
			assert_true(res == 0 || res == -EALREADY || res == -ENOENT);
		} else if (data == 2000) {
			/* Who waits in a worker may come to the device after this. */
			assert_true(res == 0 || res == -ENOENT);
		} else if (res == -ECANCELED) {
			assert_int_equal(results[data].sequence, 0);
			taken_back++;
		} else {
			assert_true(res == CAROM_END_CANCELED || res == CAROM_END_HOPS);
			assert_int_equal(results[data].sequence, 1);
		}
	}
	assert_true(taken_back > 0);
	assert_int_equal(vm_stats(&e).lookups, SLOTS - taken_back);
	ring_close(&r);
	ring_unmap_results(&e, results);
	engine_close(&e);
	ring_set_requests(0);
}

/* ---- by going away ---- */

/* With all that was in flight through it. */
static void check_session_gone(const char *what)
{
	unsigned int i;

	for (i = 0; vm_info().nr_sessions && i < SOON_MS / 20; i++)
		vm_sleep_ms(20);
	if (vm_info().nr_sessions)
		fail_msg("%s: the session is still there", what);
	close(vm_open(CHASE, O_RDWR));
}

/* Closed with everything in flight: on the device, waiting for it, having yielded. */
static void ring_closed(void **state)
{
	static const unsigned int requests[] = { 0, 4 }, budgets[] = { 0, 1 };
	struct engine e;
	struct ring r;
	unsigned int k;

	(void)state;
	for (k = 0; k < 4 * RING_FLAVOURS; k++) {
		ring_set_requests(requests[k & 1]);
		ring_set_budget(budgets[k >> 1 & 1]);
		open_endless(&e);
		ring_open(&r, &e, &ring_flavours[k / 4], 2 * SLOTS);
		send_all(&r);
		vm_sleep_ms(k % 7);
		ring_close(&r);
		/* Those that had not been sent may never be. */
		if (!requests[k & 1] && !(r.flavour->setup & IORING_SETUP_SQPOLL))
			check_all_ended(&e, r.flavour->name);
		engine_close(&e);
		check_session_gone(r.flavour->name);
	}
	ring_set_requests(0);
	ring_set_budget(0);
}

static pid_t fork_ring(const struct engine *e, const struct flavour *f)
{
	int fds[2];
	struct ring r;
	char go = 'x';
	pid_t pid;

	assert_sys(pipe(fds));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		ring_open(&r, e, f, SLOTS);
		send_all(&r);
		vm_sleep_ms(20);
		/* A polling ring's chains go on while somebody looks. */
		if (write(fds[1], &go, 1) == 1)
			ring_wait(&r, NULL);
		pause();
		_exit(0);
	}
	assert_int_equal(read(fds[0], &go, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void kill_soon(pid_t pid, const char *what)
{
	long took = vm_now_ms();
	int status;

	assert_sys(kill(pid, SIGKILL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	took = vm_now_ms() - took;
	if (took > SOON_MS)
		fail_msg("%s: it took %ld ms to kill", what, took);
}

static void killed(void **state)
{
	struct engine e;
	unsigned int k;
	pid_t pid;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		pid = fork_ring(&e, &ring_flavours[k]);
		kill_soon(pid, ring_flavours[k].name);
		check_all_ended(&e, ring_flavours[k].name);
		engine_close(&e);
	}
}

/* Nobody else has the session: it goes with the last of its chains. */
static void killed_with_all(void **state)
{
	struct engine e;
	unsigned int k;
	pid_t pid;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		pid = fork_ring(&e, &ring_flavours[k]);
		engine_close(&e);
		assert_int_equal(vm_info().nr_sessions, 1);
		kill_soon(pid, ring_flavours[k].name);
		check_session_gone(ring_flavours[k].name);
	}
}

/* The requests hold it, and a registered file does. */
static void session_closed(void **state)
{
	unsigned int i, k, ended;
	struct engine e;
	struct ring r;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		for (i = 0; i < SLOTS; i++)
			((struct chase_query *)engine_scratch(&e, i))->depth = 20;
		ring_open(&r, &e, &ring_flavours[k], SLOTS);
		send_all(&r);
		if (r.flavour->setup & IORING_SETUP_SQPOLL)
			io_uring_sqring_wait(&r.uring);
		while (r.flavour->setup & IORING_SETUP_SQPOLL && io_uring_sq_ready(&r.uring))
			vm_sleep_ms(1);
		engine_close(&e);
		for (i = 0, ended = 0; i < SLOTS; i++)
			ended += ring_wait(&r, NULL) == CAROM_END_DONE;
		assert_int_equal(ended, SLOTS);
		ring_close(&r);
		check_session_gone(r.flavour->name);
	}
}

static void walker_unloaded(void **state)
{
	struct engine e;
	struct ring r;
	unsigned int i, k, unloaded = 0;
	int res;

	(void)state;
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		ring_open(&r, &e, &ring_flavours[k], SLOTS);
		send_all(&r);
		vm_sleep_ms(20);
		engine_unload(&chase);
		/* Unloading may wait for longer than as many hops take as there can be. */
		for (i = 0; i < SLOTS; i++) {
			res = ring_wait(&r, NULL);
			assert_true(res == CAROM_END_UNLOADED || res == CAROM_END_HOPS);
			unloaded += res == CAROM_END_UNLOADED;
		}
		ring_close(&r);
		engine_close(&e);
		vm_load(&chase, "chase");
	}
	assert_true(unloaded > 0);
}

static void controller_of_device(char *name, size_t size)
{
	char path[128], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/block/%s/device",
		 strrchr(getenv("CAROM_VM_DEVICE"), '/') + 1);
	n = readlink(path, target, sizeof(target) - 1);
	assert_true(n > 0);
	target[n] = '\0';
	snprintf(name, size, "%s", strrchr(target, '/') + 1);
}

/* Poll queues are made anew by a reset; whatever happens, every lookup gets its answer. */
static void controller_reset(void **state)
{
	unsigned int i, k, stopped = 0;
	struct waiter w;
	pthread_t thread;
	struct engine e;
	struct ring r;
	char nvme[64];
	int res;

	(void)state;
	controller_of_device(nvme, sizeof(nvme));
	for (k = 0; k < RING_FLAVOURS; k++) {
		open_endless(&e);
		ring_open(&r, &e, &ring_flavours[k], SLOTS);
		for (i = 1; i < SLOTS; i++)
			ring_lookup(&r, i, 0, 0);
		ring_submit(&r);
		w = (struct waiter) { .e = &e, .look = { .flags = CAROM_LOOKUP_POLL } };
		assert_int_equal(pthread_create(&thread, NULL, wait_for_lookup, &w), 0);
		vm_sleep_ms(10);
		vm_sh("echo 1 >/sys/class/nvme/%s/reset_controller", nvme);
		pthread_join(thread, NULL);
		assert_int_equal(w.err, 0);
		for (i = 1; i < SLOTS; i++) {
			res = ring_wait(&r, NULL);
			assert_in_range(res, CAROM_END_HOPS, CAROM_END_STOPPED);
			stopped += res == CAROM_END_STOPPED;
		}
		ring_close(&r);
		/* Looking for namespaces, it freezes the queue once more. */
		((struct chase_query *)engine_scratch(&e, 0))->depth = 5;
		for (i = 0; i < 100; i++) {
			res = (int)vm_lookup(&e, 0, 0).end;
			if (res != CAROM_END_STOPPED)
				break;
			vm_sleep_ms(20);
		}
		assert_int_equal(res, CAROM_END_DONE);
		engine_close(&e);
	}
	print_message("# %u of %u chains were stopped by the resets\n", stopped,
		      RING_FLAVOURS * (SLOTS - 1));
	assert_true(stopped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command),
		cmocka_unit_test(late_command),
		cmocka_unit_test(command_for_a_waiter),
		cmocka_unit_test(async_cancel),
		cmocka_unit_test(ring_closed),
		cmocka_unit_test(killed),
		cmocka_unit_test(killed_with_all),
		cmocka_unit_test(session_closed),
		cmocka_unit_test(walker_unloaded),
		cmocka_unit_test(controller_reset),
	};

	return cmocka_run_group_tests_name("cancel", tests, setup, teardown);
}
