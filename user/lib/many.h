/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Between the files of many keys at once.
 */
#ifndef CAROM_MANY_H
#define CAROM_MANY_H

#include <errno.h>
#include "queue.h"

/* Of all that an index has. */
#define MAX_CHAINS	32

/* A value that is not in a chain's slot. */
struct kept {
	struct kept *next;
	char data[];
};

/**
 * struct part - a chain
 * @first: of the sorted keys
 * @nr: how many
 */
struct part {
	size_t first;
	size_t nr;
};

/**
 * struct carom_many - what carom_many__get() needs
 * @walker: for chains of several keys; NULL: each key has a chain of its own
 * @point: a reader of the index, for what chains leave
 * @q: queue of the view
 * @held: completions whose values are in use, @nr_held of them
 * @kept: values that are in use
 * @version: of the file, as the format has it
 * @sorted: the keys that can be, in their order
 * @unique: those, each once
 * @parts: the chains of them; @room of all three fit
 * @keys: of the caller
 * @answers: likewise
 * @alone: some have been looked up by themselves
 * @ret: the first error
 * @broken: the queue has failed so
 */
struct carom_many {
	struct carom_index *ix;
	const struct carom_many_format *fmt;
	const struct carom_native_walker *walker;
	struct carom_reader *point;
	struct carom_queue *q;
	unsigned int chains;
	unsigned int chain_keys;
	const struct carom_completion *held[MAX_CHAINS];
	unsigned int nr_held;
	struct kept *kept;
	void *version;
	const struct carom_value **sorted;
	const struct carom_value **unique;
	struct part *parts;
	size_t nr_sorted;
	size_t nr_unique;
	size_t nr_parts;
	size_t room;
	const struct carom_value *keys;
	struct carom_answer *answers;
	bool alone;
	int ret;
	int broken;
	struct carom_error err;
};

static inline int no_memory(struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, -ENOMEM, "out of memory");
}

static inline struct carom_answer *answer_of(const struct carom_many *many,
					     const struct carom_value *key)
{
	return &many->answers[key - many->keys];
}

/* ---- many_answer.c ---- */

/* The key goes through the index by itself. */
void carom_many_alone(struct carom_many *many, const struct carom_value *key);

/*
 * A chain has ended. What it could not say is found out key by key. @hold: its slot is not
 * needed for another chain.
 */
void carom_many_part(struct carom_many *many, const struct carom_completion *c, bool hold);

/* Keys that are the same have the same answer, and keys that cannot be have the reader's. */
void carom_many_rest(struct carom_many *many, size_t nr);

/* Values of the call before this one are of no use any more. */
void carom_many_let_go(struct carom_many *many);

#endif /* CAROM_MANY_H */
