// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring's own loop, in which a BPF program (loop.bpf.c) submits the next read: what mainline
 * has for dependent reads. The ring is set up with all that makes it cheaper.
 */
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "insns.h"
#include "loop.h"

/* Newer than the headers of Debian 12. */
#define SETUP_NO_SQARRAY	(1U << 16)
#define SETUP_SQ_REWIND		(1U << 20)
#define REGISTER_MEM_REGION	34
#define MEM_REGION_TYPE_USER	1

struct region_desc {
	__u64 user_addr;
	__u64 size;
	__u32 flags;
	__u32 id;
	__u64 mmap_offset;
	__u64 resv[4];
};

struct region_reg {
	__u64 region;
	__u64 flags;
	__u64 resv[2];
};

_Static_assert(LOOP_SLOTS == BATCH, "a slot for each lookup");

/* Passes of a drill. The difference is what is measured. */
#define SHORT_DRILL	100
#define LONG_DRILL	1100
#define DRILLS		9

static struct {
	struct bpf_object *obj;
	struct bpf_link *link;
	double pass_in_vain;	/* what it costs */
	__u64 passes;		/* in vain, in all lookups */
} loop;

static struct loop_control *control(const struct bench *b)
{
	return &((struct loop_memory *)b->nodes)->control;
}

static bool of_device(const struct bench *b)
{
	return b->be->prepare == bench_passthru_prepare;
}

/* --- the ring --- */

static int loop_register(const struct bench *b, unsigned int what, const void *arg, unsigned int nr)
{
	int ret = io_uring_register((unsigned int)b->ring.ring_fd, what, arg, nr);

	return ret < 0 ? ret : 0;
}

static int register_all(struct bench *b, int fd)
{
	struct region_desc region = {
		.user_addr = (__u64)(uintptr_t)b->nodes, .size = sizeof(struct loop_memory),
		.flags = MEM_REGION_TYPE_USER,
	};
	const struct region_reg reg = { .region = (__u64)(uintptr_t)&region };
	const struct iovec iov = { .iov_base = b->nodes, .iov_len = BATCH * CHASE_NODE_SIZE };

	return loop_register(b, IORING_REGISTER_FILES, &fd, 1) ?:
	       loop_register(b, IORING_REGISTER_BUFFERS, &iov, 1) ?:
	       loop_register(b, REGISTER_MEM_REGION, &reg, 1);
}

/* What does not differ from read to read. */
static int fill_submissions(struct bench *b, const struct loop_setup *setup)
{
	const size_t size = (size_t)BATCH << setup->sqe_shift;
	unsigned char *sqes;
	unsigned int i;

	sqes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, b->ring.ring_fd,
		    IORING_OFF_SQES);
	if (sqes == MAP_FAILED)
		return -errno;
	for (i = 0; i < BATCH; i++)
		b->be->prepare(b, (void *)(sqes + ((size_t)i << setup->sqe_shift)), i, 0);
	munmap(sqes, size);
	return 0;
}

static int open_ring(struct bench *b, struct loop_setup *setup)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 SETUP_NO_SQARRAY | SETUP_SQ_REWIND |
			 (of_device(b) ? IORING_SETUP_SQE128 | IORING_SETUP_CQE32 : 0) |
			 (b->be->polled ? IORING_SETUP_IOPOLL : 0),
	};

	b->ring.ring_fd = io_uring_setup(BATCH, &p);
	if (b->ring.ring_fd < 0)
		return bench_lacks(b, b->ring.ring_fd, "no such io_uring: %s",
				   strerror(-b->ring.ring_fd));
	setup->cq_head = p.cq_off.head;
	setup->cq_tail = p.cq_off.tail;
	setup->cqes = p.cq_off.cqes;
	setup->cq_mask = p.cq_entries - 1;
	setup->cqe_shift = of_device(b) ? 5 : 4;
	setup->sqe_shift = of_device(b) ? 7 : 6;
	return 0;
}

/* --- the program --- */

static int tell(struct bpf_object *obj, const char *map, const void *value, size_t size)
{
	size_t room = 0;
	void *to = bpf_map__initial_value(bpf_object__find_map_by_name(obj, map), &room);

	if (!to || room < size)
		return -EINVAL;
	memcpy(to, value, size);
	return 0;
}

