// SPDX-License-Identifier: GPL-2.0
/*
 * carom map: where a file's blocks are, and whether it can be sealed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"

static const struct argp_option options[] = {
	CLI_OPTION_JSON,
	{ 0 },
};

struct map_cmd {
	struct cli cli;
	const char *path;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct map_cmd *cmd = state->input;

	switch (key) {
	case CLI_KEY_JSON:
		cmd->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (cmd->path)
			return cli_usage(&cmd->cli, "more than one FILE");
		cmd->path = arg;
		return 0;
	case ARGP_KEY_END:
		return cmd->path ? 0 : cli_usage(&cmd->cli, "FILE is missing");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct cli_arg args[] = {
	{ .kind = CLI_KIND_FILE, .nth = 1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Show file offset, first LBA and length of each extent of FILE, and whether it can "
	       "be sealed for lookups in the kernel.\v"
	       "Offsets and lengths are bytes. The extents are the kernel module's own if FILE "
	       "can be sealed, else the filesystem's (FIEMAP). Exit status: 0, 2 usage, 5 FILE "
	       "cannot be read or has no extents on a device.",
};

static int show_json(const struct map_cmd *cmd, const struct carom_map *map)
{
	const char *refusal = carom_map__refusal(map);
	struct json_object *doc = cli_doc(&cmd->cli);
	struct json_object *list = json_object_new_array(), *obj;
	const struct carom_map_extent *ext;
	size_t count, i;

	ext = carom_map__extents(map, &count);
	for (i = 0; i < count; i++) {
		obj = json_object_new_object();
		json_object_object_add(obj, "offset", json_object_new_uint64(ext[i].offset_bytes));
		json_object_object_add(obj, "length", json_object_new_uint64(ext[i].length_bytes));
		json_object_object_add(obj, "lba", json_object_new_uint64(ext[i].lba));
		json_object_array_add(list, obj);
	}
	json_object_object_add(doc, "file", cli_json_bytes(cmd->path, strlen(cmd->path), false));
	json_object_object_add(doc, "lba_bytes",
			       json_object_new_uint64(carom_map__lba_bytes(map)));
	json_object_object_add(doc, "sealed", json_object_new_boolean(!refusal));
	json_object_object_add(doc, "refusal", cli_json_text(refusal));
	json_object_object_add(doc, "source", json_object_new_string(refusal ? "fiemap" : "carom"));
	json_object_object_add(doc, "extents", list);
	return cli_doc_print(doc, CLI_OK);
}

static int show_text(const struct carom_map *map)
{
	const char *refusal = carom_map__refusal(map);
	const struct carom_map_extent *ext;
	size_t count, i;

	ext = carom_map__extents(map, &count);
	printf("%20s %16s %16s\n", "OFFSET", "LBA", "LENGTH");
	for (i = 0; i < count; i++)
		printf("%20" PRIu64 " %16" PRIu64 " %16" PRIu64 "\n", ext[i].offset_bytes,
		       ext[i].lba, ext[i].length_bytes);
	printf("%zu extent%s, LBA size %u bytes, from the %s\n", count, count == 1 ? "" : "s",
	       carom_map__lba_bytes(map), refusal ? "filesystem" : "sealed map");
	if (refusal)
		printf("cannot be sealed: %s\n", refusal);
	else
		puts("can be sealed");
	return cli_flush(CLI_OK);
}

static int run_map(int argc, char **argv)
{
	struct map_cmd cmd = { .cli.name = "carom map" };
	struct carom_error err;
	struct carom_map *map;
	int ret = cli_parse(&cmd.cli, &argp, argc, argv, &cmd);

	if (ret)
		return ret;
	if (carom_map__open(cmd.path, &map, &err))
		return cli_fail(&cmd.cli, cli_exit_of(err.fault), "%s", err.text);
	ret = cmd.cli.json ? show_json(&cmd, map) : show_text(map);
	carom_map__close(map);
	return ret;
}

const struct cli_command cmd_map = {
	.name = "map",
	.run = run_map,
	.text = "show where a file's blocks are, and whether it can be sealed",
	.argp = &argp,
	.args = args,
};
