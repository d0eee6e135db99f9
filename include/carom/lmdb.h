/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * LMDB files (data version 1, 64-bit little-endian, 4096-byte pages), and what
 * the walkers "lmdb" and "lmdb_scan" and their callers say to each other through
 * the scratch.
 *
 * A lookup is two kinds of chain. CAROM_LMDB_META starts at offset 0, reads
 * both meta pages and leaves the newer valid one in answer.meta.
 * CAROM_LMDB_GET starts at a root page and searches that tree for one key.
 *
 * A scan goes from a root page to the first entry of a range, or to its last, and
 * from leaf to leaf from there.
 */
#ifndef CAROM_LMDB_H
#define CAROM_LMDB_H

#include <linux/types.h>
#include <carom/scan.h>

#define CAROM_LMDB_PAGE		4096
#define CAROM_LMDB_MAX_KEY	511
/* Page numbers have 48 bits in a branch. */
#define CAROM_LMDB_MAX_PAGE	((1ULL << 48) - 1)
/* Levels that liblmdb's cursors can hold. */
#define CAROM_LMDB_MAX_DEPTH	32
/* Root of an empty tree. */
#define CAROM_LMDB_NO_PAGE	(~0ULL)

/* Page header: 16 bytes. Overflow pages have mp_pages instead of lower and upper. */
#define CAROM_LMDB_PG_PGNO	0	/* u64 */
#define CAROM_LMDB_PG_FLAGS	10	/* u16 */
#define CAROM_LMDB_PG_LOWER	12	/* u16: end of the pointers */
#define CAROM_LMDB_PG_UPPER	14	/* u16: start of the nodes */
#define CAROM_LMDB_PG_PAGES	12	/* u32 */
#define CAROM_LMDB_PG_HDR	16

#define CAROM_LMDB_P_BRANCH	0x01
#define CAROM_LMDB_P_LEAF	0x02
#define CAROM_LMDB_P_OVERFLOW	0x04
#define CAROM_LMDB_P_META	0x08

/* Node: lo and hi are the data size in a leaf, the low half of the child in a branch. */
#define CAROM_LMDB_ND_LO	0	/* u16 */
#define CAROM_LMDB_ND_HI	2	/* u16 */
#define CAROM_LMDB_ND_FLAGS	4	/* u16; in a branch bits 32-47 of the child */
#define CAROM_LMDB_ND_KSIZE	6	/* u16 */
#define CAROM_LMDB_ND_HDR	8

#define CAROM_LMDB_F_BIGDATA	0x01	/* the data is the number of an overflow page */
#define CAROM_LMDB_F_SUBDATA	0x02	/* the data is a struct carom_lmdb_db */
#define CAROM_LMDB_F_DUPDATA	0x04

/* Meta page. */
#define CAROM_LMDB_MT_MAGIC	16	/* u32 */
#define CAROM_LMDB_MT_VERSION	20	/* u32 */
#define CAROM_LMDB_MT_PSIZE	40	/* u32: md_pad of the free list's record */
#define CAROM_LMDB_MT_MAIN	88	/* struct carom_lmdb_db */
#define CAROM_LMDB_MT_LAST_PG	136	/* u64 */
#define CAROM_LMDB_MT_TXNID	144	/* u64 */
#define CAROM_LMDB_MT_END	152

#define CAROM_LMDB_MAGIC	0xBEEFC0DEU
#define CAROM_LMDB_VERSION	1

/* Flags of a database. */
#define CAROM_LMDB_DB_REVERSEKEY 0x02
#define CAROM_LMDB_DB_DUPSORT	0x04
#define CAROM_LMDB_DB_INTEGERKEY 0x08
#define CAROM_LMDB_DB_DUPFIXED	0x10
#define CAROM_LMDB_DB_INTEGERDUP 0x20
#define CAROM_LMDB_DB_REVERSEDUP 0x40

/* One tree, as in the file. */
struct carom_lmdb_db {
	__u32 pad;
	__u16 flags;
	__u16 depth;
	__u64 branch_pages;
	__u64 leaf_pages;
	__u64 overflow_pages;
	__u64 entries;
	__u64 root;
};

enum carom_lmdb_op {
	CAROM_LMDB_META = 1,
	CAROM_LMDB_GET = 2,
};

