/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_TESTS_SKIP_H
#define CAROM_TESTS_SKIP_H

#include <stdio.h>

/* As cmocka's skip(), which takes no reason; tests/summary looks for it. */
#define skip_because(reason) do {							\
	printf("# SKIP: %s\n", reason);							\
	skip();										\
} while (0)

#endif /* CAROM_TESTS_SKIP_H */
