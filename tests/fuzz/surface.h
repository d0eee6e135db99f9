/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzzer of all that user space can call in carom.ko. Every call begins as one
 * that works; then some of it is changed.
 */
#ifndef SURFACE_H
#define SURFACE_H

#include <stdatomic.h>
#include "../vm/vm.h"

#define SURFACE_DIR	VM_FILE("fuzz")
#define SURFACE_FILES	6	/* "0" to "5" in it */
#define SURFACE_NODES	256
#define FDS		12
#define MAPS		12

#define SURFACE_OPS(X)								\
	X(open) X(lookup) X(uring) X(extents) X(stats) X(info) X(any_ioctl) X(map) X(unmap)	\
	X(protect) X(remap) X(advise) X(touch) X(io_with_map) X(io_on_session)		\
	X(close) X(dup) X(pass) X(fork) X(change_file)

enum surface_op {
#define X(name) OP_##name,
	SURFACE_OPS(X)
#undef X
	NR_OPS
};

/**
 * struct surface_counts - what came of it, shared by all processes
 * @ok: calls that worked
 * @failed: calls that were refused
 * @ends: lookups by their end
 * @refusals: sessions by why they were refused
 * @answers: lookups of the bystander, all of them right
 * @wrong: text of what went wrong there
 */
struct surface_counts {
	atomic_ulong ok[NR_OPS];
	atomic_ulong failed[NR_OPS];
	atomic_ulong ends[CAROM_END_NR];
	atomic_ulong refusals[CAROM_REFUSED_NR];
	atomic_ulong answers;
	char wrong[256];
};

extern struct surface_counts *counts;
extern const char *const op_names[NR_OPS];

/* One process' descriptors and mappings. Its threads race for them, and are meant to. */
struct session {
	_Atomic int fd;
	_Atomic __u32 slots, node_stride, scratch_stride;
	_Atomic __u64 size;
};

struct mapping {
	_Atomic uintptr_t addr;
	_Atomic size_t len;
};

struct world {
	int dev;
	struct session sessions[FDS];
	struct mapping maps[MAPS];
	void *read_only;	/* a page, for results */
	void *page;		/* and one that can be written */
	bool is_child;
};

struct actor {
	struct world *w;
	__u64 rnd;
};

__u64 surface_rnd(struct actor *a);
unsigned int below(struct actor *a, unsigned int n);
bool one_in(struct actor *a, unsigned int n);

void surface_init(struct world *w);
void surface_step(struct actor *a);

/* surface_open.c: sessions on all sorts of files. */
bool op_open(struct actor *a);

/* surface_uring.c: rings with lookups in flight. */
bool op_uring(struct actor *a);

/* surface_mem.c: their memory. */
bool op_map(struct actor *a);
bool op_unmap(struct actor *a);
bool op_protect(struct actor *a);
bool op_remap(struct actor *a);
bool op_advise(struct actor *a);
bool op_touch(struct actor *a);
bool op_io_with_map(struct actor *a);
void surface_guard(void);

/* A number that matters: small, round, near a limit, or any. */
__u64 odd_number(struct actor *a);
/* A session, or a descriptor that is none. */
struct session *any_session(struct actor *a);
struct mapping *any_mapping(struct actor *a);
/* Memory for a result, or for a fault. */
void *any_pointer(struct actor *a, void *good);

#endif /* SURFACE_H */
