// SPDX-License-Identifier: GPL-2.0
/*
 * What walkers call: ways to look at the node that has arrived, and at the
 * slot's scratch. Context: that of a step. Time is bounded by the size of a
 * node and of the scratch.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/crc32c.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "carom.h"

/* What carom_cmp() returns for a range outside its memory; also in <carom/walker.h>. */
#define CAROM_CMP_FAULT	2
/* The same of carom_copy(). */
#define CAROM_COPY_FAULT	(-1)

static struct carom_slot *carom_slot_of_hop(struct carom_hop *hop)
{
	return container_of(hop, struct carom_slot, hop);
}

__bpf_kfunc_start_defs();

/**
 * carom_node() - the node just read
 * @hop: the step's argument
 * @rdonly_buf_size: constant; how much of it the walker will look at
 *
 * Return: read-only memory of that size, NULL if the node is smaller.
 */
__bpf_kfunc const u8 *carom_node(struct carom_hop *hop, const size_t rdonly_buf_size)
{
	return rdonly_buf_size <= hop->node_size ? carom_slot_of_hop(hop)->node : NULL;
}

/**
 * carom_scratch() - the slot's scratch area, which user space can write too
 * @hop: the step's argument
 * @rdwr_buf_size: constant; how much of it the walker will use
 *
 * Return: memory of that size, NULL if the scratch is smaller.
 */
__bpf_kfunc u8 *carom_scratch(struct carom_hop *hop, const size_t rdwr_buf_size)
{
	struct carom_slot *slot = carom_slot_of_hop(hop);

	return rdwr_buf_size <= slot->session->scratch_size ? slot->scratch : NULL;
}

static bool carom_in_range(u32 off, u32 len, u32 size)
{
	return off <= size && len <= size - off;
}

/* Of two strings whose common length is the same. */
static __always_inline int carom_cmp_len(u32 a_len, u32 b_len)
{
	return a_len < b_len ? -1 : a_len > b_len;
}

static int carom_cmp_short(const u8 *a, u32 a_len, const u8 *b, u32 b_len)
{
	int diff = memcmp(a, b, min(a_len, b_len));

	if (diff)
		return diff < 0 ? -1 : 1;
	return carom_cmp_len(a_len, b_len);
}

/*
 * -1, 0 or 1 as memcmp() of the common length, then the shorter first. By
 * big-endian words, so that what decides is the word and not the byte that
 * differs; the last word overlaps the one before. The first @same words are
 * known to be the same.
 */
static __always_inline int carom_memcmp(const u8 *a, u32 a_len, const u8 *b, u32 b_len, u32 same)
{
	u32 i, len = min(a_len, b_len);
	u64 x, y;

	if (unlikely(len < sizeof(x)))
		return carom_cmp_short(a, a_len, b, b_len);
	for (i = same * sizeof(x); i + sizeof(x) < len; i += sizeof(x)) {
		x = get_unaligned_be64(a + i);
		y = get_unaligned_be64(b + i);
		if (x != y)
			return x < y ? -1 : 1;
	}
	x = get_unaligned_be64(a + len - sizeof(x));
	y = get_unaligned_be64(b + len - sizeof(x));
	if (x != y)
		return x < y ? -1 : 1;
	return carom_cmp_len(a_len, b_len);
}

/**
 * carom_cmp() - compare bytes of the node with bytes of the scratch
 * @hop: the step's argument
 * @node_off: where in the node
 * @node_len: how many bytes of it
 * @scratch_off: where in the scratch
 * @scratch_len: how many bytes of it
 *
 * Return: -1, 0 or 1 as memcmp() of the common length, then the shorter first;
 * CAROM_CMP_FAULT if a range is outside its memory.
 */
__bpf_kfunc int carom_cmp(struct carom_hop *hop, u32 node_off, u32 node_len,
			  u32 scratch_off, u32 scratch_len)
{
	struct carom_slot *slot = carom_slot_of_hop(hop);

	if (!carom_in_range(node_off, node_len, hop->node_size) ||
	    !carom_in_range(scratch_off, scratch_len, slot->session->scratch_size))
		return CAROM_CMP_FAULT;
	return carom_memcmp(slot->node + node_off, node_len, slot->scratch + scratch_off,
			    scratch_len, 0);
}

