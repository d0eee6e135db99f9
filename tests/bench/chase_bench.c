// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions per lookup by depth, for the trivial walker: what each way of reading costs when
 * nothing else does. Every answer is checked.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "insns.h"
#include "loop.h"

static const struct backend *const backends[] = {
	&bench_pread, &bench_uring, &bench_uring_polled, &bench_uring_8, &bench_uring_8_polled,
	&bench_uring_32, &bench_uring_32_polled, &bench_passthru_irq, &bench_passthru_8_irq,
	&bench_passthru_32_irq, &bench_passthru_1, &bench_passthru_8, &bench_passthru_32,
	&bench_loop, &bench_loop_8, &bench_loop_32, &bench_loop_spin, &bench_loop_8_spin,
	&bench_loop_32_spin, &bench_loop_plain, &bench_loop_polled, &bench_loop_32_all,
	&bench_loop_passthru, &bench_loop_8_passthru, &bench_loop_32_passthru, &bench_chain,
	&bench_chain_polled, &bench_chain_async, &bench_chain_async_polled, &bench_chain_8,
	&bench_chain_8_polled, &bench_chain_32, &bench_chain_32_polled, &bench_lmdb,
	&bench_lmdb_late,
};

#define NR_BACKENDS (sizeof(backends) / sizeof(backends[0]))
#define MAX_LIMITS 32

_Static_assert(NR_BACKENDS <= MAX_BACKENDS, "a row for each");

/* What was asked for. */
struct arguments {
	unsigned int nodes;
	unsigned int stride;
	unsigned int lookups;
	unsigned int batches;
	unsigned int depths;
	const struct backend *chosen[NR_BACKENDS];
	unsigned int nr_chosen;
	struct limit limits[MAX_LIMITS];
	unsigned int nr_limits;
	const char *json;
	const char *loop;
	const char *paths[2];
};

int bench_lacks(struct bench *b, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(b->why, sizeof(b->why), fmt, args);
	va_end(args);
	return err;
}

const struct backend *bench_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_BACKENDS; i++) {
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	}
	return NULL;
}

static unsigned int nr_measurements(const struct backend *be, const struct arguments *args)
{
	unsigned int nr = (args->lookups + be->batch - 1) / be->batch;

	return be->batch > 1 && nr < args->batches ? args->batches : nr;
}

/* --- measuring --- */

/**
 * struct series - the measurements of one figure
 * @b: the open backend
 * @depth: of all lookups
 * @nr: measurements
 * @starts: file offsets to start at, for all lookups; the same for every backend
 * @ids: their answers
 * @insns: of the measurements that count
 * @nr_insns: how many that are
 */
struct series {
	struct bench *b;
	unsigned int depth;
	unsigned int nr;
	__u64 *starts, *ids;
	uint64_t *insns;
	unsigned int nr_insns;
};

static unsigned int nr_lookups(const struct series *s)
{
	return s->nr * s->b->be->batch;
}

static int series_init(struct series *s, const struct arguments *args)
{
	unsigned int i;

	s->starts = calloc(nr_lookups(s), sizeof(*s->starts));
	s->ids = calloc(nr_lookups(s), sizeof(*s->ids));
	s->insns = calloc(s->nr, sizeof(*s->insns));
	if (!s->starts || !s->ids || !s->insns)
		return -ENOMEM;
	for (i = 0; i < nr_lookups(s); i++) {
		s->starts[i] = (__u64)(i * 2654435761U % args->nodes) * args->stride;
		s->ids[i] = ~0ULL;
	}
	return 0;
}

static void series_free(struct series *s)
{
	free(s->starts);
	free(s->ids);
	free(s->insns);
}

static long times_slept(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nvcsw;
}

/* A read that arrives before its caller could go to sleep is none that a device sends today. */
static bool slept_enough(const struct series *s, long times)
{
	return !s->b->be->sleeps || times == (s->b->be->sleeps == ONCE ? 1 : s->depth);
}

