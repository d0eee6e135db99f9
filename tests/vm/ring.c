// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

/* How long a completion may take to come. */
#define PATIENCE_S 60

#define DEFER	(IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER)
#define LARGE	(IORING_SETUP_SQE128 | IORING_SETUP_CQE32)

const struct flavour ring_flavours[RING_FLAVOURS] = {
	{ .name = "plain" },
	{ .name = "registered file", .fixed = true },
	{ .name = "DEFER_TASKRUN", .setup = DEFER },
	{ .name = "SQPOLL", .setup = IORING_SETUP_SQPOLL },
	{ .name = "IOPOLL", .setup = IORING_SETUP_IOPOLL },
	{ .name = "IOPOLL, DEFER_TASKRUN", .setup = IORING_SETUP_IOPOLL | DEFER, .fixed = true },
	{ .name = "IOPOLL, SQPOLL", .setup = IORING_SETUP_IOPOLL | IORING_SETUP_SQPOLL },
	{ .name = "SQE128, CQE32", .setup = LARGE, .fixed = true },
};

void ring_open(struct ring *r, const struct engine *e, const struct flavour *f,
	       unsigned int entries)
{
	struct io_uring_params p = { .flags = f->setup, .sq_thread_idle = 50 };

	*r = (struct ring) { .flavour = f, .fd = e->fd };
	assert_ok(io_uring_queue_init_params(entries, &r->uring, &p));
	if (!f->fixed)
		return;
	assert_ok(io_uring_register_files(&r->uring, &e->fd, 1));
	r->fd = 0;
}

void ring_close(struct ring *r)
{
	io_uring_queue_exit(&r->uring);
}

bool ring_polls(const struct ring *r)
{
	return r->flavour->setup & IORING_SETUP_IOPOLL;
}

void ring_submit(struct ring *r)
{
	assert_ok(io_uring_submit(&r->uring));
}

static struct io_uring_sqe *next_sqe(struct ring *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	while (!sqe) {
		ring_submit(r);
		if (r->flavour->setup & IORING_SETUP_SQPOLL)
			assert_ok(io_uring_sqring_wait(&r->uring));
		sqe = io_uring_get_sqe(&r->uring);
	}
	return sqe;
}

struct io_uring_sqe *ring_command(struct ring *r, __u32 op, __u32 slot, __u32 flags,
				  __u64 offset, __u64 data)
{
	struct carom_uring cmd = { .slot = slot, .flags = flags, .offset = offset };
	struct io_uring_sqe *sqe = next_sqe(r);

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = r->fd;
	sqe->flags = r->flavour->fixed ? IOSQE_FIXED_FILE : 0;
	sqe->cmd_op = op;
	sqe->user_data = data;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	return sqe;
}

void ring_lookup(struct ring *r, __u32 slot, __u32 flags, __u64 offset)
{
	ring_command(r, CAROM_URING_LOOKUP, slot, flags, offset, slot);
}

/* A ring that polls has no timeouts, but its waits end by themselves now and then. */
static int wait_cqe(struct ring *r, struct io_uring_cqe **cqe)
{
	struct __kernel_timespec ts = { .tv_sec = PATIENCE_S };
	long until = vm_now_ms() + PATIENCE_S * 1000;
	int err;

	if (!ring_polls(r))
		return io_uring_wait_cqe_timeout(&r->uring, cqe, &ts);
	do {
		err = io_uring_wait_cqe(&r->uring, cqe);
	} while (err == -EAGAIN && vm_now_ms() < until);
	return err;
}

int ring_wait(struct ring *r, __u64 *data)
{
	struct io_uring_cqe *cqe;
	int err, res;

	err = wait_cqe(r, &cqe);
	if (err)
		fail_msg("%s: no completion: %s", r->flavour->name, strerror(-err));
	res = cqe->res;
	if (data)
		*data = cqe->user_data;
	io_uring_cqe_seen(&r->uring, cqe);
	return res;
}

int ring_call(struct ring *r, __u32 op, __u32 slot, __u32 flags, __u64 offset)
{
	__u64 data;
	int res;

	ring_command(r, op, slot, flags, offset, 0xca11);
	ring_submit(r);
	res = ring_wait(r, &data);
	assert_int_equal(data, 0xca11);
	return res;
}

int ring_cancel(struct ring *r, __u32 slot)
{
	return ring_call(r, CAROM_URING_CANCEL, slot, 0, 0);
}

static size_t results_size(const struct engine *e)
{
	return e->open.nr_slots * sizeof(struct carom_result);
}

const struct carom_result *ring_map_results(const struct engine *e)
{
	const struct carom_result *results;

	results = mmap(NULL, results_size(e), PROT_READ, MAP_SHARED, e->fd, CAROM_MMAP_RESULTS);
	assert_ptr_not_equal(results, MAP_FAILED);
	return results;
}