/**
 * struct carom_table - what carom_search() searches, checked once
 * @node: the page
 * @refs: where its entries are
 * @last: where the last can begin
 * @len_at: where in one the length of its key is
 * @key_at: where its key
 * @room: bytes of the page that can be a key's, had it no entry
 */
struct carom_table {
	const u8	*node;
	const u8	*refs;
	u32		last;
	u32		len_at;
	u32		key_at;
	u32		room;
};

static __always_inline bool carom_table_init(struct carom_table *t, const struct carom_slot *slot,
					     const struct carom_keys *k)
{
	u32 head = max_t(u32, k->key_at, k->len_at + sizeof(__le16));
	u32 size = slot->hop.node_size;

	if (k->table + (u64)k->nr * sizeof(__le16) > size || head > size)
		return false;
	t->node = slot->node;
	t->refs = slot->node + k->table;
	t->last = size - head;
	t->len_at = k->len_at;
	t->key_at = k->key_at;
	t->room = size - k->key_at;
	return true;
}

/**
 * struct carom_key - what is searched for
 * @bytes: the key
 * @len: how long it is
 * @first: its first word, which often decides
 * @words_from: a key of the table that is shorter has no first word to compare
 */
struct carom_key {
	const u8	*bytes;
	u32		len;
	u64		first;
	u32		words_from;
};

static __always_inline void carom_key_init(struct carom_key *key, const u8 *bytes, u32 len)
{
	key->bytes = bytes;
	key->len = len;
	key->first = len < sizeof(u64) ? 0 : get_unaligned_be64(bytes);
	key->words_from = len < sizeof(u64) ? U32_MAX : sizeof(u64);
}

/* Compare the key of entry @i, which the table has, with @key. */
static __always_inline int carom_table_cmp(const struct carom_table *t, u32 i,
					   const struct carom_key *key)
{
	u32 at = get_unaligned_le16(t->refs + i * sizeof(__le16)), len;
	const u8 *entry = t->node + at;
	u64 first;

	if (unlikely(at > t->last))
		return CAROM_CMP_FAULT;
	len = get_unaligned_le16(entry + t->len_at);
	/* No key is empty. */
	if (unlikely(len - 1 >= t->room - at))
		return CAROM_CMP_FAULT;
	entry += t->key_at;
	if (unlikely(len < key->words_from))
		return carom_cmp_short(entry, len, key->bytes, key->len);
	first = get_unaligned_be64(entry);
	if (first != key->first)
		return first < key->first ? -1 : 1;
	return carom_memcmp(entry, len, key->bytes, key->len, 1);
}

/**
 * carom_search() - find a key among those of a slotted page
 * @hop: the step's argument
 * @keys: where they are; the caller's own memory
 * @scratch_off: where in the scratch the key is
 * @scratch_len: how long it is
 *
 * At most 16 entries are looked at, as a node is not larger than 64 KiB.
 *
 * Return: the first entry that is not less, index << 1, or'ed with 1 if it is
 * equal; -1 - index if that entry or its key is not where it may be;
 * CAROM_SEARCH_FAULT if the table or the key asked for is outside its memory.
 */
