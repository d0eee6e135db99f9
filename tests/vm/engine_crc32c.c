// SPDX-License-Identifier: GPL-2.0
/* carom_crc32c() in the kernel is the one in user space, faults included. */
#include <carom/walker.h>
#include <fcntl.h>
#include <unistd.h>

#include "vm.h"
#include "walkers/crc32c.h"

#define NODE_SIZE	4096
#define FILE_NAME	VM_FILE("crc32c")

static struct engine_walker walker;
static struct engine e;

static int setup(void **state)
{
	struct carom_open arg = { .node_size = NODE_SIZE };
	__u8 node[NODE_SIZE] = "123456789";
	unsigned int i;
	int fd;

	(void)state;
	for (i = 9; i < NODE_SIZE; i++)
		node[i] = (__u8)rand();
	fd = vm_open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC);
	assert_int_equal(write(fd, node, sizeof(node)), sizeof(node));
	close(fd);
	vm_load(&walker, "crc32c");
	assert_ok(engine_open(&e, FILE_NAME, "crc32c", &arg));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	engine_close(&e);
	engine_unload(&walker);
	unlink(FILE_NAME);
	return 0;
}

static __s64 in_kernel(__u32 off, __u32 len, __u32 seed)
{
	struct crc32c_query *query = engine_scratch(&e, 0);

	*query = (struct crc32c_query) { .node_off = off, .len = len, .seed = seed, .ret = -7 };
	assert_int_equal(vm_lookup(&e, 0, 0).end, CAROM_END_DONE);
	return query->ret;
}

static __s64 natively(__u32 off, __u32 len, __u32 seed)
{
	struct carom_hop hop = { .node_size = NODE_SIZE, .node = engine_node(&e, 0) };

	return carom_crc32c(&hop, off, len, seed);
}

static void check_value(void **state)
{
	(void)state;
	assert_int_equal((__u32)~in_kernel(0, 9, ~0U), 0xe3069283);
}

static void same_as_natively(void **state)
{
	__u32 i, off, len, seed;
	__s64 crc;

	(void)state;
	for (i = 0; i < 200; i++) {
		/* A long one at times: the kernel has another way of doing these. */
		off = (__u32)rand() % (i % 4 ? NODE_SIZE : 64);
		len = i % 4 ? (__u32)rand() % (NODE_SIZE - off + 1) : NODE_SIZE - off;
		seed = (__u32)rand() * 2u + (i & 1);
		crc = in_kernel(off, len, seed);
		if (crc != natively(off, len, seed))
			fail_msg("%u bytes at %u, seed %u: kernel %lld, native %lld", len, off,
				 seed, crc, natively(off, len, seed));
	}
}

static void faults(void **state)
{
	static const __u32 ranges[][2] = {
		{ 0, NODE_SIZE + 1 }, { 1, NODE_SIZE }, { NODE_SIZE + 1, 0 },
		{ ~0U, 2 }, { 2, ~0U },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		assert_true(in_kernel(ranges[i][0], ranges[i][1], ~0U) == CAROM_CRC32C_FAULT);
		assert_true(natively(ranges[i][0], ranges[i][1], ~0U) == CAROM_CRC32C_FAULT);
	}
	assert_true(in_kernel(NODE_SIZE, 0, ~0U) == 0xffffffffLL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_value),
		cmocka_unit_test(same_as_natively),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests_name("crc32c", tests, setup, teardown);
}
