// SPDX-License-Identifier: GPL-2.0
/* Where the blocks of a file are, and which LBA holds an offset. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "carom.h"

/* Fewer runs than this are found as fast without an index. */
#define CAROM_MAP_INDEX_MIN	16

/* The file says how much; more than there can be is no bug. */
#define CAROM_MAP_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

static int carom_map_resize(struct carom_map *map, size_t room)
{
	struct carom_run *runs;

	runs = kvmalloc_array(room, sizeof(*runs), CAROM_MAP_GFP);
	if (!runs)
		return -ENOMEM;
	if (map->nr)
		memcpy(runs, map->runs, map->nr * sizeof(*runs));
	kvfree(map->runs);
	map->runs = runs;
	map->room = room;
	return 0;
}

/* @start must not lie before the end of the last run added. */
int carom_map_add(struct carom_map *map, u64 start, u64 sector, u64 len)
{
	struct carom_run *last;
	int err;

	if (map->nr) {
		last = &map->runs[map->nr - 1];
		if (last->start + last->len == start && last->sector + last->len == sector) {
			last->len += len;
			return 0;
		}
	}
	if (map->nr == map->room) {
		err = carom_map_resize(map, map->room ? map->room * 2 : 64);
		if (err)
			return err;
	}
	map->runs[map->nr++] = (struct carom_run) {
		.start = start,
		.sector = sector,
		.len = len,
	};
	return 0;
}

/*
 * Divides the file into as many parts as it has runs, or a little fewer, and
 * notes where in the map each begins: runs that are spread over the file are
 * then found in a step or two.
 */
static int carom_map_index(struct carom_map *map)
{
	const struct carom_run *last = &map->runs[map->nr - 1];
	size_t part, parts, run = 0;

	map->end = last->start + last->len;
	while (map->end >> map->shift > map->nr)
		map->shift++;
	parts = (map->end >> map->shift) + 2;
	map->index = kvmalloc_array(parts, sizeof(*map->index), CAROM_MAP_GFP);
	if (!map->index)
		return -ENOMEM;
	for (part = 0; part < parts; part++) {
		while (run < map->nr && map->runs[run].start <= (u64)part << map->shift)
			run++;
		map->index[part] = run;
		cond_resched();
	}
	return 0;
}

/* All runs have been added. -ENOMEM, or 0. */
int carom_map_finish(struct carom_map *map)
{
	int err;

	if (map->nr < CAROM_MAP_INDEX_MIN)
		return 0;
	err = carom_map_resize(map, map->nr);
	return err ?: carom_map_index(map);
}

void carom_map_free(struct carom_map *map)
{
	kvfree(map->index);
	kvfree(map->runs);
	*map = (struct carom_map) { };
}

/**
 * carom_map_search() - the run that holds a sector of the file
 * @map: the file's map
 * @start: sector of the file
 *
 * O(log runs), and much less unless most runs are in a small part of the file.
 * Context: any.
 * Return: the run, NULL if @start is in a hole.
 */
const struct carom_run *carom_map_search(const struct carom_map *map, u64 start)
{
	const struct carom_run *run;
	size_t lo = 0, hi = map->nr;

	if (map->index) {
		if (start >= map->end)
			return NULL;
		lo = map->index[start >> map->shift];
		hi = map->index[(start >> map->shift) + 1];
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (map->runs[mid].start <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	run = &map->runs[lo - 1];
	return carom_run_holds(run, start) ? run : NULL;
}
