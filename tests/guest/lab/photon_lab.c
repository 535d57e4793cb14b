// Hangs in ways that are known: each command written to /proc/photonlab is carried out by the task
// that writes it, in a function of the command's name, and most never return. Locks are variables of
// this file, so that who finds their addresses finds their names.
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

enum { lab_both_hold_one = 1000 };  // milliseconds, until the other task has its first lock

static DEFINE_MUTEX(lab_mutex_a);
static DEFINE_MUTEX(lab_mutex_b);
static DEFINE_MUTEX(lab_mutex_held);
static DECLARE_RWSEM(lab_rwsem);
static struct semaphore lab_semaphore;  // DEFINE_SEMAPHORE has another parameter since 6.4
static DECLARE_COMPLETION(lab_completion);
static DECLARE_COMPLETION(lab_work_completion);
static DECLARE_WAIT_QUEUE_HEAD(lab_wait_queue);
static DEFINE_SPINLOCK(lab_spinlock);
static int lab_event;

// Not in D: it is whoever waits for what this task holds that hangs.
static noinline void lab_sleep(void) {
  for (;;) schedule_timeout_interruptible(MAX_SCHEDULE_TIMEOUT);
}

static noinline void lab_spin_forever(void) {
  for (;;) cpu_relax();
}

static noinline void lab_ab(void) {
  mutex_lock(&lab_mutex_a);
  msleep(lab_both_hold_one);
  mutex_lock(&lab_mutex_b);
}

static noinline void lab_ba(void) {
  mutex_lock(&lab_mutex_b);
  msleep(lab_both_hold_one);
  mutex_lock(&lab_mutex_a);
}

static noinline void lab_hold(void) {
  mutex_lock(&lab_mutex_held);
  lab_sleep();
}

static noinline void lab_mutex(void) { mutex_lock(&lab_mutex_held); }

static noinline void lab_rhold(void) {
  down_read(&lab_rwsem);
  lab_sleep();
}

static noinline void lab_write_lock(void) { down_write(&lab_rwsem); }

static noinline void lab_read_lock(void) { down_read(&lab_rwsem); }

static noinline void lab_sem(void) { down(&lab_semaphore); }

static noinline void lab_done(void) { wait_for_completion(&lab_completion); }

static noinline void lab_event_wait(void) { wait_event(lab_wait_queue, READ_ONCE(lab_event)); }

static void lab_work_blocked(struct work_struct* work) { wait_for_completion(&lab_work_completion); }
static DECLARE_WORK(lab_blocked_work, lab_work_blocked);

static noinline void lab_workd(void) { schedule_work(&lab_blocked_work); }

// Lets all other tasks run, but no other work of its processor's.
static void lab_work_endless(struct work_struct* work) {
  for (;;) cond_resched();
}
static DECLARE_WORK(lab_endless_work, lab_work_endless);

static noinline void lab_work(void) { schedule_work(&lab_endless_work); }

static noinline void lab_spin(void) {
  preempt_disable();
  lab_spin_forever();
}

static noinline void lab_spinirq(void) {
  local_irq_disable();
  lab_spin_forever();
}

static noinline void lab_aa(void) {
  spin_lock(&lab_spinlock);
  spin_lock(&lab_spinlock);
}

static void lab_timer_spin(struct timer_list* timer) { lab_spin_forever(); }
static DEFINE_TIMER(lab_timer, lab_timer_spin);

// The callback runs on this processor, over whatever task is there then: a timer that is added without
// naming a processor may run on another while this one is idle (kernel/time/timer_migration.c).
static noinline void lab_timerspin(void) {
  preempt_disable();
  lab_timer.expires = jiffies + 1;
  add_timer_on(&lab_timer, smp_processor_id());
  preempt_enable();
}

static noinline void lab_oops(void) { *(volatile int*)8 = 0; }

static void lab_timer_oops(struct timer_list* timer) { lab_oops(); }
static DEFINE_TIMER(lab_bad_timer, lab_timer_oops);

// In an interrupt, which is no task's: the kernel does not survive it.
static noinline void lab_timernull(void) { mod_timer(&lab_bad_timer, jiffies + 1); }

static noinline void lab_warn(void) { WARN(1, "photon_lab: a warning\n"); }

static noinline void lab_bug(void) { BUG(); }

// All of the memory that there is, of which the kernel can free nothing.
static noinline void lab_oom(void) {
  while (alloc_page(GFP_KERNEL)) continue;
}

// Calls itself until the stack has no more room. What it does behind the call keeps it from being a loop.
static noinline int lab_deeper(int depth) {
  volatile char room[256];
  room[depth & 255] = 1;
  return lab_deeper(depth + 1) + room[(depth + 1) & 255];
}

static noinline void lab_recurse(void) { lab_event += lab_deeper(0); }

static const struct {
  const char* name;
  void (*run)(void);
} lab_commands[] = {
    {"ab", lab_ab},         {"ba", lab_ba},           {"hold", lab_hold},
    {"mutex", lab_mutex},   {"rhold", lab_rhold},     {"write", lab_write_lock},
    {"read", lab_read_lock}, {"sem", lab_sem},        {"done", lab_done},
    {"event", lab_event_wait}, {"workd", lab_workd},  {"spin", lab_spin},
    {"spinirq", lab_spinirq}, {"aa", lab_aa},         {"timerspin", lab_timerspin},
    {"oops", lab_oops},     {"warn", lab_warn},       {"bug", lab_bug},
    {"oom", lab_oom},       {"recurse", lab_recurse}, {"work", lab_work},
    {"timernull", lab_timernull},
};

static ssize_t lab_write(struct file* file, const char __user* text, size_t length, loff_t* place) {
  char name[16] = "";
  size_t i;
  if (length >= sizeof(name) || copy_from_user(name, text, length)) return -EINVAL;
  for (i = 0; i < ARRAY_SIZE(lab_commands); ++i) {
    if (strcmp(lab_commands[i].name, strim(name)) != 0) continue;
    pr_emerg("photon_lab: %s begins\n", lab_commands[i].name);
    lab_commands[i].run();
    return length;
  }
  return -EINVAL;
}

static const struct proc_ops lab_operations = {.proc_write = lab_write};

static int __init lab_init(void) {
  sema_init(&lab_semaphore, 0);
  return proc_create("photonlab", 0200, NULL, &lab_operations) ? 0 : -ENOMEM;
}
module_init(lab_init);

MODULE_DESCRIPTION("Hangs in ways that are known, for tests");
MODULE_LICENSE("GPL");
