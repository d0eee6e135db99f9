/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that is full of a secret, files that must not show it, and what may
 * be read of them according to FIEMAP, which the engine does not use.
 */
#ifndef CAROM_SECRET_H
#define CAROM_SECRET_H

#include "../vm/vm.h"

#define SECRET_DIR	VM_FILE("secret")
#define BLOCK		4096U
#define SECTOR		512U

/* ---- secret_mark.c: patterns that are told from everything else ---- */

enum mark {
	MARK_SECRET,		/* what was on the device before */
	MARK_OTHER,		/* what others have in memory: slots, earlier sessions */
	NR_MARKS,
};

/* Fill with the pattern, which is in step with multiples of 16 of @offset. */
void mark_fill(void *buf, size_t len, enum mark mark);
/* Are there eight bytes in a row of the pattern, from wherever in it? */
bool mark_found(const void *buf, size_t len, enum mark mark);
/* Write it over the whole device. 0 or a negative errno. */
int mark_device(const char *path, enum mark mark);

/* ---- secret_files.c ---- */

/**
 * struct secret_file - a file and where its sectors are
 * @path: in SECRET_DIR
 * @fd: open for reading
 * @size: bytes
 * @data: what reading the file gives, zeros to the next sector behind the end
 * @where: sector on the device, plus one; 0 for holes and unwritten extents
 * @nr: sectors in both
 * @unwritten: how many of them are in unwritten extents
 * @stale: of these, how many have the secret on the device
 */
struct secret_file {
	char path[64];
	int fd;
	__u64 size;
	unsigned char *data;
	__u64 *where;
	unsigned int nr;
	unsigned int unwritten;
	unsigned int stale;
};

#define SECRET_FILES	10

/* Make all files. */
void secret_make(struct secret_file files[SECRET_FILES]);
void secret_close(struct secret_file files[SECRET_FILES]);

/* How a read of @len bytes at @offset must end; CAROM_END_DONE if it may be done. */
enum carom_end secret_expect(const struct secret_file *f, __s64 offset, unsigned int len);

#endif /* CAROM_SECRET_H */
