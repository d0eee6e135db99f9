// SPDX-License-Identifier: GPL-2.0
/*
 * CAROM_VALUES_DIR: where to make files (default: TMPDIR); CAROM_VALUES_BACKENDS: with which
 * backends (default: "io_uring pread"); CAROM_VALUES_WHOLE: what is begun in the kernel ends there.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "values.h"

#define BYTES	((1 << 20) + MOST)

char values_path[4096];
const unsigned char *values_bytes;

void each_setting(void (*run)(const struct setting *s, void *ctx), void *ctx)
{
	static const size_t rooms[] = { 0, 1, 3 * 4096, MOST };
	const char *backends = getenv("CAROM_VALUES_BACKENDS");
	struct setting s = { 0 };
	size_t i;

	if (!backends)
		backends = "io_uring pread";
	for (s.backend = CAROM_BACKEND_KERNEL; s.backend <= CAROM_BACKEND_PREAD; s.backend++) {
		if (!strstr(backends, carom_backend__name(s.backend)))
			continue;
		for (i = 0; i < ARRAY_SIZE(rooms); i++) {
			s.room = rooms[i];
			s.queue = false;
			run(&s, ctx);
			s.queue = s.backend != CAROM_BACKEND_PREAD;
			if (s.queue)
				run(&s, ctx);
		}
	}
}

void values_open(struct opened *o, const struct setting *s, const char *table)
{
	const struct carom_index_opts opts = {
		.sz = sizeof(opts), .backend = s->backend, .table = table,
		.max_hops = s->max_hops, .value_room = s->room, .direct = s->room == MOST,
	};
	struct carom_error err;
	int ret;

	memset(o, 0, sizeof(*o));
	if (carom_index__open(values_path, &opts, &o->ix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(carom_index__backend(o->ix), s->backend);
	ret = s->queue ? carom_queue__new(o->ix, NULL, &o->q, &err) :
			 carom_reader__new(o->ix, &o->rd, &err);
	if (ret)
		fail_msg("%s", err.text);
}

static int get_queued(struct opened *o, const void *key, size_t len)
{
	if (o->c)
		carom_queue__done(o->q, o->c);
	o->c = NULL;
	assert_int_equal(carom_queue__submit(o->q, key, len, 1), 0);
	assert_int_equal(carom_queue__wait(o->q, &o->c), 0);
	o->val = o->c->val;
	o->error = o->c->err;
	return o->c->ret;
}

int values_get(struct opened *o, const void *key, size_t len)
{
	struct carom_reader_stats st;
	uint64_t before;
	int ret;

	if (o->rd)
		carom_reader__stats(o->rd, &st, sizeof(st));
	else
		carom_queue__stats(o->q, &st, sizeof(st));
	before = st.hops;
	ret = o->q ? get_queued(o, key, len) : carom_reader__get(o->rd, key, len, &o->val);
	if (o->rd) {
		o->error = carom_reader__error(o->rd);
		carom_reader__stats(o->rd, &st, sizeof(st));
	} else {
		carom_queue__stats(o->q, &st, sizeof(st));
	}
	o->hops = st.hops - before;
	return ret;
}

void values_close(struct opened *o)
{
	struct carom_reader_stats st;

	if (o->rd)
		carom_reader__stats(o->rd, &st, sizeof(st));
	else
		carom_queue__stats(o->q, &st, sizeof(st));
	if (carom_index__backend(o->ix) == CAROM_BACKEND_KERNEL && getenv("CAROM_VALUES_WHOLE")) {
		assert_int_equal(st.fallbacks, 0);
		assert_int_equal(st.kernel_hops, st.hops);
	}
	if (o->c)
		carom_queue__done(o->q, o->c);
	carom_queue__free(o->q);
	carom_reader__free(o->rd);
	carom_index__close(o->ix);
}


size_t values_rowid(const struct opened *o, int64_t id, void *key, size_t size)
{
	const struct carom_column col = { .type = CAROM_TYPE_INTEGER, .integer = id };
	struct carom_error err;

	if (carom_index__key(o->ix, &col, 1, key, &size, &err))
		fail_msg("%s", err.text);
	return size;
}

struct refusal {
	const char *table;
	const void *key;
	size_t len;
	const char *what;
	char said[sizeof(((struct carom_error *)0)->text)];
};

static void refused_by(const struct setting *s, void *ctx)
{
	struct refusal *r = ctx;
	struct opened o;
	int ret;

	values_open(&o, s, r->table);
	ret = values_get(&o, r->key, r->len);
	if (ret != -EBADMSG || !strstr(o.error->text, r->what))
		fail_msg("%s, room %zu: %d %s, not %s", carom_backend__name(s->backend), s->room,
			 ret, ret < 0 ? o.error->text : "", r->what);
	assert_int_equal(o.error->fault, CAROM_FAULT_FORMAT);
	if (!*r->said)
		snprintf(r->said, sizeof(r->said), "%s", o.error->text);
	assert_string_equal(r->said, o.error->text);
	values_close(&o);
}

void values_refused(const char *table, const void *key, size_t len, const char *what)
{
	struct refusal r = { .table = table, .key = key, .len = len, .what = what };

	each_setting(refused_by, &r);
	print_message("# %s\n", strrchr(r.said, '/') ? strrchr(r.said, '/') + 1 : r.said);
}

void values_remove(void)
{
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (!unlink(values_path) || errno == ENOENT)
			return;
		usleep(10000);
	}
	fail_msg("%s: %s", values_path, strerror(errno));
}

void values_poke(uint64_t at, const void *bytes, size_t len)
{
	int fd = open(values_path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static int setup(void **state)
{
	const char *dir = getenv("CAROM_VALUES_DIR");
	unsigned char *bytes = malloc(BYTES);
	unsigned int i, seed = 1;

	(void)state;
	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(values_path, sizeof(values_path), "%s/carom-values-%d", dir ? dir : "/tmp",
		 getpid());
	for (i = 0; bytes && i < BYTES; i++)
		bytes[i] = (unsigned char)rand_r(&seed);
	values_bytes = bytes;
	return bytes ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(values_path);
	free((void *)values_bytes);
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[16];

	if (values_lmdb_nr + values_sqlite_nr > ARRAY_SIZE(tests))
		return 1;
	memcpy(tests, values_lmdb, values_lmdb_nr * sizeof(tests[0]));
	memcpy(tests + values_lmdb_nr, values_sqlite, values_sqlite_nr * sizeof(tests[0]));
	return _cmocka_run_group_tests("values", tests, values_lmdb_nr + values_sqlite_nr, setup,
				       teardown);
}
