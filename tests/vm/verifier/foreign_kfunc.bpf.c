// SPDX-License-Identifier: GPL-2.0
// expect: attach to unsupported member step of struct carom_walker_ops
// carom: no bound that the verifier has seen
/* A kfunc of the kernel proper, for other program types. */
#include <carom/walker.h>

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

CAROM_WALKER(foreign_kfunc, 4096, 64)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return hop->offset;
}
