// SPDX-License-Identifier: GPL-2.0
/* One row of the matrix in one mode, and whether every answer was right. */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "matrix.h"

#define SEALED	VM_FILE("sealed")
#define CONTROL	VM_FILE("control")
#define DEPTH	8	/* of the longest chain while others do something */
#define MORE	8	/* chains in each slot after an operation */

struct looper {
	pthread_t	thread;
	unsigned int	slot;
	atomic_uint	done;
	atomic_bool	inside;		/* a chain is in flight */
	char		error[160];
};

/* The run under way; one at a time. */
static struct {
	struct engine	e;
	bool		open;
	int		file;			/* sealed file for reading, or -1 */
	unsigned int	nodes;
	unsigned int	flags;			/* of the row */
	unsigned char	*want;			/* its bytes when it was sealed */
	__u64		where[MATRIX_NODES];	/* its blocks at that time */
	struct looper	loopers[MATRIX_SLOTS];
	bool		looping;
	atomic_bool	stop;
	void		(*undo)(const char *path);	/* still to be done to undo_path */
	const char	*undo_path;
	void		(*release)(void);
} run = { .file = -1 };

/* Changed behind the filesystem's back, so raw_is_seen() compares it. */
static bool is_raw(__u64 at)
{
	return (run.flags & ROW_RAW) && at == (__u64)MATRIX_SIZE(run.nodes - 1);
}

/* One chain, checked byte for byte. NULL or what was wrong, in @error. */
static const char *walk(unsigned int slot, __u64 at, unsigned int depth, char *error,
			size_t size)
{
	struct chase_query *query = engine_scratch(&run.e, slot);
	const struct chase_node *node = (const void *)(run.want + at);
	struct carom_lookup res;
	__u64 offset = at;
	unsigned int i;
	int err;

	for (i = 1; i < depth; i++) {
		at = node->next;
		node = (const void *)(run.want + at);
	}
	query->depth = depth;
	query->id = ~node->id;
	err = engine_lookup(&run.e, slot, offset, &res);
	if (err || res.end != CAROM_END_DONE)
		snprintf(error, size, "depth %u from %llu: %s, end %u, hops %u, code %d, at %llu",
			 depth, offset, strerror(-err), res.end, res.hops, res.code, res.at);
	else if (query->id != node->id || res.hops != depth || res.at != at)
		snprintf(error, size, "depth %u from %llu: node %llu at %llu after %u hops",
			 depth, offset, query->id, res.at, res.hops);
	else if (!is_raw(at) &&
		 memcmp(engine_node(&run.e, slot), run.want + at, CHASE_NODE_SIZE))
		snprintf(error, size, "the node at %llu has other bytes", at);
	else
		return NULL;
	return error;
}

static void *loop(void *arg)
{
	struct looper *l = arg;
	unsigned int seed = l->slot + 1;
	__u64 at;

	while (!atomic_load(&run.stop)) {
		at = MATRIX_SIZE((unsigned int)rand_r(&seed) % run.nodes);
		atomic_store(&l->inside, true);
		if (walk(l->slot, at, 1 + (unsigned int)rand_r(&seed) % DEPTH, l->error,
			 sizeof(l->error)))
			break;
		atomic_store(&l->inside, false);
		atomic_fetch_add(&l->done, 1);
	}
	atomic_store(&l->inside, false);
	return NULL;
}

static void check_loopers(void)
{
	unsigned int i;

	for (i = 0; i < MATRIX_SLOTS; i++)
		if (run.loopers[i].error[0])
			fail_msg("slot %u: %s", i, run.loopers[i].error);
}

static void wait_more(unsigned int more)
{
	unsigned int from[MATRIX_SLOTS], i;
	long end = vm_now_ms() + 20000;

	for (i = 0; i < MATRIX_SLOTS; i++)
		from[i] = atomic_load(&run.loopers[i].done);
	for (i = 0; i < MATRIX_SLOTS; i++) {
		while (atomic_load(&run.loopers[i].done) - from[i] < more) {
			check_loopers();
			if (vm_now_ms() > end)
				fail_msg("slot %u makes no progress", i);
			vm_sleep_ms(1);
		}
	}
}

/* Return when all slots have a chain in flight. */
static void wait_in_flight(void)
{
	long end = vm_now_ms() + 20000;
	unsigned int i;

	do {
		check_loopers();
		if (vm_now_ms() > end)
			fail_msg("the slots are never busy together");
		sched_yield();
		for (i = 0; i < MATRIX_SLOTS && atomic_load(&run.loopers[i].inside); i++)
			;
	} while (i < MATRIX_SLOTS);
}

static void start_loopers(void)
{
	unsigned int i;

	atomic_store(&run.stop, false);
	memset(run.loopers, 0, sizeof(run.loopers));
	for (i = 0; i < MATRIX_SLOTS; i++) {
		run.loopers[i].slot = i;
		assert_int_equal(pthread_create(&run.loopers[i].thread, NULL, loop,
						&run.loopers[i]), 0);
	}
	run.looping = true;
	wait_more(1);
	wait_in_flight();
}

