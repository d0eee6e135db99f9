// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * kvd: memcached's `get` from an LMDB file, through a queue of libcarom in one event loop.
 *
 *	kvd --listen 127.0.0.1:11211 packages.mdb
 *
 * Lookups of all connections are in flight together and end in any order; each connection has its
 * answers in the order of its requests. SIGTERM and SIGINT let commands that have been begun end.
 */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kvd.h"

/* When stopping: that long without any client taking anything, and it is over. */
#define GRACE_S		5
#define EVENTS		64

struct options {
	const char *path;
	const char *listen;
	struct carom_index_opts index;
	unsigned int depth;
	unsigned int conns;
};

static const struct argp_option options[] = {
	{ "listen", 'l', "ADDRESS", 0,
	  "ADDR:PORT, or the path of a Unix socket (default: 127.0.0.1:11211)", 0 },
	{ "db", 'd', "NAME", 0, "Named database inside FILE (default: the main one)", 0 },
	{ "backend", 'b', "BACKEND", 0,
	  "auto, kernel, io_uring or pread (default: auto, the first that works)", 0 },
	{ "queue-depth", 'q', "N", 0, "Lookups in flight at most, 1 to 4096 (default: 64)", 0 },
	{ "connections", 'c', "N", 0, "At most; others wait to be accepted (default: 1024)", 0 },
	{ "value-room", 'r', "BYTES", 0,
	  "Memory of each lookup for a value on several pages; see libcarom(3)", 0 },
	{ 0 },
};

static unsigned int number(struct argp_state *state, const char *arg, unsigned int min,
			   unsigned int max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || *arg < '0' || *arg > '9' || *end || n < min || n > max)
		argp_error(state, "'%s' is not a number from %u to %u", arg, min, max);
	return (unsigned int)n;
}

static enum carom_backend backend(struct argp_state *state, const char *arg)
{
	for (int b = CAROM_BACKEND_AUTO; b <= CAROM_BACKEND_PREAD; b++) {
		if (!strcmp(arg, carom_backend__name((enum carom_backend)b)))
			return (enum carom_backend)b;
	}
	argp_error(state, "'%s' is not a backend: auto, kernel, io_uring or pread", arg);
	return CAROM_BACKEND_AUTO;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'l':
		o->listen = arg;
		return 0;
	case 'd':
		o->index.db = arg;
		return 0;
	case 'b':
		o->index.backend = backend(state, arg);
		return 0;
	case 'q':
		o->depth = number(state, arg, 1, 4096);
		return 0;
	case 'c':
		o->conns = number(state, arg, 1, 1000000);
		return 0;
	case 'r':
		o->index.value_room = number(state, arg, 0, 65536);
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "only one FILE");
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			argp_error(state, "FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

uint64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

static int listen_at(const struct sockaddr *addr, socklen_t len, const char *name)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		err(5, "%s", name);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, addr, len) || listen(fd, SOMAXCONN))
		err(5, "%s", name);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(un.sun_path))
		errx(2, "%s: too long for a Unix socket", path);
	strcpy(un.sun_path, path);
	return listen_at((struct sockaddr *)&un, sizeof(un), path);
}

static int listen_tcp(const char *name)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
	const char *colon = strrchr(name, ':');
	char host[256];
	int fd, ret;

	if (!colon || colon == name || (size_t)(colon - name) >= sizeof(host))
		errx(2, "%s: neither ADDR:PORT nor a path with a slash", name);
	/* [::1]:11211 */
	if (*name == '[' && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)(colon - name - 2), name + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)(colon - name), name);
	ret = getaddrinfo(host, colon + 1, &hints, &list);
	if (ret)
		errx(5, "%s: %s", name, gai_strerror(ret));
	fd = listen_at(list->ai_addr, list->ai_addrlen, name);
	freeaddrinfo(list);
	return fd;
}

/* Port 0 is one that is free: say which. */
static void announce(const struct kvd *k, const char *name)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char port[NI_MAXSERV];

	printf("kvd: %s at %s", k->path, name);
	if (!strchr(name, '/') && !getsockname(k->listener, (struct sockaddr *)&addr, &len) &&
	    !getnameinfo((struct sockaddr *)&addr, len, NULL, 0, port, sizeof(port),
			 NI_NUMERICSERV))
		printf(", port %s", port);
	printf(", %s\n", carom_index__why(k->index));
	fflush(stdout);
}

static void watch(const struct kvd *k, int fd, const void *what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = (void *)what };

	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev))
		err(5, "epoll_ctl");
}

/* Full: whoever else connects waits in the kernel. */
static void watch_listener(struct kvd *k, bool accepting)
{
	struct epoll_event ev = { .events = accepting ? EPOLLIN : 0, .data.ptr = &k->listener };

	if (accepting != k->accepting && epoll_ctl(k->epoll, EPOLL_CTL_MOD, k->listener, &ev))
		err(5, "epoll_ctl");
	k->accepting = accepting;
}

