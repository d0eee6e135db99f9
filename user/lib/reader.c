// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The reader: one slot, one lookup at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

#define BUF_ALIGN	4096

static int slot_take(struct carom_index *ix, unsigned int *slot)
{
	unsigned int i;
	int ret = -EBUSY;

	pthread_mutex_lock(&ix->lock);
	for (i = 0; i < ix->max_readers; i++) {
		if (ix->slots[i])
			continue;
		ix->slots[i] = true;
		*slot = i;
		ret = 0;
		break;
	}
	pthread_mutex_unlock(&ix->lock);
	return ret;
}

static void slot_give_back(struct carom_index *ix, unsigned int slot)
{
	pthread_mutex_lock(&ix->lock);
	ix->slots[slot] = false;
	pthread_mutex_unlock(&ix->lock);
}

static size_t round_up(size_t len, size_t to)
{
	return (len + to - 1) / to * to;
}

int carom_reader_alloc_mem(struct carom_reader *rd, char *reason)
{
	const struct carom_native_walker *walker = rd->ix->format->walker;
	size_t align = rd->ix->file.dio_align > BUF_ALIGN ? rd->ix->file.dio_align : BUF_ALIGN;
	void *node;

	rd->mem.scratch = calloc(1, walker->scratch_size ? walker->scratch_size : 1);
	if (!rd->mem.scratch)
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	if (posix_memalign(&node, align, round_up(walker->node_size, align))) {
		free(rd->mem.scratch);
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	}
	memset(node, 0, walker->node_size);
	rd->node = node;
	rd->mem.node = node;
	return 0;
}

void carom_reader_free_mem(struct carom_reader *rd)
{
	free(rd->node);
	free(rd->mem.scratch);
}

int carom_reader_new(struct carom_index *ix, struct carom_reader **out, char *reason)
{
	struct carom_reader *rd = calloc(1, sizeof(*rd));
	int ret;

	if (!rd)
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	rd->ix = ix;
	ret = slot_take(ix, &rd->slot);
	if (ret) {
		free(rd);
		return carom_reason_set(reason, ret, "all %u readers are in use",
					ix->max_readers);
	}
	ret = ix->ops->reader_init(rd, reason);
	if (ret) {
		slot_give_back(ix, rd->slot);
		free(rd);
		return ret;
	}
	*out = rd;
	return 0;
}

int carom_reader__new(struct carom_index *ix, struct carom_reader **out,
		      struct carom_error *err)
{
	char reason[CAROM_REASON_LEN] = "";
	enum carom_fault fault;
	int ret;

	if (err)
		memset(err, 0, sizeof(*err));
	if (!ix || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "index or out is NULL");
	ret = carom_reader_new(ix, out, reason);
	if (!ret)
		return 0;
	fault = ret == -EBUSY ? CAROM_FAULT_USAGE :
		ret == -ENOMEM ? CAROM_FAULT_IO : CAROM_FAULT_BACKEND;
	return carom_error_set(err, fault, ret, "%s: no new reader: %s", ix->path, reason);
}

void carom_reader__free(struct carom_reader *rd)
{
	if (!rd)
		return;
	rd->ix->ops->reader_exit(rd);
	slot_give_back(rd->ix, rd->slot);
	free(rd->buf);
	free(rd);
}

int carom_reader__get(struct carom_reader *rd, const void *key, size_t key_len,
		      struct carom_value *val)
{
	int ret;

	rd->err = (struct carom_error){ 0 };
	rd->reached = false;
	rd->stats.last_hops = 0;
	if (!val || (!key && key_len))
		return carom_error_set(&rd->err, CAROM_FAULT_USAGE, -EINVAL,
				       "key or val is NULL");
	ret = rd->ix->format->get(rd, key, key_len, val, &rd->err);
	rd->stats.lookups += rd->reached;
	return ret;
}

const struct carom_error *carom_reader__error(const struct carom_reader *rd)
{
	return &rd->err;
}

void carom_reader__stats(const struct carom_reader *rd, struct carom_reader_stats *st, size_t sz)
{
	memset(st, 0, sz);
	memcpy(st, &rd->stats, sz < sizeof(rd->stats) ? sz : sizeof(rd->stats));
}

/* ---- what formats and backends call ---- */

const struct carom_reader_mem *carom_reader_mem(struct carom_reader *rd)
{
	return &rd->mem;
}

void *carom_reader_format_data(const struct carom_reader *rd)
{
	return rd->ix->format_data;
}

void carom_reader_set_format_data(struct carom_reader *rd, void *data)
{
	rd->ix->format_data = data;
}

const char *carom_reader_path(const struct carom_reader *rd)
{
	return rd->ix->path;
}

bool carom_reader_sealed(const struct carom_reader *rd)
{
	return rd->ix->session.fd >= 0;
}

__u64 carom_reader_file_size(const struct carom_reader *rd)
{
	__u64 size = 0;

	if (carom_reader_sealed(rd))
		return rd->ix->session.open.file_size;
	/* An fstat() of an open file fails for no reason that a size could express. */
	if (carom_file_size(&rd->ix->file, &size))
		return 0;
	return size;
}

int carom_reader_pread(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	rd->reached = true;
	return carom_file_read(&rd->ix->file, buf, len, offset);
}

int carom_reader_peek(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	rd->reached = true;
	return carom_file_peek(&rd->ix->file, buf, len, offset);
}

void *carom_reader_buffer(struct carom_reader *rd, size_t len)
{
	size_t size = round_up(len ? len : 1, BUF_ALIGN);
	void *buf;

	if (rd->buf_size >= len && rd->buf)
		return rd->buf;
	if (size < len || posix_memalign(&buf, BUF_ALIGN, size))
		return NULL;
	free(rd->buf);
	rd->buf = buf;
	rd->buf_size = size;
	return buf;
}

int carom_reader_run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res,
		     struct carom_error *err)
{
	int ret;

	*res = (struct carom_lookup){ .slot = rd->slot, .offset = offset, .at = offset };
	rd->reached = true;
	ret = rd->ix->ops->run(rd, res);
	rd->stats.hops += res->hops;
	rd->stats.last_hops += res->hops;
	if (!ret)
		return 0;
	return carom_chain_error(err, rd->ix->path, res, rd->ix->max_hops, ret);
}

int carom_reader_read_node(void *arg, __u64 offset)
{
	struct carom_reader *rd = arg;

	return carom_file_read(&rd->ix->file, rd->node, rd->ix->format->walker->node_size,
			       offset);
}

/* Ask for the size again only when it stands in the way: a file that shrank shows
 * in the read. */
static bool reader_within(void *arg, __u64 end)
{
	struct carom_reader *rd = arg;

	if (end > rd->file_size)
		rd->file_size = carom_reader_file_size(rd);
	return end <= rd->file_size;
}

int carom_reader_chain(struct carom_reader *rd, struct carom_lookup *res,
		       int (*read)(void *rd, __u64 offset))
{
	const struct carom_chain chain = {
		.walker = rd->ix->format->walker,
		.node = rd->node,
		.scratch = rd->mem.scratch,
		.max_hops = rd->ix->max_hops,
		.read = read,
		.within = reader_within,
		.ctx = rd,
	};

	rd->mem.node = rd->node;
	return carom_chain_run(&chain, res);
}
