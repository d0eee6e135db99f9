// SPDX-License-Identifier: GPL-2.0
/*
 * carom walker test: a walker in the kernel, the same natively, and an oracle that knows
 * what both have to find.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "walker_test.h"

#define SHOWN		10	/* problems that are described; all are counted */
#define HEX_SHOWN	24	/* bytes */

/**
 * struct test - one run of carom walker test
 * @kernel: it takes part
 * @why: why not
 * @queries: so far, by how they had to end
 * @hops: of the native walker
 * @native_wrong, @kernel_wrong: not what the oracle says
 * @differ: kernel and native are not the same, in anything
 * @problems: array of those that were described
 */
struct test {
	const struct walker_cmd *cmd;
	struct walker_object object;
	struct walker_run run;
	char name[CAROM_WALKER_NAME_LEN];
	bool kernel;
	char why[WALKER_TEXT];
	unsigned long queries[CAROM_END_NR];
	unsigned long total;
	unsigned long hops;
	unsigned long native_wrong;
	unsigned long kernel_wrong;
	unsigned long differ;
	unsigned long shown;
	struct json_object *problems;
};

__attribute__((format(printf, 3, 4)))
static void problem(struct test *t, const struct vector *v, const char *fmt, ...)
{
	struct json_object *obj;
	char text[512];
	va_list ap;

	if (t->shown++ >= SHOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!t->cmd->cli.json) {
		cli_note("line %lu: %s", v->line, text);
		return;
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "line", json_object_new_uint64(v->line));
	json_object_object_add(obj, "text", cli_json_text(text));
	json_object_array_add(t->problems, obj);
}

/* How a chain ended, or had to. */
static const char *end_text(char *text, size_t size, const struct carom_lookup *res)
{
	if (res->end == CAROM_END_WALKER)
		snprintf(text, size, "fail=%d after %u hops at %llu", res->code, res->hops,
			 res->at);
	else
		snprintf(text, size, "%s after %u hops at %llu", carom_end_name(res->end),
			 res->hops, res->at);
	return text;
}

static const char *want_text(char *text, size_t size, const struct vector *v)
{
	if (v->end == CAROM_END_WALKER && !v->any_code)
		snprintf(text, size, "fail=%ld", v->code);
	else
		snprintf(text, size, "%s", v->end == CAROM_END_WALKER ? "fail" :
					   v->end == CAROM_END_MISS ? "miss" : "done");
	return text;
}

/* From where two runs of bytes differ; @len: nowhere. */
static size_t first_difference(const __u8 *a, const __u8 *b, size_t len)
{
	size_t i;

	for (i = 0; i < len && a[i] == b[i]; i++)
		;
	return i;
}

static const char *hex_text(char *text, size_t size, const __u8 *data, size_t len)
{
	size_t i, shown = len < HEX_SHOWN ? len : HEX_SHOWN;

	text[0] = '\0';
	for (i = 0; i < shown && 2 * i + 4 < size; i++)
		snprintf(text + 2 * i, size - 2 * i, "%02x", data[i]);
	if (shown < len)
		strcat(text, "...");
	return text;
}

/* Is it what the oracle says? @who: "native" or "kernel". */
static bool as_oracle_says(struct test *t, const struct vector *v, const char *who,
			   const struct carom_lookup *res, const __u8 *scratch)
{
	char is[128], want[128];
	size_t from;

	if (res->end != v->end || (res->end == CAROM_END_WALKER && !v->any_code &&
				   res->code != v->code)) {
		problem(t, v, "the oracle says %s, %s: %s", want_text(want, sizeof(want), v), who,
			end_text(is, sizeof(is), res));
		return false;
	}
	if (res->end != CAROM_END_DONE)
		return true;
	from = first_difference(scratch + v->at, v->want, v->want_len);
	if (from == v->want_len)
		return true;
	problem(t, v, "scratch byte %zu: the oracle says %s, %s has %s", v->at + from,
		hex_text(want, sizeof(want), v->want + from, v->want_len - from), who,
		hex_text(is, sizeof(is), scratch + v->at + from, v->want_len - from));
	return false;
}

static bool same_bytes(struct test *t, const struct vector *v, const char *what,
		       const __u8 *native, const __u8 *kernel, size_t len)
{
	size_t at = first_difference(native, kernel, len);
	char n[64], k[64];

	if (at == len)
		return true;
	problem(t, v, "%s byte %zu: native has %s, the kernel %s", what, at,
		hex_text(n, sizeof(n), native + at, len - at),
		hex_text(k, sizeof(k), kernel + at, len - at));
	return false;
}

