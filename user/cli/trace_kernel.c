// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel does in a lookup, from the tracepoints of carom.ko. An instance of tracefs
 * of our own leaves everybody else's tracing alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "trace.h"

#define INSTANCES	"/sys/kernel/tracing/instances"

static char instance[64];

static const char *const events[] = {
	"carom_chain_submit", "carom_chain_node", "carom_chain_step", "carom_chain_resubmit",
	"carom_chain_end",
};

static int put(const char *name, const char *text)
{
	char path[256];
	int fd, ret = -1;

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	if (fd >= 0) {
		ret = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
		close(fd);
	}
	return ret;
}

/* Of its fdinfo; 0 if it has none. */
static uint64_t session_number(int fd)
{
	char path[64], line[256];
	uint64_t id = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "carom-session: %" SCNu64, &id) == 1)
			break;
	if (info)
		fclose(info);
	return id;
}

/* Events of others are none of ours, and there may be many. */
static int listen_to(uint64_t session)
{
	char name[96], filter[64];
	size_t i;

	snprintf(filter, sizeof(filter), "session==%" PRIu64, session);
	if (put("trace_clock", "mono"))
		return -1;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(name, sizeof(name), "events/carom/%s/filter", events[i]);
		if (put(name, filter))
			return -1;
		snprintf(name, sizeof(name), "events/carom/%s/enable", events[i]);
		if (put(name, "1"))
			return -1;
	}
	return 0;
}

int trace_kernel_open(int fd, struct trace *t)
{
	uint64_t session = session_number(fd);

	if (!session) {
		snprintf(t->error, sizeof(t->error),
			 "carom.ko does not number its sessions; install both from one version");
		return -1;
	}
	snprintf(instance, sizeof(instance), INSTANCES "/carom-trace-%d", getpid());
	if (mkdir(instance, 0700)) {
		snprintf(t->error, sizeof(t->error), "%s cannot be made: %s%s", instance,
			 strerror(errno), errno == EACCES ? "; tracing needs root" : "");
		return -1;
	}
	if (listen_to(session)) {
		snprintf(t->error, sizeof(t->error), "%s: events of carom.ko cannot be had: %s",
			 instance, strerror(errno));
		trace_kernel_close();
		return -1;
	}
	return 0;
}

void trace_kernel_close(void)
{
	rmdir(instance);
}

/* The number that @text has behind @name and a blank. */
static uint64_t number(const char *text, const char *name)
{
	char what[32];
	const char *at;

	snprintf(what, sizeof(what), " %s ", name);
	at = strstr(text, what);
	if (!at)
		return 0;
	at += strlen(what);
	return *at == '-' ? (uint64_t)strtoll(at, NULL, 10) : strtoull(at, NULL, 10);
}

/* "   carom-123   [000] d.h1.  12.345678: carom_chain_node: session ..."; NULL: no event. */
static const char *event_of(const char *line, uint64_t *ns)
{
	const char *name = strstr(line, ": carom_chain_"), *stamp = name;

	if (!name)
		return NULL;
	while (stamp > line && stamp[-1] != ' ')
		stamp--;
	*ns = (uint64_t)(strtod(stamp, NULL) * 1e6 + 0.5) * 1000;
	return name + 2;
}

static bool is_event(const char *event, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(event, "carom_chain_", 12) && !strncmp(event + 12, name, len) &&
	       event[12 + len] == ':';
}

/**
 * struct reading - what of the trace has been seen
 * @sent: when the last read was
 * @lba: where it goes
 * @hop: the last node that has come, or NULL
 * @came: when
 */
struct reading {
	uint64_t sent;
	uint64_t lba;
	struct trace_hop *hop;
	uint64_t came;
};

static void take_event(struct trace *t, struct reading *r, const char *event, uint64_t ns)
{
	if (is_event(event, "submit") || is_event(event, "resubmit")) {
		r->sent = ns;
		r->lba = number(event, "lba");
	} else if (is_event(event, "node")) {
		r->hop = trace_add(t);
		if (!r->hop)
			return;
		r->hop->kernel = true;
		r->hop->offset = number(event, "offset");
		r->hop->lba = r->lba;
		r->hop->has_lba = true;
		r->hop->read_ns = ns - r->sent;
		r->came = ns;
	} else if (is_event(event, "step") && r->hop) {
		r->hop->next = (int64_t)number(event, "next");
		r->hop->walk_ns = ns - r->came;
	}
}

void trace_kernel_take(struct trace *t)
{
	struct reading r = { 0 };
	char path[128], line[1024];
	const char *event;
	uint64_t ns;
	FILE *trace;

	snprintf(path, sizeof(path), "%s/trace", instance);
	trace = fopen(path, "re");
	while (trace && fgets(line, sizeof(line), trace)) {
		event = event_of(line, &ns);
		if (event)
			take_event(t, &r, event, ns);
	}
	if (trace)
		fclose(trace);
	put("trace", "");
}
