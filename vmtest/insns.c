// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU TCG plugin: counts the instructions that the guest executes between two marker instructions
 * (tests/bench/insns.h), over all vCPUs, and appends one line per measurement to a file: the count,
 * and how many of it were spent on polling in vain (see spin.h).
 *
 *	-plugin insns.so,out=FILE[,of=one]
 *
 * of=one: only those of the vCPU that has executed the first marker.
 *
 * Every instruction carries an inline add. One add per translation block would do with less: a
 * boot takes 18.7 s instead of 20.5 s (17.5 s without counting). But a block that is left early,
 * by a page fault or a device access, has then been counted as a whole, and the block that holds
 * a marker needs the finer way anyway. The two differ by 0.3 % on a pread().
 *
 * An instruction that faults counts once more when it is repeated, and a string instruction counts
 * once per iteration. The markers do not count.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "insns"
#include "markers.h"
#include "spin.h"

#define MAX_VCPUS 256

static insn_inline_v1_t insn_inline_v1;
static u64_sum_t u64_sum;

/*
 * Where the counts are. Version 1 has only a shared counter for inline adds, which loses counts
 * when several vCPUs add at once; with more than one vCPU a callback adds to a line of its own
 * instead, which takes 2.4 times as long.
 */
static qemu_plugin_u64 per_vcpu;
static uint64_t shared;
static struct {
	uint64_t count;
} __attribute__((aligned(64))) lines[MAX_VCPUS];
static bool use_lines;

static int out_fd = -1;

/* One measurement at a time, so these are not per vCPU. */
static uint64_t begin_count, hold_count, pause_count;
static bool begun, held;

static bool own;
static unsigned int owner;

static uint64_t total(void)
{
	uint64_t sum = 0;

	if (own)
		return lines[owner % MAX_VCPUS].count;
	if (insn_inline_v2)
		return u64_sum(per_vcpu);
	if (!use_lines)
		return shared;
	for (int i = 0; i < MAX_VCPUS; i++)
		sum += __atomic_load_n(&lines[i].count, __ATOMIC_RELAXED);
	return sum;
}

static void on_insn(unsigned int vcpu, void *udata)
{
	(void)udata;
	lines[vcpu % MAX_VCPUS].count++;
}

static void on_begin(unsigned int vcpu, void *udata)
{
	(void)udata;
	owner = vcpu;
	begun = true;
	held = false;
	spin_reset();
	pause_count = 0;
	begin_count = total();
}

static void on_hold(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	held = true;
	pause_count = 0;
	hold_count = total();
}

static void on_go_on(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	if (held)
		begin_count += total() - hold_count;
	held = false;
}

static void on_pause(unsigned int vcpu, void *udata)
{
	uint64_t count = total();

	(void)udata;
	if (!begun || held || (own && vcpu != owner))
		return;
	pauses++;
	if (pause_count)
		spin_add(count - pause_count);
	pause_count = count;
}

static uint64_t spun(void)
{
	int in_vain = spin_in_vain();

	return in_vain < 0 ? 0 : stretches[in_vain].length * pauses;
}

/* The guest reads the line back at once, so nothing is buffered. */
static void on_end(unsigned int vcpu, void *udata)
{
	uint64_t count = total() - begin_count;
	char line[48];
	int len;

	(void)vcpu;
	(void)udata;
	if (!begun)
		return;
	begun = false;
	len = snprintf(line, sizeof(line), "%llu %llu\n", (unsigned long long)count,
		       (unsigned long long)spun());
	if (write(out_fd, line, len) != len)
		fprintf(stderr, "insns: cannot write the count: %s\n", strerror(errno));
}

static void count_insn(struct qemu_plugin_insn *insn)
{
	if (is_pause(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_pause,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (insn_inline_v2 && !own)
		insn_inline_v2(insn, QEMU_PLUGIN_INLINE_ADD_U64, per_vcpu, 1);
	else if (use_lines)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, QEMU_PLUGIN_CB_NO_REGS, NULL);
	else
		insn_inline_v1(insn, QEMU_PLUGIN_INLINE_ADD_U64, &shared, 1);
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
	watch_insns(tb, on_marker, count_insn);
}

static bool find_functions(const qemu_info_t *info)
{
	scoreboard_new_t scoreboard_new;

	if (!find_insn_data(info))
		return false;
	if (own) {
		use_lines = true;
		return true;
	}
	if (!insn_inline_v2) {
		insn_inline_v1 =
			(insn_inline_v1_t)find("qemu_plugin_register_vcpu_insn_exec_inline");
		use_lines = info->system.max_vcpus > 1;
		return insn_inline_v1;
	}
	scoreboard_new = (scoreboard_new_t)find("qemu_plugin_scoreboard_new");
	u64_sum = (u64_sum_t)find("qemu_plugin_u64_sum");
	if (!scoreboard_new || !u64_sum)
		return false;
	per_vcpu.score = scoreboard_new(sizeof(uint64_t));
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *out = out_argument(argc, argv);

	own = has_argument(argc, argv, "of=one");
	if (!out || !check_interface(info, find_functions))
		return -1;
	out_fd = open(out, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (out_fd < 0) {
		fprintf(stderr, "insns: %s: %s\n", out, strerror(errno));
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
