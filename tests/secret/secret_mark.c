// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "secret.h"

#define MARK_LEN	16
/* Enough to be no coincidence, few enough to notice a single word. */
#define MARK_ENOUGH	8
#define CHUNK		(1U << 20)

/* No byte occurs twice in one, so each tells where in the pattern it stands. */
static const unsigned char marks[NR_MARKS][MARK_LEN] = {
	{ 0x9b, 0xe1, 0x84, 0xf7, 0xad, 0xc2, 0x96, 0xd8,
	  0xb3, 0xfe, 0x8a, 0xcd, 0xa6, 0xe9, 0x91, 0xdc },
	{ 0xc7, 0x83, 0xfa, 0x9e, 0xb5, 0xd1, 0xe8, 0xa2,
	  0x8d, 0xf4, 0xbb, 0x97, 0xde, 0xc0, 0xa9, 0xe3 },
};

void mark_fill(void *buf, size_t len, enum mark mark)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = marks[mark][i % MARK_LEN];
}

static int place_in(enum mark mark, unsigned char byte)
{
	const unsigned char *at = memchr(marks[mark], byte, MARK_LEN);

	return at ? (int)(at - marks[mark]) : -1;
}

static bool goes_on(const unsigned char *p, enum mark mark, int place)
{
	int i;

	for (i = 1; i < MARK_ENOUGH; i++) {
		if (p[i] != marks[mark][(place + i) % MARK_LEN])
			return false;
	}
	return true;
}

/* Of eight bytes in a row one is at a multiple of eight bytes: look there, then back. */
bool mark_found(const void *buf, size_t len, enum mark mark)
{
	const unsigned char *p = buf;
	size_t i, j;
	int place;

	for (i = MARK_ENOUGH - 1; i < len; i += MARK_ENOUGH) {
		/* All of its bytes have the highest bit. */
		if (!(p[i] & 0x80) || place_in(mark, p[i]) < 0)
			continue;
		for (j = i - (MARK_ENOUGH - 1); j <= i && j + MARK_ENOUGH <= len; j++) {
			place = place_in(mark, p[j]);
			if (place >= 0 && goes_on(p + j, mark, place))
				return true;
		}
	}
	return false;
}

static int write_all(int fd, const void *buf)
{
	off_t end = lseek(fd, 0, SEEK_END), at;
	size_t len;

	for (at = 0; at < end; at += (off_t)len) {
		len = end - at < (off_t)CHUNK ? (size_t)(end - at) : CHUNK;
		if (pwrite(fd, buf, len, at) != (ssize_t)len)
			return errno ? -errno : -EIO;
	}
	return at ? 0 : -ENODEV;
}

int mark_device(const char *path, enum mark mark)
{
	void *buf = NULL;
	int fd, err;

	if (posix_memalign(&buf, BLOCK, CHUNK))
		return -ENOMEM;
	mark_fill(buf, CHUNK, mark);
	/* Not if it is mounted. */
	fd = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
	err = fd < 0 ? -errno : write_all(fd, buf);
	if (fd >= 0)
		close(fd);
	free(buf);
	return err;
}
