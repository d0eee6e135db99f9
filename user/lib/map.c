// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A file's extents: the sealed map where the kernel gives one, else what the
 * filesystem reports, and why it could not be sealed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "lib.h"

#define BATCH		256
#define SECTOR_BYTES	512

/* Extents whose place on the device is unknown, or whose blocks hold other bytes. */
#define FIEMAP_SKIP	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
			 FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_INLINE | \
			 FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_UNWRITTEN)

struct carom_map {
	struct carom_session session;
	struct carom_map_extent *extents;
	size_t count;
	size_t room;
	unsigned int lba_bytes;
	bool sealed;
	char refusal[CAROM_REASON_LEN];
};

static struct carom_map_extent *map_add(struct carom_map *map)
{
	struct carom_map_extent *bigger;
	size_t room = map->room ? map->room * 2 : BATCH;

	if (map->count < map->room)
		return &map->extents[map->count++];
	bigger = realloc(map->extents, room * sizeof(*bigger));
	if (!bigger)
		return NULL;
	map->extents = bigger;
	map->room = room;
	return &map->extents[map->count++];
}

/* ---- the kernel's map ---- */

static int map_read_sealed(struct carom_map *map)
{
	struct carom_extent batch[BATCH];
	struct carom_extents req = { .size = sizeof(req) };
	struct carom_map_extent *ext;
	__u32 i;

	req.extents = (__u64)(uintptr_t)batch;
	for (;;) {
		req.count = BATCH;
		if (ioctl(map->session.fd, CAROM_IOC_EXTENTS, &req))
			return -errno;
		if (!req.count)
			return 0;
		for (i = 0; i < req.count && i < BATCH; i++) {
			ext = map_add(map);
			if (!ext)
				return -ENOMEM;
			ext->offset_bytes = batch[i].offset;
			ext->length_bytes = batch[i].length;
			ext->lba = batch[i].lba;
		}
		req.first += req.count;
	}
}

static int map_try_sealed(struct carom_map *map, int fd, const char *path,
			  struct carom_error *err)
{
	int ret;

	map->session.open.flags = CAROM_OPEN_MAP_ONLY;
	map->session.open.fd = fd;
	if (carom_session_open(&map->session, map->refusal))
		return 0;
	map->sealed = true;
	map->lba_bytes = 1U << map->session.open.lba_shift;
	ret = map_read_sealed(map);
	if (!ret)
		return 0;
	return carom_error_set(err, CAROM_FAULT_IO, ret, "%s: reading the sealed map: %s", path,
			       strerror(-ret));
}

/* ---- the filesystem's map ---- */

/* A number from a file of /sys/dev/block/MAJOR:MINOR; false if there is none. */
static bool sysfs_number(dev_t dev, const char *name, uint64_t *value)
{
	char path[96];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev), name);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fscanf(file, "%" SCNu64, value);
	fclose(file);
	return n == 1;
}

/* LBA size of the device, and where on the whole device a partition starts. */
static int map_geometry(struct carom_map *map, int fd, uint64_t *start_bytes)
{
	uint64_t value = SECTOR_BYTES;
	struct stat st;

	*start_bytes = 0;
	if (fstat(fd, &st))
		return -errno;
	if (sysfs_number(st.st_dev, "start", &value))
		*start_bytes = value * SECTOR_BYTES;
	/* A partition's queue is its parent's. */
	if (!sysfs_number(st.st_dev, "queue/logical_block_size", &value) &&
	    !sysfs_number(st.st_dev, "../queue/logical_block_size", &value))
		value = SECTOR_BYTES;
	map->lba_bytes = value >= SECTOR_BYTES && value <= UINT32_MAX ?
			 (unsigned int)value : SECTOR_BYTES;
	return 0;
}

