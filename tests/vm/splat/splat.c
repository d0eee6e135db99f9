// SPDX-License-Identifier: GPL-2.0
/* Does nothing but warn when it is loaded: meta.test shows that a warning fails a run. */
#include <linux/module.h>

static int __init splat_init(void)
{
	WARN(1, "splat: on purpose\n");
	return 0;
}

static void __exit splat_exit(void)
{
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("Warns when it is loaded");
MODULE_LICENSE("GPL");
