// SPDX-License-Identifier: GPL-2.0
/* Whose a slot is, and whether its chain may go on (slots.c). */
#include "bench.h"
#include "../slots.c"

#define BUSY		CAROM_SLOT_BUSY
#define CANCELED	(CAROM_SLOT_BUSY | CAROM_SLOT_CANCELED)

static struct carom_bench *carom_slots_bench(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	return bench;
}

static int carom_slots_take(struct carom_slot *slot)
{
	struct carom_session *s = slot->session;

	return PTR_ERR_OR_ZERO(carom_slot_take(s, slot - s->slots));
}

static int carom_slots_release(struct carom_slot *slot)
{
	carom_slot_release(slot);
	return 0;
}

/**
 * struct carom_slots_move - what can be done to a slot, in each of its states
 * @name: of the case
 * @move: does it
 * @from: state before
 * @to: state after
 * @ret: what @move returns
 */
struct carom_slots_move {
	const char	*name;
	int		(*move)(struct carom_slot *slot);
	unsigned long	from;
	unsigned long	to;
	int		ret;
};

static const struct carom_slots_move carom_slots_moves[] = {
	{ "take_free", carom_slots_take, 0, BUSY, 0 },
	{ "take_busy", carom_slots_take, BUSY, BUSY, -EBUSY },
	{ "take_canceled", carom_slots_take, CANCELED, CANCELED, -EBUSY },
	{ "cancel_free", carom_slot_cancel, 0, 0, -ENOENT },
	{ "cancel_busy", carom_slot_cancel, BUSY, CANCELED, 0 },
	{ "cancel_canceled", carom_slot_cancel, CANCELED, CANCELED, -EALREADY },
	{ "release_busy", carom_slots_release, BUSY, 0, 0 },
	{ "release_canceled", carom_slots_release, CANCELED, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(carom_slots_move, carom_slots_moves, name);

static void carom_slots_test_move(struct kunit *test)
{
	const struct carom_slots_move *move = test->param_value;
	struct carom_bench *bench = carom_slots_bench(test);
	struct carom_slot *slot = &bench->session.slots[1];

	slot->state = move->from;
	KUNIT_EXPECT_EQ(test, move->ret, move->move(slot));
	KUNIT_EXPECT_EQ(test, move->to, slot->state);
	/* Its neighbours have nothing to do with that. */
	KUNIT_EXPECT_EQ(test, 0, bench->session.slots[0].state);
	KUNIT_EXPECT_EQ(test, 0, bench->session.slots[2].state);
}

static void carom_slots_test_index(struct kunit *test)
{
	struct carom_session *s = &carom_slots_bench(test)->session;
	u32 i;

	for (i = 0; i < CAROM_BENCH_SLOTS; i++)
		KUNIT_EXPECT_PTR_EQ(test, &s->slots[i], carom_slot_take(s, i));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(carom_slot_take(s, CAROM_BENCH_SLOTS)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(carom_slot_take(s, U32_MAX)));
	for (i = 0; i < CAROM_BENCH_SLOTS; i++)
		KUNIT_EXPECT_EQ(test, -EBUSY, PTR_ERR(carom_slot_take(s, i)));
}

/* As many lookups as slots are in flight, and each that ends makes room for one. */
static void carom_slots_test_in_flight(struct kunit *test)
{
	struct carom_session *s = &carom_slots_bench(test)->session;
	u32 i;

	for (i = 0; i < CAROM_BENCH_SLOTS; i++)
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, carom_slot_take(s, i));
	carom_slot_release(&s->slots[2]);
	for (i = 0; i < CAROM_BENCH_SLOTS; i++)
		KUNIT_EXPECT_EQ(test, i == 2, !IS_ERR(carom_slot_take(s, i)));
}

/* ---- cancellation against the end ---- */

static void carom_slots_ended(struct carom_slot *slot)
{
	slot->done = true;
}

static struct carom_slot *carom_slots_begun(struct kunit *test)
{
	struct carom_bench *bench = carom_slots_bench(test);
	struct carom_slot *slot = &bench->session.slots[0];

	KUNIT_ASSERT_EQ(test, 0, carom_map_add(&bench->file.map, 0, 800, 64));
	carom_bench_geometry(bench, 64 << SECTOR_SHIFT, SECTOR_SHIFT);
	KUNIT_ASSERT_EQ(test, 0, carom_slots_take(slot));
	slot->ended = carom_slots_ended;
	carom_chain_begin(slot, 0);
	return slot;
}

static void carom_slots_cancel_seen(struct carom_bench *bench, struct carom_slot *slot)
{
	if (bench->reads == 2)
		carom_slot_cancel(slot);
}

/* Before the first read: there is none. */
static void carom_slots_test_cancel_first(struct kunit *test)
{
	struct carom_slot *slot = carom_slots_begun(test);

	KUNIT_ASSERT_EQ(test, 0, carom_slot_cancel(slot));
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_CANCELED, slot->end);
	KUNIT_EXPECT_EQ(test, 0, carom_bench_of(slot)->legs);
}