__bpf_kfunc s64 carom_search(struct carom_hop *hop, const struct carom_keys *keys,
			     u32 scratch_off, u32 scratch_len)
{
	struct carom_slot *slot = carom_slot_of_hop(hop);
	u32 low = 0, high = keys->nr, mid;
	struct carom_table table;
	struct carom_key key;
	int cmp;

	if (!carom_table_init(&table, slot, keys) ||
	    !carom_in_range(scratch_off, scratch_len, slot->session->scratch_size))
		return CAROM_SEARCH_FAULT;
	carom_key_init(&key, slot->scratch + scratch_off, scratch_len);
	while (low < high) {
		mid = (low + high) / 2;
		cmp = carom_table_cmp(&table, mid, &key);
		if (!cmp)
			return (s64)mid << 1 | 1;
		if (unlikely(cmp == CAROM_CMP_FAULT))
			return -1 - (s64)mid;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (s64)low << 1;
}

__bpf_kfunc_end_defs();

/* Of that many bytes on, starting a string instruction costs less than it saves. */
#define CAROM_LONG_COPY	128

/*
 * By words, and the last one, which overlaps, by itself. memcpy() is made for few bytes, and takes
 * no string instructions but on CPUs that start them at once; copy_to_user() takes them, too.
 */
static void carom_copy_long(u8 *to, const u8 *from, u32 len)
{
#ifdef CONFIG_X86_64
	u64 last = get_unaligned((const u64 *)(from + len - sizeof(u64)));
	u8 *end = to + len - sizeof(u64);
	unsigned long words = len / sizeof(u64);

	asm volatile("rep movsq" : "+D" (to), "+S" (from), "+c" (words) : : "memory");
	put_unaligned(last, (u64 *)end);
#else
	memcpy(to, from, len);
#endif
}

__bpf_kfunc_start_defs();

/**
 * carom_copy() - copy bytes of the node to the scratch
 * @hop: the step's argument
 * @scratch_off: where to
 * @node_off: where from
 * @len: how many
 *
 * Return: 0, or CAROM_COPY_FAULT if a range is outside its memory.
 */
__bpf_kfunc int carom_copy(struct carom_hop *hop, u32 scratch_off, u32 node_off, u32 len)
{
	struct carom_slot *slot = carom_slot_of_hop(hop);

	if (!carom_in_range(node_off, len, hop->node_size) ||
	    !carom_in_range(scratch_off, len, slot->session->scratch_size))
		return CAROM_COPY_FAULT;
	if (len < CAROM_LONG_COPY)
		memcpy(slot->scratch + scratch_off, slot->node + node_off, len);
	else
		carom_copy_long(slot->scratch + scratch_off, slot->node + node_off, len);
	return 0;
}

/**
 * carom_crc32c() - CRC-32C of bytes of the node
 * @hop: the step's argument
 * @node_off: where in the node
 * @len: how many bytes of it
 * @seed: ~0 to begin, what an earlier call has returned to go on behind it
 *
 * libcrc32c.ko's, which in hard interrupt context, too, takes the CPU's instruction
 * where there is one.
 *
 * Return: 0 to U32_MAX, not inverted at the end; CAROM_CRC32C_FAULT if the range is
 * outside the node.
 */
__bpf_kfunc s64 carom_crc32c(struct carom_hop *hop, u32 node_off, u32 len, u32 seed)
{
	if (!carom_in_range(node_off, len, hop->node_size))
		return CAROM_CRC32C_FAULT;
	return crc32c(seed, carom_slot_of_hop(hop)->node + node_off, len);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(carom_kfunc_ids)
BTF_ID_FLAGS(func, carom_node, KF_RET_NULL | CAROM_KF_TRUSTED)
BTF_ID_FLAGS(func, carom_scratch, KF_RET_NULL | CAROM_KF_TRUSTED)
BTF_ID_FLAGS(func, carom_cmp, CAROM_KF_TRUSTED)
BTF_ID_FLAGS(func, carom_search, CAROM_KF_TRUSTED)
BTF_ID_FLAGS(func, carom_copy, CAROM_KF_TRUSTED)
BTF_ID_FLAGS(func, carom_crc32c, CAROM_KF_TRUSTED)
BTF_KFUNCS_END(carom_kfunc_ids)

static const struct btf_kfunc_id_set carom_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &carom_kfunc_ids,
};

/**
 * carom_kfunc_built_in() - is this one of ours, and as much the kernel's own as any?
 * @id: of a function, in the BTF of vmlinux
 *
 * As a module we have a BTF of our own, and ids that mean nothing in that of vmlinux.
 *
 * Context: any.
 */
bool carom_kfunc_built_in(u32 id)
{
	return IS_BUILTIN(CONFIG_CAROM) && btf_id_set8_contains(&carom_kfunc_ids, id);
}

int carom_kfuncs_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &carom_kfunc_set);
}
