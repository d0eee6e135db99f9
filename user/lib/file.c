// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The index file: opened with care for what people hand over by mistake, read
 * with or without O_DIRECT.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib.h"

#define BOUNCE_SIZE	(64 * 1024)

static int file_open_error(const char *path, int code, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, code, "%s: cannot be opened: %s", path,
			       strerror(-code));
}

static int file_refuse_dir(const char *path, struct carom_error *err)
{
	char inner[4096];
	size_t len = strlen(path);
	const char *sep = len && path[len - 1] == '/' ? "" : "/";
	int n = snprintf(inner, sizeof(inner), "%s%sdata.mdb", path, sep);

	if (n > 0 && (size_t)n < sizeof(inner) && !access(inner, F_OK))
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EISDIR,
			"%s: is a directory; its LMDB file is %s", path, inner);
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EISDIR,
		"%s: is a directory, not an index file", path);
}

static size_t file_dio_align(int fd)
{
	struct statx stx = { 0 };

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) ||
	    !(stx.stx_mask & STATX_DIOALIGN))
		return CAROM_DIO_ALIGN;
	/* Never below 4096: more than is needed costs nothing, and 4 KiB nodes meet it. */
	if (stx.stx_dio_offset_align > CAROM_DIO_ALIGN)
		return stx.stx_dio_offset_align;
	return CAROM_DIO_ALIGN;
}

/* By number: the path may name another file by now. Without /proc there is none. */
static int file_open_cached(const struct carom_file *file)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	return open(self, O_RDONLY | O_CLOEXEC);
}

/* Switch an open file to O_DIRECT. */
static int file_go_direct(struct carom_file *file, const char *path, struct carom_error *err)
{
	char probe[CAROM_DIO_ALIGN * 2] __attribute__((aligned(CAROM_DIO_ALIGN)));
	int code = 0;

	if (fcntl(file->fd, F_SETFL, O_DIRECT))
		code = -errno;
	file->dio_align = file_dio_align(file->fd);
	/* Some filesystems take the flag and fail the reads. */
	if (!code && file->dio_align == CAROM_DIO_ALIGN &&
	    pread(file->fd, probe, CAROM_DIO_ALIGN, 0) < 0)
		code = -errno;
	if (!code) {
		file->cached = file_open_cached(file);
		return 0;
	}
	if (code == -EINVAL || code == -EOPNOTSUPP)
		return carom_error_set(err, CAROM_FAULT_BACKEND, -EOPNOTSUPP,
			"%s: its filesystem has no direct I/O; leave direct out", path);
	return carom_error_set(err, CAROM_FAULT_IO, code, "%s: direct I/O: %s", path,
			       strerror(-code));
}

static int file_prepare(struct carom_file *file, const char *path, bool direct,
			struct carom_error *err)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return file_open_error(path, -errno, err);
	if (S_ISDIR(st.st_mode))
		return file_refuse_dir(path, err);
	if (!S_ISREG(st.st_mode))
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EINVAL,
			"%s: not a regular file", path);
	if (!st.st_size)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "%s: is empty", path);
	if (direct)
		return file_go_direct(file, path, err);
	/* Drop O_NONBLOCK: io_uring takes it as a wish for EAGAIN. */
	if (fcntl(file->fd, F_SETFL, 0))
		return file_open_error(path, -errno, err);
	return 0;
}

int carom_file_open(struct carom_file *file, const char *path, bool direct,
		    struct carom_error *err)
{
	int ret;

	file->dio_align = 0;
	file->cached = -1;
	/* O_NONBLOCK: do not hang on a FIFO. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		return file_open_error(path, -errno, err);
	ret = file_prepare(file, path, direct, err);
	if (ret)
		carom_file_close(file);
	return ret;
}

void carom_file_close(struct carom_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->cached >= 0)
		close(file->cached);
	file->fd = -1;
	file->cached = -1;
}

int carom_file_size(const struct carom_file *file, __u64 *size)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return -errno;
	*size = (__u64)st.st_size;
	return 0;
}

bool carom_file_aligned(const struct carom_file *file, const void *buf, size_t len,
			__u64 offset)
{
	size_t mask = file->dio_align - 1;

	if (!file->dio_align)
		return true;
	return !(((uintptr_t)buf | len | (size_t)offset) & mask);
}

/* pread() until @len bytes or the end of the file. */
static ssize_t file_pread(const struct carom_file *file, __u8 *buf, size_t len, __u64 offset)
{
	size_t done = 0;
	ssize_t n;

	if (offset > INT64_MAX - len)
		return 0;
	while (done < len) {
		n = pread(file->fd, buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
		/* An odd length is the end of the file, and no offset to go on from. */
		if (file->dio_align && done & (file->dio_align - 1))
			break;
	}
	return (ssize_t)done;
}

/* O_DIRECT into an aligned buffer, from there to where it was wanted. */
static ssize_t file_bounce(const struct carom_file *file, __u8 *buf, size_t len, __u64 offset)
{
	size_t room = BOUNCE_SIZE > file->dio_align ? BOUNCE_SIZE : file->dio_align;
	size_t done = 0, skip, part;
	void *bounce;
	ssize_t n = 0;

	if (posix_memalign(&bounce, file->dio_align, room))
		return -ENOMEM;
	while (done < len) {
		skip = (offset + done) & (file->dio_align - 1);
		n = file_pread(file, bounce, room, offset + done - skip);
		if (n < 0 || (size_t)n <= skip)
			break;
		part = (size_t)n - skip < len - done ? (size_t)n - skip : len - done;
		memcpy(buf + done, (__u8 *)bounce + skip, part);
		done += part;
		if ((size_t)n < room)
			break;
	}
	free(bounce);
	return n < 0 ? n : (ssize_t)done;
}

ssize_t carom_file_read_some(const struct carom_file *file, void *buf, size_t len,
			     __u64 offset)
{
	if (carom_file_aligned(file, buf, len, offset))
		return file_pread(file, buf, len, offset);
	return file_bounce(file, buf, len, offset);
}

int carom_file_peek(const struct carom_file *file, void *buf, size_t len, __u64 offset)
{
	const struct carom_file cached = { .fd = file->cached, .cached = -1 };

	return carom_file_read(file->cached < 0 ? file : &cached, buf, len, offset);
}

int carom_file_read(const struct carom_file *file, void *buf, size_t len, __u64 offset)
{
	ssize_t n = carom_file_read_some(file, buf, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n < len ? -ENODATA : 0;
}
