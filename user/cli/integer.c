// SPDX-License-Identifier: GPL-2.0
/*
 * carom scan --totals: integers by name, and as text.
 */
#include <stdio.h>
#include <string.h>
#include "integer.h"

static const char *const integer_names[] = {
	[CAROM_INTEGER_U8] = "u8", [CAROM_INTEGER_I8] = "i8",
	[CAROM_INTEGER_U16LE] = "u16le", [CAROM_INTEGER_I16LE] = "i16le",
	[CAROM_INTEGER_U16BE] = "u16be", [CAROM_INTEGER_I16BE] = "i16be",
	[CAROM_INTEGER_U32LE] = "u32le", [CAROM_INTEGER_I32LE] = "i32le",
	[CAROM_INTEGER_U32BE] = "u32be", [CAROM_INTEGER_I32BE] = "i32be",
	[CAROM_INTEGER_U64LE] = "u64le", [CAROM_INTEGER_I64LE] = "i64le",
	[CAROM_INTEGER_U64BE] = "u64be", [CAROM_INTEGER_I64BE] = "i64be",
};

const char *integer_word(unsigned int i)
{
	i += CAROM_INTEGER_U8;
	return i <= CAROM_INTEGER_I64BE ? integer_names[i] : NULL;
}

enum carom_integer integer_find(const char *name)
{
	enum carom_integer i;

	for (i = CAROM_INTEGER_U8; i <= CAROM_INTEGER_I64BE; i++)
		if (!strcmp(integer_names[i], name))
			return i;
	return CAROM_INTEGER_NONE;
}

void integer_sum_text(const struct carom_totals *t, char *text, size_t size)
{
	unsigned __int128 sum = (unsigned __int128)t->sum_high << 64 | t->sum_low;
	bool negative = t->sum_high < 0;
	char digits[48], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	if (negative)
		sum = -sum;
	do {
		*--p = (char)('0' + (int)(sum % 10));
		sum /= 10;
	} while (sum);
	snprintf(text, size, "%s%s", negative ? "-" : "", p);
}

void integer_text(enum carom_integer integer, int64_t value, char *text, size_t size)
{
	/* Every other one is unsigned. */
	if (integer % 2)
		snprintf(text, size, "%llu", (unsigned long long)value);
	else
		snprintf(text, size, "%lld", (long long)value);
}
