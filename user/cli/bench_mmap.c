// SPDX-License-Identifier: GPL-2.0
/*
 * Backends that are liblmdb's mdb_get(): reads are page faults of its mapping. They are here to be
 * compared with; the answers that all are checked against are from there too.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static int lmdb_failed(char *reason, int rc)
{
	snprintf(reason, BENCH_REASON_LEN, "liblmdb: %s", mdb_strerror(rc));
	return -EIO;
}

static int mmap_open(struct bench_run *run)
{
	MDB_txn *txn;
	int rc = bench_lmdb_open(run->opts, &run->env);

	if (rc)
		return lmdb_failed(run->reason, rc);
	/* Once for all lanes, which may not do it at the same time. */
	rc = bench_lmdb_begin(run->env, run->opts, &txn, &run->dbi);
	if (!rc)
		rc = mdb_txn_commit(txn);
	if (!rc)
		return 0;
	mdb_env_close(run->env);
	return lmdb_failed(run->reason, rc);
}

static void mmap_close(struct bench_run *run)
{
	mdb_env_close(run->env);
}

static int mmap_lane_open(struct bench_lane *l, char *reason)
{
	int rc = mdb_txn_begin(l->run->env, NULL, MDB_RDONLY, &l->txn);

	return rc ? lmdb_failed(reason, rc) : 0;
}

static void mmap_lane_close(struct bench_lane *l)
{
	mdb_txn_abort(l->txn);
}

static void mmap_get(struct bench_lane *l, const struct bench_key *key, struct bench_answer *a)
{
	MDB_val k = { .mv_data = key->data, .mv_size = key->len }, v = { 0 };
	int rc = mdb_get(l->txn, l->run->dbi, &k, &v);

	a->ret = !rc ? 0 : rc == MDB_NOTFOUND ? CAROM_NOTFOUND : -EIO;
	a->val = (struct carom_value){ .data = v.mv_data, .len = v.mv_size };
	a->why = a->ret < 0 ? mdb_strerror(rc) : NULL;
}

/* It does not say how many nodes it looks at. */
static void mmap_stats(struct bench_lane *l, struct carom_reader_stats *st)
{
	(void)l;
	memset(st, 0, sizeof(*st));
}

/* ---- cold ---- */

/* liblmdb does not say where its mapping is, but the kernel does. */
static void find_line(struct bench_run *run, FILE *maps, const char *path)
{
	char line[PATH_MAX + 128];
	uint64_t first, end;
	char *name;

	while (!run->map && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		name = strchr(line, '/');
		if (!name || strcmp(name, path) ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &end) != 2)
			continue;
		run->map = (void *)(uintptr_t)first;
		run->map_len = end - first;
	}
}

static int find_map(struct bench_run *run)
{
	char *path = realpath(run->opts->path, NULL);
	FILE *maps = fopen("/proc/self/maps", "re");

	if (path && maps)
		find_line(run, maps, path);
	if (maps)
		fclose(maps);
	free(path);
	if (run->map)
		return 0;
	snprintf(run->reason, sizeof(run->reason), "its mapping is not in /proc/self/maps");
	return -ENOENT;
}

static void mmap_cold_close(struct bench_run *run)
{
	run->map = NULL;
	bench_cold_close(run);
	mmap_close(run);
}

static int mmap_cold_open(struct bench_run *run)
{
	int ret = mmap_open(run);

	if (ret)
		return ret;
	/* Before there is another mapping of it. */
	ret = find_map(run);
	if (!ret)
		ret = bench_cold_open(run);
	if (!ret)
		ret = bench_cold_try(run);
	if (ret)
		mmap_cold_close(run);
	return ret;
}

#define MMAP	.lane_open = mmap_lane_open, .lane_close = mmap_lane_close, .get = mmap_get, \
		.stats = mmap_stats

const struct bench_backend bench_mmap = {
	.name = "mmap", .text = "liblmdb's mdb_get(): the page cache, mapped",
	.flags = BENCH_MMAP, .open = mmap_open, .close = mmap_close, MMAP,
};

const struct bench_backend bench_mmap_cold = {
	.name = "mmap-cold", .text = "the same, unmapped and dropped before each lookup",
	.flags = BENCH_MMAP | BENCH_COLD, .open = mmap_cold_open, .close = mmap_cold_close, MMAP,
};
