// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: who listens, and how long chains take while somebody does.
 */
#include <linux/ktime.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_STATIC_KEY_FALSE(carom_traced);
/* How many have begun to listen: what began before the last did has no time. */
static atomic_t carom_trace_listeners = ATOMIC_INIT(0);

/* Context: task, with the mutex of all tracepoints. */
int carom_trace_listen(void)
{
	atomic_inc(&carom_trace_listeners);
	static_branch_inc(&carom_traced);
	return 0;
}

void carom_trace_unlisten(void)
{
	static_branch_dec(&carom_traced);
}

void carom_trace_begin(struct carom_slot *slot)
{
	slot->begun = ktime_get_ns();
	slot->listeners = atomic_read(&carom_trace_listeners);
	trace_carom_chain_start(slot, slot->at);
}

void carom_trace_end(struct carom_slot *slot)
{
	bool timed = slot->listeners == atomic_read(&carom_trace_listeners);

	trace_carom_chain_end(slot, timed ? ktime_get_ns() - slot->begun : 0);
}
