// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU TCG plugin: counts between the markers of tests/bench/insns.h, as insns.c does, but each
 * instruction of the kernel by itself. For every measurement a file gets
 *
 *	measurement NUMBER
 *	ADDRESS COUNT
 *	...
 *
 * of which address 0 is all of user space. tests/bench/profile makes functions of the addresses.
 *
 *	-plugin profile.so,out=FILE
 *
 * A measurement must not begin with a pause, or a timer tick would be due right after it. So all
 * counters are not cleared, but copied, and counting starts with the first marker: what was
 * translated until then is thrown away, and a boot's code needs no counters. Measurements that
 * began before that are numbered, but not written.
 *
 * Polling in vain (see spin.h) is left out, which takes what each stretch between two PAUSEs did.
 *
 * With version 1 of the interface all vCPUs must share a thread, as counters are shared.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "profile"
#include "markers.h"
#include "spin.h"

/* Powers of two. A benchmark has 50,000 instructions. */
#define MAX_COUNTERS (1u << 18)
#define HASH_SIZE (MAX_COUNTERS * 2)

#define USER 0 /* the counter that user space shares */

static insn_inline_v1_t insn_inline_v1;
static scoreboard_find_t scoreboard_find;

/* The counters of a vCPU are an element of the scoreboard, or with version 1 all are in here. */
static struct qemu_plugin_scoreboard *scoreboard;
static uint64_t shared[MAX_COUNTERS];
static int nr_vcpus;

static uint64_t addresses[MAX_COUNTERS];
static unsigned int nr_counters = USER + 1;
static uint32_t hash[HASH_SIZE]; /* numbers of counters by address; 0: none */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static qemu_plugin_id_t plugin_id;
static FILE *out;
static bool resetting, ready, full;

/* One measurement at a time, so these are not per vCPU. */
static uint64_t begin_counts[MAX_COUNTERS], pause_counts[MAX_COUNTERS];
static bool begun, counting, held, paused;
static unsigned long number;

/* The instructions of the stretches in spin.h. One that has too many of them is no look in vain. */
#define MAX_PARTS 1024
static struct {
	unsigned int nr;
	struct {
		uint32_t counter, count;
	} part[MAX_PARTS];
} parts[MAX_STRETCHES];

static unsigned int new_counter(uint64_t address)
{
	if (nr_counters < MAX_COUNTERS) {
		addresses[nr_counters] = address;
		return nr_counters++;
	}
	if (!full)
		fprintf(stderr, "profile: more than %u instructions: raise MAX_COUNTERS\n",
			MAX_COUNTERS);
	full = true;
	return USER;
}

/* Several vCPUs may translate at once. */
static unsigned int counter_of(uint64_t address)
{
	size_t i = address * 0x9e3779b97f4a7c15ull >> 32 & (HASH_SIZE - 1);

	if (!(address >> 63))
		return USER;
	pthread_mutex_lock(&lock);
	while (hash[i] && addresses[hash[i]] != address)
		i = (i + 1) & (HASH_SIZE - 1);
	if (!hash[i])
		hash[i] = new_counter(address);
	pthread_mutex_unlock(&lock);
	return hash[i];
}

static void on_pause(unsigned int vcpu, void *udata);

