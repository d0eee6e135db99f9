// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "storm.h"

#define WATCHDOG_S	120
#define IO_BYTES	(64 << 10)
#define PATTERN		"/tmp/storm.pattern"
#define NVME_STATUS_DNR	0x4000

static unsigned int seed;

static bool slow(void)
{
	const char *value = getenv("CAROM_SLOW");

	return value && !strcmp(value, "1");
}

/* As many times more as somebody has time for. */
static unsigned int times_more(void)
{
	const char *times = getenv("CAROM_STORM_TIMES");

	return times ? (unsigned int)strtoul(times, NULL, 10) ?: 1 : 1;
}

unsigned int storm_times(unsigned int n)
{
	n *= times_more();
	return slow() ? (n + 9) / 10 : n;
}

/* Whatever hangs may be in the kernel, so this process may not even be able to end. */
static void hung(int sig)
{
	static const char text[] = "\nBail out! a test hangs; its tasks are in the kernel's log\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) > 0)
		storm_write("w", "/proc/sysrq-trigger");
	_exit(124);
}

static void alive(void)
{
	alarm((slow() ? 4 : 1) * times_more() * WATCHDOG_S);
}

int storm_watch(void **state)
{
	(void)state;
	signal(SIGALRM, hung);
	alive();
	return 0;
}

static void init_seed(void)
{
	const char *value = getenv("CAROM_STORM_SEED");

	seed = value ? (unsigned int)strtoul(value, NULL, 0) : (unsigned int)time(NULL);
	printf("# CAROM_STORM_SEED=%u\n", seed);
}

unsigned int storm_random(unsigned int low, unsigned int high)
{
	if (!seed)
		init_seed();
	/* Every round of every test comes by. */
	alive();
	return low + (unsigned int)rand_r(&seed) % (high - low + 1);
}

void storm_sleep_us(unsigned int us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L };

	nanosleep(&ts, NULL);
}

const char *storm_walker(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/tests/storm/walkers/%s.bpf.o", getenv("CAROM_BUILD"),
		 name);
	return path;
}

void storm_load(struct engine_walker *w, const char *name)
{
	int err = engine_load(w, storm_walker(name), NULL, 0);

	if (err)
		fail_msg("walker %s: %s", name, strerror(-err));
}

