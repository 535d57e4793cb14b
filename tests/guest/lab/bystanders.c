// Processes that look hung and are not, each named for how: they stay as they are until the guest ends.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

static void busy(void) {
  for (;;) __asm__ volatile("");
}

static void zombie(void) { _exit(0); }

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
  for (;;) pause();
}
