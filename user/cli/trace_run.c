// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups that are watched: the index's backend with another way to run chains.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib.h"
#include "trace.h"

static struct trace *watched;
static const struct carom_backend_ops *backend;
static struct carom_backend_ops watching;

uint64_t trace_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct trace_hop *trace_add(struct trace *t)
{
	struct trace_hop *hops = realloc(t->hops, (t->nr + 1) * sizeof(*hops));

	if (!hops)
		return NULL;
	t->hops = hops;
	hops += t->nr++;
	memset(hops, 0, sizeof(*hops));
	hops->chain = t->chains;
	hops->page.entry = -1;
	return hops;
}

/* As carom_chain_run() with reads by pread(), but with times. */
static int run_reads(struct carom_reader *rd)
{
	struct carom_chain chain = carom_reader_chain_of(rd);
	struct carom_lookup *res = &rd->chain;
	struct trace_hop *hop;
	uint64_t sent, came;
	bool more;
	int ret;

	rd->mem.node = rd->node;
	res->code = 0;
	while (carom_chain_next(&chain, res)) {
		sent = trace_now();
		ret = carom_reader_read_node(rd, res->at);
		came = trace_now();
		if (ret)
			return carom_chain_read_failed(res, ret);
		hop = trace_add(watched);
		if (!hop)
			return -ENOMEM;
		hop->offset = res->at;
		hop->read_ns = came - sent;
		more = carom_chain_step(&chain, res);
		hop->walk_ns = trace_now() - came;
		hop->next = more ? (int64_t)res->at : CAROM_STEP_DONE;
		if (!more)
			break;
	}
	return carom_end_errno(res->end);
}

/* What the kernel gives up is carried on as ever; of that there is the result alone. */
static int run_kernel(struct carom_reader *rd)
{
	int ret = backend->run(rd);

	trace_kernel_take(watched);
	return ret;
}

static int run_watched(struct carom_reader *rd)
{
	uint64_t begun = trace_now();
	int ret;

	ret = backend->id == CAROM_BACKEND_KERNEL ? run_kernel(rd) : run_reads(rd);
	watched->ns += trace_now() - begun;
	watched->end = rd->chain.end;
	watched->chains++;
	return ret;
}

int trace_begin(struct carom_index *ix, struct trace *t)
{
	if (ix->ops->id == CAROM_BACKEND_KERNEL && trace_kernel_open(ix->session.fd, t))
		return -1;
	backend = ix->ops;
	watching = *ix->ops;
	watching.run = run_watched;
	ix->ops = &watching;
	watched = t;
	return 0;
}

void trace_end(struct trace *t)
{
	if (watched && backend->id == CAROM_BACKEND_KERNEL)
		trace_kernel_close();
	watched = NULL;
	free(t->hops);
	t->hops = NULL;
}

void trace_pages(struct carom_reader *rd, struct trace *t)
{
	uint32_t size = rd->ix->walker->node_size;
	bool lmdb = !strcmp(rd->ix->format->name, "lmdb");
	uint8_t *node = malloc(size);
	size_t i;

	for (i = 0; node && i < t->nr; i++) {
		struct trace_hop *hop = &t->hops[i];

		if (carom_reader_pread(rd, node, size, hop->offset))
			hop->page.kind = "unreadable";
		else if (lmdb)
			trace_lmdb_page(node, hop->offset, hop->next, &hop->page);
		else
			trace_sqlite_page(node, size, hop->offset, hop->next, &hop->page);
	}
	free(node);
}
