// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib.h"
#include "fake_format.h"

static __s64 fake_step(struct carom_hop *hop)
{
	struct fake_node node;
	struct fake_scratch *s = (struct fake_scratch *)carom_scratch(hop, sizeof(*s));

	memcpy(&node, carom_node(hop, FAKE_NODE), sizeof(node));
	s->count++;
	s->index = hop->index;
	s->trail = s->trail * 10 + node.value;
	return node.ret;
}

static const struct carom_native_walker fake_walker = {
	.name = "fake",
	.node_size = FAKE_NODE,
	.scratch_size = sizeof(struct fake_scratch),
	.step = fake_step,
};

static bool fake_probe(const void *head, size_t len)
{
	return len >= sizeof(struct fake_node) &&
	       ((const struct fake_node *)head)->magic == FAKE_MAGIC;
}

static int fake_open(struct carom_reader *rd, const struct carom_index_opts *opts,
		     struct carom_error *err)
{
	(void)rd;
	if (opts->db)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -ENOENT, "no such database");
	return 0;
}

static void fake_close(void *data)
{
	(void)data;
}

/* The key is the offset of the first node; the value is the scratch afterwards. */
static int fake_start(struct carom_reader *rd, const void *key, size_t key_len, __u64 *offset,
		      struct carom_error *err)
{
	if (key_len != sizeof(*offset))
		return carom_error_set(err, CAROM_FAULT_USAGE, -EINVAL, "key: 8 bytes");
	memcpy(offset, key, sizeof(*offset));
	memset(carom_reader_mem(rd)->scratch, 0, sizeof(struct fake_scratch));
	return CAROM_CHAIN;
}

static int fake_finish(struct carom_reader *rd, const struct carom_lookup *res, int ret,
		       __u64 *offset, struct carom_value *val, struct carom_error *err)
{
	(void)offset;
	if (ret)
		return ret;
	if (res->end == CAROM_END_MISS)
		return CAROM_NOTFOUND;
	if (res->end == CAROM_END_WALKER)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "code %d", res->code);
	/* The node must be the one that the answer was found in, whoever read it. */
	if (((const struct fake_node *)carom_reader_mem(rd)->node)->ret != CAROM_STEP_DONE)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG, "wrong node");
	val->data = carom_reader_mem(rd)->scratch;
	val->len = sizeof(struct fake_scratch);
	return 0;
}

const struct carom_format carom_format_lmdb = {
	.name = "fake",
	.walker = &fake_walker,
	.probe = fake_probe,
	.open = fake_open,
	.close = fake_close,
	.start = fake_start,
	.finish = fake_finish,
};

static bool never_probe(const void *head, size_t len)
{
	(void)head;
	(void)len;
	return false;
}

/* There is one format here. */
const struct carom_format carom_format_sqlite = { .name = "none", .probe = never_probe };

/* It can be neither scanned nor looked into with many keys at once. */
const struct carom_scan_format carom_scan_lmdb, carom_scan_sqlite;
const struct carom_many_format carom_many_lmdb, carom_many_sqlite;

int fake_lookup(struct carom_reader *rd, __u64 offset, struct fake_scratch *answer)
{
	struct carom_value val;
	int ret = carom_reader__get(rd, &offset, sizeof(offset), &val);

	if (!ret)
		memcpy(answer, val.data, sizeof(*answer));
	return ret;
}

const char *fake_file(const struct fake_node *nodes, size_t count, size_t extra)
{
	const char *dir = getenv("TMPDIR");
	static char path[256];
	char block[FAKE_NODE] = { 0 };
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/carom-test-XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	for (i = 0; i < count; i++) {
		memcpy(block, &nodes[i], sizeof(nodes[i]));
		if (write(fd, block, sizeof(block)) != sizeof(block))
			abort();
	}
	if (extra && write(fd, block, extra) != (ssize_t)extra)
		abort();
	close(fd);
	return path;
}
