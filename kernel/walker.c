// SPDX-License-Identifier: GPL-2.0
/*
 * Walkers: BPF struct_ops whose programs look at nodes through kfuncs.
 *
 * Who loads a walker is privileged, but its programs run in hard interrupt
 * context, so what makes their run time unbounded is refused even so: helpers
 * and kfuncs that iterate, may_goto, and global subprograms, which the
 * verifier bounds one by one and not in sum. What is left is code of which
 * the verifier has walked every path.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "carom.h"

/* What carom_cmp() returns for a range outside its memory; also in <carom/walker.h>. */
#define CAROM_CMP_FAULT	2

static DEFINE_MUTEX(carom_walkers_lock);
static LIST_HEAD(carom_walkers);

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
		if (cmp < 0)
			low = mid + 1;
		else if (!cmp)
			return (s64)mid << 1 | 1;
		else if (unlikely(cmp == CAROM_CMP_FAULT))
			return -1 - (s64)mid;
		else
			high = mid;
	}
	return (s64)low << 1;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(carom_kfunc_ids)
BTF_ID_FLAGS(func, carom_node, KF_RET_NULL | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, carom_scratch, KF_RET_NULL | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, carom_cmp, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, carom_search, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(carom_kfunc_ids)

static const struct btf_kfunc_id_set carom_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &carom_kfunc_ids,
};

static const struct bpf_func_proto *
carom_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	if (func_id == BPF_FUNC_map_lookup_elem)
		return bpf_base_func_proto(func_id, prog);
	return NULL;
}

static const struct bpf_verifier_ops carom_verifier_ops = {
	.get_func_proto		= carom_func_proto,
	.is_valid_access	= bpf_tracing_btf_ctx_access,
};

static bool carom_insn_unbounded(const struct bpf_insn *insn)
{
	if (insn->code == (BPF_JMP | BPF_JCOND))
		return true;
	/* Kfuncs of the kernel proper have no module offset: iterators and locks. */
	return insn->code == (BPF_JMP | BPF_CALL) &&
	       insn->src_reg == BPF_PSEUDO_KFUNC_CALL && !insn->off;
}

/* Called by the verifier before it looks at the program. */
static int carom_check_member(const struct btf_type *t, const struct btf_member *member,
			      const struct bpf_prog *prog)
{
	u32 i;

	if (prog->sleepable)
		return -EINVAL;
	for (i = 0; i < prog->len; i++) {
		if (carom_insn_unbounded(&prog->insnsi[i]))
			return -EOPNOTSUPP;
	}
	for (i = 1; i < prog->aux->func_info_cnt; i++) {
		if (prog->aux->func_info_aux[i].linkage != BTF_FUNC_STATIC)
			return -EOPNOTSUPP;
	}
	return 0;
}

static int carom_init_name(struct carom_walker_ops *ops, const struct carom_walker_ops *uops)
{
	if (strscpy(ops->name, uops->name, sizeof(ops->name)) <= 0)
		return -EINVAL;
	return 1;
}

/*
 * Note the program that the map is about to take from the same descriptor, and
 * to keep for as long as @ops can be registered. Nobody can put another in its
 * place meanwhile if nobody else has this table of descriptors, which is what
 * fdget() relies on, too.
 */
static void carom_init_step(struct carom_walker_ops *ops, const struct carom_walker_ops *uops)
{
	struct bpf_prog *prog;

	if (atomic_read(&current->files->count) != 1)
		return;
	prog = bpf_prog_get_type_dev((unsigned long)uops->step, BPF_PROG_TYPE_STRUCT_OPS, false);
	if (IS_ERR(prog))
		return;
	if (prog->jited)
		ops->prog = prog;
	bpf_prog_put(prog);
}

/* Returns 1 for what it has copied, 0 for what it leaves to the caller. */
static int carom_init_member(const struct btf_type *t, const struct btf_member *member,
			     void *kdata, const void *udata)
{
	const struct carom_walker_ops *uops = udata;
	struct carom_walker_ops *ops = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct carom_walker_ops, name):
		return carom_init_name(ops, uops);
	case offsetof(struct carom_walker_ops, abi):
		ops->abi = uops->abi;
		return 1;
	case offsetof(struct carom_walker_ops, node_size):
		ops->node_size = uops->node_size;
		return 1;
	case offsetof(struct carom_walker_ops, scratch_size):
		ops->scratch_size = uops->scratch_size;
		return 1;
	case offsetof(struct carom_walker_ops, step):
		carom_init_step(ops, uops);
		return 0;
	default:
		return 0;
	}
}

