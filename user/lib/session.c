// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Sessions of carom.ko: /dev/carom, and in one line why there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lib.h"

static int device_reason(char *reason, int code)
{
	switch (code) {
	case -ENOENT:
		return carom_reason_set(reason, code,
			CAROM_DEVICE " does not exist (carom.ko is not loaded)");
	case -EACCES:
	case -EPERM:
		return carom_reason_set(reason, code,
			"no permission to open " CAROM_DEVICE "; see its group and mode");
	case -ENXIO:
	case -ENODEV:
		return carom_reason_set(reason, code,
			CAROM_DEVICE " is left over, carom.ko is not loaded");
	default:
		return carom_reason_set(reason, code, "opening " CAROM_DEVICE ": %s",
					strerror(-code));
	}
}

/* Is it our device, and of our ABI? */
static int device_check(int dev, char *reason)
{
	struct carom_info info = { .size = sizeof(info) };

	if (ioctl(dev, CAROM_IOC_INFO, &info))
		return carom_reason_set(reason, -errno, CAROM_DEVICE " does not answer: %s",
					strerror(errno));
	if (info.abi != CAROM_ABI_VERSION)
		return carom_reason_set(reason, -EPROTO,
			"carom.ko has ABI %u, this libcarom %u; install both from one version",
			info.abi, CAROM_ABI_VERSION);
	return 0;
}

int carom_session_open(struct carom_session *s, char *reason)
{
	int dev, code;

	s->fd = -1;
	s->nodes = NULL;
	s->scratch = NULL;
	s->results = NULL;
	dev = open(CAROM_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return device_reason(reason, -errno);
	code = device_check(dev, reason);
	if (code) {
		close(dev);
		return code;
	}
	s->open.size = sizeof(s->open);
	s->fd = ioctl(dev, CAROM_IOC_OPEN, &s->open);
	code = s->fd < 0 ? -errno : 0;
	close(dev);
	if (!code)
		return 0;
	s->fd = -1;
	s->open.detail[CAROM_DETAIL_LEN - 1] = '\0';
	carom_refusal_text(reason, &s->open, code);
	return code;
}

static void *session_mmap(const struct carom_session *s, size_t stride, int prot, __u64 offset)
{
	void *mem = mmap(NULL, stride * s->open.nr_slots, prot, MAP_SHARED, s->fd,
			 (off_t)offset);

	return mem == MAP_FAILED ? NULL : mem;
}

int carom_session_map(struct carom_session *s, char *reason)
{
	int code;

	if (s->open.node_stride < s->open.node_size ||
	    s->open.scratch_stride < s->open.scratch_size)
		return carom_reason_set(reason, -EPROTO,
			"carom.ko's slots are smaller than asked for (node %u, scratch %u)",
			s->open.node_stride, s->open.scratch_stride);
	s->nodes = session_mmap(s, s->open.node_stride, PROT_READ, CAROM_MMAP_NODES);
	if (s->nodes)
		s->scratch = session_mmap(s, s->open.scratch_stride, PROT_READ | PROT_WRITE,
					  CAROM_MMAP_SCRATCH);
	if (s->scratch)
		s->results = session_mmap(s, sizeof(*s->results), PROT_READ, CAROM_MMAP_RESULTS);
	if (s->results)
		return 0;
	code = -errno;
	return carom_reason_set(reason, code, "the session's slots cannot be mapped: %s",
				strerror(-code));
}

void carom_session_close(struct carom_session *s)
{
	if (s->nodes)
		munmap(s->nodes, (size_t)s->open.node_stride * s->open.nr_slots);
	if (s->scratch)
		munmap(s->scratch, (size_t)s->open.scratch_stride * s->open.nr_slots);
	if (s->results)
		munmap((void *)s->results, sizeof(*s->results) * s->open.nr_slots);
	if (s->fd >= 0)
		close(s->fd);
	s->nodes = NULL;
	s->scratch = NULL;
	s->results = NULL;
	s->fd = -1;
}
