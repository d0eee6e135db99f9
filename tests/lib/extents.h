/* SPDX-License-Identifier: GPL-2.0 */
/* The extents of a file, however many. */
#ifndef CAROM_TESTS_EXTENTS_H
#define CAROM_TESTS_EXTENTS_H

#include <linux/fiemap.h>

/*
 * Call @each with every extent that FIEMAP reports of @fd, written back before, in order, until it
 * returns something but 0. That, 0, or a negative errno.
 */
int extents_each(int fd, int (*each)(void *ctx, const struct fiemap_extent *ext), void *ctx);

#endif /* CAROM_TESTS_EXTENTS_H */
