// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The reader: one slot, one lookup at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

#define BUF_ALIGN	4096

int carom_slots_take(struct carom_index *ix, unsigned int first, unsigned int end,
		     unsigned int *slots, unsigned int count)
{
	unsigned int taken = 0, i;

	pthread_mutex_lock(&ix->lock);
	for (i = first; i < end && taken < count; i++) {
		if (!ix->slots[i])
			slots[taken++] = i;
	}
	for (i = 0; taken == count && i < count; i++)
		ix->slots[slots[i]] = true;
	pthread_mutex_unlock(&ix->lock);
	return taken == count ? 0 : -EBUSY;
}

void carom_slot_give_back(struct carom_index *ix, unsigned int slot)
{
	pthread_mutex_lock(&ix->lock);
	ix->slots[slot] = false;
	pthread_mutex_unlock(&ix->lock);
}

static size_t round_up(size_t len, size_t to)
{
	return (len + to - 1) / to * to;
}

int carom_reader_alloc_node(struct carom_reader *rd, char *reason)
{
	size_t align = rd->ix->file.dio_align > BUF_ALIGN ? rd->ix->file.dio_align : BUF_ALIGN;
	void *node;

	if (posix_memalign(&node, align, round_up(rd->ix->walker->node_size, align)))
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	rd->node = node;
	rd->mem.node = node;
	return 0;
}

int carom_reader_alloc_mem(struct carom_reader *rd, char *reason)
{
	__u32 size = rd->ix->scratch_size;
	int ret;

	rd->mem.scratch = calloc(1, size ? size : 1);
	if (!rd->mem.scratch)
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	ret = carom_reader_alloc_node(rd, reason);
	if (ret)
		free(rd->mem.scratch);
	return ret;
}

void carom_reader_free_mem(struct carom_reader *rd)
{
	free(rd->node);
	free(rd->mem.scratch);
}

int carom_reader_init(struct carom_reader *rd, struct carom_index *ix, unsigned int slot,
		      char *reason)
{
	int ret;

	rd->ix = ix;
	rd->slot = slot;
	rd->mem.scratch_size = ix->scratch_size;
	rd->mem.max_hops = ix->max_hops;
	rd->state = calloc(1, ix->state_size ? ix->state_size : 1);
	if (!rd->state)
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	ret = ix->ops->mem_init(rd, reason);
	if (ret)
		free(rd->state);
	return ret;
}

void carom_reader_exit(struct carom_reader *rd)
{
	rd->ix->ops->mem_exit(rd);
	if (rd->ix->forget)
		rd->ix->forget(rd->state);
	free(rd->state);
	free(rd->buf);
}

/* A reader that can wait for its chains. */
static int reader_init_run(struct carom_reader *rd, struct carom_index *ix, unsigned int slot,
			   char *reason)
{
	int ret = carom_reader_init(rd, ix, slot, reason);

	if (ret || !ix->ops->run_init)
		return ret;
	ret = ix->ops->run_init(rd, reason);
	if (ret)
		carom_reader_exit(rd);
	return ret;
}

