// SPDX-License-Identifier: GPL-2.0
/*
 * Processes of several threads call carom.ko in every way that they can think
 * of, until they are killed and others take their place; walkers come and go;
 * and a bystander, whose file and walker nobody touches, gets the right answer
 * every time. CAROM_FUZZ_SECONDS says for how long, CAROM_FUZZ_SEED from where.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "surface.h"

#define WORKERS		3
#define THREADS		3
#define NOBODY		65534
#define PATIENCE_MS	60000

struct surface_counts *counts;
static __u64 seed;

static const char *const fickle[] = { "chase", "chase512", "chase65536", "fate", "lmdb" };

/* ---- those who fuzz ---- */

static void *thread(void *arg)
{
	for (;;)
		surface_step(arg);
	return NULL;
}

static void worker(__u64 rnd, bool unprivileged)
{
	struct actor actors[THREADS];
	struct world *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t id;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	if (w == MAP_FAILED || (unprivileged && (setgid(NOBODY) || setuid(NOBODY))))
		_exit(97);
	surface_init(w);
	for (i = 0; i < THREADS; i++) {
		actors[i] = (struct actor) { .w = w, .rnd = rnd + (__u64)i * 0x1234567 };
		if (i && pthread_create(&id, NULL, thread, &actors[i]))
			_exit(96);
	}
	thread(&actors[0]);
}

static int load(struct engine_walker *w, const char *name)
{
	char path[256];
	const char *dir = "tests/vm/walkers";

	if (!strcmp(name, "chase"))
		dir = "tests/lib";
	else if (!strcmp(name, "lmdb"))
		dir = "bpf";
	snprintf(path, sizeof(path), "%s/%s/%s.bpf.o", getenv("CAROM_BUILD"), dir, name);
	return engine_load(w, path, NULL, 0);
}

/* Mostly they are there, or nobody would get anywhere. */
static void loader(__u64 rnd)
{
	struct engine_walker walkers[ARRAY_SIZE(fickle)] = { };
	struct actor a = { .rnd = rnd };
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < ARRAY_SIZE(fickle); i++)
		load(&walkers[i], fickle[i]);
	for (;;) {
		vm_sleep_ms(below(&a, 1500));
		i = below(&a, ARRAY_SIZE(fickle));
		engine_unload(&walkers[i]);
		vm_sleep_ms(below(&a, 40));
		load(&walkers[i], fickle[i]);
	}
}

/* ---- the bystander ---- */

static bool answer(const struct engine *e, int fd, __u64 start, unsigned int depth)
{
	struct chase_query *query = engine_scratch(e, 0);
	struct carom_lookup res;
	__u64 want = 0;
	int err;

	if (chase_expect(fd, start, depth, &want))
		return false;
	query->depth = depth;
	err = engine_lookup(e, 0, start, &res);
	if (!err && res.end == CAROM_END_DONE && query->id == want && res.hops == depth)
		return true;
	snprintf(counts->wrong, sizeof(counts->wrong),
		 "bystander: error %d, end %u, hops %u of %u, number %llu for %llu", err, res.end,
		 res.hops, depth, query->id, want);
	return false;
}

static void bystander(__u64 rnd)
{
	struct carom_open arg = {
		.node_size = 4096, .scratch_size = 4096, .nr_slots = 1,
		.deadline_ms = CAROM_MAX_DEADLINE_MS,
	};
	struct actor a = { .rnd = rnd };
	struct engine e;
	int fd, err, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(SURFACE_DIR "/bystander", O_RDONLY);
	for (;;) {
		err = engine_open(&e, SURFACE_DIR "/bystander", "chase4096", &arg);
		if (err) {
			snprintf(counts->wrong, sizeof(counts->wrong), "bystander: open: %s",
				 strerror(-err));
			_exit(1);
		}
		for (i = 0; i < 200; i++) {
			if (!answer(&e, fd, below(&a, SURFACE_NODES) * 4096ULL, 1 + below(&a, 8)))
				_exit(1);
			atomic_fetch_add(&counts->answers, 1);
			vm_sleep_ms(1);
		}
		engine_close(&e);
	}
}

