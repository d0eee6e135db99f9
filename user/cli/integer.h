/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom scan --totals: integers by name, and as text.
 */
#ifndef CAROM_CLI_INTEGER_H
#define CAROM_CLI_INTEGER_H

#include <stddef.h>
#include <stdint.h>
#include <carom/carom.h>

/* For struct cli_arg: their names. */
const char *integer_word(unsigned int i);
/* CAROM_INTEGER_NONE if there is none of that name. */
enum carom_integer integer_find(const char *name);

/* In decimal: a value as @integer has it, and a two's complement sum of 128 bits. */
void integer_text(enum carom_integer integer, int64_t value, char *text, size_t size);
void integer_sum_text(const struct carom_totals *t, char *text, size_t size);

#endif /* CAROM_CLI_INTEGER_H */
