// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker load: from object file to pinned link, and in few lines why not.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "walker.h"

#define LOG_SIZE	(1 << 20)
#define LOG_TAIL	9		/* lines shown without --log */
#define LOG_BEGIN	"-- BEGIN PROG LOAD LOG --"
#define LOG_END		"-- END PROG LOAD LOG --"
#define MAX_WALKERS	16

/*
 * struct carom_walker_ops as <carom/bpf.h> lays it out, up to what is looked at
 * here; the kernel has its own layout, which libbpf matches by member name.
 */
struct walker_ops_head {
	char name[CAROM_WALKER_NAME_LEN];
	__u32 abi;
	__u32 node_size;
	__u32 scratch_size;
};

/**
 * struct loader - one load
 * @pinned: walkers pinned so far, to be unpinned if a later one fails
 */
struct loader {
	const struct walker_cmd *cmd;
	char path[PATH_MAX];
	struct bpf_object *obj;
	struct bpf_link *links[MAX_WALKERS];
	char pinned[MAX_WALKERS][CAROM_WALKER_NAME_LEN];
	int count;
};

/* libbpf's print callback has no argument of its own. */
static char *log_text;
static size_t log_len;
static bool log_live;

static int log_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	if (log_live) {
		va_copy(copy, ap);
		vfprintf(stderr, fmt, copy);
		va_end(copy);
	}
	if (level == LIBBPF_DEBUG || !log_text || log_len + 1 >= LOG_SIZE)
		return 0;
	n = vsnprintf(log_text + log_len, LOG_SIZE - log_len, fmt, ap);
	if (n > 0)
		log_len += (size_t)n < LOG_SIZE - log_len ? (size_t)n : LOG_SIZE - log_len - 1;
	return n;
}

/* The end of the log; of the verifier's, if it has said something. Cuts the log. */
static const char *log_tail(void)
{
	int lines = LOG_TAIL;
	char *end, *p;

	if (!log_text || !log_len)
		return "";
	end = strstr(log_text, LOG_END);
	if (!end)
		end = log_text + log_len;
	if (end > log_text && end[-1] == '\n')
		end--;
	*end = '\0';
	for (p = end; p > log_text; p--)
		if (p[-1] == '\n' && !--lines)
			break;
	return p;
}

static bool log_says(const char *text)
{
	return log_text && strstr(log_text, text);
}

/* ---- which object ---- */

static bool try_path(char *path, size_t size, const char *dir, size_t dir_len, const char *name)
{
	int n = snprintf(path, size, "%.*s/%s.bpf.o", (int)dir_len, dir, name);

	return n > 0 && (size_t)n < size && !access(path, F_OK);
}

static bool find_in_path(char *path, size_t size, const char *dirs, const char *name)
{
	size_t len;

	for (; dirs && *dirs; dirs += len + (dirs[len] == ':')) {
		len = strcspn(dirs, ":");
		if (len && try_path(path, size, dirs, len, name))
			return true;
	}
	return false;
}

static bool find_beside_program(char *path, size_t size, const char *name)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - sizeof("/bpf"));
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	strcpy(slash, "/bpf");
	return try_path(path, size, exe, strlen(exe), name);
}

static bool find_object(struct loader *ld, const char *arg)
{
	static const char installed[] = CAROM_LIBDIR "/carom/bpf";
	size_t size = sizeof(ld->path);

	if (strchr(arg, '/') || (strlen(arg) > 2 && !strcmp(arg + strlen(arg) - 2, ".o"))) {
		snprintf(ld->path, size, "%s", arg);
		return !access(ld->path, F_OK);
	}
	return find_in_path(ld->path, size, getenv("CAROM_BPF_PATH"), arg) ||
	       find_beside_program(ld->path, size, arg) ||
	       try_path(ld->path, size, installed, strlen(installed), arg);
}

/* ---- can this machine? ---- */

static int check_object(const struct loader *ld)
{
	const struct cli *cli = &ld->cmd->cli;
	const struct walker_ops_head *head;
	struct bpf_map *map;
	int count = 0;
	size_t size;

	bpf_object__for_each_map(map, ld->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		count++;
		head = bpf_map__initial_value(map, &size);
		/* An older libbpf does not tell: then the kernel refuses what is wrong. */
		if (!head || size < sizeof(*head))
			continue;
		if (head->abi != CAROM_ABI_VERSION)
			return cli_fail(cli, CLI_FORMAT,
				"%s: walker %.*s has ABI %u, this carom %u; build it again",
				ld->path, CAROM_WALKER_NAME_LEN, head->name, head->abi,
				CAROM_ABI_VERSION);
		if (!memchr(head->name, '\0', sizeof(head->name)) || !walker_name_ok(head->name))
			return cli_fail(cli, CLI_FORMAT, "%s: walker %.*s: not a valid name",
					ld->path, CAROM_WALKER_NAME_LEN, head->name);
	}
	if (!count || count > MAX_WALKERS)
		return cli_fail(cli, CLI_FORMAT, "%s: %d walkers (CAROM_WALKER) in it, not 1 to %d",
				ld->path, count, MAX_WALKERS);
	return 0;
}

