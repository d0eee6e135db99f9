// SPDX-License-Identifier: GPL-2.0
/*
 * usage: get [--native] FILE <KEYS
 * For each line of KEYS prints the value of that record, "absent", or "error: ...".
 * Status 0, or 3 if there was an error.
 */
#include "../run.h"
#include "sorted.h"

extern const struct carom_native_walker carom_walker_sorted;

static const char *const errors[] = {
	[SORTED_E_SIZES] = "node or scratch is too small",
	[SORTED_E_MAGIC] = "not a file of sorted records",
	[SORTED_E_COUNT] = "it cannot have so many records",
	[SORTED_E_CMP] = "the walker compared what it may not",
};

static bool get(const struct run *r, const char *key, size_t len)
{
	struct sorted_scratch *s = (void *)r->scratch;
	struct carom_lookup res;

	memset(s, 0, sizeof(*s));
	memcpy(s->key, key, len);
	res = run_chain(r, 0);
	if (res.end == CAROM_END_DONE)
		printf("%.*s\n", SORTED_VALUE, s->value);
	else if (res.end == CAROM_END_MISS)
		puts("absent");
	else if (res.end == CAROM_END_WALKER)
		printf("error: block at %llu: %s\n", res.at, errors[res.code]);
	else
		printf("error: block at %llu cannot be read (end %u)\n", res.at, res.end);
	return res.end <= CAROM_END_MISS;
}

int main(int argc, char **argv)
{
	bool native = argc == 3 && !strcmp(argv[1], "--native");
	char line[SORTED_KEY + 2];
	bool good = true;
	struct run r;
	int err;

	if (argc != 2 + native)
		return 2;
	err = run_open(&r, argv[1 + native], &carom_walker_sorted, native);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1 + native], strerror(-err));
		return 5;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		good &= get(&r, line, strnlen(line, SORTED_KEY));
	}
	return good ? 0 : 3;
}