static void accept_one(struct kvd *k)
{
	int fd = accept4(k->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1, ret;

	if (fd < 0) {
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			warn("accept");
		return;
	}
	/* Of a Unix socket it is refused. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ret = conn_new(k, fd);
	if (ret) {
		warnx("a connection: %s", strerror(-ret));
		close(fd);
	}
}

static void reap(struct kvd *k)
{
	const struct carom_completion *done;
	int ret;

	while (!(ret = carom_queue__peek(k->queue, &done))) {
		conn_complete(k, done);
		carom_queue__done(k->queue, done);
	}
	if (ret != -EAGAIN)
		errx(5, "%s", carom_queue__error(k->queue)->text);
}

static void stop(struct kvd *k)
{
	struct conn *c;

	if (k->stopping)
		return;
	k->stopping = true;
	k->taken_s = now_s();
	close(k->listener);
	TAILQ_FOREACH(c, &k->conns, all)
		conn_todo(c);
}

/* Runs until a signal ends it, or what is left to do then. */
static void loop(struct kvd *k, int signals)
{
	struct epoll_event events[EVENTS];
	struct signalfd_siginfo info;
	bool at_once = false;
	int nr;

	while (!k->stopping || (k->nr_conns && !at_once && now_s() < k->taken_s + GRACE_S)) {
		nr = epoll_wait(k->epoll, events, EVENTS, k->stopping ? 1000 : -1);
		if (nr < 0 && errno != EINTR)
			err(5, "epoll_wait");
		for (int i = 0; i < nr; i++) {
			void *what = events[i].data.ptr;

			if (what == &k->queue) {
				reap(k);
			} else if (what == &k->listener) {
				accept_one(k);
			} else if (what != &k->epoll) {
				conn_events(what, events[i].events);
			} else if (read(signals, &info, sizeof(info)) == sizeof(info)) {
				/* The second one does not wait. */
				at_once = k->stopping;
				stop(k);
			}
		}
		conn_run_all(k);
		if (!k->stopping)
			watch_listener(k, k->nr_conns < k->max_conns);
		/* All that this round has brought, with one system call. */
		if (carom_queue__flush(k->queue))
			errx(5, "%s", carom_queue__error(k->queue)->text);
	}
}

static void finish(struct kvd *k)
{
	const struct carom_completion *done;

	if (k->nr_conns)
		warnx("connections that did not take their answers: %u", k->nr_conns);
	while (!TAILQ_EMPTY(&k->conns))
		conn_kill(TAILQ_FIRST(&k->conns));
	while (k->in_flight && !carom_queue__wait(k->queue, &done)) {
		conn_complete(k, done);
		carom_queue__done(k->queue, done);
	}
	carom_queue__free(k->queue);
	carom_index__close(k->index);
}

static void open_index(struct kvd *k, struct options *o)
{
	struct carom_queue_opts queue = { .sz = sizeof(queue), .depth = o->depth };
	struct carom_error error;

	o->index.max_in_flight = o->depth;
	if (carom_index__open(o->path, &o->index, &k->index, &error) ||
	    carom_queue__new(k->index, &queue, &k->queue, &error))
		errx(error.fault == CAROM_FAULT_USAGE ? 2 : 5, "%s", error.text);
	if (carom_queue__fd(k->queue) < 0)
		errx(5, "%s", carom_queue__error(k->queue)->text);
}

/* A descriptor for each connection, and some. */
static void raise_files(unsigned int conns)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) || lim.rlim_cur >= conns + 64)
		return;
	lim.rlim_cur = conns + 64;
	if (lim.rlim_cur > lim.rlim_max || setrlimit(RLIMIT_NOFILE, &lim))
		errx(2, "--connections %u: no more than %llu files can be open", conns,
		     (unsigned long long)lim.rlim_max);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "FILE",
		.doc = "Answers memcached's get from the LMDB file FILE.",
	};
	struct options o = {
		.listen = "127.0.0.1:11211", .depth = 64, .conns = 1024,
		.index = { .sz = sizeof(o.index), .format = "lmdb" },
	};
	struct kvd k = { .accepting = true };
	int signals;
	sigset_t set;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	raise_files(o.conns);
	k.path = o.path;
	k.depth = o.depth;
	k.max_conns = o.conns;
	k.started_s = now_s();
	TAILQ_INIT(&k.conns);
	TAILQ_INIT(&k.todo);
	TAILQ_INIT(&k.waiting);
	open_index(&k, &o);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	k.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (signals < 0 || k.epoll < 0)
		err(5, "signalfd, epoll");
	k.listener = strchr(o.listen, '/') ? listen_unix(o.listen) : listen_tcp(o.listen);
	/* An event says whose it is by an address; &k.epoll stands for the signals. */
	watch(&k, carom_queue__fd(k.queue), &k.queue);
	watch(&k, k.listener, &k.listener);
	watch(&k, signals, &k.epoll);
	announce(&k, o.listen);
	loop(&k, signals);
	finish(&k);
	if (strchr(o.listen, '/'))
		unlink(o.listen);
	return 0;
}