static int check_machine(const struct loader *ld)
{
	const struct cli *cli = &ld->cmd->cli;

	if (access("/sys/kernel/btf/carom", F_OK)) {
		if (!access("/sys/module/carom", F_OK))
			return cli_fail(cli, CLI_BACKEND,
				"carom.ko is loaded without BTF (no /sys/kernel/btf/carom); build "
				"it again where pahole and vmlinux BTF are");
		return cli_fail(cli, CLI_BACKEND,
			"carom.ko is not loaded (no /sys/kernel/btf/carom); see carom doctor");
	}
	if (!bpffs_mounted())
		return cli_fail(cli, CLI_BACKEND, "bpffs is not mounted: mount -t bpf bpf "
				BPFFS_DIR);
	return 0;
}

static int explain(const struct loader *ld, const char *what, int code)
{
	const struct cli *cli = &ld->cmd->cli;
	bool verifier = log_says(LOG_BEGIN);

	/* The verifier's refusals are EACCES, too. */
	if (!verifier && (code == -EPERM || code == -EACCES))
		return cli_fail(cli, CLI_BACKEND,
			"%s: %s: no privilege (root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN)",
			ld->path, what);
	if (verifier)
		return cli_fail(cli, CLI_BACKEND, "%s: the verifier rejects it%s:\n%s", ld->path,
				ld->cmd->log ? "" : " (all of it with --log)",
				log_tail());
	if (log_says("not found in kernel BTF") || log_says("is not found in kernel"))
		return cli_fail(cli, CLI_BACKEND,
			"%s: %s: the loaded carom.ko lacks something the walker needs:\n%s",
			ld->path, what, log_tail());
	if (code == -EEXIST || code == -EBUSY)
		return cli_fail(cli, CLI_BACKEND,
			"%s: %s: a walker of that name is loaded already; carom walker unload it "
			"first, or end the program that holds it", ld->path, what);
	return cli_fail(cli, CLI_BACKEND, "%s: %s: %s%s%s", ld->path, what, strerror(-code),
			log_len ? "\n" : "", log_tail());
}

/* ---- attach and pin ---- */

static const char *map_walker_name(const struct bpf_map *map)
{
	const struct walker_ops_head *head;
	size_t size;

	/* bpf_map__initial_value() takes no const. */
	head = bpf_map__initial_value((struct bpf_map *)map, &size);
	return head && size >= sizeof(*head) && walker_name_ok(head->name) ? head->name :
	       bpf_map__name(map);
}

static int pin_one(struct loader *ld, struct bpf_map *map)
{
	char pin[sizeof(PIN_DIR) + 1 + CAROM_WALKER_NAME_LEN];
	const char *name = map_walker_name(map);
	struct bpf_link *link;
	int ret;

	walker_pin_path(pin, sizeof(pin), name);
	if (!access(pin, F_OK))
		return cli_fail(&ld->cmd->cli, CLI_BACKEND,
			"walker %s is loaded already (%s); carom walker unload %s first", name, pin,
			name);
	link = bpf_map__attach_struct_ops(map);
	if (!link)
		return explain(ld, "attaching the walker", -errno);
	ld->links[ld->count] = link;
	snprintf(ld->pinned[ld->count], sizeof(ld->pinned[0]), "%s", name);
	ld->count++;
	ret = bpf_link__pin(link, pin);
	return ret ? explain(ld, "pinning the walker in " PIN_DIR, ret) : 0;
}

static int pin_all(struct loader *ld)
{
	struct bpf_map *map;
	int ret;

	if (mkdir(PIN_DIR, 0755) && errno != EEXIST)
		return explain(ld, "making " PIN_DIR, -errno);
	bpf_object__for_each_map(map, ld->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
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
	bpf_object__close(ld->obj);
	free(log_text);
	log_text = NULL;
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
	json_object_object_add(doc, "object", cli_json_text(ld->path));
	json_object_object_add(doc, "loaded", list);
	return cli_doc_print(doc, CLI_OK);
}

static int open_object(struct loader *ld)
{
	ld->obj = bpf_object__open_file(ld->path, NULL);
	if (ld->obj)
		return check_object(ld);
	if (errno == EACCES || errno == EPERM || errno == EIO)
		return cli_fail(&ld->cmd->cli, CLI_IO, "%s: cannot be read: %s", ld->path,
				strerror(errno));
	return cli_fail(&ld->cmd->cli, CLI_FORMAT, "%s: not a BPF object: %s", ld->path,
			strerror(errno));
}

static int load(struct loader *ld)
{
	int ret = open_object(ld);

	if (!ret)
		ret = check_machine(ld);
	if (ret)
		return ret;
	ret = bpf_object__load(ld->obj);
	if (ret)
		return explain(ld, "loading", ret);
	return pin_all(ld);
}

int walker_load(const struct walker_cmd *cmd)
{
	struct loader ld = { .cmd = cmd };
	int ret;

	if (!find_object(&ld, cmd->arg))
		return cli_fail(&cmd->cli, CLI_IO,
			"%s: no such object file, nor an installed walker of that name "
			"(CAROM_BPF_PATH says where else to look)", cmd->arg);
	log_text = calloc(1, LOG_SIZE);
	log_live = cmd->log;
	libbpf_set_print(log_print);
	ret = load(&ld);
	if (!ret)
		ret = show(&ld);
	loader_end(&ld, ret != 0);
	return ret;
}
