/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside carom.ko.
 *
 * A session (session.c) holds a sealed file (seal.c) with its extent map
 * (map.c, map_bmap.c), a walker (walker.c) and slots (slots.c). A lookup is one
 * chain (chain.c) in one slot; its caller waits (wait.c) or is told by an
 * io_uring (uring.c). stats.c counts how they end.
 *
 * Locks, outer to inner:
 *	carom_files_lock	mutex: list of sealed files and their counts
 *	carom_file.lock		mutex: sealing and mapping of one file
 *	inode lock		taken inside seal.c and, while mapping, by filesystems
 *	carom_walkers_lock	mutex: list of walkers; never with the above
 *	carom_stats_lock	mutex: list of sessions; never with the above
 *	carom_shares_lock	mutex: slots by device; never with the above
 * The completion path and lookups take none of them: they look at what a session
 * keeps constant for its life, at their own slot, and at the walker under RCU.
 * A lookup through an io_uring relies on that ring's lock, see uring.c.
 *
 * Contexts: the completion path is in hard interrupt context, on poll queues in
 * the context of whichever task polls, and in a kernel thread when a request
 * times out or is canceled by a reset. Everything else is in task context.
 */
#ifndef CAROM_CAROM_H
#define CAROM_CAROM_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/nvme-chain.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/carom.h>

#include "compat.h"

struct bpf_prog;
struct carom_counts;
struct carom_share;
struct io_comp_batch;
struct io_uring_cmd;

/* --- map.c, map_bmap.c: file offset to LBA --- */

/**
 * struct carom_run - file blocks that are contiguous on the device
 * @start: file offset in sectors
 * @sector: where on the namespace, in sectors
 * @len: sectors
 */
struct carom_run {
	u64	start;
	u64	sector;
	u64	len;
};

/**
 * struct carom_map - the blocks of a sealed file
 * @runs: sorted by @start, not overlapping, neighbours merged
 * @nr: how many
 * @room: how many fit
 * @index: by part of the file, how many runs begin before it or with it; NULL if
 *	there are few
 * @shift: log2 of the sectors in a part
 * @end: first sector behind the last run, if there is an index
 *
 * Constant once built. 28 bytes a run, if there are many.
 */
struct carom_map {
	struct carom_run	*runs;
	size_t			nr;
	size_t			room;
	u32			*index;
	unsigned int		shift;
	u64			end;
};

int carom_map_add(struct carom_map *map, u64 start, u64 sector, u64 len);
int carom_map_finish(struct carom_map *map);
void carom_map_free(struct carom_map *map);
int carom_map_build(struct carom_map *map, struct file *file, u64 part_start);
const struct carom_run *carom_map_search(const struct carom_map *map, u64 start);

static inline bool carom_run_holds(const struct carom_run *run, u64 start)
{
	return start - run->start < run->len;
}

/* --- seal.c: files whose blocks stay where they are --- */

static inline bool carom_fs_is(const struct inode *inode, const char *name)
{
	return !strcmp(inode->i_sb->s_type->name, name);
}

/**
 * struct carom_file - a sealed file, shared by its sessions
 * @list: in carom_files
 * @users: sessions, under carom_files_lock
 * @lock: held while sealing
 * @sealed: @map and what follows is valid; under @lock until the session that
 *	looks has passed it once
 * @inode: identity
 * @file: own reference, pins inode, filesystem and block device
 * @bdev: the namespace or partition that the blocks are on
 * @map: its blocks
 * @size: bytes
 * @part_start: first sector of @bdev on its namespace
 * @part_sectors: sectors of @bdev
 * @limits: of the namespace
 * @swapfile: S_SWAPFILE was set by us
 */
struct carom_file {
	struct list_head		list;
	unsigned int			users;
	struct mutex			lock;	/* sealing and mapping */
	bool				sealed;
	struct inode			*inode;
	struct file			*file;
	struct block_device		*bdev;
	struct carom_map		map;
	u64				size;
	u64				part_start;
	u64				part_sectors;
	struct nvme_chain_limits	limits;
	bool				swapfile;
};

/**
 * struct carom_why - why something was refused
 * @refusal: enum carom_refusal
 * @detail: name of what was refused
 */
