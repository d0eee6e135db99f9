/* SPDX-License-Identifier: GPL-2.0 */
/*
 * carom walker test: what its parts share.
 */
#ifndef CAROM_CLI_WALKER_TEST_H
#define CAROM_CLI_WALKER_TEST_H

#include <stdio.h>
#include <sys/types.h>
#include "lib.h"
#include "walker.h"

struct bpf_link;

/**
 * struct vector - one query and what it must find
 * @line: of the oracle's output
 * @start: file offset of the first node
 * @query: what the scratch begins with; zeros follow
 * @end: CAROM_END_DONE, _MISS or _WALKER
 * @any_code: _WALKER with any code
 * @code: _WALKER with this one
 * @at: _DONE: where in the scratch @want is
 * @want: bytes that have to be there, @want_len of them
 */
struct vector {
	unsigned long line;
	__u64 start;
	__u8 *query;
	size_t query_len;
	enum carom_end end;
	bool any_code;
	long code;
	size_t at;
	__u8 *want;
	size_t want_len;
};

/* ---- walker_vectors.c ---- */

/* 1: a vector in @v, whose memory is the caller's; 0: blank or a comment; -1: @why says. */
int vector_parse(struct vector *v, char *line, size_t scratch_size, char *why, size_t size);
void vector_free(struct vector *v);

/* ---- walker_run.c ---- */

/**
 * struct walker_run - a walker that can be asked, natively and in the kernel
 * @walker: the native one
 * @so: where that is from
 * @fd: the file
 * @file_size: bytes
 * @node: what the native walker looks at
 * @scratch: and where its query and answer are
 * @crash: what the native walker has done instead of returning, or NULL
 * @link: the kernel's walker, not pinned; NULL: there is none
 * @session: of the kernel
 */
struct walker_run {
	const struct carom_native_walker *walker;
	void *so;
	int fd;
	__u64 file_size;
	__u8 *node;
	__u8 *scratch;
	const char *crash;
	struct bpf_link *link;
	struct carom_session session;
};

/* 0, or an exit status with the reason in o->error. @r is to be closed in any case. */
int walker_run_open(struct walker_run *r, struct walker_object *o, const struct walker_cmd *cmd);
/* The kernel's half, after walker_object_load(). */
int walker_run_attach(struct walker_run *r, struct walker_object *o);
void walker_run_close(struct walker_run *r);

/* What the only walker of the object is called from now on, so as not to meet a loaded one. */
void walker_run_rename(const struct walker_object *o);

struct carom_lookup walker_run_native(struct walker_run *r, const struct vector *v);
/* 0 or a negative errno. */
int walker_run_kernel(struct walker_run *r, const struct vector *v, struct carom_lookup *res);

#endif /* CAROM_CLI_WALKER_TEST_H */
