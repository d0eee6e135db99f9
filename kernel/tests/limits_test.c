// SPDX-License-Identifier: GPL-2.0
/* What the administrator lets sessions have (limits.c). */
#include "bench.h"
#include "../limits.c"

/* The parameters are this module's own. */
static void carom_limits_test_exit(struct kunit *test)
{
	carom_max_slots = CAROM_MAX_SLOTS;
	carom_max_hops = CAROM_MAX_HOPS;
	carom_max_deadline_ms = CAROM_MAX_DEADLINE_MS;
	carom_max_share = 0;
}

/* ---- what one session asks for ---- */

struct carom_limits_ask {
	const char	*name;
	struct carom_open arg;
	const char	*refused;
};

static const struct carom_limits_ask carom_limits_asks[] = {
	{ "slots", { .nr_slots = 3 }, NULL },
	{ "a_slot_too_many", { .nr_slots = 4 }, "max_slots" },
	{ "hops", { .max_hops = 5 }, NULL },
	{ "a_hop_too_many", { .max_hops = 6 }, "max_hops" },
	{ "deadline", { .deadline_ms = 7 }, NULL },
	{ "a_millisecond_too_much", { .deadline_ms = 8 }, "max_deadline_ms" },
	{ "all_of_it", { .nr_slots = 3, .max_hops = 5, .deadline_ms = 7 }, NULL },
	{ "defaults", { .nr_slots = 1 }, NULL },
};

KUNIT_ARRAY_PARAM_DESC(carom_limits_ask, carom_limits_asks, name);

static void carom_limits_test_check(struct kunit *test)
{
	const struct carom_limits_ask *ask = test->param_value;
	struct carom_why why = { };

	carom_max_slots = 3;
	carom_max_hops = 5;
	carom_max_deadline_ms = 7;
	if (!ask->refused) {
		KUNIT_EXPECT_EQ(test, 0, carom_limits_check(&ask->arg, &why));
		KUNIT_EXPECT_EQ(test, CAROM_REFUSED_NOT, why.refusal);
		return;
	}
	KUNIT_EXPECT_EQ(test, -EPERM, carom_limits_check(&ask->arg, &why));
	KUNIT_EXPECT_EQ(test, CAROM_REFUSED_LIMIT, why.refusal);
	KUNIT_EXPECT_STREQ(test, ask->refused, why.detail);
}

static void carom_limits_test_defaults(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, CAROM_DEFAULT_HOPS, carom_limits_hops());
	KUNIT_EXPECT_EQ(test, CAROM_DEFAULT_DEADLINE_MS, carom_limits_deadline_ms());
	carom_max_hops = CAROM_DEFAULT_HOPS - 1;
	carom_max_deadline_ms = CAROM_DEFAULT_DEADLINE_MS - 1;
	KUNIT_EXPECT_EQ(test, CAROM_DEFAULT_HOPS - 1, carom_limits_hops());
	KUNIT_EXPECT_EQ(test, CAROM_DEFAULT_DEADLINE_MS - 1, carom_limits_deadline_ms());
}

/* ---- what a parameter can be ---- */

struct carom_limits_param {
	const char	*name;
	const struct kernel_param_ops *ops;
	unsigned int	*value;
	unsigned int	min;
	unsigned int	max;
};

static const struct carom_limits_param carom_limits_params[] = {
	{ "max_slots", &carom_slots_ops, &carom_max_slots, 1, CAROM_MAX_SLOTS },
	{ "max_hops", &carom_hops_ops, &carom_max_hops, 1, CAROM_MAX_HOPS },
	{ "max_deadline_ms", &carom_deadline_ops, &carom_max_deadline_ms, 1,
	  CAROM_MAX_DEADLINE_MS },
	{ "max_share", &carom_share_ops, &carom_max_share, 0, 100 },
};

KUNIT_ARRAY_PARAM_DESC(carom_limits_param, carom_limits_params, name);

static int carom_limits_test_set(const struct carom_limits_param *param, long long value)
{
	const struct kernel_param kp = { .name = param->name, .arg = param->value };
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	return param->ops->set(text, &kp);
}

