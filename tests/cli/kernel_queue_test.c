// SPDX-License-Identifier: GPL-2.0
/*
 * Queues on a carom.ko that is played: its commands never reach the ring, where
 * reads are real. Lookups end in the opposite order of their submission.
 */
#include <errno.h>
#include <string.h>
#include "fake_module.h"

#define DEPTH	8

typedef void ended_fn(void *ctx, struct carom_reader *rd, int res);

int __real_carom_ring_read(struct carom_ring *ring, struct carom_reader *rd);
unsigned int __real_carom_ring_prepared(const struct carom_ring *ring);
unsigned int __real_carom_ring_pending(const struct carom_ring *ring);
int __real_carom_ring_enter(struct carom_ring *ring, unsigned int nr, __s64 ns);
void __real_carom_ring_reap(struct carom_ring *ring, ended_fn *ended, void *ctx);
int __wrap_carom_ring_command(struct carom_ring *ring, struct carom_reader *rd, __u32 op);
int __wrap_carom_ring_read(struct carom_ring *ring, struct carom_reader *rd);
unsigned int __wrap_carom_ring_prepared(const struct carom_ring *ring);
unsigned int __wrap_carom_ring_pending(const struct carom_ring *ring);
int __wrap_carom_ring_enter(struct carom_ring *ring, unsigned int nr, __s64 ns);
void __wrap_carom_ring_reap(struct carom_ring *ring, ended_fn *ended, void *ctx);

/**
 * struct command - what should be in the ring
 * @rd: the lookup's reader, NULL for a cancellation
 * @canceled: its slot has been
 */
struct command {
	struct carom_reader *rd;
	bool canceled;
};

/**
 * struct played - the ring's half of the module
 * @cmds: under way
 * @nr: of them
 * @sent: of those, how many the kernel has
 * @enters: calls that sent some
 * @reads: reads that went to the ring
 * @cancel: lookups are canceled while they read
 */
static struct played {
	struct command cmds[64];
	unsigned int nr;
	unsigned int sent;
	unsigned int enters;
	unsigned int reads;
	bool cancel;
} ring_mod;

static void mark_canceled(__u32 slot)
{
	unsigned int i;

	for (i = 0; i < ring_mod.nr; i++)
		if (ring_mod.cmds[i].rd && ring_mod.cmds[i].rd->slot == slot)
			ring_mod.cmds[i].canceled = true;
}

int __wrap_carom_ring_command(struct carom_ring *ring, struct carom_reader *rd, __u32 op)
{
	(void)ring;
	assert_true(ring_mod.nr < 64);
	if (op == CAROM_URING_CANCEL)
		mark_canceled(rd->slot);
	else
		assert_true(op == CAROM_URING_LOOKUP);
	ring_mod.cmds[ring_mod.nr++].rd = op == CAROM_URING_LOOKUP ? rd : NULL;
	return 0;
}

int __wrap_carom_ring_read(struct carom_ring *ring, struct carom_reader *rd)
{
	ring_mod.reads++;
	/* As carom_queue__cancel() would, if the read took its time. */
	rd->canceled = ring_mod.cancel;
	return __real_carom_ring_read(ring, rd);
}

unsigned int __wrap_carom_ring_prepared(const struct carom_ring *ring)
{
	return __real_carom_ring_prepared(ring) + ring_mod.nr - ring_mod.sent;
}

unsigned int __wrap_carom_ring_pending(const struct carom_ring *ring)
{
	return __real_carom_ring_pending(ring) + ring_mod.nr;
}

int __wrap_carom_ring_enter(struct carom_ring *ring, unsigned int nr, __s64 ns)
{
	assert_true(nr <= __wrap_carom_ring_pending(ring));
	ring_mod.enters += ring_mod.nr > ring_mod.sent;
	ring_mod.sent = ring_mod.nr;
	return __real_carom_ring_enter(ring, ring_mod.nr ? 0 : nr, ns);
}

static int run_command(const struct command *cmd)
{
	struct carom_result *result = &mod.results[cmd->rd->slot];
	struct carom_lookup res = { .slot = cmd->rd->slot, .offset = cmd->rd->chain.offset };

	if (cmd->canceled) {
		res.end = CAROM_END_CANCELED;
		res.at = res.offset;
	} else if (mod_lookup(&res)) {
		return -errno;
	}
	*result = (struct carom_result){ .end = res.end, .hops = res.hops, .at = res.at };
	return (int)res.end;
}

