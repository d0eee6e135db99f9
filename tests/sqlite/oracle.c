// SPDX-License-Identifier: GPL-2.0
/*
 * libcarom against SQLite, on databases made at random and on files that are named.
 *
 * CAROM_SQLITE_DIR: where to make them (default: TMPDIR); CAROM_SQLITE_BACKENDS: with which
 * backends (default: pread); CAROM_SQLITE_ROUNDS: databases of each kind (default: 3);
 * CAROM_SQLITE_SIZES: of pages (default: all); CAROM_SQLITE_ROWS: of each (default: 1500);
 * CAROM_SQLITE_KEYS: of each index (default: 40); CAROM_SQLITE_FILES: files to look into as
 * well. Lists have blanks between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../lib/skip.h"
#include "compare.h"
#include "random.h"

static char path[4096];
static const char *backends = "pread";
static unsigned int rounds = 3;
static unsigned int rows = 1500;
static unsigned int keys = 40;

static void report(const struct compared *c)
{
	print_message("# %lu keys (%lu absent), %lu rows; %llu hops, %llu in the kernel, %llu "
		      "fallbacks (%s)\n", c->keys, c->absent, c->rows,
		      (unsigned long long)c->stats.hops,
		      (unsigned long long)c->stats.kernel_hops,
		      (unsigned long long)c->stats.fallbacks,
		      c->stats.last_abort ? c->stats.last_abort : "none");
}

/* It has read in the kernel, or refused to where extents split all nodes. */
static void check_kernel(const struct carom_reader_stats *before,
			 const struct carom_reader_stats *now)
{
	if (now->kernel_hops > before->kernel_hops)
		return;
	assert_true(now->fallbacks > before->fallbacks);
	assert_non_null(now->last_abort);
	assert_string_equal(now->last_abort, "split");
}

/* With each backend in turn. */
static void compare_backends(sqlite3 *db, const char *file, const char *table, unsigned int nr,
			     struct compared *all)
{
	enum carom_backend b;
	struct carom_reader_stats before;

	for (b = CAROM_BACKEND_KERNEL; b <= CAROM_BACKEND_PREAD; b++) {
		if (!strstr(backends, carom_backend__name(b)))
			continue;
		before = all->stats;
		compare_table(db, file, table, b, nr, all);
		if (b == CAROM_BACKEND_KERNEL)
			check_kernel(&before, &all->stats);
	}
}

static void compare_random(const struct layout *l)
{
	struct compared all = { 0 };
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		sqlite3 *db = random_database(path, l);

		/* It stays open for writing otherwise, and could not be sealed. */
		sqlite3_close(db);
		sql_ok(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
		compare_backends(db, path, "t", keys, &all);
		sqlite3_close(db);
	}
	report(&all);
	/* Else nothing has been compared. */
	assert_true(!rounds || (all.rows > 20 && all.absent));
}

static void page_size(void **state)
{
	unsigned int size = *(unsigned int *)*state;
	struct layout l = { .page_size = size, .rows = rows, .longest = 2 * size };
	const char *sizes = getenv("CAROM_SQLITE_SIZES");
	char text[16];

	snprintf(text, sizeof(text), "%u", size);
	if (sizes && !strstr(sizes, text))
		skip_because("not one of CAROM_SQLITE_SIZES");
	if (l.longest > 1500)
		l.longest = 1500;
	l.rowids = true;
	compare_random(&l);
	l.rowids = false;
	compare_random(&l);
}

static void reserved_bytes(void **state)
{
	struct layout l = { .page_size = 512, .reserved = 32, .rowids = true, .rows = rows,
			    .longest = 900 };

	(void)state;
	compare_random(&l);
	l.page_size = 4096;
	l.reserved = 255;
	l.rowids = false;
	compare_random(&l);
}

static void overflow_pages(void **state)
{
	struct layout l = { .page_size = 1024, .rowids = true, .rows = rows / 5,
			    .longest = 100000 };

	(void)state;
	compare_random(&l);
	l.rowids = false;
	compare_random(&l);
}

/* Every table of a file that another program has made. */
static void compare_file(const char *file)
{
	struct compared all = { 0 };
	unsigned int tables = 0;
	sqlite3_stmt *st;
	sqlite3 *db;

	sql_ok(NULL, sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL));
	sql_ok(db, sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_list WHERE schema = 'main' "
				      "AND type IN ('table', 'shadow') AND ncol < 100", -1, &st,
				      NULL));
	while (sqlite3_step(st) == SQLITE_ROW) {
		compare_backends(db, file, (const char *)sqlite3_column_text(st, 0), 30, &all);
		tables++;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	print_message("# %s: %u tables\n", file, tables);
	report(&all);
	assert_true(all.rows > 0);
}

static void named_files(void **state)
{
	char *files = getenv("CAROM_SQLITE_FILES"), *file, *rest;

	(void)state;
	if (!files)
		return;
	files = strdup(files);
	for (file = strtok_r(files, " ", &rest); file; file = strtok_r(NULL, " ", &rest))
		compare_file(file);
	free(files);
}

static void number(const char *name, unsigned int *value)
{
	const char *text = getenv(name);

	if (text)
		*value = (unsigned int)atoi(text);
}

static void settings(void)
{
	const char *dir = getenv("CAROM_SQLITE_DIR");

	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/carom-sqlite-%d.db", dir ? dir : "/tmp", getpid());
	if (getenv("CAROM_SQLITE_BACKENDS"))
		backends = getenv("CAROM_SQLITE_BACKENDS");
	number("CAROM_SQLITE_ROUNDS", &rounds);
	number("CAROM_SQLITE_ROWS", &rows);
	number("CAROM_SQLITE_KEYS", &keys);
}

int main(void)
{
	static unsigned int sizes[] = { 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
	const struct CMUnitTest tests[] = {
		{ "pages of 512 bytes", page_size, NULL, NULL, &sizes[0] },
		{ "pages of 1024 bytes", page_size, NULL, NULL, &sizes[1] },
		{ "pages of 2048 bytes", page_size, NULL, NULL, &sizes[2] },
		{ "pages of 4096 bytes", page_size, NULL, NULL, &sizes[3] },
		{ "pages of 8192 bytes", page_size, NULL, NULL, &sizes[4] },
		{ "pages of 16384 bytes", page_size, NULL, NULL, &sizes[5] },
		{ "pages of 32768 bytes", page_size, NULL, NULL, &sizes[6] },
		{ "pages of 65536 bytes", page_size, NULL, NULL, &sizes[7] },
		cmocka_unit_test(reserved_bytes),
		cmocka_unit_test(overflow_pages),
		cmocka_unit_test(named_files),
	};
	int ret;

	settings();
	rnd_init();
	ret = cmocka_run_group_tests_name("sqlite_oracle", tests, NULL, NULL);
	unlink(path);
	return ret;
}
