# SPDX-License-Identifier: GPL-2.0
# The engine as it is before its tracepoints are added.

# stats.c
s,As tracepoints have them\.,As <linux/carom.h> has them.,

# Makefile
s/ trace\.o / /
/define_trace\.h/d
/^CFLAGS_trace/d

# Branches, and what is in them
/^#include "trace\.h"$/d
/^\tif (traced)$/,+1d
/^\tif (static_branch_unlikely(&carom_traced))$/,+1d

# chain.c
/^\/\* @traced is a constant/d
s/, bool traced)$/)/
/^static noinline s64 carom_chain_run_traced(/,/^}/{
	/^}/N
	d
}
s/\<carom_chain_run(slot, false)/carom_chain_run(slot)/

# session.c
/^static void carom_session_trace_close(/,/^}/{
	/^}/N
	d
}
/^\tcarom_session_trace_close(s);$/d
/^\ttrace_carom_/d

# carom.h
/^ \* @begun: /d
/^ \* @listeners: /d
/^\tu64\t*begun;$/d
/^\tint\t*listeners;$/d
s/^ \* @id: its number in tracepoints and statistics$/ * @id: its number in statistics/
