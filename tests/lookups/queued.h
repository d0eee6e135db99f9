/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lookups in a carom_queue, compared with liblmdb's.
 */
#ifndef CAROM_TESTS_QUEUED_H
#define CAROM_TESTS_QUEUED_H

#include "../lib/skip.h"
#include "database.h"

/**
 * struct queued - a queue, and what was asked of it
 * @q: the queue
 * @depth: its depth
 * @keys: numbers of the keys in flight, by user_data; 0 to @depth - 1
 * @busy: which of them are in flight or held back
 * @in_flight: how many are
 * @held: completions that are not given back yet
 * @nr_held: how many
 * @hold: how many to hold back, for values to be looked at late
 * @ended: completions seen
 * @out_of_order: of those, how many had overtaken another
 * @aborted: of those, how many had been carried on in user space
 * @halfway: of those, how many from the middle of their chain
 */
struct queued {
	struct carom_queue *q;
	unsigned int depth;
	unsigned int *keys;
	unsigned long *turn;
	bool *busy;
	unsigned int in_flight;
	const struct carom_completion **held;
	unsigned int nr_held;
	unsigned int hold;
	unsigned long submitted;
	unsigned long ended;
	unsigned long out_of_order;
	unsigned long aborted;
	unsigned long halfway;
	unsigned long last_turn;
};

/* Fails the test if there is no such queue. */
void queued_open(struct queued *k, struct carom_index *ix, unsigned int depth, bool poll);
/* Whatever is in flight. */
void queued_close(struct queued *k);

/* Look up key @number; anything may be @user_data. */
void queued_submit_number(struct queued *k, unsigned int number, uint64_t user_data);
/* Look up any key, if there is room for it. Returns whether there was. */
bool queued_submit(struct queued *k);
/* Check a completion, and give it back now or later. */
void queued_take(struct queued *k, struct oracle *o, const struct carom_completion *c);
/* @nr lookups, as many in flight as there is room for; all have ended then. */
void queued_run(struct queued *k, struct oracle *o, unsigned int nr);
/* The same as an event loop does it: without ever waiting for the queue. */
void queued_run_events(struct queued *k, struct oracle *o, unsigned int nr);
/* Until all have ended. */
void queued_drain(struct queued *k, struct oracle *o);

#endif /* CAROM_TESTS_QUEUED_H */
