// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "extents.h"

/* How many are asked for at a time. */
#define ROOM	4096

static int next_extents(int fd, __u64 from, struct fiemap *map)
{
	*map = (struct fiemap) {
		.fm_start = from,
		.fm_length = FIEMAP_MAX_OFFSET - from,
		.fm_flags = FIEMAP_FLAG_SYNC,
		.fm_extent_count = ROOM,
	};
	return ioctl(fd, FS_IOC_FIEMAP, map) ? -errno : 0;
}

int extents_each(int fd, int (*each)(void *ctx, const struct fiemap_extent *ext), void *ctx)
{
	struct fiemap *map = malloc(sizeof(*map) + ROOM * sizeof(map->fm_extents[0]));
	const struct fiemap_extent *ext;
	__u64 from = 0;
	__u32 i;
	int ret;

	if (!map)
		return -ENOMEM;
	do {
		ret = next_extents(fd, from, map);
		for (i = 0; !ret && i < map->fm_mapped_extents; i++) {
			ext = &map->fm_extents[i];
			from = ext->fe_logical + ext->fe_length;
			ret = each(ctx, ext);
		}
	} while (!ret && map->fm_mapped_extents == ROOM);
	free(map);
	return ret;
}
