/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_FUZZ_CHECK_H
#define CAROM_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

/* A fuzzer keeps the input on which it has aborted. */
#define check(cond) do {								\
	if (!(cond)) {									\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);		\
		abort();								\
	}										\
} while (0)

#endif /* CAROM_FUZZ_CHECK_H */
