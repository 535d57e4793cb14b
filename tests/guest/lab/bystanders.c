// Processes that look hung and are not, each named for how: they stay as they are until the guest ends.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static void name(const char* text) { prctl(PR_SET_NAME, text); }

static void* wait_for_futex(void* unused) {
  static uint32_t word;
  name("thread-futex");
  for (;;) syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
  return unused;
}

static void* wait_for_pipe(void* unused) {
  int ends[2];
  char byte;
  name("thread-pipe");
  if (pipe(ends) == 0 && read(ends[0], &byte, 1) < 0) abort();
  return unused;
}

static void* sleep_for_ever(void* unused) {
  name("thread-sleep");
  for (;;) sleep(1000);
  return unused;
}

static void start_threads(void) {
  void* (*const threads[])(void*) = {wait_for_futex, wait_for_pipe, sleep_for_ever};
  for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, threads[i], NULL) != 0) abort();
  }
}

static void with_threads(void) {
  start_threads();
  for (;;) pause();
}

// The leader is a zombie while its threads live.
static void without_leader(void) {
  start_threads();
  pthread_exit(NULL);
}

// In D, as long as the child neither ends nor calls exec.
static void with_vfork_child(void) {
  if (vfork() == 0) {
    name("vfork-child");
    for (;;) pause();
  }
  _exit(1);
}

static void stopped(void) {
  for (;;) raise(SIGSTOP);
}

static void traced(void) {
  ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  for (;;) raise(SIGSTOP);
}

// On the first processor, so that what comes to the others comes to them when they are idle.
static void busy(void) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof(first), &first);
  for (;;) __asm__ volatile("");
}

static void zombie(void) { _exit(0); }

static void* wait_in_the_crowd(void* unused) {
  for (;;) pause();
  return unused;
}

static void write_number(const char* path, int number) {
  FILE* file = fopen(path, "w");
  if (file == NULL || fprintf(file, "%d\n", number) < 0 || fclose(file) != 0) abort();
}

// How many threads the kernel's command line asks for (photon.crowd=).
static int crowd_size(void) {
  char line[4096] = "";
  FILE* file = fopen("/proc/cmdline", "r");
  if (file == NULL || fgets(line, sizeof(line), file) == NULL) abort();
  fclose(file);
  const char* wanted = strstr(line, "photon.crowd=");
  return wanted == NULL ? 0 : atoi(strchr(wanted, '=') + 1);
}

// On a guest with one processor nothing else runs before all are there and asleep.
static void crowd(int size) {
  const struct sched_param first = {.sched_priority = 1}, like_others = {0};
  write_number("/proc/sys/kernel/sched_rt_runtime_us", -1);
  write_number("/proc/sys/kernel/threads-max", 2 * size);
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) abort();
  pthread_attr_t small;
  pthread_attr_init(&small);
  if (pthread_attr_setstacksize(&small, (size_t)sysconf(_SC_THREAD_STACK_MIN)) != 0) abort();
  for (int i = 0; i < size; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, wait_in_the_crowd, NULL) != 0) abort();
    sched_yield();
  }
  sched_setscheduler(0, SCHED_OTHER, &like_others);
  for (;;) pause();
}

int main(void) {
  static const struct {
    const char* name;
    void (*run)(void);
  } processes[] = {
      {"threads", with_threads}, {"no-leader", without_leader}, {"vfork-parent", with_vfork_child},
      {"stopped", stopped},      {"traced", traced},            {"zombie", zombie},
      {"busy", busy},
  };
  for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); ++i) {
    if (fork() == 0) {
      name(processes[i].name);
      processes[i].run();
    }
  }
  const int size = crowd_size();
  if (size > 0 && fork() == 0) {
    name("crowd");
    crowd(size);
  }
  for (;;) pause();
}