static bool same(struct test *t, const struct vector *v, const struct carom_lookup *native,
		 const struct carom_lookup *kernel)
{
	const struct walker_run *r = &t->run;
	char n[128], k[128];

	if (native->end != kernel->end || native->code != kernel->code ||
	    native->hops != kernel->hops || native->at != kernel->at) {
		problem(t, v, "native: %s, kernel: %s", end_text(n, sizeof(n), native),
			end_text(k, sizeof(k), kernel));
		return false;
	}
	return same_bytes(t, v, "scratch", r->scratch, r->session.scratch,
			  r->walker->scratch_size) &&
	       (!native->hops || same_bytes(t, v, "node", r->node, r->session.nodes,
					    r->walker->node_size));
}

static void run_kernel(struct test *t, const struct vector *v, const struct carom_lookup *native)
{
	struct carom_lookup kernel;
	int err = walker_run_kernel(&t->run, v, &kernel);

	if (err) {
		problem(t, v, "the kernel does not run it: %s", strerror(-err));
		t->kernel_wrong++;
		return;
	}
	t->kernel_wrong += !as_oracle_says(t, v, "kernel", &kernel, t->run.session.scratch);
	if (!t->run.crash)
		t->differ += !same(t, v, native, &kernel);
}

static void run_vector(struct test *t, const struct vector *v)
{
	struct carom_lookup native = walker_run_native(&t->run, v);

	t->total++;
	t->queries[v->end]++;
	t->hops += native.hops;
	if (t->run.crash) {
		problem(t, v, "the native walker: %s, at hop %u at %llu", t->run.crash, native.hops,
			native.at);
		t->native_wrong++;
	} else {
		t->native_wrong += !as_oracle_says(t, v, "native", &native, t->run.scratch);
	}
	if (t->kernel)
		run_kernel(t, v, &native);
}

/* ---- the oracle ---- */

static int run_lines(struct test *t, FILE *in)
{
	struct vector v = { 0 };
	char *line = NULL, why[256];
	size_t room = 0;
	int ret = 0;

	while (!ret && getline(&line, &room, in) > 0) {
		v.line++;
		ret = vector_parse(&v, line, t->run.walker->scratch_size, why, sizeof(why));
		if (ret < 0) {
			ret = walker_object_fail(&t->object, CLI_USAGE, "%s: line %lu: %s",
						 t->cmd->oracle ? "the oracle" : t->cmd->vectors,
						 v.line, why);
			break;
		}
		if (ret)
			run_vector(t, &v);
		vector_free(&v);
		ret = 0;
	}
	free(line);
	return ret;
}

static int run_oracle(struct test *t)
{
	FILE *in = popen(t->cmd->oracle, "re");
	int ret, status;

	if (!in)
		return walker_object_fail(&t->object, CLI_IO, "%s: %s", t->cmd->oracle,
					  strerror(errno));
	ret = run_lines(t, in);
	status = pclose(in);
	if (ret || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return ret;
	return walker_object_fail(&t->object, CLI_IO, "the oracle failed (%s %d): %s",
				  WIFEXITED(status) ? "status" : "signal",
				  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
				  t->cmd->oracle);
}

static int run_vectors(struct test *t)
{
	bool standard = !strcmp(t->cmd->vectors, "-");
	FILE *in = standard ? stdin : fopen(t->cmd->vectors, "re");
	int ret;

	if (!in)
		return walker_object_fail(&t->object, CLI_IO, "%s: %s", t->cmd->vectors,
					  strerror(errno));
	ret = run_lines(t, in);
	if (!standard)
		fclose(in);
	return ret;
}

static int run_all(struct test *t)
{
	int ret = t->cmd->oracle ? run_oracle(t) : run_vectors(t);

	/* A test of nothing does not succeed. */
	if (!ret && !t->total)
		ret = walker_object_fail(&t->object, CLI_USAGE, "%s has no queries",
					 t->cmd->oracle ? "the oracle" : t->cmd->vectors);
	return ret;
}

/* ---- what came out ---- */

static void show_text(const struct test *t)
{
	printf("%s: %lu queries (%lu done, %lu miss, %lu fail), %lu hops\n", t->name, t->total,
	       t->queries[CAROM_END_DONE], t->queries[CAROM_END_MISS],
	       t->queries[CAROM_END_WALKER], t->hops);
	if (t->native_wrong)
		printf("native: %lu wrong\n", t->native_wrong);
	else
		puts("native: as the oracle says");
	if (!t->kernel)
		printf("kernel: not tested: %s\n", t->why);
	else if (t->kernel_wrong || t->differ)
		printf("kernel: %lu wrong, %lu not as natively\n", t->kernel_wrong, t->differ);
	else
		puts("kernel: as the oracle says, and as natively, byte for byte");
}

static struct json_object *json_half(bool tested, unsigned long wrong)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "tested", json_object_new_boolean(tested));
	json_object_object_add(obj, "wrong", tested ? json_object_new_uint64(wrong) : NULL);
	return obj;
}