static void stop_loopers(void)
{
	unsigned int i;

	if (!run.looping)
		return;
	run.looping = false;
	atomic_store(&run.stop, true);
	for (i = 0; i < MATRIX_SLOTS; i++)
		pthread_join(run.loopers[i].thread, NULL);
}

/* Every node alone, and all of them in one chain; the file is one cycle. */
static void sweep(void)
{
	char error[160];
	unsigned int i;

	for (i = 0; i < run.nodes; i++)
		if (walk(i % MATRIX_SLOTS, MATRIX_SIZE(i), 1, error, sizeof(error)))
			fail_msg("%s", error);
	if (walk(0, 0, run.nodes, error, sizeof(error)))
		fail_msg("%s", error);
}

static void open_session(const char *path)
{
	const struct carom_open arg = {
		.nr_slots = MATRIX_SLOTS,
		.scratch_size = sizeof(struct chase_query),
		.deadline_ms = CAROM_MAX_DEADLINE_MS,
	};

	vm_session(&run.e, path, "chase", CHASE_NODE_SIZE, &arg);
	run.open = true;
}

static void close_session(void)
{
	if (!run.open)
		return;
	run.open = false;
	engine_close(&run.e);
}

static void make(const struct matrix_row *row, const char *path)
{
	matrix_file(path, row->nodes ?: MATRIX_NODES);
	if (row->prepare)
		row->prepare(path);
}

static void close_file(void)
{
	if (run.file >= 0)
		close(run.file);
	run.file = -1;
}

/* What the file holds from now on. */
static void remember(const struct matrix_row *row, const char *path)
{
	run.nodes = row->nodes ?: MATRIX_NODES;
	run.flags = row->flags;
	run.want = malloc(MATRIX_SIZE(run.nodes));
	assert_non_null(run.want);
	run.file = vm_open(path, O_RDONLY);
	assert_int_equal(pread(run.file, run.want, MATRIX_SIZE(run.nodes), 0),
			 MATRIX_SIZE(run.nodes));
	matrix_where(run.file, run.nodes, run.where);
	if (row->flags & ROW_UNMOUNT)
		close_file();
}

static void check_where(int file)
{
	__u64 now[MATRIX_NODES];
	unsigned int i;

	matrix_where(file, run.nodes, now);
	for (i = 0; i < run.nodes; i++)
		if (now[i] != run.where[i])
			fail_msg("block %u was at %llu and is at %llu", i, run.where[i], now[i]);
}

static void raw_is_seen(void)
{
	unsigned char *buf = aligned_alloc(CHASE_NODE_SIZE, CHASE_NODE_SIZE);
	off_t at = MATRIX_SIZE(run.nodes - 1);
	int fd = vm_open(SEALED, O_RDONLY | O_DIRECT);
	char error[160];

	assert_non_null(buf);
	assert_int_equal(pread(fd, buf, CHASE_NODE_SIZE, at), CHASE_NODE_SIZE);
	close(fd);
	assert_memory_not_equal(buf, run.want + at, CHASE_NODE_SIZE);
	assert_null(walk(0, (__u64)at, 1, error, sizeof(error)));
	assert_memory_equal(engine_node(&run.e, 0), buf, CHASE_NODE_SIZE);
	free(buf);
}

static int do_op(const struct matrix_row *row, const char *path)
{
	int ret = row->op(path);

	assert_true(ret <= 0);
	if (!ret && row->undo) {
		run.undo = row->undo;
		run.undo_path = path;
	}
	return ret;
}

static void undo(void)
{
	void (*todo)(const char *path) = run.undo;

	run.undo = NULL;
	if (todo)
		todo(run.undo_path);
}

static int do_and_undo(const struct matrix_row *row, const char *path)
{
	int ret = do_op(row, path);

	undo();
	return ret;
}

/* By the seal, or by fs-verity, which comes first. */
static void assert_refused(int ret)
{
	if (ret != -1 || (errno != ETXTBSY && errno != EPERM))
		fail_msg("the file can be written to: %s", ret == -1 ? strerror(errno) : "success");
}

/* Has the sealed file still got its name? */
static bool has_name(void)
{
	struct stat file, path;

	assert_sys(fstat(run.file, &file));
	return !stat(SEALED, &path) && file.st_ino == path.st_ino;
}

/* Whatever was allowed, it must not have opened the door to others. */
static void check_sealed(void)
{
	if (run.file < 0 || !has_name())
		return;
	assert_refused(open(SEALED, O_WRONLY | O_CLOEXEC));
	assert_refused(truncate(SEALED, 0));
	if (matrix_fs_type() == MATRIX_XFS)
		assert_int_equal(matrix_dedupe(matrix_twin(SEALED), SEALED), -ETXTBSY);
}

