// SPDX-License-Identifier: GPL-2.0
/*
 * Pages, for people to read. The walker has judged them; here nothing is believed either,
 * and what makes no sense is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <carom/lmdb.h>
#include <carom/sqlite.h>
#include "../formats/sqlite.h"
#include "trace.h"

/* ---- texts ---- */

/* "apple", or x'00ff' if there is something in it that is no character for people. */
static void put_bytes(char *text, const uint8_t *data, size_t len)
{
	bool plain = true;
	size_t i, at, room;

	for (i = 0; i < len; i++)
		plain = plain && data[i] >= ' ' && data[i] < 0x7f;
	at = (size_t)snprintf(text, TRACE_TEXT, plain ? "'" : "x'");
	for (i = 0; i < len; i++) {
		room = TRACE_TEXT - at;
		/* The dots, the quote and the NUL. */
		if (room < 8) {
			snprintf(text + at, room, "...");
			return;
		}
		at += (size_t)snprintf(text + at, room, plain ? "%c" : "%02x", data[i]);
	}
	snprintf(text + at, TRACE_TEXT - at, "'");
}

static uint32_t le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint64_t le64(const uint8_t *p)
{
	return le16(p) | (uint64_t)le16(p + 2) << 16 | (uint64_t)le16(p + 4) << 32 |
	       (uint64_t)le16(p + 6) << 48;
}

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
	return be16(p) << 16 | be16(p + 2);
}

/* ---- LMDB ---- */

/* Node @i of a page, or NULL. */
static const uint8_t *lmdb_node(const uint8_t *page, unsigned int i)
{
	uint32_t at = le16(page + CAROM_LMDB_PG_HDR + 2 * i);

	if (at < CAROM_LMDB_PG_HDR || at > CAROM_LMDB_PAGE - CAROM_LMDB_ND_HDR ||
	    le16(page + at + CAROM_LMDB_ND_KSIZE) > CAROM_LMDB_PAGE - CAROM_LMDB_ND_HDR - at)
		return NULL;
	return page + at;
}

static void lmdb_key(const uint8_t *page, unsigned int i, char *text)
{
	const uint8_t *node = lmdb_node(page, i);

	if (node)
		put_bytes(text, node + CAROM_LMDB_ND_HDR, le16(node + CAROM_LMDB_ND_KSIZE));
}

/* Where a node of a branch page leads. */
static uint64_t lmdb_child(const uint8_t *node)
{
	return le16(node + CAROM_LMDB_ND_LO) | (uint64_t)le16(node + CAROM_LMDB_ND_HI) << 16 |
	       (uint64_t)le16(node + CAROM_LMDB_ND_FLAGS) << 32;
}

/* The first key of a branch page stands for everything below the second. */
static void lmdb_branch(const uint8_t *page, int64_t next, struct trace_page *p)
{
	const uint8_t *node;
	unsigned int i;

	p->kind = "branch";
	if (p->entries > 1)
		lmdb_key(page, 1, p->first);
	for (i = 0; next >= 0 && i < p->entries; i++) {
		node = lmdb_node(page, i);
		if (!node || lmdb_child(node) != (uint64_t)next / CAROM_LMDB_PAGE)
			continue;
		p->entry = (int)i;
		p->from_too = true;
		if (i)
			lmdb_key(page, i, p->from);
		if (i + 1 < p->entries)
			lmdb_key(page, i + 1, p->to);
		break;
	}
}

void trace_lmdb_page(const uint8_t *page, uint64_t offset, int64_t next, struct trace_page *p)
{
	uint32_t flags = le16(page + CAROM_LMDB_PG_FLAGS);
	uint32_t lower = le16(page + CAROM_LMDB_PG_LOWER);

	/* Pages of a value that are not its first have no header. */
	p->kind = "value";
	if (le64(page + CAROM_LMDB_PG_PGNO) != offset / CAROM_LMDB_PAGE)
		return;
	if (flags & CAROM_LMDB_P_META) {
		p->kind = "meta";
		return;
	}
	if (!(flags & (CAROM_LMDB_P_BRANCH | CAROM_LMDB_P_LEAF)) || lower < CAROM_LMDB_PG_HDR ||
	    lower > CAROM_LMDB_PAGE)
		return;
	p->entries = (lower - CAROM_LMDB_PG_HDR) / 2;
	if (!p->entries)
		return;
	lmdb_key(page, p->entries - 1, p->last);
	if (flags & CAROM_LMDB_P_BRANCH) {
		lmdb_branch(page, next, p);
		return;
	}
	p->kind = "leaf";
	lmdb_key(page, 0, p->first);
}

/* ---- SQLite ---- */

/**
 * struct b_page - a page of a tree
 * @head: where its header is
 * @leaf: it has no children
 * @table: keys are rowids
 */
