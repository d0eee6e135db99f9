/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walker on both sides: in the kernel, on CAROM_VM_DEVICE, and natively, on the same bytes in
 * memory. libcarom's runner of chains is kept away from the fake readers, whose names are
 * libcarom's too.
 */
#ifndef DIFFER_H
#define DIFFER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <carom/walker.h>
#include "../lib/engine.h"

#define DIFFER_INPUTS	4096
#define DIFFER_LEN	800

/* As in struct carom_chain. */
struct differ_memory {
	const struct carom_native_walker *walker;
	__u8 *node;
	__u8 *scratch;
	__u32 scratch_size;
	int (*read)(void *ctx, __u64 offset);
	bool (*within)(void *ctx, __u64 end);
	void *ctx;
};

/* The native walker from @start. */
struct carom_lookup differ_native(const struct differ_memory *mem, __u64 start);

/* ---- differ_side.c ---- */

/**
 * struct differ_side - a walker on both sides
 * @scratch: the query, then what the native walker has made of it
 * @node: likewise, of the last node
 */
struct differ_side {
	const struct carom_native_walker *walker;
	struct engine_walker loaded;
	struct engine kernel;
	__u8 *scratch;
	__u8 *node;
	__u32 scratch_size;
};

/* What chains of both sides have come to. */
extern unsigned long differ_ends[CAROM_END_NR], differ_codes[256], differ_chains, differ_hops;

/* The inputs of the corpus. */
struct differ_input {
	__u8 bytes[DIFFER_LEN];
	size_t len;
};

extern struct differ_input differ_corpus[DIFFER_INPUTS];
extern unsigned int differ_inputs;

/* Overwrites the device from now on, if it is not mounted. @longest: bytes of an image. */
void differ_open(size_t longest);
void differ_close(void);
void differ_read_corpus(const char *dir);
/* How many images chance makes. */
unsigned int differ_rounds(void);

/* Load and open a walker of build/bpf, with so many bytes of scratch. */
void differ_side_open(struct differ_side *s, const struct carom_native_walker *walker,
		      __u32 scratch_size);
void differ_side_close(struct differ_side *s);

/* These @len bytes are the file from now on; behind them is what was there. */
void differ_image(const __u8 *image, size_t len);
/* The block with that byte of the image has changed. */
void differ_image_changed(size_t at);

/* Run the query of s->scratch on both sides, which must not differ, and say what came of it. */
struct carom_lookup differ_run(struct differ_side *s, __u64 start);

#endif /* DIFFER_H */
