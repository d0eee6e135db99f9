/* SPDX-License-Identifier: GPL-2.0 */
/* A walker that behaves as badly as the verifier lets it. */
#ifndef CAROM_WILD_H
#define CAROM_WILD_H

#include <linux/types.h>

#define WILD_SCRATCH	4096

enum wild_mode {
	WILD_FOLLOW,	/* what the trivial walker does */
	WILD_NUMBERS,	/* return what comes out of wild_number() */
	WILD_SCRIBBLE,	/* fill all of the scratch, and go on as the node says */
	WILD_MEDDLED,	/* return what the scratch says now, which somebody is changing */
};

/* In the scratch. The first two members are those of the trivial walker. */
struct wild_query {
	__u32 depth;
	__u32 mode;
	__u64 id;
	__u64 state;	/* WILD_NUMBERS: where the generator is */
	__s64 ret;	/* WILD_MEDDLED */
};

/* xorshift64. */
static inline __u64 wild_random(__u64 *state)
{
	__u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/*
 * Numbers of every kind that a step can return; most are offsets that may be
 * good, of a file of 64 KiB or so, or a chain would soon be over.
 */
static inline __s64 wild_number(__u64 *state)
{
	__u64 x = wild_random(state);

	switch (x & 15) {
	case 0:
		return (__s64)wild_random(state);
	case 1:
		return -(__s64)(x >> 4 & 7);
	case 2:
		return -(__s64)(x >> 4 & 0x3ffff);
	case 3:
		return (__s64)(x >> 4 & 0x1ffff);
	case 4:
	case 5:
		return (__s64)(x >> 4 & 0x1ffff) << 9;
	case 6:
	case 7:
		return (__s64)(x >> 4 & 0xff) << 9;
	default:
		return (__s64)(x >> 4 & 0xf) << 12;
	}
}

#endif /* CAROM_WILD_H */
