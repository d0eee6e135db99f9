/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the program. */
#ifndef CAROM_TESTS_LOOKUPS_H
#define CAROM_TESTS_LOOKUPS_H

#include "queued.h"

/* Is the driver ours? */
extern bool patched;

/* A file in the directory under test; static text. */
const char *path_of(const char *name);
bool works_here(enum carom_backend backend);

/* lookups_queue.c; they need what test_answers() has built. */
void test_queues(void **state);
void test_queue_descriptor(void **state);
void test_queues_polling(void **state);
void test_queue_deadlines(void **state);
void test_queue_unloaded(void **state);
void test_queue_early_end(void **state);

#endif /* CAROM_TESTS_LOOKUPS_H */
