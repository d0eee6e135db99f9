// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

static const char *env(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		fail_msg("%s is not set: run this through vmtest/run", name);
	return value;
}

bool vm_fs_is(const char *name)
{
	return !strcmp(env("CAROM_VM_FS"), name);
}

bool vm_built_in(void)
{
	return *env("CAROM_VM_BUILT_IN");
}

static int run(const char *fmt, va_list args, char *cmd, size_t size)
{
	int status;

	vsnprintf(cmd, size, fmt, args);
	fflush(NULL);
	status = system(cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void vm_sh(const char *fmt, ...)
{
	char cmd[1024];
	va_list args;
	int status;

	va_start(args, fmt);
	status = run(fmt, args, cmd, sizeof(cmd));
	va_end(args);
	if (status)
		fail_msg("status %d of: %s", status, cmd);
}

int vm_try(const char *fmt, ...)
{
	char cmd[1024];
	va_list args;
	int status;

	va_start(args, fmt);
	status = run(fmt, args, cmd, sizeof(cmd));
	va_end(args);
	return status;
}

void vm_modprobe(const char *args)
{
	vm_sh("modprobe -d %s %s", env("CAROM_VM_KERNEL_ROOT"), args);
}

int vm_try_load(struct engine_walker *w, const char *name)
{
	const char *dir = strcmp(name, "chase") ? "vm/walkers" : "lib";
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/tests/%s/%s.bpf.o", env("CAROM_BUILD"), dir, name);
	return engine_load(w, path, NULL, 0);
}

void vm_load(struct engine_walker *w, const char *name)
{
	int err = vm_try_load(w, name);

	if (err)
		fail_msg("walker %s: %s", name, strerror(-err));
}

void vm_load_chases(struct engine_walker *w)
{
	static const char *const names[VM_CHASES] = {
		"chase", "chase512", "chase4096", "chase65536",
	};
	unsigned int i;

	for (i = 0; i < VM_CHASES; i++)
		vm_load(&w[i], names[i]);
}

void vm_unload_chases(struct engine_walker *w)
{
	unsigned int i;

	for (i = 0; i < VM_CHASES; i++)
		engine_unload(&w[i]);
}

static bool has_serial(const char *dir, const char *file, const char *serial)
{
	char path[256], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, " \n")] = '\0';
	return !strcmp(text, serial);
}

bool vm_find_serial(const char *pattern, const char *file, const char *serial, char *name,
		    size_t size)
{
	bool found = false;
	const char *last;
	glob_t g;
	size_t i;

	if (glob(pattern, 0, NULL, &g))
		return false;
	for (i = 0; i < g.gl_pathc && !found; i++) {
		last = strrchr(g.gl_pathv[i], '/') + 1;
		/* nvmeXcYn1 is a path of a multipath device and has no node. */
		if (strchr(last, 'c') || !has_serial(g.gl_pathv[i], file, serial))
			continue;
		snprintf(name, size, "%s", last);
		found = true;
	}
	globfree(&g);
	return found;
}

int vm_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

void vm_chase_file(const char *path, unsigned int size, unsigned int nodes)
{
	int fd = vm_open(path, O_RDWR | O_CREAT | O_TRUNC);

	assert_ok(chase_write(fd, size, nodes, nodes));
	close(fd);
}

/*
 * Of a file twice as long every other node is cut out; what moves together has
 * a gap on the device before it.
 */
void vm_fragmented_file(const char *path, unsigned int size, unsigned int nodes)
{
	int fd;
	unsigned int i;

	vm_chase_file(path, size, 2 * nodes + 1);
	fd = vm_open(path, O_RDWR);
	for (i = 1; i <= nodes; i++)
		assert_sys(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, (off_t)i * size, size));
	/* The last byte cannot be collapsed. */
	assert_sys(ftruncate(fd, (off_t)nodes * size));
	assert_ok(chase_write(fd, size, nodes, nodes));
	close(fd);
}

struct carom_open vm_chase_arg(void)
{
	return (struct carom_open) {
		.node_size = CHASE_NODE_SIZE,
		.scratch_size = sizeof(struct chase_query),
		.nr_slots = 1,
		/* An emulated machine may be away for as long as the default is. */
		.deadline_ms = CAROM_MAX_DEADLINE_MS,
		.walker = "chase",
	};
}