int storm_unwatch(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

void storm_fill(const char *path)
{
	int fd = vm_open(path, O_RDWR | O_CREAT);

	assert_ok(chase_write(fd, CHASE_NODE_SIZE, STORM_NODES, STORM_NODES));
	close(fd);
}

/* The same nodes where nothing ever goes wrong, read once. */
static unsigned int next_of(unsigned int id)
{
	static unsigned int next[STORM_NODES];
	static bool known;
	struct chase_node node;
	unsigned int i;
	int fd;

	if (known)
		return next[id];
	storm_fill(PATTERN);
	fd = vm_open(PATTERN, O_RDONLY);
	for (i = 0; i < STORM_NODES; i++) {
		assert_int_equal(pread(fd, &node, sizeof(node), (off_t)i * CHASE_NODE_SIZE),
				 sizeof(node));
		next[i] = (unsigned int)(node.next / CHASE_NODE_SIZE);
	}
	close(fd);
	known = true;
	return next[id];
}

unsigned int storm_expect(unsigned int start, unsigned int depth)
{
	while (--depth)
		start = next_of(start);
	return start;
}

unsigned int storm_before(unsigned int id, unsigned int depth)
{
	/* They are a circle. */
	return storm_expect(id, STORM_NODES + 2 - depth);
}

void storm_check(const struct engine *e, unsigned int slot, unsigned int start,
		 unsigned int depth)
{
	struct chase_query *query = engine_scratch(e, slot);
	unsigned int want = storm_expect(start, depth);
	struct carom_lookup res;

	*query = (struct chase_query) { .depth = depth, .id = ~0ULL };
	res = vm_lookup(e, slot, (__u64)start * CHASE_NODE_SIZE);
	if (res.end != CAROM_END_DONE || res.hops != depth || query->id != want)
		fail_msg("end %u code %#x at %llu after %u hops, node %llu instead of %u at %u",
			 res.end, res.code, res.at, res.hops, query->id, want, depth);
}

void storm_session(struct engine *e, const char *path, const char *walker,
		   unsigned int deadline_ms)
{
	const struct carom_open arg = {
		.nr_slots = STORM_SLOTS + 1, .max_hops = STORM_HOPS, .deadline_ms = deadline_ms,
	};

	vm_session(e, path, walker, CHASE_NODE_SIZE, &arg);
}

static bool stopped(const struct storm *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

/* However it ended: is the place the right one for that many hops? */
static bool right(const struct storm *s, unsigned int start, unsigned int depth,
		  const struct carom_lookup *res, const struct chase_query *query)
{
	/* An empty node has the number 0 and names node 0. */
	if (s->emptied && res->hops && res->end == CAROM_END_DONE && !query->id)
		return res->hops == depth;
	if (s->emptied && res->hops && !res->at)
		return res->end < CAROM_END_NR && (s->allowed & (1U << res->end));
	if (res->end == CAROM_END_DONE)
		return res->hops == depth && query->id == storm_expect(start, depth) &&
		       res->at == query->id * CHASE_NODE_SIZE;
	if (res->end >= CAROM_END_NR || !(s->allowed & (1U << res->end)))
		return false;
	return res->hops < depth &&
	       res->at == (__u64)storm_expect(start, res->hops + 1) * CHASE_NODE_SIZE;
}

static void count(struct storm_slot *t, const struct carom_lookup *res)
{
	t->ends[res->end]++;
	if (res->end == CAROM_END_IO)
		t->dnr[!!(res->code & NVME_STATUS_DNR)]++;
	if (res->end == CAROM_END_DONE) {
		__atomic_store_n(&t->failed_in_a_row, 0, __ATOMIC_RELAXED);
		__atomic_fetch_add(&t->lookups, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&t->failed_in_a_row, 1, __ATOMIC_RELAXED);
	/* Where nothing works there is no point in asking without pause. */
	if (!res->hops)
		storm_sleep_us(1000);
}

/* In threads nothing may be asserted: cmocka can only leave the main one. */
static void *run_slot(void *arg)
{
	struct storm_slot *t = arg;
	const struct storm *s = t->storm;
	struct chase_query *query = engine_scratch(s->e, t->slot);
	struct carom_lookup res;
	unsigned int start, depth;

	while (!stopped(s)) {
		start = (unsigned int)rand_r(&t->seed) % STORM_NODES;
		depth = 1 + (unsigned int)rand_r(&t->seed) % s->depth;
		*query = (struct chase_query) { .depth = depth, .id = ~0ULL };
		if (engine_lookup(s->e, t->slot, (__u64)start * CHASE_NODE_SIZE, &res)) {
			res.end = CAROM_END_NONE;
			res.code = errno;
		}
		if (!right(s, start, depth, &res, query)) {
			t->wrong++;
			t->last_wrong = res;
		}
		if (res.end < CAROM_END_NR)
			count(t, &res);
	}
	return NULL;
}

static void io_round(struct storm_io *io, int fd, unsigned char *out, unsigned char *in)
{
	memset(out, (int)io->rounds + 1, IO_BYTES);
	memcpy(out, io, sizeof(io->pos));
	if (pwrite(fd, out, IO_BYTES, (off_t)io->pos) != IO_BYTES ||
	    pread(fd, in, IO_BYTES, (off_t)io->pos) != IO_BYTES) {
		io->failed++;
		storm_sleep_us(1000);
		return;
	}
	io->wrong += !!memcmp(in, out, IO_BYTES);
	io->rounds++;
}

static void *run_io(void *arg)
{
	struct storm_io *io = arg;
	unsigned char *buf;
	int fd = open(io->storm->io_path, O_RDWR | O_DIRECT | O_CLOEXEC);

	if (fd < 0 || posix_memalign((void **)&buf, 4096, 2 * IO_BYTES)) {
		io->wrong++;
		return NULL;
	}
	while (!stopped(io->storm))
		io_round(io, fd, buf, buf + IO_BYTES);
	close(fd);
	free(buf);
	return NULL;
}

static void begin_io(struct storm *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->io); i++) {
		s->io[i] = (struct storm_io) { .storm = s, .pos = s->io_pos + i * IO_BYTES };
		assert_int_equal(pthread_create(&s->io[i].thread, NULL, run_io, &s->io[i]), 0);
	}
}

void storm_begin(struct storm *s)
{
	unsigned int i;

	/* Before there are threads that would want it at the same time. */
	next_of(0);
	s->stop = false;
	for (i = 0; i < STORM_SLOTS; i++) {
		s->slots[i] = (struct storm_slot) {
			.storm = s, .slot = i + (i >= s->spare), .seed = storm_random(0, 1 << 30),
		};
		assert_int_equal(pthread_create(&s->slots[i].thread, NULL, run_slot,
						&s->slots[i]), 0);
	}
	if (s->io_path)
		begin_io(s);
}

static void sum_slot(struct storm *s, const struct storm_slot *t)
{
	unsigned int end;

	for (end = 0; end < CAROM_END_NR; end++)
		s->ends[end] += t->ends[end];
	s->dnr[0] += t->dnr[0];
	s->dnr[1] += t->dnr[1];
	s->lookups += t->lookups;
	if (t->wrong)
		fail_msg("slot %u: %u wrong, the last: end %u code %#x hops %u at %llu", t->slot,
			 t->wrong, t->last_wrong.end, t->last_wrong.code, t->last_wrong.hops,
			 t->last_wrong.at);
}

void storm_end(struct storm *s)
{
	unsigned int i;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < STORM_SLOTS; i++)
		pthread_join(s->slots[i].thread, NULL);
	for (i = 0; s->io_path && i < ARRAY_SIZE(s->io); i++)
		pthread_join(s->io[i].thread, NULL);
	for (i = 0; i < STORM_SLOTS; i++)
		sum_slot(s, &s->slots[i]);
	for (i = 0; s->io_path && i < ARRAY_SIZE(s->io); i++) {
		s->io_rounds += s->io[i].rounds;
		if (s->io[i].wrong || (s->io[i].failed && !s->io_may_fail))
			fail_msg("ordinary I/O: %u wrong, %u failed of %u", s->io[i].wrong,
				 s->io[i].failed, s->io[i].rounds);
	}
}

void storm_wait_answers(const struct storm *s)
{
	unsigned int i, before[STORM_SLOTS];

	for (i = 0; i < STORM_SLOTS; i++)
		before[i] = __atomic_load_n(&s->slots[i].lookups, __ATOMIC_RELAXED);
	for (i = 0; i < STORM_SLOTS; i++)
		while (__atomic_load_n(&s->slots[i].lookups, __ATOMIC_RELAXED) == before[i])
			storm_sleep_us(500);
}

void storm_wait_failures(const struct storm *s)
{
	unsigned int i;

	for (i = 0; i < STORM_SLOTS; i++)
		while (__atomic_load_n(&s->slots[i].failed_in_a_row, __ATOMIC_RELAXED) < 3)
			storm_sleep_us(500);
}