/* While a read is in flight: the walker sees it, and that is the last. */
static void carom_slots_test_cancel_flying(struct kunit *test)
{
	struct carom_slot *slot = carom_slots_begun(test);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->seen = carom_slots_cancel_seen;
	bench->script[0] = 4096;
	bench->script[1] = 8192;
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_CANCELED, slot->end);
	KUNIT_EXPECT_EQ(test, 2, bench->reads);
	KUNIT_EXPECT_EQ(test, 2, slot->hop.index);
	KUNIT_EXPECT_EQ(test, 8192, slot->at);
}

/* While the read is in flight that has the answer: it is told. */
static void carom_slots_test_cancel_late(struct kunit *test)
{
	struct carom_slot *slot = carom_slots_begun(test);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->seen = carom_slots_cancel_seen;
	bench->script[0] = 4096;
	bench->script[1] = CAROM_STEP_DONE;
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_DONE, slot->end);
	KUNIT_EXPECT_EQ(test, 4096, slot->at);
}

/* Between two legs: there is no second. */
static void carom_slots_test_cancel_yielded(struct kunit *test)
{
	struct carom_slot *slot = carom_slots_begun(test);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->budget = 1;
	bench->script[0] = 4096;
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_ASSERT_EQ(test, CAROM_END_NONE, slot->end);
	KUNIT_ASSERT_EQ(test, 0, carom_slot_cancel(slot));
	KUNIT_EXPECT_EQ(test, CAROM_LEG_ENDED, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_CANCELED, slot->end);
	KUNIT_EXPECT_EQ(test, 4096, slot->at);
	KUNIT_EXPECT_EQ(test, 1, bench->reads);
}

/* After the end nothing changes it, and the slot's next lookup does not inherit it. */
static void carom_slots_test_cancel_ended(struct kunit *test)
{
	struct carom_slot *slot = carom_slots_begun(test);
	struct carom_bench *bench = carom_bench_of(slot);

	bench->script[0] = CAROM_STEP_MISS;
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, 0, carom_slot_cancel(slot));
	KUNIT_EXPECT_EQ(test, CAROM_END_MISS, slot->end);
	carom_slot_release(slot);
	KUNIT_EXPECT_EQ(test, -ENOENT, carom_slot_cancel(slot));
	KUNIT_ASSERT_EQ(test, 0, carom_slots_take(slot));
	carom_chain_begin(slot, 0);
	KUNIT_ASSERT_EQ(test, CAROM_LEG_SENT, carom_chain_leg(slot, 0));
	KUNIT_EXPECT_EQ(test, CAROM_END_MISS, slot->end);
}

/* ---- memory ---- */

