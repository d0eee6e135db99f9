// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Keys: from columns to records, from records to queries, and how an entry compares
 * when the walker cannot tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "sqlite.h"

/* ---- conversion, which SQLite does itself ---- */

static const char *const convert_sql[] = {
	[SQLITE_AFFINITY_BLOB] = "UPDATE k SET b = ?1 RETURNING b",
	[SQLITE_AFFINITY_TEXT] = "UPDATE k SET t = ?1 RETURNING t",
	[SQLITE_AFFINITY_NUMERIC] = "UPDATE k SET n = ?1 RETURNING n",
	[SQLITE_AFFINITY_REAL] = "UPDATE k SET r = ?1 RETURNING r",
};

int sqlite_convert_open(struct sqlite_index *ix)
{
	if (sqlite3_open_v2(":memory:", &ix->memory, SQLITE_OPEN_READWRITE |
			    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return -ENOMEM;
	return sqlite3_exec(ix->memory, "CREATE TABLE k (b BLOB, t TEXT, n NUMERIC, r REAL);"
			    "INSERT INTO k DEFAULT VALUES", NULL, NULL, NULL) == SQLITE_OK ?
	       0 : -ENOMEM;
}

static int bind_column(sqlite3_stmt *st, const struct carom_column *col)
{
	switch (col->type) {
	case CAROM_TYPE_INTEGER:
		return sqlite3_bind_int64(st, 1, col->integer);
	case CAROM_TYPE_REAL:
		return sqlite3_bind_double(st, 1, col->real);
	case CAROM_TYPE_TEXT:
		return sqlite3_bind_text64(st, 1, col->len ? col->data : "", col->len,
					   SQLITE_STATIC, SQLITE_UTF8);
	case CAROM_TYPE_BLOB:
		return sqlite3_bind_blob64(st, 1, col->len ? col->data : "", col->len,
					   SQLITE_STATIC);
	default:
		return sqlite3_bind_null(st, 1);
	}
}

static int copy_bytes(const void *data, size_t len, struct carom_column *out)
{
	void *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, data, len);
	out->data = copy;
	out->len = len;
	return 0;
}

static int take_result(sqlite3_stmt *st, struct carom_column *out)
{
	switch (sqlite3_column_type(st, 0)) {
	case SQLITE_INTEGER:
		out->type = CAROM_TYPE_INTEGER;
		out->integer = sqlite3_column_int64(st, 0);
		return 0;
	case SQLITE_FLOAT:
		out->type = CAROM_TYPE_REAL;
		out->real = sqlite3_column_double(st, 0);
		return 0;
	case SQLITE_TEXT:
		out->type = CAROM_TYPE_TEXT;
		return copy_bytes(sqlite3_column_text(st, 0),
				  (size_t)sqlite3_column_bytes(st, 0), out);
	case SQLITE_BLOB:
		out->type = CAROM_TYPE_BLOB;
		return copy_bytes(sqlite3_column_blob(st, 0),
				  (size_t)sqlite3_column_bytes(st, 0), out);
	default:
		out->type = CAROM_TYPE_NULL;
		return 0;
	}
}

int sqlite_convert(struct sqlite_index *ix, enum sqlite_affinity affinity,
		   const struct carom_column *col, struct carom_column *out)
{
	sqlite3_stmt *st;
	int ret = -ENOMEM;

	*out = (struct carom_column){ .name = col->name };
	if (sqlite3_prepare_v2(ix->memory, convert_sql[affinity], -1, &st, NULL) != SQLITE_OK)
		return ret;
	if (bind_column(st, col) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		ret = take_result(st, out);
	sqlite3_finalize(st);
	return ret;
}

/* ---- a key as a record ---- */

static int check_count(const struct sqlite_index *ix, size_t nr, struct carom_error *err)
{
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	size_t max = tree ? tree->keys : 1;

	if (nr && nr <= max && nr <= CAROM_SQLITE_MAX_COLUMNS)
		return 0;
	if (nr > max)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key of %zu columns; %s%s has %zu", nr, tree ? "index " : "the rowid",
			tree ? tree->name : "", max);
	return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
		"key of %zu columns; it has 1 to %d", nr, CAROM_SQLITE_MAX_COLUMNS);
}

static int check_rowid(const struct carom_column *col, struct carom_error *err)
{
	if (col->type == CAROM_TYPE_TEXT || col->type == CAROM_TYPE_BLOB)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"key %.*s: not a number; rowids are integers",
			col->type == CAROM_TYPE_BLOB ? 0 : col->len > 64 ? 64 : (int)col->len,
			(const char *)col->data);
	return 0;
}

/* Each column as it would be stored there; texts and blobs are to be freed. */
static int convert_all(struct sqlite_index *ix, const struct carom_column *cols, size_t nr,
		       struct carom_column *out)
{
	const struct sqlite_tree *tree = sqlite_key_tree(&ix->schema);
	size_t i;
	int ret = 0;

