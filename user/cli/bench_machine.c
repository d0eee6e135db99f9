// SPDX-License-Identifier: GPL-2.0
/*
 * What the figures depend on: machine, kernel, device, Carom.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/carom.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bench.h"

/* The first line of a file, without white space around it; false if there is none. */
static bool first_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	char *got = NULL, *start;
	size_t len;

	if (!file)
		return false;
	got = fgets(text, (int)size, file);
	fclose(file);
	if (!got)
		return false;
	start = text + strspn(text, " \t");
	len = strlen(start);
	while (len && strchr(" \t\n", start[len - 1]))
		len--;
	memmove(text, start, len);
	text[len] = '\0';
	return true;
}

static void add_text(struct json_object *obj, const char *name, const char *text)
{
	json_object_object_add(obj, name, cli_json_text(text));
}

static void add_line(struct json_object *obj, const char *name, const char *path)
{
	char text[4096];

	add_text(obj, name, first_line(path, text, sizeof(text)) ? text : NULL);
}

/* A number if it is one. */
static void add_number(struct json_object *obj, const char *name, const char *path)
{
	char text[64], *end;
	long value;

	if (!first_line(path, text, sizeof(text))) {
		json_object_object_add(obj, name, NULL);
		return;
	}
	value = strtol(text, &end, 10);
	json_object_object_add(obj, name, *end ? json_object_new_string(text) :
			       json_object_new_int64(value));
}

/* ---- machine and kernel ---- */

/* The first line of /proc/cpuinfo of that name: what stands behind the colon. */
static bool cpu_line(const char *name, char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192], *colon;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		colon = strchr(line, ':');
		if (!colon || strncmp(line, name, strlen(name)))
			continue;
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(text, size, "%s", colon[1] ? colon + 2 : "");
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

static struct json_object *machine(void)
{
	struct json_object *obj = json_object_new_object();
	char text[8192];

	add_text(obj, "cpu", cpu_line("model name", text, sizeof(text)) ? text : NULL);
	json_object_object_add(obj, "cpus",
			       json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_object_add(obj, "memory_bytes",
			       json_object_new_int64(sysconf(_SC_PHYS_PAGES) *
						     sysconf(_SC_PAGESIZE)));
	if (!cpu_line("flags", text, sizeof(text)))
		text[0] = '\0';
	json_object_object_add(obj, "virtual",
			       json_object_new_boolean(strstr(text, " hypervisor") != NULL));
	add_line(obj, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	return obj;
}

static struct json_object *kernel(void)
{
	struct json_object *obj = json_object_new_object();
	struct utsname uts;

	if (!uname(&uts)) {
		add_text(obj, "release", uts.release);
		add_text(obj, "version", uts.version);
	}
	add_line(obj, "command_line", "/proc/cmdline");
	return obj;
}

/* ---- device ---- */

/* Sysfs directory of the disk that the file is on; false if there is none, as on tmpfs. */
static bool disk_dir(const char *path, char *dir)
{
	char link[64], part[PATH_MAX + 16];
	struct stat st;

	if (stat(path, &st))
		return false;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (!realpath(link, dir))
		return false;
	snprintf(part, sizeof(part), "%s/partition", dir);
	if (!access(part, F_OK))
		*strrchr(dir, '/') = '\0';
	return true;
}

/* Of several the one in brackets. */
static void add_scheduler(struct json_object *obj, const char *path)
{
	char text[256], *name;

	if (!first_line(path, text, sizeof(text)))
		return;
	name = strchr(text, '[');
	name = name ? name + 1 : text;
	name[strcspn(name, "]")] = '\0';
	add_text(obj, "scheduler", name);
}

static void add_filesystem(struct json_object *obj, const char *path)
{
	char line[4096], want[32], *dash;
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	struct stat st;

	if (!file || stat(path, &st))
		st.st_dev = 0;
	snprintf(want, sizeof(want), " %u:%u ", major(st.st_dev), minor(st.st_dev));
	while (file && !found && fgets(line, sizeof(line), file)) {
		dash = strstr(line, " - ");
		found = dash && strstr(line, want);
		if (found) {
			dash[3 + strcspn(dash + 3, " ")] = '\0';
			add_text(obj, "filesystem", dash + 3);
		}
	}
	if (file)
		fclose(file);
}

static struct json_object *device(const char *path)
{
	static const struct {
		const char *name, *file;
		bool text;
	} attributes[] = {
		{ "model", "device/model", true },
		{ "firmware", "device/firmware_rev", true },
		{ "transport", "device/transport", true },
		{ "lba_bytes", "queue/logical_block_size", false },
		{ "sectors", "size", false },
		{ "write_cache", "queue/write_cache", true },
		{ "io_poll", "queue/io_poll", false },
	};
	struct json_object *obj = json_object_new_object();
	char dir[PATH_MAX], name[PATH_MAX + 32];
	size_t i;

	add_filesystem(obj, path);
	if (!disk_dir(path, dir)) {
		add_text(obj, "name", NULL);
		return obj;
	}
	add_text(obj, "name", strrchr(dir, '/') + 1);
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, attributes[i].file);
		(attributes[i].text ? add_line : add_number)(obj, attributes[i].name, name);
	}
	snprintf(name, sizeof(name), "%s/queue/scheduler", dir);
	add_scheduler(obj, name);
	add_number(obj, "poll_queues", "/sys/module/nvme/parameters/poll_queues");
	return obj;
}

/* ---- Carom ---- */

static struct json_object *carom(void)
{
	struct json_object *obj = json_object_new_object();
	struct carom_info info = { .size = sizeof(info) };
	int fd = open("/dev/carom", O_RDWR | O_CLOEXEC);

	add_text(obj, "version", CAROM_VERSION);
	json_object_object_add(obj, "module",
			       json_object_new_boolean(!access("/sys/module/carom", F_OK)));
	add_line(obj, "module_version", "/sys/module/carom/srcversion");
	if (fd < 0)
		return obj;
	if (!ioctl(fd, CAROM_IOC_INFO, &info)) {
		json_object_object_add(obj, "abi", json_object_new_int64(info.abi));
		json_object_object_add(obj, "walkers", json_object_new_int64(info.nr_walkers));
	}
	close(fd);
	return obj;
}

/* ---- */

bool bench_machine_emulated(const char *path)
{
	char text[8192], dir[PATH_MAX], name[PATH_MAX + 32];

	if (cpu_line("model name", text, sizeof(text)) && strstr(text, "TCG"))
		return true;
	if (!disk_dir(path, dir))
		return false;
	snprintf(name, sizeof(name), "%s/device/model", dir);
	return first_line(name, text, sizeof(text)) && !strncmp(text, "QEMU", 4);
}

void bench_machine_add(struct json_object *doc, const char *path)
{
	json_object_object_add(doc, "machine", machine());
	json_object_object_add(doc, "kernel", kernel());
	json_object_object_add(doc, "device", device(path));
	json_object_object_add(doc, "carom", carom());
	json_object_object_add(doc, "emulated",
			       json_object_new_boolean(bench_machine_emulated(path)));
}
