// SPDX-License-Identifier: GPL-2.0
/*
 * Suspends and resumes one PCI device through its driver's own callbacks:
 *
 *	echo 0000:00:05.0 >/sys/module/carom_suspend/parameters/cycle
 *
 * The guest as a whole cannot be suspended: its root is on virtio-9p, which
 * does not resume.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/string.h>

#define ASLEEP_MS	20

/* The PM core holds the device's lock, too. */
static int suspend_cycle_device(struct device *dev)
{
	const struct dev_pm_ops *pm;
	int err = -EOPNOTSUPP;

	device_lock(dev);
	pm = dev->driver ? dev->driver->pm : NULL;
	if (!pm || !pm->suspend || !pm->resume)
		goto out;
	err = pm->suspend(dev);
	msleep(ASLEEP_MS);
	if (!err)
		err = pm->resume(dev);
out:
	device_unlock(dev);
	return err;
}

static int suspend_cycle(const char *val, const struct kernel_param *kp)
{
	struct device *dev;
	char name[32];
	int err;

	strscpy(name, val, sizeof(name));
	dev = bus_find_device_by_name(&pci_bus_type, NULL, strim(name));
	if (!dev)
		return -ENODEV;
	err = suspend_cycle_device(dev);
	put_device(dev);
	return err;
}

static const struct kernel_param_ops suspend_ops = {
	.set = suspend_cycle,
};
module_param_cb(cycle, &suspend_ops, NULL, 0200);
MODULE_PARM_DESC(cycle, "address of the PCI device to suspend and resume");

MODULE_DESCRIPTION("Suspends and resumes a PCI device");
MODULE_LICENSE("GPL");