	pthread_mutex_lock(&ix->lock);
	for (i = 0; i < nr && !ret; i++)
		ret = sqlite_convert(ix, tree ? tree->parts[i].affinity :
				     SQLITE_AFFINITY_NUMERIC, &cols[i], &out[i]);
	pthread_mutex_unlock(&ix->lock);
	return ret;
}

int sqlite_key(void *data, const struct carom_column *cols, size_t nr, void *buf, size_t *size,
	       struct carom_error *err)
{
	struct carom_column own[CAROM_SQLITE_MAX_COLUMNS] = { 0 };
	struct sqlite_index *ix = data;
	size_t need, i;
	int ret;

	ret = check_count(ix, nr, err);
	if (ret)
		return ret;
	ret = convert_all(ix, cols, nr, own);
	if (ret)
		ret = sqlite_no_memory(err);
	else if (!sqlite_key_tree(&ix->schema))
		ret = check_rowid(&own[0], err);
	if (!ret) {
		need = sqlite_record_make(own, nr, buf, *size);
		if (need > *size)
			ret = carom_error_set(err, CAROM_FAULT_USAGE, -ENOSPC,
				"key of %zu bytes; there is room for %zu", need, *size);
		*size = need;
	}
	for (i = 0; i < nr; i++)
		free((void *)own[i].data);
	return ret;
}

/* ---- a key as a query ---- */

