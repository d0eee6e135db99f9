// SPDX-License-Identifier: GPL-2.0
/*
 * For carom doctor: which modules there are for the running kernel.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "doctor.h"

/* Why carom-dkms has built nothing for a kernel, by its release; dkms/update leaves it there. */
#define DKMS_REFUSED	"/var/lib/carom-dkms/refused"

bool doctor_module_installed(void)
{
	char path[sizeof("/lib/modules//modules.dep") + sizeof(((struct utsname *)0)->release)];
	struct utsname uts;
	bool found = false;
	char line[4096];
	FILE *file;

	if (uname(&uts))
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", uts.release);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/carom.ko");
	}
	if (file)
		fclose(file);
	return found;
}

/* What is built in has a directory for its parameters, and nothing that modules alone have. */
bool doctor_module_built_in(void)
{
	return !access("/sys/module/carom", F_OK) && access("/sys/module/carom/initstate", F_OK);
}

bool doctor_dkms_refused(char *why, size_t size)
{
	char path[sizeof(DKMS_REFUSED "/") + sizeof(((struct utsname *)0)->release)];
	struct utsname uts;
	bool refused;
	FILE *file;

	if (uname(&uts))
		return false;
	snprintf(path, sizeof(path), DKMS_REFUSED "/%s", uts.release);
	file = fopen(path, "re");
	if (!file)
		return false;
	refused = fgets(why, (int)size, file);
	fclose(file);
	if (refused)
		why[strcspn(why, "\n")] = '\0';
	return refused;
}