struct carom_why {
	enum carom_refusal	refusal;
	char			detail[CAROM_DETAIL_LEN];
};

int carom_refuse(struct carom_why *why, int err, enum carom_refusal refusal,
		 const char *detail);
struct carom_file *carom_file_get(struct file *file, struct carom_why *why);
void carom_file_put(struct carom_file *cf);
bool carom_file_moved(const struct carom_file *cf);

/* --- walker.c: struct_ops and kfuncs --- */

/**
 * struct carom_hop - one completed read, as a walker sees it
 * @offset: file offset of the node, in bytes
 * @index: 0 for the first node of the chain
 * @node_size: bytes in the node
 * @opaque: never set. A structure of nothing but numbers could be any memory to
 *	the verifier, which would then take a walker's own stack for a hop.
 */
struct carom_hop {
	u64		offset;
	u32		index;
	u32		node_size;
	const void	*opaque;
};

/**
 * struct carom_walker_ops - what a BPF object registers
 * @name: sessions ask for it by this name
 * @abi: CAROM_ABI_VERSION that it was built for
 * @node_size: node size of its sessions, in bytes
 * @scratch_size: least scratch of its sessions, in bytes
 * @step: called for each node, within an RCU read-side section, mostly in
 *	hard interrupt context; see CAROM_STEP_* for what it returns
 * @prog: the kernel's own: the program behind @step if it can be called without
 *	its trampoline. Lives as long as @step.
 */
struct carom_walker_ops {
	char	name[CAROM_WALKER_NAME_LEN];
	u32	abi;
	u32	node_size;
	u32	scratch_size;
	s64	(*step)(struct carom_hop *hop);
	const struct bpf_prog	*prog;
};

/**
 * struct carom_walker - a registered walker
 * @list: in carom_walkers, until it is unregistered
 * @ref: one of the registration, one of each session
 * @ops: NULL once it is unregistered
 * @node_size: as in the ops, which may be gone
 * @scratch_size: likewise
 */
struct carom_walker {
	struct list_head			list;
	struct kref				ref;
	struct carom_walker_ops __rcu		*ops;
	u32					node_size;
	u32					scratch_size;
};

struct carom_walker *carom_walker_get(const char *name);
void carom_walker_put(struct carom_walker *walker);
unsigned int carom_walker_count(void);
int carom_walker_init(void);

/* --- kfuncs.c: what walkers call --- */

int carom_kfuncs_init(void);
bool carom_kfunc_built_in(u32 id);

/* --- slots.c: the memory of chains --- */

/* In carom_slot.state. A chain that is canceled goes to no further node. */
#define CAROM_SLOT_BUSY		BIT(0)
#define CAROM_SLOT_CANCELED	BIT(1)

/**
 * struct carom_slot - one chain
 * @chain: the driver's part
 * @hop: what the walker sees; its index counts the nodes that the walker has
 *	seen in this chain
 * @step_args: the arguments of the walker's program
 * @session: the owner
 * @run: the run that the last node was in, where the next is looked for first
 * @node: kernel address of the node
 * @scratch: kernel address of the scratch
 * @end: how it ended, CAROM_END_NONE while it runs
 * @code: see struct carom_lookup
 * @at: see struct carom_lookup
 * @deadline: in jiffies
 * @begun: when its lookup began, while carom_trace_listeners was @listeners (trace.c)
 * @listeners: see @begun
 * @state: CAROM_SLOT_*, 0 while no lookup owns the slot
 * @ended: called on the completion path when the driver is finished with the
 *	request; the slot may then go on to another lookup before it returns
 * @done: as told by @ended to who looks instead of being told
 * @polled: the last leg was on a poll queue
 * @waiter: who sleeps or polls until @done (wait.c)
 * @hop_ns: what a hop takes, for hybrid polling (wait.c)
 * @cmd: the command that is to be completed (uring.c)
 * @result: where user space finds what it is told about @cmd
 * @work: goes on with a chain when that may have to sleep (uring.c)
 * @resubmits: of this lookup, see struct carom_stats
 * @yields: likewise
 * @timed_from: when it began, 0 if nobody wanted to know (stats.c)
 *
 * What several contexts share of a slot is @state, @done and, in what a poller
 * sees of its own chain, @hop.
 */
