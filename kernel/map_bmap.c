// SPDX-License-Identifier: GPL-2.0
/* The map of a file's blocks, asked for block by block. */
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>

#include "carom.h"

static int carom_map_blocks(struct carom_map *map, struct inode *inode, u64 part_start)
{
	unsigned int shift = inode->i_blkbits - SECTOR_SHIFT;
	u64 blocks = DIV_ROUND_UP_ULL(i_size_read(inode), i_blocksize(inode));
	sector_t phys;
	u64 i;
	int err;

	for (i = 0; i < blocks; i++) {
		phys = i;
		err = bmap(inode, &phys);
		if (err)
			return err;
		if (phys) {
			err = carom_map_add(map, i << shift,
					    ((u64)phys << shift) + part_start, 1ULL << shift);
			if (err)
				return err;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* XFS does not keep i_blocks. */
static bool carom_has_blocks(struct file *file)
{
	struct kstat st;

	return !vfs_getattr(&file->f_path, &st, STATX_BLOCKS, AT_STATX_SYNC_AS_STAT) && st.blocks;
}

/**
 * carom_map_build() - ask the filesystem where a file's blocks are
 * @map: empty; on failure it has to be freed as well
 * @file: regular, sealed, its pages written back
 * @part_start: what is added to what the filesystem says, in sectors
 *
 * Holes and unwritten extents, whose old content must not be seen, are not in
 * the map: bmap() answers 0 for them.
 *
 * Context: task, sleeps, takes the inode lock.
 * Return: 0; -ENOMEM; -EINTR if the caller is being killed; -EOPNOTSUPP if the
 * file shares blocks with others; what the filesystem fails with.
 */
int carom_map_build(struct carom_map *map, struct file *file, u64 part_start)
{
	struct inode *inode = file_inode(file);
	int err;

	err = carom_map_blocks(map, inode, part_start);
	if (err)
		return err;
	/* XFS keeps quiet about inodes that share blocks, or did once. */
	if (!map->nr && carom_fs_is(inode, "xfs") && carom_has_blocks(file))
		return -EOPNOTSUPP;
	return carom_map_finish(map);
}
