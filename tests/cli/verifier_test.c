// SPDX-License-Identifier: GPL-2.0
/*
 * usage: verifier_test TOP
 * What carom makes of the verifier's log, whose form is not the same in every kernel. TOP is the
 * source tree: in its tests/cli/verifier/RELEASE are logs of what tests/vm/verifier has, as
 * carom walker load --log leaves them, below a line with the licence, and without their beginnings
 * where they are long; what has to come out is in those programs, as for verifier.vmt.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "walker.h"

#define LOGS	"%s/tests/cli/verifier/%s/%s.log"
#define PROGRAM	"%s/tests/vm/verifier/%s.bpf.c"

static const char *const releases[] = { "6.12", "7.3" };
static const char *top;

static char *read_file(const char *path)
{
	static const size_t size = 1 << 16;
	char *text = calloc(1, size);
	FILE *f = fopen(path, "r");

	if (!f || !text || fread(text, 1, size - 1, f) == 0)
		fail_msg("%s cannot be read", path);
	fclose(f);
	return text;
}

/* What carom says of the log of a program; the caller frees neither. */
static const char *explain(const char *release, const char *name)
{
	static char text[1024];
	char path[512], *log;

	snprintf(path, sizeof(path), LOGS, top, release, name);
	log = read_file(path);
	walker_verifier_explain(strchr(log, '\n') + 1, text, sizeof(text));
	free(log);
	return text;
}

/* The line "// WORD: TEXT" of a program. Returns false if it has none. */
static bool said(const char *name, const char *word, char *text, size_t size)
{
	char path[512], start[64], *source, *line;

	snprintf(path, sizeof(path), PROGRAM, top, name);
	snprintf(start, sizeof(start), "\n// %s: ", word);
	source = read_file(path);
	line = strstr(source, start);
	if (line) {
		line += strlen(start);
		snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
	}
	free(source);
	return line;
}

static void check_one(const char *release, const char *name)
{
	const char *text = explain(release, name), *place = strstr(text, "\n  at "), *found;
	char want[256], word[32];

	snprintf(word, sizeof(word), "carom %s", release);
	if (!said(name, word, want, sizeof(want)) && !said(name, "carom", want, sizeof(want)))
		fail_msg("%s.bpf.c does not say what carom says", name);
	if (!strstr(text, want))
		fail_msg("%s on %s: not \"%s\" but:\n%s", name, release, want, text);
	if (!said(name, "at", want, sizeof(want)))
		return;
	found = place ? strstr(place, want) : NULL;
	if (!found || (found[strlen(want)] && found[strlen(want)] != '\n'))
		fail_msg("%s on %s: not at \"%s\" but:\n%s", name, release, want, text);
}

static void logs(void **state)
{
	char pattern[512], *name;
	unsigned int i, k;
	glob_t found;

	(void)state;
	for (i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		snprintf(pattern, sizeof(pattern), LOGS, top, releases[i], "*");
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		assert_true(found.gl_pathc >= 16);
		for (k = 0; k < found.gl_pathc; k++) {
			name = strrchr(found.gl_pathv[k], '/') + 1;
			*strrchr(name, '.') = '\0';
			check_one(releases[i], name);
		}
		globfree(&found);
	}
}

/* Where carom knows what is meant, it says the kernel's line, where, and what to do: the same. */
static void known(void **state)
{
	static const char want[] =
		"R0 invalid mem access 'rdonly_mem_or_null'\n"
		"  at no_null_check.bpf.c:12: return node[0];\n"
		"  carom_node() and carom_scratch() return NULL if the memory is smaller than asked "
		"for: check their result before it is used, and fail";
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
		assert_string_equal(explain(releases[i], "no_null_check"), want);
}

/* Otherwise it has the words of the report, if there is one, each section as one line. */
static void unknown(void **state)
{
	(void)state;
	assert_string_equal(explain("6.12", "pointer_multiplied"),
			    "R0 32-bit pointer arithmetic prohibited\n"
			    "  at pointer_multiplied.bpf.c:16: return (__s64)(node * 3) & 4095;");
	assert_string_equal(explain("7.3", "pointer_multiplied"),
			    "R0 holds a memory pointer. 32-bit ALU operations on pointers discard "
			    "pointer tracking, so the verifier cannot keep the result as a safe "
			    "pointer.\n"
			    "  at pointer_multiplied.bpf.c:16: return (__s64)(node * 3) & 4095;\n"
			    "  Use a 64-bit ALU instruction with an allowed, bounded scalar offset.");
}

static void explains(const char *log, size_t size, const char *want)
{
	char text[256];

	walker_verifier_explain(log, text, size);
	assert_string_equal(text, want);
}

/* Logs that end early, reports that lack something, and less room than there are words. */
static void fragments(void **state)
{
	static const char report[] = "R1 odd\n\nVerification failed: Policy: Odd\n";
	static const char whole[] = "; f(x); @ a.c:3\nR1 odd\n\nVerification failed: Policy: Odd\n"
		"\nReason:\n  It is\n  odd.\n\nSuggestion:\n  Even it\n  out.\n\nprocessed 3 insns\n";

	(void)state;
	explains("", 256, "it does not say why");
	explains("processed 3 insns\n", 256, "it does not say why");
	explains("R1 odd", 256, "R1 odd");
	explains("R1 odd\n\nVerification failed: ", 256, "R1 odd");
	explains(report, 256, "R1 odd");
	explains(whole, 256, "It is odd.\n  at a.c:3: f(x);\n  Even it out.");
	explains(whole, 14, "It is odd.\n  ");
	explains(whole, 4, "It ");
	/* What has been said before is not what has failed in the end. */
	explains("x\n\nVerification failed: A\n\nReason:\n  no\n\nprocessed 1 insns\nR0 !read_ok\n"
		 "\nVerification failed: B\n\nReason:\n  yes\n", 256,
		 "R0 !read_ok\n  the step does not return on every path; it returns an offset or "
		 "CAROM_STEP_*");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs),
		cmocka_unit_test(known),
		cmocka_unit_test(unknown),
		cmocka_unit_test(fragments),
	};

	top = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests_name("verifier", tests, NULL, NULL);
}
