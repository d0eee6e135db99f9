// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bench.h"

static FILE *open_attribute(const struct disk *disk, const char *file)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", disk->dir, file);
	return fopen(path, "re");
}

int disk_number(const struct disk *disk, const char *file, __u64 *n)
{
	FILE *f = open_attribute(disk, file);
	int got;

	if (!f)
		return -errno;
	got = fscanf(f, "%llu", n);
	fclose(f);
	return got == 1 ? 0 : -EINVAL;
}

int disk_find(struct disk *disk, int fd)
{
	char link[64];
	__u64 sector;
	struct stat st;

	disk->start = 0;
	if (fstat(fd, &st))
		return -errno;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (!realpath(link, disk->dir))
		return -errno;
	if (disk_number(disk, "start", &sector))
		return 0;
	/* A partition's directory is in that of its disk. */
	*strrchr(disk->dir, '/') = '\0';
	disk->start = sector << 9;
	return 0;
}

const char *disk_name(const struct disk *disk)
{
	return strrchr(disk->dir, '/') + 1;
}

/* In the file, it is in brackets if there are several to choose from. */
int disk_scheduler(const struct disk *disk, char *name, size_t size)
{
	FILE *f = open_attribute(disk, "queue/scheduler");
	char line[128] = "", *start;

	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	start = strchr(line, '[');
	start = start ? start + 1 : line;
	start[strcspn(start, "]\n")] = '\0';
	snprintf(name, size, "%s", start);
	return 0;
}
