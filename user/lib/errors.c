// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What went wrong, in one line: what, where, and what to do.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lib.h"

int carom_error_set(struct carom_error *err, enum carom_fault fault, int code,
		    const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->fault = fault;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

int carom_reason_set(char *reason, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, CAROM_REASON_LEN, fmt, ap);
	va_end(ap);
	return code;
}

static const char *const end_names[CAROM_END_NR] = {
	[CAROM_END_NONE] = "none",
	[CAROM_END_DONE] = "done",
	[CAROM_END_MISS] = "miss",
	[CAROM_END_WALKER] = "walker",
	[CAROM_END_HOPS] = "hops",
	[CAROM_END_DEADLINE] = "deadline",
	[CAROM_END_UNALIGNED] = "unaligned",
	[CAROM_END_RANGE] = "range",
	[CAROM_END_HOLE] = "hole",
	[CAROM_END_SPLIT] = "split",
	[CAROM_END_IO] = "io",
	[CAROM_END_STOPPED] = "stopped",
	[CAROM_END_UNLOADED] = "unloaded",
	[CAROM_END_CANCELED] = "canceled",
	[CAROM_END_BAD_RETURN] = "bad-return",
	[CAROM_END_STALE] = "stale",
};

const char *carom_end_name(__u32 end)
{
	return end < CAROM_END_NR ? end_names[end] : "unknown";
}

/* %s, where there is one, is the object that carom_open.detail names. */
static const char *const refusal_texts[CAROM_REFUSED_NR] = {
	[CAROM_REFUSED_ARGUMENT] =
		"carom.ko refused the session's sizes (%s); do library and module belong together?",
	[CAROM_REFUSED_NOT_READABLE] = "file is not open for reading",
	[CAROM_REFUSED_NOT_OWNER] =
		"file belongs to someone else; its owner or CAP_FOWNER can seal it",
	[CAROM_REFUSED_FILE_TYPE] = "not a regular file, only those can be sealed",
	[CAROM_REFUSED_FILESYSTEM] =
		"file is on %s, which cannot be sealed; put it on ext4 or xfs",
	[CAROM_REFUSED_DAX] = "file uses DAX, which has no block I/O to chain",
	[CAROM_REFUSED_ENCRYPTED] = "file is encrypted by its filesystem; keep it unencrypted",
	[CAROM_REFUSED_COMPRESSED] =
		"file is compressed by its filesystem; keep it uncompressed",
	[CAROM_REFUSED_VERITY] =
		"file has fs-verity, which reads past the filesystem would not check",
	[CAROM_REFUSED_JOURNALED] =
		"file's data is journaled (data=journal or chattr +j); turn that off",
	[CAROM_REFUSED_INLINE] = "file's data lives in its inode, it has no blocks of its own",
	[CAROM_REFUSED_REALTIME] = "file is on the XFS realtime device; put it on the data device",
	[CAROM_REFUSED_REFLINK] =
		"file shares blocks with another or did once (reflink); copy it with "
		"cp --reflink=never",
	[CAROM_REFUSED_SWAPFILE] = "file is in use as swap",
	[CAROM_REFUSED_WRITER] =
		"file is open for writing somewhere (see fuser -v FILE), or a filesystem tool "
		"has it; close it there",
	[CAROM_REFUSED_EMPTY] = "file is empty",
	[CAROM_REFUSED_DEVICE] =
		"file is on %s, not directly on a PCI NVMe namespace of the patched driver",
	[CAROM_REFUSED_MULTIPATH] =
		"%s is an NVMe multipath head; boot with nvme_core.multipath=N",
	[CAROM_REFUSED_INTEGRITY] =
		"%s is formatted with metadata or protection information; chains cannot check it",
	[CAROM_REFUSED_NODE_SIZE] =
		"nodes are smaller than an LBA of the device (%s), which cannot be read in parts",
	[CAROM_REFUSED_NO_WALKER] =
		"walker %s is not loaded; load it as root with carom walker load %s",
	[CAROM_REFUSED_WALKER_SIZE] =
		"loaded walker %s has other node or scratch sizes than this library; reload it "
		"from the same version",
	[CAROM_REFUSED_NO_MEMORY] = "carom.ko has not enough memory for the session",
	[CAROM_REFUSED_READ_SIZE] =
		"nodes are larger than what the device (%s) reads at once (its MDTS)",
	[CAROM_REFUSED_LIMIT] =
		"more was asked for than the administrator allows (carom.%s)",
	[CAROM_REFUSED_FLUSH] = "writing the file's dirty pages back failed; see dmesg",
};

/* What @detail is called when the kernel left it empty. */
static const char *refusal_object(const struct carom_open *open)
{
	if (open->detail[0])
		return open->detail;
	if (open->refusal == CAROM_REFUSED_NO_WALKER ||
	    open->refusal == CAROM_REFUSED_WALKER_SIZE)
		return open->walker;
	if (open->refusal == CAROM_REFUSED_FILESYSTEM)
		return "another filesystem";
	if (open->refusal == CAROM_REFUSED_DEVICE)
		return "another device";
	if (open->refusal == CAROM_REFUSED_MULTIPATH ||
	    open->refusal == CAROM_REFUSED_INTEGRITY)
		return "its namespace";
	return "no detail";
}

void carom_refusal_text(char *reason, const struct carom_open *open, int code)
{
	const char *object = refusal_object(open);
	const char *text = NULL;

	if (open->refusal < CAROM_REFUSED_NR)
		text = refusal_texts[open->refusal];
	if (!text) {
		carom_reason_set(reason, 0, "carom.ko refused the file (refusal %u, %s): %s",
				 open->refusal, object, strerror(-code));
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	/* From the table above only: none, one or two %s. */
	carom_reason_set(reason, 0, text, object, object);
#pragma GCC diagnostic pop
}

int carom_chain_error(struct carom_error *err, const char *path,
		      const struct carom_lookup *res, __u32 max_hops, int ret)
{
	unsigned long long at = res->at;

	switch (res->end) {
	case CAROM_END_HOPS:
		return carom_error_set(err, CAROM_FAULT_FORMAT, ret,
			"%s: limit of %u hops reached before offset %llu: the tree has a cycle "
			"or is deeper than max_hops", path, max_hops, at);
	case CAROM_END_UNALIGNED:
		return carom_error_set(err, CAROM_FAULT_FORMAT, ret,
			"%s: damaged: a node at offset %llu is not aligned to %u bytes",
			path, at, CAROM_NODE_ALIGN);
	case CAROM_END_RANGE:
		return carom_error_set(err, CAROM_FAULT_FORMAT, ret,
			"%s: damaged or truncated: the node at offset %llu lies beyond the end "
			"of the file", path, at);
	case CAROM_END_CANCELED:
		return carom_error_set(err, CAROM_FAULT_IO, ret,
			"%s: lookup canceled by a signal at offset %llu", path, at);
	case CAROM_END_BAD_RETURN:
		return carom_error_set(err, CAROM_FAULT_BACKEND, ret,
			"%s: the walker returned an invalid value at offset %llu; is the loaded "
			"walker of this version?", path, at);
	case CAROM_END_NONE:
		return carom_error_set(err, CAROM_FAULT_IO, ret,
			"%s: lookup at offset %llu failed: %s", path, at, strerror(-ret));
	default:
		return carom_error_set(err, CAROM_FAULT_IO, ret,
			"%s: reading the node at offset %llu: %s", path, at, strerror(-ret));
	}
}