void ring_unmap_results(const struct engine *e, const struct carom_result *results)
{
	munmap((void *)results, results_size(e));
}

static const char *device(void)
{
	const char *name = getenv("CAROM_VM_DEVICE");

	assert_non_null(name);
	return strrchr(name, '/') + 1;
}

static unsigned int read_number(const char *path)
{
	unsigned int n = 0;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%u", &n) != 1)
		fail_msg("%s: %s", path, strerror(errno));
	fclose(f);
	return n;
}

bool ring_device_polls(void)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/io_poll", device());
	return read_number(path);
}

/* Remembers what there was at first. */
static void set_number(const char *path, unsigned int n, unsigned int *first)
{
	if (!*first)
		*first = read_number(path);
	vm_sh("echo %u >%s", n ?: *first, path);
}

void ring_set_budget(unsigned int budget)
{
	static unsigned int first;

	set_number("/sys/module/nvme/parameters/chain_budget", budget, &first);
}

void ring_set_requests(unsigned int requests)
{
	static unsigned int first;
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/nr_requests", device());
	set_number(path, requests, &first);
}

static void read_next(struct bench *b, const char *path)
{
	struct chase_node node;
	int fd = vm_open(path, O_RDONLY);
	unsigned int i;

	for (i = 0; i < BENCH_NODES; i++) {
		assert_int_equal(pread(fd, &node, sizeof(node), i * 4096), sizeof(node));
		b->next[i] = (__u32)(node.next / 4096);
	}
	close(fd);
}

void bench_open(struct bench *b, const char *path, unsigned int slots)
{
	struct carom_open arg = { .nr_slots = slots, .max_hops = CAROM_MAX_HOPS };

	read_next(b, path);
	vm_session(&b->e, path, "chase", 4096, &arg);
	b->results = ring_map_results(&b->e);
	b->depth = calloc(slots, sizeof(*b->depth));
	b->start = calloc(slots, sizeof(*b->start));
	b->sequence = calloc(slots, sizeof(*b->sequence));
	assert_true(b->depth && b->start && b->sequence);
}

void bench_close(struct bench *b)
{
	free(b->depth);
	free(b->start);
	free(b->sequence);
	ring_unmap_results(&b->e, b->results);
	engine_close(&b->e);
}

__u64 bench_ask(struct bench *b, __u32 slot, __u32 start, __u32 depth)
{
	struct chase_query *query = engine_scratch(&b->e, slot);

	b->depth[slot] = depth;
	b->start[slot] = start % BENCH_NODES;
	*query = (struct chase_query) { .depth = depth, .id = ~0ULL };
	return b->start[slot] * 4096ULL;
}

void bench_check(struct bench *b, __u32 slot, int res)
{
	const struct chase_query *query = engine_scratch(&b->e, slot);
	const struct carom_result *r = &b->results[slot];
	const struct chase_node *node = engine_node(&b->e, slot);
	__u32 want = b->start[slot], i;

	for (i = 1; i < b->depth[slot]; i++)
		want = b->next[want];
	if (res != CAROM_END_DONE || query->id != want)
		fail_msg("slot %u, depth %u from %u: %d, number %llu instead of %u", slot,
			 b->depth[slot], b->start[slot], res, query->id, want);
	assert_int_equal(r->end, res);
	assert_int_equal(r->hops, b->depth[slot]);
	assert_int_equal(r->code, 0);
	assert_int_equal(r->at, want * 4096);
	assert_int_equal(r->sequence, ++b->sequence[slot]);
	assert_int_equal(node->id, want);
	assert_int_equal(node->next, b->next[want] * 4096ULL);
}

static void bench_send(struct bench *b, struct ring *r, __u32 slot, unsigned int n,
		       unsigned int depth)
{
	ring_lookup(r, slot, 0, bench_ask(b, slot, n * 7, 1 + n % depth));
}

void bench_run(struct bench *b, struct ring *r, __u32 first, __u32 slots, unsigned int count,
	       unsigned int depth)
{
	unsigned int sent, seen;
	__u64 slot;
	int res;

	for (sent = 0; sent < slots && sent < count; sent++)
		bench_send(b, r, first + sent, sent, depth);
	ring_submit(r);
	for (seen = 0; seen < count; seen++) {
		res = ring_wait(r, &slot);
		assert_in_range(slot, first, first + slots - 1);
		bench_check(b, (__u32)slot, res);
		if (sent == count)
			continue;
		bench_send(b, r, (__u32)slot, sent, depth);
		ring_submit(r);
		sent++;
	}
}