static __u64 bits_of(double d)
{
	__u64 bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

static void query_int(struct carom_sqlite_column *q, int64_t v)
{
	double d = (double)v;

	q->class = CAROM_SQLITE_NUMBER;
	q->flags = CAROM_SQLITE_IS_INT;
	q->as_int = v;
	q->as_real = carom_sqlite_order(bits_of(d));
	if ((__int128)d == v)
		q->flags |= CAROM_SQLITE_IS_REAL;
	else if ((__int128)d < v)
		q->as_real++;	/* the next double */
}

void sqlite_query_real(struct carom_sqlite_column *q, double d)
{
	q->class = CAROM_SQLITE_NUMBER;
	q->flags = CAROM_SQLITE_IS_REAL;
	q->as_real = carom_sqlite_order(bits_of(d));
	if (d >= SQLITE_TWO_63) {
		q->flags |= CAROM_SQLITE_OVER_INT;
	} else if (d < -SQLITE_TWO_63) {
		q->as_int = INT64_MIN;
	} else {
		q->as_int = (int64_t)d;
		if ((double)q->as_int == d)
			q->flags |= CAROM_SQLITE_IS_INT;
		else if ((double)q->as_int < d)
			q->as_int++;
	}
}

static __u8 fold(__u8 c)
{
	return c >= 'A' && c <= 'Z' ? (__u8)(c + 'a' - 'A') : c;
}

int sqlite_key_keep(struct sqlite_key *key, const struct carom_column *cols, unsigned int nr)
{
	size_t need = 0, used = 0;
	unsigned int i;
	__u8 *bytes;

	for (i = 0; i < nr; i++)
		need += cols[i].len;
	if (need > key->room) {
		bytes = malloc(need);
		if (!bytes)
			return -ENOMEM;
		free(key->bytes);
		key->bytes = bytes;
		key->room = need;
	}
	key->nr = nr;
	for (i = 0; i < nr; i++) {
		key->cols[i] = cols[i];
		if (!cols[i].len)
			continue;
		memcpy(key->bytes + used, cols[i].data, cols[i].len);
		key->cols[i].data = key->bytes + used;
		used += cols[i].len;
	}
	return 0;
}

/* SQLite's NOCASE ends at a NUL that both texts have; a walker's does not. */
static void query_text(struct carom_sqlite_column *q, const struct carom_column *col,
		       enum carom_sqlite_collation collation)
{
	const __u8 *text = col->data;

	q->class = CAROM_SQLITE_TEXT;
	q->collation = (__u8)collation;
	q->len = col->len;
	if (collation == CAROM_SQLITE_NOCASE && q->len && memchr(text, 0, q->len))
		q->collation = CAROM_SQLITE_CALLER;
	while (collation == CAROM_SQLITE_RTRIM && q->len && text[q->len - 1] == ' ')
		q->len--;
}

/* As many of the bytes as there is room for. Returns what is used of it, rounded up. */
static size_t query_bytes(struct carom_sqlite_query *q, struct carom_sqlite_column *c,
			  const __u8 *data, size_t used)
{
	size_t room = CAROM_SQLITE_KEY_SIZE - used, i;

	c->off = (__u32)(room ? used : 0);
	c->have = c->len < room ? c->len : room;
	for (i = 0; i < c->have; i++)
		q->key[used + i] = c->collation == CAROM_SQLITE_NOCASE ? fold(data[i]) : data[i];
	return (used + c->have + 7) & ~7ULL;
}

void sqlite_query_key(struct carom_sqlite_query *q, const struct sqlite_tree *tree,
		      const struct sqlite_key *key)
{
	size_t used = 0;
	unsigned int i;

	q->columns = key->nr;
	for (i = 0; i < key->nr; i++) {
		const struct carom_column *col = &key->cols[i];
		struct carom_sqlite_column *c = &q->column[i];

		*c = (struct carom_sqlite_column){ 0 };
		if (col->type == CAROM_TYPE_INTEGER) {
			query_int(c, col->integer);
		} else if (col->type == CAROM_TYPE_REAL) {
			sqlite_query_real(c, col->real);
		} else if (col->type == CAROM_TYPE_TEXT) {
			query_text(c, col, tree->parts[i].collation);
			used = query_bytes(q, c, col->data, used);
		} else if (col->type == CAROM_TYPE_BLOB) {
			c->class = CAROM_SQLITE_BLOB;
			c->len = col->len;
			used = query_bytes(q, c, col->data, used);
		}
		if (tree->parts[i].desc)
			c->flags |= CAROM_SQLITE_DESC;
	}
}

/* ---- comparison of an entry that the walker has left to us ---- */

static int sign(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_least(int64_t entry, int64_t key, bool equal)
{
	return entry == key ? !equal : sign(entry, key);
}

static int compare_number(const struct carom_column *entry, const struct carom_sqlite_column *k)
{
	if (entry->type == CAROM_TYPE_REAL)
		return compare_least(carom_sqlite_order(bits_of(entry->real)), k->as_real,
				     k->flags & CAROM_SQLITE_IS_REAL);
	if (k->flags & CAROM_SQLITE_OVER_INT)
		return -1;
	return compare_least(entry->integer, k->as_int, k->flags & CAROM_SQLITE_IS_INT);
}

static int compare_bytes(const __u8 *a, size_t a_len, const __u8 *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int cmp = n ? memcmp(a, b, n) : 0;

	return cmp ? (cmp > 0) - (cmp < 0) : sign((int64_t)a_len, (int64_t)b_len);
}

static int compare_nocase(const __u8 *a, size_t a_len, const __u8 *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len, i;

	for (i = 0; i < n && a[i]; i++)
		if (fold(a[i]) != fold(b[i]))
			break;
	if (i < n && fold(a[i]) != fold(b[i]))
		return sign(fold(a[i]), fold(b[i]));
	return sign((int64_t)a_len, (int64_t)b_len);
}

static size_t trimmed(const struct carom_column *col)
{
	const char *text = col->data;
	size_t len = col->len;

	while (len && text[len - 1] == ' ')
		len--;
	return len;
}

static int compare_text(const struct carom_column *entry, const struct carom_column *key,
			enum carom_sqlite_collation collation)
{
	if (collation == CAROM_SQLITE_NOCASE)
		return compare_nocase(entry->data, entry->len, key->data, key->len);
	if (collation == CAROM_SQLITE_RTRIM)
		return compare_bytes(entry->data, trimmed(entry), key->data, trimmed(key));
	return compare_bytes(entry->data, entry->len, key->data, key->len);
}

static int class_of(const struct carom_column *col)
{
	switch (col->type) {
	case CAROM_TYPE_NULL:
		return CAROM_SQLITE_NULL;
	case CAROM_TYPE_TEXT:
		return CAROM_SQLITE_TEXT;
	case CAROM_TYPE_BLOB:
		return CAROM_SQLITE_BLOB;
	default:
		return CAROM_SQLITE_NUMBER;
	}
}

static int compare_column(const struct carom_column *entry, const struct carom_column *key,
			  const struct carom_sqlite_column *k,
			  enum carom_sqlite_collation collation)
{
	int class = class_of(entry);

	if (class != k->class)
		return sign(class, k->class);
	switch (class) {
	case CAROM_SQLITE_NULL:
		return 0;
	case CAROM_SQLITE_NUMBER:
		return compare_number(entry, k);
	case CAROM_SQLITE_TEXT:
		return compare_text(entry, key, collation);
	default:
		return compare_bytes(entry->data, entry->len, key->data, key->len);
	}
}

int sqlite_compare(const struct carom_sqlite_query *q, const struct sqlite_tree *tree,
		   const struct sqlite_key *key, const void *entry, size_t len)
{
	struct carom_column col = { 0 };
	struct sqlite_record r;
	unsigned int i;
	int cmp = 0;

	if (!sqlite_record_begin(&r, entry, len))
		return 2;
	for (i = 0; i < key->nr && !cmp; i++) {
		if (sqlite_record_next(&r, &col) <= 0)
			return 2;
		cmp = compare_column(&col, &key->cols[i], &q->column[i],
				     tree->parts[i].collation);
		if (tree->parts[i].desc)
			cmp = -cmp;
	}
	return cmp;
}
