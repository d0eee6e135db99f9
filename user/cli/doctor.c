// SPDX-License-Identifier: GPL-2.0
/*
 * carom doctor: what this machine has and lacks, and what to do about it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/carom.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "cli.h"
#include "doctor.h"

#define DEVICE		"/dev/carom"

static const char *const tested_releases[] = { "6.12.", "7.3." };

/*
 * OK and MISSING count for the verdict; INFO is worth knowing but stands in
 * nobody's way.
 */
enum state { STATE_OK, STATE_INFO, STATE_MISSING };
static const char *const state_names[] = { "ok", "info", "missing" };
static const enum cli_style state_styles[] = { CLI_GOOD, CLI_PLAIN, CLI_BAD };

/**
 * struct doctor - one run of carom doctor
 * @path: FILE, or NULL
 * @checks: with --json, what was said
 * @missing: how many of them
 * @next: what to do about the first one, @next_check; checks are in the order in which
 *	one needs the other
 */
struct doctor {
	struct cli cli;
	const char *path;
	struct json_object *checks;
	int missing;
	char next[640];
	const char *next_check;
};

static const struct argp_option options[] = {
	CLI_OPTION_JSON,
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct doctor *doc = state->input;

	switch (key) {
	case CLI_KEY_JSON:
		doc->cli.json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (doc->path)
			return cli_usage(&doc->cli, "more than one FILE");
		doc->path = arg;
		return 0;
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
	.args_doc = "[FILE]",
	.doc = "Say what this machine has and lacks for lookups in the kernel, and with FILE "
	       "whether it can be sealed.\v"
	       "Exit status: 0 the kernel backend can work, 2 usage, 4 it cannot.",
};

/* One line; @advice is what to do, or NULL: @fmt says that, too. */
__attribute__((format(printf, 5, 6)))
static void say(struct doctor *doc, const char *name, enum state state, const char *advice,
		const char *fmt, ...)
{
	struct json_object *obj;
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (state == STATE_MISSING && !doc->missing++) {
		doc->next_check = name;
		snprintf(doc->next, sizeof(doc->next), "%s", advice ? advice : text);
	}
	if (!doc->cli.json) {
		printf("%s[%s]%s%*s%-9s %s%s%s\n", cli_style(state_styles[state]),
		       state_names[state], cli_style(CLI_PLAIN),
		       8 - (int)strlen(state_names[state]), "", name, text,
		       advice ? ": " : "", advice ? advice : "");
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "name", json_object_new_string(name));
	json_object_object_add(obj, "state", json_object_new_string(state_names[state]));
	json_object_object_add(obj, "text", cli_json_text(text));
	json_object_object_add(obj, "advice", cli_json_text(advice));
	json_object_array_add(doc->checks, obj);
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static bool is_tested(const char *release)
{
	size_t i;

	for (i = 0; i < sizeof(tested_releases) / sizeof(tested_releases[0]); i++)
		if (!strncmp(release, tested_releases[i], strlen(tested_releases[i])))
			return true;
	return false;
}

static void check_kernel(struct doctor *doc)
{
	struct utsname uts;

	if (uname(&uts))
		return;
	if (is_tested(uts.release))
		say(doc, "kernel", STATE_OK, NULL, "Linux %s", uts.release);
	else if (exists("/sys/module/carom"))
		say(doc, "kernel", STATE_INFO, NULL,
		    "Linux %s, module and driver patch are tested on 6.12 and 7.3",
		    uts.release);
	else
		say(doc, "kernel", STATE_MISSING,
		    "boot Debian's 6.12 kernel, on which module and driver patch are tested",
		    "Linux %s", uts.release);
}

static void check_module(struct doctor *doc)
{
	char why[512];

	if (doctor_module_built_in())
		say(doc, "module", STATE_OK, NULL, "carom is built into the kernel");
	else if (exists("/sys/module/carom"))
		say(doc, "module", STATE_OK, NULL, "carom.ko is loaded");
	else if (doctor_module_installed())
		say(doc, "module", STATE_MISSING, "as root: modprobe carom",
		    "carom.ko is installed, but not loaded");
	else if (doctor_dkms_refused(why, sizeof(why)))
		say(doc, "module", STATE_MISSING, NULL,
		    "carom.ko is not built for this kernel, as the driver is not");
	else
		say(doc, "module", STATE_MISSING,
		    "build with make kernel, then as root: modprobe libcrc32c (6.12 only), and insmod "
		    "the patched nvme.ko and carom.ko",
		    "carom.ko is not loaded");
}

/* Does nvme have the hook, as a module or built in? Names are readable by anyone. */
static bool nvme_has_hook(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	bool found = false;
	char line[512];

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " nvme_chain_") &&
			(strstr(line, "[nvme]") || !strchr(line, '['));
	fclose(file);
	return found;
}

static void check_driver(struct doctor *doc)
{
	char why[512];

	if (exists("/sys/module/nvme/holders/carom") || nvme_has_hook())
		say(doc, "driver", STATE_OK, NULL, "nvme is the patched one");
	else if (doctor_dkms_refused(why, sizeof(why)))
		say(doc, "driver", STATE_MISSING,
		    "boot a kernel that has it, or install a newer carom-dkms",
		    "nvme is not patched, carom-dkms cannot build it for this kernel (%s)", why);
	else if (exists("/sys/module/nvme") && doctor_module_installed())
		say(doc, "driver", STATE_MISSING,
		    "as root: update-initramfs -u, and boot; dmesg tells if the kernel refuses it, as "
		    "under Secure Boot without its key",
		    "nvme is not patched, though there is a patched one for this kernel");
	else if (exists("/sys/module/nvme"))
		say(doc, "driver", STATE_MISSING,
		    "build with make kernel and load that nvme.ko instead (not while a mounted "
		    "filesystem needs it)", "nvme is not patched");
	else
		say(doc, "driver", STATE_MISSING, "load the patched one from make kernel",
		    "nvme is not loaded");
}

static void check_btf(struct doctor *doc)
{
	bool carom = exists("/sys/kernel/btf/carom");

	if (!exists("/sys/kernel/btf/vmlinux"))
		say(doc, "btf", STATE_MISSING, "use a kernel with CONFIG_DEBUG_INFO_BTF",
		    "kernel has no BTF");
	else if (doctor_module_built_in())
		say(doc, "btf", STATE_OK, NULL, "of the kernel, and of carom in it");
	else if (exists("/sys/module/carom") && !carom)
		say(doc, "btf", STATE_MISSING, "build it again where pahole is installed",
		    "carom.ko has no BTF");
	else
		say(doc, "btf", STATE_OK, NULL, "of the kernel%s", carom ? " and of carom.ko" : "");
}

static void check_open_failed(struct doctor *doc, int code)
{
	struct stat st;

	if (code == ENOENT || stat(DEVICE, &st))
		say(doc, "device", STATE_MISSING, exists("/sys/module/carom") ?
		    "mount devtmpfs on /dev, or make the node of /sys/class/misc/carom/dev" :
		    "it comes with carom.ko", DEVICE " does not exist");
	else if (code == EACCES || code == EPERM)
		say(doc, "device", STATE_MISSING,
		    "be root, or in its group: DEVICE PERMISSIONS in carom(8)", DEVICE
		    " is not yours to open (uid %u, gid %u, mode %04o)", (unsigned int)st.st_uid,
		    (unsigned int)st.st_gid, (unsigned int)(st.st_mode & 07777));
	else
		say(doc, "device", STATE_MISSING, NULL, DEVICE " cannot be opened: %s",
		    strerror(code));
}

/* The device and its ABI; fills @info if it answers. */
static bool check_device(struct doctor *doc, struct carom_info *info)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	bool answers;

	if (fd < 0) {
		check_open_failed(doc, errno);
		return false;
	}
	info->size = sizeof(*info);
	answers = !ioctl(fd, CAROM_IOC_INFO, info);
	close(fd);
	if (!answers)
		say(doc, "device", STATE_MISSING, "is it carom.ko's?", DEVICE " does not answer");
	else if (info->abi != CAROM_ABI_VERSION)
		say(doc, "device", STATE_MISSING, "install module and command from one version",
		    "carom.ko has ABI %u, this command %u", info->abi, CAROM_ABI_VERSION);
	else
		say(doc, "device", STATE_OK, NULL, DEVICE ", ABI %u, %u sessions open", info->abi,
		    info->nr_sessions);
	return answers && info->abi == CAROM_ABI_VERSION;
}

