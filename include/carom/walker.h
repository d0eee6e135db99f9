/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a walker is.
 *
 * A walker is one C function, its step: called once for each node that was
 * read, it looks at the node and at the slot's scratch area (the query is in
 * there, the answer goes there) and returns the file offset of the node to
 * read next, or how the chain ends. The same source is compiled to BPF, where
 * the step runs in the NVMe driver's completion path (hard interrupt context,
 * must not sleep), and natively, where libcarom calls it between ordinary
 * reads. It has no other state than its scratch, and can name nothing but
 * offsets in its own file.
 *
 *	#include <carom/walker.h>
 *
 *	CAROM_WALKER(chase, 4096, 64)
 *	{
 *		const __u8 *node = carom_node(hop, 4096);
 *		struct chase *c = (struct chase *)carom_scratch(hop, 64);
 *
 *		if (!node || !c)
 *			return CAROM_STEP_FAIL(1);
 *		...
 *		return next_offset;
 *	}
 *
 * Return values of a step: >= 0 the next offset, CAROM_STEP_DONE,
 * CAROM_STEP_MISS or CAROM_STEP_FAIL(code), see <linux/carom.h>. An offset is in
 * bytes from the start of the file, a multiple of the device's LBA size, of a node
 * that lies wholly within the file and not in a hole; otherwise the engine ends the
 * chain.
 *
 * CAROM_WALKER(name, node_size, scratch_size) begins the definition of a step with
 * the argument struct carom_hop *hop. The name, which sessions ask for, is a C
 * identifier of up to 31 characters. Sizes are in bytes, constants: nodes have a power
 * of two from CAROM_MIN_NODE_SIZE to CAROM_MAX_NODE_SIZE, the scratch up to
 * CAROM_MAX_SCRATCH_SIZE. Natively it defines carom_walker_<name>, a struct
 * carom_native_walker.
 *
 * All memory is the slot's, and nobody else's while its chain runs, but for the
 * scratch, which user space can write at any time. The scratch keeps what is in it
 * from hop to hop; a chain that the kernel aborts is carried on natively with it.
 * Offsets and lengths that calls take are in bytes; a range that is not within node
 * or scratch is a fault, which the call returns, and touches nothing. No call
 * allocates, sleeps or fails otherwise.
 *
 * doc/walkers.md in the source says how to write, load and test one.
 */
#ifndef CAROM_WALKER_H
#define CAROM_WALKER_H

#include <linux/carom.h>

/* What carom_cmp() returns for a range outside of the node or the scratch. */
#define CAROM_CMP_FAULT		2
/* The same of carom_copy(). */
#define CAROM_COPY_FAULT	(-1)

#ifdef __bpf__
#include <carom/bpf.h>
#else
#include <carom/native.h>
#endif

#endif /* CAROM_WALKER_H */
