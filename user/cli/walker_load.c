// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker load: from object file to pinned link.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "walker.h"

/**
 * struct loader - one load
 * @pinned: walkers pinned so far, to be unpinned if a later one fails
 */
struct loader {
	const struct walker_cmd *cmd;
	struct walker_object object;
	struct bpf_link *links[WALKER_MAX];
	char pinned[WALKER_MAX][CAROM_WALKER_NAME_LEN];
	int count;
};

/* ---- attach and pin ---- */

static const char *map_walker_name(const struct bpf_map *map)
{
	const struct walker_head *head = walker_object_head(map);

	return head ? head->name : bpf_map__name(map);
}

static int pin_one(struct loader *ld, struct bpf_map *map)
{
	char pin[sizeof(PIN_DIR) + 1 + CAROM_WALKER_NAME_LEN];
	const char *name = map_walker_name(map);
	struct bpf_link *link;
	int ret;

	walker_pin_path(pin, sizeof(pin), name);
	if (!access(pin, F_OK))
		return walker_object_fail(&ld->object, CLI_BACKEND,
			"walker %s is loaded already (%s); carom walker unload %s first", name, pin,
			name);
	link = bpf_map__attach_struct_ops(map);
	if (!link)
		return walker_object_explain(&ld->object, "attaching the walker", -errno);
	ld->links[ld->count] = link;
	snprintf(ld->pinned[ld->count], sizeof(ld->pinned[0]), "%s", name);
	ld->count++;
	ret = bpf_link__pin(link, pin);
	if (!ret)
		return 0;
	return walker_object_explain(&ld->object, "pinning the walker in " PIN_DIR, ret);
}

static int pin_all(struct loader *ld)
{
	struct bpf_map *map = NULL;
	int ret;

	if (!bpffs_mounted())
		return walker_object_fail(&ld->object, CLI_BACKEND,
					  "bpffs is not mounted: mount -t bpf bpf " BPFFS_DIR);
	if (mkdir(PIN_DIR, 0755) && errno != EEXIST)
		return walker_object_explain(&ld->object, "making " PIN_DIR, -errno);
	while ((map = walker_object_next(&ld->object, map))) {
		ret = pin_one(ld, map);
		if (ret)
			return ret;
	}
	return 0;
}

/* Closing a link ends it unless it is pinned; after a failure none may stay. */
static void loader_end(struct loader *ld, bool failed)
{
	int i;

	for (i = 0; i < ld->count; i++) {
		if (failed && bpf_link__pin_path(ld->links[i]))
			bpf_link__unpin(ld->links[i]);
		bpf_link__destroy(ld->links[i]);
	}
	walker_object_close(&ld->object);
}

static int show(const struct loader *ld)
{
	char pin[sizeof(PIN_DIR) + 1 + CAROM_WALKER_NAME_LEN];
	struct json_object *doc, *list, *obj;
	int i;

	if (!ld->cmd->cli.json) {
		for (i = 0; i < ld->count; i++)
			printf("%s: loaded, pinned at %s/%s\n", ld->pinned[i], PIN_DIR,
			       ld->pinned[i]);
		return cli_flush(CLI_OK);
	}
	doc = cli_doc(&ld->cmd->cli);
	list = json_object_new_array();
	for (i = 0; i < ld->count; i++) {
		walker_pin_path(pin, sizeof(pin), ld->pinned[i]);
		obj = json_object_new_object();
		json_object_object_add(obj, "name", cli_json_text(ld->pinned[i]));
		json_object_object_add(obj, "pin", cli_json_text(pin));
		json_object_array_add(list, obj);
	}
	json_object_object_add(doc, "object", cli_json_text(ld->object.path));
	json_object_object_add(doc, "loaded", list);
	return cli_doc_print(doc, CLI_OK);
}

int walker_load(const struct walker_cmd *cmd)
{
	struct loader ld = { .cmd = cmd };
	struct walker_object *o = &ld.object;
	int ret;

	if (!walker_find(o, cmd->arg))
		return cli_fail(&cmd->cli, CLI_IO,
			"%s: no such object file, nor an installed walker of that name "
			"(CAROM_BPF_PATH says where else to look)", cmd->arg);
	ret = walker_object_open(o, cmd);
	if (!ret)
		ret = walker_object_load(o);
	if (!ret)
		ret = pin_all(&ld);
	loader_end(&ld, ret != 0);
	if (!ret)
		return show(&ld);
	return cli_fail_in(&cmd->cli, cmd->cli.json ? cli_doc(&cmd->cli) : NULL, ret, o->error);
}
