// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions per lookup by depth, for the trivial walker: what each way of
 * reading costs when nothing else does. Every answer is checked.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/chase.h"
#include "../lib/engine.h"
#include "insns.h"

#define MAX_DEPTH	6

struct backend;

struct bench {
	const char *path;
	const char *walker;
	unsigned int nodes;
	unsigned int lookups;
	unsigned int limit_depth6;	/* of the kernel's row, 0: none */
	unsigned int limit_hop;
	int ordinary;			/* depth 1 only, without the kernel's row */
	unsigned int depths;		/* bit for each, 0: all */
	const struct backend *only;

	int direct;			/* the file, O_DIRECT */
	int buffered;			/* the file again, for the oracle */
	unsigned char *buf;
	struct io_uring ring;
	struct engine engine;
	struct engine_walker loaded;
};

struct backend {
	const char *option;
	const char *name;
	int (*open)(struct bench *b);
	int (*lookup)(struct bench *b, __u64 offset, unsigned int depth, __u64 *id);
	void (*close)(struct bench *b);
};

/* --- pread --- */

static int pread_open(struct bench *b)
{
	(void)b;
	return 0;
}

static int pread_lookup(struct bench *b, __u64 offset, unsigned int depth, __u64 *id)
{
	const struct chase_node *node = (const void *)b->buf;

	while (depth--) {
		if (pread(b->direct, b->buf, CHASE_NODE_SIZE, (off_t)offset) != CHASE_NODE_SIZE)
			return errno ? -errno : -EIO;
		offset = node->next;
	}
	*id = node->id;
	return 0;
}

static void pread_close(struct bench *b)
{
	(void)b;
}

/* --- io_uring, as well as one lookup at a time can use it --- */

static int uring_open(struct bench *b)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct iovec iov = { .iov_base = b->buf, .iov_len = CHASE_NODE_SIZE };
	int err;

	err = io_uring_queue_init_params(8, &b->ring, &p);
	if (err)
		return err;
	err = io_uring_register_files(&b->ring, &b->direct, 1);
	if (!err)
		err = io_uring_register_buffers(&b->ring, &iov, 1);
	if (err)
		io_uring_queue_exit(&b->ring);
	return err;
}

static int uring_read(struct bench *b, __u64 offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);
	struct io_uring_cqe *cqe;
	int err;

	io_uring_prep_read_fixed(sqe, 0, b->buf, CHASE_NODE_SIZE, offset, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	err = io_uring_submit_and_wait(&b->ring, 1);
	if (err < 0)
		return err;
	err = io_uring_wait_cqe(&b->ring, &cqe);
	if (err)
		return err;
	err = cqe->res;
	io_uring_cqe_seen(&b->ring, cqe);
	return err == CHASE_NODE_SIZE ? 0 : err < 0 ? err : -EIO;
}

static int uring_lookup(struct bench *b, __u64 offset, unsigned int depth, __u64 *id)
{
	const struct chase_node *node = (const void *)b->buf;
	int err;

	while (depth--) {
		err = uring_read(b, offset);
		if (err)
			return err;
		offset = node->next;
	}
	*id = node->id;
	return 0;
}

static void uring_close(struct bench *b)
{
	io_uring_queue_exit(&b->ring);
}

/* --- the kernel chain --- */

static int kernel_open(struct bench *b)
{
	int err = engine_load(&b->loaded, b->walker, NULL, 0);

	if (err)
		return err;
	err = engine_open(&b->engine, b->path, "chase", NULL);
	if (err)
		engine_unload(&b->loaded);
	return err;
}

static int kernel_lookup(struct bench *b, __u64 offset, unsigned int depth, __u64 *id)
{
	struct chase_query *query = engine_scratch(&b->engine, 0);
	struct carom_lookup res;
	int err;

	query->depth = depth;
	err = engine_lookup(&b->engine, 0, offset, &res);
	if (err)
		return err;
	*id = query->id;
	return res.end == CAROM_END_DONE && res.hops == depth ? 0 : -EIO;
}

