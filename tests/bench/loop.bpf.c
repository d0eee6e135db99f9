// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups in io_uring's own loop (Linux 7.x, CONFIG_IO_URING_BPF_OPS): called when reads have
 * completed, the program takes the walker's step with each node and submits the next read. User
 * space calls io_uring_enter() once, for all lookups of a batch, and is not involved again.
 *
 * All of a submission but what differs from read to read is there from the beginning, as
 * bench_loop.c has written it, and with IORING_SETUP_SQ_REWIND the first is always number 0.
 */
#include <linux/io_uring.h>
#include <linux/nvme_ioctl.h>

#include "../lib/chase_step.h"
#include "loop.h"

/* What the rings of LOOP_SLOTS submissions have at least, as they are whole pages. */
#define RING_BYTES	4096

enum { IOU_LOOP_CONTINUE, IOU_LOOP_STOP };
enum { IOU_REGION_MEM, IOU_REGION_CQ, IOU_REGION_SQ };

/* As the kernel has it: for libbpf, one that is only declared would be another. */
struct iou_ctx {
};

struct iou_loop_params {
	__u32 cq_wait_idx;
} __attribute__((preserve_access_index));

/* The kernel's struct of this name; libbpf matches members by name. */
struct io_uring_bpf_ops {
	int (*loop_step)(struct iou_ctx *ring, struct iou_loop_params *params);
	__u32 ring_fd;
	void *priv;
};

extern int bpf_io_uring_submit_sqes(struct iou_ctx *ring, __u32 nr) __ksym;
extern __u8 *bpf_io_uring_get_region(struct iou_ctx *ring, __u32 region_id,
				     const size_t rdwr_buf_size) __ksym;

const volatile struct loop_setup setup;

/* What one call works with. */
struct pass {
	struct loop_control *control;
	__u8 *nodes, *cq, *sq;
};

/* 0 if the file has nothing there, where the first block of no filesystem's file is. */
static __always_inline __u64 locate(__u64 offset)
{
	__u32 i;

	for (i = 0; i < LOOP_MAX_EXTENTS && i < setup.nr_extents; i++) {
		if (offset - setup.extents[i].offset < setup.extents[i].length)
			return setup.extents[i].lba +
			       ((offset - setup.extents[i].offset) >> setup.lba_shift);
	}
	return 0;
}

static __always_inline void queue_read(struct pass *p, __u32 slot, __u64 offset)
{
	__u64 address = setup.nodes + slot * CHASE_NODE_SIZE, lba;
	__u32 n = p->control->queued++ & (LOOP_SLOTS - 1);
	struct nvme_uring_cmd *cmd;
	struct io_uring_sqe *sqe;

	sqe = (void *)(p->sq + (n << setup.sqe_shift));
	sqe->user_data = slot;
	if (!setup.nr_extents) {
		sqe->off = offset;
		sqe->addr = address;
		return;
	}
	lba = locate(offset);
	cmd = (void *)sqe->cmd;
	cmd->addr = address;
	cmd->cdw10 = (__u32)lba;
	cmd->cdw11 = lba >> 32;
}

static __always_inline void begin(struct pass *p)
{
	__u32 i;

	p->control->begun = 1;
	p->control->in_vain = 0;
	p->control->running = p->control->nr;
	for (i = 0; i < LOOP_SLOTS && i < p->control->nr; i++)
		queue_read(p, i, p->control->slots[i].start);
}

static __always_inline void visit(struct pass *p, const struct io_uring_cqe *cqe)
{
	__u32 i = cqe->user_data & (LOOP_SLOTS - 1);
	struct loop_slot *slot = &p->control->slots[i];
	const struct chase_node *node = (void *)(p->nodes + i * CHASE_NODE_SIZE);
	__s64 next;

	if (cqe->res != setup.arrived) {
		p->control->error = cqe->res < 0 ? cqe->res : -5;
		return;
	}
	next = chase_follow_at(slot->hops++, node, &slot->query);
	if (next >= 0) {
		queue_read(p, i, next);
		return;
	}
	if (!--p->control->running)
		p->control->stop_at = 0;
	if (next != CAROM_STEP_DONE)
		p->control->error = next;
}

/* Return: where the completions end. */
static __always_inline __u32 visit_all(struct pass *p)
{
	__u32 *at = (void *)(p->cq + setup.cq_head);
	__u32 tail = *(__u32 *)(p->cq + setup.cq_tail), head = *at, i;
	const __u8 *cqes = p->cq + setup.cqes;

	if (head == tail)
		p->control->in_vain++;
	for (i = 0; i < LOOP_SLOTS && head != tail; i++, head++)
		visit(p, (const void *)(cqes + ((head & setup.cq_mask) << setup.cqe_shift)));
	*at = head;
	return head;
}

static __always_inline __u32 wait_until(const struct pass *p, __u32 head)
{
	if (setup.wait == LOOP_WAIT_ONE)
		return head + 1;
	return setup.wait == LOOP_WAIT_ALL ? head + p->control->running : head;
}

SEC("struct_ops.s/loop_step")
int BPF_PROG(loop_step, struct iou_ctx *ring, struct iou_loop_params *params)
{
	struct loop_memory *memory;
	__u32 head, queued;
	struct pass p;

	memory = (void *)bpf_io_uring_get_region(ring, IOU_REGION_MEM, sizeof(*memory));
	p.cq = bpf_io_uring_get_region(ring, IOU_REGION_CQ, RING_BYTES);
	p.sq = bpf_io_uring_get_region(ring, IOU_REGION_SQ, RING_BYTES);
	if (!memory || !p.cq || !p.sq)
		return IOU_LOOP_STOP;
	p.control = &memory->control;
	p.nodes = memory->nodes[0];
	p.control->queued = 0;
	head = visit_all(&p);
	if (!p.control->begun)
		begin(&p);
	if (p.control->error || p.control->in_vain >= p.control->stop_at)
		return IOU_LOOP_STOP;
	queued = p.control->queued;
	if (queued && bpf_io_uring_submit_sqes(ring, queued) != (int)queued) {
		p.control->error = -11;
		return IOU_LOOP_STOP;
	}
	params->cq_wait_idx = wait_until(&p, head);
	return IOU_LOOP_CONTINUE;
}

SEC(".struct_ops.link")
struct io_uring_bpf_ops loop_ops = { .loop_step = (void *)loop_step };

char _license[] SEC("license") = "GPL";
