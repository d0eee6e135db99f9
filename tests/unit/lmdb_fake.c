// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lmdb_fake.h"

#define MAX_HOPS	256
#define MAP_SIZE	(1ULL << 32)

const struct carom_reader_mem *carom_reader_mem(struct carom_reader *rd)
{
	return &rd->mem;
}

void *carom_reader_state(struct carom_reader *rd)
{
	return rd->state;
}

void *carom_reader_format_data(const struct carom_reader *rd)
{
	return rd->format_data;
}

void carom_reader_set_format_data(struct carom_reader *rd, void *data)
{
	rd->format_data = data;
}

const char *carom_reader_path(const struct carom_reader *rd)
{
	return rd->path;
}

bool carom_reader_sealed(const struct carom_reader *rd)
{
	return rd->sealed;
}

__u64 carom_reader_file_size(const struct carom_reader *rd)
{
	struct stat st;

	if (rd->image)
		return rd->size;
	return fstat(rd->fd, &st) ? 0 : (__u64)st.st_size;
}

/*
 * A new buffer each time: what was in the last one must not be relied on. None
 * that the file could not fill, whatever a damaged page says.
 */
void *carom_reader_buffer(struct carom_reader *rd, size_t len)
{
	if (len > carom_reader_file_size(rd) + CAROM_LMDB_PAGE) {
		fprintf(stderr, "%zu bytes asked for\n", len);
		abort();
	}
	free(rd->buf);
	rd->buf = malloc(len);
	return rd->buf;
}

int carom_reader_peek(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	return carom_reader_pread(rd, buf, len, offset);
}

int carom_reader_pread(struct carom_reader *rd, void *buf, size_t len, __u64 offset)
{
	ssize_t n;

	if (!rd->image) {
		n = pread(rd->fd, buf, len, (off_t)offset);
		if (n < 0)
			return -errno;
		return (size_t)n < len ? -ENODATA : 0;
	}
	if (offset > rd->size || len > rd->size - offset)
		return -ENODATA;
	memcpy(buf, rd->image + offset, len);
	return 0;
}

static void finish(struct carom_lookup *res, __s64 ret)
{
	if (ret == CAROM_STEP_DONE) {
		res->end = CAROM_END_DONE;
	} else if (ret == CAROM_STEP_MISS) {
		res->end = CAROM_END_MISS;
	} else {
		assert_in_range(-ret, CAROM_STEP_FAIL_BASE,
				CAROM_STEP_FAIL_BASE + CAROM_STEP_FAIL_MAX);
		res->end = CAROM_END_WALKER;
		res->code = (__s32)(-ret - CAROM_STEP_FAIL_BASE);
	}
}

int carom_reader_run(struct carom_reader *rd, __u64 offset, struct carom_lookup *res,
		     struct carom_error *err)
{
	struct carom_hop hop = {
		.node_size = carom_walker_lmdb.node_size,
		.node = rd->node,
		.scratch = rd->mem.scratch,
		.scratch_size = rd->mem.scratch_size,
	};
	__s64 next = (__s64)offset;
	int ret;

	*res = (struct carom_lookup){ .offset = offset };
	for (rd->hops = 0; next >= 0; rd->hops++) {
		if (rd->hops == MAX_HOPS)
			return carom_error_set(err, CAROM_FAULT_FORMAT, -ELOOP, "hops");
		if (rd->before_hop)
			rd->before_hop(rd);
		ret = carom_reader_pread(rd, rd->node, hop.node_size, (__u64)next);
		if (ret)
			return carom_error_set(err, CAROM_FAULT_IO, ret, "read at %lld",
					       (long long)next);
		if (rd->after_hop)
			rd->after_hop(rd);
		res->at = hop.offset = (__u64)next;
		hop.index = rd->hops;
		next = carom_walker_lmdb.step(&hop);
	}
	res->hops = rd->hops;
	finish(res, next);
	return 0;
}

void fake_init(struct carom_reader *rd, const char *path, const __u8 *image, __u64 size)
{
	static atomic_uint nr;

	*rd = (struct carom_reader){ .path = path, .image = image, .size = size, .fd = -1 };
	rd->node = malloc(carom_walker_lmdb.node_size);
	rd->mem.node = rd->node;
	/* Every other one has room for values on several pages. */
	rd->mem.scratch_size = nr++ % 2 ? CAROM_MAX_SCRATCH_SIZE : carom_walker_lmdb.scratch_size;
	rd->mem.max_hops = MAX_HOPS;
	rd->mem.scratch = malloc(rd->mem.scratch_size);
	rd->state = malloc(carom_format_lmdb.lookup_size);
	assert_true(rd->node && rd->mem.scratch && rd->state);
	/* A slot's scratch has what the last lookup left there. */
	memset(rd->mem.scratch, 0xa5, rd->mem.scratch_size);
	memset(rd->state, 0x5a, carom_format_lmdb.lookup_size);
	if (image)
		return;
	rd->fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(rd->fd >= 0);
}

void fake_exit_shared(struct carom_reader *rd)
{
	if (rd->fd >= 0)
		close(rd->fd);
	free(rd->node);
	free(rd->mem.scratch);
	free(rd->state);
	free(rd->buf);
}

