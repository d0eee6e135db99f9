// SPDX-License-Identifier: GPL-2.0
/*
 * The types that fields of events have. As BTF they are all that bpftrace needs of a kernel's; all
 * of those take it long to read in an emulated machine.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned int dev_t;
typedef unsigned long long u64;
typedef long long s64;
typedef u64 sector_t;

struct carom_trace_types {
	u8 u8;
	u16 u16;
	u32 u32;
	s32 s32;
	dev_t dev;
	u64 u64;
	s64 s64;
	sector_t sector;
} carom_trace_types;