static void carom_limits_test_param(struct kunit *test)
{
	const struct carom_limits_param *param = test->param_value;

	KUNIT_EXPECT_EQ(test, 0, carom_limits_test_set(param, param->max));
	KUNIT_EXPECT_EQ(test, param->max, *param->value);
	KUNIT_EXPECT_EQ(test, 0, carom_limits_test_set(param, param->min));
	KUNIT_EXPECT_EQ(test, param->min, *param->value);
	KUNIT_EXPECT_EQ(test, -EINVAL, carom_limits_test_set(param, (long long)param->min - 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, carom_limits_test_set(param, (long long)param->max + 1));
	KUNIT_EXPECT_GT(test, 0, carom_limits_test_set(param, (1LL << 32) + param->min));
	KUNIT_EXPECT_EQ(test, param->min, *param->value);
}

/* ---- what the sessions of a device have together ---- */

struct carom_limits_slots {
	const char	*name;
	unsigned int	requests;
	unsigned int	percent;
	u64		slots;
};

static const struct carom_limits_slots carom_limits_of[] = {
	{ "any_number", 100, 0, U64_MAX },
	{ "tenth", 100, 10, 10 },
	{ "all", 100, 100, 100 },
	{ "rounded_down", 99, 10, 9 },
	{ "less_than_one", 9, 10, 1 },
	{ "one_of_one", 1, 1, 1 },
	{ "a_long_queue", 10240, 50, 5120 },
};

KUNIT_ARRAY_PARAM_DESC(carom_limits_of, carom_limits_of, name);

static void carom_limits_test_slots(struct kunit *test)
{
	const struct carom_limits_slots *of = test->param_value;
	struct carom_bench *bench = carom_bench_alloc(test);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	bench->queue.nr_requests = of->requests;
	carom_max_share = of->percent;
	KUNIT_EXPECT_EQ(test, of->slots, carom_share_slots(&bench->queue));
}

/* A session like that of @bench, which has @nr slots. */
static struct carom_session carom_limits_session(struct carom_bench *bench, u32 nr)
{
	return (struct carom_session) { .file = &bench->file, .nr_slots = nr };
}

static void carom_limits_taken(struct kunit *test, struct carom_session *s)
{
	struct carom_why why = { };

	KUNIT_EXPECT_EQ(test, 0, carom_limits_take(s, &why));
	KUNIT_EXPECT_NOT_NULL(test, s->share);
	KUNIT_EXPECT_EQ(test, CAROM_REFUSED_NOT, why.refusal);
}

static void carom_limits_refused(struct kunit *test, struct carom_session *s)
{
	struct carom_why why = { };

	KUNIT_EXPECT_EQ(test, -EPERM, carom_limits_take(s, &why));
	KUNIT_EXPECT_NULL(test, s->share);
	KUNIT_EXPECT_EQ(test, CAROM_REFUSED_LIMIT, why.refusal);
	KUNIT_EXPECT_STREQ(test, "max_share", why.detail);
	/* Who has taken nothing gives nothing back. */
	carom_limits_put(s);
}

static void carom_limits_test_share(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);
	struct carom_bench *other = carom_bench_alloc(test);
	struct carom_session eleven, ten, one, elsewhere;

	KUNIT_ASSERT_NOT_NULL(test, bench);
	KUNIT_ASSERT_NOT_NULL(test, other);
	bench->queue.nr_requests = 100;
	other->queue.nr_requests = 100;
	carom_max_share = 10;
	eleven = carom_limits_session(bench, 11);
	ten = carom_limits_session(bench, 10);
	one = carom_limits_session(bench, 1);
	elsewhere = carom_limits_session(other, 10);

	carom_limits_refused(test, &eleven);
	carom_limits_taken(test, &ten);
	carom_limits_refused(test, &one);
	/* Each device has its own. */
	carom_limits_taken(test, &elsewhere);
	carom_limits_put(&elsewhere);
	carom_limits_refused(test, &one);
	carom_limits_put(&ten);
	carom_limits_taken(test, &one);
	carom_limits_put(&one);
	KUNIT_EXPECT_TRUE(test, list_empty(&carom_shares));
}

/* Who came before there was a limit stays, and counts. */
static void carom_limits_test_old(struct kunit *test)
{
	struct carom_bench *bench = carom_bench_alloc(test);
	struct carom_session old, one;

	KUNIT_ASSERT_NOT_NULL(test, bench);
	bench->queue.nr_requests = 100;
	old = carom_limits_session(bench, 11);
	one = carom_limits_session(bench, 1);
	carom_limits_taken(test, &old);
	carom_max_share = 10;
	carom_limits_refused(test, &one);
	carom_max_share = 12;
	carom_limits_taken(test, &one);
	carom_limits_put(&old);
	KUNIT_EXPECT_FALSE(test, list_empty(&carom_shares));
	carom_limits_put(&one);
	KUNIT_EXPECT_TRUE(test, list_empty(&carom_shares));
}

static struct kunit_case carom_limits_cases[] = {
	KUNIT_CASE_PARAM(carom_limits_test_check, carom_limits_ask_gen_params),
	KUNIT_CASE(carom_limits_test_defaults),
	KUNIT_CASE_PARAM(carom_limits_test_param, carom_limits_param_gen_params),
	KUNIT_CASE_PARAM(carom_limits_test_slots, carom_limits_of_gen_params),
	KUNIT_CASE(carom_limits_test_share),
	KUNIT_CASE(carom_limits_test_old),
	{ }
};

static struct kunit_suite carom_limits_suite = {
	.name = "carom_limits",
	.exit = carom_limits_test_exit,
	.test_cases = carom_limits_cases,
};

kunit_test_suite(carom_limits_suite);
