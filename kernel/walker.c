// SPDX-License-Identifier: GPL-2.0
/*
 * Walkers: BPF struct_ops whose programs look at nodes through kfuncs (kfuncs.c).
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

#include "carom.h"

static DEFINE_MUTEX(carom_walkers_lock);
static LIST_HEAD(carom_walkers);

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
	       insn->src_reg == BPF_PSEUDO_KFUNC_CALL && !insn->off &&
	       !carom_kfunc_built_in(insn->imm);
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

	err = carom_kfuncs_init();
	if (err)
		return err;
	return register_bpf_struct_ops(&carom_struct_ops, carom_walker_ops);
}