/**
 * enum carom_lmdb_code - what the walker found wrong
 * @CAROM_LMDB_E_QUERY: the query, or a start offset that does not go with it
 * @CAROM_LMDB_E_META: neither meta page is valid; answer.meta_bad says why
 * @CAROM_LMDB_E_META_FLAGS: not a meta page; value: its flags
 * @CAROM_LMDB_E_META_MAGIC: value: what is there instead of the magic number
 * @CAROM_LMDB_E_META_VERSION: value: the data version
 * @CAROM_LMDB_E_META_PSIZE: no page size at all; value: what it says
 * @CAROM_LMDB_E_META_LAST_PG: value: number of the last page
 * @CAROM_LMDB_E_META_ROOT: root and depth of the main tree contradict each
 *	other or the number of pages; value: the root
 * @CAROM_LMDB_E_PGNO: the page says that it is another; value: which
 * @CAROM_LMDB_E_NOT_BRANCH: the level says branch page; value: its flags
 * @CAROM_LMDB_E_NOT_LEAF: the level says leaf page; value: its flags
 * @CAROM_LMDB_E_NOT_OVERFLOW: value: flags of the page
 * @CAROM_LMDB_E_BOUNDS: lower and upper; value: upper << 16 | lower
 * @CAROM_LMDB_E_COUNT: more or fewer keys than such a page can have; value: how many
 * @CAROM_LMDB_E_POINTER: node does not start within the nodes; value: its offset
 * @CAROM_LMDB_E_KEY: key is empty or leaves the page; value: its size
 * @CAROM_LMDB_E_DATA: data leaves the page; value: its size
 * @CAROM_LMDB_E_NODE_FLAGS: value: flags of the node
 * @CAROM_LMDB_E_DUPDATA: several values under one key, in a tree not marked so
 * @CAROM_LMDB_E_SUBDATA: record of a named database; value: its size
 * @CAROM_LMDB_E_CHILD: child is no page of the file; value: its number
 * @CAROM_LMDB_E_OVERFLOW: value's overflow page is none of the file; value: its number
 * @CAROM_LMDB_E_PAGES: run of overflow pages is too short for the value, or
 *	goes past the last page; value: pages in the run
 * @CAROM_LMDB_E_ENTRIES: there are more entries than the tree says that it has;
 *	value: so many
 * @CAROM_LMDB_E_WIDTH: value is no integer of query.scan.width bytes; value: its size
 *
 * struct carom_lmdb_bad tells where it is.
 */
enum carom_lmdb_code {
	CAROM_LMDB_E_NONE,
	CAROM_LMDB_E_QUERY,
	CAROM_LMDB_E_META,
	CAROM_LMDB_E_META_FLAGS,
	CAROM_LMDB_E_META_MAGIC,
	CAROM_LMDB_E_META_VERSION,
	CAROM_LMDB_E_META_PSIZE,
	CAROM_LMDB_E_META_LAST_PG,
	CAROM_LMDB_E_META_ROOT,
	CAROM_LMDB_E_PGNO,
	CAROM_LMDB_E_NOT_BRANCH,
	CAROM_LMDB_E_NOT_LEAF,
	CAROM_LMDB_E_NOT_OVERFLOW,
	CAROM_LMDB_E_BOUNDS,
	CAROM_LMDB_E_COUNT,
	CAROM_LMDB_E_POINTER,
	CAROM_LMDB_E_KEY,
	CAROM_LMDB_E_DATA,
	CAROM_LMDB_E_NODE_FLAGS,
	CAROM_LMDB_E_DUPDATA,
	CAROM_LMDB_E_SUBDATA,
	CAROM_LMDB_E_CHILD,
	CAROM_LMDB_E_OVERFLOW,
	CAROM_LMDB_E_PAGES,
	CAROM_LMDB_E_ENTRIES,
	CAROM_LMDB_E_WIDTH,
	CAROM_LMDB_E_NR,
};

#define CAROM_LMDB_NO_NODE	(~0U)

/**
 * struct carom_lmdb_bad - what a walker that has failed has found
 * @page: the page
 * @value: what was there, see enum carom_lmdb_code
 * @node: index of the node, or CAROM_LMDB_NO_NODE
 */
struct carom_lmdb_bad {
	__u64 page;
	__u64 value;
	__u32 node;
	__u32 reserved;
};

/**
 * struct carom_lmdb_query - filled by the caller
 * @op: enum carom_lmdb_op
 * @key_len: bytes of @key
 * @last_pg: GET: number of the file's last page
 * @key: GET: the key
 */
struct carom_lmdb_query {
	__u32 op;
	__u32 key_len;
	__u64 last_pg;
	__u8 key[CAROM_LMDB_MAX_KEY + 1];
};