struct carom_slot {
	struct nvme_chain	chain;
	struct carom_hop	hop;
	u64			step_args[1];
	struct carom_session	*session;
	const struct carom_run	*run;
	const u8		*node;
	u8			*scratch;
	enum carom_end		end;
	s32			code;
	u64			at;
	unsigned long		deadline;
	u64			begun;
	int			listeners;
	unsigned long		state;
	void			(*ended)(struct carom_slot *slot);
	bool			done;
	bool			polled;

	struct task_struct	*waiter;
	u64			hop_ns;
	struct io_uring_cmd	*cmd;
	struct carom_result	*result;
	struct work_struct	work;

	u32			resubmits;
	u32			yields;
	u64			timed_from;
} ____cacheline_aligned;

struct carom_session;

int carom_slots_alloc(struct carom_session *s);
void carom_slots_free(struct carom_session *s);
int carom_slots_mmap(struct carom_session *s, struct vm_area_struct *vma);
struct carom_slot *carom_slot_take(struct carom_session *s, u32 index);
void carom_slot_release(struct carom_slot *slot);
int carom_slot_cancel(struct carom_slot *slot);

/* --- session.c --- */

/**
 * struct carom_session - what a session descriptor stands for
 * @id: its number in tracepoints and statistics
 * @name: of the walker, which may be gone
 * @list: in the list of stats.c, under its lock
 * @share: what of the device its slots are counted in; NULL if there are none (limits.c)
 * @counts: statistics; NULL for a session that only maps
 * @file: sealed file
 * @walker: NULL for a session that only maps
 * @slots: chains
 * @scratch: vmalloc() area, @scratch_stride per slot
 * @results: vmalloc() area, one per slot
 * @last_offset: the last file offset at which a node can start
 * @lba_mask: bits of a file offset that must be zero
 * @lba_shift: log2 of sectors per LBA
 * @nr_slots: how many @slots there are
 * @node_size: bytes per read
 * @node_sectors: the same in sectors
 * @scratch_size: bytes of scratch that kfuncs hand out
 * @node_stride: bytes from node to node in the mapping
 * @scratch_stride: the same for the scratch
 * @max_hops: hop limit
 * @deadline: time limit in jiffies
 *
 * All but @list and what @counts points to is constant from the moment that the
 * descriptor exists.
 */
struct carom_session {
	u64			id;
	char			name[CAROM_WALKER_NAME_LEN];
	struct list_head	list;
	struct carom_share	*share;
	struct carom_counts __percpu *counts;
	struct carom_file	*file;
	struct carom_walker	*walker;
	struct carom_slot	*slots;
	void			*scratch;
	struct carom_result	*results;
	s64			last_offset;
	u32			lba_mask;
	u32			lba_shift;
	u32			nr_slots;
	u32			node_size;
	u32			node_sectors;
	u32			scratch_size;
	u32			node_stride;
	u32			scratch_stride;
	u32			max_hops;
	u32			deadline;
};

int carom_session_open(struct carom_open *arg, struct carom_why *why,
		       struct file **out);
unsigned int carom_session_count(void);

/* --- chain.c: what all lookups have in common --- */

/**
 * enum carom_leg - what became of a leg, which is a read and what follows from it
 * @CAROM_LEG_SENT: it is on its way
 * @CAROM_LEG_ENDED: the lookup has ended without it
 * @CAROM_LEG_NO_TAG: it would have to wait for a request
 */
enum carom_leg {
	CAROM_LEG_SENT,
	CAROM_LEG_ENDED,
	CAROM_LEG_NO_TAG,
};

void carom_chain_init(struct carom_slot *slot);
void carom_chain_begin(struct carom_slot *slot, u64 offset);
enum carom_leg carom_chain_leg(struct carom_slot *slot, unsigned int flags);
void carom_chain_count(struct carom_slot *slot);

/* --- wait.c: lookups whose caller waits --- */

int carom_wait_lookup(struct carom_session *s, struct carom_lookup *arg);

/* --- uring.c: lookups that are commands of an io_uring --- */

void carom_uring_init_slot(struct carom_slot *slot);
int carom_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int carom_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob,
		       unsigned int poll_flags);
int carom_uring_init(void);
void carom_uring_exit(void);

#endif /* CAROM_CAROM_H */