static int set_ring(struct bpf_object *obj, int ring_fd)
{
	struct {
		void *loop_step;
		__u32 ring_fd;
		void *priv;
	} *ops;
	size_t room = 0;

	ops = bpf_map__initial_value(bpf_object__find_map_by_name(obj, "loop_ops"), &room);
	if (!ops || room < sizeof(*ops))
		return -EINVAL;
	ops->ring_fd = (__u32)ring_fd;
	return 0;
}

static int load_program(struct bench *b, const struct loop_setup *setup)
{
	struct bpf_map *ops;
	int err;

	if (!b->loop)
		return bench_lacks(b, -EINVAL, "there is no --loop");
	loop.obj = bpf_object__open_file(b->loop, NULL);
	if (!loop.obj)
		return bench_lacks(b, -errno, "%s: %s", b->loop, strerror(errno));
	err = tell(loop.obj, ".rodata", setup, sizeof(*setup)) ?:
	      set_ring(loop.obj, b->ring.ring_fd) ?: bpf_object__load(loop.obj);
	if (err)
		return bench_lacks(b, err, "the loop's program cannot be loaded: %s",
				   strerror(-err));
	ops = bpf_object__find_map_by_name(loop.obj, "loop_ops");
	loop.link = bpf_map__attach_struct_ops(ops);
	if (loop.link)
		return 0;
	return bench_lacks(b, -errno, "this ring takes no loop: %s", strerror(errno));
}

/* --- passes in vain --- */

static int enter(const struct bench *b)
{
	int ret = io_uring_enter((unsigned int)b->ring.ring_fd, 0, 0, IORING_ENTER_GETEVENTS, NULL);

	return ret < 0 ? ret : control(b)->error;
}

/* @passes that find nothing, and no lookup. */
static int drill(const struct bench *b, unsigned int passes, uint64_t *insns)
{
	uint64_t count = 0;
	int i, err;

	*insns = ~0ULL;
	for (i = 0; i < DRILLS; i++) {
		*control(b) = (struct loop_control) { .begun = 1, .stop_at = passes };
		carom_insns_begin();
		err = enter(b);
		carom_insns_end();
		err = err ?: carom_insns_read(&count);
		if (err)
			return err;
		if (count < *insns)
			*insns = count;
	}
	return 0;
}

static int find_pass_cost(struct bench *b)
{
	uint64_t few = 0, many = 0;
	int err;

	loop.passes = 0;
	loop.pass_in_vain = 0;
	err = drill(b, SHORT_DRILL, &few) ?: drill(b, LONG_DRILL, &many);
	if (!err)
		loop.pass_in_vain = (double)(many - few) / (LONG_DRILL - SHORT_DRILL);
	return err == -ENOENT ? 0 : err;
}

/* --- the backend --- */

static void loop_close(struct bench *b)
{
	bpf_link__destroy(loop.link);
	bpf_object__close(loop.obj);
	loop.link = NULL;
	loop.obj = NULL;
	close(b->ring.ring_fd);
}

static int open_loop(struct bench *b, int fd, struct loop_setup *setup)
{
	int err;

	err = open_ring(b, setup);
	if (err)
		return err;
	setup->nodes = (__u64)(uintptr_t)b->nodes;
	setup->arrived = b->be->arrived;
	err = register_all(b, fd) ?: fill_submissions(b, setup) ?: load_program(b, setup);
	if (!err && setup->wait == LOOP_SPIN)
		err = find_pass_cost(b);
	if (err)
		loop_close(b);
	return err;
}

static int open_file(struct bench *b, enum loop_wait wait)
{
	struct loop_setup setup = { .wait = wait };

	return open_loop(b, b->direct, &setup);
}

static int loop_open(struct bench *b)
{
	return open_file(b, LOOP_WAIT_ONE);
}

static int loop_all_open(struct bench *b)
{
	return open_file(b, LOOP_WAIT_ALL);
}

static int loop_spin_open(struct bench *b)
{
	return open_file(b, LOOP_SPIN);
}

static int loop_passthru_open(struct bench *b)
{
	struct loop_setup setup = { .wait = LOOP_WAIT_ONE };
	int err;

	err = bench_device_open(b, &setup);
	if (err < 0)
		return err;
	err = open_loop(b, err, &setup);
	if (err)
		bench_device_close();
	return err;
}

