/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom walker: what its verbs share.
 */
#ifndef CAROM_CLI_WALKER_H
#define CAROM_CLI_WALKER_H

#include <limits.h>
#include <linux/carom.h>
#include "cli.h"

struct bpf_object;
struct bpf_map;

/**
 * struct walker_cmd - one run of carom walker
 * @verb: load, unload, list, new or test
 * @arg: walker, object file, or name of a new one
 * @verbose: show all that libbpf and the verifier say
 * @log: write it to this file, or NULL
 * @node_size, @scratch_size: new: bytes, 0 for the defaults
 * @file: test: what the walker walks in
 * @oracle, @vectors: test: command, or file, that says what it must find
 * @native: test: the walker built for user space, or NULL: what is beside the object
 * @native_only: test: do without the kernel
 */
struct walker_cmd {
	struct cli cli;
	const char *verb;
	const char *arg;
	bool verbose;
	const char *log;
	__u32 node_size;
	__u32 scratch_size;
	const char *file;
	const char *oracle;
	const char *vectors;
	const char *native;
	bool native_only;
};

int walker_load(const struct walker_cmd *cmd);
int walker_unload(const struct walker_cmd *cmd);
int walker_list(const struct walker_cmd *cmd);
int walker_new(const struct walker_cmd *cmd);
int walker_test(const struct walker_cmd *cmd);

/* Can this be the name of a walker, and of a file in the pin directory? */
bool walker_name_ok(const char *name);
void walker_pin_path(char *path, size_t size, const char *name);

/* Print the names of those that are pinned, one a line; for cli_complete(). */
void walker_pins(void);

/* ---- walker_object.c: an object file, from the disk into the kernel ---- */

#define WALKER_MAX	16	/* in one object */
#define WALKER_TEXT	4096

/*
 * struct carom_walker_ops as <carom/bpf.h> lays it out, up to what is looked at
 * here; the kernel has its own layout, which libbpf matches by member name.
 */
struct walker_head {
	char name[CAROM_WALKER_NAME_LEN];
	__u32 abi;
	__u32 node_size;
	__u32 scratch_size;
};

/**
 * struct walker_object - an object file with walkers
 * @path: of the file
 * @obj: libbpf's
 * @log: what the verifier has said, or ""
 * @log_size: room for that
 * @log_to: where all that is said goes too, or NULL
 * @refused: by the verifier
 * @error: why the last call has failed; for people, of several lines
 */
struct walker_object {
	char path[PATH_MAX];
	struct bpf_object *obj;
	char *log;
	size_t log_size;
	FILE *log_to;
	bool refused;
	char error[WALKER_TEXT];
};

/*
 * These return 0, or an exit status and the reason in o->error.
 * walker_object_open() reads the file at o->path and checks all that can be checked
 * without a kernel. o is all zeros but for the path, and to be closed in any case.
 */
int walker_object_open(struct walker_object *o, const struct walker_cmd *cmd);
int walker_object_load(struct walker_object *o);
void walker_object_close(struct walker_object *o);

/* Next struct_ops map of the object, and what it says of its walker; NULL at the end. */
struct bpf_map *walker_object_next(const struct walker_object *o, struct bpf_map *map);
struct walker_head *walker_object_head(const struct bpf_map *map);

/* Fill o->error; returns @exit. */
__attribute__((format(printf, 3, 4)))
int walker_object_fail(struct walker_object *o, enum cli_exit exit, const char *fmt, ...);
/* The same for @code, a negative errno of what libbpf has done. @what: "loading". */
int walker_object_explain(struct walker_object *o, const char *what, int code);

/* Has this machine what walkers are loaded into? 0, or an exit status and why not. */
int walker_machine(struct walker_object *o);

/* ---- walker_find.c ---- */

/* Set o->path to the object that @arg names; false if there is none. */
bool walker_find(struct walker_object *o, const char *arg);
/* Print all names that it would find, one a line; for cli_complete(). */
void walker_names(void);

/* ---- walker_elf.c ---- */

/* Is the file a whole BPF object? As the above. */
int walker_elf_check(struct walker_object *o);

/* ---- walker_verifier.c ---- */

/* In a few lines, what the verifier's log says, where, and what to do about it. */
void walker_verifier_explain(const char *log, char *text, size_t size);

#endif /* CAROM_CLI_WALKER_H */
