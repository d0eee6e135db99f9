// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "engine.h"

/* libbpf's own words would drown the test's. */
static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static int open_object(struct engine_walker *w, const char *path, char *log, unsigned int log_size)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		.kernel_log_buf = log,
		.kernel_log_size = log_size,
		.kernel_log_level = log ? 1 : 0,
	);

	libbpf_set_print(quiet);
	w->obj = bpf_object__open_file(path, &opts);
	return w->obj ? 0 : -errno;
}

int engine_load(struct engine_walker *w, const char *path, char *log, unsigned int log_size)
{
	struct bpf_map *map;
	int err;

	memset(w, 0, sizeof(*w));
	err = open_object(w, path, log, log_size);
	if (err)
		return err;
	err = bpf_object__load(w->obj);
	if (err)
		goto out;
	bpf_object__for_each_map(map, w->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		w->link = bpf_map__attach_struct_ops(map);
		if (!w->link)
			err = -errno;
		break;
	}
	if (!w->link && !err)
		err = -ENOENT;
	if (!err)
		return 0;
out:
	engine_unload(w);
	return err;
}

void engine_unload(struct engine_walker *w)
{
	bpf_link__destroy(w->link);
	bpf_object__close(w->obj);
	memset(w, 0, sizeof(*w));
}

int engine_ioctl_open(int file, struct carom_open *arg)
{
	int dev = open("/dev/carom", O_RDWR | O_CLOEXEC);
	int fd, err;

	if (dev < 0)
		return -errno;
	arg->size = sizeof(*arg);
	arg->fd = file;
	fd = ioctl(dev, CAROM_IOC_OPEN, arg);
	err = -errno;
	close(dev);
	return fd < 0 ? err : fd;
}

static int map_session(struct engine *e)
{
	size_t nodes = (size_t)e->open.nr_slots * e->open.node_stride;
	size_t scratch = (size_t)e->open.nr_slots * e->open.scratch_stride;

	e->nodes = mmap(NULL, nodes, PROT_READ, MAP_SHARED, e->fd, CAROM_MMAP_NODES);
	e->scratch = mmap(NULL, scratch, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd,
			  CAROM_MMAP_SCRATCH);
	return e->nodes == MAP_FAILED || e->scratch == MAP_FAILED ? -errno : 0;
}

int engine_open(struct engine *e, const char *path, const char *walker,
		const struct carom_open *arg)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (file < 0)
		return -errno;
	memset(e, 0, sizeof(*e));
	if (arg)
		e->open = *arg;
	e->open.node_size = e->open.node_size ?: 4096;
	e->open.scratch_size = e->open.scratch_size ?: 4096;
	e->open.nr_slots = e->open.nr_slots ?: 1;
	snprintf(e->open.walker, sizeof(e->open.walker), "%s", walker);
	e->fd = engine_ioctl_open(file, &e->open);
	close(file);
	if (e->fd < 0)
		return e->fd;
	err = map_session(e);
	if (err)
		engine_close(e);
	return err;
}

void engine_close(struct engine *e)
{
	if (e->nodes && e->nodes != MAP_FAILED)
		munmap((void *)e->nodes, (size_t)e->open.nr_slots * e->open.node_stride);
	if (e->scratch && e->scratch != MAP_FAILED)
		munmap(e->scratch, (size_t)e->open.nr_slots * e->open.scratch_stride);
	close(e->fd);
}

int engine_lookup(const struct engine *e, unsigned int slot, __u64 offset,
		  struct carom_lookup *res)
{
	memset(res, 0, sizeof(*res));
	res->slot = slot;
	res->offset = offset;
	return ioctl(e->fd, CAROM_IOC_LOOKUP, res) ? -errno : 0;
}

const void *engine_node(const struct engine *e, unsigned int slot)
{
	return e->nodes + (size_t)slot * e->open.node_stride;
}

void *engine_scratch(const struct engine *e, unsigned int slot)
{
	return e->scratch + (size_t)slot * e->open.scratch_stride;
}
