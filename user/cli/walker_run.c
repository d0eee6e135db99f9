// SPDX-License-Identifier: GPL-2.0
/*
 * A walker that is being tested, in the kernel and natively. The native one is a shared
 * object that was built from the walker's source: it is then the very code that a program
 * has which links it, and carom needs no compiler.
 */
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "walker_test.h"

#define NATIVE_SECONDS	10

static struct walker_head *only_head(const struct walker_object *o)
{
	return walker_object_head(walker_object_next(o, NULL));
}

void walker_run_rename(const struct walker_object *o)
{
	struct walker_head *head = only_head(o);

	snprintf(head->name, sizeof(head->name), "test-%d", (int)getpid());
}

/* ---- the native walker ---- */

/* Beside the object, with another ending. */
static void so_path(char *path, size_t size, const struct walker_object *o,
		    const struct walker_cmd *cmd)
{
	const char *suffix = ".bpf.o";
	size_t len = strlen(o->path), cut = strlen(suffix);

	if (cmd->native)
		snprintf(path, size, "%s%s", strchr(cmd->native, '/') ? "" : "./", cmd->native);
	else
		snprintf(path, size, "%s%.*s.native.so", strchr(o->path, '/') ? "" : "./",
			 (int)(len > cut && !strcmp(o->path + len - cut, suffix) ? len - cut : len),
			 o->path);
}

static int check_native(struct walker_run *r, struct walker_object *o, const char *path)
{
	const struct walker_head *head = only_head(o);

	if (r->walker->abi != CAROM_ABI_VERSION)
		return walker_object_fail(o, CLI_FORMAT, "%s: has ABI %u, this carom %u; build it again",
					  path, r->walker->abi, CAROM_ABI_VERSION);
	if (r->walker->node_size == head->node_size &&
	    r->walker->scratch_size == head->scratch_size)
		return 0;
	return walker_object_fail(o, CLI_FORMAT,
		"%s: has nodes of %u and a scratch of %u bytes, %s %u and %u; build both from the same "
		"source", path, r->walker->node_size, r->walker->scratch_size, o->path,
		head->node_size, head->scratch_size);
}

static int open_native(struct walker_run *r, struct walker_object *o, const struct walker_cmd *cmd)
{
	char path[PATH_MAX + 16], symbol[CAROM_WALKER_NAME_LEN + 16];

	so_path(path, sizeof(path), o, cmd);
	if (access(path, R_OK))
		return walker_object_fail(o, CLI_IO,
			"%s: %s; it is the walker built for user space: cc -shared -fPIC -o %s -x c "
			"WALKER.bpf.c, or say with --native where it is", path, strerror(errno),
			path);
	r->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!r->so)
		return walker_object_fail(o, CLI_FORMAT, "%s: cannot be loaded: %s", path,
					  dlerror());
	snprintf(symbol, sizeof(symbol), "carom_walker_%s", only_head(o)->name);
	r->walker = dlsym(r->so, symbol);
	if (!r->walker)
		return walker_object_fail(o, CLI_FORMAT, "%s: has no %s; is it of another walker?",
					  path, symbol);
	return check_native(r, o, path);
}

static int open_file(struct walker_run *r, struct walker_object *o, const char *path)
{
	struct stat st;
	off_t size;

	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	size = r->fd < 0 || fstat(r->fd, &st) ? -1 : lseek(r->fd, 0, SEEK_END);
	if (size < 0)
		return walker_object_fail(o, CLI_IO, "%s: cannot be opened: %s", path,
					  strerror(errno));
	if (S_ISDIR(st.st_mode))
		return walker_object_fail(o, CLI_IO, "%s: is a directory", path);
	r->file_size = (__u64)size;
	return 0;
}

int walker_run_open(struct walker_run *r, struct walker_object *o, const struct walker_cmd *cmd)
{
	struct bpf_map *map = walker_object_next(o, NULL);
	int ret;

	r->fd = -1;
	r->session.fd = -1;
	if (walker_object_next(o, map))
		return walker_object_fail(o, CLI_FORMAT, "%s: has several walkers; test takes one",
					  o->path);
	ret = open_native(r, o, cmd);
	if (!ret)
		ret = open_file(r, o, cmd->file);
	if (ret)
		return ret;
	r->node = aligned_alloc(r->walker->node_size, r->walker->node_size);
	/* One byte more, as there may be none. */
	r->scratch = calloc(1, r->walker->scratch_size + 1);
	return r->node && r->scratch ? 0 : walker_object_fail(o, CLI_IO, "no memory");
}

