// SPDX-License-Identifier: GPL-2.0
/*
 * usage: get [--native] FILE <KEYS
 * For each number in KEYS, one a line, prints the number that the table has for it,
 * "absent", or "error: ...". Status 0, or 3 if there was an error.
 */
#include "../run.h"
#include "hashtable.h"

extern const struct carom_native_walker carom_walker_hashtable;

static const char *const errors[] = {
	[HASHTABLE_E_SIZES] = "node or scratch is too small",
	[HASHTABLE_E_CRC] = "its checksum is wrong",
	[HASHTABLE_E_NUMBER] = "it is another page that is there",
	[HASHTABLE_E_MAGIC] = "not that of a hash table",
	[HASHTABLE_E_NR] = "more entries than fit",
	[HASHTABLE_E_NEXT] = "the page that it goes on with cannot be",
};

static bool get(const struct run *r, __u64 key)
{
	struct hashtable_scratch *s = (void *)r->scratch;
	struct carom_lookup res;

	s->key = key;
	res = run_chain(r, 0);
	if (res.end == CAROM_END_DONE)
		printf("%llu\n", s->value);
	else if (res.end == CAROM_END_MISS)
		puts("absent");
	else if (res.end == CAROM_END_WALKER)
		printf("error: page %llu: %s\n", res.at / HASHTABLE_PAGE, errors[res.code]);
	else
		printf("error: page %llu cannot be read (end %u)\n", res.at / HASHTABLE_PAGE,
		       res.end);
	return res.end <= CAROM_END_MISS;
}

int main(int argc, char **argv)
{
	bool native = argc == 3 && !strcmp(argv[1], "--native");
	bool good = true;
	char line[32];
	struct run r;
	int err;

	if (argc != 2 + native)
		return 2;
	err = run_open(&r, argv[1 + native], &carom_walker_hashtable, native);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1 + native], strerror(-err));
		return 5;
	}
	while (fgets(line, sizeof(line), stdin))
		good &= get(&r, strtoull(line, NULL, 10));
	return good ? 0 : 3;
}
