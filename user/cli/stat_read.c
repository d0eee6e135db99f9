// SPDX-License-Identifier: GPL-2.0
/*
 * Where statistics are: of the module in sysfs, of a session in the fdinfo of each of
 * its descriptors. doc/abi.md has the format.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib.h"
#include "stat.h"

#define STAT_FILE	"/sys/class/misc/carom/stat"
#define STAT_VERSION	1
/* A directory of /proc, and two names in it. */
#define PROC_PATH_MAX	(PATH_MAX + 2 * NAME_MAX)
#define SESSION_LINK	"anon_inode:[carom]"

/* The whole of a small file, NUL-terminated and malloc()ed; NULL with errno. */
static char *read_file(const char *path)
{
	size_t len = 0, room = 8192;
	char *text = malloc(room);
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (text && fd >= 0 && (n = read(fd, text + len, room - len - 1)) > 0) {
		len += (size_t)n;
		if (len + 1 == room)
			break;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (text)
		text[len] = '\0';
	return text;
}

/* Numbers, with blanks between; returns how many. */
static unsigned int read_array(const char *text, uint64_t *values, unsigned int room)
{
	unsigned int n;
	char *end;

	for (n = 0; n < room; n++, text = end) {
		values[n] = strtoull(text, &end, 10);
		if (end == text)
			break;
	}
	return n;
}

static bool read_end(struct stat_counts *c, const char *name, const char *value)
{
	unsigned int end;

	for (end = 0; end < CAROM_END_NR; end++) {
		if (!strcmp(carom_end_name(end), name)) {
			c->ends[end] = strtoull(value, NULL, 10);
			return true;
		}
	}
	return false;
}

/* A number and where it goes. */
struct field {
	const char *name;
	uint64_t *to;
};

static bool read_field(const struct field *fields, const char *name, const char *value)
{
	for (; fields->name; fields++) {
		if (!strcmp(fields->name, name)) {
			*fields->to = strtoull(value, NULL, 10);
			return true;
		}
	}
	return false;
}

/* What the module's and a session's statistics have in common. */
static bool read_count(struct stat_counts *c, const char *name, const char *value)
{
	const struct field fields[] = {
		{ "lookups", &c->lookups }, { "hops", &c->hops },
		{ "resubmits", &c->resubmits }, { "yields", &c->yields },
		{ "polls", &c->polls }, { "latency-ns", &c->latency_ns }, { 0 },
	};

	if (!strncmp(name, "end-", 4))
		return read_end(c, name + 4, value);
	if (!strcmp(name, "latency")) {
		c->nr_latency = read_array(value, c->latency, STAT_BUCKETS);
		return true;
	}
	return read_field(fields, name, value);
}

/*
 * The next line of @text as name and value; false if there is none. Names begin with
 * @prefix, other lines are left out.
 */
static bool next_line(char **text, const char *prefix, char **name, char **value)
{
	char *line;

	while ((line = strsep(text, "\n"))) {
		*value = strstr(line, ":\t");
		if (!*value || strncmp(line, prefix, strlen(prefix)))
			continue;
		**value = '\0';
		*value += 2;
		*name = line + strlen(prefix);
		return true;
	}
	return false;
}

__attribute__((format(printf, 4, 5)))
static enum cli_exit fail(char *error, size_t size, enum cli_exit exit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, size, fmt, ap);
	va_end(ap);
	return exit;
}

static enum cli_exit read_module(const char *root, struct stat_sample *s, char *error,
				 size_t size)
{
	char path[PATH_MAX], *text, *rest, *name, *value;
	uint64_t version = 0;
	const struct field fields[] = {
		{ "version", &version }, { "walkers", &s->walkers }, { "sessions", &s->open },
		{ "sessions-opened", &s->opened }, { 0 },
	};

	snprintf(path, sizeof(path), "%s" STAT_FILE, root);
	text = read_file(path);
	if (!text && (errno == ENOENT || errno == ENOTDIR))
		return fail(error, size, CLI_BACKEND,
			    "no %s: carom.ko is not loaded, or has no statistics; see carom doctor",
			    path);
	if (!text)
		return fail(error, size, CLI_IO, "%s cannot be read: %s", path, strerror(errno));
	rest = text;
	while (next_line(&rest, "", &name, &value)) {
		if (!strcmp(name, "refused"))
			read_array(value, s->refused, CAROM_REFUSED_NR);
		else if (!read_count(&s->counts, name, value))
			read_field(fields, name, value);
	}
	free(text);
	if (version != STAT_VERSION)
		return fail(error, size, CLI_BACKEND,
			    "%s has version %" PRIu64 ", and this command reads version %d; "
			    "install both from one version", path, version, STAT_VERSION);
	snprintf(path, sizeof(path), "%s/sys/module/carom/parameters/latency", root);
	text = read_file(path);
	s->timed = text && text[0] == 'Y';
	free(text);
	return CLI_OK;
}

