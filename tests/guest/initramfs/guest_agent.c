// Runs inside the test guest, from a busybox script. Writes known records to /dev/kmsg and ships
// what the guest knows of its own log out through QEMU's debug console (I/O port 0xe9): nothing the
// kernel does for that is logged.
//
//   guest_agent records            write one of everything a log can hold
//   guest_agent fill COUNT         write COUNT records of varied length
//   guest_agent truth              ship /dev/kmsg, record by record, each ended by a NUL
//   guest_agent ship NAME          ship standard input under NAME
//   guest_agent last-seq           print the sequence number of the newest record
//   guest_agent mark NAME          write "mark NAME TIME": the time of day, in nanoseconds
//   guest_agent hog                take all memory until the kernel kills it
//   guest_agent end                tell the host that all has been shipped
//   guest_agent spin               never return, never enter the kernel
//   guest_agent lab COMMAND        have photon_lab.ko carry out a command; under the name lab-COMMAND
//   guest_agent last-words KEYS [COMMAND...]
//                                  what the kernel says at sysrq's keys, and the state of every task;
//                                  ship both and the end; then have photon_lab.ko carry out each
//                                  command on a processor of its own, from CPU 1 on, and send a "."
//                                  for each just before; at the command fifo loop there with
//                                  real-time priority instead. Never returns
//
// A shipment is "BLOB <name> <bytes>\n" and the bytes; "END 0 0\n" is the last.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { debug_console_port = 0xe9, record_limit = 8192 };

struct buffer {
  char* bytes;
  size_t length;
  size_t capacity;
};

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void append(struct buffer* buffer, const void* bytes, size_t length) {
  if (buffer->length + length > buffer->capacity) {
    buffer->capacity = 2 * (buffer->length + length);
    buffer->bytes = realloc(buffer->bytes, buffer->capacity);
    if (buffer->bytes == NULL) fail("realloc");
  }
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

static void send(const void* bytes, size_t length) {
  __asm__ volatile("rep outsb"
                   : "+S"(bytes), "+c"(length)
                   : "d"((uint16_t)debug_console_port)
                   : "memory");
}

static void ship(const char* name, const struct buffer* buffer) {
  char header[128];
  if (ioperm(debug_console_port, 1, 1) != 0) fail("ioperm");
  send(header, (size_t)snprintf(header, sizeof(header), "BLOB %s %zu\n", name, buffer->length));
  send(buffer->bytes, buffer->length);
}

// One write(2) is one record. A record that the kernel refuses is reported, not skipped.
static void log_record(int kmsg, const char* bytes, size_t length) {
  if (write(kmsg, bytes, length) < 0) fprintf(stderr, "write of %zu bytes: %m\n", length);
}

static void log_text(int kmsg, const char* text) { log_record(kmsg, text, strlen(text)); }

static void write_records(int kmsg) {
  char text[4096];
  for (int facility = 0; facility < 24; ++facility) {
    for (int level = 0; level < 8; ++level) {
      int length = snprintf(text, sizeof(text), "<%d>facility %d level %d", facility * 8 + level,
                            facility, level);
      log_record(kmsg, text, (size_t)length);
    }
  }
  static const char* const texts[] = {
      "<14>two lines\nthe second",
      "<14>three lines\n  the second, indented\n\tthe third, with a tab",
      "<14>an empty line\n\nbetween two",
      "<14>a final newline\n",
      "<14>two final newlines\n\n",
      "<14>\na leading newline",
      "<14>",
      "<14> ",
      "<14>trailing blanks   ",
      "<14>\ttabs\tand\vother\fspace\r",
      "<14>UTF-8: caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x90\xa7 e\xcc\x81",
      "<14>escape: \x1b[31mred\x1b[0m bell \x07 delete \x7f backspace \x08",
      "<14>C1 as UTF-8: \xc2\x9b"
      "31m \xc2\x85 alone: \x9b"
      "31m \x80",
      "<14>not UTF-8: \xff\xfe \xc3( \xe6\x97 \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf cut \xf0\x9f\x90",
      "<14>separators: \xe2\x80\xa8 \xe2\x80\xa9 \xc2\xa0 \xe2\x80\xae right-to-left \xef\xbb\xbf",
      "<14>backslashes: \\ \\\\ \\x41 \\n \\",
      "<14>percent: %s %n %d %%",
      "<14>quotes: \" ' ` and {} [] <5> ; = ,",
      "<14>[    1.000000] what looks like a time stamp",
      "no level at all",
      "<notanumber>a level that is none",
      "<4294967296>a level that is too large",
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) log_text(kmsg, texts[i]);
  // Up to the longest line the kernel takes, and beyond, where it answers EINVAL.
  for (size_t length = 960; length <= 1060; ++length) {
    memcpy(text, "<14>", 4);
    memset(text + 4, 'a' + (int)(length % 26), length);
    log_record(kmsg, text, 4 + length);
  }
}

static void fill(int kmsg, long count) {
  char text[1024];
  for (long i = 0; i < count; ++i) {
    int length = snprintf(text, sizeof(text), "<%ld>fill %ld ", 8 + i % 8, i);
    int extra = (int)(i * 7919 % 331);
    memset(text + length, '.', (size_t)extra);
    log_record(kmsg, text, (size_t)(length + extra));
  }
}

// Logs without end records that say what must be in them: the writer, a number that goes up by one,
// and a filling that follows from both.
static void storm(int kmsg, long writer) {
  char text[1024];
  for (long i = 0;; ++i) {
    int length = snprintf(text, sizeof(text), "<14>storm %ld %ld ", writer, i);
    int extra = (int)((i * 7919 + writer * 31) % 331);
    memset(text + length, 'a' + (int)((i + writer) % 26), (size_t)extra);
    log_record(kmsg, text, (size_t)(length + extra));
  }
}

// The judge of every time of day: the guest's own clock at the moment of the record.
static void mark(int kmsg, const char* name) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) fail("clock_gettime");
  char text[256];
  snprintf(text, sizeof(text), "<14>mark %s %lld%09ld", name, (long long)now.tv_sec, now.tv_nsec);
  log_text(kmsg, text);
}