/* ---- who looks after them ---- */

struct child {
	pid_t pid;
	long until;
};

static pid_t start(void (*fn)(__u64), __u64 rnd)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_sys(pid);
	if (!pid)
		fn(rnd);
	return pid;
}

static void worker_as_root(__u64 rnd)
{
	worker(rnd, false);
}

static void worker_as_nobody(__u64 rnd)
{
	worker(rnd, true);
}

/* What the kernel is doing instead, for whoever has to find out. */
static void tell_why(pid_t pid)
{
	vm_sh("for t in /proc/%d/task/*; do echo \"# $t\"; grep -h State $t/status; cat $t/stack; "
	      "done 2>&1 | sed 's/^/# /'; echo l >/proc/sysrq-trigger; "
	      "echo t >/proc/sysrq-trigger; sleep 20", pid);
}

/* Killed, it must go, whatever it is in the middle of. */
static void finish(pid_t pid)
{
	long until = vm_now_ms() + PATIENCE_MS;
	int status;

	kill(pid, SIGKILL);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (vm_now_ms() > until) {
			tell_why(pid);
			fail_msg("process %d does not die", pid);
		}
		vm_sleep_ms(5);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) > 90 && WEXITSTATUS(status) < 99)
		fail_msg("a worker could not begin: %d", WEXITSTATUS(status));
}

static void make_file(unsigned int i)
{
	const char *fresh = SURFACE_DIR "/fresh";
	char path[64];

	if (i == 1)
		vm_fragmented_file(fresh, 4096, SURFACE_NODES);
	else
		vm_chase_file(fresh, i == 2 ? 512 : i == 3 ? 65536 : 4096,
			      i == 3 ? SURFACE_NODES / 16 : SURFACE_NODES);
	/* Some are his who has no privileges. */
	if (i % 2)
		assert_sys(chown(fresh, NOBODY, NOBODY));
	snprintf(path, sizeof(path), SURFACE_DIR "/%u", i);
	/* If somebody was quicker, so be it. */
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE))
		assert_sys(unlink(fresh));
}

static void make_files(void)
{
	unsigned int i;

	vm_sh("rm -rf " SURFACE_DIR " && mkdir -m 777 " SURFACE_DIR);
	for (i = 0; i < SURFACE_FILES; i++)
		make_file(i);
	vm_chase_file(SURFACE_DIR "/bystander", 4096, SURFACE_NODES);
}

/* Who is killed between two names leaves none. */
static void make_file_anew(unsigned int i)
{
	char path[64];

	snprintf(path, sizeof(path), SURFACE_DIR "/%u", i);
	if (access(path, F_OK))
		make_file(i);
}

static long seconds(void)
{
	const char *text = getenv("CAROM_FUZZ_SECONDS");

	return text ? atol(text) : 60;
}

static void print_counts(void)
{
	unsigned int i;

	for (i = 0; i < NR_OPS; i++)
		print_message("# %-14s %8lu worked %8lu refused\n", op_names[i], counts->ok[i],
			      counts->failed[i]);
	for (i = 0; i < CAROM_END_NR; i++) {
		if (counts->ends[i])
			print_message("# end %2u %8lu lookups\n", i, counts->ends[i]);
	}
	for (i = 0; i < CAROM_REFUSED_NR; i++) {
		if (counts->refusals[i])
			print_message("# refusal %2u %8lu sessions\n", i, counts->refusals[i]);
	}
	print_message("# bystander: %lu right answers\n", counts->answers);
}

/* It must have got somewhere, and not only there: NULL, or what has not been seen. */
static const char *not_seen(void)
{
	static char text[128];
	unsigned int i;

	for (i = 0; i < NR_OPS; i++) {
		if (i == OP_any_ioctl || (counts->ok[i] && counts->failed[i]))
			continue;
		snprintf(text, sizeof(text), "%s: %lu worked, %lu refused", op_names[i],
			 counts->ok[i], counts->failed[i]);
		return text;
	}
	if (!counts->ends[CAROM_END_DONE] || !counts->ends[CAROM_END_RANGE] ||
	    !counts->ends[CAROM_END_UNALIGNED] || !counts->ends[CAROM_END_HOPS])
		return "an end of lookups";
	if (!counts->refusals[CAROM_REFUSED_WRITER] || !counts->refusals[CAROM_REFUSED_NOT_OWNER] ||
	    !counts->refusals[CAROM_REFUSED_NO_WALKER])
		return "a refusal";
	return counts->answers > 100 ? NULL : "enough answers for the bystander";
}