struct b_page {
	const uint8_t *data;
	uint32_t size;
	uint32_t head;
	unsigned int cells;
	bool leaf;
	bool table;
};

/* Cell @i, and how much of the page is from there on; NULL: none. */
static const uint8_t *cell(const struct b_page *b, unsigned int i, size_t *len)
{
	size_t ptr = b->head + (b->leaf ? CAROM_SQLITE_PG_LEAF_HDR : CAROM_SQLITE_PG_HDR) + 2 * i;
	uint32_t at;

	if (ptr + 2 > b->size)
		return NULL;
	at = be16(b->data + ptr);
	if (at < b->head || at + 4 > b->size)
		return NULL;
	*len = b->size - at;
	return b->data + at;
}

static size_t put_column(char *text, size_t room, const struct carom_column *col)
{
	char bytes[TRACE_TEXT];
	int n = 0;

	switch (col->type) {
	case CAROM_TYPE_NULL:
		n = snprintf(text, room, "NULL");
		break;
	case CAROM_TYPE_INTEGER:
		n = snprintf(text, room, "%" PRId64, col->integer);
		break;
	case CAROM_TYPE_REAL:
		n = snprintf(text, room, "%.15g", col->real);
		break;
	default:
		put_bytes(bytes, col->data, col->len);
		n = snprintf(text, room, "%s", bytes);
	}
	return (size_t)n < room ? (size_t)n : room - 1;
}

/* Columns of an entry of an index; what goes on in other pages is left out. */
static void put_record(char *text, const uint8_t *data, size_t len, bool whole)
{
	struct carom_column col = { 0 };
	struct sqlite_record r;
	size_t at = 0;

	if (!sqlite_record_begin(&r, data, len))
		return;
	while (sqlite_record_next(&r, &col) == 1 && at + 2 < TRACE_TEXT) {
		if (at)
			at += (size_t)snprintf(text + at, TRACE_TEXT - at, "|");
		at += put_column(text + at, TRACE_TEXT - at, &col);
	}
	if (!whole && at + 4 < TRACE_TEXT)
		snprintf(text + at, TRACE_TEXT - at, "...");
}

static void cell_key(const struct b_page *b, unsigned int i, char *text)
{
	__u64 payload = 0, rowid;
	const uint8_t *c;
	size_t len, n;

	c = cell(b, i, &len);
	if (!c)
		return;
	if (!b->leaf) {
		c += 4;
		len -= 4;
	}
	if (b->leaf || !b->table) {
		n = sqlite_get_varint(c, len, &payload);
		if (!n)
			return;
		c += n;
		len -= n;
	}
	if (!b->table)
		put_record(text, c, payload < len ? payload : len, payload <= len);
	else if (sqlite_get_varint(c, len, &rowid))
		snprintf(text, TRACE_TEXT, "%" PRId64, (int64_t)rowid);
}

/* A cell's child has what is not greater than its key; behind the last is one more. */
static void b_child(const struct b_page *b, int64_t next, struct trace_page *p)
{
	const uint8_t *c;
	unsigned int i;
	uint32_t child;
	size_t len;

	for (i = 0; i <= b->cells; i++) {
		c = i < b->cells ? cell(b, i, &len) : b->data + b->head + CAROM_SQLITE_PG_RIGHT;
		child = c ? be32(c) : 0;
		if (!child || (uint64_t)(child - 1) * b->size != (uint64_t)next)
			continue;
		p->entry = (int)i;
		p->to_too = b->table;
		if (i)
			cell_key(b, i - 1, p->from);
		if (i < b->cells)
			cell_key(b, i, p->to);
		return;
	}
}

void trace_sqlite_page(const uint8_t *node, uint32_t size, uint64_t offset, int64_t next,
		       struct trace_page *p)
{
	struct b_page b = { .data = node, .size = size };
	uint8_t type;

	b.head = offset ? 0 : CAROM_SQLITE_HD_SIZE;
	type = node[b.head + CAROM_SQLITE_PG_TYPE];
	b.leaf = type & CAROM_SQLITE_P_LEAF;
	type &= (uint8_t)~CAROM_SQLITE_P_LEAF;
	b.table = type == CAROM_SQLITE_P_TABLE;
	b.cells = be16(node + b.head + CAROM_SQLITE_PG_CELLS);
	/* An overflow page has nothing that says so, but the number of the next one first. */
	p->kind = "overflow";
	if ((!b.table && type != CAROM_SQLITE_P_INDEX) || b.cells > size / 2)
		return;
	p->kind = b.leaf ? (b.table ? "table leaf" : "index leaf") :
		  (b.table ? "table interior" : "index interior");
	p->entries = b.cells;
	if (b.cells) {
		cell_key(&b, 0, p->first);
		cell_key(&b, b.cells - 1, p->last);
	}
	if (!b.leaf && next >= 0)
		b_child(&b, next, p);
}
