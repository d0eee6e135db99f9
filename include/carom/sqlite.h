/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * SQLite database files (format 3), and what the walkers "sqlite512" to
 * "sqlite65536", one for each page size, and their callers say to each other
 * through the scratch.
 *
 * A chain walks a table tree to a rowid, or an index tree to the first entry whose
 * leading columns equal a key, and from there the table tree to the row that the
 * entry names. The way through the index stays in the scratch, so that a further
 * chain finds the entry after it.
 *
 * What a record has on overflow pages is copied to the area behind struct
 * carom_sqlite_scratch, as much as there is room for. If that is not all of it, another
 * chain goes on where struct carom_sqlite_rest says.
 *
 * What cannot be said of an entry from its page alone, because it goes on in
 * overflow pages for example, is left to the caller: the chain ends with an answer
 * that is CAROM_SQLITE_UNDECIDED and names the entry, the caller compares it and
 * puts the outcome into walk.verdict, and a chain that begins at that page goes on.
 */
#ifndef CAROM_SQLITE_H
#define CAROM_SQLITE_H

#include <linux/types.h>
#include <carom/scan.h>

#define CAROM_SQLITE_MIN_PAGE	512
#define CAROM_SQLITE_MAX_PAGE	65536
/* Bytes of a page that are not reserved, at least. */
#define CAROM_SQLITE_MIN_USABLE	480
/* Pages from root to leaf that SQLite's cursors can hold. */
#define CAROM_SQLITE_MAX_DEPTH	20
#define CAROM_SQLITE_PATH	32	/* at least that, and a power of two */
#define CAROM_SQLITE_MAX_COLUMNS 8
/* Texts and blobs of a key, as much of them as a walker has. */
#define CAROM_SQLITE_KEY_SIZE	2048
/* Bytes of a text that a walker compares without regard to case. */
#define CAROM_SQLITE_FOLD_SIZE	64
/* Spaces at the end of a text that a walker does not see the end of. */
#define CAROM_SQLITE_TRIM	8
/* No entry of a tree is longer. */
#define CAROM_SQLITE_MAX_PAYLOAD 0x7fffffffULL

/* Database header: the first 100 bytes of the first page; numbers are big-endian. */
#define CAROM_SQLITE_MAGIC	"SQLite format 3"	/* and its NUL */
#define CAROM_SQLITE_HD_PAGE	16	/* u16: page size, 1 for 65536 */
#define CAROM_SQLITE_HD_WRITE	18	/* u8: 1: rollback journal, 2: WAL */
#define CAROM_SQLITE_HD_READ	19	/* u8: the same */
#define CAROM_SQLITE_HD_RESERVED 20	/* u8: bytes at the end of each page */
#define CAROM_SQLITE_HD_CHANGES	24	/* u32: change counter */
#define CAROM_SQLITE_HD_PAGES	28	/* u32: pages, if VALID_FOR equals CHANGES */
#define CAROM_SQLITE_HD_ENCODING 56	/* u32: of text: 1: UTF-8, 2, 3: UTF-16 */
#define CAROM_SQLITE_HD_VALID_FOR 92	/* u32 */
#define CAROM_SQLITE_HD_SIZE	100

/* Where locks are; the page that has it is left out. */
#define CAROM_SQLITE_LOCK_BYTE	0x40000000ULL

/* Page of a tree: header, pointers to cells, free space, cells. */
#define CAROM_SQLITE_PG_TYPE	0	/* u8 */
#define CAROM_SQLITE_PG_CELLS	3	/* u16: how many */
#define CAROM_SQLITE_PG_RIGHT	8	/* u32: interior: the last child */
#define CAROM_SQLITE_PG_LEAF_HDR 8
#define CAROM_SQLITE_PG_HDR	12	/* interior */

/* Overflow page: the number of the next one, or 0, and bytes. */
#define CAROM_SQLITE_OV_HDR	4

#define CAROM_SQLITE_P_INDEX	0x02	/* interior */
#define CAROM_SQLITE_P_TABLE	0x05
#define CAROM_SQLITE_P_LEAF	0x08	/* flag */

/**
 * enum carom_sqlite_class - classes of values, in their order
 */
enum carom_sqlite_class {
	CAROM_SQLITE_NULL,
	CAROM_SQLITE_NUMBER,
	CAROM_SQLITE_TEXT,
	CAROM_SQLITE_BLOB,
};

/**
 * enum carom_sqlite_collation - how texts are ordered
 * @CAROM_SQLITE_BINARY: by bytes
 * @CAROM_SQLITE_NOCASE: likewise, ASCII capitals as small letters; the key in the
 *	scratch has small letters, and the caller compares keys with NULs in them
 * @CAROM_SQLITE_RTRIM: likewise, without spaces at the end; the key in the scratch
 *	has none
 * @CAROM_SQLITE_CALLER: the caller compares
 */
