// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "modes.h"

const struct mode modes[NR_MODES] = {
	{ CAROM_BACKEND_PREAD, false },
	{ CAROM_BACKEND_PREAD, true },
	{ CAROM_BACKEND_IO_URING, false },
	{ CAROM_BACKEND_IO_URING, true },
};

static char dir[64], path[80];

struct carom_index *mode_open(const struct mode *mode, const char *file, const char *db,
			      unsigned int depth)
{
	struct carom_index_opts opts = {
		.sz = sizeof(opts), .db = db, .backend = mode->backend, .direct = mode->direct,
		.max_in_flight = depth,
	};
	struct carom_error err;
	struct carom_index *ix;

	if (!carom_index__open(file, &opts, &ix, &err))
		return ix;
	/* Of these pread must work everywhere. */
	if (err.fault != CAROM_FAULT_BACKEND ||
	    (mode->backend == CAROM_BACKEND_PREAD && !mode->direct))
		fail_msg("%s", err.text);
	print_message("# %s%s: %s\n", carom_backend__name(mode->backend),
		      mode->direct ? " direct" : "", err.text);
	return NULL;
}

const char *mode_file(void)
{
	const char *tmp = getenv("TMPDIR");

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "%.40s/carom-queue.XXXXXX", tmp ? tmp : "/tmp");
		assert_non_null(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/db", dir);
	}
	return path;
}

void each_mode(unsigned int depth, void (*test)(const struct mode *mode,
						       struct carom_index *ix))
{
	struct carom_index *ix;
	size_t i;

	for (i = 0; i < NR_MODES; i++) {
		ix = mode_open(&modes[i], mode_file(), NULL, depth);
		if (!ix)
			continue;
		test(&modes[i], ix);
		carom_index__close(ix);
	}
}

void mode_done(void)
{
	char lock[96];

	if (!dir[0])
		return;
	snprintf(lock, sizeof(lock), "%s-lock", path);
	unlink(lock);
	unlink(path);
	rmdir(dir);
	dir[0] = '\0';
}

int mode_setup(void **state)
{
	(void)state;
	database_setup();
	database_build(mode_file());
	return 0;
}

int mode_teardown(void **state)
{
	(void)state;
	database_teardown();
	mode_done();
	return 0;
}