/* The kernel writes what could end a line, or begin such a sequence, as \ooo. */
static char *unescape(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (; to && *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	if (to)
		*to = '\0';
	return copy;
}

static void read_session(struct stat_session *ss, char *text)
{
	const struct field fields[] = {
		{ "session", &ss->id }, { "node-size", &ss->node_size }, { "slots", &ss->slots },
		{ "busy", &ss->busy }, { "max-hops", &ss->max_hops },
		{ "deadline-ms", &ss->deadline_ms }, { 0 },
	};
	char *name, *value;

	while (next_line(&text, "carom-", &name, &value)) {
		if (!strcmp(name, "file") && !ss->file)
			ss->file = unescape(value);
		else if (!strcmp(name, "dev"))
			snprintf(ss->dev, sizeof(ss->dev), "%s", value);
		else if (!strcmp(name, "walker"))
			snprintf(ss->walker, sizeof(ss->walker), "%s", value);
		else if (!read_count(&ss->counts, name, value))
			read_field(fields, name, value);
	}
}

static struct stat_session *find_session(struct stat_sample *s, uint64_t id)
{
	size_t i;

	for (i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].id == id)
			return &s->sessions[i];
	return NULL;
}

/* @ss is the sample's, or freed. */
static void add_session(struct stat_sample *s, struct stat_session *ss)
{
	struct stat_session *known = find_session(s, ss->id), *list;

	if (known)
		known->processes += known->pid != ss->pid;
	list = known || !ss->id ? NULL :
	       realloc(s->sessions, (s->nr_sessions + 1) * sizeof(*list));
	if (!list) {
		free(ss->file);
		return;
	}
	s->sessions = list;
	list[s->nr_sessions++] = *ss;
}

static void read_comm(const char *dir, char *comm, size_t size)
{
	char path[PROC_PATH_MAX], *text;

	snprintf(path, sizeof(path), "%s/comm", dir);
	text = read_file(path);
	snprintf(comm, size, "%s", text ? text : "?");
	comm[strcspn(comm, "\n")] = '\0';
	free(text);
}

/* A descriptor of a process. Who may not see it, or finds it closed, sees nothing. */
static void read_fd(const char *dir, const char *fd, struct stat_sample *s)
{
	struct stat_session ss = { .processes = 1 };
	char path[PROC_PATH_MAX], link[64], *text;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/fd/%s", dir, fd);
	len = readlink(path, link, sizeof(link));
	if (len != sizeof(SESSION_LINK) - 1 || memcmp(link, SESSION_LINK, (size_t)len))
		return;
	snprintf(path, sizeof(path), "%s/fdinfo/%s", dir, fd);
	text = read_file(path);
	if (!text)
		return;
	ss.pid = (pid_t)strtol(strrchr(dir, '/') + 1, NULL, 10);
	read_comm(dir, ss.comm, sizeof(ss.comm));
	read_session(&ss, text);
	add_session(s, &ss);
	free(text);
}

static void read_process(const char *dir, struct stat_sample *s)
{
	char path[PROC_PATH_MAX];
	struct dirent *entry;
	DIR *fds;

	snprintf(path, sizeof(path), "%s/fd", dir);
	fds = opendir(path);
	while (fds && (entry = readdir(fds)))
		if (isdigit((unsigned char)entry->d_name[0]))
			read_fd(dir, entry->d_name, s);
	if (fds)
		closedir(fds);
}

static int by_id(const void *a, const void *b)
{
	const struct stat_session *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void read_sessions(const char *root, struct stat_sample *s)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *proc;

	snprintf(path, sizeof(path), "%s/proc", root);
	proc = opendir(path);
	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/proc/%s", root, entry->d_name);
		read_process(path, s);
	}
	if (proc)
		closedir(proc);
	if (s->nr_sessions)
		qsort(s->sessions, s->nr_sessions, sizeof(*s->sessions), by_id);
}

enum cli_exit stat_read(const char *root, struct stat_sample *s, char *error, size_t size)
{
	struct timespec now;
	enum cli_exit exit;

	memset(s, 0, sizeof(*s));
	exit = read_module(root, s, error, size);
	if (exit)
		return exit;
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	/* One that nobody has is no news: there is no need to look for it. */
	if (s->open)
		read_sessions(root, s);
	return CLI_OK;
}

void stat_free(struct stat_sample *s)
{
	size_t i;

	for (i = 0; i < s->nr_sessions; i++)
		free(s->sessions[i].file);
	free(s->sessions);
	memset(s, 0, sizeof(*s));
}