static void kernel_close(struct bench *b)
{
	engine_close(&b->engine);
	engine_unload(&b->loaded);
}

static const struct backend backends[] = {
	{ "pread", "pread O_DIRECT", pread_open, pread_lookup, pread_close },
	{ "uring", "io_uring tuned", uring_open, uring_lookup, uring_close },
	{ "chain", "kernel chain", kernel_open, kernel_lookup, kernel_close },
};

#define NR_BACKENDS (sizeof(backends) / sizeof(backends[0]))

static const struct backend *find_backend(const char *option)
{
	unsigned int i;

	for (i = 0; i < NR_BACKENDS; i++) {
		if (!strcmp(backends[i].option, option))
			return &backends[i];
	}
	return NULL;
}

/* Nodes to start at, the same for every backend. */
static __u64 start_of(const struct bench *b, unsigned int i)
{
	return (__u64)(i * 2654435761U % b->nodes) * CHASE_NODE_SIZE;
}

static int check(struct bench *b, const struct backend *be, unsigned int depth)
{
	__u64 id = 0, want = 0;
	unsigned int i;
	int err;

	for (i = 0; i < b->lookups; i++) {
		err = be->lookup(b, start_of(b, i), depth, &id);
		if (!err)
			err = chase_expect(b->buffered, start_of(b, i), depth, &want);
		if (err)
			return err;
		if (id == want)
			continue;
		fprintf(stderr, "%s: wrong answer at depth %u: node %llu, not %llu\n", be->name,
			depth, (unsigned long long)id, (unsigned long long)want);
		return -EBADMSG;
	}
	return 0;
}

struct counted {
	struct bench *b;
	const struct backend *be;
	unsigned int depth;
};

static void look_up(void *ctx, unsigned int i)
{
	const struct counted *c = ctx;
	__u64 id;

	c->be->lookup(c->b, start_of(c->b, i), c->depth, &id);
}

static int measure(struct bench *b, const struct backend *be, unsigned int depth, double *insns)
{
	struct counted c = { .b = b, .be = be, .depth = depth };
	int err = check(b, be, depth);

	return err ? err : carom_insns_quartile(look_up, &c, b->lookups, insns);
}

static int run_backend(struct bench *b, const struct backend *be, double *insns)
{
	unsigned int depth;
	int err;

	err = be->open(b);
	if (err) {
		fprintf(stderr, "%s does not work here: %s\n", be->name, strerror(-err));
		return err;
	}
	for (depth = 1; depth <= MAX_DEPTH && !err; depth++) {
		if (!b->depths || b->depths & 1u << depth)
			err = measure(b, be, depth, &insns[depth]);
	}
	be->close(b);
	if (err)
		fprintf(stderr, "%s, depth %u: %s\n", be->name, depth - 1, strerror(-err));
	return err;
}

static double hop_cost(const double *insns)
{
	return (insns[MAX_DEPTH] - insns[1]) / (MAX_DEPTH - 1);
}

static void print_row(const char *name, const double *insns)
{
	unsigned int depth;

	printf("%-15s", name);
	for (depth = 1; depth <= MAX_DEPTH; depth++)
		printf(" %8.0f", insns[depth]);
	printf(" %8.0f %8.0f\n", insns[1] - hop_cost(insns), hop_cost(insns));
	fflush(stdout);
}

static int check_limit(const char *what, double value, unsigned int limit)
{
	if (!limit || value <= limit)
		return 0;
	fprintf(stderr, "kernel chain, %s: %.0f instructions, limit %u\n", what, value, limit);
	return 1;
}

static int run_ordinary(struct bench *b)
{
	double insns[MAX_DEPTH + 1];
	unsigned int i;

	b->depths = 1u << 1;
	for (i = 0; i < NR_BACKENDS - 1; i++) {
		if (run_backend(b, &backends[i], insns))
			return 1;
		printf("%s, one read: %.0f\n", backends[i].name, insns[1]);
	}
	return 0;
}

