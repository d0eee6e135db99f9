// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * SQLite's records: columns in, columns out, and where the rest of a long one is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite.h"

static __u64 get_be(const __u8 *p, size_t len)
{
	__u64 v = 0;

	while (len--)
		v = v << 8 | *p++;
	return v;
}

static void put_be(__u8 *p, __u64 v, size_t len)
{
	while (len--) {
		p[len] = (__u8)v;
		v >>= 8;
	}
}

size_t sqlite_get_varint(const __u8 *p, size_t len, __u64 *value)
{
	__u64 v = 0;
	size_t i;

	for (i = 0; i < 8 && i < len; i++) {
		v = v << 7 | (p[i] & 0x7f);
		if (!(p[i] & 0x80)) {
			*value = v;
			return i + 1;
		}
	}
	if (i >= len)
		return 0;
	*value = v << 8 | p[8];
	return 9;
}

/* Bytes that it takes; of the values that have eight bits in a ninth there are none here. */
static size_t put_varint(__u8 *p, __u64 v)
{
	size_t len = 1, i;

	while (v >> (7 * len))
		len++;
	for (i = len; p && i--; v >>= 7)
		p[i] = (__u8)((v & 0x7f) | (i + 1 < len ? 0x80 : 0));
	return len;
}

/* ---- taking apart ---- */

bool sqlite_record_begin(struct sqlite_record *r, const void *data, size_t len)
{
	__u64 header;

	r->data = data;
	r->len = len;
	r->at = sqlite_get_varint(data, len, &header);
	if (!r->at || header < r->at || header > len)
		return false;
	r->end = header;
	r->body = header;
	return true;
}

static size_t int_size(__u64 type)
{
	static const __u8 size[12] = { 0, 1, 2, 3, 4, 6, 8, 8 };

	return size[type];
}

static void take_number(const __u8 *p, __u64 type, struct carom_column *col)
{
	size_t size = int_size(type);
	__u64 v = get_be(p, size);

	col->type = CAROM_TYPE_INTEGER;
	if (!type) {
		col->type = CAROM_TYPE_NULL;
	} else if (type == 7) {
		memcpy(&col->real, &v, sizeof(v));
		/* SQLite has NULL for what is no number. */
		col->type = col->real == col->real ? CAROM_TYPE_REAL : CAROM_TYPE_NULL;
	} else if (type >= 8) {
		col->integer = (int64_t)type - 8;
	} else {
		v <<= 64 - 8 * size;
		col->integer = (int64_t)v >> (64 - 8 * size);
	}
}

int sqlite_record_next(struct sqlite_record *r, struct carom_column *col)
{
	const char *name = col->name;
	__u64 type, size;
	size_t n;

	if (r->at == r->end)
		return 0;
	n = sqlite_get_varint(r->data + r->at, r->end - r->at, &type);
	if (!n || type == 10 || type == 11)
		return -EBADMSG;
	size = type < 12 ? int_size(type) : (type - 12) / 2;
	if (size > r->len - r->body)
		return -EBADMSG;
	*col = (struct carom_column){ .name = name };
	if (type < 12) {
		take_number(r->data + r->body, type, col);
	} else {
		col->type = type & 1 ? CAROM_TYPE_TEXT : CAROM_TYPE_BLOB;
		col->data = r->data + r->body;
		col->len = size;
	}
	r->at += n;
	r->body += size;
	return 1;
}

/* ---- putting together ---- */

static __u64 int_type(int64_t v)
{
	__u64 type;

	for (type = 1; type < 6; type++) {
		unsigned int bits = (unsigned int)(8 * int_size(type));

		if (v >= -(1LL << (bits - 1)) && v < 1LL << (bits - 1))
			break;
	}
	return type;
}

static __u64 type_of(const struct carom_column *col)
{
	switch (col->type) {
	case CAROM_TYPE_INTEGER:
		return int_type(col->integer);
	case CAROM_TYPE_REAL:
		return 7;
	case CAROM_TYPE_TEXT:
		return 13 + 2 * (__u64)col->len;
	case CAROM_TYPE_BLOB:
		return 12 + 2 * (__u64)col->len;
	default:
		return 0;
	}
}

static size_t put_value(__u8 *p, const struct carom_column *col, __u64 type)
{
	size_t size = type < 12 ? int_size(type) : col->len;
	__u64 v = (__u64)col->integer;

	if (!p)
		return size;
	if (type == 7)
		memcpy(&v, &col->real, sizeof(v));
	if (type >= 12 && size)
		memcpy(p, col->data, size);
	else if (type < 12)
		put_be(p, v, size);
	return size;
}

size_t sqlite_record_make(const struct carom_column *cols, size_t nr, void *buf, size_t size)
{
	size_t header = 1, body = 0, i, at;
	__u8 *p = buf;

	for (i = 0; i < nr; i++) {
		header += put_varint(NULL, type_of(&cols[i]));
		body += put_value(NULL, &cols[i], type_of(&cols[i]));
	}
	/* Keys have few columns, so a byte is enough for the header's own length. */
	if (header + body > size)
		return header + body;
	p[0] = (__u8)header;
	at = 1;
	body = header;
	for (i = 0; i < nr; i++) {
		at += put_varint(p + at, type_of(&cols[i]));
		body += put_value(p + body, &cols[i], type_of(&cols[i]));
	}
	return body;
}

