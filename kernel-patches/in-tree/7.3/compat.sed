# SPDX-License-Identifier: GPL-2.0
# What kernel/compat.h resolves to in Linux 7.3, and how memory is allocated there.
s/ | CAROM_KF_TRUSTED\>//
s/, CAROM_KF_TRUSTED)/)/
s/\<CAROM_TASK_WORK_ARGS\>/struct io_tw_req tw_req, io_tw_token_t tw/
/^static void carom_uring_task_run(/,/^}/{
	s/\<carom_uring_task_run(.*/carom_uring_task_work(struct io_tw_req tw_req, io_tw_token_t tw)/
	s/^{$/&\n\tstruct io_uring_cmd *cmd = io_uring_cmd_from_tw(tw_req);/
	s/\<issue_flags\>/IO_URING_CMD_TASK_WORK_ISSUE_FLAGS/
}
/^CAROM_TASK_WORK(/{
	N
	d
}
s/\<carom_uring_done(/io_uring_cmd_done(/
# A command that is tried again has its SQE.
/^\tif (carom_uring_sqe_is_stale(cmd, issue_flags))$/,/return;$/d
s/^static void carom_uring_read_sqe(.*/static void carom_uring_read_sqe(struct io_uring_cmd *cmd)/
s/^\(\tcarom_uring_read_sqe(cmd\), issue_flags);/\1);/
s,^/\* User space can write to the SQE\, and use its place .*,/* User space can write to the SQE. */,
s/libcrc32c\.ko's, which/The kernel's, which/
s/\<kzalloc(sizeof(\*\(\w*\)), GFP_KERNEL)/kzalloc_obj(*\1)/
s/\<kzalloc(sizeof(\*\(\w*\)), GFP_KERNEL_ACCOUNT)/kzalloc_obj(*\1, GFP_KERNEL_ACCOUNT)/
s/\<kvcalloc(\([^,]*\), sizeof(\(\*[^)]*\)), GFP_KERNEL_ACCOUNT)/kvzalloc_objs(\2, \1, GFP_KERNEL_ACCOUNT)/
s/\<kvmalloc_array(\([^,]*\), sizeof(\(\*[^)]*\)), GFP_KERNEL_ACCOUNT)/kvmalloc_objs(\2, \1, GFP_KERNEL_ACCOUNT)/
