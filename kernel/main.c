// SPDX-License-Identifier: GPL-2.0
/* /dev/carom: where sessions come from. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "carom.h"
#include "limits.h"
#include "stats.h"

static long carom_ioc_info(struct carom_info __user *uarg)
{
	struct carom_info info = {
		.size = sizeof(info),
		.abi = CAROM_ABI_VERSION,
		.nr_walkers = carom_walker_count(),
		.nr_sessions = carom_session_count(),
		.max_slots = READ_ONCE(carom_max_slots),
		.max_hops = READ_ONCE(carom_max_hops),
		.max_deadline_ms = READ_ONCE(carom_max_deadline_ms),
		.max_node_size = CAROM_MAX_NODE_SIZE,
		.max_scratch_size = CAROM_MAX_SCRATCH_SIZE,
	};
	u32 size;

	if (get_user(size, &uarg->size))
		return -EFAULT;
	if (size < offsetofend(struct carom_info, abi))
		return -EINVAL;
	if (copy_to_user(uarg, &info, min_t(size_t, size, sizeof(info))))
		return -EFAULT;
	return 0;
}

/* The descriptor becomes visible last, when nothing can fail any more. */
static long carom_ioc_open(struct carom_open __user *uarg)
{
	struct carom_why why = { };
	struct carom_open arg;
	struct file *file;
	int fd, err;
	u32 size;

	if (get_user(size, &uarg->size))
		return -EFAULT;
	if (size < sizeof(arg))
		return -EINVAL;
	/* What is beyond arg is looked at byte by byte. */
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&arg, sizeof(arg), uarg, size);
	if (err)
		return err;
	arg.walker[sizeof(arg.walker) - 1] = '\0';

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = carom_session_open(&arg, &why, &file);
	arg.refusal = why.refusal;
	memcpy(arg.detail, why.detail, sizeof(arg.detail));
	if (err)
		goto out_fd;
	if (copy_to_user(uarg, &arg, sizeof(arg))) {
		fput(file);
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, file);
	return fd;

out_fd:
	put_unused_fd(fd);
	if (copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

static long carom_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case CAROM_IOC_INFO:
		return carom_ioc_info((void __user *)arg);
	case CAROM_IOC_OPEN:
		return carom_ioc_open((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations carom_dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= carom_dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice carom_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "carom",
	.fops	= &carom_dev_fops,
	.mode	= 0600,
	.groups	= carom_stats_groups,
};

static int __init carom_init(void)
{
	int err;

	err = carom_walker_init();
	if (err) {
		pr_err("cannot register walkers (%d); is the kernel built with CONFIG_DEBUG_INFO_BTF_MODULES?\n",
		       err);
		return err;
	}
	err = carom_uring_init();
	if (err)
		return err;
	err = misc_register(&carom_dev);
	if (err)
		carom_uring_exit();
	return err;
}

static void __exit carom_exit(void)
{
	misc_deregister(&carom_dev);
	carom_uring_exit();
}

module_init(carom_init);
module_exit(carom_exit);

MODULE_DESCRIPTION("Dependent reads from the NVMe completion path");
MODULE_LICENSE("GPL");
