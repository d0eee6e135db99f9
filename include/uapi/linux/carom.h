/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Carom's kernel ABI: /dev/carom, session descriptors and their memory.
 *
 * /dev/carom makes sessions. A session is a sealed file, a walker and a number
 * of slots, and lives behind a descriptor of its own: whoever holds that
 * descriptor may run lookups through it. Every structure starts with its size
 * in bytes, so that it can grow; unknown flags and non-zero reserved fields
 * are refused with EINVAL, a larger size than the kernel knows with E2BIG
 * unless the surplus is zero.
 */
#ifndef _UAPI_LINUX_CAROM_H
#define _UAPI_LINUX_CAROM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CAROM_ABI_VERSION	1
#define CAROM_WALKER_NAME_LEN	32
#define CAROM_DETAIL_LEN	64

/* Limits; struct carom_info has those of the running kernel. */
#define CAROM_MIN_NODE_SIZE	512
#define CAROM_MAX_NODE_SIZE	65536
#define CAROM_MAX_SCRATCH_SIZE	65536
#define CAROM_MAX_SLOTS		4096
#define CAROM_MAX_HOPS		4096
#define CAROM_DEFAULT_HOPS	256
#define CAROM_MAX_DEADLINE_MS	10000
#define CAROM_DEFAULT_DEADLINE_MS 1000

/*
 * What a walker's step returns: the file offset of the node to read next
 * (>= 0), or one of these. Anything else ends the chain as
 * CAROM_END_BAD_RETURN.
 */
#define CAROM_STEP_DONE		(-1LL)
#define CAROM_STEP_MISS		(-2LL)
#define CAROM_STEP_FAIL_BASE	0x10000LL
#define CAROM_STEP_FAIL_MAX	0xffffLL
/* The walker cannot go on because of what it read; @code (0-65535) is its own. */
#define CAROM_STEP_FAIL(code)	(-(CAROM_STEP_FAIL_BASE + (__s64)(code)))

/**
 * struct carom_keys - the sorted keys of a slotted page, for carom_search()
 * @table: where in the node its table is: where each entry is, as 16 bits,
 *	little-endian
 * @nr: entries
 * @len_at: where in an entry the length of its key is, likewise
 * @key_at: where the key
 */
struct carom_keys {
	__u32 table;
	__u32 nr;
	__u16 len_at;
	__u16 key_at;
};

/* What carom_search() returns when the table or the key asked for is outside its memory. */
#define CAROM_SEARCH_FAULT	(-0x100000000LL)
/* What carom_crc32c() returns for a range outside the node. */
#define CAROM_CRC32C_FAULT	(-1LL)

/**
 * enum carom_end - how a chain ended
 * @CAROM_END_NONE: it has not run
 * @CAROM_END_DONE: the walker has its answer, in the slot
 * @CAROM_END_MISS: the walker knows that there is no answer
 * @CAROM_END_WALKER: the walker refused what it read; code is the walker's
 * @CAROM_END_HOPS: hop limit of the session reached
 * @CAROM_END_DEADLINE: deadline of the session passed
 * @CAROM_END_UNALIGNED: next offset is no multiple of the device's LBA size
 * @CAROM_END_RANGE: next node does not lie wholly within the file
 * @CAROM_END_HOLE: next node is in a hole or in an unwritten extent
 * @CAROM_END_SPLIT: next node is not contiguous on the device
 * @CAROM_END_IO: the device failed the read; code is the NVMe status
 * @CAROM_END_STOPPED: the queue is being reset, frozen or removed
 * @CAROM_END_UNLOADED: the session's walker is gone
 * @CAROM_END_CANCELED: the caller is being killed, the io_uring closed, or
 *	CAROM_URING_CANCEL
 * @CAROM_END_BAD_RETURN: the walker returned what no step may return
 * @CAROM_END_STALE: device geometry is not the one that was sealed
 * @CAROM_END_NR: how many there are
 *
 * From CAROM_END_HOPS on the chain was aborted: the answer may exist, and
 * user space can carry on from carom_lookup.at (or carom_result.at) with what is
 * in the scratch.
 */
enum carom_end {
	CAROM_END_NONE,
	CAROM_END_DONE,
	CAROM_END_MISS,
	CAROM_END_WALKER,
	CAROM_END_HOPS,
	CAROM_END_DEADLINE,
	CAROM_END_UNALIGNED,
	CAROM_END_RANGE,
	CAROM_END_HOLE,
	CAROM_END_SPLIT,
	CAROM_END_IO,
	CAROM_END_STOPPED,
	CAROM_END_UNLOADED,
	CAROM_END_CANCELED,
	CAROM_END_BAD_RETURN,
	CAROM_END_STALE,
	CAROM_END_NR,
};

