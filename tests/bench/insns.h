/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting the guest's instructions with vmtest/insns.c, from inside the guest.
 *
 * The markers are instructions that do nothing. Where the plugin is not loaded, and on real
 * hardware, they cost one nop each and carom_insns_read() says that there is nothing to read.
 */
#ifndef CAROM_TESTS_INSNS_H
#define CAROM_TESTS_INSNS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* nopl 0xca0bb001(%rax): must be these very bytes, hence no mnemonic. */
static inline void carom_insns_begin(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x01, 0xb0, 0x0b, 0xca" ::: "memory");
}

static inline void carom_insns_end(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x02, 0xb0, 0x0b, 0xca" ::: "memory");
}

/* Between the two, nothing is counted: for a wait within a measurement. */
static inline void carom_insns_hold(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x03, 0xb0, 0x0b, 0xca" ::: "memory");
}

static inline void carom_insns_go_on(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x04, 0xb0, 0x0b, 0xca" ::: "memory");
}

/**
 * carom_insns_read() - read the latest count
 * @count: number of instructions that all CPUs of the guest executed between the last
 *         carom_insns_begin() and the carom_insns_end() that followed it, less what was held and
 *         what was spent on polling in vain
 *
 * The file is the host's, seen through 9p. Must not be called between the two markers.
 *
 * Return: 0, -ENOENT if instructions are not counted (CAROM_INSNS is not set), -ENODATA if nothing
 * was counted yet, or another negative errno if the file cannot be read.
 */
static inline int carom_insns_read(uint64_t *count)
{
	const char *path = getenv("CAROM_INSNS");
	char tail[128], *line, *end;
	ssize_t len;
	off_t size;
	int fd, err;

	if (!path || !*path)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = lseek(fd, 0, SEEK_END);
	if (size > (off_t)sizeof(tail) - 1)
		size -= sizeof(tail) - 1;
	else
		size = 0;
	len = pread(fd, tail, sizeof(tail) - 1, size);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	if (len < 2 || tail[len - 1] != '\n')
		return -ENODATA;
	tail[len - 1] = '\0';
	line = strrchr(tail, '\n');
	line = line ? line + 1 : tail;
	errno = 0;
	*count = strtoull(line, &end, 10);
	if (errno || end == line || *end != ' ')
		return -EIO;
	line = end + 1;
	*count -= strtoull(line, &end, 10);
	return errno || *end || end == line ? -EIO : 0;
}

/**
 * carom_insns_quartile() - count single lookups
 * @lookup: does lookup @i
 * @ctx: for @lookup
 * @n: number of lookups, more than 0
 * @insns: lower quartile of their counts
 *
 * A timer tick, every 4 ms of the host's clock, takes as many instructions as a lookup; in a mean
 * it would make lookups on a slow host dear.
 *
 * Return: 0, -ENOMEM, or what carom_insns_read() returns.
 */
int carom_insns_quartile(void (*lookup)(void *ctx, unsigned int i), void *ctx, unsigned int n,
			 double *insns);

#endif