int carom_reader_new(struct carom_index *ix, struct carom_reader **out, char *reason)
{
	struct carom_reader *rd = calloc(1, sizeof(*rd));
	unsigned int slot;
	int ret;

	if (!rd)
		return carom_reason_set(reason, -ENOMEM, "out of memory");
	ret = carom_slots_take(ix, 0, ix->max_readers, &slot, 1);
	if (ret) {
		free(rd);
		return carom_reason_set(reason, ret, "all %u readers are in use",
					ix->max_readers);
	}
	ret = reader_init_run(rd, ix, slot, reason);
	if (ret) {
		carom_slot_give_back(ix, slot);
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
	if (rd->ix->ops->run_exit)
		rd->ix->ops->run_exit(rd);
	carom_reader_exit(rd);
	carom_slot_give_back(rd->ix, rd->slot);
	free(rd);
}

/* ---- a lookup ---- */

static void reader_begin(struct carom_reader *rd)
{
	rd->err.fault = CAROM_FAULT_NONE;
	rd->err.code = 0;
	rd->err.text[0] = '\0';
	rd->reached = false;
	rd->canceled = false;
	rd->stats.last_hops = 0;
}

int carom_reader_start(struct carom_reader *rd, const void *key, size_t key_len,
		       __u64 *offset)
{
	reader_begin(rd);
	if (!key && key_len)
		return carom_error_set(&rd->err, CAROM_FAULT_USAGE, -EINVAL, "key is NULL");
	return rd->ix->format->start(rd, key, key_len, offset, &rd->err);
}

void carom_reader_chain_begin(struct carom_reader *rd, __u64 offset)
{
	rd->chain = (struct carom_lookup){ .slot = rd->slot, .offset = offset, .at = offset };
	rd->reached = true;
}

/* Count the chain, and say in @err why it did not come to an end. */
static int reader_account(struct carom_reader *rd, int ret, struct carom_error *err)
{
	rd->stats.hops += rd->chain.hops;
	rd->stats.last_hops += rd->chain.hops;
	if (!ret)
		return 0;
	return carom_chain_error(err, rd->ix->path, &rd->chain, rd->ix->max_hops, ret);
}

int carom_reader_chain_over(struct carom_reader *rd, int ret, __u64 *offset,
			    struct carom_value *val)
{
	ret = reader_account(rd, ret, &rd->err);
	if (rd->canceled && rd->chain.end == CAROM_END_CANCELED)
		return carom_error_set(&rd->err, CAROM_FAULT_IO, -ECANCELED,
				       "%s: lookup canceled at offset %llu", rd->ix->path,
				       (unsigned long long)rd->chain.at);
	return rd->ix->format->finish(rd, &rd->chain, ret, offset, val, &rd->err);
}

int carom_reader_finish(struct carom_reader *rd, int ret, __u64 offset,
			struct carom_value *val)
{
	while (ret == CAROM_CHAIN) {
		carom_reader_chain_begin(rd, offset);
		ret = rd->ix->ops->run(rd);
		ret = carom_reader_chain_over(rd, ret, &offset, val);
	}
	return ret;
}

int carom_reader__get(struct carom_reader *rd, const void *key, size_t key_len,
		      struct carom_value *val)
{
	struct carom_value found;
	__u64 offset = 0;
	int ret;

	if (!val)
		return carom_error_set(&rd->err, CAROM_FAULT_USAGE, -EINVAL, "val is NULL");
	ret = carom_reader_start(rd, key, key_len, &offset);
	ret = carom_reader_finish(rd, ret, offset, &found);
	rd->stats.lookups += rd->reached;
	if (!ret)
		*val = found;
	return ret;
}

int carom_reader__next(struct carom_reader *rd, struct carom_value *val)
{
	struct carom_value found;
	__u64 offset = 0;
	int ret;

	if (!val)
		return carom_error_set(&rd->err, CAROM_FAULT_USAGE, -EINVAL, "val is NULL");
	if (!rd->ix->format->next)
		return CAROM_NOTFOUND;
	reader_begin(rd);
	ret = rd->ix->format->next(rd, &offset, &rd->err);
	ret = carom_reader_finish(rd, ret, offset, &found);
	if (!ret)
		*val = found;
	return ret;
}

const struct carom_error *carom_reader__error(const struct carom_reader *rd)
{
	return &rd->err;
}

void carom_stats_copy(const struct carom_reader_stats *own, struct carom_reader_stats *st,
		      size_t sz)
{
	memset(st, 0, sz);
	memcpy(st, own, sz < sizeof(*own) ? sz : sizeof(*own));
}

void carom_reader__stats(const struct carom_reader *rd, struct carom_reader_stats *st, size_t sz)
{
	carom_stats_copy(&rd->stats, st, sz);
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

void *carom_reader_state(struct carom_reader *rd)
{
	return rd->state;
}

void carom_reader_set_format_data(struct carom_reader *rd, void *data)
{
	rd->ix->format_data = data;
}

const char *carom_reader_path(const struct carom_reader *rd)
{
	return rd->ix->path;
}

int carom_reader_fd(const struct carom_reader *rd)
{
	return rd->ix->file.fd;
}

bool carom_reader_sealed(const struct carom_reader *rd)
{
	const struct carom_index *ix = rd->ix;

	return ix->session.fd >= 0 || (ix->base && ix->base->session.fd >= 0);
}

__u64 carom_reader_file_size(const struct carom_reader *rd)
{
	const struct carom_index *ix = rd->ix;
	__u64 size = 0;

	if (ix->session.fd >= 0)
		return ix->session.open.file_size;
	if (carom_reader_sealed(rd))
		return ix->base->session.open.file_size;
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

	carom_reader_chain_begin(rd, offset);
	ret = rd->ix->ops->run(rd);
	*res = rd->chain;
	return reader_account(rd, ret, err);
}

int carom_reader_read_node(void *arg, __u64 offset)
{
	struct carom_reader *rd = arg;

	return carom_file_read(&rd->ix->file, rd->node, rd->ix->walker->node_size,
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

struct carom_chain carom_reader_chain_of(struct carom_reader *rd)
{
	return (struct carom_chain) {
		.walker = rd->ix->walker,
		.node = rd->node,
		.scratch = rd->mem.scratch,
		.scratch_size = rd->mem.scratch_size,
		.max_hops = rd->ix->max_hops,
		.within = reader_within,
		.ctx = rd,
	};
}

int carom_reader_chain(struct carom_reader *rd, int (*read)(void *rd, __u64 offset))
{
	struct carom_chain chain = carom_reader_chain_of(rd);

	chain.read = read;
	rd->mem.node = rd->node;
	return carom_chain_run(&chain, &rd->chain);
}
