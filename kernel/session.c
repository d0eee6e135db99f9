// SPDX-License-Identifier: GPL-2.0
/* Sessions and their descriptors. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "carom.h"
#include "limits.h"
#include "stats.h"
#include "trace.h"

static atomic_t carom_sessions = ATOMIC_INIT(0);
static atomic64_t carom_last_id = ATOMIC64_INIT(0);

unsigned int carom_session_count(void)
{
	return atomic_read(&carom_sessions);
}

static void carom_session_free(struct carom_session *s)
{
	carom_slots_free(s);
	carom_stats_free(s);
	carom_limits_put(s);
	if (s->walker)
		carom_walker_put(s->walker);
	if (s->file)
		carom_file_put(s->file);
	kfree(s);
}

static void carom_session_sum(const struct carom_session *s, struct carom_stats *st)
{
	struct carom_counts counts = { };

	carom_stats_sum(s, &counts);
	st->lookups = carom_counts_lookups(&counts);
	st->hops = counts.hops;
	st->resubmits = counts.resubmits;
	st->yields = counts.yields;
	st->polls = counts.polls;
	memcpy(st->ends, counts.ends, sizeof(st->ends));
}

static void carom_session_trace_close(const struct carom_session *s)
{
	struct carom_stats st = { };

	if (!trace_carom_session_close_enabled())
		return;
	carom_session_sum(s, &st);
	trace_carom_session_close(s, &st);
}

static int carom_session_release(struct inode *inode, struct file *file)
{
	struct carom_session *s = file->private_data;

	carom_session_trace_close(s);
	carom_stats_close(s);
	carom_session_free(s);
	nvme_chain_disable();
	atomic_dec(&carom_sessions);
	return 0;
}

static long carom_ioc_lookup(struct carom_session *s, struct carom_lookup __user *uarg)
{
	struct carom_lookup arg;
	int err;

	if (copy_from_user(&arg, uarg, offsetof(struct carom_lookup, at)))
		return -EFAULT;
	if (arg.reserved)
		return -EINVAL;
	err = carom_wait_lookup(s, &arg);
	if (err)
		return err;
	if (copy_to_user(&uarg->end, &arg.end, sizeof(arg) - offsetof(struct carom_lookup, end)))
		return -EFAULT;
	return 0;
}

/* Runs are kept relative to the namespace in sectors; LBAs are the device's. */
static struct carom_extent carom_extent_of(const struct carom_file *cf, size_t i)
{
	const struct carom_run *run = &cf->map.runs[i];

	return (struct carom_extent) {
		.offset = run->start << SECTOR_SHIFT,
		.length = run->len << SECTOR_SHIFT,
		.lba = run->sector >> (cf->limits.lba_shift - SECTOR_SHIFT),
	};
}

static long carom_ioc_extents(struct carom_session *s, struct carom_extents __user *uarg)
{
	const struct carom_file *cf = s->file;
	struct carom_extent __user *out;
	struct carom_extents arg;
	struct carom_extent ext;
	u32 i;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.size != sizeof(arg))
		return -EINVAL;
	out = u64_to_user_ptr(arg.extents);
	for (i = 0; i < arg.count && arg.first < cf->map.nr; i++, arg.first++) {
		ext = carom_extent_of(cf, arg.first);
		if (copy_to_user(&out[i], &ext, sizeof(ext)))
			return -EFAULT;
		cond_resched();
	}
	return put_user(i, &uarg->count);
}

static long carom_ioc_stats(struct carom_session *s, struct carom_stats __user *uarg)
{
	struct carom_stats st = { };
	u32 size;

	if (get_user(size, &uarg->size))
		return -EFAULT;
	if (size < offsetof(struct carom_stats, ends))
		return -EINVAL;
	st.size = sizeof(st);
	carom_session_sum(s, &st);
	if (copy_to_user(uarg, &st, min_t(size_t, size, sizeof(st))))
		return -EFAULT;
	return 0;
}

static long carom_session_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct carom_session *s = file->private_data;

	switch (cmd) {
	case CAROM_IOC_LOOKUP:
		return carom_ioc_lookup(s, (void __user *)arg);
	case CAROM_IOC_EXTENTS:
		return carom_ioc_extents(s, (void __user *)arg);
	case CAROM_IOC_STATS:
		return carom_ioc_stats(s, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int carom_session_mmap(struct file *file, struct vm_area_struct *vma)
{
	return carom_slots_mmap(file->private_data, vma);
}

static void carom_session_show_fdinfo(struct seq_file *m, struct file *file)
{
	carom_stats_fdinfo(m, file->private_data);
}

static const struct file_operations carom_session_fops = {
	.owner		= THIS_MODULE,
	.release	= carom_session_release,
	.unlocked_ioctl	= carom_session_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= carom_session_mmap,
	.show_fdinfo	= carom_session_show_fdinfo,
	.uring_cmd	= carom_uring_cmd,
	.uring_cmd_iopoll = carom_uring_iopoll,
};

static int carom_check_open(const struct carom_open *arg, struct carom_why *why)
{
	if (arg->flags & ~CAROM_OPEN_MAP_ONLY)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "flags");
	if (arg->flags & CAROM_OPEN_MAP_ONLY)
		return 0;
	if (!arg->nr_slots || arg->nr_slots > CAROM_MAX_SLOTS)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "nr_slots");
	if (!is_power_of_2(arg->node_size) || arg->node_size < CAROM_MIN_NODE_SIZE ||
	    arg->node_size > CAROM_MAX_NODE_SIZE)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "node_size");
	if (!arg->scratch_size || arg->scratch_size > CAROM_MAX_SCRATCH_SIZE)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "scratch_size");
	if (arg->max_hops > CAROM_MAX_HOPS)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "max_hops");
	if (arg->deadline_ms > CAROM_MAX_DEADLINE_MS)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_ARGUMENT, "deadline_ms");
	return carom_limits_check(arg, why);
}

