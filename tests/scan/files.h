/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LMDB files to be scanned.
 */
#ifndef CAROM_TESTS_SCAN_FILES_H
#define CAROM_TESTS_SCAN_FILES_H

#include "../lookups/database.h"

/* Which keys there are. */
enum keys {
	KEYS_SHORT,	/* of few letters, many of which are prefixes of others */
	KEYS_ANY,	/* of 1 to 40 bytes */
	KEYS_LONG,	/* of 511 bytes that are alike but for the end: a deep tree */
};

/**
 * struct file_spec - what a file is to be like
 * @name: of a database in it, or NULL
 * @entries: how many are put
 * @keys: enum keys
 * @longest: bytes of a value, now and then
 * @fixed: bytes of all values, if not 0
 */
struct file_spec {
	const char *name;
	unsigned int entries;
	enum keys keys;
	size_t longest;
	size_t fixed;
};

/* Make a new file; half of the entries are put again after others have been deleted. */
void file_make(const char *path, const struct file_spec *spec);
/* Put @nr more entries in a commit of their own. */
void file_add(const char *path, const struct file_spec *spec, unsigned int nr);
/* A key of that kind, as there may be one in the file; its length. */
size_t file_key(enum keys kind, unsigned char *key);
/* Change @nr bytes of pages behind the metas. */
void file_damage(const char *path, unsigned int nr);

#endif /* CAROM_TESTS_SCAN_FILES_H */
