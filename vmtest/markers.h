/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plugins share: telling which version of QEMU's interface there is, finding the marker
 * instructions of tests/bench/insns.h, and arguments. A plugin defines NAME before.
 */
#ifndef CAROM_MARKERS_H
#define CAROM_MARKERS_H

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "qemu-plugin.h"

#define MARKER_SIZE 7
#define MARKER_WHICH 3 /* offset of the byte that tells them apart */

enum marker { MARKER_NONE, MARKER_BEGIN, MARKER_END, MARKER_HOLD, MARKER_GO_ON, NR_MARKERS };

/* QEMU refuses a version that it does not know, so say the lowest that has what is used. */
int qemu_plugin_version = 1;

static insn_data_v1_t insn_data_v1;
static insn_data_v3_t insn_data_v3;
static insn_inline_v2_t insn_inline_v2;

static inline void *find(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

/* QEMU reads qemu_plugin_version after this and before qemu_plugin_install(). */
static __attribute__((constructor)) void find_version(void)
{
	insn_inline_v2 = (insn_inline_v2_t)find(
		"qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu");
	qemu_plugin_version = insn_inline_v2 ? 2 : 1;
}

/* To be called before the first marker_of(); false if this QEMU has not got what that needs. */
static inline bool find_insn_data(const qemu_info_t *info)
{
	void *insn_data = find("qemu_plugin_insn_data");

	if (info->version.cur >= 3)
		insn_data_v3 = (insn_data_v3_t)insn_data;
	else
		insn_data_v1 = (insn_data_v1_t)insn_data;
	return insn_data;
}

/* The bytes of an instruction, if there are @size of them. */
static inline bool insn_bytes(const struct qemu_plugin_insn *insn, uint8_t *bytes, size_t size)
{
	if (qemu_plugin_insn_size(insn) != size)
		return false;
	if (insn_data_v3)
		insn_data_v3(insn, bytes, size);
	else
		memcpy(bytes, insn_data_v1(insn), size);
	return true;
}

static inline enum marker marker_of(const struct qemu_plugin_insn *insn)
{
	static const uint8_t marker[MARKER_SIZE] = { 0x0f, 0x1f, 0x80, 0x00, 0xb0, 0x0b, 0xca };
	uint8_t bytes[MARKER_SIZE], which;

	if (!insn_bytes(insn, bytes, sizeof(bytes)))
		return MARKER_NONE;
	which = bytes[MARKER_WHICH];
	bytes[MARKER_WHICH] = 0;
	if (memcmp(bytes, marker, sizeof(marker)))
		return MARKER_NONE;
	return which < NR_MARKERS ? (enum marker)which : MARKER_NONE;
}

static inline bool is_pause(const struct qemu_plugin_insn *insn)
{
	static const uint8_t pause[2] = { 0xf3, 0x90 };
	uint8_t bytes[sizeof(pause)];

	return insn_bytes(insn, bytes, sizeof(bytes)) && !memcmp(bytes, pause, sizeof(pause));
}

/*
 * To be called for every block that is translated: a marker calls its own of @on_marker whenever
 * it is executed, any other instruction is @count's to prepare, if that is not NULL.
 */
static inline void watch_insns(struct qemu_plugin_tb *tb,
			       const qemu_plugin_vcpu_udata_cb_t on_marker[NR_MARKERS],
			       void (*count)(struct qemu_plugin_insn *insn))
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum marker marker = marker_of(insn);

		if (marker != MARKER_NONE)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker[marker],
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		else if (count)
			count(insn);
	}
}

/* The FILE of out=FILE, NULL without one. */
static inline const char *out_argument(int argc, char **argv)
{
	const char *out = NULL;

	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = argv[i] + 4;
	}
	if (!out)
		fprintf(stderr, NAME ": the argument out=FILE is missing\n");
	return out;
}

static inline bool has_argument(int argc, char **argv, const char *argument)
{
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], argument))
			return true;
	}
	return false;
}

/* Is this QEMU one that @find_functions can work with? */
static inline bool check_interface(const qemu_info_t *info,
				   bool (*find_functions)(const qemu_info_t *info))
{
	if (info->system_emulation && find_functions(info))
		return true;
	fprintf(stderr, NAME ": plugin interface version %d is not supported\n",
		info->version.cur);
	return false;
}

#endif
