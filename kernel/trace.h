/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: sessions, and every step of their chains. An interface, which
 * doc/tracepoints.md describes; fields are added at an event's end and keep what
 * they mean. A session has a number, which is not used again.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM carom

#if !defined(CAROM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CAROM_TRACE_H

#include <linux/jump_label.h>
#include <linux/tracepoint.h>

#include "carom.h"

/* Of a file's name; the rest is left out. */
#define CAROM_TRACE_NAME_LEN	64

/* Somebody listens to one of the events of chains: one branch for all of them. */
DECLARE_STATIC_KEY_FALSE(carom_traced);

int carom_trace_listen(void);
void carom_trace_unlisten(void);

/* Called while carom_traced. Context: as carom_chain_begin() and carom_chain_count(). */
void carom_trace_begin(struct carom_slot *slot);
void carom_trace_end(struct carom_slot *slot);

/* Shown as words, in perf and trace-cmd, too. */
#define CAROM_ENDS						\
	EM(NONE, "none") EM(DONE, "done") EM(MISS, "miss")	\
	EM(WALKER, "walker") EM(HOPS, "hops")			\
	EM(DEADLINE, "deadline") EM(UNALIGNED, "unaligned")	\
	EM(RANGE, "range") EM(HOLE, "hole") EM(SPLIT, "split")	\
	EM(IO, "io") EM(STOPPED, "stopped")			\
	EM(UNLOADED, "unloaded") EM(CANCELED, "canceled")	\
	EM(BAD_RETURN, "bad-return") EM_LAST(STALE, "stale")

#undef EM
#undef EM_LAST
#define EM(name, text)	TRACE_DEFINE_ENUM(CAROM_END_##name);
#define EM_LAST(name, text)	TRACE_DEFINE_ENUM(CAROM_END_##name);

CAROM_ENDS

#undef EM
#undef EM_LAST
#define EM(name, text)	{ CAROM_END_##name, text },
#define EM_LAST(name, text)	{ CAROM_END_##name, text }

TRACE_EVENT(carom_session_open,

	TP_PROTO(const struct carom_session *s, const char *walker),

	TP_ARGS(s, walker),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, ino)
		__field(u64, size)
		__field(u64, extents)
		__field(dev_t, dev)
		__field(u32, slots)
		__field(u32, node_size)
		__array(char, walker, CAROM_WALKER_NAME_LEN)
		__array(char, file, CAROM_TRACE_NAME_LEN)
	),

	TP_fast_assign(
		__entry->session = s->id;
		__entry->ino = s->file->inode->i_ino;
		__entry->size = s->file->size;
		__entry->extents = s->file->map.nr;
		__entry->dev = s->file->bdev->bd_dev;
		__entry->slots = s->nr_slots;
		__entry->node_size = s->node_size;
		strscpy(__entry->walker, walker);
		strscpy(__entry->file, s->file->file->f_path.dentry->d_name.name);
	),

	TP_printk("session %llu dev %d:%d ino %llu file %s size %llu extents %llu walker %s node_size %u slots %u",
		  __entry->session, MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->file, __entry->size, __entry->extents, __entry->walker,
		  __entry->node_size, __entry->slots)
);

TRACE_EVENT(carom_session_close,

	TP_PROTO(const struct carom_session *s, const struct carom_stats *st),

	TP_ARGS(s, st),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, lookups)
		__field(u64, hops)
		__field(u64, yields)
	),

	TP_fast_assign(
		__entry->session = s->id;
		__entry->lookups = st->lookups;
		__entry->hops = st->hops;
		__entry->yields = st->yields;
	),

	TP_printk("session %llu lookups %llu hops %llu yields %llu", __entry->session,
		  __entry->lookups, __entry->hops, __entry->yields)
);

TRACE_EVENT(carom_refused,

	TP_PROTO(int err, const struct carom_why *why, const char *walker),

	TP_ARGS(err, why, walker),

	TP_STRUCT__entry(
		__field(u32, refusal)
		__field(int, error)
		__array(char, detail, CAROM_DETAIL_LEN)
		__array(char, walker, CAROM_WALKER_NAME_LEN)
	),

	TP_fast_assign(
		__entry->refusal = why->refusal;
		__entry->error = err;
		strscpy(__entry->detail, why->detail);
		strscpy(__entry->walker, walker);
	),

	TP_printk("refusal %u error %d detail '%s' walker '%s'", __entry->refusal,
		  __entry->error, __entry->detail, __entry->walker)
);

