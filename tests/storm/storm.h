/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chains without pause in several slots, and ordinary I/O beside them, while a
 * test does something to the device, the walker or the process. What they say
 * is compared with what the file is known to hold, not with another read of a
 * device that may be gone.
 */
#ifndef CAROM_TESTS_STORM_H
#define CAROM_TESTS_STORM_H

#include <pthread.h>

#include "../vm/vm.h"

#define STORM_NODES	256
#define STORM_SLOTS	4
#define STORM_HOPS	4096
#define END(name)	(1U << CAROM_END_##name)

/* @n, or less of it if the guest's kernel is a slow one. */
unsigned int storm_times(unsigned int n);
/*
 * From @low to @high. Only for the main thread, and a sign of its life for the
 * watchdog; the seed is in the log.
 */
unsigned int storm_random(unsigned int low, unsigned int high);
void storm_sleep_us(unsigned int us);

/* As vm_load(), from tests/storm/walkers; by path for whoever may not fail a test. */
void storm_load(struct engine_walker *w, const char *name);
const char *storm_walker(const char *name);

/* A test that hangs must not hang the run: setup and teardown of every test. */
int storm_watch(void **state);
int storm_unwatch(void **state);
#define storm_test(name) cmocka_unit_test_setup_teardown(name, storm_watch, storm_unwatch)

/* STORM_NODES nodes as a new file or over the start of a device. */
void storm_fill(const char *path);
/* The number of the last node of a walk of @depth nodes from node @start. */
unsigned int storm_expect(unsigned int start, unsigned int depth);
/* The start of a walk that comes to node @id as number @depth. */
unsigned int storm_before(unsigned int id, unsigned int depth);
/* One lookup that must succeed. */
void storm_check(const struct engine *e, unsigned int slot, unsigned int start,
		 unsigned int depth);
/* A slot for each thread and one more; no hop limit that matters. */
void storm_session(struct engine *e, const char *path, const char *walker,
		   unsigned int deadline_ms);

struct storm;

struct storm_slot {
	struct storm *storm;
	pthread_t thread;
	unsigned int slot;
	unsigned int seed;
	unsigned int wrong;
	unsigned int lookups;
	unsigned int failed_in_a_row;
	unsigned int ends[CAROM_END_NR];
	/* A failed read by whether the device said that it is no use to try again. */
	unsigned int dnr[2];
	struct carom_lookup last_wrong;
};

struct storm_io {
	struct storm *storm;
	pthread_t thread;
	unsigned long pos;
	unsigned int wrong;
	unsigned int failed;
	unsigned int rounds;
};

struct storm {
	const struct engine *e;
	/* Ends that a lookup may have besides DONE, as END() bits. */
	unsigned int allowed;
	/* Nodes to visit at most. */
	unsigned int depth;
	/* The slot that is left to the test. */
	unsigned int spare;
	/* Nodes may be found to be empty. */
	bool emptied;
	/* Where ordinary I/O goes, NULL: nowhere; may it fail? */
	const char *io_path;
	unsigned long io_pos;
	bool io_may_fail;

	bool stop;
	struct storm_slot slots[STORM_SLOTS];
	struct storm_io io[2];
	/* After storm_end(). */
	unsigned int ends[CAROM_END_NR];
	unsigned int dnr[2];
	unsigned int lookups;
	unsigned int io_rounds;
};

/* Start all threads with what is set above; insist on right answers and stop them. */
void storm_begin(struct storm *s);
void storm_end(struct storm *s);
/* Wait until every slot has had an answer, or nothing but failures for a while. */
void storm_wait_answers(const struct storm *s);
void storm_wait_failures(const struct storm *s);

/* --- devices (device.c) --- */

/* What has this serial number, waiting for it: "nvme3", "/dev/nvme3n1". */
const char *storm_controller(const char *serial);
const char *storm_namespace(const char *serial);
__attribute__((format(printf, 2, 3))) void storm_write(const char *value, const char *fmt, ...);
/* No request is lost: nothing is in flight, and a freeze comes to its end. */
void storm_idle(const char *disk);

/* --- modules (module.c) --- */

/* The VM's carom.ko, and any module, or -errno. */
int storm_load_module(void);
int storm_unload(const char *module);
/* What a module's last user leaves behind is freed behind a grace period. */
void storm_unload_patiently(const char *module);

#endif /* CAROM_TESTS_STORM_H */
