/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the walkers "sqlite512_scan" to "sqlite65536_scan", one for each page size, and
 * their callers say to each other: entries of a table by rowid, or of an index, in order.
 *
 * A table is scanned from one rowid to another. Where an index is to be scanned from, and
 * where to, the caller has found out by lookups (CAROM_SQLITE_PLACE_ONLY): then no entry
 * has to be compared with anything.
 */
#ifndef CAROM_SQLITE_SCAN_H
#define CAROM_SQLITE_SCAN_H

#include <carom/scan.h>
#include <carom/sqlite.h>

/* carom_sqlite_scan_query.flags */
#define CAROM_SQLITE_SCAN_TABLE	0x1	/* a table by rowid, not an index */
#define CAROM_SQLITE_SCAN_LOW	0x2	/* TABLE: there is a @low */
#define CAROM_SQLITE_SCAN_HIGH	0x4	/* TABLE: there is a @high */
#define CAROM_SQLITE_SCAN_COLUMN 0x8	/* totals of @column; without, entries are counted */
#define CAROM_SQLITE_SCAN_ROWIDS 0x10	/* TABLE: totals of the rowids */

/**
 * struct carom_sqlite_scan_query - filled by the caller, beside base.query.usable and .pages
 * @scan: width is of no account
 * @flags: CAROM_SQLITE_SCAN_TABLE and so on
 * @column: which of the record's, for totals
 * @low: the least rowid that counts
 * @high: the greatest
 * @end: index: forwards the first entry that does not count, backwards the last that does,
 *	as a place in a leaf; page 0: all count
 */
struct carom_sqlite_scan_query {
	struct carom_scan_query scan;
	__u32 flags;
	__u32 column;
	__s64 low;
	__s64 high;
	struct carom_sqlite_place end;
};

/**
 * enum carom_sqlite_scan_mode - what is to be done with the page that is being read
 * @CAROM_SQLITE_SCAN_SEEK: go to the end of the range where the scan begins
 * @CAROM_SQLITE_SCAN_EDGE: go to the end of the page where the scan begins
 * @CAROM_SQLITE_SCAN_AT: leaf: go on at cell path[level].cell; backwards before it
 * @CAROM_SQLITE_SCAN_TURN: all below child path[level].cell has been seen
 */
enum carom_sqlite_scan_mode {
	CAROM_SQLITE_SCAN_SEEK,
	CAROM_SQLITE_SCAN_EDGE,
	CAROM_SQLITE_SCAN_AT,
	CAROM_SQLITE_SCAN_TURN,
};

/**
 * struct carom_sqlite_scan_walk - where the chain is; lets it be carried on elsewhere
 * @level: pages above this one
 * @mode: enum carom_sqlite_scan_mode
 * @entered: pages that have been gone down to
 * @reserved: 0
 * @path: pages from the root on
 */
struct carom_sqlite_scan_walk {
	__u32 level;
	__u32 mode;
	__u32 entered;
	__u32 reserved;
	struct carom_sqlite_place path[CAROM_SQLITE_PATH];
};

/*
 * @base: of its query usable and pages count, of its answer what was wrong
 * @area: struct carom_scan_entry and so on, answer.used bytes. Keys have no bytes; a value is
 *	the record, with the rowid's varint before it in a table. It is there as a whole, or
 *	not at all: then value_at says where in the file it begins. With totals there are
 *	entries of which the walker cannot tell what to add, and those are all.
 */
struct carom_sqlite_scan {
	struct carom_sqlite_scratch base;
	struct carom_sqlite_scan_query query;
	struct carom_sqlite_scan_walk walk;
	struct carom_scan_answer answer;
	__u8 area[];
};

#define CAROM_SQLITE_SCAN_ROOM	(CAROM_SCAN_SCRATCH - sizeof(struct carom_sqlite_scan))

_Static_assert(sizeof(struct carom_sqlite_scan) % CAROM_SCAN_ALIGN == 0, "entries are aligned");

#endif /* CAROM_SQLITE_SCAN_H */