/**
 * enum carom_refusal - why a file could not be sealed or a session made
 * @CAROM_REFUSED_NOT: not refused
 * @CAROM_REFUSED_ARGUMENT: EINVAL: sizes, counts, flags
 * @CAROM_REFUSED_NOT_READABLE: EBADF: descriptor not open for reading
 * @CAROM_REFUSED_NOT_OWNER: EPERM: neither owner nor CAP_FOWNER
 * @CAROM_REFUSED_FILE_TYPE: EOPNOTSUPP: directory, socket, ...
 * @CAROM_REFUSED_FILESYSTEM: EOPNOTSUPP: other than ext4 and xfs
 * @CAROM_REFUSED_DAX: EOPNOTSUPP: memory, not blocks
 * @CAROM_REFUSED_ENCRYPTED: EOPNOTSUPP: what is on the device is ciphertext
 * @CAROM_REFUSED_COMPRESSED: EOPNOTSUPP: blocks are not as read() has them
 * @CAROM_REFUSED_VERITY: EOPNOTSUPP: raw reads would not be verified
 * @CAROM_REFUSED_JOURNALED: EOPNOTSUPP: data=journal or chattr +j
 * @CAROM_REFUSED_INLINE: EOPNOTSUPP: data lives in the inode
 * @CAROM_REFUSED_REALTIME: EOPNOTSUPP: blocks are on another device
 * @CAROM_REFUSED_REFLINK: EOPNOTSUPP: shares blocks, or did once
 * @CAROM_REFUSED_SWAPFILE: EBUSY: in use as swap
 * @CAROM_REFUSED_WRITER: ETXTBSY: open for writing somewhere
 * @CAROM_REFUSED_EMPTY: ENODATA: no bytes to read
 * @CAROM_REFUSED_DEVICE: EOPNOTSUPP: not a PCI NVMe namespace
 * @CAROM_REFUSED_MULTIPATH: EOPNOTSUPP: NVMe multipath head
 * @CAROM_REFUSED_INTEGRITY: EOPNOTSUPP: namespace with metadata or PI
 * @CAROM_REFUSED_NODE_SIZE: EINVAL: less than an LBA
 * @CAROM_REFUSED_NO_WALKER: ENOENT: no walker of that name
 * @CAROM_REFUSED_WALKER_SIZE: EINVAL: node or scratch size is not the walker's
 * @CAROM_REFUSED_NO_MEMORY: ENOMEM: for slots, nodes, scratch or the map
 * @CAROM_REFUSED_FLUSH: writing back dirty pages failed, with that error
 * @CAROM_REFUSED_READ_SIZE: EINVAL: a node is more than the device reads at once
 * @CAROM_REFUSED_LIMIT: EPERM: more than carom_info has
 * @CAROM_REFUSED_NR: how many there are
 *
 * Set in carom_open.refusal when CAROM_IOC_OPEN fails; carom_open.detail then
 * names the object (a filesystem, a device, a walker) where there is one.
 */
enum carom_refusal {
	CAROM_REFUSED_NOT,
	CAROM_REFUSED_ARGUMENT,
	CAROM_REFUSED_NOT_READABLE,
	CAROM_REFUSED_NOT_OWNER,
	CAROM_REFUSED_FILE_TYPE,
	CAROM_REFUSED_FILESYSTEM,
	CAROM_REFUSED_DAX,
	CAROM_REFUSED_ENCRYPTED,
	CAROM_REFUSED_COMPRESSED,
	CAROM_REFUSED_VERITY,
	CAROM_REFUSED_JOURNALED,
	CAROM_REFUSED_INLINE,
	CAROM_REFUSED_REALTIME,
	CAROM_REFUSED_REFLINK,
	CAROM_REFUSED_SWAPFILE,
	CAROM_REFUSED_WRITER,
	CAROM_REFUSED_EMPTY,
	CAROM_REFUSED_DEVICE,
	CAROM_REFUSED_MULTIPATH,
	CAROM_REFUSED_INTEGRITY,
	CAROM_REFUSED_NODE_SIZE,
	CAROM_REFUSED_NO_WALKER,
	CAROM_REFUSED_WALKER_SIZE,
	CAROM_REFUSED_NO_MEMORY,
	CAROM_REFUSED_FLUSH,
	CAROM_REFUSED_READ_SIZE,
	CAROM_REFUSED_LIMIT,
	CAROM_REFUSED_NR,
};