/**
 * struct carom_lmdb_walk - where the chain is; lets it be carried on elsewhere
 * @level: GET: levels of the tree still to visit; the caller sets the tree's
 *	depth. 0: the overflow page of @need bytes.
 * @need: bytes of the value, from the leaf
 * @page: page that is being read
 */
struct carom_lmdb_walk {
	__u32 level;
	__u32 need;
	__u64 page;
};

/**
 * struct carom_lmdb_meta - a meta page's contents
 * @slot: page 0 or 1, CAROM_LMDB_NO_SLOT while none was valid
 * @psize: page size in bytes, any power of two
 * @main: the main tree
 * @last_pg: number of the last page
 * @txnid: transaction that wrote it
 *
 * The last three are as in the file, byte for byte.
 */
struct carom_lmdb_meta {
	__u32 slot;
	__u32 psize;
	struct carom_lmdb_db main;
	__u64 last_pg;
	__u64 txnid;
};

#define CAROM_LMDB_NO_SLOT	(~0U)
/* Bytes of a meta page, and of struct carom_lmdb_meta, that say what a snapshot is. */
#define CAROM_LMDB_SNAP		(CAROM_LMDB_MT_END - CAROM_LMDB_MT_MAIN)

/* answer.flags */
#define CAROM_LMDB_IN_NODE	0x1	/* the value lies in the node last read, at value_off */
#define CAROM_LMDB_IN_FILE	0x2	/* it lies in the file, at value_at */
#define CAROM_LMDB_IS_DB	0x4	/* it is a struct carom_lmdb_db */
#define CAROM_LMDB_IN_AREA	0x8	/* it lies in the scratch, at CAROM_LMDB_AREA */

/**
 * struct carom_lmdb_answer - filled by the walker
 * @flags: GET, done: CAROM_LMDB_IN_NODE, _IN_FILE or _IN_AREA, perhaps _IS_DB
 * @value_len: its bytes
 * @value_off: offset in the node
 * @value_at: offset in the file
 * @bad: failed
 * @meta_bad: META: why page 0 and page 1 were passed over (enum carom_lmdb_code)
 * @meta_value: META: what was there
 * @meta: META, done
 */
struct carom_lmdb_answer {
	__u32 flags;
	__u32 value_len;
	__u32 value_off;
	__u32 reserved;
	__u64 value_at;
	struct carom_lmdb_bad bad;
	__u32 meta_bad[2];
	__u64 meta_value[2];
	struct carom_lmdb_meta meta;
};

/**
 * struct carom_lmdb_rest - GET: a value on several pages
 * @room: bytes that there are for it at CAROM_LMDB_AREA; set by the caller
 * @have: bytes of it that are there; the caller clears it
 */
struct carom_lmdb_rest {
	__u32 room;
	__u32 have;
};

struct carom_lmdb_scratch {
	struct carom_lmdb_query query;
	struct carom_lmdb_walk walk;
	struct carom_lmdb_answer answer;
	struct carom_lmdb_rest rest;
};

#define CAROM_LMDB_SCRATCH_SIZE	1024
/* Where in the scratch values on several pages go; sessions may have none of it. */
#define CAROM_LMDB_AREA		CAROM_LMDB_SCRATCH_SIZE

/**
 * struct carom_lmdb_scan_query - filled by the caller
 * @scan: what all scans have
 * @last_pg: number of the file's last page
 * @entries: of the tree
 * @depth: of the tree
 * @low_len: bytes of @low, 0: from the first entry on
 * @high_len: bytes of @high, 0: to the last
 * @reserved: 0
 * @low: keys that are less do not count
 * @high: keys that are less do
 */
struct carom_lmdb_scan_query {
	struct carom_scan_query scan;
	__u64 last_pg;
	__u64 entries;
	__u32 depth;
	__u32 low_len;
	__u32 high_len;
	__u32 reserved;
	__u8 low[CAROM_LMDB_MAX_KEY + 1];
	__u8 high[CAROM_LMDB_MAX_KEY + 1];
};

/**
 * enum carom_lmdb_scan_mode - what is to be done with the page that is being read
 * @CAROM_LMDB_SEEK: begin in it with query.low, or backwards before query.high
 * @CAROM_LMDB_EDGE: begin with its first entry, or backwards its last
 * @CAROM_LMDB_TURN: branch: go on beside entry path[].entry
 * @CAROM_LMDB_AT: leaf: go on with entry walk.at, or backwards before it
 */
enum carom_lmdb_scan_mode {
	CAROM_LMDB_SEEK,
	CAROM_LMDB_EDGE,
	CAROM_LMDB_TURN,
	CAROM_LMDB_AT,
};

/* Leaves that a branch page names for when their time comes. */
#define CAROM_LMDB_AHEAD	64

