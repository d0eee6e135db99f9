/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that carom.ko is built for, and nothing
 * else.
 */
#ifndef CAROM_COMPAT_H
#define CAROM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "carom.ko needs Linux 6.12 or later"
#endif

#endif /* CAROM_COMPAT_H */