void __wrap_carom_ring_reap(struct carom_ring *ring, ended_fn *ended, void *ctx)
{
	struct played now = ring_mod;
	unsigned int i;

	memmove(ring_mod.cmds, ring_mod.cmds + now.sent,
		(now.nr - now.sent) * sizeof(ring_mod.cmds[0]));
	memset(ring_mod.cmds + now.nr - now.sent, 0, now.sent * sizeof(ring_mod.cmds[0]));
	ring_mod.nr -= now.sent;
	ring_mod.sent = 0;
	for (i = now.sent; i--;)
		ended(ctx, now.cmds[i].rd, now.cmds[i].rd ? run_command(&now.cmds[i]) : 0);
	__real_carom_ring_reap(ring, ended, ctx);
}

/* ---- */

static struct carom_index *ix;
static struct carom_queue *q;

static void open_queue(void)
{
	struct carom_index_opts iopts = {
		.sz = sizeof(iopts), .backend = CAROM_BACKEND_KERNEL, .max_readers = 1,
		.max_in_flight = DEPTH, .max_hops = 9,
	};
	struct carom_queue_opts opts = { .sz = sizeof(opts), .depth = DEPTH };
	struct carom_error err;

	if (carom_index__open(mod_path, &iopts, &ix, &err) ||
	    carom_queue__new(ix, &opts, &q, &err))
		fail_msg("%s", err.text);
}

static void close_queue(void)
{
	carom_queue__free(q);
	carom_index__close(ix);
}

static void submit(__u64 node, uint64_t user_data)
{
	__u64 offset = node * FAKE_NODE;

	assert_int_equal(carom_queue__submit(q, &offset, sizeof(offset), user_data), 0);
}

static const struct carom_completion *next(uint64_t user_data)
{
	const struct carom_completion *c;

	assert_int_equal(carom_queue__wait(q, &c), 0);
	assert_int_equal(c->user_data, user_data);
	return c;
}

static __u64 trail(const struct carom_completion *c)
{
	if (c->ret)
		fail_msg("%d: %s", c->ret, c->err->text);
	assert_int_equal(c->val.len, sizeof(struct fake_scratch));
	return ((const struct fake_scratch *)c->val.data)->trail;
}

static void test_a_batch_is_one_call(void **state)
{
	static const __u64 trails[] = { 12345, 2345, 345, 45, 5 };
	const struct carom_completion *c[DEPTH];
	unsigned int i;

	(void)state;
	open_queue();
	assert_int_equal(mod.opened.nr_slots, 1 + DEPTH);
	for (i = 0; i < DEPTH; i++)
		submit(i % 5, i);
	assert_int_equal(ring_mod.enters, 0);
	assert_int_equal(carom_queue__flush(q), 0);
	assert_int_equal(ring_mod.enters, 1);
	/* All of them are ready at once, the last one first. */
	for (i = DEPTH; i--;) {
		c[i] = next(i);
		assert_int_equal(c[i]->kernel_hops, 5 - i % 5);
		assert_int_equal(c[i]->hops, 5 - i % 5);
		assert_null(c[i]->abort);
	}
	assert_int_equal(ring_mod.enters, 1);
	/* Each has its own slot. */
	for (i = 0; i < DEPTH; i++)
		assert_int_equal(trail(c[i]), trails[i % 5]);
	assert_int_equal(ring_mod.reads, 0);
	close_queue();
}

/* Whatever the reason and however far it came: carried on in the ring, and counted. */
static void test_carries_on(void **state)
{
	static const struct { __u32 end; const char *name; } ends[] = {
		{ CAROM_END_DEADLINE, "deadline" }, { CAROM_END_UNALIGNED, "unaligned" },
		{ CAROM_END_RANGE, "range" }, { CAROM_END_HOLE, "hole" },
		{ CAROM_END_SPLIT, "split" }, { CAROM_END_IO, "io" },
		{ CAROM_END_STOPPED, "stopped" }, { CAROM_END_UNLOADED, "unloaded" },
		{ CAROM_END_STALE, "stale" },
	};
	const struct carom_completion *c;
	struct carom_reader_stats st;
	unsigned int i, k;

	(void)state;
	open_queue();
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		mod.abort_end = ends[i].end;
		mod.abort_after = i % 5;
		ring_mod.reads = 0;
		for (k = 0; k < DEPTH; k++)
			submit(0, k);
		assert_int_equal(carom_queue__wait_nr(q, DEPTH, -1), DEPTH);
		assert_int_equal(ring_mod.reads, DEPTH * (5 - i % 5));
		for (k = 0; k < DEPTH; k++) {
			assert_int_equal(carom_queue__peek(q, &c), 0);
			assert_int_equal(trail(c), 12345);
			assert_int_equal(c->hops, 5);
			assert_int_equal(c->kernel_hops, i % 5);
			assert_string_equal(c->abort, ends[i].name);
			carom_queue__done(q, c);
		}
		carom_queue__stats(q, &st, sizeof(st));
		assert_int_equal(st.fallbacks, (i + 1) * DEPTH);
		assert_string_equal(st.last_abort, ends[i].name);
	}
	/* The next ones go through in the kernel again. */
	mod.abort_after = 100;
	submit(0, 1);
	c = next(1);
	assert_int_equal(trail(c), 12345);
	assert_int_equal(c->kernel_hops, 5);
	assert_null(c->abort);
	close_queue();
}