void vm_session(struct engine *e, const char *path, const char *walker, unsigned int node_size,
		const struct carom_open *arg)
{
	struct carom_open open = arg ? *arg : (struct carom_open) { };
	int err;

	open.node_size = node_size;
	/* A host with better things to do can make the default too short. */
	open.deadline_ms = open.deadline_ms ?: CAROM_MAX_DEADLINE_MS;
	err = engine_open(e, path, walker, &open);
	if (err)
		fail_msg("session on %s with walker %s: %s (refusal %u %s)", path, walker,
			 strerror(-err), e->open.refusal, e->open.detail);
}

struct carom_lookup vm_lookup(const struct engine *e, unsigned int slot, __u64 offset)
{
	struct carom_lookup res;

	assert_ok(engine_lookup(e, slot, offset, &res));
	return res;
}

static void check_node(const struct engine *e, unsigned int slot, int fd, __u64 at)
{
	unsigned char *want = malloc(e->open.node_size);

	assert_non_null(want);
	assert_int_equal(pread(fd, want, e->open.node_size, (off_t)at), e->open.node_size);
	assert_memory_equal(engine_node(e, slot), want, e->open.node_size);
	free(want);
}

void vm_walk(const struct engine *e, unsigned int slot, int fd, __u64 offset,
	     unsigned int depth)
{
	struct chase_query *query = engine_scratch(e, slot);
	struct carom_lookup res;
	__u64 want;

	assert_ok(chase_expect(fd, offset, depth, &want));
	query->depth = depth;
	query->id = ~want;
	res = vm_lookup(e, slot, offset);
	if (res.end != CAROM_END_DONE)
		fail_msg("depth %u from %llu: end %u, hops %u, code %d, at %llu", depth, offset,
			 res.end, res.hops, res.code, res.at);
	assert_int_equal(query->id, want);
	assert_int_equal(res.hops, depth);
	assert_int_equal(res.code, 0);
	assert_int_equal(res.at, want * e->open.node_size);
	check_node(e, slot, fd, res.at);
}

void vm_walks(const struct engine *e, const char *path, unsigned int from, unsigned int to,
	      unsigned int count)
{
	unsigned int nodes = (unsigned int)(e->open.file_size / e->open.node_size);
	int fd = vm_open(path, O_RDONLY);
	unsigned int depth, i;
	__u64 start;

	for (depth = from; depth <= to; depth++) {
		for (i = 0; i < count; i++) {
			start = (depth * 2654435761U + i * 40503U) % nodes;
			vm_walk(e, 0, fd, start * e->open.node_size, depth);
		}
	}
	close(fd);
}

struct carom_stats vm_stats(const struct engine *e)
{
	struct carom_stats st = { .size = sizeof(st) };

	assert_sys(ioctl(e->fd, CAROM_IOC_STATS, &st));
	assert_int_equal(st.size, sizeof(st));
	return st;
}

struct carom_info vm_info(void)
{
	struct carom_info info = { .size = sizeof(info) };
	int dev = vm_open("/dev/carom", O_RDWR);

	assert_sys(ioctl(dev, CAROM_IOC_INFO, &info));
	close(dev);
	return info;
}

void vm_refused_arg(int file, const struct carom_open *arg, int err, __u32 refusal,
		    const char *detail)
{
	struct carom_open open = *arg;
	int ret = engine_ioctl_open(file, &open);

	if (ret >= 0)
		close(ret);
	if (ret != -err || open.refusal != refusal)
		fail_msg("%d (refusal %u '%s') instead of %d (refusal %u)", ret, open.refusal,
			 open.detail, -err, refusal);
	if (detail)
		assert_string_equal(open.detail, detail);
}

void vm_refused(const char *path, int err, __u32 refusal, const char *detail)
{
	struct carom_open arg = vm_chase_arg();
	int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (file < 0)
		fail_msg("%s: %s", path, strerror(errno));
	vm_refused_arg(file, &arg, err, refusal, detail);
	close(file);
}

long vm_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void vm_read_latency(unsigned int us)
{
	const char *path = getenv("CAROM_VM_LATENCY");

	if (!path)
		fail_msg("the device's latency cannot be set without vmtest/run --read-latency");
	vm_sh("echo %u >%s", us, path);
}

void vm_sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}
