// SPDX-License-Identifier: GPL-2.0
/*
 * Cold caches, without privilege: a process may drop what a file of its own has in the page cache.
 *
 * LMDB's two meta pages are left there. Every lookup reads them first, so a program that does
 * lookups has them in its cache whatever else it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

#define META_BYTES	8192

int bench_cold_open(struct bench_run *run)
{
	struct stat st;

	run->fd = open(run->opts->path, O_RDONLY | O_CLOEXEC);
	if (run->fd >= 0 && !fstat(run->fd, &st))
		run->map_len = (size_t)st.st_size;
	if (run->map_len > META_BYTES)
		return 0;
	snprintf(run->reason, sizeof(run->reason), "the file cannot be opened, or is empty");
	return -EINVAL;
}

void bench_cold_close(struct bench_run *run)
{
	if (run->fd >= 0)
		close(run->fd);
	run->fd = -1;
}

int bench_cold_drop(struct bench_run *run)
{
	/* What somebody has mapped stays in the page cache. */
	if (run->map && madvise((char *)run->map + META_BYTES, run->map_len - META_BYTES,
				MADV_DONTNEED))
		return -errno;
	return -posix_fadvise(run->fd, META_BYTES, 0, POSIX_FADV_DONTNEED);
}

/* Pages of the file, but its first, that are in the page cache. Negative: not known. */
static long count_cached(const struct bench_run *run)
{
	size_t len = run->map_len - META_BYTES, pages = (len + 4095) / 4096, i;
	unsigned char *in = malloc(pages);
	long cached = -1;
	void *map;

	map = mmap(NULL, len, PROT_READ, MAP_SHARED, run->fd, META_BYTES);
	if (in && map != MAP_FAILED && !mincore(map, len, in)) {
		cached = 0;
		for (i = 0; i < pages; i++)
			cached += in[i] & 1;
	}
	if (map != MAP_FAILED)
		munmap(map, len);
	free(in);
	return cached;
}

int bench_cold_try(struct bench_run *run)
{
	int ret = bench_cold_drop(run);
	long cached = ret ? 0 : count_cached(run);

	if (ret)
		snprintf(run->reason, sizeof(run->reason), "the page cache cannot be dropped: %s",
			 strerror(-ret));
	else if (cached < 0)
		snprintf(run->reason, sizeof(run->reason),
			 "what is in the page cache cannot be seen: %s", strerror(errno));
	else if (cached)
		snprintf(run->reason, sizeof(run->reason),
			 "%ld pages stay in the page cache: does another program map the file, or is it on a tmpfs?",
			 cached);
	return run->reason[0] ? -EBUSY : 0;
}