static void check_bpffs(struct doctor *doc)
{
	if (bpffs_mounted())
		say(doc, "bpffs", STATE_OK, NULL, "mounted on " BPFFS_DIR);
	else
		say(doc, "bpffs", STATE_INFO, "mount -t bpf bpf " BPFFS_DIR,
		    "not mounted, carom walker load needs it");
}

/* Names of what is pinned, separated by spaces. */
static void pinned_names(char *names, size_t size)
{
	DIR *dir = opendir(PIN_DIR);
	struct dirent *entry;
	size_t len = 0;

	names[0] = '\0';
	while (dir && (entry = readdir(dir)) && len < size) {
		if (entry->d_name[0] == '.')
			continue;
		len += (size_t)snprintf(names + len, size - len, "%s%s", len ? " " : "",
					entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static void check_walkers(struct doctor *doc, const struct carom_info *info)
{
	char names[256];

	pinned_names(names, sizeof(names));
	if (info->nr_walkers)
		say(doc, "walkers", STATE_OK, NULL, "%u loaded%s%s", info->nr_walkers,
		    names[0] ? ", pinned: " : "", names);
	else
		say(doc, "walkers", STATE_MISSING, bpffs_mounted() ?
		    "as root: carom walker load lmdb" :
		    "as root: mount -t bpf bpf " BPFFS_DIR " && carom walker load lmdb",
		    "none is loaded");
}

static bool is_pcie(const char *controller)
{
	char path[sizeof("/sys/class/nvme//transport") + NAME_MAX], value[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/nvme/%s/transport", controller);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(value, sizeof(value), file))
		value[0] = '\0';
	fclose(file);
	return !strncmp(value, "pcie", 4);
}

static void check_devices(struct doctor *doc)
{
	DIR *dir = opendir("/sys/class/nvme");
	char names[256] = "";
	struct dirent *entry;
	size_t len = 0;

	while (dir && (entry = readdir(dir)) && len < sizeof(names)) {
		if (entry->d_name[0] == '.' || !is_pcie(entry->d_name))
			continue;
		len += (size_t)snprintf(names + len, sizeof(names) - len, " %s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (len)
		say(doc, "nvme", STATE_OK, NULL, "PCI controllers:%s", names);
	else
		say(doc, "nvme", STATE_MISSING, "use a machine with an NVMe device on PCI",
		    "no PCI controller, and chains run only there");
}

static void check_uring(struct doctor *doc)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (file && fscanf(file, "%d", &value) != 1)
		value = 0;
	if (file)
		fclose(file);
	say(doc, "io_uring", STATE_INFO, NULL,
	    !value ? "not disabled by sysctl, the first fallback" :
	    value == 1 ? "for privileged users only (sysctl kernel.io_uring_disabled)" :
	    "disabled (sysctl kernel.io_uring_disabled), the fallback is pread");
}

/* Which walker the file needs is the library's to say. */
static void check_index(struct doctor *doc)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = CAROM_BACKEND_KERNEL, .max_readers = 1,
		.max_in_flight = 1,
	};
	struct carom_index *ix;
	struct carom_error err;
	int ret = carom_index__open(doc->path, &opts, &ix, &err);

	/* Every SQLite file has this table; all need the same walker. */
	if (ret && err.fault == CAROM_FAULT_USAGE) {
		opts.table = "sqlite_schema";
		ret = carom_index__open(doc->path, &opts, &ix, &err);
	}
	if (!ret) {
		say(doc, "index", STATE_OK, NULL, "lookups in it: %s", carom_index__why(ix));
		carom_index__close(ix);
	} else {
		/* It may be for a walker of somebody's own. */
		say(doc, "index", err.fault == CAROM_FAULT_FORMAT ? STATE_INFO : STATE_MISSING,
		    NULL, "%s", err.text);
	}
}

static void check_file(struct doctor *doc)
{
	struct carom_error err;
	struct carom_map *map;
	const char *refusal;
	size_t count;

	if (carom_map__open(doc->path, &map, &err)) {
		say(doc, "file", STATE_MISSING, NULL, "%s", err.text);
		return;
	}
	refusal = carom_map__refusal(map);
	carom_map__extents(map, &count);
	if (refusal)
		say(doc, "file", STATE_MISSING, NULL, "%s cannot be sealed: %s", doc->path,
		    refusal);
	else
		say(doc, "file", STATE_OK, NULL, "%s can be sealed, %zu extents", doc->path, count);
	carom_map__close(map);
	if (!refusal)
		check_index(doc);
}

static void next_if_well(struct doctor *doc)
{
	if (doc->missing)
		return;
	if (doc->path)
		snprintf(doc->next, sizeof(doc->next), "carom get --backend kernel --stats %s KEY",
			 doc->path);
	else
		snprintf(doc->next, sizeof(doc->next),
			 "carom doctor FILE, with the file that is to be searched");
}

static int verdict(struct doctor *doc)
{
	enum cli_exit exit = doc->missing ? CLI_BACKEND : CLI_OK;
	const char *text = doc->missing ?
		"the kernel backend cannot work here; lookups use io_uring or pread" :
		"the kernel backend can work here";
	struct json_object *out, *next;

	next_if_well(doc);
	if (!doc->cli.json) {
		printf("%s%s%s\nnext: %s\n", cli_style(CLI_BOLD), text, cli_style(CLI_PLAIN),
		       doc->next);
		return cli_flush(exit);
	}
	next = json_object_new_object();
	json_object_object_add(next, "check", cli_json_text(doc->next_check));
	json_object_object_add(next, "text", cli_json_text(doc->next));
	out = cli_doc(&doc->cli);
	json_object_object_add(out, "checks", doc->checks);
	json_object_object_add(out, "kernel_backend", json_object_new_boolean(!doc->missing));
	json_object_object_add(out, "verdict", json_object_new_string(text));
	json_object_object_add(out, "next", next);
	return cli_doc_print(out, exit);
}

static int run_doctor(int argc, char **argv)
{
	struct doctor doc = { .cli.name = "carom doctor" };
	struct carom_info info = { 0 };
	int ret = cli_parse(&doc.cli, &argp, argc, argv, &doc);

	if (ret)
		return ret;
	if (doc.cli.json)
		doc.checks = json_object_new_array();
	check_kernel(&doc);
	check_btf(&doc);
	check_devices(&doc);
	check_driver(&doc);
	check_module(&doc);
	if (check_device(&doc, &info))
		check_walkers(&doc, &info);
	else
		say(&doc, "walkers", STATE_INFO, NULL, "not known without " DEVICE);
	check_bpffs(&doc);
	check_uring(&doc);
	if (doc.path)
		check_file(&doc);
	return verdict(&doc);
}

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.run = run_doctor,
	.text = "say what this machine has and lacks",
	.argp = &argp,
	.args = args,
};
