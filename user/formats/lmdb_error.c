// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What can be wrong with an LMDB file, in words.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lmdb.h"

#define TEXT_LEN	200

static __u32 load_u32(const void *p)
{
	__u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

int lmdb_no_memory(struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
}

int lmdb_read_error(struct carom_reader *rd, int code, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, code, "%s: %s", carom_reader_path(rd),
			       strerror(-code));
}

/* What is wrong with a meta page: one of the codes that meta_bad can have. */
static void meta_text(char *text, __u32 code, __u64 value)
{
	unsigned long long v = value;

	switch (code) {
	case CAROM_LMDB_E_PGNO:
		snprintf(text, TEXT_LEN, "claims to be page %llu", v);
		break;
	case CAROM_LMDB_E_META_FLAGS:
		snprintf(text, TEXT_LEN, "flags 0x%llx, not a meta page's", v);
		break;
	case CAROM_LMDB_E_META_MAGIC:
		snprintf(text, TEXT_LEN, "no LMDB magic number");
		break;
	case CAROM_LMDB_E_META_VERSION:
		snprintf(text, TEXT_LEN, "data version %llu", v);
		break;
	case CAROM_LMDB_E_META_PSIZE:
		snprintf(text, TEXT_LEN, "page size %llu", v);
		break;
	case CAROM_LMDB_E_META_LAST_PG:
		snprintf(text, TEXT_LEN, "last page %llu", v);
		break;
	case CAROM_LMDB_E_META_ROOT:
		snprintf(text, TEXT_LEN, "root page %llu contradicts depth or last page", v);
		break;
	case CAROM_LMDB_E_NONE:
		snprintf(text, TEXT_LEN, "not read");
		break;
	default:
		snprintf(text, TEXT_LEN, "walker's code %u", code);
	}
}

/* Neither meta page can be used. */
static int metas_error(struct carom_reader *rd, struct carom_error *err)
{
	const struct carom_lmdb_answer *a = &lmdb_scratch(rd)->answer;
	char text[2][TEXT_LEN];
	int i;

	for (i = 0; i < 2; i++) {
		if (a->meta_bad[i] == CAROM_LMDB_E_META_VERSION)
			return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
				"%s: LMDB data version %llu; only version %d is supported",
				carom_reader_path(rd), (unsigned long long)a->meta_value[i],
				CAROM_LMDB_VERSION);
		meta_text(text[i], a->meta_bad[i], a->meta_value[i]);
	}
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: neither meta page is valid: page 0: %s; page 1: %s",
		carom_reader_path(rd), text[0], text[1]);
}

/* What is wrong with a whole page. */
static void page_text(char *text, __s32 code, unsigned long long v)
{
	switch (code) {
	case CAROM_LMDB_E_PGNO:
		snprintf(text, TEXT_LEN, "claims to be page %llu", v);
		break;
	case CAROM_LMDB_E_NOT_BRANCH:
		snprintf(text, TEXT_LEN, "flags 0x%llx where the tree needs a branch page", v);
		break;
	case CAROM_LMDB_E_NOT_LEAF:
		snprintf(text, TEXT_LEN, "flags 0x%llx where the tree needs a leaf page", v);
		break;
	case CAROM_LMDB_E_NOT_OVERFLOW:
		snprintf(text, TEXT_LEN, "flags 0x%llx where a value needs an overflow page", v);
		break;
	case CAROM_LMDB_E_BOUNDS:
		snprintf(text, TEXT_LEN, "free space from %llu to %llu", v & 0xffff, v >> 16);
		break;
	case CAROM_LMDB_E_COUNT:
		snprintf(text, TEXT_LEN, "%llu keys, which no such page can have", v);
		break;
	case CAROM_LMDB_E_PAGES:
		snprintf(text, TEXT_LEN, "%llu overflow pages: too few for the value, or past "
			 "the last page", v);
		break;
	case CAROM_LMDB_E_ENTRIES:
		snprintf(text, TEXT_LEN, "more entries than the %llu that the database has", v);
		break;
	default:
		snprintf(text, TEXT_LEN, "walker's code %d", code);
	}
}

/* What is wrong with one entry of a page. */
static void entry_text(char *text, __s32 code, unsigned int i, unsigned long long v)
{
	switch (code) {
	case CAROM_LMDB_E_POINTER:
		snprintf(text, TEXT_LEN, "entry %u at %llu, outside the page's entries", i, v);
		break;
	case CAROM_LMDB_E_KEY:
		snprintf(text, TEXT_LEN, "entry %u has a key of %llu bytes", i, v);
		break;
	case CAROM_LMDB_E_DATA:
		snprintf(text, TEXT_LEN, "entry %u has data of %llu bytes that leave the page",
			 i, v);
		break;
	case CAROM_LMDB_E_NODE_FLAGS:
		snprintf(text, TEXT_LEN, "entry %u has flags 0x%llx", i, v);
		break;
	case CAROM_LMDB_E_DUPDATA:
		snprintf(text, TEXT_LEN, "entry %u has several values, but the database is not "
			 "marked DUPSORT", i);
		break;
	case CAROM_LMDB_E_SUBDATA:
		snprintf(text, TEXT_LEN, "entry %u is a database record of %llu bytes", i, v);
		break;
	case CAROM_LMDB_E_CHILD:
		snprintf(text, TEXT_LEN, "entry %u leads to page %llu, which is none of the file",
			 i, v);
		break;
	case CAROM_LMDB_E_OVERFLOW:
		snprintf(text, TEXT_LEN, "entry %u has its value on page %llu, which is none of "
			 "the file", i, v);
		break;
	default:
		snprintf(text, TEXT_LEN, "entry %u: walker's code %d", i, code);
	}
}