/* tests/bench/profile tells the measurements of one depth from those of another by the order. */
static int run_only(struct bench *b)
{
	double insns[MAX_DEPTH + 1];
	unsigned int depth;

	if (run_backend(b, b->only, insns))
		return 1;
	for (depth = 1; depth <= MAX_DEPTH; depth++) {
		if (!b->depths || b->depths & 1u << depth)
			printf("%s, depth %u: %.0f\n", b->only->name, depth, insns[depth]);
	}
	return 0;
}

static int run_all(struct bench *b)
{
	double insns[MAX_DEPTH + 1];
	unsigned int i;
	int failed = 0;

	printf("guest instructions per lookup, lower quartile of %u, %d-byte nodes, trivial walker\n",
	       b->lookups, CHASE_NODE_SIZE);
	printf("%-15s %8s %8s %8s %8s %8s %8s %8s %8s\n", "depth", "1", "2", "3", "4", "5", "6",
	       "fixed", "per hop");
	for (i = 0; i < NR_BACKENDS; i++) {
		if (run_backend(b, &backends[i], insns))
			return 1;
		print_row(backends[i].name, insns);
	}
	/* The last row is the kernel's. */
	failed |= check_limit("depth 6", insns[MAX_DEPTH], b->limit_depth6);
	failed |= check_limit("per further hop", hop_cost(insns), b->limit_hop);
	return failed;
}

static const struct argp_option options[] = {
	{ "nodes", 'n', "N", 0, "nodes in the file (20000)", 0 },
	{ "lookups", 'l', "N", 0, "lookups per figure (200)", 0 },
	{ "limit-depth6", '6', "N", 0, "fail if the chain needs more at depth 6", 0 },
	{ "limit-hop", 'h', "N", 0, "fail if a further hop of the chain needs more", 0 },
	{ "ordinary", 'o', NULL, 0, "ordinary single reads only, no chains", 0 },
	{ "backend", 'b', "NAME", 0, "only pread, uring or chain", 0 },
	{ "depth", 'd', "N", 0, "with --backend, only this depth; may be repeated", 0 },
	{ }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench *b = state->input;
	unsigned long depth;

	switch (key) {
	case 'n':
		b->nodes = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	case 'l':
		b->lookups = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	case '6':
		b->limit_depth6 = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	case 'h':
		b->limit_hop = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	case 'o':
		b->ordinary = 1;
		return 0;
	case 'b':
		b->only = find_backend(arg);
		if (!b->only)
			argp_error(state, "there is no backend %s", arg);
		return 0;
	case 'd':
		depth = strtoul(arg, NULL, 10);
		if (!depth || depth > MAX_DEPTH)
			argp_error(state, "a depth is 1 to %d, not %s", MAX_DEPTH, arg);
		b->depths |= 1u << depth;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_usage(state);
		*(state->arg_num ? &b->path : &b->walker) = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num != 2 || b->nodes < 2 || !b->lookups)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int prepare(struct bench *b)
{
	int err = chase_build(b->path, b->nodes, 1);

	if (err)
		return err;
	b->direct = open(b->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	b->buffered = open(b->path, O_RDONLY | O_CLOEXEC);
	if (b->direct < 0 || b->buffered < 0)
		return -errno;
	return -posix_memalign((void **)&b->buf, CHASE_NODE_SIZE, CHASE_NODE_SIZE);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "WALKER.bpf.o FILE",
		.doc = "Count guest instructions per lookup in a chain of nodes, which is built "
		       "as FILE on the NVMe namespace under test.",
	};
	struct bench b = { .nodes = 20000, .lookups = 200 };
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &b);
	err = prepare(&b);
	if (err) {
		fprintf(stderr, "%s: %s\n", b.path, strerror(-err));
		return 1;
	}
	if (b.only)
		return run_only(&b);
	return b.ordinary ? run_ordinary(&b) : run_all(&b);
}