static void count_insn(struct qemu_plugin_insn *insn)
{
	unsigned int counter = counter_of(qemu_plugin_insn_vaddr(insn));
	qemu_plugin_u64 entry = { .score = scoreboard, .offset = counter * sizeof(uint64_t) };

	if (is_pause(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_pause,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (insn_inline_v2)
		insn_inline_v2(insn, QEMU_PLUGIN_INLINE_ADD_U64, entry, 1);
	else
		insn_inline_v1(insn, QEMU_PLUGIN_INLINE_ADD_U64, &shared[counter], 1);
}

/* add_counts() - add the counters of all vCPUs to @sums, times @sign */
static void add_counts(uint64_t *sums, int sign)
{
	for (int vcpu = 0; vcpu < (scoreboard ? nr_vcpus : 1); vcpu++) {
		const uint64_t *counts = scoreboard ? scoreboard_find(scoreboard, vcpu) : shared;

		for (unsigned int i = 0; i < nr_counters; i++)
			sums[i] += (uint64_t)sign * counts[i];
	}
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

static void on_reset(qemu_plugin_id_t id)
{
	ready = true;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
}

static void on_begin(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	begun = true;
	counting = ready;
	held = false;
	paused = false;
	spin_reset();
	if (counting) {
		memset(begin_counts, 0, nr_counters * sizeof(*begin_counts));
		add_counts(begin_counts, 1);
	} else if (!resetting) {
		resetting = true;
		qemu_plugin_reset(plugin_id, on_reset);
	}
}

static void on_hold(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	if (!counting || held)
		return;
	held = true;
	paused = false;
	add_counts(begin_counts, -1);
}

static void on_go_on(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	if (!counting || !held)
		return;
	held = false;
	add_counts(begin_counts, 1);
}

/* What was executed since the last PAUSE, of which pause_counts are to be the counts. */
static void keep_parts(unsigned int stretch, const uint64_t *counts)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_counters && nr < MAX_PARTS; i++) {
		if (counts[i] == pause_counts[i])
			continue;
		parts[stretch].part[nr].counter = i;
		parts[stretch].part[nr++].count = counts[i] - pause_counts[i];
	}
	parts[stretch].nr = nr;
}

static void add_stretch(const uint64_t *counts)
{
	unsigned int before = nr_stretches, stretch;
	uint64_t length = 0;

	for (unsigned int i = 0; i < nr_counters; i++)
		length += counts[i] - pause_counts[i];
	stretch = spin_add(length);
	if (nr_stretches > before)
		keep_parts(stretch, counts);
}

static void on_pause(unsigned int vcpu, void *udata)
{
	static uint64_t counts[MAX_COUNTERS];

	(void)vcpu;
	(void)udata;
	if (!counting || held)
		return;
	memset(counts, 0, nr_counters * sizeof(*counts));
	add_counts(counts, 1);
	if (paused)
		add_stretch(counts);
	memcpy(pause_counts, counts, nr_counters * sizeof(*counts));
	pauses++;
	paused = true;
}

/* begin_counts are what is to be subtracted from the counters. */
static void take_off_spinning(void)
{
	int in_vain = spin_in_vain();

	for (unsigned int i = 0; in_vain >= 0 && i < parts[in_vain].nr; i++)
		begin_counts[parts[in_vain].part[i].counter] +=
			parts[in_vain].part[i].count * pauses;
}

static void write_counts(void)
{
	take_off_spinning();
	add_counts(begin_counts, -1);
	fprintf(out, "measurement %lu\n", number);
	for (unsigned int i = 0; i < nr_counters; i++) {
		if (begin_counts[i])
			fprintf(out, "%llx %lld\n", (unsigned long long)addresses[i],
				-(long long)begin_counts[i]);
	}
	if (fflush(out))
		fprintf(stderr, "profile: cannot write the counts: %s\n", strerror(errno));
}

static void on_end(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	if (!begun)
		return;
	if (counting && !full)
		write_counts();
	begun = false;
	counting = false;
	number++;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static const qemu_plugin_vcpu_udata_cb_t on_marker[NR_MARKERS] = {
		[MARKER_BEGIN] = on_begin,
		[MARKER_END] = on_end,
		[MARKER_HOLD] = on_hold,
		[MARKER_GO_ON] = on_go_on,
	};

	(void)id;
	watch_insns(tb, on_marker, ready ? count_insn : NULL);
}

static bool find_functions(const qemu_info_t *info)
{
	scoreboard_new_t scoreboard_new;

	if (!find_insn_data(info))
		return false;
	if (!insn_inline_v2) {
		insn_inline_v1 =
			(insn_inline_v1_t)find("qemu_plugin_register_vcpu_insn_exec_inline");
		return insn_inline_v1;
	}
	scoreboard_new = (scoreboard_new_t)find("qemu_plugin_scoreboard_new");
	scoreboard_find = (scoreboard_find_t)find("qemu_plugin_scoreboard_find");
	if (!scoreboard_new || !scoreboard_find)
		return false;
	scoreboard = scoreboard_new(sizeof(shared));
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *path = out_argument(argc, argv);

	if (!path || !check_interface(info, find_functions))
		return -1;
	out = fopen(path, "we");
	if (!out) {
		fprintf(stderr, "profile: %s: %s\n", path, strerror(errno));
		return -1;
	}
	plugin_id = id;
	nr_vcpus = info->system.smp_vcpus;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
