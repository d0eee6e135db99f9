/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backends that are no part of the library: lookups by the native walker, with reads that this
 * program sends itself.
 */
#ifndef CAROM_BENCH_RING_H
#define CAROM_BENCH_RING_H

#include <liburing.h>
#include "bench.h"
#include "lib.h"

/**
 * struct bench_ring - a lane's
 * @readers: one for each lookup that can be in flight; their numbers are tags
 * @device: for NVMe commands
 */
struct bench_ring {
	struct io_uring uring;
	struct carom_reader **readers;
	const struct bench_device *device;
};

/* ---- bench_device.c ---- */

/*
 * The NVMe namespace below the file, as a device for commands, and where in it the file's blocks
 * are. 0, or a negative errno after run->reason is set. bench_device_close() ignores NULL.
 */
int bench_device_open(struct bench_run *run);
void bench_device_close(struct bench_device *dev);
/* Have the device registered with a ring, as its only file. */
int bench_device_register(const struct bench_device *dev, struct io_uring *uring);
/* The LBA of @len bytes of the file; -ENODATA: they are not in one piece on the device. */
int bench_device_locate(const struct bench_device *dev, uint64_t offset, unsigned int len,
			uint64_t *lba);
/* Fill an SQE of 128 bytes that reads them into the registered buffer @buffer, which is @to. */
void bench_device_prepare(const struct bench_device *dev, struct io_uring_sqe *sqe, void *to,
			  unsigned int len, uint64_t lba, unsigned int buffer);

#endif /* CAROM_BENCH_RING_H */
