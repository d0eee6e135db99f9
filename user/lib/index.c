// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The index: which format, which backend, and why.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

#define HEAD_SIZE	8192
/* For values in the scratch of all slots together, unless the caller says how much. */
#define VALUE_MEMORY	(4U << 20)
#define SCRATCH_ALIGN	4096U

static const struct carom_format *const formats[] = {
	&carom_format_lmdb, &carom_format_sqlite,
};
#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

const char *carom_backend__name(enum carom_backend backend)
{
	switch (backend) {
	case CAROM_BACKEND_AUTO:
		return "auto";
	case CAROM_BACKEND_KERNEL:
		return "kernel";
	case CAROM_BACKEND_IO_URING:
		return "io_uring";
	case CAROM_BACKEND_PREAD:
		return "pread";
	}
	return "unknown";
}

static const struct carom_format *format_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

int carom_opts_copy(void *own, size_t own_sz, const void *opts, const char *what,
		    struct carom_error *err)
{
	const unsigned char *raw = opts;
	size_t sz, i;

	memset(own, 0, own_sz);
	if (!opts)
		return 0;
	memcpy(&sz, opts, sizeof(sz));
	if (sz < sizeof(sz))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: sz is %zu, not sizeof(struct %s)", sz, what);
	for (i = own_sz; i < sz; i++)
		if (raw[i])
			return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
				"options: this libcarom is too old for one that is set");
	memcpy(own, opts, sz < own_sz ? sz : own_sz);
	return 0;
}

/* What is 0 becomes its default. */
static void opts_default(struct carom_index_opts *opts)
{
	if (!opts->max_readers)
		opts->max_readers = CAROM_DEFAULT_READERS;
	if (!opts->max_in_flight)
		opts->max_in_flight = CAROM_DEFAULT_DEPTH;
	if (!opts->max_hops)
		opts->max_hops = CAROM_DEFAULT_HOPS;
}

static int opts_check(const struct carom_index_opts *opts, struct carom_error *err)
{
	if ((unsigned int)opts->backend > CAROM_BACKEND_PREAD)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: no backend %u", (unsigned int)opts->backend);
	if ((unsigned int)opts->wait > CAROM_WAIT_HYBRID)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: no way to wait %u", (unsigned int)opts->wait);
	if (opts->format && !format_by_name(opts->format))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"unknown format %s; there are: lmdb, sqlite", opts->format);
	if (opts->max_readers > CAROM_MAX_SLOTS ||
	    opts->max_in_flight > CAROM_MAX_SLOTS - opts->max_readers)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: max_readers is %u and max_in_flight %u, at most %u together",
			opts->max_readers, opts->max_in_flight, CAROM_MAX_SLOTS);
	if (opts->max_hops > CAROM_MAX_HOPS)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: max_hops is %u, at most %u", opts->max_hops, CAROM_MAX_HOPS);
	if (opts->deadline_ms > CAROM_MAX_DEADLINE_MS)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL,
			"options: deadline_ms is %u, at most %u", opts->deadline_ms,
			CAROM_MAX_DEADLINE_MS);
	return 0;
}

