/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom trace: one lookup, hop by hop.
 */
#ifndef CAROM_CLI_TRACE_H
#define CAROM_CLI_TRACE_H

#include <stdint.h>
#include <linux/carom.h>
#include "cli.h"

#define TRACE_TEXT	96

/**
 * struct trace_page - what a page is, and which way leads through it
 * @kind: "branch", "leaf", ...; static text
 * @entries: in it; 0 if it has none
 * @first: the least key in it, as text; may be empty
 * @last: the greatest
 * @entry: the one that leads to the next page, from 0 on; -1: none does
 * @from: keys below that one are greater than this; empty: there is no such bound
 * @from_too: or this
 * @to: keys below that one are less than this; likewise
 * @to_too: or this
 */
struct trace_page {
	const char *kind;
	unsigned int entries;
	char first[TRACE_TEXT];
	char last[TRACE_TEXT];
	int entry;
	char from[TRACE_TEXT];
	bool from_too;
	char to[TRACE_TEXT];
	bool to_too;
};

/**
 * struct trace_hop - one page of a lookup
 * @chain: of which of its chains, from 0 on
 * @offset: in the file, bytes
 * @lba: on the namespace, if @has_lba
 * @read_ns: from asking for it to having it
 * @walk_ns: what the walker took
 * @next: where it went on, or CAROM_STEP_*
 * @kernel: in the kernel
 */
struct trace_hop {
	unsigned int chain;
	uint64_t offset;
	uint64_t lba;
	bool has_lba;
	uint64_t read_ns;
	uint64_t walk_ns;
	int64_t next;
	bool kernel;
	struct trace_page page;
};

/**
 * struct trace - one lookup
 * @hops: in their order, @nr of them
 * @chains: how many it took
 * @end: how the last one ended, enum carom_end
 * @ns: all of them, with the way to the kernel and back
 * @error: why it cannot be traced
 */
struct trace {
	struct trace_hop *hops;
	size_t nr;
	unsigned int chains;
	uint32_t end;
	uint64_t ns;
	char error[256];
};

struct carom_reader;

/* ---- trace_run.c ---- */

uint64_t trace_now(void);
/* A new hop, all zeros; NULL: out of memory. */
struct trace_hop *trace_add(struct trace *t);
/*
 * Have the lookups of @ix noted in @t, which has to live as long: on the backend that it
 * has, kernel or pread. Return: 0, or -1 with t->error.
 */
int trace_begin(struct carom_index *ix, struct trace *t);
void trace_end(struct trace *t);
/* Say of each page what it is, from the file. @rd: of that index. */
void trace_pages(struct carom_reader *rd, struct trace *t);

/* ---- trace_kernel.c ---- */

/*
 * Listen to what session @fd does, in an instance of tracefs that goes when it is closed.
 * Return: 0, or -1 with t->error.
 */
int trace_kernel_open(int fd, struct trace *t);
/* What it has done since, in @t; times to the microsecond, as tracefs has them. */
void trace_kernel_take(struct trace *t);
void trace_kernel_close(void);

/* ---- trace_page.c ---- */

/* @node: the page at @offset; @next: see struct trace_hop. */
void trace_lmdb_page(const uint8_t *node, uint64_t offset, int64_t next, struct trace_page *p);
void trace_sqlite_page(const uint8_t *node, uint32_t size, uint64_t offset, int64_t next,
		       struct trace_page *p);

#endif /* CAROM_CLI_TRACE_H */