static int carom_validate(void *kdata)
{
	const struct carom_walker_ops *ops = kdata;

	if (ops->abi != CAROM_ABI_VERSION)
		return -EPROTO;
	if (!ops->step)
		return -EINVAL;
	if (!is_power_of_2(ops->node_size) || ops->node_size < CAROM_MIN_NODE_SIZE ||
	    ops->node_size > CAROM_MAX_NODE_SIZE)
		return -EINVAL;
	return ops->scratch_size > CAROM_MAX_SCRATCH_SIZE ? -EINVAL : 0;
}

static struct carom_walker *carom_walker_find(const char *name)
{
	struct carom_walker *w;

	lockdep_assert_held(&carom_walkers_lock);
	list_for_each_entry(w, &carom_walkers, list) {
		/* On the list, so registered. */
		if (!strcmp(rcu_dereference_protected(w->ops, true)->name, name))
			return w;
	}
	return NULL;
}

static int carom_walker_add(struct carom_walker_ops *ops)
{
	struct carom_walker *w;

	lockdep_assert_held(&carom_walkers_lock);
	if (carom_walker_find(ops->name))
		return -EEXIST;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	kref_init(&w->ref);
	rcu_assign_pointer(w->ops, ops);
	w->node_size = ops->node_size;
	w->scratch_size = ops->scratch_size;
	list_add_tail(&w->list, &carom_walkers);
	return 0;
}

static int carom_reg(void *kdata, struct bpf_link *link)
{
	int err;

	mutex_lock(&carom_walkers_lock);
	err = carom_walker_add(kdata);
	mutex_unlock(&carom_walkers_lock);
	return err;
}

/*
 * The program goes when this returns, so no completion may still be in it:
 * sessions find their walker gone from the next node on.
 */
static void carom_unreg(void *kdata, struct bpf_link *link)
{
	struct carom_walker_ops *ops = kdata;
	struct carom_walker *w;

	mutex_lock(&carom_walkers_lock);
	w = carom_walker_find(ops->name);
	if (w) {
		list_del(&w->list);
		RCU_INIT_POINTER(w->ops, NULL);
	}
	mutex_unlock(&carom_walkers_lock);
	synchronize_rcu();
	if (w)
		carom_walker_put(w);
}

static int carom_ops_init(struct btf *btf)
{
	return 0;
}

static s64 carom_step_stub(struct carom_hop *hop)
{
	return CAROM_STEP_MISS;
}

static struct carom_walker_ops carom_cfi_stubs = {
	.step = carom_step_stub,
};

static struct bpf_struct_ops carom_struct_ops = {
	.verifier_ops	= &carom_verifier_ops,
	.init		= carom_ops_init,
	.check_member	= carom_check_member,
	.init_member	= carom_init_member,
	.validate	= carom_validate,
	.reg		= carom_reg,
	.unreg		= carom_unreg,
	.cfi_stubs	= &carom_cfi_stubs,
	.owner		= THIS_MODULE,
	.name		= "carom_walker_ops",
};

/* Return: the walker with a reference, NULL if none of that name is loaded. */
struct carom_walker *carom_walker_get(const char *name)
{
	struct carom_walker *w;

	mutex_lock(&carom_walkers_lock);
	w = carom_walker_find(name);
	if (w)
		kref_get(&w->ref);
	mutex_unlock(&carom_walkers_lock);
	return w;
}

static void carom_walker_release(struct kref *ref)
{
	kfree(container_of(ref, struct carom_walker, ref));
}

void carom_walker_put(struct carom_walker *walker)
{
	kref_put(&walker->ref, carom_walker_release);
}

unsigned int carom_walker_count(void)
{
	struct carom_walker *w;
	unsigned int n = 0;

	mutex_lock(&carom_walkers_lock);
	list_for_each_entry(w, &carom_walkers, list)
		n++;
	mutex_unlock(&carom_walkers_lock);
	return n;
}

int carom_walker_init(void)
{
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &carom_kfunc_set);
	if (err)
		return err;
	return register_bpf_struct_ops(&carom_struct_ops, carom_walker_ops);
}