/* ---- rows ---- */

static int row_error(const struct sqlite_index *ix, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: a row of table %s is no record", ix->path, ix->schema.name);
}

/* Values are stored shorter than they are: reals that are integers, and rowids. */
static void finish_column(const struct sqlite_column *c, int64_t rowid, struct carom_column *col)
{
	if (c->is_rowid && col->type == CAROM_TYPE_NULL) {
		col->type = CAROM_TYPE_INTEGER;
		col->integer = rowid;
	}
	if (c->affinity == SQLITE_AFFINITY_REAL && col->type == CAROM_TYPE_INTEGER) {
		col->type = CAROM_TYPE_REAL;
		col->real = (double)col->integer;
	}
	col->name = c->name;
}

/* Put the columns of the record, in its order, to their places. */
static int take_columns(const struct sqlite_schema *s, struct sqlite_record *r,
			struct carom_column *cols)
{
	struct carom_column *found = calloc(s->nr, sizeof(*found));
	unsigned int i, have = 0;
	int ret = 1;

	if (!found)
		return -ENOMEM;
	while (have < s->nr && ret > 0) {
		ret = sqlite_record_next(r, &found[have]);
		have += ret > 0;
	}
	for (i = 0; i < s->nr; i++) {
		const struct sqlite_column *c = &s->columns[i];

		cols[i] = c->place < have ? found[c->place] : c->missing;
	}
	free(found);
	return ret < 0 ? ret : 0;
}

int sqlite_row(const void *data, const struct carom_value *val, struct carom_column *cols,
	       size_t nr, struct carom_error *err)
{
	const struct sqlite_index *ix = data;
	const struct sqlite_schema *s = &ix->schema;
	struct sqlite_record r;
	__u64 rowid = 0;
	size_t skip = 0;
	unsigned int i;
	int ret;

	(void)nr;
	if (s->rowids) {
		skip = sqlite_get_varint(val->data, val->len, &rowid);
		if (!skip)
			return row_error(ix, err);
	}
	if (!sqlite_record_begin(&r, (const __u8 *)val->data + skip, val->len - skip))
		return row_error(ix, err);
	ret = take_columns(s, &r, cols);
	if (ret == -ENOMEM)
		return sqlite_no_memory(err);
	if (ret)
		return row_error(ix, err);
	for (i = 0; i < s->nr; i++)
		finish_column(&s->columns[i], (int64_t)rowid, &cols[i]);
	return 0;
}

/* ---- overflow pages ---- */

#define NO_PAGE	"its overflow chain leads to a page that is none of the file (next page: %llu)"
#define NO_MORE	"its overflow chain ends before the record (next page: %llu)"

/* Each is a read that depends on the one before, so all that there is room for. */
size_t sqlite_value_room(const struct carom_native_walker *walker, size_t share)
{
	return share > walker->node_size ? share : walker->node_size;
}

void sqlite_rest_begin(struct carom_reader *rd)
{
	const struct carom_reader_mem *mem = carom_reader_mem(rd);

	sqlite_scratch(rd)->rest = (struct carom_sqlite_rest){
		.room = mem->scratch_size - CAROM_SQLITE_AREA, .max_hops = mem->max_hops,
	};
}

static const __u8 *value_area(struct carom_reader *rd)
{
	return carom_reader_mem(rd)->scratch + CAROM_SQLITE_AREA;
}

/* What the last chain has brought of @total bytes goes behind those that there are. */
static int take_area(struct carom_reader *rd, struct sqlite_parts *parts, size_t total,
		     struct carom_error *err)
{
	const struct carom_sqlite_answer a = sqlite_scratch(rd)->answer;
	const struct carom_sqlite_rest r = sqlite_scratch(rd)->rest;
	size_t len = r.used, first = (size_t)a.id_len + a.local;
	const __u8 *from = value_area(rd);

	/* There was no room for the first part, and the chain has ended at its page. */
	if (!parts->got && first > r.room) {
		from = carom_reader_mem(rd)->node + a.off - a.id_len;
		len = first;
	}
	if (!len || len > total - parts->got || total - parts->got - len != r.left)
		return sqlite_walker_error(rd, CAROM_SQLITE_E_QUERY, err);
	memcpy(parts->buf + parts->got, from, len);
	parts->got += len;
	return 0;
}

/* There is more of it than the area has. */
static int payload_parts(struct carom_reader *rd, const struct sqlite_file *file,
			 struct sqlite_parts *parts, __u64 *offset, struct carom_value *val,
			 struct carom_error *err)
{
	const struct carom_sqlite_answer a = sqlite_scratch(rd)->answer;
	struct carom_sqlite_rest *r = &sqlite_scratch(rd)->rest;
	size_t total = a.id_len + (size_t)a.payload;
	int ret;

