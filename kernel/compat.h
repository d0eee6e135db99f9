/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that carom.ko is built for, and nothing
 * else.
 */
#ifndef CAROM_COMPAT_H
#define CAROM_COMPAT_H

#include <linux/io_uring/cmd.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "carom.ko needs Linux 6.12 or later"
#endif

/*
 * A command that could not be sent at once is tried again by a worker. Before
 * Linux 6.14 its SQE is then looked for where it was, and may have been
 * overwritten, unless it was for a worker from the start and has been copied for
 * that.
 */
static inline bool carom_uring_sqe_is_stale(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	return (issue_flags & IO_URING_F_UNLOCKED) &&
	       (const void *)cmd->sqe != cmd_to_io_kiocb(cmd)->async_data;
#else
	return false;
#endif
}

#endif /* CAROM_COMPAT_H */