static int carom_session_set_file(struct carom_session *s, int fd, struct carom_why *why)
{
	struct file *file = fget(fd);
	struct carom_file *cf;

	if (!file)
		return carom_refuse(why, -EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	cf = carom_file_get(file, why);
	fput(file);
	if (IS_ERR(cf))
		return PTR_ERR(cf);
	s->file = cf;
	return 0;
}

static int carom_session_set_walker(struct carom_session *s, const struct carom_open *arg,
				    struct carom_why *why)
{
	s->walker = carom_walker_get(arg->walker);
	if (!s->walker)
		return carom_refuse(why, -ENOENT, CAROM_REFUSED_NO_WALKER, arg->walker);
	if (s->walker->node_size != arg->node_size ||
	    s->walker->scratch_size > arg->scratch_size)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_WALKER_SIZE, arg->walker);
	strscpy(s->name, arg->walker);
	return 0;
}

static int carom_session_set_slots(struct carom_session *s, const struct carom_open *arg,
				   struct carom_why *why)
{
	const struct nvme_chain_limits *limits = &s->file->limits;
	int err;

	/* Both are powers of two. */
	if (arg->node_size >> limits->lba_shift == 0)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_NODE_SIZE,
				    s->file->bdev->bd_disk->disk_name);
	if (arg->node_size > limits->max_bytes)
		return carom_refuse(why, -EINVAL, CAROM_REFUSED_READ_SIZE,
				    s->file->bdev->bd_disk->disk_name);
	/* Negative for a file that is shorter than a node. */
	s->last_offset = (s64)s->file->size - arg->node_size;
	s->lba_shift = limits->lba_shift - SECTOR_SHIFT;
	s->lba_mask = (1U << limits->lba_shift) - 1;
	s->node_sectors = arg->node_size >> SECTOR_SHIFT;
	s->node_size = arg->node_size;
	s->node_stride = PAGE_ALIGN(arg->node_size);
	s->scratch_size = arg->scratch_size;
	s->scratch_stride = PAGE_ALIGN(arg->scratch_size);
	s->nr_slots = arg->nr_slots;
	s->max_hops = arg->max_hops ?: carom_limits_hops();
	s->deadline = msecs_to_jiffies(arg->deadline_ms ?: carom_limits_deadline_ms());
	err = carom_limits_take(s, why);
	if (err)
		return err;
	if (carom_stats_alloc(s) || carom_slots_alloc(s))
		return carom_refuse(why, -ENOMEM, CAROM_REFUSED_NO_MEMORY, NULL);
	return 0;
}

static void carom_session_report(const struct carom_session *s, struct carom_open *arg)
{
	arg->lba_shift = s->file->limits.lba_shift;
	arg->file_size = s->file->size;
	arg->nr_extents = s->file->map.nr;
	arg->node_stride = s->node_stride;
	arg->scratch_stride = s->scratch_stride;
}

static int carom_session_fill(struct carom_session *s, const struct carom_open *arg,
			      struct carom_why *why)
{
	int err;

	err = carom_session_set_file(s, arg->fd, why);
	if (err || (arg->flags & CAROM_OPEN_MAP_ONLY))
		return err;
	err = carom_session_set_walker(s, arg, why);
	if (err)
		return err;
	return carom_session_set_slots(s, arg, why);
}

/**
 * carom_session_open() - make a session
 * @arg: as in CAROM_IOC_OPEN, outputs filled on success
 * @why: filled when refused
 * @out: the session's file, without a descriptor yet
 *
 * Context: task, sleeps.
 * Return: 0 or a negative errno, with nothing left behind.
 */
int carom_session_open(struct carom_open *arg, struct carom_why *why, struct file **out)
{
	struct carom_session *s;
	struct file *file;
	int err;

	err = carom_check_open(arg, why);
	if (err)
		goto out_refused;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s) {
		err = carom_refuse(why, -ENOMEM, CAROM_REFUSED_NO_MEMORY, NULL);
		goto out_refused;
	}
	s->id = atomic64_inc_return(&carom_last_id);
	err = carom_session_fill(s, arg, why);
	if (err)
		goto out_free;
	file = anon_inode_getfile("[carom]", &carom_session_fops, s, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_free;
	}
	/* From here on it is carom_session_release() that undoes. */
	nvme_chain_enable();
	atomic_inc(&carom_sessions);
	carom_stats_open(s);
	carom_session_report(s, arg);
	trace_carom_session_open(s, arg->walker);
	*out = file;
	return 0;

out_free:
	carom_session_free(s);
out_refused:
	carom_stats_refused(why->refusal);
	trace_carom_refused(err, why, arg->walker);
	return err;
}
