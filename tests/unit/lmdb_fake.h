/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A libcarom of some lines, so that the LMDB format can be tested by itself:
 * carom_reader_*() on a file or on an image in memory. Node and scratch have
 * exactly the size that the walker asked for, for ASan to see what lies beyond.
 * How errors are set is libcarom's own, from user/lib/errors.c.
 */
#ifndef LMDB_FAKE_H
#define LMDB_FAKE_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <lmdb.h>
#include "../../user/formats/lmdb.h"

/**
 * struct carom_reader - the fake
 * @path: name for error texts; the file, if @image is NULL
 * @image: the file's contents
 * @size: bytes in @image
 * @sealed: what carom_reader_sealed() says
 * @before_hop: called before each read of a chain, for those who interfere
 * @after_hop: called after it, before the walker's step
 * @format_data: may be shared with other readers
 * @hops: nodes read by the last chain
 * @err: error of the last fake_get() or fake_open()
 */
struct carom_reader {
	const char *path;
	const __u8 *image;
	__u64 size;
	bool sealed;
	void (*before_hop)(struct carom_reader *rd);
	void (*after_hop)(struct carom_reader *rd);
	void *format_data;
	void *state;
	unsigned int hops;
	struct carom_error err;
	int fd;
	struct carom_reader_mem mem;
	__u8 *node;
	void *buf;
	size_t buf_len;
};

/* A reader of file @path, or of @image if that is not NULL. */
void fake_init(struct carom_reader *rd, const char *path, const __u8 *image, __u64 size);
/* Let @format_data go, and the rest. */
void fake_exit(struct carom_reader *rd);
/* As fake_exit(), of a reader that shares its format data. */
void fake_exit_shared(struct carom_reader *rd);

/* Open, or open again. */
int fake_open(struct carom_reader *rd, const char *db);
void fake_close(struct carom_reader *rd);
int fake_get(struct carom_reader *rd, const void *key, size_t len, struct carom_value *val);
/* The same without assertions, for threads. */
int fake_lookup(struct carom_reader *rd, const void *key, size_t len, struct carom_value *val);

/* ---- reproducible chance ---- */

/* Seed from CAROM_TEST_SEED, or a fixed one; printed. */
void rnd_init(void);
__u64 rnd(void);
/* 0 to n - 1 */
__u64 rnd_below(__u64 n);
void rnd_fill(void *p, size_t len);

/* ---- LMDB files ---- */

/* Fails the test with liblmdb's text. */
#define mdb_ok(call) do {							\
	int _ret = (call);							\
	if (_ret)								\
		fail_msg("%s: %s", #call, mdb_strerror(_ret));			\
} while (0)

/* A file of its own in a temporary directory, removed by tmp_done(). */
const char *tmp_file(void);
void tmp_done(void);
/* Of a group of tests: chance begins anew, and no file is left behind. */
int lmdb_setup(void **state);
int lmdb_teardown(void **state);
/* Contents of a file in malloc()ed memory. */
__u8 *slurp(const char *path, __u64 *size);

/* An environment in @path (which is removed before), opened with @flags. */
MDB_env *env_create(const char *path, unsigned int flags);
MDB_dbi db_open(MDB_env *env, const char *name, unsigned int flags);
/* Put one key in a transaction of its own. */
void put_one(MDB_env *env, MDB_dbi dbi, const void *key, size_t klen, const void *val,
	     size_t vlen);

#endif /* LMDB_FAKE_H */