int lmdb_bad_error(struct carom_reader *rd, __s32 code, const struct carom_lmdb_bad *bad,
		   struct carom_error *err)
{
	char text[TEXT_LEN];

	if (code == CAROM_LMDB_E_WIDTH)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"%s: page %llu: the value of entry %u has %llu bytes, which is no such "
			"integer", carom_reader_path(rd), (unsigned long long)bad->page,
			bad->node, (unsigned long long)bad->value);
	if (code == CAROM_LMDB_E_QUERY)
		return carom_error_set(err, CAROM_FAULT_BACKEND, -EPROTO,
			"%s: the walker does not take the query; is the loaded walker of this "
			"version?", carom_reader_path(rd));
	if (bad->node == CAROM_LMDB_NO_NODE)
		page_text(text, code, bad->value);
	else
		entry_text(text, code, bad->node, bad->value);
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "%s: damaged: page %llu: %s",
			       carom_reader_path(rd), (unsigned long long)bad->page, text);
}

int lmdb_walker_error(struct carom_reader *rd, __s32 code, struct carom_error *err)
{
	const struct carom_lmdb_bad bad = lmdb_scratch(rd)->answer.bad;

	if (code == CAROM_LMDB_E_META)
		return metas_error(rd, err);
	return lmdb_bad_error(rd, code, &bad, err);
}

int lmdb_truncated_error(struct carom_reader *rd, __u64 page, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: truncated: page %llu lies beyond the end of the file (%llu bytes)",
		carom_reader_path(rd), (unsigned long long)page,
		(unsigned long long)carom_reader_file_size(rd));
}

static const char *flags_name(unsigned int flags)
{
	if (flags & CAROM_LMDB_DB_DUPFIXED)
		return "several values of one size per key (MDB_DUPFIXED)";
	if (flags & CAROM_LMDB_DB_DUPSORT)
		return "several values per key (MDB_DUPSORT)";
	if (flags & CAROM_LMDB_DB_INTEGERKEY)
		return "integer keys (MDB_INTEGERKEY)";
	if (flags & CAROM_LMDB_DB_REVERSEKEY)
		return "keys compared from their end (MDB_REVERSEKEY)";
	return "unknown flags";
}

int lmdb_flags_error(struct carom_reader *rd, const char *db, unsigned int flags,
		     struct carom_error *err)
{
	if (!flags)
		return 0;
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
		"%s: %s%s has %s, which are not supported (flags 0x%x)",
		carom_reader_path(rd), db ? "database " : "the main database", db ? db : "",
		flags_name(flags), flags);
}

/* Where other LMDBs have their magic number in page 0. */
#define MAGIC_32BIT	12
#define MAGIC_V2	24

int lmdb_layout_error(struct carom_reader *rd, const __u8 *head, struct carom_error *err)
{
	const char *path = carom_reader_path(rd);

	if (load_u32(head + CAROM_LMDB_MT_MAGIC) == CAROM_LMDB_MAGIC)
		return 0;
	if (load_u32(head + CAROM_LMDB_MT_MAGIC) == __builtin_bswap32(CAROM_LMDB_MAGIC))
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: LMDB file of a big-endian machine; move it with mdb_dump and "
			"mdb_load", path);
	if (load_u32(head + MAGIC_32BIT) == CAROM_LMDB_MAGIC)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: LMDB file of a 32-bit machine; move it with mdb_dump and mdb_load",
			path);
	if (load_u32(head + MAGIC_V2) == CAROM_LMDB_MAGIC)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: LMDB data version %u; only version %d is supported", path,
			load_u32(head + MAGIC_V2 + 4), CAROM_LMDB_VERSION);
	return 0;
}

static bool magic_at(const __u8 *head, size_t len, size_t off)
{
	__u32 magic;

	if (len < off + sizeof(magic))
		return false;
	magic = load_u32(head + off);
	return magic == CAROM_LMDB_MAGIC || magic == __builtin_bswap32(CAROM_LMDB_MAGIC);
}

bool lmdb_probe(const void *head, size_t len)
{
	/* The second meta page is enough: the first may be torn. */
	return magic_at(head, len, CAROM_LMDB_MT_MAGIC) ||
	       magic_at(head, len, CAROM_LMDB_PAGE + CAROM_LMDB_MT_MAGIC) ||
	       magic_at(head, len, MAGIC_32BIT) || magic_at(head, len, MAGIC_V2);
}
