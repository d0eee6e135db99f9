/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One chain against everything that can happen to it: its device, a reset of
 * the controller, its walker being unloaded, its caller or its ring going away,
 * a cancellation, others who poll its queue, and the session being closed.
 *
 * What is a store or a load in kernel/chain.c, kernel/uring.c, kernel/slots.c,
 * kernel/walker.c and the hook in nvme's pci.c is one step here; spin interleaves
 * the steps in every order. An RCU read-side section is `reading`, a grace period
 * waits until nobody reads.
 *
 * Checked by tests/model/model.test:
 *	no doorbell is rung on a queue that has been deleted
 *	no completion queue is polled but the one that there is
 *	no step runs in a walker that has been freed
 *	the slot is touched by nobody after the session is gone
 *	no cancellation is left over for the slot's next lookup
 *	each leg of a chain ends once, and the chain does end
 */

#define MAX_HOPS	3
#define MAX_YIELDS	1	/* one way of being in the middle of things is enough */
#define POLLERS		2

/* The driver's queue: with interrupts, or polled. */
bool polled;
bool quiesced, live = true, queue_lives = true;
bit cq;				/* the completion queue there is; a reset may make another */
byte reading;			/* RCU read-side sections on the completion path */
bool handler;			/* in the interrupt, whose end freeing it waits for, or cq_poll_lock */

/* The request queue: what holds a reference, and whether nobody gets one any more. */
byte refs;
bool frozen;

/* The command, as the device has it. */
bool at_device, cqe, cqe_failed;

/* The request: started when it is given to the device, until its end callback. */
bool started;

/* nvme_chain.poll_queue: the queue that the chain is on, until it ends. */
bool on_queue;
bit chain_cq;

/* The slot. */
bool slot_lives = true, done, yielded, busy, canceled;
byte hops, ends, yields;

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

/* nvme_chain_end_io(), carom_chain_end(); then the request is freed. */
inline end_chain(why)
{
	touch_slot();
	ends++;
	assert(ends == 1);
	on_queue = false;
	started = false;
	yielded = why;
	done = true;
	refs--
}

/* carom_chain_hop(), then nvme_chain_hop(): read again, or end. */
inline handle_completion()
{
	reading++;
	again = false;
	over = false;
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
			hops = (hops < MAX_HOPS -> hops + 1 : hops);
			if
			:: true -> skip			/* found, not found, failed */
			:: hops < MAX_HOPS && !canceled -> again = true
			:: hops >= MAX_HOPS || canceled -> skip
			fi
		fi
	fi;
	if
	:: again && live && !quiesced && !frozen -> ring_doorbell()
	:: again && live && !quiesced && !frozen && yields < MAX_YIELDS ->
		again = false; over = true; yields++		/* chain_budget */
	:: again && !(live && !quiesced && !frozen) -> again = false
	:: else -> skip
	fi;
	reading--;
	if
	:: again -> skip
	:: else -> reading++; end_chain(over); reading--
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
	bool again, over;

end:	do
	:: atomic { !polled && cqe && live && !handler -> cqe = false; handler = true };
	   handle_completion();
	   handler = false
	od
}

/* nvme_chain_poll() of the chain's owner, or of somebody else's. */
active [POLLERS] proctype poller()
{
	bool again, over;

end:	do
	:: atomic { polled && !closed && (!frozen || refs > 0) -> refs++ };
	   if
	   :: on_queue ->
	      /* nvme_poll_queue() looks without the lock whether there is something. */
	      if
	      :: live -> assert(chain_cq == cq);
		 if
		 :: atomic { cqe && live && !handler -> cqe = false; handler = true };
		    handle_completion();
		    handler = false
		 :: !cqe || !live -> skip
		 fi
	      :: else -> skip
	      fi
	   :: else -> skip
	   fi;
	   refs--
	od
}

/* nvme_dev_disable() and the reset work after it, once. */
active proctype reset()
{
	bool again, over;

	if
	:: skip			/* or never */
	:: frozen = true;		/* waited for below */
	   quiesced = true;
	   grace_period();
	   queue_lives = false;		/* Delete I/O Submission Queue */
	   live = false;
	   !handler;			/* pci_free_irq(), cq_poll_lock */
	   /* nvme_reap_pending_cqes() */
	   if
	   :: cqe -> cqe = false; handle_completion()
	   :: else -> skip
	   fi;
	   /* nvme_cancel_tagset() */
	   at_device = false;
	   if
	   :: started -> end_chain(false)
	   :: else -> skip
	   fi;
	   atomic { queue_lives = true; live = true };
	   quiesced = false;
	   refs == 0;			/* nvme_wait_freeze() */
	   /* nvme_free_queues(), should there be fewer than before */
	   cq = 1 - cq;
	   frozen = false
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

/* carom_slot_cancel(), by a command, a ring or a task that goes: one compare-and-exchange. */
active proctype canceler()
{
	if
	:: skip
	:: atomic { busy -> touch_slot(); canceled = true }
	:: closed
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

/* carom_chain_leg(): the request is taken, and holds the request queue. */
inline leg()
{
	done = false;
	ends = 0;
	issued = false;
	atomic { !frozen -> refs++ };
	chain_cq = cq;
	on_queue = polled;
	try_to_issue();
	/* What the queue did not take blk-mq keeps, until the queue is unquiesced. */
	do
	:: issued -> break
	:: else -> live && !quiesced; try_to_issue()
	od
}

/*
 * A synchronous caller, or the request of a ring with its task work: either holds
 * the session, and goes on with a chain that has yielded. Then the last reference
 * on the session goes.
 */
active proctype caller()
{
	bool issued;

	if
	:: polled = true
	:: polled = false
	fi;
	assert(!canceled);
	busy = true;			/* carom_slot_take() */
	leg();
	do
	:: if
	   :: done -> skip
	   :: canceled = true; done	/* killed */
	   fi;
	   if
	   :: yielded && !canceled -> leg()
	   :: else -> break
	   fi
	od;
	/* carom_slot_release() */
	atomic { busy = false; canceled = false };
	assert(!canceled);
	slot_lives = false;
	closed = true
}

ltl ends { <> closed }