static void carom_slots_test_memory(struct kunit *test)
{
	struct carom_session *s = &carom_slots_bench(test)->session;
	struct carom_slot *slot;
	u32 i;

	for (i = 0; i < CAROM_BENCH_SLOTS; i++) {
		slot = &s->slots[i];
		KUNIT_EXPECT_PTR_EQ(test, s, slot->session);
		KUNIT_EXPECT_PTR_EQ(test, s->scratch + i * PAGE_SIZE, (void *)slot->scratch);
		KUNIT_EXPECT_PTR_EQ(test, &s->results[i], slot->result);
		KUNIT_EXPECT_PTR_EQ(test, page_address(slot->chain.page), (void *)slot->node);
		KUNIT_EXPECT_EQ(test, CAROM_BENCH_NODE, slot->chain.bytes);
		KUNIT_EXPECT_NULL(test, memchr_inv(slot->node, 0, CAROM_BENCH_NODE));
		KUNIT_EXPECT_NULL(test, memchr_inv(slot->scratch, 0, PAGE_SIZE));
	}
}

/**
 * struct carom_slots_area - a mapping that is asked for, and refused
 * @name: of the case
 * @offset: in the session's descriptor
 * @pages: how many
 * @flags: VM_*
 * @err: how
 */
struct carom_slots_area {
	const char	*name;
	u64		offset;
	u32		pages;
	unsigned long	flags;
	int		err;
};

static const struct carom_slots_area carom_slots_areas[] = {
	{ "private_nodes", CAROM_MMAP_NODES, 4, VM_READ, -EINVAL },
	{ "writable_nodes", CAROM_MMAP_NODES, 4, VM_SHARED | VM_READ | VM_WRITE, -EPERM },
	{ "executable_nodes", CAROM_MMAP_NODES, 4, VM_SHARED | VM_READ | VM_EXEC, -EPERM },
	{ "less_nodes", CAROM_MMAP_NODES, 3, VM_SHARED | VM_READ, -EINVAL },
	{ "more_nodes", CAROM_MMAP_NODES, 5, VM_SHARED | VM_READ, -EINVAL },
	{ "second_node", CAROM_MMAP_NODES + PAGE_SIZE, 3, VM_SHARED | VM_READ, -EINVAL },
	{ "less_scratch", CAROM_MMAP_SCRATCH, 3, VM_SHARED | VM_READ, -EINVAL },
	{ "more_scratch", CAROM_MMAP_SCRATCH, 5, VM_SHARED | VM_READ, -EINVAL },
	{ "writable_results", CAROM_MMAP_RESULTS, 1, VM_SHARED | VM_READ | VM_WRITE, -EPERM },
	{ "more_results", CAROM_MMAP_RESULTS, 2, VM_SHARED | VM_READ, -EINVAL },
	{ "nothing", CAROM_MMAP_RESULTS + (1ULL << 40), 1, VM_SHARED | VM_READ, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(carom_slots_area, carom_slots_areas, name);

static void carom_slots_test_mmap(struct kunit *test)
{
	const struct carom_slots_area *area = test->param_value;
	struct carom_session *s = &carom_slots_bench(test)->session;
	struct vm_area_struct *vma = kunit_kzalloc(test, sizeof(*vma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vma);
	vma->vm_end = area->pages * PAGE_SIZE;
	vma->vm_pgoff = area->offset >> PAGE_SHIFT;
	vm_flags_init(vma, area->flags);
	KUNIT_EXPECT_EQ(test, area->err, carom_slots_mmap(s, vma));
}

static struct kunit_case carom_slots_cases[] = {
	KUNIT_CASE_PARAM(carom_slots_test_move, carom_slots_move_gen_params),
	KUNIT_CASE(carom_slots_test_index),
	KUNIT_CASE(carom_slots_test_in_flight),
	KUNIT_CASE(carom_slots_test_cancel_first),
	KUNIT_CASE(carom_slots_test_cancel_flying),
	KUNIT_CASE(carom_slots_test_cancel_late),
	KUNIT_CASE(carom_slots_test_cancel_yielded),
	KUNIT_CASE(carom_slots_test_cancel_ended),
	KUNIT_CASE(carom_slots_test_memory),
	KUNIT_CASE_PARAM(carom_slots_test_mmap, carom_slots_area_gen_params),
	{ }
};

static struct kunit_suite carom_slots_suite = {
	.name = "carom_slots",
	.test_cases = carom_slots_cases,
};

kunit_test_suite(carom_slots_suite);