	/* Before memory is asked for: a damaged length may be anything. */
	if (a.payload > (__u64)file->pages * file->usable)
		return sqlite_page_error(rd, r->cell_page, "a record of %llu bytes, more than the "
					 "file has", a.payload, err);
	if (!parts->got)
		parts->buf = carom_reader_buffer(rd, total);
	if (!parts->buf)
		return sqlite_no_memory(err);
	ret = take_area(rd, parts, total, err);
	if (ret)
		return ret;
	if (r->left) {
		r->used = 0;
		*offset = (__u64)(r->page - 1) * file->page_size;
		return CAROM_CHAIN;
	}
	parts->got = 0;
	val->data = parts->buf;
	val->len = total;
	return 0;
}

int sqlite_payload(struct carom_reader *rd, const struct sqlite_file *file,
		   struct sqlite_parts *parts, __u64 *offset, struct carom_value *val,
		   struct carom_error *err)
{
	const struct carom_sqlite_answer a = sqlite_scratch(rd)->answer;
	const struct carom_sqlite_rest r = sqlite_scratch(rd)->rest;
	__u64 total = a.id_len + a.payload;

	if (a.off > file->usable || a.id_len > a.off || a.local > file->usable - a.off ||
	    a.local > a.payload || a.payload > CAROM_SQLITE_MAX_PAYLOAD || r.used > r.room ||
	    CAROM_SQLITE_AREA + (__u64)r.room > carom_reader_mem(rd)->scratch_size)
		return sqlite_walker_error(rd, CAROM_SQLITE_E_QUERY, err);
	if (a.local < a.payload && (parts->got || r.left || r.used != total))
		return payload_parts(rd, file, parts, offset, val, err);
	val->data = a.local < a.payload ? value_area(rd) :
		    carom_reader_mem(rd)->node + a.off - a.id_len;
	val->len = total;
	return 0;
}

/*
 * Follow the chain from @page; the pages after the first @have bytes fill @buf. What is
 * wrong is said as the walker's code for it is.
 */
static int read_overflow(struct carom_reader *rd, const struct sqlite_file *file, __u64 page,
			 __u64 from, __u8 *buf, size_t have, size_t len, struct carom_error *err)
{
	__u8 *node = malloc(file->usable);
	int ret = node ? 0 : sqlite_no_memory(err);

	while (!ret && have < len) {
		size_t room = file->usable - CAROM_SQLITE_OV_HDR;
		size_t n = len - have < room ? len - have : room;

		if (page < 2 || page > file->pages) {
			ret = sqlite_page_error(rd, from, page ? NO_PAGE : NO_MORE, page, err);
			break;
		}
		ret = carom_reader_pread(rd, node, n + CAROM_SQLITE_OV_HDR,
					 (page - 1) * file->page_size);
		if (ret) {
			ret = ret == -ENODATA ? sqlite_truncated_error(rd, page, err) :
			      carom_error_set(err, CAROM_FAULT_IO, ret, "%s: %s",
					      carom_reader_path(rd), strerror(-ret));
			break;
		}
		memcpy(buf + have, node + CAROM_SQLITE_OV_HDR, n);
		have += n;
		from = page;
		page = get_be(node, 4);
	}
	free(node);
	return ret;
}

/* How much of a record of @payload bytes is in the page of its cell. */
static size_t local_of(const struct sqlite_file *file, bool table, __u64 payload)
{
	__u64 usable = file->usable;
	__u64 max = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
	__u64 min = (usable - 12) * 32 / 255 - 23, local;

	if (payload <= max)
		return payload;
	local = min + (payload - min) % (usable - 4);
	return local <= max ? local : min;
}

int sqlite_payload_at(struct carom_reader *rd, const struct sqlite_file *file, bool rowid,
		      __u64 at, size_t len, struct carom_value *val, struct carom_error *err)
{
	__u64 page = at / file->page_size + 1, unused;
	size_t room = page * file->page_size - at, before = 0, have, n;
	__u8 *buf, head[9];
	int ret;

	if (len > (__u64)file->pages * file->usable)
		return sqlite_page_error(rd, page, "a record of %llu bytes, more than the file has",
					 len, err);
	n = room < sizeof(head) ? room : sizeof(head);
	ret = carom_reader_pread(rd, head, n, at);
	if (!ret && rowid)
		before = sqlite_get_varint(head, n, &unused);
	buf = carom_reader_buffer(rd, len + 4);
	if (!buf)
		return sqlite_no_memory(err);
	have = before + local_of(file, rowid, len - before);
	if (len < before || have + 4 * (have < len) > room)
		return sqlite_walker_error(rd, CAROM_SQLITE_E_QUERY, err);
	if (!ret)
		ret = carom_reader_pread(rd, buf, have + 4 * (have < len), at);
	if (ret)
		return ret == -ENODATA ? sqlite_truncated_error(rd, page, err) :
		       carom_error_set(err, CAROM_FAULT_IO, ret, "%s: %s", carom_reader_path(rd),
				       strerror(-ret));
	val->data = buf;
	val->len = len;
	if (have == len)
		return 0;
	return read_overflow(rd, file, get_be(buf + have, 4), page, buf, have, len, err);
}
