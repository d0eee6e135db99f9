/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * kvd: memcached's `get` from an LMDB file. main.c has the loop, conn.c connections and their
 * answers, proto.c the protocol.
 *
 * Memory of a connection is bounded: LINE_ROOM bytes of requests, and CONN_ANSWERS answers, of
 * which no further one is begun while ANSWER_BYTES wait to be taken. One that has reached a
 * limit is not read from.
 */
#ifndef CAROM_EXAMPLES_KVD_H
#define CAROM_EXAMPLES_KVD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <carom/carom.h>

#define KEY_LIMIT	250
#define LINE_ROOM	65536
#define CONN_ANSWERS	32
#define ANSWER_BYTES	65536

struct conn;

/**
 * struct answer - a piece of what a connection is to be sent, in the order of its list
 * @conn: whose; NULL: it is gone, and the lookup still in flight
 * @command: number of the command
 * @ready: @text is there
 * @dropped: an earlier key of the command has failed, so this is not sent
 * @cas: for `gets`
 * @text: in whole; NULL: nothing is sent
 */
struct answer {
	TAILQ_ENTRY(answer) link;
	struct conn *conn;
	uint64_t command;
	bool ready;
	bool dropped;
	bool cas;
	char *text;
	size_t len;
	size_t key_len;
	char key[KEY_LIMIT];
};

TAILQ_HEAD(answer_list, answer);

/**
 * struct conn - a connection
 * @all: link of kvd.conns
 * @todo: link of kvd.todo, if @in_todo
 * @wait: link of kvd.waiting, if @in_waiting
 * @fd: its socket
 * @events: what epoll looks for
 * @eof: the client sends no more
 * @quit: no further command is begun, and it is closed when all is answered
 * @in: requests; @pos is where the next line or key begins, @len the end
 * @end: end of the `get` that is being worked on, 0: there is none
 * @cas: that is a `gets`
 * @failed: one of its keys could not be looked up, so there is no END
 * @skip: bytes of input that are none of a command's
 * @skip_line: the same, to the end of the line
 * @answers: in order
 * @nr: how many
 * @bytes: of those that are ready, all together
 * @sent: bytes of the first that are sent
 */
struct conn {
	TAILQ_ENTRY(conn) all;
	TAILQ_ENTRY(conn) todo;
	TAILQ_ENTRY(conn) wait;
	bool in_todo;
	bool in_waiting;
	struct kvd *kvd;
	int fd;
	uint32_t events;
	bool eof;
	bool quit;
	size_t pos;
	size_t len;
	size_t end;
	bool cas;
	bool failed;
	uint64_t skip;
	bool skip_line;
	uint64_t command;
	struct answer_list answers;
	unsigned int nr;
	size_t bytes;
	size_t sent;
	char in[LINE_ROOM];
};

TAILQ_HEAD(conn_list, conn);

/**
 * struct kvd - the server
 * @depth: of @queue
 * @in_flight: lookups in it
 * @todo: connections that may have something to do
 * @waiting: those that the queue had no room for, in the order in which they came
 * @stopping: no command is begun any more
 * @taken_s: when a client has last taken something, or @stopping began
 */
struct kvd {
	struct carom_index *index;
	struct carom_queue *queue;
	const char *path;
	unsigned int depth;
	unsigned int in_flight;
	unsigned int max_conns;
	unsigned int nr_conns;
	int epoll;
	int listener;
	bool accepting;
	bool stopping;
	struct conn_list conns;
	struct conn_list todo;
	struct conn_list waiting;
	uint64_t started_s;
	uint64_t taken_s;
	uint64_t total_conns;
	uint64_t gets;
	uint64_t hits;
	uint64_t misses;
	uint64_t errors;
	uint64_t queue_full;
};

uint64_t now_s(void);

/* conn.c */
int conn_new(struct kvd *k, int fd);
void conn_events(struct conn *c, uint32_t events);
void conn_complete(struct kvd *k, const struct carom_completion *done);
void conn_run_all(struct kvd *k);
void conn_kill(struct conn *c);
void conn_todo(struct conn *c);
void conn_wait(struct conn *c);
bool conn_has_room(const struct conn *c);
/* An answer at the end of the list; the caller fills it. */
struct answer *conn_answer(struct conn *c);
void conn_say(struct conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* proto.c */
/* Begin commands until there are no more, or no room. */
void proto_parse(struct conn *c);
/* What becomes of @a, whose lookup has ended. */
void proto_answer(struct kvd *k, struct answer *a, const struct carom_completion *done);

#endif /* CAROM_EXAMPLES_KVD_H */