static int show_json(struct test *t, int status)
{
	struct json_object *doc = cli_doc(&t->cmd->cli), *kernel;

	json_object_object_add(doc, "walker", cli_json_text(t->name));
	json_object_object_add(doc, "object", cli_json_text(t->object.path));
	json_object_object_add(doc, "queries", json_object_new_uint64(t->total));
	json_object_object_add(doc, "done", json_object_new_uint64(t->queries[CAROM_END_DONE]));
	json_object_object_add(doc, "miss", json_object_new_uint64(t->queries[CAROM_END_MISS]));
	json_object_object_add(doc, "fail", json_object_new_uint64(t->queries[CAROM_END_WALKER]));
	json_object_object_add(doc, "hops", json_object_new_uint64(t->hops));
	json_object_object_add(doc, "native", json_half(true, t->native_wrong));
	kernel = json_half(t->kernel, t->kernel_wrong);
	json_object_object_add(kernel, "differ",
			       t->kernel ? json_object_new_uint64(t->differ) : NULL);
	json_object_object_add(kernel, "why", t->kernel ? NULL : cli_json_text(t->why));
	json_object_object_add(doc, "kernel", kernel);
	json_object_object_add(doc, "problems", t->problems);
	t->problems = NULL;
	return cli_doc_print(doc, (enum cli_exit)status);
}

static int show(struct test *t)
{
	int status = CLI_OK;

	if (t->native_wrong || t->kernel_wrong || t->differ)
		status = CLI_ABSENT;
	else if (!t->kernel && !t->cmd->native_only)
		status = CLI_BACKEND;
	if (t->cmd->cli.json)
		return show_json(t, status);
	if (t->shown > SHOWN)
		cli_note("and %lu more", t->shown - SHOWN);
	show_text(t);
	return cli_flush((enum cli_exit)status);
}

/* ---- */

/* The kernel's half, if there can be one; that the walker is refused is no excuse. */
static int open_kernel(struct test *t)
{
	int ret;

	if (t->cmd->native_only) {
		snprintf(t->why, sizeof(t->why), "--native-only");
		return 0;
	}
	walker_run_rename(&t->object);
	ret = walker_object_load(&t->object);
	if (!ret)
		ret = walker_run_attach(&t->run, &t->object);
	t->kernel = !ret;
	if (t->object.refused)
		return ret;
	if (ret)
		snprintf(t->why, sizeof(t->why), "%s", t->object.error);
	return 0;
}

static int test(struct test *t)
{
	int ret = walker_object_open(&t->object, t->cmd);

	if (ret)
		return ret;
	snprintf(t->name, sizeof(t->name), "%s",
		 walker_object_head(walker_object_next(&t->object, NULL))->name);
	ret = walker_run_open(&t->run, &t->object, t->cmd);
	if (!ret)
		ret = open_kernel(t);
	return ret ? ret : run_all(t);
}

int walker_test(const struct walker_cmd *cmd)
{
	struct test t = {
		.cmd = cmd, .run = { .fd = -1, .session.fd = -1 },
		.problems = json_object_new_array(),
	};
	int ret;

	snprintf(t.object.path, sizeof(t.object.path), "%s", cmd->arg);
	ret = test(&t);
	if (ret)
		ret = cli_fail_in(&cmd->cli, cmd->cli.json ? cli_doc(&cmd->cli) : NULL,
				  (enum cli_exit)ret, t.object.error);
	else
		ret = show(&t);
	json_object_put(t.problems);
	walker_run_close(&t.run);
	walker_object_close(&t.object);
	return ret;
}
