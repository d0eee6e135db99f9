/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that carom.ko is built for, and nothing
 * else.
 */
#ifndef CAROM_COMPAT_H
#define CAROM_COMPAT_H

#include <linux/btf.h>
#include <linux/io_uring/cmd.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "carom.ko needs Linux 6.12 or later"
#endif

/* ---- filesystems ---- */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define file_kattr	fileattr
#endif

/* ---- BPF ---- */

/* Later kernels take no other arguments unless a kfunc says so. */
#ifdef KF_TRUSTED_ARGS
#define CAROM_KF_TRUSTED	KF_TRUSTED_ARGS
#else
#define CAROM_KF_TRUSTED	0
#endif

/* ---- io_uring ---- */

/*
 * A command that could not be sent at once is tried again by a worker. Its SQE
 * is then looked for where it was, and may have been overwritten, unless it was
 * for a worker from the start and has been copied for that.
 */
static inline bool carom_uring_sqe_is_stale(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	return (issue_flags & IO_URING_F_UNLOCKED) &&
	       (const void *)cmd->sqe != cmd_to_io_kiocb(cmd)->async_data;
#else
	/* It is copied, whenever that may be. */
	return false;
#endif
}

/*
 * What task work is called with, and how it gets at its command and
 * flags. CAROM_TASK_WORK(fn, body) defines @fn, which is given to io_uring and
 * calls @body(cmd, issue_flags).
 */
#ifdef IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#define CAROM_TASK_WORK_ARGS	struct io_tw_req tw_req, io_tw_token_t tw
#define CAROM_TASK_WORK(fn, body)							\
static void fn(CAROM_TASK_WORK_ARGS)							\
{											\
	body(io_uring_cmd_from_tw(tw_req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);		\
}
#else
#define CAROM_TASK_WORK_ARGS	struct io_uring_cmd *cmd, unsigned int issue_flags
#define CAROM_TASK_WORK(fn, body)							\
static void fn(CAROM_TASK_WORK_ARGS)							\
{											\
	body(cmd, issue_flags);								\
}
#endif

/* The CQE says @ret. With @issue_flags 0 the caller holds uring_lock. */
static inline void carom_uring_done(struct io_uring_cmd *cmd, s32 ret, unsigned int issue_flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
#else
	io_uring_cmd_done(cmd, ret, issue_flags);
#endif
}

#endif /* CAROM_COMPAT_H */