static void ship_truth(void) {
  int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  if (kmsg < 0) fail("/dev/kmsg");
  struct buffer truth = {0};
  for (;;) {
    char record[record_limit];
    ssize_t length = read(kmsg, record, sizeof(record));
    if (length < 0 && errno == EPIPE) {
      truth.length = 0;  // overwritten while being read: what came before is gone as well
      continue;
    }
    if (length < 0 && errno == EAGAIN) break;
    if (length < 0) fail("reading /dev/kmsg");
    append(&truth, record, (size_t)length);
    append(&truth, "", 1);
  }
  ship("truth.kmsg", &truth);
}

static void ship_input(const char* name) {
  struct buffer input = {0};
  char part[4096];
  ssize_t length;
  while ((length = read(STDIN_FILENO, part, sizeof(part))) > 0) append(&input, part, (size_t)length);
  ship(name, &input);
}

static void hog(void) {
  enum { piece = 1 << 20 };
  int score = open("/proc/self/oom_score_adj", O_WRONLY);
  if (score < 0 || write(score, "1000", 4) != 4) fail("oom_score_adj");
  for (;;) {
    void* memory = malloc(piece);
    if (memory != NULL) memset(memory, 1, piece);
  }
}

static void print_last_seq(void) {
  int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  if (kmsg < 0) fail("/dev/kmsg");
  char record[record_limit];
  unsigned long long seq = 0;
  ssize_t length;
  while ((length = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
    if (length <= 0) continue;
    record[length] = '\0';
    sscanf(record, "%*u,%llu", &seq);
  }
  printf("%llu\n", seq);
}

// Of every thread that /proc knows: "PATH BYTES\n" and the bytes, for each of its files below.
static void append_file(struct buffer* all, const char* path) {
  char bytes[8192];
  char header[512];
  size_t length = 0;
  ssize_t part;
  int file = open(path, O_RDONLY);
  if (file < 0) return;  // the task is gone
  while ((part = read(file, bytes + length, sizeof(bytes) - length)) > 0) length += (size_t)part;
  close(file);
  append(all, header, (size_t)snprintf(header, sizeof(header), "%s %zu\n", path, length));
  append(all, bytes, length);
}

static void append_tasks(struct buffer* all, const char* folder, int level) {
  static const char* const files[] = {"status", "comm", "stat"};
  DIR* opened = opendir(folder);
  if (opened == NULL) return;  // the process is gone
  for (struct dirent* entry; (entry = readdir(opened)) != NULL;) {
    char path[280];
    if (!isdigit(entry->d_name[0])) continue;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    if (level == 0) {
      strcat(path, "/task");
      append_tasks(all, path, 1);
      continue;
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); ++i) {
      char name[300];
      snprintf(name, sizeof(name), "%s/%s", path, files[i]);
      append_file(all, name);
    }
  }
  closedir(opened);
}

