// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker load: which object file a name stands for.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "walker.h"

#define SUFFIX	".bpf.o"

/* Part @i of CAROM_BPF_PATH; empty ones do not count. */
static bool path_part(unsigned int *i, char *dir, size_t size)
{
	const char *dirs = getenv("CAROM_BPF_PATH");
	size_t len;

	for (; dirs && *dirs; dirs += len + (dirs[len] == ':')) {
		len = strcspn(dirs, ":");
		if (!len || (*i)--)
			continue;
		snprintf(dir, size, "%.*s", (int)len, dirs);
		return true;
	}
	return false;
}

static void beside_program(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - sizeof("/bpf"));
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	strcpy(slash ? slash : dir, "/bpf");
}

/* Directory @i of those that are searched, in that order; false behind the last. */
static bool search_dir(unsigned int i, char *dir, size_t size)
{
	if (path_part(&i, dir, size))
		return true;
	if (i > 1)
		return false;
	if (i)
		snprintf(dir, size, "%s", CAROM_LIBDIR "/carom/bpf");
	else
		beside_program(dir, size);
	return true;
}

bool walker_find(struct walker_object *o, const char *arg)
{
	size_t size = sizeof(o->path), len = strlen(arg);
	char dir[PATH_MAX];
	unsigned int i;
	int n;

	if (strchr(arg, '/') || (len > 2 && !strcmp(arg + len - 2, ".o"))) {
		snprintf(o->path, size, "%s", arg);
		return !access(o->path, F_OK);
	}
	for (i = 0; search_dir(i, dir, sizeof(dir)); i++) {
		n = snprintf(o->path, size, "%s/%s" SUFFIX, dir, arg);
		if (n > 0 && (size_t)n < size && !access(o->path, F_OK))
			return true;
	}
	return false;
}

static void names_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t len;

	while (dir && (entry = readdir(dir))) {
		len = strlen(entry->d_name);
		if (len <= strlen(SUFFIX) || entry->d_name[0] == '.')
			continue;
		len -= strlen(SUFFIX);
		if (!strcmp(entry->d_name + len, SUFFIX))
			printf("%.*s\n", (int)len, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void walker_names(void)
{
	char dir[PATH_MAX];
	unsigned int i;

	for (i = 0; search_dir(i, dir, sizeof(dir)); i++)
		names_in(dir);
}
