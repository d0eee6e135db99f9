// SPDX-License-Identifier: GPL-2.0
/*
 * usage: matrix TABLE
 * Runs all rows in both modes on what is mounted at VM_DIR and writes a line of Markdown
 * for each to TABLE.
 */
#include "matrix.h"

#define MAX_ROWS	96

static struct matrix_test rows[MAX_ROWS][MATRIX_MODES];
static struct CMUnitTest tests[MAX_ROWS * MATRIX_MODES + 2];
static unsigned int nr_rows, nr_tests;
static struct engine_walker walkers[2];
static const char *table;

static int setup(void **state)
{
	(void)state;
	vm_load(&walkers[0], "chase");
	vm_load(&walkers[1], "chase4096");
	return 0;
}

static int write_table(void)
{
	FILE *out = fopen(table, "w");
	unsigned int i;

	if (!out)
		return -1;
	for (i = 0; i < nr_rows; i++)
		fprintf(out, "| %s | %s | %s |\n", rows[i][0].row->name,
			rows[i][MATRIX_DURING].cell, rows[i][MATRIX_BETWEEN].cell);
	return fclose(out);
}

static int teardown(void **state)
{
	(void)state;
	engine_unload(&walkers[0]);
	engine_unload(&walkers[1]);
	assert_int_equal(vm_info().nr_sessions, 0);
	return write_table();
}

static void add_row(const struct matrix_row *row)
{
	static const char *const when[] = {
		[MATRIX_DURING] = "chains in flight",
		[MATRIX_BETWEEN] = "between chains",
	};
	struct matrix_test *t;
	unsigned int mode;

	assert_in_range(nr_rows, 0, MAX_ROWS - 1);
	for (mode = 0; mode < MATRIX_MODES; mode++) {
		t = &rows[nr_rows][mode];
		t->row = row;
		t->mode = mode;
		snprintf(t->title, sizeof(t->title), "%s, %s", row->name, when[mode]);
		snprintf(t->cell, sizeof(t->cell), "FAILED");
		tests[nr_tests++] = (struct CMUnitTest) {
			t->title, matrix_row_run, NULL, matrix_row_clean, t,
		};
	}
	nr_rows++;
}

static void add_rows(const struct matrix_row *row)
{
	for (; row->name; row++)
		add_row(row);
}

static void add_test(const char *name, CMUnitTestFunction test)
{
	tests[nr_tests++] = (struct CMUnitTest) { name, test, NULL, matrix_row_clean, NULL };
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: matrix TABLE\n");
		return 2;
	}
	table = argv[1];
	add_rows(matrix_data);
	add_rows(matrix_names);
	add_rows(matrix_inode);
	add_rows(matrix_fs);
	add_test("two processes, two walkers, many sessions on one file", matrix_two_walkers);
	add_test("sessions and swapon race for a file", matrix_swapon_race);
	return _cmocka_run_group_tests("matrix", tests, nr_tests, setup, teardown);
}