static void loop_passthru_close(struct bench *b)
{
	loop_close(b);
	bench_device_close();
}

static void plain_prepare(struct bench *b, struct io_uring_sqe *sqe, unsigned int i, __u64 offset)
{
	io_uring_prep_read(sqe, 0, bench_node(b, i), CHASE_NODE_SIZE, offset);
	sqe->flags |= IOSQE_FIXED_FILE;
}

static int loop_run(struct bench *b, const struct job *job)
{
	struct loop_control *c = control(b);
	unsigned int i;
	int err;

	c->nr = b->be->batch;
	c->begun = c->running = c->in_vain = 0;
	c->stop_at = ~0U;
	c->error = 0;
	for (i = 0; i < b->be->batch; i++) {
		c->slots[i].start = job->starts[i];
		c->slots[i].query.depth = job->depth;
		c->slots[i].hops = 0;
	}
	err = enter(b);
	if (err)
		return err;
	for (i = 0; i < b->be->batch; i++) {
		if (c->slots[i].hops != job->depth)
			return -EIO;
		job->ids[i] = c->slots[i].query.id;
	}
	return 0;
}

static double loop_in_vain(struct bench *b)
{
	loop.passes += control(b)->in_vain;
	return loop.pass_in_vain * control(b)->in_vain;
}

/* One that spins and never did so in vain has been told apart from nothing. */
static int loop_check(struct bench *b)
{
	return loop.passes ? 0 : bench_lacks(b, -EIO, "no pass was in vain");
}

/* Told by interrupts: asleep until a read, or, if there are several, one of them, has completed. */

const struct backend bench_loop = {
	.name = "loop", .batch = 1, .sleeps = FOR_EACH_READ, .chosen_only = true,
	.open = loop_open, .run = loop_run, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_loop_8 = {
	.name = "loop-8", .batch = 8, .chosen_only = true,
	.open = loop_open, .run = loop_run, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_loop_32 = {
	.name = "loop-32", .batch = BATCH, .chosen_only = true,
	.open = loop_open, .run = loop_run, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

/* Never asleep: the program is called again and again until a read has completed. */

const struct backend bench_loop_spin = {
	.name = "loop-spin", .batch = 1, .chosen_only = true,
	.open = loop_spin_open, .run = loop_run, .check = loop_check, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE, .in_vain = loop_in_vain,
};

const struct backend bench_loop_8_spin = {
	.name = "loop-8-spin", .batch = 8, .chosen_only = true,
	.open = loop_spin_open, .run = loop_run, .check = loop_check, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE, .in_vain = loop_in_vain,
};

const struct backend bench_loop_32_spin = {
	.name = "loop-32-spin", .batch = BATCH, .chosen_only = true,
	.open = loop_spin_open, .run = loop_run, .check = loop_check, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE, .in_vain = loop_in_vain,
};

/* What was tried besides. */

const struct backend bench_loop_plain = {
	.name = "loop-plain", .batch = 1, .sleeps = FOR_EACH_READ, .chosen_only = true,
	.open = loop_open, .run = loop_run, .close = loop_close,
	.prepare = plain_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_loop_polled = {
	.name = "loop-polled", .batch = 1, .polled = true, .chosen_only = true,
	.open = loop_open, .run = loop_run, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

const struct backend bench_loop_32_all = {
	.name = "loop-32-all", .batch = BATCH, .chosen_only = true,
	.open = loop_all_open, .run = loop_run, .close = loop_close,
	.prepare = bench_uring_prepare, .arrived = CHASE_NODE_SIZE,
};

/* The reads are NVMe commands, which the program addresses itself. */

const struct backend bench_loop_passthru = {
	.name = "loop-passthru", .batch = 1, .sleeps = FOR_EACH_READ, .chosen_only = true,
	.open = loop_passthru_open, .run = loop_run, .close = loop_passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_loop_8_passthru = {
	.name = "loop-8-passthru", .batch = 8, .chosen_only = true,
	.open = loop_passthru_open, .run = loop_run, .close = loop_passthru_close,
	.prepare = bench_passthru_prepare,
};

const struct backend bench_loop_32_passthru = {
	.name = "loop-32-passthru", .batch = BATCH, .chosen_only = true,
	.open = loop_passthru_open, .run = loop_run, .close = loop_passthru_close,
	.prepare = bench_passthru_prepare,
};
