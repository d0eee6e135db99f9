// SPDX-License-Identifier: GPL-2.0
/* What the administrator lets sessions have: each more than that is refused, by name. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vm.h"

#define NODES	16
#define CHASE	VM_FILE("limits.chase")
#define OTHER	VM_FILE("other.chase")

static struct engine_walker chase;
static int file;

static void set(const char *name, unsigned int value)
{
	vm_sh("echo %u >/sys/module/carom/parameters/%s", value, name);
}

static int setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	vm_chase_file(OTHER, CHASE_NODE_SIZE, NODES);
	file = vm_open(CHASE, O_RDONLY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(file);
	unlink(CHASE);
	unlink(OTHER);
	engine_unload(&chase);
	return 0;
}

/* After each test, whether it failed or not. */
static int unlimited(void **state)
{
	(void)state;
	set("max_slots", CAROM_MAX_SLOTS);
	set("max_hops", CAROM_MAX_HOPS);
	set("max_deadline_ms", CAROM_MAX_DEADLINE_MS);
	set("max_share", 0);
	return 0;
}

static void taken(const char *path, const struct carom_open *arg)
{
	struct engine e;

	vm_session(&e, path, "chase", CHASE_NODE_SIZE, arg);
	vm_walks(&e, path, 1, 3, 1);
	engine_close(&e);
}

static void slots(void **state)
{
	struct carom_open arg = vm_chase_arg();

	(void)state;
	set("max_slots", 3);
	assert_int_equal(vm_info().max_slots, 3);
	arg.nr_slots = 4;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_slots");
	arg.nr_slots = 3;
	taken(CHASE, &arg);
}

/* Who does not say how many gets no more than there may be. */
static void hops(void **state)
{
	struct carom_open arg = vm_chase_arg();
	struct chase_query *query;
	struct carom_lookup res;
	struct engine e;

	(void)state;
	set("max_hops", 5);
	arg.max_hops = 6;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_hops");
	arg.max_hops = 0;
	vm_session(&e, CHASE, "chase", CHASE_NODE_SIZE, &arg);
	query = engine_scratch(&e, 0);
	query->depth = 100;
	res = vm_lookup(&e, 0, 0);
	assert_int_equal(res.end, CAROM_END_HOPS);
	assert_int_equal(res.hops, 5);
	engine_close(&e);
}

static void deadline(void **state)
{
	struct carom_open arg = vm_chase_arg();

	(void)state;
	set("max_deadline_ms", 2000);
	arg.deadline_ms = 2001;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_deadline_ms");
	arg.deadline_ms = 2000;
	taken(CHASE, &arg);
}

/* How many slots a tenth of a queue are. */
static unsigned int tenth(void)
{
	unsigned int requests = 0;
	FILE *f;

	f = popen("cat /sys/block/$(lsblk -ndo PKNAME,KNAME \"$(findmnt -no SOURCE " VM_DIR
		  ")\" | awk '{ print $1 }')/queue/nr_requests", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &requests), 1);
	pclose(f);
	return requests / 10;
}

/* All sessions of a device have it together, whichever file they are of, and give it back. */
static void share(void **state)
{
	struct carom_open arg = vm_chase_arg();
	unsigned int nr = tenth();
	struct engine e;

	(void)state;
	assert_in_range(nr, 2, CAROM_MAX_SLOTS / 2);
	set("max_share", 10);
	arg.nr_slots = nr + 1;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_share");
	arg.nr_slots = nr - 1;
	vm_session(&e, OTHER, "chase", CHASE_NODE_SIZE, &arg);
	arg.nr_slots = 2;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_share");
	arg.nr_slots = 1;
	taken(CHASE, &arg);
	engine_close(&e);
	arg.nr_slots = nr;
	taken(CHASE, &arg);
}

/* What was there before may stay, and counts. */
static void share_of_old_ones(void **state)
{
	struct carom_open arg = vm_chase_arg();
	struct engine e;

	(void)state;
	arg.nr_slots = tenth() + 1;
	vm_session(&e, OTHER, "chase", CHASE_NODE_SIZE, &arg);
	set("max_share", 10);
	arg.nr_slots = 1;
	vm_refused_arg(file, &arg, EPERM, CAROM_REFUSED_LIMIT, "max_share");
	vm_walks(&e, OTHER, 1, 3, 1);
	engine_close(&e);
	taken(CHASE, &arg);
}

static void nonsense(void **state)
{
	(void)state;
	assert_int_not_equal(vm_try("echo 101 >/sys/module/carom/parameters/max_share"), 0);
	assert_int_not_equal(vm_try("echo 0 >/sys/module/carom/parameters/max_slots"), 0);
	assert_int_not_equal(vm_try("echo %u >/sys/module/carom/parameters/max_hops",
				    CAROM_MAX_HOPS + 1), 0);
	assert_int_not_equal(vm_try("echo ten >/sys/module/carom/parameters/max_deadline_ms"), 0);
	taken(CHASE, NULL);
}

int main(void)
{
#define LIMIT_TEST(name) cmocka_unit_test_teardown(name, unlimited)
	const struct CMUnitTest tests[] = {
		LIMIT_TEST(slots), LIMIT_TEST(hops), LIMIT_TEST(deadline), LIMIT_TEST(share),
		LIMIT_TEST(share_of_old_ones), LIMIT_TEST(nonsense),
	};

	return cmocka_run_group_tests_name("limits", tests, setup, teardown);
}