static int measure(struct series *s, unsigned int i)
{
	const unsigned int batch = s->b->be->batch;
	const struct job job = {
		.starts = s->starts + i * batch, .depth = s->depth, .ids = s->ids + i * batch,
	};
	long slept = times_slept();
	int err, ret;

	carom_insns_begin();
	ret = s->b->be->run(s->b, &job);
	carom_insns_end();
	slept = times_slept() - slept;
	err = carom_insns_read(&s->insns[s->nr_insns]);
	if (s->b->be->in_vain)
		s->insns[s->nr_insns] -= (uint64_t)s->b->be->in_vain(s->b);
	if (!err && slept_enough(s, slept))
		s->nr_insns++;
	return ret ?: err;
}

static int check_answers(const struct series *s)
{
	const struct backend *be = s->b->be;
	unsigned int i;
	__u64 want;
	int err;

	for (i = 0; i < nr_lookups(s); i++) {
		err = be->expect ? be->expect(s->b, s->starts[i], s->depth, &want) :
				   chase_expect(s->b->buffered, s->starts[i], s->depth, &want);
		if (err)
			return err;
		if (s->ids[i] != want)
			return bench_lacks(s->b, -EBADMSG, "wrong answer at depth %u: %lld, not %llu",
					   s->depth, (long long)s->ids[i], want);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The lower decile: a timer tick, every 4 ms, takes as many instructions as a lookup, and one CPU
 * that emulates another takes milliseconds for a lookup. In a mean, it would make those of a slow
 * host dear.
 */
static int typical(struct series *s, double *insns)
{
	if (s->nr_insns * 4 < s->nr)
		return bench_lacks(s->b, -EIO, "the device is too fast: few lookups slept");
	qsort(s->insns, s->nr_insns, sizeof(*s->insns), by_value);
	*insns = (double)s->insns[s->nr_insns / 10] / s->b->be->batch;
	return 0;
}

static int run_series(struct series *s, const struct arguments *args, double *insns)
{
	unsigned int i;
	int err;

	err = series_init(s, args);
	for (i = 0; i < s->nr && !err; i++)
		err = measure(s, i);
	if (!err)
		err = check_answers(s);
	return err ?: typical(s, insns);
}

static int run_depth(struct bench *b, const struct arguments *args, unsigned int depth,
		     double *insns)
{
	struct series s = { .b = b, .depth = depth, .nr = nr_measurements(b->be, args) };
	int err;

	err = run_series(&s, args, insns);
	series_free(&s);
	return err;
}

static int run_depths(struct bench *b, const struct arguments *args, struct row *row)
{
	unsigned int depth;
	int err = 0;

	for (depth = 1; depth <= MAX_DEPTH && !err; depth++) {
		if (args->depths & 1u << depth)
			err = run_depth(b, args, depth, &row->insns[depth]);
	}
	if (!err && b->be->check)
		err = b->be->check(b);
	return err;
}

/*
 * The emulated device is to be slow: for who sleeps, so that he is asleep when his read arrives;
 * for who polls, so that there are looks in vain to be told from others; for a ring that polls,
 * so that no read arrives in the very pass that has sent it, as a CPU is done with that in less
 * time than any device needs. And not slower, or timer ticks come in between.
 */
static unsigned int latency_us(const struct backend *be)
{
	if (!be->polled)
		return 200;
	return be->batch > 1 ? 2000 : 500;
}

static int set_latency(const struct backend *be)
{
	const char *path = getenv("CAROM_VM_LATENCY");
	FILE *f;

	if (!path)
		return 0;
	f = fopen(path, "w");
	if (!f)
		return -errno;
	fprintf(f, "%u\n", latency_us(be));
	return fclose(f) ? -errno : 0;
}

static int open_backend(struct bench *b)
{
	struct disk disk;
	__u64 polls = 0;
	int err;

	err = set_latency(b->be);
	if (err)
		return err;
	err = disk_find(&disk, b->direct);
	if (!err)
		err = disk_number(&disk, "queue/io_poll", &polls);
	if (err)
		return err;
	if (b->be->polled && !polls)
		return bench_lacks(b, -EOPNOTSUPP, "no poll queues");
	return b->be->open(b);
}

static void run_backend(struct bench *b, const struct arguments *args, struct row *row)
{
	int err;

	b->be = row->be;
	b->why[0] = '\0';
	row->measurements = nr_measurements(b->be, args);
	row->outcome = SKIPPED;
	err = open_backend(b);
	if (!err) {
		err = run_depths(b, args, row);
		row->outcome = err ? FAILED : RAN;
		b->be->close(b);
	}
	if (err)
		snprintf(row->why, sizeof(row->why), "%s", b->why[0] ? b->why : strerror(-err));
}

static int prepare(struct bench *b, const struct arguments *args, struct report *r)
{
	struct disk disk;
	int err;

	err = chase_build(b->path, args->stride, args->nodes, 1);
	if (err)
		return err;
	b->direct = open(b->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	b->buffered = open(b->path, O_RDONLY | O_CLOEXEC);
	if (b->direct < 0 || b->buffered < 0)
		return -errno;
	err = disk_find(&disk, b->direct);
	if (!err)
		err = disk_scheduler(&disk, r->scheduler, sizeof(r->scheduler));
	if (err)
		return err;
	return -posix_memalign((void **)&b->nodes, CHASE_NODE_SIZE, sizeof(struct loop_memory));
}

static int run_all(struct bench *b, const struct arguments *args, struct report *r)
{
	struct row *row;
	int failed = 0;
	unsigned int i;

	report_head(r);
	for (i = 0; i < args->nr_chosen; i++) {
		row = &r->rows[r->nr++];
		row->be = args->chosen[i];
		run_backend(b, args, row);
		failed |= row->outcome == FAILED;
		report_row(r, row);
		fflush(stdout);
	}
	if (args->json)
		failed |= report_json(r, args->json);
	for (i = 0; i < args->nr_limits; i++)
		failed |= !limit_holds(&args->limits[i], r);
	return failed;
}

/* --- arguments --- */

enum { OPT_JSON = 0x100, OPT_LIMIT, OPT_LOOP, OPT_BATCHES };

static const struct argp_option options[] = {
	{ "backend", 'b', "NAME[,NAME...]", 0, "what to compare (all with a star); see below", 0 },
	{ "depth", 'd', "N", 0, "only this depth, 1 to 6; may be repeated", 0 },
	{ "nodes", 'n', "N", 0, "nodes in the file (20000)", 0 },
	{ "fragmented", 'f', NULL, 0, "a hole behind each node, so that each is an extent", 0 },
	{ "lookups", 'l', "N", 0, "lookups per figure (320), rounded up to whole batches", 0 },
	{ "batches", OPT_BATCHES, "N", 0, "at least so many, where several are in flight", 0 },
	{ "loop", OPT_LOOP, "FILE", 0, "the program of loop*", 0 },
	{ "json", OPT_JSON, "FILE", 0, "write a document, too, see tools/model", 0 },
	{ "limit", OPT_LIMIT, "BACKEND.WHAT[*N]<=[BACKEND.WHAT*]N", 0,
	  "fail if that does not hold; WHAT is depth1 to depth6, fixed or hop", 0 },
	{ }
};

static const char description[] =
	"Count guest instructions per lookup in a chain of nodes, which is built as FILE on the "
	"NVMe namespace under test.\v"
	"pread *: one lookup at a time, O_DIRECT\n"
	"uring *, uring-8, uring-32 *: fixed buffers and file, DEFER_TASKRUN; 1, 8 or 32 in flight\n"
	"uring-polled, uring-8-polled, uring-32-polled *: likewise, IOPOLL\n"
	"passthru-1, passthru-8, passthru-32 *: likewise, as NVMe commands on /dev/ng*\n"
	"passthru-irq, passthru-8-irq, passthru-32-irq: likewise, told by interrupts\n"
	"loop, loop-8, loop-32: in io_uring's loop, by a BPF program; Linux 7.x\n"
	"loop-spin, loop-8-spin, loop-32-spin: likewise, without sleeping\n"
	"loop-plain: like loop, without a fixed buffer\n"
	"loop-32-all: like loop-32, asleep until all reads have completed\n"
	"loop-polled: like loop, IOPOLL\n"
	"loop-passthru, loop-8-passthru, loop-32-passthru: like loop, as NVMe commands\n"
	"chain *: Carom, one ioctl() at a time\n"
	"chain-polled *: likewise, CAROM_LOOKUP_POLL\n"
	"chain-async, chain-8, chain-32 *: 1, 8 or 32 chains at a time on a ring, DEFER_TASKRUN\n"
	"chain-async-polled, chain-8-polled, chain-32-polled *: likewise, IOPOLL\n"
	"lmdb: like chain, through libcarom in LMDB trees of depth 1 and 2, 100 keys of 16 bytes a page\n"
	"lmdb-late: likewise, the first 8 bytes of all keys are the same";

static void choose(struct arguments *args, const char *names, struct argp_state *state)
{
	char copy[1024], *name, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", names);
	for (args->nr_chosen = 0; (name = strsep(&rest, ",")); args->nr_chosen++) {
		if (args->nr_chosen == NR_BACKENDS)
			argp_error(state, "%s: too many", names);
		args->chosen[args->nr_chosen] = bench_find(name);
		if (!args->chosen[args->nr_chosen])
			argp_error(state, "there is no backend %s", name);
	}
}

static void choose_all(struct arguments *args)
{
	unsigned int i;

	for (i = 0; i < NR_BACKENDS; i++) {
		if (!backends[i]->chosen_only)
			args->chosen[args->nr_chosen++] = backends[i];
	}
}

static void add_limit(struct arguments *args, const char *text, struct argp_state *state)
{
	if (args->nr_limits == MAX_LIMITS)
		argp_error(state, "more than %d limits", MAX_LIMITS);
	if (limit_parse(&args->limits[args->nr_limits++], text))
		argp_error(state, "%s is no limit, see --help", text);
}

static unsigned int number(const char *text, unsigned int least, unsigned int most,
			   struct argp_state *state)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n < least || n > most)
		argp_error(state, "%s is no number from %u to %u", text, least, most);
	return (unsigned int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'b':
		choose(args, arg, state);
		return 0;
	case 'd':
		args->depths |= 1u << number(arg, 1, MAX_DEPTH, state);
		return 0;
	case 'n':
		args->nodes = number(arg, 2, 1u << 20, state);
		return 0;
	case 'f':
		args->stride = 2 * CHASE_NODE_SIZE;
		return 0;
	case 'l':
		args->lookups = number(arg, 1, 1u << 20, state);
		return 0;
	case OPT_BATCHES:
		args->batches = number(arg, 1, 1u << 16, state);
		return 0;
	case OPT_LOOP:
		args->loop = arg;
		return 0;
	case OPT_JSON:
		args->json = arg;
		return 0;
	case OPT_LIMIT:
		add_limit(args, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_usage(state);
		args->paths[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num != 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "WALKER.bpf.o FILE",
		.doc = description,
	};
	struct arguments args = { .nodes = 20000, .stride = CHASE_NODE_SIZE, .lookups = 320 };
	struct report report = { .nr = 0 };
	struct bench b = { .why = "" };
	int err;

	choose_all(&args);
	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (!args.depths)
		args.depths = ((1u << MAX_DEPTH) - 1) << 1;
	b.walker = args.paths[0];
	b.loop = args.loop;
	b.path = args.paths[1];
	report.depths = args.depths;
	err = prepare(&b, &args, &report);
	if (err) {
		fprintf(stderr, "%s: %s\n", b.path, strerror(-err));
		return 1;
	}
	err = run_all(&b, &args, &report);
	engine_unload(&b.loaded);
	return err;
}