void fake_close(struct carom_reader *rd)
{
	if (rd->format_data)
		carom_format_lmdb.close(rd->format_data);
	rd->format_data = NULL;
}

void fake_exit(struct carom_reader *rd)
{
	fake_close(rd);
	fake_exit_shared(rd);
}

/* Where a call says that it failed, and why. */
static void check_error(const struct carom_reader *rd, int ret)
{
	if (ret >= 0) {
		assert_int_equal(rd->err.code, 0);
		return;
	}
	assert_int_equal(rd->err.code, ret);
	assert_int_not_equal(rd->err.fault, CAROM_FAULT_NONE);
	assert_int_not_equal(rd->err.text[0], 0);
	assert_null(strchr(rd->err.text, '\n'));
}

int fake_open(struct carom_reader *rd, const char *db)
{
	const struct carom_index_opts opts = { .sz = sizeof(opts), .db = db };
	int ret;

	fake_close(rd);
	rd->err = (struct carom_error){ 0 };
	ret = carom_format_lmdb.open(rd, &opts, &rd->err);
	assert_true(ret <= 0);
	check_error(rd, ret);
	assert_true(!ret == !!rd->format_data);
	return ret;
}

int fake_lookup(struct carom_reader *rd, const void *key, size_t len, struct carom_value *val)
{
	struct carom_lookup res;
	__u64 offset;
	int ret;

	rd->err = (struct carom_error){ 0 };
	ret = carom_format_lmdb.start(rd, key, len, &offset, &rd->err);
	while (ret == CAROM_CHAIN) {
		ret = carom_reader_run(rd, offset, &res, &rd->err);
		ret = carom_format_lmdb.finish(rd, &res, ret, &offset, val, &rd->err);
	}
	return ret;
}

int fake_get(struct carom_reader *rd, const void *key, size_t len, struct carom_value *val)
{
	int ret = fake_lookup(rd, key, len, val);

	assert_true(ret <= CAROM_NOTFOUND);
	check_error(rd, ret);
	return ret;
}

/* ---- reproducible chance: splitmix64 ---- */

static __u64 rnd_state;

void rnd_init(void)
{
	const char *seed = getenv("CAROM_TEST_SEED");

	rnd_state = seed ? strtoull(seed, NULL, 0) : 20210531;
	print_message("# CAROM_TEST_SEED=%llu\n", (unsigned long long)rnd_state);
}

__u64 rnd(void)
{
	__u64 z = rnd_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

__u64 rnd_below(__u64 n)
{
	return rnd() % n;
}

void rnd_fill(void *p, size_t len)
{
	__u8 *to = p;

	while (len--)
		*to++ = (__u8)(rnd() >> 32);
}

/* ---- LMDB files ---- */

static char tmp_dir[64], tmp_path[96];

const char *tmp_file(void)
{
	if (!tmp_dir[0]) {
		snprintf(tmp_dir, sizeof(tmp_dir), "/tmp/carom-lmdb.XXXXXX");
		assert_non_null(mkdtemp(tmp_dir));
	}
	snprintf(tmp_path, sizeof(tmp_path), "%s/db", tmp_dir);
	return tmp_path;
}

void tmp_done(void)
{
	char lock[112];

	if (!tmp_dir[0])
		return;
	snprintf(lock, sizeof(lock), "%s-lock", tmp_path);
	unlink(tmp_path);
	unlink(lock);
	rmdir(tmp_dir);
	tmp_dir[0] = 0;
}

int lmdb_setup(void **state)
{
	(void)state;
	rnd_init();
	return 0;
}

int lmdb_teardown(void **state)
{
	(void)state;
	tmp_done();
	return 0;
}

__u8 *slurp(const char *path, __u64 *size)
{
	FILE *f = fopen(path, "r");
	struct stat st;
	__u8 *p;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, (size_t)st.st_size, f), (size_t)st.st_size);
	fclose(f);
	*size = (__u64)st.st_size;
	return p;
}

MDB_env *env_create(const char *path, unsigned int flags)
{
	MDB_env *env;

	unlink(path);
	mdb_ok(mdb_env_create(&env));
	mdb_ok(mdb_env_set_maxdbs(env, 16));
	/* A map that is written to is a file of that size. */
	mdb_ok(mdb_env_set_mapsize(env, flags & MDB_WRITEMAP ? MAP_SIZE / 64 : MAP_SIZE));
	mdb_ok(mdb_env_open(env, path, flags | MDB_NOSUBDIR | MDB_NOSYNC, 0600));
	return env;
}

MDB_dbi db_open(MDB_env *env, const char *name, unsigned int flags)
{
	MDB_txn *txn;
	MDB_dbi dbi;

	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_dbi_open(txn, name, flags | MDB_CREATE, &dbi));
	mdb_ok(mdb_txn_commit(txn));
	return dbi;
}

void put_one(MDB_env *env, MDB_dbi dbi, const void *key, size_t klen, const void *val,
	     size_t vlen)
{
	MDB_val k = { klen, (void *)key }, v = { vlen, (void *)val };
	MDB_txn *txn;

	mdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
	mdb_ok(mdb_put(txn, dbi, &k, &v, 0));
	mdb_ok(mdb_txn_commit(txn));
}
