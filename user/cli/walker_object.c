// SPDX-License-Identifier: GPL-2.0
/*
 * An object file with walkers, from the disk into the kernel, and in few lines why not.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "doctor.h"
#include "walker.h"

/* The verifier's, of which it keeps the end; the more if somebody wants to read it. */
#define LOG_SIZE	(2 << 20)
#define WHOLE_LOG_SIZE	(64 << 20)
#define WORDS_SIZE	(64 << 10)
#define WORDS_TAIL	6		/* lines of libbpf's that are shown */

/* libbpf's print callback has no argument of its own. */
static struct {
	char text[WORDS_SIZE];
	size_t len;
	FILE *to;
} words;

static int words_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	if (words.to) {
		va_copy(copy, ap);
		vfprintf(words.to, fmt, copy);
		va_end(copy);
	}
	if (level == LIBBPF_DEBUG || words.len + 1 >= WORDS_SIZE)
		return 0;
	n = vsnprintf(words.text + words.len, WORDS_SIZE - words.len, fmt, ap);
	if (n > 0)
		words.len += (size_t)n < WORDS_SIZE - words.len ? (size_t)n :
								  WORDS_SIZE - words.len - 1;
	return n;
}

static const char *words_tail(void)
{
	int lines = WORDS_TAIL;
	char *p;

	if (words.len && words.text[words.len - 1] == '\n')
		words.text[--words.len] = '\0';
	for (p = words.text + words.len; p > words.text; p--)
		if (p[-1] == '\n' && !--lines)
			break;
	return p;
}

static bool words_say(const char *text)
{
	return strstr(words.text, text);
}

int walker_object_fail(struct walker_object *o, enum cli_exit exit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->error, sizeof(o->error), fmt, ap);
	va_end(ap);
	return exit;
}

/* ---- what is in it ---- */

struct bpf_map *walker_object_next(const struct walker_object *o, struct bpf_map *map)
{
	do
		map = bpf_object__next_map(o->obj, map);
	while (map && bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS);
	return map;
}

struct walker_head *walker_object_head(const struct bpf_map *map)
{
	struct walker_head *head;
	size_t size;

	/* bpf_map__initial_value() takes no const. An older libbpf does not tell. */
	head = bpf_map__initial_value((struct bpf_map *)map, &size);
	return head && size >= sizeof(*head) ? head : NULL;
}

static int check_head(struct walker_object *o, const struct walker_head *head)
{
	if (!memchr(head->name, '\0', sizeof(head->name)) || !walker_name_ok(head->name))
		return walker_object_fail(o, CLI_FORMAT, "%s: walker '%.*s': not a valid name",
					  o->path, CAROM_WALKER_NAME_LEN, head->name);
	if (head->abi != CAROM_ABI_VERSION)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: walker %s has ABI %u, this carom %u; build it again with this carom's "
			"headers", o->path, head->name, head->abi, CAROM_ABI_VERSION);
	if (head->node_size < CAROM_MIN_NODE_SIZE || head->node_size > CAROM_MAX_NODE_SIZE ||
	    head->node_size & (head->node_size - 1))
		return walker_object_fail(o, CLI_FORMAT,
			"%s: walker %s has nodes of %u bytes; they can have a power of two from %d to %d",
			o->path, head->name, head->node_size, CAROM_MIN_NODE_SIZE,
			CAROM_MAX_NODE_SIZE);
	if (head->scratch_size > CAROM_MAX_SCRATCH_SIZE)
		return walker_object_fail(o, CLI_FORMAT,
			"%s: walker %s has a scratch of %u bytes; it can have up to %d", o->path,
			head->name, head->scratch_size, CAROM_MAX_SCRATCH_SIZE);
	return 0;
}

static int check_walkers(struct walker_object *o)
{
	const struct walker_head *head;
	struct bpf_map *map = NULL;
	int count = 0, ret;

	while ((map = walker_object_next(o, map))) {
		count++;
		head = walker_object_head(map);
		/* Otherwise the kernel refuses what is wrong. */
		ret = head ? check_head(o, head) : 0;
		if (ret)
			return ret;
	}
	if (count && count <= WALKER_MAX)
		return 0;
	return walker_object_fail(o, CLI_FORMAT, "%s: %d walkers (CAROM_WALKER) in it, not 1 to %d",
				  o->path, count, WALKER_MAX);
}

static int open_log(struct walker_object *o, const struct walker_cmd *cmd)
{
	o->log_to = cmd->log ? fopen(cmd->log, "we") : cmd->verbose ? stderr : NULL;
	if (cmd->log && !o->log_to)
		return walker_object_fail(o, CLI_IO, "%s: cannot be written: %s", cmd->log,
					  strerror(errno));
	words.to = o->log_to;
	words.len = 0;
	words.text[0] = '\0';
	libbpf_set_print(words_print);
	o->log_size = o->log_to ? WHOLE_LOG_SIZE : LOG_SIZE;
	o->log = calloc(1, o->log_size);
	return o->log ? 0 : walker_object_fail(o, CLI_IO, "no memory");
}

