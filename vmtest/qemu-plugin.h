/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of QEMU's plugin interface that the plugins use, as Debian does not package the header.
 *
 * Version 1 is that of QEMU 7.2. Version 2 (QEMU 9.0) has counters per vCPU in place of a shared
 * one, version 3 (9.1) copies the bytes of an instruction to a buffer of the caller. As one plugin
 * serves all of them, whatever differs is looked up when it is loaded.
 */
#ifndef CAROM_QEMU_PLUGIN_H
#define CAROM_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;

typedef struct qemu_info_t {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus;
		int max_vcpus;
	} system;
} qemu_info_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

/* Version 2: one entry at @offset of the scoreboard's element of each vCPU. */
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
};

enum qemu_plugin_op {
	QEMU_PLUGIN_INLINE_ADD_U64,
};

typedef void (*qemu_plugin_simple_cb_t)(qemu_plugin_id_t id);
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu, void *udata);

/* What QEMU looks for in a plugin. */
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv);

/* The same in all versions. */
void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_simple_cb_t cb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_udata_cb_t cb,
					    enum qemu_plugin_cb_flags flags, void *udata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* Version 1 and 2 return a pointer, later ones copy and return a size. */
typedef const void *(*insn_data_v1_t)(const struct qemu_plugin_insn *insn);
typedef size_t (*insn_data_v3_t)(const struct qemu_plugin_insn *insn, void *dest, size_t len);

/* Version 1 only. */
typedef void (*insn_inline_v1_t)(struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *ptr,
				 uint64_t imm);

/* Version 2 and later. */
typedef void (*insn_inline_v2_t)(struct qemu_plugin_insn *insn, enum qemu_plugin_op op,
				 qemu_plugin_u64 entry, uint64_t imm);
typedef struct qemu_plugin_scoreboard *(*scoreboard_new_t)(size_t element_size);
typedef void *(*scoreboard_find_t)(struct qemu_plugin_scoreboard *score, unsigned int vcpu);
typedef uint64_t (*u64_sum_t)(qemu_plugin_u64 entry);

#endif
