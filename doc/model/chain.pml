/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One chain against everything that can happen to it: its device, a reset of
 * the controller, its walker being unloaded, its caller being killed, and the
 * session being closed.
 *
 * What is a store or a load in kernel/chain.c, kernel/walker.c and the hook in
 * nvme's pci.c is one step here; spin interleaves the steps in every order. An
 * RCU read-side section is `reading`, a grace period waits until nobody reads.
 *
 * Checked by tests/model/model.test:
 *	no doorbell is rung on a queue that has been deleted
 *	no step runs in a walker that has been freed
 *	the slot is touched by nobody after the session is gone
 *	a chain ends once, and it does end
 */

#define MAX_HOPS	3

/* The driver's queue. */
bool quiesced, live = true, queue_lives = true;
byte reading;			/* RCU read-side sections on the completion path */
bool handler;			/* the completion handler runs; freeing the IRQ waits */

/* The command, as the device has it. */
bool at_device, cqe, cqe_failed;

/* The request: started when it is given to the device, until its end callback. */
bool started;

/* The slot. */
bool slot_lives = true, done, canceled;
byte hops, ends;

/* The walker. */
bool ops = true, program_lives = true;

bool closed;

inline grace_period()
{
	reading == 0
}

inline touch_slot()
{
	assert(slot_lives)
}

inline ring_doorbell()
{
	assert(queue_lives);
	at_device = true
}

/* nvme_chain_end_io(), carom_chain_end() */
inline end_chain()
{
	touch_slot();
	ends++;
	assert(ends == 1);
	started = false;
	done = true
}

/* carom_chain_hop(), then nvme_chain_hop(): read again, or end. */
inline handle_completion()
{
	reading++;
	again = false;
	if
	:: cqe_failed -> cqe_failed = false
	:: else ->
		touch_slot();
		if
		:: !ops -> skip
		:: else ->
			/* The step runs for a while, after its program was looked up. */
			skip;
			assert(program_lives);
			hops++;
			if
			:: true -> skip			/* found, not found, failed */
			:: hops < MAX_HOPS && !canceled -> again = true
			:: hops >= MAX_HOPS || canceled -> skip
			fi
		fi
	fi;
	if
	:: again && live && !quiesced -> ring_doorbell()
	:: again && !(live && !quiesced) -> again = false
	:: else -> skip
	fi;
	reading--;
	if
	:: again -> skip
	:: else -> reading++; end_chain(); reading--
	fi
}

/* Answers what it has been asked, or fails it; a deleted queue answers nothing. */
active proctype device()
{
end:	do
	:: atomic { at_device && queue_lives && !cqe -> at_device = false; cqe = true;
		    if
		    :: cqe_failed = false
		    :: cqe_failed = true
		    fi }
	od
}

active proctype interrupt()
{
	bool again;

end:	do
	:: atomic { cqe && live && !handler -> cqe = false; handler = true };
	   handle_completion();
	   handler = false
	od
}

/* nvme_dev_disable() and the reset work after it, once. */
active proctype reset()
{
	bool again;

	if
	:: skip			/* or never */
	:: quiesced = true;
	   grace_period();
	   queue_lives = false;		/* Delete I/O Submission Queue */
	   live = false;
	   !handler;			/* pci_free_irq() */
	   /* nvme_reap_pending_cqes() */
	   if
	   :: cqe -> cqe = false; handle_completion()
	   :: else -> skip
	   fi;
	   /* nvme_cancel_tagset() */
	   at_device = false;
	   if
	   :: started -> end_chain()
	   :: else -> skip
	   fi;
	   atomic { queue_lives = true; live = true };
	   quiesced = false
	fi
}

/* carom_unreg(), once; then the program is freed. */
active proctype unload()
{
	if
	:: skip
	:: ops = false;
	   grace_period();
	   program_lives = false
	fi
}

/* nvme_queue_rq() and nvme_chain_issue() alike: both look at the flags under RCU. */
inline try_to_issue()
{
	reading++;
	if
	:: live && !quiesced -> started = true; ring_doorbell(); issued = true
	:: else -> skip
	fi;
	reading--
}

/* carom_chain_lookup(), then the last reference on the session goes. */
active proctype caller()
{
	bool issued;

	try_to_issue();
	/* What the queue did not take blk-mq keeps, until the queue is unquiesced. */
	do
	:: issued -> break
	:: else -> live && !quiesced; try_to_issue()
	od;
	/* carom_chain_wait() */
	if
	:: done -> skip
	:: canceled = true; done
	fi;
	slot_lives = false;
	closed = true
}

ltl ends { <> closed }
