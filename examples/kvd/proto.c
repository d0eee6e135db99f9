// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * memcached's text protocol, of a server that is only read from.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvd.h"

/* The next word of *@s up to @end; its length, 0 if there is none. */
static size_t word(const char **s, const char *end)
{
	const char *space;

	while (*s < end && **s == ' ')
		(*s)++;
	space = memchr(*s, ' ', (size_t)(end - *s));
	return (size_t)((space ? space : end) - *s);
}

static bool word_is(const char *s, size_t len, const char *what)
{
	return len == strlen(what) && !memcmp(s, what, len);
}

/* A value has no number of its own in the file: FNV-1a, which changes when it does. */
static uint64_t cas_of(const struct carom_value *val)
{
	const unsigned char *data = val->data;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < val->len; i++)
		hash = (hash ^ data[i]) * 0x100000001b3;
	return hash;
}

static void answer_value(struct answer *a, const struct carom_value *val)
{
	char head[KEY_LIMIT + 80], cas[24] = "";
	int len;

	if (a->cas)
		snprintf(cas, sizeof(cas), " %" PRIu64, cas_of(val));
	len = snprintf(head, sizeof(head), "VALUE %.*s 0 %zu%s\r\n", (int)a->key_len, a->key,
		       val->len, cas);
	a->len = (size_t)len + val->len + 2;
	a->text = malloc(a->len);
	if (!a->text)
		abort();
	memcpy(a->text, head, (size_t)len);
	memcpy(a->text + len, val->data, val->len);
	memcpy(a->text + a->len - 2, "\r\n", 2);
}

/* It is the last line of its command: no VALUE and no END may follow. */
static void answer_error(struct kvd *k, struct answer *a, const struct carom_error *err)
{
	int len = asprintf(&a->text, "SERVER_ERROR %s\r\n", err->text);
	uint64_t command = a->command;

	if (len < 0)
		abort();
	a->len = (size_t)len;
	k->errors++;
	if (!a->conn)
		return;
	if (a->conn->end && a->conn->command == command)
		a->conn->failed = true;
	while ((a = TAILQ_NEXT(a, link)) && a->command == command)
		a->dropped = true;
}

void proto_answer(struct kvd *k, struct answer *a, const struct carom_completion *done)
{
	if (done->ret == CAROM_NOTFOUND) {
		k->misses++;
	} else if (done->ret) {
		answer_error(k, a, done->err);
	} else {
		k->hits++;
		answer_value(a, &done->val);
	}
}

/* Return: false if the queue has no room. */
static bool get_key(struct conn *c, const char *key, size_t len)
{
	struct kvd *k = c->kvd;
	struct answer *a;

	if (k->in_flight == k->depth) {
		k->queue_full++;
		conn_wait(c);
		return false;
	}
	a = conn_answer(c);
	a->cas = c->cas;
	a->key_len = len;
	memcpy(a->key, key, len);
	k->gets++;
	if (!carom_queue__submit(k->queue, key, len, (uintptr_t)a)) {
		k->in_flight++;
		return true;
	}
	answer_error(k, a, carom_queue__error(k->queue));
	a->ready = true;
	c->bytes += a->len;
	return true;
}

/* Return: false if the rest of the command has to wait. */
static bool get_next(struct conn *c)
{
	const char *s = c->in + c->pos, *end = c->in + c->end;
	size_t len = c->failed ? 0 : word(&s, end);

	if (len && !get_key(c, s, len))
		return false;
	if (len) {
		c->pos = (size_t)(s - c->in) + len;
		return true;
	}
	if (!c->failed)
		conn_say(c, "END\r\n");
	c->pos = (size_t)((char *)memchr(end, '\n', c->len - c->end) - c->in) + 1;
	c->end = 0;
	return true;
}

/* A line is refused as a whole, before any of its keys is looked up. */
static const char *get_refusal(const char *s, const char *end)
{
	size_t len = word(&s, end);

	if (!len)
		return "ERROR\r\n";
	for (; len; s += len, len = word(&s, end)) {
		if (len > KEY_LIMIT)
			return "CLIENT_ERROR key is longer than 250 bytes\r\n";
		for (size_t i = 0; i < len; i++) {
			if (iscntrl((unsigned char)s[i]))
				return "CLIENT_ERROR control character in a key\r\n";
		}
	}
	return NULL;
}

