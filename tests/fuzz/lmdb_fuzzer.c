// SPDX-License-Identifier: GPL-2.0
/*
 * The LMDB format and its walker, native, under libFuzzer: nothing may crash,
 * loop, or touch a byte that is not its own (ASan and UBSan are on), every
 * damage has its text, sealed and unsealed files get the same answer, and an
 * undamaged file liblmdb's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "lmdb_input.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

static struct carom_reader readers[INPUT_MAX_FILES];

/* What a lookup came to; the value is told by a sum of all its bytes. */
struct outcome {
	int ret;
	size_t len;
	__u64 sum;
};

static __u64 sum_of(const __u8 *p, size_t len)
{
	__u64 sum = len;

	while (len--)
		sum = sum * 31 + *p++;
	return sum;
}

static struct outcome look_up(struct carom_reader *rd, const struct input *in)
{
	struct carom_value val = { 0 };
	struct outcome out = { 0 };

	out.ret = fake_open(rd, in->db);
	check(rd->hops <= CAROM_LMDB_MAX_DEPTH + 1);
	if (!out.ret) {
		out.ret = fake_get(rd, in->key, in->key_len, &val);
		check(rd->hops <= CAROM_LMDB_MAX_DEPTH + 1);
	}
	if (!out.ret) {
		out.len = val.len;
		out.sum = sum_of(val.data, val.len);
	}
	fake_close(rd);
	return out;
}

static void check_outcome(const struct carom_reader *rd, const struct input *in,
			  const struct outcome *out)
{
	switch (out->ret) {
	case 0:
		check(out->len <= rd->size);
		break;
	case -EBADMSG:
		check(strstr(rd->err.text, "page "));
		break;
	case -EINVAL:
		check(!in->key_len || in->key_len > CAROM_LMDB_MAX_KEY);
		break;
	case CAROM_NOTFOUND:
	case -EOPNOTSUPP:
	case -ENOENT:		/* the named database */
		break;
	default:
		fprintf(stderr, "%d %s\n", out->ret, rd->err.text);
		abort();
	}
}

/* Of a file that is as liblmdb left it, main database only: liblmdb has the last word. */
static void check_oracle(const struct input *in, const struct outcome *out)
{
	MDB_val key = { in->key_len, (void *)in->key }, val;
	int want;

	if (in->file->dirty || in->size != (__u64)in->file->pages * PAGE || in->db)
		return;
	if (!in->key_len || in->key_len > CAROM_LMDB_MAX_KEY)
		return;
	/* The main database is the first that an environment has. */
	want = mdb_get(in->file->txn, 1, &key, &val);
	check((want == MDB_NOTFOUND) == (out->ret == CAROM_NOTFOUND));
	if (want)
		return;
	check(!out->ret && out->len == val.mv_size);
	check(out->sum == sum_of(val.mv_data, val.mv_size));
}

static void one_lookup(struct carom_reader *rd, const struct input *in)
{
	struct outcome out, again;

	rd->sealed = in->sealed;
	out = look_up(rd, in);
	check_outcome(rd, in, &out);
	check_oracle(in, &out);
	/* Nobody writes meanwhile, so it makes no difference whether somebody could. */
	rd->sealed = !in->sealed;
	again = look_up(rd, in);
	check(out.ret == again.ret && out.len == again.len && out.sum == again.sum);
}

/* Whatever the query, the walker ends, and what it calls an answer is one. */
static void one_raw(struct carom_reader *rd, const struct input *in)
{
	struct carom_lmdb_scratch *s = lmdb_scratch(rd);
	struct carom_lookup res;
	struct carom_error err;

	memcpy(s, &in->query, sizeof(*s));
	if (carom_reader_run(rd, in->start, &res, &err)) {
		check(err.code == -ENODATA);
		return;
	}
	check(res.hops <= CAROM_LMDB_MAX_DEPTH + 1);
	check(res.end != CAROM_END_WALKER || (res.code > 0 && res.code < CAROM_LMDB_E_NR));
	if (res.end != CAROM_END_DONE || in->query.query.op != CAROM_LMDB_GET)
		return;
	if (s->answer.flags & CAROM_LMDB_IN_NODE)
		check(s->answer.value_off <= PAGE &&
		      s->answer.value_len <= PAGE - s->answer.value_off);
	else
		check(s->answer.flags == CAROM_LMDB_IN_FILE);
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct carom_reader *rd;
	struct input in;

	input_apply(&in, data, size);
	rd = &readers[in.file - input_files];
	rd->size = in.size;
	lmdb_probe(rd->image, in.size < 2 * PAGE ? in.size : 2 * PAGE);
	if (in.raw)
		one_raw(rd, &in);
	else
		one_lookup(rd, &in);
	input_undo(&in);
	return 0;
}

static void done(void)
{
	unsigned int i;

	for (i = 0; i < INPUT_MAX_FILES; i++)
		fake_exit(&readers[i]);
	input_exit();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	unsigned int i;

	(void)argc;
	(void)argv;
	input_init();
	for (i = 0; i < INPUT_MAX_FILES; i++)
		fake_init(&readers[i], "file", input_files[i].image,
			  (__u64)input_files[i].pages * PAGE);
	return atexit(done);
}
