// SPDX-License-Identifier: GPL-2.0
/* carom_crc32c() in user space: published vectors, every cut of a range, and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <carom/walker.h>

#define NODE_SIZE	4096

static __u8 node[NODE_SIZE];

static struct carom_hop hop = { .node_size = NODE_SIZE, .node = node };

/* As formats keep it. */
static void expect(__u32 len, __u32 want)
{
	assert_int_equal((__u32)~carom_crc32c(&hop, 0, len, ~0U), want);
}

/* RFC 3720, B.4, and the check value that catalogues of CRCs give. */
static void published(void **state)
{
	unsigned int i;

	(void)state;
	memcpy(node, "123456789", 9);
	expect(9, 0xe3069283);
	memset(node, 0, 32);
	expect(32, 0x8a9136aa);
	memset(node, 0xff, 32);
	expect(32, 0x62a8ab43);
	for (i = 0; i < 32; i++)
		node[i] = (__u8)i;
	expect(32, 0x46dd794e);
	for (i = 0; i < 32; i++)
		node[i] = (__u8)(31 - i);
	expect(32, 0x113fdb5c);
}

static __u32 bit_by_bit(__u32 crc, const __u8 *p, __u32 len)
{
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return crc;
}

static void bytes_and_places(void **state)
{
	__u32 i, off, len, seed;

	(void)state;
	for (i = 0; i < NODE_SIZE; i++)
		node[i] = (__u8)rand();
	for (i = 0; i < 500; i++) {
		off = (__u32)rand() % NODE_SIZE;
		len = (__u32)rand() % (NODE_SIZE - off + 1);
		seed = (__u32)rand() * 2u + (i & 1);
		assert_true(carom_crc32c(&hop, off, len, seed) ==
			    (__s64)bit_by_bit(seed, node + off, len));
	}
}

static void in_pieces(void **state)
{
	__s64 whole = carom_crc32c(&hop, 0, NODE_SIZE, ~0U);
	__u32 cut;

	(void)state;
	for (cut = 0; cut <= NODE_SIZE; cut += 63)
		assert_true(carom_crc32c(&hop, cut, NODE_SIZE - cut,
					 (__u32)carom_crc32c(&hop, 0, cut, ~0U)) == whole);
}

static void faults(void **state)
{
	(void)state;
	assert_true(carom_crc32c(&hop, 0, NODE_SIZE, 0) >= 0);
	assert_true(carom_crc32c(&hop, NODE_SIZE, 0, ~0U) == 0xffffffffLL);
	assert_true(carom_crc32c(&hop, 0, NODE_SIZE + 1, 0) == CAROM_CRC32C_FAULT);
	assert_true(carom_crc32c(&hop, 1, NODE_SIZE, 0) == CAROM_CRC32C_FAULT);
	assert_true(carom_crc32c(&hop, NODE_SIZE + 1, 0, 0) == CAROM_CRC32C_FAULT);
	assert_true(carom_crc32c(&hop, ~0U, 2, 0) == CAROM_CRC32C_FAULT);
	assert_true(carom_crc32c(&hop, 2, ~0U, 0) == CAROM_CRC32C_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(bytes_and_places),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
