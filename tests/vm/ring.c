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