/* What slots of @ix have of scratch: the kernel gives whole pages, so they are used. */
static void index_set_scratch(struct carom_index *ix, size_t room)
{
	const struct carom_format *format = ix->format;
	size_t size;

	ix->scratch_size = ix->walker->scratch_size;
	if (!format->value_room)
		return;
	if (!room)
		room = format->value_room(ix->walker,
					  VALUE_MEMORY / (ix->max_readers + ix->max_in_flight));
	if (room > CAROM_MAX_SCRATCH_SIZE - format->value_area)
		room = CAROM_MAX_SCRATCH_SIZE - format->value_area;
	size = (format->value_area + room + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
	if (size > ix->scratch_size)
		ix->scratch_size = (__u32)size;
}

static int index_find_format(struct carom_index *ix, const char *name, struct carom_error *err)
{
	const struct carom_format *wanted = name ? format_by_name(name) : NULL;
	ssize_t len;
	void *head;
	size_t i;

	head = malloc(HEAD_SIZE);
	if (!head)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	len = carom_file_read_some(&ix->file, head, HEAD_SIZE, 0);
	for (i = 0; len >= 0 && i < NR_FORMATS && !ix->format; i++)
		if ((!wanted || wanted == formats[i]) && formats[i]->probe(head, (size_t)len))
			ix->format = formats[i];
	if (ix->format) {
		ix->walker = ix->format->walker ? ix->format->walker :
			     ix->format->pick(ix->path, head, (size_t)len, err);
		ix->state_size = ix->format->lookup_size;
		ix->forget = ix->format->forget;
	}
	free(head);
	if (len < 0)
		return carom_error_set(err, CAROM_FAULT_IO, (int)len, "%s: cannot be read: %s",
				       ix->path, strerror((int)-len));
	if (ix->format)
		return ix->walker ? 0 : err->code;
	if (wanted)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: not an %s file", ix->path, wanted->name);
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: not a file of a known format (lmdb, sqlite)", ix->path);
}

/* Open a backend and prove that a reader of it can be made; keep that reader. */
static int index_try_backend(struct carom_index *ix, const struct carom_backend_ops *ops,
			     struct carom_reader **rd, char *reason)
{
	int ret = ops->open(ix, reason);

	if (ret)
		return ret;
	ix->ops = ops;
	ret = carom_reader_new(ix, rd, reason);
	if (!ret)
		return 0;
	ix->ops = NULL;
	ops->close(ix);
	return ret;
}

static int index_use_backend(struct carom_index *ix, const struct carom_backend_ops *ops,
			     struct carom_reader **rd, struct carom_error *err)
{
	char reason[CAROM_REASON_LEN] = "";
	const char *name = carom_backend__name(ops->id);
	int ret = index_try_backend(ix, ops, rd, reason);

	if (ret == -ENOMEM)
		return carom_error_set(err, CAROM_FAULT_IO, ret, "%s: %s", ix->path, reason);
	if (ret)
		return carom_error_set(err, CAROM_FAULT_BACKEND, -EOPNOTSUPP,
			"%s: backend %s does not work here: %s", ix->path, name, reason);
	if (ops->id == CAROM_BACKEND_KERNEL)
		snprintf(ix->why, sizeof(ix->why), "kernel: file sealed, walker %s",
			 ix->walker->name);
	else
		snprintf(ix->why, sizeof(ix->why), "%s: asked for", name);
	return 0;
}

/* The first backend that works; why tells what stood against the better ones. */
static int index_auto_backend(struct carom_index *ix, struct carom_reader **rd,
			      struct carom_error *err)
{
	char kernel[CAROM_REASON_LEN] = "", uring[CAROM_REASON_LEN] = "";

	if (!index_try_backend(ix, &carom_backend_kernel, rd, kernel)) {
		snprintf(ix->why, sizeof(ix->why), "kernel: file sealed, walker %s",
			 ix->walker->name);
		return 0;
	}
	if (!index_try_backend(ix, &carom_backend_uring, rd, uring)) {
		snprintf(ix->why, sizeof(ix->why), "io_uring: %s; see carom doctor", kernel);
		return 0;
	}
	if (index_use_backend(ix, &carom_backend_pread, rd, err))
		return err ? err->code : -EIO;
	snprintf(ix->why, sizeof(ix->why), "pread: %s; %s; see carom doctor", kernel, uring);
	return 0;
}

static int index_choose_backend(struct carom_index *ix, enum carom_backend wanted,
				struct carom_reader **rd, struct carom_error *err)
{
	switch (wanted) {
	case CAROM_BACKEND_KERNEL:
		return index_use_backend(ix, &carom_backend_kernel, rd, err);
	case CAROM_BACKEND_IO_URING:
		return index_use_backend(ix, &carom_backend_uring, rd, err);
	case CAROM_BACKEND_PREAD:
		return index_use_backend(ix, &carom_backend_pread, rd, err);
	default:
		return index_auto_backend(ix, rd, err);
	}
}

static struct carom_index *index_alloc(const char *path, const struct carom_index_opts *opts)
{
	struct carom_index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return NULL;
	ix->file.fd = -1;
	ix->session.fd = -1;
	ix->max_readers = opts->max_readers;
	ix->max_in_flight = opts->max_in_flight;
	ix->max_hops = opts->max_hops;
	ix->deadline_ms = opts->deadline_ms;
	ix->wanted = opts->backend;
	ix->wait = opts->wait;
	pthread_mutex_init(&ix->lock, NULL);
	pthread_mutex_init(&ix->views_lock, NULL);
	ix->path = strdup(path);
	ix->slots = calloc(ix->max_readers + ix->max_in_flight, sizeof(*ix->slots));
	if (ix->path && ix->slots)
		return ix;
	carom_index__close(ix);
	return NULL;
}

static int index_open(struct carom_index *ix, const struct carom_index_opts *opts,
		      struct carom_error *err)
{
	struct carom_reader *rd = NULL;
	int ret;

	ret = carom_file_open(&ix->file, ix->path, opts->direct, err);
	if (ret)
		return ret;
	ret = index_find_format(ix, opts->format, err);
	if (ret)
		return ret;
	index_set_scratch(ix, opts->value_room);
	ret = index_choose_backend(ix, opts->backend, &rd, err);
	if (ret)
		return ret;
	ret = ix->format->open(rd, opts, err);
	carom_reader__free(rd);
	return ret;
}

int carom_index__open(const char *path, const struct carom_index_opts *opts,
		      struct carom_index **out, struct carom_error *err)
{
	struct carom_error spare;
	struct carom_index_opts own;
	struct carom_index *ix;
	int ret;

	if (!err)
		err = &spare;
	memset(err, 0, sizeof(*err));
	if (!path || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "path or out is NULL");
	*out = NULL;
	ret = carom_opts_copy(&own, sizeof(own), opts, "carom_index_opts", err);
	if (ret)
		return ret;
	opts_default(&own);
	ret = opts_check(&own, err);
	if (ret)
		return ret;
	ix = index_alloc(path, &own);
	if (!ix)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	ret = index_open(ix, &own, err);
	if (ret)
		carom_index__close(ix);
	else
		*out = ix;
	return ret;
}

void carom_index__close(struct carom_index *ix)
{
	struct carom_index *view;

	if (!ix)
		return;
	while (ix->views) {
		view = ix->views;
		ix->views = view->next_view;
		carom_index__close(view);
	}
	if (ix->format && ix->format_data && !ix->base)
		ix->format->close(ix->format_data);
	if (ix->ops)
		ix->ops->close(ix);
	if (!ix->base)
		carom_file_close(&ix->file);
	pthread_mutex_destroy(&ix->views_lock);
	pthread_mutex_destroy(&ix->lock);
	free(ix->slots);
	free(ix->path);
	free(ix);
}

/* ---- views ---- */

/* The base's backend, or if it was not asked for by name the first that works. */
static int view_open(struct carom_index *ix, struct carom_error *err)
{
	enum carom_backend wanted = ix->base->ops->id;
	struct carom_reader *rd = NULL;
	int ret;

	if (wanted == CAROM_BACKEND_KERNEL && ix->base->wanted == CAROM_BACKEND_AUTO)
		wanted = CAROM_BACKEND_AUTO;
	ret = index_choose_backend(ix, wanted, &rd, err);
	carom_reader__free(rd);
	if (!ret && ix->ops == ix->base->ops && ix->ops != &carom_backend_kernel)
		memcpy(ix->why, ix->base->why, sizeof(ix->why));
	return ret;
}

static struct carom_index *view_alloc(struct carom_index *base, const struct carom_view *view)
{
	const struct carom_index_opts opts = {
		.max_readers = view->max_readers, .max_in_flight = view->max_in_flight,
		.max_hops = view->max_hops, .deadline_ms = base->deadline_ms,
		.wait = base->wait,
	};
	struct carom_index *ix = index_alloc(base->path, &opts);

	if (!ix)
		return NULL;
	ix->base = base;
	ix->file = base->file;
	ix->format = view->format ? view->format : base->format;
	ix->format_data = base->format_data;
	ix->walker = view->walker;
	ix->scratch_size = view->walker == base->walker ? base->scratch_size :
			   view->walker->scratch_size;
	ix->state_size = view->state_size;
	ix->forget = view->forget;
	return ix;
}

/* With base->views_lock. */
static int view_new(struct carom_index *base, const struct carom_view *view,
		    struct carom_index **out, struct carom_error *err)
{
	struct carom_index *ix = view_alloc(base, view);
	int ret;

	if (!ix)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	ret = view_open(ix, err);
	if (ret) {
		carom_index__close(ix);
		return ret;
	}
	ix->next_view = base->views;
	base->views = ix;
	*out = ix;
	return 0;
}

int carom_index_view(struct carom_index *ix, const struct carom_view *view,
		     struct carom_index **out, struct carom_error *err)
{
	struct carom_index *v;
	int ret = 0;

	pthread_mutex_lock(&ix->views_lock);
	for (v = ix->views; v && v->walker != view->walker; v = v->next_view)
		;
	if (v)
		*out = v;
	else
		ret = view_new(ix, view, out, err);
	pthread_mutex_unlock(&ix->views_lock);
	return ret;
}

enum carom_backend carom_index__backend(const struct carom_index *ix)
{
	return ix->ops->id;
}

const char *carom_index__why(const struct carom_index *ix)
{
	return ix->why;
}

const char *carom_index__format(const struct carom_index *ix)
{
	return ix->format->name;
}