/**
 * struct carom_info - CAROM_IOC_INFO: what this kernel has
 * @size: in: bytes of this structure
 * @abi: CAROM_ABI_VERSION of the kernel
 * @features: none yet
 * @nr_walkers: walkers loaded now
 * @nr_sessions: sessions open now
 * @max_slots: of a session; this and what follows as the administrator has set it
 * @max_hops: of a lookup
 * @max_deadline_ms: of a lookup
 * @max_node_size: bytes
 * @max_scratch_size: bytes
 * @reserved: 0
 */
struct carom_info {
	__u32 size;
	__u32 abi;
	__u64 features;
	__u32 nr_walkers;
	__u32 nr_sessions;
	__u32 max_slots;
	__u32 max_hops;
	__u32 max_deadline_ms;
	__u32 max_node_size;
	__u32 max_scratch_size;
	__u32 reserved;
};

/* Seal and map the file only: no walker, no slots; for CAROM_IOC_EXTENTS. */
#define CAROM_OPEN_MAP_ONLY	(1U << 0)

/**
 * struct carom_open - CAROM_IOC_OPEN on /dev/carom: make a session
 * @size: in: bytes of this structure
 * @flags: in: CAROM_OPEN_*
 * @fd: in: the file, open for reading; the session keeps its own reference
 * @node_size: in: bytes read by every hop, a power of two
 * @scratch_size: in: bytes of scratch per slot, at most CAROM_MAX_SCRATCH_SIZE
 * @nr_slots: in: chains that can be in flight at once
 * @max_hops: in: hop limit of a chain, 0 for the default
 * @deadline_ms: in: time limit of a chain, 0 for the default
 * @walker: in: name of a loaded walker
 * @refusal: out: enum carom_refusal when the call fails
 * @lba_shift: out: log2 of the device's LBA size in bytes
 * @file_size: out: bytes
 * @nr_extents: out: extents in the sealed map
 * @node_stride: out: bytes from one slot's node to the next in the mapping
 * @scratch_stride: out: the same for the scratch
 * @detail: out: name of what was refused, NUL-terminated
 *
 * Returns the session's descriptor (close-on-exec).
 */
struct carom_open {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 node_size;
	__u32 scratch_size;
	__u32 nr_slots;
	__u32 max_hops;
	__u32 deadline_ms;
	char  walker[CAROM_WALKER_NAME_LEN];
	__u32 refusal;
	__u32 lba_shift;
	__u64 file_size;
	__u64 nr_extents;
	__u32 node_stride;
	__u32 scratch_stride;
	char  detail[CAROM_DETAIL_LEN];
};

/*
 * Flags of lookups.
 *
 * CAROM_LOOKUP_POLL: the caller spins on a queue without interrupts
 * (nvme.poll_queues) instead of sleeping. If the device has none it sleeps after
 * all; carom_stats.polls counts the lookups that did poll.
 * CAROM_LOOKUP_HYBRID: with CAROM_LOOKUP_POLL, after sending a read sleep for
 * half of what this slot's hops take on average, and only then poll.
 * CAROM_LOOKUP_NOWAIT: fail with EAGAIN if the first read would have to wait,
 * until the device's queue has room or is no longer frozen.
 */
#define CAROM_LOOKUP_POLL	(1U << 0)
#define CAROM_LOOKUP_HYBRID	(1U << 1)
#define CAROM_LOOKUP_NOWAIT	(1U << 2)

/**
 * struct carom_lookup - CAROM_IOC_LOOKUP on a session: run one chain and wait
 * @slot: in: index of the slot; its scratch holds the query
 * @flags: in: CAROM_LOOKUP_*
 * @offset: in: file offset of the first node, in bytes
 * @end: out: enum carom_end
 * @hops: out: nodes that the walker has seen
 * @code: out: the walker's code or the NVMe status, see @end
 * @reserved: 0
 * @at: out: file offset of the node that the answer was found in, or, for an
 *      aborted chain, of the node to read next
 *
 * Returns 0 whenever the chain ran, however it ended. EBUSY: the slot is in
 * use. EINVAL: no such slot, unknown flags, or CAROM_LOOKUP_HYBRID alone. EAGAIN:
 * see CAROM_LOOKUP_NOWAIT.
 */
struct carom_lookup {
	__u32 slot;
	__u32 flags;
	__u64 offset;
	__u32 end;
	__u32 hops;
	__s32 code;
	__u32 reserved;
	__u64 at;
};