static int map_add_fiemap(struct carom_map *map, const struct fiemap *fm, uint64_t start)
{
	const struct fiemap_extent *fe;
	struct carom_map_extent *ext;
	uint32_t i;

	for (i = 0; i < fm->fm_mapped_extents; i++) {
		fe = &fm->fm_extents[i];
		if (fe->fe_flags & FIEMAP_SKIP)
			continue;
		ext = map_add(map);
		if (!ext)
			return -ENOMEM;
		ext->offset_bytes = fe->fe_logical;
		ext->length_bytes = fe->fe_length;
		ext->lba = (start + fe->fe_physical) / map->lba_bytes;
	}
	return 0;
}

static int map_fiemap_all(struct carom_map *map, int fd, struct fiemap *fm, uint64_t start)
{
	const struct fiemap_extent *last;
	uint64_t next = 0;
	int ret;

	for (;;) {
		memset(fm, 0, sizeof(*fm));
		fm->fm_start = next;
		fm->fm_length = FIEMAP_MAX_OFFSET - next;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, fm))
			return -errno;
		if (!fm->fm_mapped_extents)
			return 0;
		ret = map_add_fiemap(map, fm, start);
		last = &fm->fm_extents[fm->fm_mapped_extents - 1];
		if (ret || last->fe_flags & FIEMAP_EXTENT_LAST)
			return ret;
		next = last->fe_logical + last->fe_length;
	}
}

static int map_read_fiemap(struct carom_map *map, int fd, const char *path,
			   struct carom_error *err)
{
	struct fiemap *fm;
	uint64_t start;
	int ret;

	ret = map_geometry(map, fd, &start);
	fm = ret ? NULL : malloc(sizeof(*fm) + BATCH * sizeof(fm->fm_extents[0]));
	if (!ret)
		ret = fm ? map_fiemap_all(map, fd, fm, start) : -ENOMEM;
	free(fm);
	if (ret == -EOPNOTSUPP || ret == -ENOTTY)
		return carom_error_set(err, CAROM_FAULT_IO, ret,
			"%s: its filesystem does not say where the file's blocks are (no FIEMAP, "
			"as on tmpfs)", path);
	if (ret)
		return carom_error_set(err, CAROM_FAULT_IO, ret, "%s: asking for its extents: %s",
				       path, strerror(-ret));
	return 0;
}

static int map_fill(struct carom_map *map, int fd, const char *path, struct carom_error *err)
{
	struct stat st;
	int ret;

	if (!fstat(fd, &st) && !S_ISREG(st.st_mode))
		return carom_error_set(err, CAROM_FAULT_IO, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
				       "%s: not a regular file", path);
	ret = map_try_sealed(map, fd, path, err);
	if (ret || map->sealed)
		return ret;
	return map_read_fiemap(map, fd, path, err);
}

int carom_map__open(const char *path, struct carom_map **out, struct carom_error *err)
{
	struct carom_map *map;
	int fd, ret;

	if (err)
		memset(err, 0, sizeof(*err));
	if (!path || !out)
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "path or out is NULL");
	*out = NULL;
	map = calloc(1, sizeof(*map));
	if (!map)
		return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
	map->session.fd = -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		ret = carom_error_set(err, CAROM_FAULT_IO, -errno, "%s: cannot be opened: %s",
				      path, strerror(errno));
	} else {
		ret = map_fill(map, fd, path, err);
		close(fd);
	}
	if (ret)
		carom_map__close(map);
	else
		*out = map;
	return ret;
}

void carom_map__close(struct carom_map *map)
{
	if (!map)
		return;
	carom_session_close(&map->session);
	free(map->extents);
	free(map);
}

const struct carom_map_extent *carom_map__extents(const struct carom_map *map, size_t *count)
{
	*count = map->count;
	return map->extents;
}

unsigned int carom_map__lba_bytes(const struct carom_map *map)
{
	return map->lba_bytes;
}

const char *carom_map__refusal(const struct carom_map *map)
{
	return map->sealed ? NULL : map->refusal;
}
