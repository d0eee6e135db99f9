// SPDX-License-Identifier: GPL-2.0
/* Devices by serial number: their names change with every removal. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "storm.h"

#define PATIENCE_MS 20000

const char *storm_controller(const char *serial)
{
	long end = vm_now_ms() + PATIENCE_MS;
	static char name[32];

	while (!vm_find_serial("/sys/class/nvme/nvme*", "serial", serial, name, sizeof(name))) {
		if (vm_now_ms() > end)
			fail_msg("no controller with serial %s", serial);
		vm_sleep_ms(5);
	}
	return name;
}

const char *storm_namespace(const char *serial)
{
	const char *controller = storm_controller(serial);
	long end = vm_now_ms() + PATIENCE_MS;
	static char path[64];
	char pattern[96], name[32];

	snprintf(pattern, sizeof(pattern), "/sys/class/nvme/%s/nvme*n*", controller);
	for (;;) {
		if (vm_find_serial(pattern, "device/serial", serial, name, sizeof(name))) {
			snprintf(path, sizeof(path), "/dev/%s", name);
			if (!access(path, F_OK))
				return path;
		}
		if (vm_now_ms() > end)
			fail_msg("%s (serial %s) has no namespace", controller, serial);
		vm_sleep_ms(5);
	}
}

void storm_write(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list args;
	int fd;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	fd = vm_open(path, O_WRONLY);
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		fail_msg("writing %s to %s: %s", value, path, strerror(errno));
	close(fd);
}

/*
 * busy lists requests that the driver has not completed. Changing the depth of
 * the queue freezes it, which waits for whoever still has a reference on it.
 */
void storm_idle(const char *disk)
{
	const char *name = strrchr(disk, '/') + 1;

	vm_sh("sync; for i in $(seq 50); do "
	      "[ -z \"$(cat /sys/kernel/debug/block/%s/hctx*/busy)\" ] && exit 0; sleep 0.1; done; "
	      "cat /sys/kernel/debug/block/%s/hctx*/busy; exit 1", name, name);
	vm_sh("n=$(cat /sys/block/%s/queue/nr_requests) && echo $((n / 2)) >/sys/block/%s/queue/"
	      "nr_requests && echo $n >/sys/block/%s/queue/nr_requests", name, name, name);
}
