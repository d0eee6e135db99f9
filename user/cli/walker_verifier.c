// SPDX-License-Identifier: GPL-2.0
/*
 * The verifier's log is long, and what is wrong stands at its end in words about
 * registers. This is about walkers: what is usually meant, and what to do. From
 * 7.3 on a report for people comes after that, whose words do for the rest.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "walker.h"

#define LAST_LINES	40	/* among which the reason is */
#define LINE_LEN	300
#define REPORT		"\nVerification failed: "
#define INDENT		"  "	/* of what stands in a section of the report */

/* The first that matches counts. */
static const struct cause {
	const char *says;
	const char *advice;
} causes[] = {
	{ "_or_null'",
	  "carom_node() and carom_scratch() return NULL if the memory is smaller than asked for: "
	  "check their result before it is used, and fail" },
	{ "pointer arithmetic on", /* ..._or_null prohibited */
	  "check the result of carom_node() or carom_scratch() for NULL before anything is added "
	  "to it" },
	{ "Possibly NULL pointer passed to",
	  "a kfunc is given what may be NULL; its hop is the step's own argument" },
	{ "cannot write into rdonly_mem",
	  "the node cannot be written; what a walker keeps or answers goes into its scratch" },
	{ "only read is supported",
	  "struct carom_hop cannot be written; what a walker keeps goes into its scratch" },
	{ "pointer type STRUCT carom_hop must point to",
	  "kfuncs take the hop that the step was called with, and no copy or other memory" },
	{ "expected STRUCT carom_hop", /* the same in 7.3 */
	  "kfuncs take the hop that the step was called with, and no copy or other memory" },
	{ "access beyond struct carom_hop",
	  "a step sees offset, index and node_size of its hop; the node is what carom_node() "
	  "returns" },
	{ "ptr_carom_hop invalid",
	  "a step sees offset, index and node_size of its hop; the node is what carom_node() "
	  "returns" },
	{ "is not a const",
	  "the size given to carom_node() or carom_scratch() has to be a constant; ask for all "
	  "that there can be, and check offsets against it" },
	{ "infinite loop detected",
	  "the verifier sees no end: nothing in the loop counts. Bound it by a constant, as in "
	  "for (i = 0; i < MAX && ...; i++)" },
	{ "program is too large",
	  "more than a million instructions on all paths together: a loop is too long, or has too "
	  "many branches in each round. Lower its bound, search instead of scanning, use "
	  "carom_search() or carom_cmp()" },
	{ "jumps is too complex",
	  "too many branches that the verifier must come back to: make loops shorter, or have "
	  "fewer branches in them" },
	{ "unbounded memory access",
	  "an offset that can be anything is added to a pointer: check it against the size that "
	  "carom_node() or carom_scratch() was given, in a local variable that is not read anew "
	  "after the check, and as an unsigned type" },
	{ "min value is negative",
	  "an offset that can be negative is added to a pointer: use an unsigned type, or check it "
	  "against 0 as well" },
	{ "invalid access to memory, mem_size=",
	  "an access outside of what carom_node() or carom_scratch() was asked for (mem_size "
	  "bytes): ask for more, or check the offset, before the access, so that all of it "
	  "fits" },
	{ "cannot use helper",
	  "walkers have the kfuncs of <carom/bpf.h> and bpf_map_lookup_elem(); no time, no "
	  "printing, no other memory" },
	{ "attach to unsupported member",
	  "carom.ko refuses what has no bound that the verifier has seen: open-coded iterators "
	  "(bpf_for), may_goto, kfuncs other than Carom's, functions that are not static, and "
	  "programs that sleep (struct_ops.s)" },
	{ "is not allowed",
	  "walkers have the kfuncs of <carom/bpf.h> and no others" },
	{ "combined stack size",
	  "a walker has 512 bytes of stack; keep what is larger in the scratch" },
	{ "invalid write to stack",
	  "a variable on the stack is written outside of its bounds, or there is more than 512 "
	  "bytes of stack; keep what is large in the scratch" },
	{ "invalid read from stack",
	  "a variable on the stack is read before it is written, or outside of its bounds" },
	{ "R0 !read_ok",
	  "the step does not return on every path; it returns an offset or CAROM_STEP_*" },
	{ "!read_ok",
	  "a variable is used before it has a value" },
};