/* A writer's whole life with the file, so that control and sealed file can be compared. */
static int use(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = matrix_errno(pwrite(fd, path, 1, MATRIX_SIZE(MATRIX_NODES))) ?:
		matrix_errno(ftruncate(fd, MATRIX_SIZE(1))) ?: matrix_errno(fsync(fd));
	close(fd);
	return err ?: matrix_errno(unlink(path));
}

/*
 * A refused operation works once the session is closed. One that was allowed does the
 * same as a second time on the control file.
 */
static void check_after(const struct matrix_row *row, int outcome)
{
	int want = outcome ? 0 : do_and_undo(row, CONTROL);
	int have = do_and_undo(row, SEALED);

	if (have != want)
		fail_msg("after the session: %s instead of %s", strerror(-have), strerror(-want));
	want = use(CONTROL);
	have = use(SEALED);
	if (have != want)
		fail_msg("using it after the session: %s instead of %s", strerror(-have),
			 strerror(-want));
}

static void set_cell(struct matrix_test *t, const char *prefix, int outcome, const char *suffix)
{
	snprintf(t->cell, sizeof(t->cell), "%s%s%s", prefix,
		 outcome ? strerrorname_np(-outcome) : "allowed", suffix);
}

/* Is the operation possible at all? Not knowing that it is not would hide a broken row. */
static bool applies(struct matrix_test *t)
{
	const char *lacks = t->row->lacks[matrix_fs_type()];
	int ret;

	make(t->row, CONTROL);
	run.release = t->row->release;
	ret = do_and_undo(t->row, CONTROL);
	if (!ret != !lacks)
		fail_msg("control file: %s, but %s", strerror(-ret), lacks ?: "it should work");
	if (!ret)
		return true;
	if (ret == -ENODATA)	/* said by the row itself */
		snprintf(t->cell, sizeof(t->cell), "n/a: %s", lacks);
	else
		snprintf(t->cell, sizeof(t->cell), "n/a: %s (%s)", lacks, strerrorname_np(-ret));
	return false;
}

/* A writer keeps sessions away; chains on another file make no difference. */
static void run_writer(struct matrix_test *t)
{
	struct carom_open arg = vm_chase_arg();
	int fd, ret;

	t->row->release();
	make(t->row, SEALED);
	remember(t->row, SEALED);
	if (t->mode == MATRIX_DURING) {
		matrix_file(VM_FILE("other"), run.nodes);
		open_session(VM_FILE("other"));
		start_loopers();
	}
	fd = vm_open(SEALED, O_RDONLY);
	ret = engine_ioctl_open(fd, &arg);
	close(fd);
	assert_true(ret < 0);
	assert_int_equal(arg.refusal, CAROM_REFUSED_WRITER);
	assert_int_equal(t->row->op(SEALED), 0);
	check_loopers();
	stop_loopers();
	close_session();
	t->row->release();
	open_session(SEALED);
	close_session();
	assert_int_equal(use(SEALED), 0);
	set_cell(t, "no session: ", ret, "");
}

static void run_sealed(struct matrix_test *t)
{
	const struct matrix_row *row = t->row;
	int outcome;

	make(row, SEALED);
	if (matrix_fs_type() == MATRIX_XFS)
		matrix_twin(SEALED);
	remember(row, SEALED);
	open_session(SEALED);
	if (t->mode == MATRIX_DURING)
		start_loopers();
	else
		sweep();
	outcome = do_op(row, SEALED);
	if (t->mode == MATRIX_DURING) {
		wait_more(MORE);
		stop_loopers();
		check_loopers();
	}
	sweep();
	if (row->flags & ROW_RAW && !outcome)
		raw_is_seen();
	if (!(row->flags & ROW_UNDO_LATE)) {
		if (run.file >= 0)
			check_where(run.file);
		undo();
		check_sealed();
		sweep();
	}
	close_session();
	if (!(row->flags & ROW_UNDO_LATE) && run.file >= 0)
		check_where(run.file);
	close_file();
	undo();
	set_cell(t, "", outcome, row->flags & ROW_RAW && !outcome ? ", and seen" : "");
	check_after(row, outcome);
}

void matrix_row_run(void **state)
{
	struct matrix_test *t = *state;

	if (!applies(t))
		return;
	if (t->row->flags & ROW_WRITER)
		run_writer(t);
	else
		run_sealed(t);
}

static void remove_files(void)
{
	DIR *dir = opendir(VM_DIR);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

/* Whatever has failed, the next row finds a filesystem that works. */
int matrix_row_clean(void **state)
{
	(void)state;
	stop_loopers();
	if (run.release)
		run.release();
	run.release = NULL;
	close_session();
	close_file();
	undo();
	free(run.want);
	run.want = NULL;
	remove_files();
	return 0;
}
