/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An LMDB file with a past, made by liblmdb, and liblmdb's own answers about it.
 */
#ifndef CAROM_TESTS_DATABASE_H
#define CAROM_TESTS_DATABASE_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <lmdb.h>

#include <carom/carom.h>

#define DATABASE_KEYS	6000
#define DATABASE_NAMED	300
#define DATABASE_PAGE	4096
#define DATABASE_KEY_LEN 511

/* Before the first file is built: what chance and values begin with. */
void database_setup(void);
void database_teardown(void);
/* Reproducible by CAROM_SEED; below @below. */
unsigned int rnd(unsigned int below);

/* Key number @i, its length. Number DATABASE_KEYS and above were never put. */
size_t database_key(unsigned int i, char *key);
/* Any of them, a third of which is absent. */
size_t database_any_key(char *key);
/*
 * DATABASE_KEYS keys of all lengths in the main database, DATABASE_NAMED in "named"
 * and none in "empty", with updates and deletions after that.
 */
void database_build(const char *path);
/* Page number of the main tree's root. */
uint64_t database_root(int fd);

/* liblmdb's view of a file. */
struct oracle {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

void oracle_open(struct oracle *o, const char *path, const char *db);
void oracle_close(struct oracle *o);
/* A lookup said @ret and @val; @why is its error text. */
void oracle_check(struct oracle *o, const char *key, size_t len, int ret,
		  const struct carom_value *val, const char *why);

#endif /* CAROM_TESTS_DATABASE_H */
