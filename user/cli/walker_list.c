// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker list and unload: the pins of walkers.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "walker.h"

#define BPFFS_MAGIC	0xcafe4a11

bool bpffs_mounted(void)
{
	struct statfs fs;

	return !statfs(BPFFS_DIR, &fs) && (unsigned int)fs.f_type == BPFFS_MAGIC;
}

bool walker_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len < CAROM_WALKER_NAME_LEN && name[0] != '.' && !strchr(name, '/');
}

void walker_pin_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", PIN_DIR, name);
}

/* Id of the link pinned at @path: 0 if it is none, or not for us to see. */
static unsigned int pinned_link_id(const char *path)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	close(fd);
	return info.id;
}

static void list_one(const struct walker_cmd *cmd, struct json_object *list, const char *name)
{
	char path[sizeof(PIN_DIR) + 1 + NAME_MAX];
	struct json_object *obj;
	unsigned int id;

	walker_pin_path(path, sizeof(path), name);
	id = pinned_link_id(path);
	if (!cmd->cli.json) {
		if (id)
			printf("%-20s %-40s %u\n", name, path, id);
		else
			printf("%-20s %-40s ?\n", name, path);
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "name", cli_json_text(name));
	json_object_object_add(obj, "pin", cli_json_text(path));
	json_object_object_add(obj, "link_id", id ? json_object_new_uint64(id) : NULL);
	json_object_array_add(list, obj);
}

int walker_list(const struct walker_cmd *cmd)
{
	struct json_object *doc = NULL, *list = NULL;
	DIR *dir = opendir(PIN_DIR);
	struct dirent *entry;

	/* No directory: nothing was ever loaded. */
	if (!dir && errno != ENOENT && errno != ENOTDIR)
		return cli_fail(&cmd->cli, errno == EACCES || errno == EPERM ? CLI_BACKEND : CLI_IO,
				PIN_DIR " cannot be read: %s", strerror(errno));
	if (cmd->cli.json) {
		doc = cli_doc(&cmd->cli);
		list = json_object_new_array();
		json_object_object_add(doc, "walkers", list);
	} else {
		printf("%-20s %-40s %s\n", "NAME", "PIN", "LINK");
	}
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			list_one(cmd, list, entry->d_name);
	if (dir)
		closedir(dir);
	return doc ? cli_doc_print(doc, CLI_OK) : cli_flush(CLI_OK);
}

void walker_pins(void)
{
	DIR *dir = opendir(PIN_DIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			puts(entry->d_name);
	if (dir)
		closedir(dir);
}

int walker_unload(const struct walker_cmd *cmd)
{
	char path[sizeof(PIN_DIR) + 1 + NAME_MAX];
	struct json_object *doc;

	if (!walker_name_ok(cmd->arg))
		return cli_fail(&cmd->cli, CLI_USAGE, "%s: not the name of a walker", cmd->arg);
	walker_pin_path(path, sizeof(path), cmd->arg);
	if (unlink(path)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return cli_fail(&cmd->cli, CLI_ABSENT,
				"walker %s is not loaded (no %s); see carom walker list", cmd->arg,
				path);
		return cli_fail(&cmd->cli, errno == EACCES || errno == EPERM ? CLI_BACKEND : CLI_IO,
				"%s cannot be removed: %s", path, strerror(errno));
	}
	if (!cmd->cli.json)
		return CLI_OK;
	doc = cli_doc(&cmd->cli);
	json_object_object_add(doc, "unloaded", cli_json_text(cmd->arg));
	return cli_doc_print(doc, CLI_OK);
}