DECLARE_EVENT_CLASS(carom_chain_place,

	TP_PROTO(const struct carom_slot *slot, u64 offset),

	TP_ARGS(slot, offset),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, offset)
		__field(u32, slot)
		__field(u32, index)
	),

	TP_fast_assign(
		__entry->session = slot->session->id;
		__entry->offset = offset;
		__entry->slot = slot - slot->session->slots;
		__entry->index = slot->hop.index;
	),

	TP_printk("session %llu slot %u index %u offset %llu", __entry->session,
		  __entry->slot, __entry->index, __entry->offset)
);

/* A lookup begins, in task context. */
DEFINE_EVENT_FN(carom_chain_place, carom_chain_start,
	TP_PROTO(const struct carom_slot *slot, u64 offset),
	TP_ARGS(slot, offset),
	carom_trace_listen, carom_trace_unlisten
);

/* A node has arrived, the walker has not seen it. */
DEFINE_EVENT_FN(carom_chain_place, carom_chain_node,
	TP_PROTO(const struct carom_slot *slot, u64 offset),
	TP_ARGS(slot, offset),
	carom_trace_listen, carom_trace_unlisten
);

TRACE_EVENT_FN(carom_chain_step,

	TP_PROTO(const struct carom_slot *slot, s64 next),

	TP_ARGS(slot, next),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, offset)
		__field(s64, next)
		__field(u32, slot)
		__field(u32, index)
	),

	TP_fast_assign(
		__entry->session = slot->session->id;
		__entry->offset = slot->hop.offset;
		__entry->next = next;
		__entry->slot = slot - slot->session->slots;
		__entry->index = slot->hop.index;
	),

	TP_printk("session %llu slot %u index %u offset %llu next %lld", __entry->session,
		  __entry->slot, __entry->index, __entry->offset, __entry->next),

	carom_trace_listen, carom_trace_unlisten
);

/* @lba: on the namespace, in its LBAs; what follows is the doorbell. */
DECLARE_EVENT_CLASS(carom_chain_lba,

	TP_PROTO(const struct carom_slot *slot, u64 offset, u64 lba),

	TP_ARGS(slot, offset, lba),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, offset)
		__field(u64, lba)
		__field(u32, slot)
		__field(u32, index)
	),

	TP_fast_assign(
		__entry->session = slot->session->id;
		__entry->offset = offset;
		__entry->lba = lba;
		__entry->slot = slot - slot->session->slots;
		__entry->index = slot->hop.index;
	),

	TP_printk("session %llu slot %u index %u offset %llu lba %llu", __entry->session,
		  __entry->slot, __entry->index, __entry->offset, __entry->lba)
);

/* A read goes to the block layer: the first, or the one after a yield. */
DEFINE_EVENT_FN(carom_chain_lba, carom_chain_submit,
	TP_PROTO(const struct carom_slot *slot, u64 offset, u64 lba),
	TP_ARGS(slot, offset, lba),
	carom_trace_listen, carom_trace_unlisten
);

/* A read goes back to the device from the completion path. */
DEFINE_EVENT_FN(carom_chain_lba, carom_chain_resubmit,
	TP_PROTO(const struct carom_slot *slot, u64 offset, u64 lba),
	TP_ARGS(slot, offset, lba),
	carom_trace_listen, carom_trace_unlisten
);

TRACE_EVENT_FN(carom_chain_end,

	TP_PROTO(const struct carom_slot *slot, u64 ns),

	TP_ARGS(slot, ns),

	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, at)
		__field(u64, ns)
		__field(u32, slot)
		__field(u32, hops)
		__field(u32, end)
		__field(s32, code)
		__field(u32, polled)
	),

	TP_fast_assign(
		__entry->session = slot->session->id;
		__entry->at = slot->at;
		__entry->ns = ns;
		__entry->slot = slot - slot->session->slots;
		__entry->hops = slot->hop.index;
		__entry->end = slot->end;
		__entry->code = slot->code;
		__entry->polled = slot->polled;
	),

	TP_printk("session %llu slot %u end %s hops %u code %d at %llu ns %llu polled %u",
		  __entry->session, __entry->slot, __print_symbolic(__entry->end, CAROM_ENDS),
		  __entry->hops, __entry->code, __entry->at, __entry->ns, __entry->polled),

	carom_trace_listen, carom_trace_unlisten
);

#endif /* CAROM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
