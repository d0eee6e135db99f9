// SPDX-License-Identifier: GPL-2.0
/* The memory of chains: allocated once per session, mapped into user space. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "carom.h"

static void carom_slot_free_node(struct carom_session *s, struct carom_slot *slot)
{
	if (slot->chain.page)
		free_pages_exact(page_address(slot->chain.page), s->node_stride);
}

/*
 * Zeroed, so that nothing of the memory's earlier life shows. Each page has a
 * reference count of its own, so that it can be mapped, and no more: a compound
 * page would be a large folio to madvise(), and MADV_COLD of a part of one does
 * not end on kernels without huge pages, whose split_folio() claims to work.
 */
static int carom_slot_alloc_node(struct carom_session *s, struct carom_slot *slot)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	void *node = alloc_pages_exact(s->node_stride, gfp);

	if (!node)
		return -ENOMEM;
	slot->node = node;
	slot->chain.page = virt_to_page(node);
	return 0;
}

static int carom_slot_init(struct carom_session *s, u32 i)
{
	struct carom_slot *slot = &s->slots[i];

	slot->session = s;
	slot->scratch = s->scratch + (size_t)i * s->scratch_stride;
	slot->result = &s->results[i];
	carom_chain_init(slot);
	carom_uring_init_slot(slot);
	return carom_slot_alloc_node(s, slot);
}

/* Zeroed memory that is mapped into user space, and charged to whoever asked for it. */
static void *carom_alloc_shared(size_t size)
{
	return __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

static size_t carom_results_size(const struct carom_session *s)
{
	return PAGE_ALIGN(s->nr_slots * sizeof(*s->results));
}

/* On failure the caller frees with carom_slots_free(). */
int carom_slots_alloc(struct carom_session *s)
{
	int err;
	u32 i;

	s->slots = kvcalloc(s->nr_slots, sizeof(*s->slots), GFP_KERNEL_ACCOUNT);
	if (!s->slots)
		return -ENOMEM;
	s->scratch = carom_alloc_shared((size_t)s->nr_slots * s->scratch_stride);
	if (!s->scratch)
		return -ENOMEM;
	s->results = carom_alloc_shared(carom_results_size(s));
	if (!s->results)
		return -ENOMEM;
	for (i = 0; i < s->nr_slots; i++) {
		err = carom_slot_init(s, i);
		if (err)
			return err;
	}
	return 0;
}

/* No chain is in flight: every lookup holds the session's descriptor. */
void carom_slots_free(struct carom_session *s)
{
	u32 i;

	for (i = 0; s->slots && i < s->nr_slots; i++)
		carom_slot_free_node(s, &s->slots[i]);
	vfree(s->results);
	vfree(s->scratch);
	kvfree(s->slots);
}

/* All of @mem, which fills @vma. */
static int carom_insert_shared(struct vm_area_struct *vma, const void *mem)
{
	unsigned long addr;
	int err;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE, mem += PAGE_SIZE) {
		err = vm_insert_page(vma, addr, vmalloc_to_page(mem));
		if (err)
			return err;
	}
	return 0;
}

static int carom_insert_node(struct carom_session *s, struct vm_area_struct *vma, u32 i)
{
	unsigned long addr = vma->vm_start + (unsigned long)i * s->node_stride;
	unsigned int page;
	int err;

	for (page = 0; page < s->node_stride >> PAGE_SHIFT; page++) {
		err = vm_insert_page(vma, addr + page * PAGE_SIZE,
				     s->slots[i].chain.page + page);
		if (err)
			return err;
	}
	return 0;
}

/* What the device or the kernel writes is there to be read, now and later. */
static int carom_mmap_read_only(struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	vm_flags_mod(vma, VM_DONTEXPAND, VM_MAYWRITE | VM_MAYEXEC);
	return 0;
}

static int carom_mmap_nodes(struct carom_session *s, struct vm_area_struct *vma)
{
	int err;
	u32 i;

	err = carom_mmap_read_only(vma);
	if (err)
		return err;
	for (i = 0; i < s->nr_slots; i++) {
		err = carom_insert_node(s, vma, i);
		if (err)
			return err;
	}
	return 0;
}

static int carom_mmap_results(struct carom_session *s, struct vm_area_struct *vma)
{
	return carom_mmap_read_only(vma) ?: carom_insert_shared(vma, s->results);
}

/*
 * The mapping keeps the session's descriptor, and with it this memory, alive.
 * Areas are mapped whole, so that there is one size to check.
 */
int carom_slots_mmap(struct carom_session *s, struct vm_area_struct *vma)
{
	u64 size = vma->vm_end - vma->vm_start;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!s->walker || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (offset == CAROM_MMAP_NODES && size == (u64)s->nr_slots * s->node_stride)
		return carom_mmap_nodes(s, vma);
	if (offset == CAROM_MMAP_SCRATCH && size == (u64)s->nr_slots * s->scratch_stride)
		return carom_insert_shared(vma, s->scratch);
	if (offset == CAROM_MMAP_RESULTS && size == carom_results_size(s))
		return carom_mmap_results(s, vma);
	return -EINVAL;
}

/**
 * carom_slot_take() - make a slot the caller's
 * @s: the session
 * @index: as user space gave it
 *
 * Context: task.
 * Return: the slot, until carom_slot_release(); -EINVAL there is none of that
 * index, -EBUSY it is somebody else's.
 */
struct carom_slot *carom_slot_take(struct carom_session *s, u32 index)
{
	struct carom_slot *slot;

	if (index >= s->nr_slots)
		return ERR_PTR(-EINVAL);
	slot = &s->slots[array_index_nospec(index, s->nr_slots)];
	/* Pairs with carom_slot_release(). */
	if (cmpxchg_acquire(&slot->state, 0, CAROM_SLOT_BUSY))
		return ERR_PTR(-EBUSY);
	return slot;
}

/* A cancellation that comes too late finds nothing to cancel. Context: task. */
void carom_slot_release(struct carom_slot *slot)
{
	/* Pairs with carom_slot_take(). */
	smp_store_release(&slot->state, 0);
}

/**
 * carom_slot_cancel() - keep the chain that is in a slot from going on
 * @slot: anybody's
 *
 * Context: any.
 * Return: 0; -ENOENT no lookup is in the slot, -EALREADY it has been canceled.
 */
int carom_slot_cancel(struct carom_slot *slot)
{
	unsigned long old = cmpxchg(&slot->state, CAROM_SLOT_BUSY,
				    CAROM_SLOT_BUSY | CAROM_SLOT_CANCELED);

	if (old == CAROM_SLOT_BUSY)
		return 0;
	return old ? -EALREADY : -ENOENT;
}