static void check_counts(void)
{
	if (counts->wrong[0])
		fail_msg("%s", counts->wrong);
	if (not_seen())
		fail_msg("not seen: %s", not_seen());
}

/* Slow machines get up to three times as long, until everything has been seen. */
static bool go_on(long now, long begin)
{
	long ms = now - begin;

	if (counts->wrong[0])
		return false;
	return ms < seconds() * 1000 || (ms < 3 * seconds() * 1000 && not_seen());
}

static void fuzz(void **state)
{
	long now, begin = vm_now_ms();
	struct child workers[WORKERS] = { };
	struct actor a = { .rnd = seed };
	pid_t load, watch;
	unsigned int i;

	(void)state;
	load = start(loader, surface_rnd(&a));
	watch = start(bystander, surface_rnd(&a));
	while (go_on(now = vm_now_ms(), begin)) {
		for (i = 0; i < WORKERS; i++) {
			if (now < workers[i].until)
				continue;
			if (workers[i].pid)
				finish(workers[i].pid);
			make_file_anew(below(&a, SURFACE_FILES));
			workers[i].pid = start(i ? worker_as_root : worker_as_nobody,
					       surface_rnd(&a));
			workers[i].until = vm_now_ms() + 200 + below(&a, 4000);
		}
		if (one_in(&a, 200)) {
			finish(load);
			load = start(loader, surface_rnd(&a));
		}
		vm_sleep_ms(20);
	}
	for (i = 0; i < WORKERS; i++)
		finish(workers[i].pid);
	finish(load);
	finish(watch);
	print_counts();
	check_counts();
}

/* Children of those who were killed, and what sockets hold, may need a moment. */
static void nothing_is_left(void **state)
{
	long until = vm_now_ms() + PATIENCE_MS;
	char path[64];
	unsigned int i;

	(void)state;
	while (vm_info().nr_sessions || vm_info().nr_walkers > 1) {
		if (vm_now_ms() > until)
			fail_msg("%u sessions and %u walkers are left", vm_info().nr_sessions,
				 vm_info().nr_walkers);
		vm_sleep_ms(50);
	}
	for (i = 0; i < SURFACE_FILES; i++) {
		snprintf(path, sizeof(path), SURFACE_DIR "/%u", i);
		make_file_anew(i);
		close(vm_open(path, O_RDWR));
		assert_sys(truncate(path, 0));
		assert_sys(unlink(path));
	}
}

static void an_ordinary_session_works(void **state)
{
	struct engine_walker w;
	struct engine e;

	(void)state;
	vm_load(&w, "chase");
	vm_chase_file(SURFACE_DIR "/after", 4096, SURFACE_NODES);
	vm_session(&e, SURFACE_DIR "/after", "chase", 4096, NULL);
	vm_walks(&e, SURFACE_DIR "/after", 1, 6, 20);
	engine_close(&e);
	engine_unload(&w);
}

static struct engine_walker steady;

static int setup(void **state)
{
	const char *text = getenv("CAROM_FUZZ_SEED");

	(void)state;
	seed = text ? strtoull(text, NULL, 0) : 20210531;
	print_message("# CAROM_FUZZ_SEED=%llu CAROM_FUZZ_SECONDS=%ld\n", seed, seconds());
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	assert_ptr_not_equal(counts, MAP_FAILED);
	make_files();
	assert_sys(chmod("/dev/carom", 0666));
	vm_load(&steady, "chase4096");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&steady);
	assert_sys(chmod("/dev/carom", 0600));
	vm_sh("rm -r " SURFACE_DIR);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fuzz),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(an_ordinary_session_works),
	};

	return cmocka_run_group_tests_name("surface", tests, setup, teardown);
}
