// SPDX-License-Identifier: GPL-2.0
/*
 * Hides the shadow doorbells of NVMe controllers from the driver; to be loaded
 * before it.
 *
 * QEMU before 8.1 leaves out the guest's memory barriers if all its CPUs are one
 * thread. The driver can then read the event index of a shadow doorbell before
 * its own store to the doorbell is seen, takes the device for awake, and nobody
 * looks at the queue until its commands time out.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

#include "nvme.h"

static int doorbells_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(struct nvme_ctrl **)ri->data = (void *)regs_get_kernel_argument(regs, 0);
	return 0;
}

static int doorbells_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct nvme_ctrl *ctrl = *(struct nvme_ctrl **)ri->data;

	ctrl->oacs &= ~NVME_CTRL_OACS_DBBUF_SUPP;
	return 0;
}

static struct kretprobe doorbells_probe = {
	.kp.symbol_name	= "nvme_init_ctrl_finish",
	.entry_handler	= doorbells_enter,
	.handler	= doorbells_return,
	.data_size	= sizeof(struct nvme_ctrl *),
	.maxactive	= 32,
};

static int __init doorbells_init(void)
{
	return register_kretprobe(&doorbells_probe);
}

static void __exit doorbells_exit(void)
{
	unregister_kretprobe(&doorbells_probe);
	if (doorbells_probe.nmissed)
		pr_warn("doorbells: %d controllers missed\n", doorbells_probe.nmissed);
}

module_init(doorbells_init);
module_exit(doorbells_exit);
MODULE_DESCRIPTION("Hides the shadow doorbells of NVMe controllers");
MODULE_LICENSE("GPL");
