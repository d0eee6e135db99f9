/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_TESTS_SQLITE_TEXT_H
#define CAROM_TESTS_SQLITE_TEXT_H

#include <carom/carom.h>
#include <sqlite3.h>
#include <stdio.h>

/* A row that SQLite has, and one that libcarom has, as texts to be freed. */
char *text_of_row(sqlite3_stmt *st);
char *text_of_value(const struct carom_index *ix, const struct carom_value *val);
void text_of_column(FILE *f, const struct carom_column *c);

#endif /* CAROM_TESTS_SQLITE_TEXT_H */