struct carom_lmdb_place {
	__u64 page;
	__u32 entry;
	__u32 reserved;
};

/**
 * struct carom_lmdb_scan_walk - where the chain is; lets it be carried on elsewhere
 * @level: levels of the tree from this page on; the caller sets the tree's depth
 * @mode: enum carom_lmdb_scan_mode
 * @at: see there
 * @ahead: the leaf after this one is @following[@ahead]
 * @nr_ahead: of those
 * @reserved: 0
 * @page: that is being read, or to be read next
 * @following: the leaves beside the one that was gone to
 * @path: branch pages from the root on
 */
struct carom_lmdb_scan_walk {
	__u32 level;
	__u32 mode;
	__u32 at;
	__u32 ahead;
	__u32 nr_ahead;
	__u32 reserved;
	__u64 page;
	__u64 following[CAROM_LMDB_AHEAD];
	struct carom_lmdb_place path[CAROM_LMDB_MAX_DEPTH];
};

/*
 * @blur: 0
 * @area: struct carom_scan_entry and so on, answer.used bytes; each begins at a multiple
 *	of CAROM_SCAN_ALIGN
 */
struct carom_lmdb_scan {
	struct carom_lmdb_scan_query query;
	struct carom_lmdb_scan_walk walk;
	struct carom_scan_answer answer;
	struct carom_lmdb_bad bad;
	__u64 blur;
	__u8 area[];
};

#define CAROM_LMDB_SCAN_ROOM	(CAROM_SCAN_SCRATCH - sizeof(struct carom_lmdb_scan))

/* Keys of one chain of the walker "lmdb_many". */
#define CAROM_LMDB_KEYS		256

/**
 * enum carom_lmdb_found - what has become of a key
 * @CAROM_LMDB_OPEN: nothing yet
 * @CAROM_LMDB_FOUND: its value is in the area
 * @CAROM_LMDB_IN_PAGES: its value is in overflow pages
 * @CAROM_LMDB_ABSENT: there is no such key
 * @CAROM_LMDB_NO_ROOM: there is, and the area is full
 */
enum carom_lmdb_found {
	CAROM_LMDB_OPEN,
	CAROM_LMDB_FOUND,
	CAROM_LMDB_IN_PAGES,
	CAROM_LMDB_ABSENT,
	CAROM_LMDB_NO_ROOM,
};

/**
 * struct carom_lmdb_key - one of many keys
 * @page: where it is looked for next; the caller sets the tree's root
 * @off: where in the area its bytes are
 * @len: how many
 * @found: enum carom_lmdb_found
 * @value_len: bytes of its value
 * @value_at: offset of the value in the area, or of its overflow page in the file
 */
struct carom_lmdb_key {
	__u64 page;
	__u32 off;
	__u32 len;
	__u32 found;
	__u32 value_len;
	__u64 value_at;
};

/**
 * struct carom_lmdb_many - keys that are looked up together, sorted and all different
 * @last_pg: number of the file's last page
 * @nr: keys
 * @pages: pages that a chain may read
 * @level: levels of the tree from this page on; the caller sets the tree's depth
 * @first: the first key that this page is for
 * @page: that is being read, or to be read next
 * @more: the chain has ended because of @pages; another, begun at @page, goes on
 * @seen: pages that this chain has read; the caller clears it
 * @used: bytes of the area that are taken; the caller's keys are
 * @reserved: 0
 * @bad: failed
 * @blur: 0
 *
 * Levels are gone through one after the other, and in each the pages from left to
 * right, so a page is read once, for all keys that it leads to.
 */
struct carom_lmdb_many {
	__u64 last_pg;
	__u32 nr;
	__u32 pages;
	__u32 level;
	__u32 first;
	__u64 page;
	__u32 more;
	__u32 seen;
	__u32 used;
	__u32 reserved;
	struct carom_lmdb_bad bad;
	__u64 blur;
	struct carom_lmdb_key key[CAROM_LMDB_KEYS];
	__u8 area[];
};

#define CAROM_LMDB_MANY_ROOM	(CAROM_SCAN_SCRATCH - sizeof(struct carom_lmdb_many))

_Static_assert(sizeof(struct carom_lmdb_scan) % CAROM_SCAN_ALIGN == 0, "entries are aligned");
_Static_assert(sizeof(struct carom_lmdb_db) == 48, "as in the file");
_Static_assert(sizeof(struct carom_lmdb_scratch) <= CAROM_LMDB_SCRATCH_SIZE, "fits");

#endif /* CAROM_LMDB_H */