int walker_object_open(struct walker_object *o, const struct walker_cmd *cmd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char why[128];
	int ret;

	ret = open_log(o, cmd);
	if (!ret)
		ret = walker_elf_check(o);
	if (ret)
		return ret;
	opts.kernel_log_buf = o->log;
	opts.kernel_log_size = o->log_size;
	o->obj = bpf_object__open_file(o->path, &opts);
	if (o->obj)
		return check_walkers(o);
	if (words_say("BTF is required"))
		return walker_object_fail(o, CLI_FORMAT,
			"%s: a BPF object without BTF; build it with clang -g, and strip no more than "
			"llvm-strip -g does", o->path);
	libbpf_strerror(errno, why, sizeof(why));
	return walker_object_fail(o, CLI_FORMAT, "%s: not a BPF object that libbpf can read: %s\n%s",
				  o->path, why, words_tail());
}

void walker_object_close(struct walker_object *o)
{
	bpf_object__close(o->obj);
	free(o->log);
	words.to = NULL;
	if (o->log_to && o->log_to != stderr)
		fclose(o->log_to);
}

/* ---- can this machine? ---- */

int walker_machine(struct walker_object *o)
{
	if (doctor_module_built_in())
		return 0;
	if (access("/sys/kernel/btf/carom", F_OK)) {
		if (!access("/sys/module/carom", F_OK))
			return walker_object_fail(o, CLI_BACKEND,
				"carom.ko is loaded without BTF (no /sys/kernel/btf/carom); build "
				"it again where pahole and vmlinux BTF are");
		return walker_object_fail(o, CLI_BACKEND,
			"carom.ko is not loaded (no /sys/kernel/btf/carom); see carom doctor");
	}
	return 0;
}

/* Names of the functions that the object wants of the kernel and carom.ko does not have. */
static void list_missing(const struct btf *own, const struct btf *engine, char *text, size_t size)
{
	const struct btf_type *t;
	const char *name;
	size_t used = 0;
	__u32 id;
	int n;

	for (id = 1; id < btf__type_cnt(own); id++) {
		t = btf__type_by_id(own, id);
		if (!btf_is_func(t) || btf_vlen(t) != BTF_FUNC_EXTERN)
			continue;
		name = btf__name_by_offset(own, t->name_off);
		if (btf__find_by_name_kind(engine, name, BTF_KIND_FUNC) > 0)
			continue;
		n = snprintf(text + used, size - used, "%s%s()", used ? ", " : "", name);
		used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
	}
}

static int explain_kfuncs(struct walker_object *o)
{
	/* libbpf has changed that of the object. */
	struct btf *own = btf__parse_elf(o->path, NULL);
	struct btf *base = btf__load_vmlinux_btf();
	/* What has the engine's functions. */
	struct btf *engine = !base || doctor_module_built_in() ? base :
		btf__load_module_btf("carom", base);
	char missing[512] = "";

	if (own && engine)
		list_missing(own, engine, missing, sizeof(missing));
	if (engine != base)
		btf__free(engine);
	btf__free(base);
	btf__free(own);
	if (missing[0])
		return walker_object_fail(o, CLI_BACKEND,
			"%s: the loaded carom.ko has no %s, which the walker calls; load a carom.ko of "
			"the version whose headers it was built with", o->path, missing);
	return walker_object_fail(o, CLI_BACKEND,
		"%s: a function that the walker calls is not the loaded carom.ko's; build both from "
		"one version:\n%s", o->path, words_tail());
}

static int explain_verifier(struct walker_object *o)
{
	char text[1024];

	o->refused = true;
	if (o->log_to)
		fprintf(o->log_to, "-- the verifier, at most its last %zu MiB:\n%s",
			o->log_size >> 20, o->log);
	walker_verifier_explain(o->log, text, sizeof(text));
	return walker_object_fail(o, CLI_BACKEND, "%s: the verifier refuses it: %s%s", o->path,
		text, o->log_to ? "" : "\n  (all that it says: --verbose, or --log FILE)");
}

int walker_object_explain(struct walker_object *o, const char *what, int code)
{
	if (o->log[0])
		return explain_verifier(o);
	if (code == -EPERM || code == -EACCES)
		return walker_object_fail(o, CLI_BACKEND,
			"%s: %s: no privilege (root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN)",
			o->path, what);
	if (words_say("extern (func ksym)"))
		return explain_kfuncs(o);
	if (words_say("isn't referenced anywhere"))
		return walker_object_fail(o, CLI_FORMAT,
			"%s: there is a step, but no walker has it as its step; CAROM_WALKER() puts the "
			"two together\n%s", o->path, words_tail());
	if (code == -EPROTO)
		return walker_object_fail(o, CLI_BACKEND,
			"%s: %s: the loaded carom.ko has another ABI than %u; install both from one "
			"version", o->path, what, CAROM_ABI_VERSION);
	if (code == -EEXIST || code == -EBUSY)
		return walker_object_fail(o, CLI_BACKEND,
			"%s: %s: a walker of that name is loaded already; carom walker unload it "
			"first, or end the program that holds it", o->path, what);
	return walker_object_fail(o, CLI_BACKEND, "%s: %s: %s%s%s", o->path, what, strerror(-code),
				  words.len ? "\n" : "", words_tail());
}

int walker_object_load(struct walker_object *o)
{
	int ret = walker_machine(o);

	if (ret)
		return ret;
	ret = bpf_object__load(o->obj);
	return ret ? walker_object_explain(o, "loading", ret) : 0;
}
