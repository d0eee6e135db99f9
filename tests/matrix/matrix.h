/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sealing matrix: what happens to a file while a session has it sealed.
 *
 * Every row is an operation. It is first done to a control file that was never
 * sealed, then to a file with a session, once while chains are in flight and once
 * between chains, then to that file again when the session is closed.
 */
#ifndef CAROM_TESTS_MATRIX_H
#define CAROM_TESTS_MATRIX_H

#include <errno.h>
#include <fcntl.h>

#include "../vm/vm.h"

#define MATRIX_SLOTS	4
#define MATRIX_NODES	64
/* The most blocks for which ext4 converts a file to block maps and back. */
#define MATRIX_FEW	12
#define MATRIX_SIZE(nodes) ((off_t)(nodes) * CHASE_NODE_SIZE)

enum matrix_fs {
	MATRIX_EXT4,
	MATRIX_XFS,
	MATRIX_FS,
};

enum matrix_mode {
	MATRIX_DURING,
	MATRIX_BETWEEN,
	MATRIX_MODES,
};

/* Undo only when the session is closed. */
#define ROW_UNDO_LATE	(1U << 0)
/* The path is gone with the mount; nothing but the session may keep the file open. */
#define ROW_UNMOUNT	(1U << 1)
/* prepare() leaves a writer, so that there must be no session until release(). */
#define ROW_WRITER	(1U << 2)
/* The operation changes the last node's bytes behind the filesystem's back. */
#define ROW_RAW		(1U << 3)

/**
 * struct matrix_row - one operation
 * @name: in the table
 * @op: do it to the file at @path. 0 or a negative errno
 * @undo: after @op has worked, so that it can be done again. May be NULL
 * @prepare: before the file is sealed. May be NULL
 * @release: let go of what @prepare holds. May be NULL
 * @nodes: of the file, 0 for MATRIX_NODES
 * @flags: ROW_*
 * @lacks: why it cannot be done on a filesystem even to the control file
 */
struct matrix_row {
	const char	*name;
	int		(*op)(const char *path);
	void		(*undo)(const char *path);
	void		(*prepare)(const char *path);
	void		(*release)(void);
	unsigned int	nodes;
	unsigned int	flags;
	const char	*lacks[MATRIX_FS];
};

/* In matrix_data.c, matrix_names.c, matrix_inode.c and matrix_fs.c; the last has no name. */
extern const struct matrix_row matrix_data[], matrix_names[], matrix_inode[], matrix_fs[];

/* --- matrix_run.c --- */

/* cmocka's test and teardown; the state is a struct matrix_test. */
struct matrix_test {
	const struct matrix_row	*row;
	enum matrix_mode	mode;
	char			title[96];
	char			cell[96];
};

void matrix_row_run(void **state);
int matrix_row_clean(void **state);

/* --- matrix_file.c --- */

enum matrix_fs matrix_fs_type(void);

/* A fresh file in the trivial format, the same bytes each time, on stable storage. */
void matrix_file(const char *path, unsigned int nodes);

/* @path with a suffix, in one of a few static buffers. */
const char *matrix_path(const char *path, const char *suffix);
/* The same as a file with what a fresh @path holds. */
const char *matrix_twin(const char *path);

/* Where the first @nodes blocks of a file are on its device. */
void matrix_where(int fd, unsigned int nodes, __u64 *where);

/*
 * Open @path for writing, or if it is refused for reading only, as someone would who
 * looks for a way round, and call @act. The first error counts.
 */
int matrix_writer(const char *path, int flags, int (*act)(int fd));
/* The same for reading. */
int matrix_reader(const char *path, int (*act)(int fd));

/* Have @dest share the first block of @src, which has the same bytes; no writer is needed. */
int matrix_dedupe(const char *src, const char *dest);

/* Make the file one that swapon takes. Only nodes' filling is changed. */
void matrix_make_swap(const char *path);

/* Mount what was mounted at VM_DIR, unmount it. 0 or a negative errno. */
int matrix_mount(void);
int matrix_umount(int flags);

/* 0 or a negative errno of a system call that returns -1. */
static inline int matrix_errno(long ret)
{
	return ret == -1 ? -errno : 0;
}

/* --- matrix_share.c --- */

void matrix_two_walkers(void **state);
void matrix_swapon_race(void **state);

#endif /* CAROM_TESTS_MATRIX_H */
