// SPDX-License-Identifier: GPL-2.0
/* Natively nobody objects to it. */
#include "../verifier/no_null_check.bpf.c"
