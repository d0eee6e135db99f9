// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What can be wrong with an SQLite file, in words.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "sqlite.h"

#define TEXT_LEN	200

int sqlite_no_memory(struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
}

int sqlite_page_error(struct carom_reader *rd, __u64 page, const char *what,
		      unsigned long long value, struct carom_error *err)
{
	char text[TEXT_LEN];

	snprintf(text, sizeof(text), what, value);
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "%s: damaged: page %llu: %s",
			       carom_reader_path(rd), (unsigned long long)page, text);
}

int sqlite_truncated_error(struct carom_reader *rd, __u64 page, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: truncated: page %llu lies beyond the end of the file (%llu bytes)",
		carom_reader_path(rd), (unsigned long long)page,
		(unsigned long long)carom_reader_file_size(rd));
}

static const char *kind_of(unsigned long long type)
{
	switch (type) {
	case CAROM_SQLITE_P_INDEX:
	case CAROM_SQLITE_P_INDEX | CAROM_SQLITE_P_LEAF:
		return "page of an index";
	case CAROM_SQLITE_P_TABLE:
	case CAROM_SQLITE_P_TABLE | CAROM_SQLITE_P_LEAF:
		return "page of a table";
	case 0:
		return "free or overflow page, perhaps,";
	default:
		return "page of no tree";
	}
}

static void page_text(char *text, __s32 code, unsigned long long v)
{
	switch (code) {
	case CAROM_SQLITE_E_NOT_INDEX:
		snprintf(text, TEXT_LEN, "%s where the tree needs one of an index (type %llu)",
			 kind_of(v), v);
		break;
	case CAROM_SQLITE_E_NOT_TABLE:
		snprintf(text, TEXT_LEN, "%s where the tree needs one of a table (type %llu)",
			 kind_of(v), v);
		break;
	case CAROM_SQLITE_E_COUNT:
		snprintf(text, TEXT_LEN, "%llu cells, which no such page can have", v);
		break;
	case CAROM_SQLITE_E_DEPTH:
		snprintf(text, TEXT_LEN, "more than %llu pages above it: the tree has a cycle", v);
		break;
	case CAROM_SQLITE_E_NO_ROW:
		snprintf(text, TEXT_LEN, "the index has an entry for rowid %lld, the table has "
			 "no such row", (long long)v);
		break;
	case CAROM_SQLITE_E_CYCLE:
		snprintf(text, TEXT_LEN, "the tree leads to more than the %llu pages that there "
			 "are: it has a cycle", v);
		break;
	case CAROM_SQLITE_E_END:
		snprintf(text, TEXT_LEN, "the tree does not come by page %llu, where a lookup has "
			 "found the end of the range", v);
		break;
	case CAROM_SQLITE_E_CHILD:
		snprintf(text, TEXT_LEN, "leads to page %llu, which is none of the file", v);
		break;
	case CAROM_SQLITE_E_CHAIN:
		snprintf(text, TEXT_LEN, "its overflow chain %s (next page: %llu)", v ?
			 "leads to a page that is none of the file" : "ends before the record", v);
		break;
	case CAROM_SQLITE_E_LONG:
		snprintf(text, TEXT_LEN, "its overflow chain goes on behind the record, or in a "
			 "circle (next page: %llu)", v);
		break;
	default:
		snprintf(text, TEXT_LEN, "walker's code %d", code);
	}
}

static void cell_text(char *text, __s32 code, unsigned int i, unsigned long long v)
{
	switch (code) {
	case CAROM_SQLITE_E_POINTER:
		snprintf(text, TEXT_LEN, "cell %u at %llu, outside the page's cells", i, v);
		break;
	case CAROM_SQLITE_E_CELL:
		snprintf(text, TEXT_LEN, "cell %u leaves the page (%llu)", i, v);
		break;
	case CAROM_SQLITE_E_RECORD:
		snprintf(text, TEXT_LEN, "cell %u: column %llu of the record leaves it, or is "
			 "missing", i, v);
		break;
	case CAROM_SQLITE_E_TYPE:
		snprintf(text, TEXT_LEN, "cell %u has a value of type %llu", i, v);
		break;
	case CAROM_SQLITE_E_CHILD:
		snprintf(text, TEXT_LEN, "cell %u leads to page %llu, which is none of the file",
			 i, v);
		break;
	case CAROM_SQLITE_E_OVERFLOW:
		snprintf(text, TEXT_LEN, "cell %u goes on at page %llu, which is none of the file",
			 i, v);
		break;
	default:
		snprintf(text, TEXT_LEN, "cell %u: walker's code %d", i, code);
	}
}

int sqlite_walker_error(struct carom_reader *rd, __s32 code, struct carom_error *err)
{
	const struct carom_sqlite_answer *a = &sqlite_scratch(rd)->answer;
	char text[TEXT_LEN];

	if (code == CAROM_SQLITE_E_QUERY)
		return carom_error_set(err, CAROM_FAULT_BACKEND, -EPROTO,
			"%s: the walker does not take the query; is the loaded walker of this "
			"version?", carom_reader_path(rd));
	if (a->bad_cell == CAROM_SQLITE_NO_CELL)
		page_text(text, code, a->bad_value);
	else
		cell_text(text, code, a->bad_cell, a->bad_value);
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "%s: damaged: page %llu: %s",
			       carom_reader_path(rd), (unsigned long long)a->bad_page, text);
}
