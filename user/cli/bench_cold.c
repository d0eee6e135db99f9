// SPDX-License-Identifier: GPL-2.0
/*
 * Cold caches, without privilege: a process may drop what a file of its own has in the page cache.
 *
 * LMDB's two meta pages are read into it again. Every lookup reads them first, so a program that
 * does lookups has them in its cache whatever else it has.
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
#define PAGE_BYTES	4096
/* Reads that somebody has begun ahead of time are waited for that long. */
#define TRIES		1000
#define TRY_US		1000

/**
 * struct bench_cold - what it takes
 * @fd: the file
 * @map: all of it, never touched, so that it keeps nothing in the page cache
 * @in: which of its pages are in the page cache
 */
struct bench_cold {
	int fd;
	void *map;
	size_t len;
	unsigned char *in;
};

void bench_cold_close(struct bench_run *run)
{
	struct bench_cold *cold = run->cold;

	if (!cold)
		return;
	if (cold->map != MAP_FAILED)
		munmap(cold->map, cold->len);
	if (cold->fd >= 0)
		close(cold->fd);
	free(cold->in);
	free(cold);
	run->cold = NULL;
}

static int cold_open(struct bench_cold *cold, const char *path)
{
	struct stat st;

	cold->map = MAP_FAILED;
	cold->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (cold->fd < 0 || fstat(cold->fd, &st))
		return -errno;
	cold->len = (size_t)st.st_size;
	cold->in = malloc(cold->len / PAGE_BYTES + 1);
	cold->map = mmap(NULL, cold->len, PROT_READ, MAP_SHARED, cold->fd, 0);
	if (!cold->in || cold->map == MAP_FAILED)
		return -ENOMEM;
	/* Of the meta pages, no more is to be read than they are. */
	return -posix_fadvise(cold->fd, 0, 0, POSIX_FADV_RANDOM);
}

int bench_cold_open(struct bench_run *run)
{
	int ret;

	run->cold = calloc(1, sizeof(*run->cold));
	if (!run->cold)
		return -ENOMEM;
	ret = cold_open(run->cold, run->opts->path);
	if (!ret)
		return 0;
	snprintf(run->reason, sizeof(run->reason), "opening it to drop it from the page cache: %s",
		 strerror(-ret));
	bench_cold_close(run);
	return ret;
}

/* Pages that are in the page cache, or a negative errno. */
static long count_cached(const struct bench_cold *cold)
{
	size_t i, pages = (cold->len + PAGE_BYTES - 1) / PAGE_BYTES;
	long cached = 0;

	if (mincore(cold->map, cold->len, cold->in))
		return -errno;
	for (i = 0; i < pages; i++)
		cached += cold->in[i] & 1;
	return cached;
}

/* What is left, or a negative errno. */
static long drop(const struct bench_run *run)
{
	int ret;

	/* What somebody has mapped stays in the page cache. */
	if (run->map && madvise(run->map, run->map_len, MADV_DONTNEED))
		return -errno;
	ret = posix_fadvise(run->cold->fd, 0, 0, POSIX_FADV_DONTNEED);
	return ret ? -ret : count_cached(run->cold);
}

int bench_cold_drop(struct bench_run *run)
{
	char meta[META_BYTES];
	long left = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		left = drop(run);
		if (left <= 0)
			break;
		usleep(TRY_US);
	}
	if (left)
		return left < 0 ? (int)left : -EBUSY;
	return pread(run->cold->fd, meta, sizeof(meta), 0) == sizeof(meta) ? 0 : -EIO;
}

int bench_cold_try(struct bench_run *run)
{
	int ret = bench_cold_drop(run);

	if (ret == -EBUSY)
		snprintf(run->reason, sizeof(run->reason),
			 "it stays in the page cache: has another program mapped it, or has written to it just now, does it belong to somebody else, or is it on a tmpfs?");
	else if (ret)
		snprintf(run->reason, sizeof(run->reason), "the page cache cannot be dropped: %s",
			 strerror(-ret));
	return ret;
}