static const struct cause *cause_of(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (memmem(line, len, causes[i].says, strlen(causes[i].says)))
			return &causes[i];
	return NULL;
}

/* Statistics, and the like, that come after the reason. */
static bool is_reason(const char *line, size_t len)
{
	static const char *const others[] = {
		"processed ", "verification time", "stack depth ", "; ", "cur state:", "old state:",
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (len >= strlen(others[i]) && !memcmp(line, others[i], strlen(others[i])))
			return false;
	return len > 0;
}

/* The line before @end, which is the start of a line; NULL: there is none. */
static const char *line_before(const char *log, const char *end, size_t *len)
{
	const char *p = end - 1;

	if (end <= log)
		return NULL;
	while (p > log && p[-1] != '\n')
		p--;
	*len = (size_t)(end - 1 - p);
	return p;
}

/* Where the report begins; the end of a log that has none. */
static const char *find_report(const char *log)
{
	const char *p = strstr(log, REPORT), *last = log + strlen(log);

	for (; p; p = strstr(last, REPORT))
		last = p + 1;
	return last;
}

/* The line before @end that says why: one that is known, or else the last. */
static const char *find_reason(const char *log, const char *end, size_t *len,
			       const struct cause **cause)
{
	const char *p = end, *last = NULL;
	size_t n, last_len = 0;
	int lines;

	/* As if the last line ended like the others. */
	if (p > log && p[-1] != '\n')
		p++;
	for (lines = 0; lines < LAST_LINES; lines++) {
		p = line_before(log, p, &n);
		if (!p)
			break;
		if (!is_reason(p, n))
			continue;
		*len = n;
		*cause = cause_of(p, n);
		if (*cause)
			return p;
		if (!last) {
			last = p;
			last_len = n;
		}
	}
	*len = last_len;
	return last;
}

/* Lines of the source are in the log as "; text @ file:line" before what was made of them. */
static const char *find_source(const char *log, const char *before, size_t *len)
{
	const char *p = before;

	while ((p = line_before(log, p, len)))
		if (*len > 2 && !memcmp(p, "; ", 2) && memmem(p, *len, " @ ", 3))
			return p;
	return NULL;
}

/* What is printed beyond @size is lost, and @text full. */
__attribute__((format(printf, 3, 4)))
static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + used, size - used, fmt, ap);
	va_end(ap);
}

static void add_source(const char *line, size_t len, char *text, size_t size)
{
	const char *end = line + len, *at = end;

	while (at > line && memcmp(at - 1, "@ ", 2))
		at--;
	add(text, size, "\n  at %.*s: %.*s", (int)(end - at - 1), at + 1, (int)(at - line - 4),
	    line + 2);
}

/* A section of the report, which is broken into lines, as one. Returns false if it is not there. */
static bool add_section(const char *report, const char *title, const char *before, char *text,
			size_t size)
{
	const char *p = strstr(report, title);

	if (!p)
		return false;
	for (p += strlen(title); !strncmp(p, INDENT, strlen(INDENT)); p += *p == '\n') {
		p += strlen(INDENT);
		add(text, size, "%s%.*s", before, (int)strcspn(p, "\n"), p);
		before = " ";
		p += strcspn(p, "\n");
	}
	return true;
}

void walker_verifier_explain(const char *log, char *text, size_t size)
{
	const char *report = find_report(log), *reason, *source;
	const struct cause *cause = NULL;
	size_t len = 0;

	text[0] = '\0';
	reason = find_reason(log, report, &len, &cause);
	if (!reason) {
		snprintf(text, size, "it does not say why");
		return;
	}
	if (cause || !add_section(report, "\nReason:\n", "", text, size))
		add(text, size, "%.*s", len < LINE_LEN ? (int)len : LINE_LEN, reason);
	source = find_source(log, reason, &len);
	if (source)
		add_source(source, len, text, size);
	if (cause)
		add(text, size, "\n  %s", cause->advice);
	else
		add_section(report, "\nSuggestion:\n", "\n  ", text, size);
}
