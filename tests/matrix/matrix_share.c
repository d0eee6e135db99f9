// SPDX-License-Identifier: GPL-2.0
/* More than one who seals a file, and those who want it for something else. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix.h"

#define FILE_PATH	VM_FILE("sealed")
#define LINK_SWAP	VM_FILE("sealed.swap")
#define LINK_SESSION	VM_FILE("sealed.session")
#define ROUNDS		16
#define RACE_MS		20000

static void assert_not_writable(void)
{
	assert_errno(open(FILE_PATH, O_WRONLY | O_CLOEXEC), ETXTBSY);
}

/*
 * Lookups with one walker until the other process says that it is enough. An assertion
 * that fails in here would run the rest of the tests a second time.
 */
static int look_up_until(const char *walker, int enough)
{
	int fd = open(FILE_PATH, O_RDONLY | O_CLOEXEC), err;
	struct carom_lookup res;
	struct chase_query *query;
	unsigned int depth = 0;
	struct engine e;
	__u64 want;
	char byte;

	err = engine_open(&e, FILE_PATH, walker, NULL);
	if (err)
		return 2;
	query = engine_scratch(&e, 0);
	fcntl(enough, F_SETFL, O_NONBLOCK);
	do {
		query->depth = depth = depth % 5 + 1;
		query->id = ~0ULL;
		if (chase_expect(fd, 0, depth, &want) || engine_lookup(&e, 0, 0, &res) ||
		    res.end != CAROM_END_DONE || query->id != want)
			return 3;
	} while (read(enough, &byte, 1) == -1 && errno == EAGAIN);
	engine_close(&e);
	return 0;
}

/* Two processes, two walkers, and sessions that come and go beside one that stays. */
void matrix_two_walkers(void **state)
{
	struct engine e;
	int enough[2], status, i;
	pid_t pid;

	(void)state;
	matrix_file(FILE_PATH, MATRIX_NODES);
	assert_sys(pipe2(enough, O_CLOEXEC));
	fflush(NULL);
	pid = fork();
	assert_sys(pid);
	if (!pid) {
		close(enough[1]);
		_exit(look_up_until("chase4096", enough[0]));
	}
	close(enough[0]);
	while (vm_info().nr_sessions != 1) {
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		vm_sleep_ms(1);
	}
	for (i = 0; i < ROUNDS; i++) {
		vm_session(&e, FILE_PATH, "chase", CHASE_NODE_SIZE, NULL);
		vm_walks(&e, FILE_PATH, 1, 6, 1);
		assert_int_equal(vm_info().nr_sessions, 2);
		engine_close(&e);
		assert_not_writable();
	}
	vm_session(&e, FILE_PATH, "chase", CHASE_NODE_SIZE, NULL);
	close(enough[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_not_writable();
	engine_close(&e);
	close(vm_open(FILE_PATH, O_WRONLY));
}

static struct {
	atomic_bool	stop;
	atomic_uint	swaps;
	char		error[160];
} race;

/* What is swapped to can be neither removed nor sealed, whoever tried to seal it before. */
static const char *check_swapped(void)
{
	struct carom_open arg = vm_chase_arg();
	int fd, ret;

	if (!unlink(LINK_SWAP))
		return "a swap file was unlinked";
	if (errno != EPERM)
		return "the swap file cannot be unlinked, but for another reason";
	fd = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
	ret = engine_ioctl_open(fd, &arg);
	close(fd);
	if (ret >= 0) {
		close(ret);
		return "a swap file was sealed";
	}
	if (arg.refusal != CAROM_REFUSED_SWAPFILE && arg.refusal != CAROM_REFUSED_WRITER)
		return "a swap file was refused for another reason";
	return NULL;
}

static void *swap_loop(void *arg)
{
	const char *error = NULL;
	unsigned int seed = 1;

	while (!atomic_load(&race.stop) && !error) {
		if (swapon(FILE_PATH, 0)) {
			if (errno != ETXTBSY && errno != EBUSY)
				error = strerror(errno);
			continue;
		}
		error = check_swapped();
		if (swapoff(FILE_PATH))
			error = error ?: "swapoff failed";
		atomic_fetch_add(&race.swaps, 1);
		/* Both need their turn, and as many different meetings as there can be. */
		vm_sleep_ms(rand_r(&seed) % 8);
	}
	if (error)
		snprintf(race.error, sizeof(race.error), "%s", error);
	return arg;
}

/* A session for a moment, unless swap has the file. */
static bool one_session(void)
{
	struct engine e;
	int err;

	err = engine_open(&e, FILE_PATH, "chase", NULL);
	if (err) {
		assert_true(err == -ETXTBSY || err == -EBUSY);
		return false;
	}
	vm_walks(&e, FILE_PATH, 1, 3, 1);
	if (matrix_fs_type() == MATRIX_XFS)
		assert_errno(unlink(LINK_SESSION), EPERM);
	assert_errno(swapon(FILE_PATH, 0), ETXTBSY);
	engine_close(&e);
	return true;
}

static void race_sessions(unsigned int *sessions)
{
	long end = vm_now_ms() + RACE_MS;
	unsigned int seed = 2;

	while (!race.error[0] && vm_now_ms() < end &&
	       (*sessions < ROUNDS || atomic_load(&race.swaps) < ROUNDS)) {
		*sessions += one_session();
		if (rand_r(&seed) % 2)
			vm_sleep_ms(rand_r(&seed) % 4);
	}
}

/* Both mark the inode in the same way, and neither may take the other's mark away. */
void matrix_swapon_race(void **state)
{
	unsigned int sessions = 0;
	pthread_t thread;

	(void)state;
	matrix_file(FILE_PATH, MATRIX_NODES);
	matrix_make_swap(FILE_PATH);
	assert_sys(link(FILE_PATH, LINK_SWAP));
	assert_sys(link(FILE_PATH, LINK_SESSION));
	memset(&race, 0, sizeof(race));
	assert_int_equal(pthread_create(&thread, NULL, swap_loop, NULL), 0);
	race_sessions(&sessions);
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	if (race.error[0])
		fail_msg("%s", race.error);
	print_message("# %u sessions, %u times swap\n", sessions, atomic_load(&race.swaps));
	assert_in_range(sessions, ROUNDS, UINT32_MAX);
	assert_in_range(atomic_load(&race.swaps), ROUNDS, UINT32_MAX);
	assert_sys(unlink(LINK_SWAP));
	assert_sys(unlink(LINK_SESSION));
	close(vm_open(FILE_PATH, O_WRONLY));
}
