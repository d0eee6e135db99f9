/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-only OR BSD-2-Clause */
/*
 * How an entry of an SQLite index compares with the key, for the walkers.
 */
#ifndef CAROM_SQLITE_COMPARE_H
#define CAROM_SQLITE_COMPARE_H

#include "sqlite_page.h"

/* Beside -1, 0 and 1: the page does not tell. Failures are less than all of them. */
#define UNDECIDED	2

#define COLUMN_MASK	(CAROM_SQLITE_MAX_COLUMNS - 1)
#define KEY_MASK	(CAROM_SQLITE_KEY_SIZE - 1)
#define KEY_OFF		((__u32)offsetof(struct carom_sqlite_scratch, query.key))

_Static_assert(!(CAROM_SQLITE_MAX_COLUMNS & COLUMN_MASK), "power of two");
_Static_assert(!(CAROM_SQLITE_KEY_SIZE & KEY_MASK), "power of two");

/**
 * struct value - one column of an entry
 * @type: serial type
 * @off: where it is in the page
 * @size: bytes that it has
 * @local: how many of them are in the page
 */
struct value {
	__u64 type;
	__u64 off;
	__u64 size;
	__u64 local;
};

static __always_inline __s64 compare_number(struct page *p, const struct value *v,
					    const struct carom_sqlite_column *k)
{
	__u64 flags = k->flags, raw, n, key, more;

	raw = __builtin_bswap64(get_8(p, v->off));
	if (v->type == 7) {
		n = carom_sqlite_order(raw);
		key = k->as_real;
		more = ~flags & CAROM_SQLITE_IS_REAL;
	} else {
		n = (__s64)raw >> ((64 - 8 * v->size) & 63);
		if (v->type >= 8)
			n = v->type - 8;
		key = k->as_int;
		more = ~flags & CAROM_SQLITE_IS_INT;
		if (flags & CAROM_SQLITE_OVER_INT)
			return -1;
	}
	blur(p, n);
	blur(p, key);
	blur(p, more);
	/* @key is the least that is not less than the key, if it is not the key. */
	if (n == key)
		return more ? 1 : 0;
	return (__s64)n < (__s64)key ? -1 : 1;
}

/* Eight letters at once: capitals become small. */
static __always_inline __u64 fold_8(__u64 w)
{
	const __u64 ones = 0x0101010101010101ULL;
	__u64 low = w & (ones * 0x7f), from_a, past_z;

	from_a = low + ones * (0x80 - 'A');
	past_z = low + ones * (0x80 - 'Z' - 1);
	return w | (from_a & ~past_z & ~w & (ones << 7)) >> 2;
}

/* As carom_cmp() of @len bytes each, but of folded letters. */
static __always_inline __s64 compare_folded(struct page *p, __u64 off, __u64 key_off, __u64 len)
{
	const __u8 *key = p->s->query.key + (key_off & KEY_MASK & ~7ULL);
	__u64 i, a, b, mask;

	for (i = 0; i < CAROM_SQLITE_FOLD_SIZE; i += 8) {
		if (i >= len)
			return 0;
		mask = ~0ULL;
		if (len - i < 8)
			mask = (1ULL << (8 * (len - i) & 63)) - 1;
		blur(p, mask);
		a = fold_8(get_8(p, off + i)) & mask;
		b = *(const __u64 *)(key + i) & mask;
		if (a != b)
			return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
	}
	return len > CAROM_SQLITE_FOLD_SIZE ? UNDECIDED : 0;
}

/*
 * The size of the text without the spaces at its end; CAROM_SQLITE_TRIM less: there may be
 * more of them.
 */
static __always_inline __u64 trimmed(struct page *p, const struct value *v)
{
	const __u64 ones = 0x0101010101010101ULL;
	__u64 tail, kept, spaces;

	/* What is no space, and all before it, in bytes of 0x80. */
	tail = get_8(p, v->off + v->size - CAROM_SQLITE_TRIM) ^ ones * ' ';
	kept = ((tail & ones * 0x7f) + ones * 0x7f) | tail;
	kept &= ones << 7;
	kept |= kept >> 8;
	kept |= kept >> 16;
	kept |= kept >> 32;
	spaces = CAROM_SQLITE_TRIM - (((kept >> 7) * ones) >> 56);
	return v->size - min_u63(spaces, v->size);
}

