// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup in a hash table on disk. No byte of a page is believed before its checksum
 * is: a damaged page is an error, and never an answer.
 */
#include <carom/walker.h>
#include "hashtable.h"

#define CRC_AT		sizeof(__u32)

/* More pages than any file has; the product with a page's size is still an offset. */
#define MAX_PAGES	(1ULL << 50)

/* 0, or a code of enum hashtable_error. */
static __always_inline int hashtable_check(struct carom_hop *hop,
					   const struct hashtable_page *page)
{
	__s64 crc = carom_crc32c(hop, CRC_AT, HASHTABLE_PAGE - CRC_AT, ~0U);

	/* A fault is no CRC: its upper half is not zero. */
	if (crc < 0 || page->head.crc != (__u32)~crc)
		return HASHTABLE_E_CRC;
	return page->head.number == hop->offset / HASHTABLE_PAGE ? 0 : HASHTABLE_E_NUMBER;
}

static __always_inline __s64 hashtable_begin(const struct hashtable_page *page, __u64 key)
{
	__u32 bits = page->head.nr;

	if (page->head.next != HASHTABLE_MAGIC)
		return CAROM_STEP_FAIL(HASHTABLE_E_MAGIC);
	if (bits > HASHTABLE_MAX_BITS)
		return CAROM_STEP_FAIL(HASHTABLE_E_NR);
	return (__s64)((1 + hashtable_bucket(key, bits)) * HASHTABLE_PAGE);
}

static __always_inline __s64 hashtable_search(const struct hashtable_page *page,
					      struct hashtable_scratch *s, __u64 key)
{
	__u32 i, nr = page->head.nr;

	if (nr > HASHTABLE_ENTRIES)
		return CAROM_STEP_FAIL(HASHTABLE_E_NR);
	/* The constant is what the verifier knows an end by. */
	for (i = 0; i < HASHTABLE_ENTRIES && i < nr; i++) {
		if (page->entries[i].key != key)
			continue;
		s->value = page->entries[i].value;
		return CAROM_STEP_DONE;
	}
	if (!page->head.next)
		return CAROM_STEP_MISS;
	if (page->head.next > MAX_PAGES)
		return CAROM_STEP_FAIL(HASHTABLE_E_NEXT);
	return (__s64)(page->head.next * HASHTABLE_PAGE);
}

CAROM_WALKER(hashtable, HASHTABLE_PAGE, sizeof(struct hashtable_scratch))
{
	const struct hashtable_page *page = (const void *)carom_node(hop, sizeof(*page));
	struct hashtable_scratch *s = (void *)carom_scratch(hop, sizeof(*s));
	int err;

	if (!page || !s)
		return CAROM_STEP_FAIL(HASHTABLE_E_SIZES);
	err = hashtable_check(hop, page);
	if (err)
		return CAROM_STEP_FAIL(err);
	if (hop->index == 0)
		return hashtable_begin(page, s->key);
	return hashtable_search(page, s, s->key);
}
