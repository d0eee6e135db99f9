/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_DOCTOR_H
#define CAROM_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

/**
 * doctor_module_installed() - would modprobe find carom.ko for the running kernel?
 */
bool doctor_module_installed(void);

/**
 * doctor_module_built_in() - is the engine part of the running kernel's image?
 *
 * Its types and functions are in the BTF of vmlinux then, if there is one; it is never unloaded.
 */
bool doctor_module_built_in(void);

/**
 * doctor_dkms_refused() - has carom-dkms built nothing for the running kernel?
 * @why: where its reason goes, one line
 * @size: bytes of @why
 *
 * Return: true if it has said so.
 */
bool doctor_dkms_refused(char *why, size_t size);

#endif /* CAROM_DOCTOR_H */
