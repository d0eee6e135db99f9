// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Connections: what comes in, what goes out, and in which order.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kvd.h"

void conn_todo(struct conn *c)
{
	if (!c->in_todo)
		TAILQ_INSERT_TAIL(&c->kvd->todo, c, todo);
	c->in_todo = true;
}

/* Who waits already keeps its place. */
void conn_wait(struct conn *c)
{
	if (!c->in_waiting)
		TAILQ_INSERT_TAIL(&c->kvd->waiting, c, wait);
	c->in_waiting = true;
}

static void unlist(struct conn *c, bool waiting, bool todo)
{
	if (waiting && c->in_waiting) {
		TAILQ_REMOVE(&c->kvd->waiting, c, wait);
		c->in_waiting = false;
	}
	if (todo && c->in_todo) {
		TAILQ_REMOVE(&c->kvd->todo, c, todo);
		c->in_todo = false;
	}
}

int conn_new(struct kvd *k, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	if (!c)
		return -ENOMEM;
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev)) {
		free(c);
		return -errno;
	}
	c->kvd = k;
	c->fd = fd;
	c->events = ev.events;
	TAILQ_INIT(&c->answers);
	TAILQ_INSERT_TAIL(&k->conns, c, all);
	k->nr_conns++;
	k->total_conns++;
	return 0;
}

bool conn_has_room(const struct conn *c)
{
	return c->nr < CONN_ANSWERS && c->bytes < ANSWER_BYTES;
}

struct answer *conn_answer(struct conn *c)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->conn = c;
	a->command = c->command;
	TAILQ_INSERT_TAIL(&c->answers, a, link);
	c->nr++;
	return a;
}

void conn_say(struct conn *c, const char *format, ...)
{
	struct answer *a = conn_answer(c);
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&a->text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	a->len = (size_t)len;
	a->ready = true;
	c->bytes += a->len;
}

static void answer_free(struct answer *a)
{
	free(a->text);
	free(a);
}

void conn_complete(struct kvd *k, const struct carom_completion *done)
{
	struct answer *a = (struct answer *)(uintptr_t)done->user_data;

	k->in_flight--;
	if (!a->conn) {
		answer_free(a);
		return;
	}
	proto_answer(k, a, done);
	a->ready = true;
	a->conn->bytes += a->len;
	conn_todo(a->conn);
}

/* Lookups in flight end early, and find that nobody waits for them. */
static void drop_answers(struct conn *c)
{
	struct answer *a;

	while ((a = TAILQ_FIRST(&c->answers))) {
		TAILQ_REMOVE(&c->answers, a, link);
		a->conn = NULL;
		if (a->ready)
			answer_free(a);
		else
			carom_queue__cancel(c->kvd->queue, (uintptr_t)a);
	}
}

void conn_kill(struct conn *c)
{
	struct kvd *k = c->kvd;

	drop_answers(c);
	unlist(c, true, true);
	TAILQ_REMOVE(&k->conns, c, all);
	k->nr_conns--;
	close(c->fd);
	free(c);
}

/* What is not read would make the kernel reset the connection, with answers on their way. */
static void conn_finish(struct conn *c)
{
	int rounds = 16;

	shutdown(c->fd, SHUT_WR);
	while (rounds-- && recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT) > 0)
		;
	conn_kill(c);
}

/* Return: false if it is broken. */
static bool conn_read(struct conn *c)
{
	ssize_t n;

	/* With a command half done there are keys at fixed places; it is not read from then. */
	if (c->end || c->eof || c->quit || c->kvd->stopping)
		return true;
	if (c->pos) {
		memmove(c->in, c->in + c->pos, c->len - c->pos);
		c->len -= c->pos;
		c->pos = 0;
	}
	if (c->len == sizeof(c->in))
		return true;
	n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->len += (size_t)n;
	c->eof = n == 0;
	return true;
}

static void conn_sent(struct conn *c, size_t n)
{
	struct answer *a;

	c->sent += n;
	while ((a = TAILQ_FIRST(&c->answers)) && a->ready) {
		if (!a->dropped && c->sent < a->len)
			return;
		if (!a->dropped)
			c->sent -= a->len;
		c->bytes -= a->len;
		c->nr--;
		TAILQ_REMOVE(&c->answers, a, link);
		answer_free(a);
	}
}

/* What is ready up to the first that is not; returns how many pieces. */
static size_t gather(const struct conn *c, struct iovec *iov)
{
	const struct answer *a;
	size_t nr = 0;

	for (a = TAILQ_FIRST(&c->answers); a && a->ready; a = TAILQ_NEXT(a, link)) {
		if (a->len && !a->dropped)
			iov[nr++] = (struct iovec){ a->text, a->len };
	}
	return nr;
}

/* Return: 1 all that is ready is sent, 0 the client does not take more, -1 it is broken. */
static int conn_write(struct conn *c)
{
	struct iovec iov[CONN_ANSWERS];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	for (;;) {
		msg.msg_iovlen = gather(c, iov);
		if (!msg.msg_iovlen) {
			conn_sent(c, 0);
			return 1;
		}
		iov[0].iov_base = (char *)iov[0].iov_base + c->sent;
		iov[0].iov_len -= c->sent;
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		c->kvd->taken_s = now_s();
		conn_sent(c, (size_t)n);
	}
}

void conn_events(struct conn *c, uint32_t events)
{
	if ((events & (EPOLLERR | EPOLLHUP)) ||
	    ((events & EPOLLIN) && !conn_read(c)))
		conn_kill(c);
	else
		conn_todo(c);
}

static void conn_watch(struct conn *c, bool writable)
{
	struct epoll_event ev = { .data.ptr = c };

	if (!writable)
		ev.events |= EPOLLOUT;
	if (!c->end && !c->eof && !c->quit && !c->kvd->stopping && conn_has_room(c))
		ev.events |= EPOLLIN;
	if (ev.events == c->events)
		return;
	c->events = ev.events;
	if (epoll_ctl(c->kvd->epoll, EPOLL_CTL_MOD, c->fd, &ev))
		conn_kill(c);
}

/* As far as it goes: commands make answers, and sent answers make room for commands. */
static void conn_run(struct conn *c)
{
	bool full;
	int sent;

	do {
		proto_parse(c);
		full = !conn_has_room(c);
		sent = conn_write(c);
	} while (sent > 0 && full && conn_has_room(c));
	if (sent < 0)
		conn_kill(c);
	else if (!c->nr && !c->end && (c->eof || c->quit || c->kvd->stopping))
		conn_finish(c);
	else
		conn_watch(c, sent);
}

/* Who waits for the queue comes first. */
void conn_run_all(struct kvd *k)
{
	struct conn *c;

	for (;;) {
		c = k->in_flight < k->depth ? TAILQ_FIRST(&k->waiting) : NULL;
		if (c)
			unlist(c, true, false);
		else if ((c = TAILQ_FIRST(&k->todo)))
			unlist(c, false, true);
		else
			return;
		conn_run(c);
	}
}
