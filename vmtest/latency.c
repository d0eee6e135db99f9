// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into QEMU by vmtest/qemu: no read of the namespace's image, VMTEST_IMAGE, takes less
 * than the file VMTEST_LATENCY says in microseconds. The guest may change that at any time. The
 * threads that read for QEMU wait side by side, so that the device takes as many commands at once
 * as it did.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t (*pread_t)(int fd, void *buf, size_t len, off_t offset);
typedef ssize_t (*preadv_t)(int fd, const struct iovec *iov, int n, off_t offset);

static pread_t real_pread;
static preadv_t real_preadv;
static int latency_fd;
static struct stat image;

ssize_t pread64(int fd, void *buf, size_t len, off_t offset);
ssize_t preadv64(int fd, const struct iovec *iov, int n, off_t offset);

static __attribute__((constructor)) void init(void)
{
	const char *latency = getenv("VMTEST_LATENCY"), *path = getenv("VMTEST_IMAGE");

	real_pread = (pread_t)dlsym(RTLD_NEXT, "pread64");
	real_preadv = (preadv_t)dlsym(RTLD_NEXT, "preadv64");
	latency_fd = latency ? open(latency, O_RDONLY | O_CLOEXEC) : -1;
	if (!path || stat(path, &image))
		image.st_ino = 0;
}

static bool is_image(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == image.st_dev && st.st_ino == image.st_ino;
}

static void wait_if_image(int fd)
{
	struct timespec ts = { 0 };
	char text[16] = "";
	long us;

	if (!is_image(fd) || real_pread(latency_fd, text, sizeof(text) - 1, 0) <= 0)
		return;
	us = atol(text);
	/* Sleeping for no time takes some. */
	if (us <= 0)
		return;
	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	nanosleep(&ts, NULL);
}

ssize_t pread64(int fd, void *buf, size_t len, off_t offset)
{
	wait_if_image(fd);
	return real_pread(fd, buf, len, offset);
}

ssize_t preadv64(int fd, const struct iovec *iov, int n, off_t offset)
{
	wait_if_image(fd);
	return real_preadv(fd, iov, n, offset);
}
