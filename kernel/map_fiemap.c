// SPDX-License-Identifier: GPL-2.0
/* The map of a file's blocks, as its filesystem iterates over the extents. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/sched/signal.h>

#include "carom.h"

/*
 * What is not, or not yet, plain data at that place: a hole to us. Delayed
 * allocation comes as unknown, encryption as encoded, inline data as not aligned.
 */
#define CAROM_MAP_HOLE \
	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED | \
	 FIEMAP_EXTENT_UNWRITTEN)

/**
 * struct carom_map_request - building a map
 * @fieinfo: what the filesystem gets
 * @map: what comes of it
 * @part_start: first sector of the filesystem's device on its namespace
 * @end: of the file's last block, in bytes
 */
struct carom_map_request {
	struct fiemap_extent_info	fieinfo;
	struct carom_map		*map;
	u64				part_start;
	u64				end;
};

/* A filesystem may tell extents that begin or end outside of what was asked for. */
static int carom_map_extent(struct fiemap_extent_info *fieinfo, u64 logical, u64 phys,
			    u64 len, u32 flags)
{
	struct carom_map_request *req = container_of(fieinfo, struct carom_map_request, fieinfo);

	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	if (flags & FIEMAP_EXTENT_SHARED)
		return -EOPNOTSUPP;
	if ((flags & CAROM_MAP_HOLE) || logical >= req->end)
		return 0;
	len = min(len, req->end - logical);
	return carom_map_add(req->map, logical >> SECTOR_SHIFT,
			     (phys >> SECTOR_SHIFT) + req->part_start, len >> SECTOR_SHIFT);
}

/**
 * carom_map_build() - ask the filesystem where a file's blocks are
 * @map: empty; on failure it has to be freed as well
 * @file: regular, sealed, its pages written back
 * @part_start: what is added to what the filesystem says, in sectors
 *
 * Holes and unwritten extents, whose old content must not be seen, are not in
 * the map.
 *
 * Context: task, sleeps, takes the inode lock.
 * Return: 0; -ENOMEM; -EINTR if the caller is being killed; -EOPNOTSUPP if the
 * file shares blocks with others; what the filesystem fails with.
 */
int carom_map_build(struct carom_map *map, struct file *file, u64 part_start)
{
	struct inode *inode = file_inode(file);
	struct carom_map_request req = {
		.fieinfo.fi_extents_max = UINT_MAX,
		.fieinfo.fi_fill = carom_map_extent,
		.map = map,
		.part_start = part_start,
		.end = round_up((u64)i_size_read(inode), i_blocksize(inode)),
	};
	int err;

	if (!inode->i_op->fiemap)
		return -EINVAL;
	/* Of nothing there is no fiemap. */
	if (!req.end)
		return 0;
	err = inode->i_op->fiemap(inode, &req.fieinfo, 0, req.end);
	return err ?: carom_map_finish(map);
}