enum carom_sqlite_collation {
	CAROM_SQLITE_BINARY,
	CAROM_SQLITE_NOCASE,
	CAROM_SQLITE_RTRIM,
	CAROM_SQLITE_CALLER,
};

/* carom_sqlite_column.flags */
#define CAROM_SQLITE_DESC	0x1	/* the index has the column in descending order */
#define CAROM_SQLITE_IS_INT	0x2	/* the number is as_int, and not less */
#define CAROM_SQLITE_IS_REAL	0x4	/* the number is as_real, and not less */
#define CAROM_SQLITE_OVER_INT	0x8	/* the number is greater than any integer */

/**
 * struct carom_sqlite_column - one column of a key
 * @class: enum carom_sqlite_class
 * @collation: enum carom_sqlite_collation, of text
 * @flags: CAROM_SQLITE_DESC and so on
 * @off: text, blob: where in query.key, a multiple of 8
 * @have: how many of its bytes are there; the caller compares what is behind
 * @len: how many it has
 * @as_int: number: the least integer that is not less
 * @as_real: number: the least double that is not less, see carom_sqlite_order()
 */
struct carom_sqlite_column {
	__u8 class;
	__u8 collation;
	__u8 flags;
	__u8 reserved;
	__u32 off;
	__u64 have;
	__u64 len;
	__s64 as_int;
	__s64 as_real;
};

enum carom_sqlite_op {
	CAROM_SQLITE_ROWID = 1,
	CAROM_SQLITE_KEY = 2,
};

/* carom_sqlite_query.flags */
#define CAROM_SQLITE_TO_TABLE	0x1	/* KEY: entries end in a rowid of table_root's */
#define CAROM_SQLITE_ONE	0x2	/* KEY: at most one entry equals the key */
#define CAROM_SQLITE_PLACE_ONLY	0x4	/* KEY: the place in a leaf is all that is wanted */
#define CAROM_SQLITE_AFTER	0x8	/* KEY: entries that equal the key count as less */

/**
 * struct carom_sqlite_query - filled by the caller
 * @op: enum carom_sqlite_op
 * @flags: CAROM_SQLITE_TO_TABLE and so on
 * @usable: bytes of a page that are not reserved
 * @pages: pages in the file
 * @table_root: KEY: root of the table that the index is of
 * @columns: KEY: columns of the key
 * @column: KEY: they, in the index's order
 * @key: their texts and blobs
 * @spare: may be read, and is of no account
 */
struct carom_sqlite_query {
	__u32 op;
	__u32 flags;
	__u32 usable;
	__u32 pages;
	__u32 table_root;
	__u32 columns;
	struct carom_sqlite_column column[CAROM_SQLITE_MAX_COLUMNS];
	__u8 key[CAROM_SQLITE_KEY_SIZE];
	__u8 spare[CAROM_SQLITE_FOLD_SIZE];
};

/**
 * enum carom_sqlite_mode - what is to be done with the page that is being read
 * @CAROM_SQLITE_SEEK: find the first cell that is not less than the key, or go on below
 * @CAROM_SQLITE_FIRST: its first cell is the next entry, or else the first below it
 * @CAROM_SQLITE_CHILD: the next entry is the first below child path[level].cell
 * @CAROM_SQLITE_AT: cell walk.pos is the next entry, or else one above
 */
enum carom_sqlite_mode {
	CAROM_SQLITE_SEEK,
	CAROM_SQLITE_FIRST,
	CAROM_SQLITE_CHILD,
	CAROM_SQLITE_AT,
};

/* A page on the way through the index, and how far it has been dealt with. */
struct carom_sqlite_place {
	__u32 page;
	__u32 cell;
};

/**
 * struct carom_sqlite_walk - where the chain is; lets it be carried on elsewhere
 * @in_table: in the table tree, not in the index
 * @table_level: pages of the table tree above this one
 * @rowid: TABLE: what is looked for; the caller sets it for CAROM_SQLITE_ROWID
 * @level: pages of the index above this one
 * @mode: enum carom_sqlite_mode
 * @pos: cells of the page that are known to be less; 0 in the beginning
 * @step: step of the binary search; CAROM_SQLITE_FIRST_STEP in the beginning
 * @equal: cell @pos is equal
 * @decided: there is a @verdict
 * @verdict: -1, 0, 1: how the cell of the answer that was undecided compares
 *	with the key, in the index's order
 * @path: pages of the index from its root on
 *
 * A further entry is found by a chain that begins at page path[level].page of the
 * index, with @in_table cleared and all else as the last chain has left it.
 */
