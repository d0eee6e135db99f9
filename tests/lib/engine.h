/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's interface as tests use it: bare, so that it can be used wrongly too. */
#ifndef CAROM_TESTS_ENGINE_H
#define CAROM_TESTS_ENGINE_H

#include <linux/carom.h>

struct bpf_object;
struct bpf_link;

/* A walker loaded from an object file, until engine_unload(). */
struct engine_walker {
	struct bpf_object *obj;
	struct bpf_link *link;
};

/* A session with its memory mapped. */
struct engine {
	int fd;
	struct carom_open open;
	const unsigned char *nodes;
	unsigned char *scratch;
};

/* Load every struct_ops of @path. The verifier's log goes to @log if it is not NULL. */
int engine_load(struct engine_walker *w, const char *path, char *log, unsigned int log_size);
void engine_unload(struct engine_walker *w);

/* CAROM_IOC_OPEN with @arg as it is, but size and fd. The new descriptor or a negative errno. */
int engine_ioctl_open(int file, struct carom_open *arg);

/* A session on @path, sizes and limits from @arg (zero: 4096, 4096, 1 slot, defaults). */
int engine_open(struct engine *e, const char *path, const char *walker,
		const struct carom_open *arg);
void engine_close(struct engine *e);

/* One chain in @slot from @offset. 0 or a negative errno. */
int engine_lookup(const struct engine *e, unsigned int slot, __u64 offset,
		  struct carom_lookup *res);

/* Memory of one slot. */
const void *engine_node(const struct engine *e, unsigned int slot);
void *engine_scratch(const struct engine *e, unsigned int slot);

#endif /* CAROM_TESTS_ENGINE_H */
