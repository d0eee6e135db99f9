// SPDX-License-Identifier: GPL-2.0
/* One mistake of each kind that the debug kernel is there to find; see debug.test. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static int __rcu *shared;

static void faults_rcu(void)
{
	if (rcu_dereference(shared))
		pr_info("faults: there should be nothing\n");
}

static void faults_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* Not a timer: on a slow machine it has expired before anybody could sleep. */
static void faults_sleep(void)
{
	spin_lock(&spin);
	mutex_lock(&first);
	mutex_unlock(&first);
	spin_unlock(&spin);
}

static noinline void faults_shift(unsigned int by)
{
	pr_info("faults: shifted to %d\n", 1 << by);
}

struct faults_timer {
	struct timer_list timer;
};

static void faults_tick(struct timer_list *timer)
{
}

static void faults_timer(void)
{
	struct faults_timer *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(&t->timer, faults_tick, 0);
	mod_timer(&t->timer, jiffies + 1000 * HZ);
	kfree(t);
}

static void faults_leak(void)
{
	void *volatile lost = kmalloc(1234, GFP_KERNEL);

	lost = NULL;
	(void)lost;
}

static noinline void faults_use_after_free(void)
{
	char *p = kzalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	pr_info("faults: read %d\n", READ_ONCE(p[8]));
}

/* What KASAN finds disables lockdep, so it comes last. */
static int __init faults_init(void)
{
	faults_rcu();
	faults_lock_order();
	faults_sleep();
	faults_shift(40);
	faults_leak();
	faults_timer();
	faults_use_after_free();
	return 0;
}

static void __exit faults_exit(void)
{
}

module_init(faults_init);
module_exit(faults_exit);
MODULE_DESCRIPTION("Makes mistakes when it is loaded");
MODULE_LICENSE("GPL");