struct carom_sqlite_walk {
	__u32 in_table;
	__u32 table_level;
	__s64 rowid;
	__u32 level;
	__u32 mode;
	__u32 pos;
	__u32 step;
	__u32 equal;
	__u32 decided;
	__s64 verdict;
	struct carom_sqlite_place path[CAROM_SQLITE_PATH];
};

/* A page of n bytes has fewer cells than twice this. */
#define CAROM_SQLITE_FIRST_STEP(n)	((n) / 8)

/**
 * enum carom_sqlite_code - what the walker found wrong
 * @CAROM_SQLITE_E_QUERY: the query, or a start offset that does not go with it
 * @CAROM_SQLITE_E_NOT_INDEX: page of another kind in an index; value: its first byte
 * @CAROM_SQLITE_E_NOT_TABLE: page of another kind in a table; value: its first byte
 * @CAROM_SQLITE_E_COUNT: more or fewer cells than such a page can have; value: how many
 * @CAROM_SQLITE_E_POINTER: cell does not start within the cells; value: its offset
 * @CAROM_SQLITE_E_CELL: cell leaves the page, or no record is that long; value: bytes
 *	of its payload
 * @CAROM_SQLITE_E_RECORD: columns of a record leave it, or it has too few; value:
 *	which column
 * @CAROM_SQLITE_E_TYPE: value of a kind that there is not; value: its serial type
 * @CAROM_SQLITE_E_CHILD: child is no page of the file; value: its number
 * @CAROM_SQLITE_E_OVERFLOW: first overflow page is none of the file; value: its number
 * @CAROM_SQLITE_E_DEPTH: the tree is deeper than any, so it has a cycle
 * @CAROM_SQLITE_E_NO_ROW: an entry of the index names a row that the table has not;
 *	value: its rowid
 * @CAROM_SQLITE_E_CHAIN: an overflow page leads to one that is none of the file, or to
 *	none although the record goes on; value: its number
 * @CAROM_SQLITE_E_LONG: the last overflow page of a record leads to another; value:
 *	its number
 * @CAROM_SQLITE_E_CYCLE: a scan has gone down to more pages than the file has; value:
 *	how many it has
 * @CAROM_SQLITE_E_END: a scan has not come by the end of its range; value: the page
 *	where that is
 *
 * bad_page names the page, bad_cell the cell where it is about one.
 */
enum carom_sqlite_code {
	CAROM_SQLITE_E_NONE,
	CAROM_SQLITE_E_QUERY,
	CAROM_SQLITE_E_NOT_INDEX,
	CAROM_SQLITE_E_NOT_TABLE,
	CAROM_SQLITE_E_COUNT,
	CAROM_SQLITE_E_POINTER,
	CAROM_SQLITE_E_CELL,
	CAROM_SQLITE_E_RECORD,
	CAROM_SQLITE_E_TYPE,
	CAROM_SQLITE_E_CHILD,
	CAROM_SQLITE_E_OVERFLOW,
	CAROM_SQLITE_E_DEPTH,
	CAROM_SQLITE_E_NO_ROW,
	CAROM_SQLITE_E_CHAIN,
	CAROM_SQLITE_E_LONG,
	CAROM_SQLITE_E_CYCLE,
	CAROM_SQLITE_E_END,
	CAROM_SQLITE_E_NR,
};

/**
 * enum carom_sqlite_kind - what the walker has found
 * @CAROM_SQLITE_ROW: the row, in the table
 * @CAROM_SQLITE_ENTRY: the entry of the index; the caller finds the row. With
 *	CAROM_SQLITE_TO_TABLE its rowid is not in the page.
 * @CAROM_SQLITE_UNDECIDED: an entry that the caller must compare with the key
 * @CAROM_SQLITE_PLACE: with CAROM_SQLITE_PLACE_ONLY: walk.path, up to walk.level, leads to
 *	the first entry that is not less than the key, or behind the last of its leaf
 */
enum carom_sqlite_kind {
	CAROM_SQLITE_ROW = 1,
	CAROM_SQLITE_ENTRY = 2,
	CAROM_SQLITE_UNDECIDED = 3,
	CAROM_SQLITE_PLACE = 4,
};

/**
 * struct carom_sqlite_answer - filled by the walker
 * @kind: done: enum carom_sqlite_kind
 * @id_len: ROW: bytes of the rowid that come before the record, as a varint
 * @off: where in its page the record begins; the node that was read last if it has no
 *	overflow pages
 * @local: how many of its bytes are there
 * @payload: how many it has
 * @overflow: where it goes on: page number, or 0
 * @bad_cell: failed: index of the cell, or CAROM_SQLITE_NO_CELL
 * @bad_page: failed: the page
 * @bad_value: failed: what was there, see enum carom_sqlite_code
 */
struct carom_sqlite_answer {
	__u32 kind;
	__u32 id_len;
	__u32 off;
	__u32 local;
	__u64 payload;
	__u32 overflow;
	__u32 bad_cell;
	__u64 bad_page;
	__u64 bad_value;
};

