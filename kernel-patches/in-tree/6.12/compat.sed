# SPDX-License-Identifier: GPL-2.0
# What kernel/compat.h resolves to in Linux 6.12.
s/\<file_kattr\>/fileattr/g
s/\<CAROM_KF_TRUSTED\>/KF_TRUSTED_ARGS/
s/\<CAROM_TASK_WORK_ARGS\>/struct io_uring_cmd *cmd, unsigned int issue_flags/
s/\<carom_uring_task_run(/carom_uring_task_work(/
/^CAROM_TASK_WORK(/{
	N
	d
}
s/\<carom_uring_done(cmd, \(.*\), \([a-z_]*\|0\));/io_uring_cmd_done(cmd, \1, 0, \2);/
s/^\tselect CRC32$/\tselect LIBCRC32C/