static void stats(struct conn *c)
{
	const struct kvd *k = c->kvd;
	struct carom_reader_stats st = { 0 };

	carom_queue__stats(k->queue, &st, sizeof(st));
	conn_say(c, "STAT pid %d\r\nSTAT uptime %" PRIu64 "\r\nSTAT version " CAROM_VERSION "\r\n"
		 "STAT curr_connections %u\r\nSTAT total_connections %" PRIu64 "\r\n"
		 "STAT cmd_get %" PRIu64 "\r\nSTAT get_hits %" PRIu64 "\r\n"
		 "STAT get_misses %" PRIu64 "\r\nSTAT get_errors %" PRIu64 "\r\n"
		 "STAT backend %s\r\nSTAT backend_why %s\r\nSTAT queue_depth %u\r\n"
		 "STAT in_flight %u\r\nSTAT queue_full %" PRIu64 "\r\n"
		 "STAT hops %" PRIu64 "\r\nSTAT kernel_hops %" PRIu64 "\r\n"
		 "STAT fallbacks %" PRIu64 "\r\nEND\r\n",
		 (int)getpid(), now_s() - k->started_s, k->nr_conns, k->total_conns, k->gets,
		 k->hits, k->misses, k->errors,
		 carom_backend__name(carom_index__backend(k->index)), carom_index__why(k->index),
		 k->depth, k->in_flight, k->queue_full, st.hops, st.kernel_hops, st.fallbacks);
}

/* Return: whether it was one; storage commands have a block of data behind their line. */
static bool refuse_write(struct conn *c, const char *cmd, size_t cmd_len, const char *s,
			 const char *end)
{
	static const char *const names[] = {
		"set", "add", "replace", "append", "prepend", "cas",
		"delete", "incr", "decr", "touch", "flush_all",
	};
	char number[24] = "", *tail;
	bool noreply = false;
	size_t len, i, nr = 0;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (word_is(cmd, cmd_len, names[i]))
			break;
	}
	if (i == sizeof(names) / sizeof(*names))
		return false;
	for (len = word(&s, end); len; s += len, len = word(&s, end)) {
		if (++nr == 4 && len < 20)
			memcpy(number, s, len);
		noreply = word_is(s, len, "noreply");
	}
	if (i < 6) {
		c->skip = strtoull(number, &tail, 10);
		if (!isdigit((unsigned char)number[0]) || *tail) {
			c->skip = 0;
			conn_say(c, "CLIENT_ERROR bad data chunk\r\n");
			return true;
		}
		c->skip += 2;
	}
	if (!noreply)
		conn_say(c, "SERVER_ERROR this server is read-only\r\n");
	return true;
}

/* The line at c->pos up to @end, without its CR LF, which end before @next. */
static void command(struct conn *c, size_t end, size_t next)
{
	const char *s = c->in + c->pos, *stop = c->in + end, *refusal;
	size_t len = word(&s, stop);
	const char *cmd = s;

	c->command++;
	c->pos = next;
	s += len;
	if (word_is(cmd, len, "get") || word_is(cmd, len, "gets")) {
		refusal = get_refusal(s, stop);
		if (refusal) {
			conn_say(c, "%s", refusal);
			return;
		}
		c->pos = (size_t)(s - c->in);
		c->end = end;
		c->cas = len == 4;
		c->failed = false;
	} else if (refuse_write(c, cmd, len, s, stop)) {
		return;
	} else if (word(&s, stop)) {
		conn_say(c, "ERROR\r\n");
	} else if (word_is(cmd, len, "version")) {
		conn_say(c, "VERSION " CAROM_VERSION "\r\n");
	} else if (word_is(cmd, len, "stats")) {
		stats(c);
	} else if (word_is(cmd, len, "quit")) {
		c->quit = true;
	} else {
		conn_say(c, "ERROR\r\n");
	}
}

/* Return: false if there is none, or not yet all of it. */
static bool command_next(struct conn *c)
{
	size_t left = c->len - c->pos, skip = c->skip < left ? c->skip : left, end;
	const char *newline;

	c->skip -= skip;
	c->pos += skip;
	left -= skip;
	newline = memchr(c->in + c->pos, '\n', left);
	if (!newline) {
		if (left == LINE_ROOM && !c->skip_line) {
			conn_say(c, "CLIENT_ERROR line too long\r\n");
			c->skip_line = true;
		}
		if (c->skip_line)
			c->pos = c->len;
		return false;
	}
	end = (size_t)(newline - c->in);
	if (c->skip_line) {
		c->skip_line = false;
		c->pos = end + 1;
		return true;
	}
	command(c, end > c->pos && newline[-1] == '\r' ? end - 1 : end, end + 1);
	return true;
}

void proto_parse(struct conn *c)
{
	bool more = true;

	while (more && conn_has_room(c)) {
		if (c->end)
			more = get_next(c);
		else
			more = !c->quit && !c->kvd->stopping && command_next(c);
	}
}
