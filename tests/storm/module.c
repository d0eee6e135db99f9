// SPDX-License-Identifier: GPL-2.0
/* Loads and unloads the engine. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storm.h"

#define MODULE	"/tmp/storm.ko"

int storm_unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

int storm_load_module(void)
{
	int fd, err;

	/* Where vmtest/run keeps the modules of this VM. */
	if (access(MODULE, R_OK))
		vm_sh("cp $(findmnt -n -f -o TARGET -S carom.run)/carom.ko " MODULE);
	fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

void storm_unload_patiently(const char *module)
{
	long end = vm_now_ms() + 20000;
	int err;

	while ((err = storm_unload(module)) == -EWOULDBLOCK && vm_now_ms() < end)
		vm_sleep_ms(5);
	if (err)
		fail_msg("%s cannot be unloaded: %s", module, strerror(-err));
}