#define CAROM_SQLITE_NO_CELL	(~0U)

/**
 * struct carom_sqlite_rest - what the record of the answer has on overflow pages
 * @room: bytes that there are at CAROM_SQLITE_AREA; set by the caller
 * @max_hops: nodes that the chain may read; set by the caller
 * @cell_page: the page that the record begins in
 * @left: bytes of it that have not been copied; 0: the chain is in a tree, and in the
 *	beginning
 * @page: the overflow page that is being read, or that is next
 * @skip: bytes of that page, behind its header, that have been copied
 * @used: bytes of the area that are taken
 * @reserved: 0
 *
 * The area has @id_len and @local bytes of the answer from the cell, then what is on
 * overflow pages. If there is no room for the first of these the chain ends at the
 * cell's page, with @used as large as @room, and the caller takes them from the node. If
 * @left is not 0 in the end, the caller takes what is in the area, clears @used and
 * begins a chain at @page.
 */
struct carom_sqlite_rest {
	__u32 room;
	__u32 max_hops;
	__u32 cell_page;
	__u32 left;
	__u32 page;
	__u32 skip;
	__u32 used;
	__u32 reserved;
};

/* @blur: the walker's own, and of no account. */
struct carom_sqlite_scratch {
	struct carom_sqlite_query query;
	struct carom_sqlite_walk walk;
	struct carom_sqlite_answer answer;
	__u64 blur;
	struct carom_sqlite_rest rest;
};

/* Where in the scratch records with overflow pages go. */
#define CAROM_SQLITE_AREA	((__u32)sizeof(struct carom_sqlite_scratch))

#define CAROM_SQLITE_SCRATCH_SIZE	4096

/* Keys of a chain of one of the walkers "sqlite512_many" to "sqlite65536_many", at most. */
#define CAROM_SQLITE_KEYS	16

/**
 * enum carom_sqlite_found - what has become of a rowid
 * @CAROM_SQLITE_OPEN: nothing yet
 * @CAROM_SQLITE_FOUND: its row is in the area
 * @CAROM_SQLITE_ABSENT: there is no such row
 * @CAROM_SQLITE_ALONE: there is, and it goes on in overflow pages, or the area is full
 */
enum carom_sqlite_found {
	CAROM_SQLITE_OPEN,
	CAROM_SQLITE_FOUND,
	CAROM_SQLITE_ABSENT,
	CAROM_SQLITE_ALONE,
};

/**
 * struct carom_sqlite_rowid - one of many rowids
 * @rowid: which
 * @page: where it is looked for next; the caller sets the table's root
 * @found: enum carom_sqlite_found
 * @row_at: where in the area its row is: the rowid's varint, then the record
 * @row_len: bytes of both
 * @reserved: 0
 */
struct carom_sqlite_rowid {
	__s64 rowid;
	__u32 page;
	__u32 found;
	__u32 row_at;
	__u32 row_len;
	__u64 reserved;
};

/**
 * struct carom_sqlite_many - rowids that are looked up together, sorted and all different
 * @single: query.usable, query.pages and the failure are as for single lookups, the rest
 *	is of no account
 * @nr: rowids
 * @pages: pages that a chain may read
 * @level: pages of the tree above this one
 * @first: the first rowid that this page is for
 * @page: that is being read, or to be read next; the caller sets the table's root
 * @leaf: pages of this level have no children
 * @more: the chain has ended because of @pages; another, begun at @page, goes on
 * @seen: pages that this chain has read; the caller clears it
 * @used: bytes of the area that are taken
 * @reserved: 0
 *
 * As in struct carom_lmdb_many: level by level, and in each from left to right.
 */
struct carom_sqlite_many {
	struct carom_sqlite_scratch single;
	__u32 nr;
	__u32 pages;
	__u32 level;
	__u32 first;
	__u32 page;
	__u32 leaf;
	__u32 more;
	__u32 seen;
	__u32 used;
	__u32 reserved;
	struct carom_sqlite_rowid key[CAROM_SQLITE_KEYS];
	__u8 area[];
};

#define CAROM_SQLITE_MANY_ROOM	(CAROM_SCAN_SCRATCH - sizeof(struct carom_sqlite_many))

/* Bits of a double as an integer that is ordered as the doubles are. */
static inline __s64 carom_sqlite_order(__u64 bits)
{
	if (!(bits << 1))
		return 0;	/* two zeros */
	return (__s64)(bits ^ ((__u64)((__s64)bits >> 63) >> 1));
}

_Static_assert(sizeof(struct carom_sqlite_scratch) <= CAROM_SQLITE_SCRATCH_SIZE, "fits");

#endif /* CAROM_SQLITE_H */