static int native_read(void *ctx, __u64 offset)
{
	const struct walker_run *r = ctx;
	ssize_t n = pread(r->fd, r->node, r->walker->node_size, (off_t)offset);

	if (n < 0)
		return -errno;
	return n == (ssize_t)r->walker->node_size ? 0 : -ENODATA;
}

static bool native_within(void *ctx, __u64 end)
{
	const struct walker_run *r = ctx;

	return end <= r->file_size;
}

/* Natively nobody has proved that a walker keeps within its memory, or comes to an end. */
static sigjmp_buf crashed;
static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };
#define NR_SIGNALS	(sizeof(crash_signals) / sizeof(crash_signals[0]))

static void on_crash(int sig)
{
	siglongjmp(crashed, sig);
}

static void catch_crashes(struct sigaction *old)
{
	struct sigaction action = { .sa_handler = on_crash };
	unsigned int i;

	for (i = 0; i < NR_SIGNALS; i++)
		sigaction(crash_signals[i], &action, &old[i]);
	alarm(NATIVE_SECONDS);
}

static void let_crash(const struct sigaction *old)
{
	unsigned int i;

	alarm(0);
	for (i = 0; i < NR_SIGNALS; i++)
		sigaction(crash_signals[i], &old[i], NULL);
}

struct carom_lookup walker_run_native(struct walker_run *r, const struct vector *v)
{
	const struct carom_chain chain = {
		.walker = r->walker, .node = r->node, .scratch = r->scratch,
		.scratch_size = r->walker->scratch_size, .max_hops = CAROM_DEFAULT_HOPS,
		.read = native_read, .within = native_within, .ctx = r,
	};
	struct sigaction old[NR_SIGNALS];
	struct carom_lookup res = { .offset = v->start, .at = v->start };
	int sig;

	memset(r->scratch, 0, r->walker->scratch_size);
	memcpy(r->scratch, v->query, v->query_len);
	r->crash = NULL;
	catch_crashes(old);
	sig = sigsetjmp(crashed, 1);
	if (!sig)
		carom_chain_run(&chain, &res);
	else
		r->crash = sig == SIGALRM ? "does not come to an end" : strsignal(sig);
	let_crash(old);
	return res;
}

/* ---- the kernel's ---- */

int walker_run_attach(struct walker_run *r, struct walker_object *o)
{
	struct bpf_map *map = walker_object_next(o, NULL);
	char reason[CAROM_REASON_LEN];
	int ret;

	r->link = bpf_map__attach_struct_ops(map);
	if (!r->link)
		return walker_object_explain(o, "attaching the walker", -errno);
	r->session.open = (struct carom_open){
		.fd = r->fd, .node_size = r->walker->node_size,
		.scratch_size = r->walker->scratch_size, .nr_slots = 1,
	};
	snprintf(r->session.open.walker, sizeof(r->session.open.walker), "%s", only_head(o)->name);
	ret = carom_session_open(&r->session, reason);
	if (!ret)
		ret = carom_session_map(&r->session, reason);
	return ret ? walker_object_fail(o, CLI_BACKEND, "%s", reason) : 0;
}

int walker_run_kernel(struct walker_run *r, const struct vector *v, struct carom_lookup *res)
{
	memset(r->session.scratch, 0, r->walker->scratch_size);
	memcpy(r->session.scratch, v->query, v->query_len);
	*res = (struct carom_lookup){ .offset = v->start };
	return ioctl(r->session.fd, CAROM_IOC_LOOKUP, res) ? -errno : 0;
}

void walker_run_close(struct walker_run *r)
{
	carom_session_close(&r->session);
	bpf_link__destroy(r->link);
	if (r->fd >= 0)
		close(r->fd);
	if (r->so)
		dlclose(r->so);
	free(r->node);
	free(r->scratch);
}
