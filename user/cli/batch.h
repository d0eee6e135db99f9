/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys that are looked up many at once and answered in order.
 */
#ifndef CAROM_BATCH_H
#define CAROM_BATCH_H

#include <carom/carom.h>

#define BATCH_DEPTH	64

/**
 * struct batch_key - one of them
 * @text: as it was given; need not end in NUL
 * @key: what it means
 * @c: its completion, NULL while it is in flight
 */
struct batch_key {
	char *text;
	size_t text_len;
	void *key;
	size_t key_len;
	const struct carom_completion *c;
};

/**
 * struct batch - those that are not answered yet
 * @q: the queue; NULL: there is none, batch_add() must not be called
 * @answer: called for each key in turn; @ret as carom_reader__get(), @val where that
 *	is 0, @err where it is negative. Not 0: the run is over.
 * @ctx: for @answer
 * @keys: a ring, @count of them from @first on
 * @ns: time spent in the library
 */
struct batch {
	struct carom_queue *q;
	int (*answer)(void *ctx, const struct batch_key *k, int ret,
		      const struct carom_value *val, const struct carom_error *err);
	void *ctx;
	struct batch_key keys[BATCH_DEPTH];
	unsigned int first;
	unsigned int count;
	uint64_t ns;
};

/*
 * Look a key up some time, and answer earlier ones if there is no room. Returns what
 * the first call of @answer said that was not 0.
 */
int batch_add(struct batch *b, const char *text, size_t text_len, const void *key,
	      size_t key_len);
/* Answer all. */
int batch_drain(struct batch *b);
void batch_close(struct batch *b);

uint64_t now_ns(void);

#endif /* CAROM_BATCH_H */
