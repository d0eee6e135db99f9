/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine's tests have in common. Whatever does not work here fails
 * the test that called.
 */
#ifndef CAROM_TESTS_VM_H
#define CAROM_TESTS_VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/chase.h"
#include "../lib/engine.h"
#include "../lib/skip.h"

#define VM_DIR		"/mnt/nvme"
#define VM_FILE(name)	VM_DIR "/" name
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A call that returns a negative errno. */
#define assert_ok(call) do {								\
	long _ret = (call);								\
											\
	if (_ret < 0)									\
		fail_msg("%s: %s", #call, strerror(-(int)_ret));			\
} while (0)

/* A system call that must fail with @err. */
#define assert_errno(call, err) do {							\
	errno = 0;									\
	if ((long)(call) != -1 || errno != (err))					\
		fail_msg("%s: %s instead of %s", #call, strerror(errno), strerror(err));\
} while (0)

/* A system call that must work. */
#define assert_sys(call) do {								\
	if ((long)(call) == -1)								\
		fail_msg("%s: %s", #call, strerror(errno));				\
} while (0)

bool vm_fs_is(const char *name);

/* Run a shell command; vm_sh() insists on its success. */
__attribute__((format(printf, 1, 2))) void vm_sh(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) int vm_try(const char *fmt, ...);

/* Are driver and engine part of the kernel's image, and not to be unloaded? */
bool vm_built_in(void);

/* Load a kernel module of the distribution's. */
void vm_modprobe(const char *args);

/* Load walker @name, from tests/vm/walkers or tests/lib. vm_try_load() returns a negative errno. */
int vm_try_load(struct engine_walker *w, const char *name);
void vm_load(struct engine_walker *w, const char *name);

/* The trivial walkers for every node size: chase, chase512, chase4096 and chase65536. */
#define VM_CHASES 4
void vm_load_chases(struct engine_walker *w);
void vm_unload_chases(struct engine_walker *w);

/*
 * NVMe devices by serial number: the first directory in sysfs that matches glob
 * @pattern and whose @file says @serial; its last component is left in @name.
 */
bool vm_find_serial(const char *pattern, const char *file, const char *serial, char *name,
		    size_t size);

int vm_open(const char *path, int flags);

/* A fresh file in the trivial format. */
void vm_chase_file(const char *path, unsigned int size, unsigned int nodes);

/* The same, every node in an extent of its own that no neighbour continues. */
void vm_fragmented_file(const char *path, unsigned int size, unsigned int nodes);

/* A session with sizes for the trivial walkers, and @arg's limits if it is not NULL. */
void vm_session(struct engine *e, const char *path, const char *walker, unsigned int node_size,
		const struct carom_open *arg);

/*
 * Walk @depth nodes from @offset in @slot and compare the answer, the hops, the
 * place and the node's memory with what @fd says.
 */
void vm_walk(const struct engine *e, unsigned int slot, int fd, __u64 offset,
	     unsigned int depth);

/* Walk @count times each of the depths @from to @to from all over the file. */
void vm_walks(const struct engine *e, const char *path, unsigned int from, unsigned int to,
	      unsigned int count);

struct carom_lookup vm_lookup(const struct engine *e, unsigned int slot, __u64 offset);
struct carom_stats vm_stats(const struct engine *e);
struct carom_info vm_info(void);

/* CAROM_IOC_OPEN of @file with @arg must fail just so; @detail may be NULL. */
void vm_refused_arg(int file, const struct carom_open *arg, int err, __u32 refusal,
		    const char *detail);
/* The same for a path and arguments that are good for walker chase. */
void vm_refused(const char *path, int err, __u32 refusal, const char *detail);
/* Arguments that are good for walker chase. */
struct carom_open vm_chase_arg(void);

/* Milliseconds of the monotonic clock. */
long vm_now_ms(void);
void vm_sleep_ms(long ms);

/* Let no read of the device take less than that. It needs vmtest/run --read-latency. */
void vm_read_latency(unsigned int us);

#endif /* CAROM_TESTS_VM_H */