static void write_file(const char* path, const char* bytes, size_t length) {
  int file = open(path, O_WRONLY);
  if (file < 0 || write(file, bytes, length) < 0) fail(path);
  close(file);
}

static void lab(const char* command) {
  char name[16];
  snprintf(name, sizeof(name), "lab-%s", command);
  prctl(PR_SET_NAME, name);
  write_file("/proc/photonlab", command, strlen(command));
}

static void pin(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  if (sched_setaffinity(0, sizeof(only), &only) != 0) fail("sched_setaffinity");
}

// Keeps the processor that it runs on from everybody but the kernel itself.
static void fifo(void) {
  struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
  prctl(PR_SET_NAME, "rt-hog");
  write_file("/proc/sys/kernel/sched_rt_runtime_us", "-1", 2);
  if (sched_setscheduler(0, SCHED_FIFO, &highest) != 0) fail("sched_setscheduler");
  for (;;) __asm__ volatile("");
}

static void last_words(const char* keys, char** commands) {
  int go[2];
  if (pipe(go) != 0) fail("pipe");
  // They are there, asleep, when the tasks are asked for.
  for (int cpu = 1; commands[cpu - 1] != NULL; ++cpu) {
    if (fork() != 0) continue;
    char byte;
    pin(cpu);
    close(go[1]);
    if (ioperm(debug_console_port, 1, 1) != 0) fail("ioperm");
    if (read(go[0], &byte, 1) == 0) {
      send(".", 1);
      if (strcmp(commands[cpu - 1], "fifo") == 0) fifo();
      lab(commands[cpu - 1]);
    }
    _exit(1);
  }
  sleep(1);
  for (; *keys != '\0'; ++keys) write_file("/proc/sysrq-trigger", keys, 1);
  ship_truth();
  struct buffer tasks = {0};
  append_tasks(&tasks, "/proc", 0);
  ship("tasks", &tasks);
  send("END 0 0\n", 8);
  close(go[1]);
  for (;;) pause();
}

int main(int argc, char** argv) {
  const char* command = argc > 1 ? argv[1] : "";
  const char* argument = argc > 2 ? argv[2] : "";
  if (strcmp(command, "records") == 0) {
    write_records(open("/dev/kmsg", O_WRONLY));
  } else if (strcmp(command, "fill") == 0) {
    fill(open("/dev/kmsg", O_WRONLY), atol(argument));
  } else if (strcmp(command, "storm") == 0) {
    storm(open("/dev/kmsg", O_WRONLY), atol(argument));
  } else if (strcmp(command, "mark") == 0) {
    mark(open("/dev/kmsg", O_WRONLY), argument);
  } else if (strcmp(command, "truth") == 0) {
    ship_truth();
  } else if (strcmp(command, "ship") == 0) {
    ship_input(argument);
  } else if (strcmp(command, "last-seq") == 0) {
    print_last_seq();
  } else if (strcmp(command, "end") == 0) {
    if (ioperm(debug_console_port, 1, 1) != 0) fail("ioperm");
    send("END 0 0\n", 8);
  } else if (strcmp(command, "hog") == 0) {
    hog();
  } else if (strcmp(command, "spin") == 0) {
    for (;;) __asm__ volatile("");
  } else if (strcmp(command, "lab") == 0) {
    lab(argument);
  } else if (strcmp(command, "last-words") == 0 && argc > 2) {
    last_words(argument, argv + 3);
  } else {
    fprintf(stderr,
            "usage: guest_agent records|fill|storm|mark|truth|ship|last-seq|hog|end|spin|lab|"
            "last-words\n");
    return 2;
  }
  return 0;
}