/**
 * struct carom_uring - IORING_OP_URING_CMD on a session, at sqe->cmd
 * @slot: index of the slot
 * @flags: CAROM_URING_LOOKUP: CAROM_LOOKUP_NOWAIT or 0; else 0
 * @offset: CAROM_URING_LOOKUP: file offset of the first node, in bytes; else 0
 *
 * sqe->cmd_op is CAROM_URING_LOOKUP, which runs one chain, or
 * CAROM_URING_CANCEL, which asks the chain that is in the slot, whoever sent it,
 * to go to no further node, and does not wait for that. Rings need no particular
 * flags. Lookups of a ring with IORING_SETUP_IOPOLL are on the device's poll
 * queues, if it has any.
 *
 * The result of CAROM_URING_LOOKUP is an enum carom_end when the chain ran, and
 * the slot's struct carom_result has the rest. EBUSY: the slot is in use, which
 * it is until the CQE is there. EINVAL: no such slot, or unknown flags. EAGAIN:
 * see CAROM_LOOKUP_NOWAIT; without it the io_uring waits in a worker of its own.
 * That of CAROM_URING_CANCEL is 0, ENOENT: no lookup is in the slot, or EALREADY:
 * it has been canceled before.
 */
struct carom_uring {
	__u32 slot;
	__u32 flags;
	__u64 offset;
};

/**
 * struct carom_result - how the last CAROM_URING_LOOKUP of a slot went
 * @end: enum carom_end, as in the CQE
 * @hops: see struct carom_lookup
 * @code: likewise
 * @sequence: how many there have been in this slot
 * @at: see struct carom_lookup
 * @reserved: 0
 *
 * Written before the CQE is posted. No two slots share a cache line.
 */
struct carom_result {
	__u32 end;
	__u32 hops;
	__s32 code;
	__u32 sequence;
	__u64 at;
	__u64 reserved[5];
};

/**
 * struct carom_extent - one run of the sealed map
 * @offset: file offset in bytes
 * @length: bytes
 * @lba: first LBA on the namespace, in units of 1 << lba_shift bytes
 */
struct carom_extent {
	__u64 offset;
	__u64 length;
	__u64 lba;
};

/**
 * struct carom_extents - CAROM_IOC_EXTENTS on a session: read its map
 * @size: in: bytes of this structure
 * @count: in: room in @extents; out: how many were written
 * @first: in: index of the first extent wanted
 * @extents: in: user pointer to struct carom_extent[@count]
 */
struct carom_extents {
	__u32 size;
	__u32 count;
	__u64 first;
	__u64 extents;
};

/**
 * struct carom_stats - CAROM_IOC_STATS on a session: totals since it was made
 * @size: in: bytes of this structure
 * @reserved: 0
 * @lookups: chains ended
 * @hops: nodes that the walker has seen
 * @resubmits: reads sent to the device from its completion path
 * @yields: times a chain went back to its caller because one interrupt had
 *          done its share
 * @polls: chains that were polled
 * @ends: chains by enum carom_end
 */
struct carom_stats {
	__u32 size;
	__u32 reserved;
	__u64 lookups;
	__u64 hops;
	__u64 resubmits;
	__u64 yields;
	__u64 polls;
	__u64 ends[CAROM_END_NR];
};

#define CAROM_IOC_MAGIC		0xCA
#define CAROM_IOC_INFO		_IOWR(CAROM_IOC_MAGIC, 0x00, struct carom_info)
#define CAROM_IOC_OPEN		_IOWR(CAROM_IOC_MAGIC, 0x01, struct carom_open)
#define CAROM_IOC_LOOKUP	_IOWR(CAROM_IOC_MAGIC, 0x10, struct carom_lookup)
#define CAROM_IOC_EXTENTS	_IOWR(CAROM_IOC_MAGIC, 0x11, struct carom_extents)
#define CAROM_IOC_STATS		_IOWR(CAROM_IOC_MAGIC, 0x12, struct carom_stats)

/* sqe->cmd_op */
#define CAROM_URING_LOOKUP	_IOW(CAROM_IOC_MAGIC, 0x20, struct carom_uring)
#define CAROM_URING_CANCEL	_IOW(CAROM_IOC_MAGIC, 0x21, struct carom_uring)

/*
 * mmap() of a session: the nodes of all slots (node_stride bytes apart) at
 * CAROM_MMAP_NODES, their scratch areas (scratch_stride apart) at
 * CAROM_MMAP_SCRATCH, their struct carom_result (one after the other) at
 * CAROM_MMAP_RESULTS. MAP_SHARED, from the start of the area and all of it.
 * Nodes and results are there to be read, neither written nor executed: EPERM.
 */
#define CAROM_MMAP_NODES	0ULL
#define CAROM_MMAP_SCRATCH	(1ULL << 40)
#define CAROM_MMAP_RESULTS	(2ULL << 40)

#endif /* _UAPI_LINUX_CAROM_H */