/* As many bytes of both as are there. -1, 0 or 1, or CAROM_CMP_FAULT. */
static __always_inline __s64 compare_part(struct page *p, const struct value *v,
					  const struct carom_sqlite_column *k, __u64 n,
					  __u64 collation)
{
	__s64 cmp;

	if (collation == CAROM_SQLITE_NOCASE)
		cmp = compare_folded(p, v->off, k->off, n);
	else
		cmp = carom_cmp(p->hop, v->off, n, KEY_OFF + (k->off & KEY_MASK), n);
	return cmp;
}

static __always_inline __s64 compare_bytes(struct page *p, const struct value *v,
					   const struct carom_sqlite_column *k, __u64 collation)
{
	__u64 have = k->have, len = k->len, size = v->size, n;
	__s64 cmp;

	if (collation == CAROM_SQLITE_CALLER)
		return UNDECIDED;
	if (collation == CAROM_SQLITE_RTRIM) {
		size = trimmed(p, v);
		if (v->local < v->size || (size && v->size - size == CAROM_SQLITE_TRIM))
			return UNDECIDED;
	}
	n = v->local < size ? v->local : size;
	n = n < have ? n : have;
	blur(p, size);
	blur(p, n);
	cmp = compare_part(p, v, k, n, collation);
	blur(p, *(__u64 *)&cmp);
	if (cmp)
		return cmp;
	/* One of them ends here, with all of it seen, or there is more of both. */
	if (n != size && n != len)
		return UNDECIDED;
	return (size > len) - (size < len);
}

/* -1, 0, 1 or UNDECIDED. */
static __always_inline __s64 compare_value(struct page *p, const struct value *v,
					   const struct carom_sqlite_column *k)
{
	__u64 class = serial_class(v->type), key_class = k->class, collation = k->collation;

	blur(p, class);
	if (class != key_class)
		return class < key_class ? -1 : 1;
	if (class == CAROM_SQLITE_NULL)
		return 0;
	if (class == CAROM_SQLITE_NUMBER)
		return v->local < v->size ? UNDECIDED : compare_number(p, v, k);
	if (class == CAROM_SQLITE_BLOB && collation != CAROM_SQLITE_CALLER)
		collation = CAROM_SQLITE_BINARY;
	blur(p, collation);
	return compare_bytes(p, v, k, collation);
}

/* The index cell @i, whose child and length come first. 0 or a failure. */
static __always_inline __s64 index_cell(struct page *p, __u64 i, struct cell *c)
{
	__u64 off;
	__s64 err;

	err = cell_at(p, i, &off);
	if (err)
		return err;
	c->child = get_be32(p, off);
	off += p->leaf ? 0 : 4;
	c->off = off + get_varint(p, off, &c->payload);
	return take_local(p, i, c, (p->usable - 12) * 64 / 255 - 23);
}

/*
 * Compare the leading columns of a record with the key. -1, 0, 1, UNDECIDED or a
 * failure.
 */
static __always_inline __s64 compare_record(struct page *p, __u64 i, const struct cell *c)
{
	__u64 columns = p->s->query.columns, at, header, data, j;

	at = get_varint(p, c->off, &header);
	if (header > c->payload)
		return fail_cell(p, CAROM_SQLITE_E_RECORD, i, 0);
	if (header > c->local)
		return UNDECIDED;
	data = header;
	blur(p, data);
	for (j = 0; j < CAROM_SQLITE_MAX_COLUMNS; j++) {
		const struct carom_sqlite_column *k = &p->s->query.column[j & COLUMN_MASK];
		struct value v;
		__u64 sign;
		__s64 cmp;

		if (j >= columns)
			return 0;
		if (at >= header)
			return fail_cell(p, CAROM_SQLITE_E_RECORD, i, j);
		at += get_varint(p, c->off + at, &v.type);
		if ((v.type | 1) == 11 || v.type >> 32)
			return fail_cell(p, CAROM_SQLITE_E_TYPE, i, v.type);
		v.size = serial_size(v.type);
		if (at > header || v.size > c->payload - data)
			return fail_cell(p, CAROM_SQLITE_E_RECORD, i, j);
		v.off = c->off + data;
		v.local = c->local - data;
		v.local = min_u63(v.local & ~if_negative(v.local), v.size);
		blur(p, v.size);
		blur(p, v.off);
		blur(p, v.local);
		data += v.size;
		blur(p, at);
		blur(p, data);
		cmp = compare_value(p, &v, k);
		blur(p, *(__u64 *)&cmp);
		if (cmp == UNDECIDED)
			return cmp;
		sign = k->flags & CAROM_SQLITE_DESC;
		if (cmp)
			return sign ? -cmp : cmp;
	}
	return 0;
}

#endif /* CAROM_SQLITE_COMPARE_H */