static void test_hop_budget_is_one(void **state)
{
	const struct carom_completion *c;

	(void)state;
	open_queue();
	mod.abort_end = CAROM_END_STOPPED;
	mod.abort_after = 6;
	submit(5, 1);
	c = next(1);
	assert_int_equal(c->ret, -ELOOP);
	assert_int_equal(c->hops, 9);
	assert_int_equal(c->kernel_hops, 6);
	close_queue();
}

static void test_does_not_carry_on(void **state)
{
	static const struct { __u32 end; int code; enum carom_fault fault; } ends[] = {
		{ CAROM_END_HOPS, -ELOOP, CAROM_FAULT_FORMAT },
		{ CAROM_END_CANCELED, -EINTR, CAROM_FAULT_IO },
		{ CAROM_END_BAD_RETURN, -EPROTO, CAROM_FAULT_BACKEND },
	};
	const struct carom_completion *c;
	size_t i;

	(void)state;
	open_queue();
	mod.abort_after = 2;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		mod.abort_end = ends[i].end;
		submit(0, i);
		c = next(i);
		assert_int_equal(c->ret, ends[i].code);
		assert_int_equal(c->err->code, ends[i].code);
		assert_int_equal(c->err->fault, ends[i].fault);
		assert_null(c->val.data);
		carom_queue__done(q, c);
	}
	mod.lookup_errno = EBUSY;
	submit(0, 9);
	c = next(9);
	assert_int_equal(c->ret, -EBUSY);
	assert_int_equal(c->err->fault, CAROM_FAULT_IO);
	assert_int_equal(ring_mod.reads, 0);
	close_queue();
}

static void test_cancel(void **state)
{
	const struct carom_completion *c;
	unsigned int i;

	(void)state;
	open_queue();
	for (i = 0; i < 4; i++)
		submit(0, i);
	assert_int_equal(carom_queue__cancel(q, 2), 0);
	assert_int_equal(carom_queue__cancel(q, 4), -ENOENT);
	for (i = 4; i--;) {
		c = next(i);
		assert_int_equal(c->ret, i == 2 ? -ECANCELED : 0);
		carom_queue__done(q, c);
	}
	/* One that is being carried on. */
	mod.abort_end = CAROM_END_STOPPED;
	mod.abort_after = 2;
	ring_mod.cancel = true;
	submit(0, 7);
	c = next(7);
	assert_int_equal(ring_mod.reads, 1);
	assert_int_equal(c->ret, -ECANCELED);
	assert_int_equal(c->hops, 3);
	close_queue();
}

static void test_free_in_flight(void **state)
{
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 4; round++) {
		mod.abort_end = CAROM_END_STOPPED;
		mod.abort_after = round & 1 ? 2 : 100;
		open_queue();
		for (i = 0; i < DEPTH; i++)
			submit(0, i);
		if (round & 2)
			assert_int_equal(carom_queue__flush(q), 0);
		close_queue();
		/* The kernel has let go of every slot. */
		assert_int_equal(ring_mod.nr, 0);
	}
}

static int setup(void **state)
{
	memset(&ring_mod, 0, sizeof(ring_mod));
	return mod_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_batch_is_one_call, setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_carries_on, setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_hop_budget_is_one, setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_does_not_carry_on, setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, mod_teardown),
		cmocka_unit_test_setup_teardown(test_free_in_flight, setup, mod_teardown),
	};

	return cmocka_run_group_tests_name("kernel backend: queues", tests, NULL, NULL);
}
