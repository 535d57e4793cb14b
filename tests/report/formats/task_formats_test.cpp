#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/task_report.h"
#include "support/sample_report.h"

namespace photon_dmesg::test {
namespace {

Task task(std::int32_t pid, const std::string& comm, char state) {
  Task task;
  task.address = {0xffff888000001000};
  task.pid = pid;
  task.tgid = pid;
  task.ppid = 1;
  task.comm = comm;
  task.state = state;
  return task;
}

Frame frame(const char* symbol, std::uint64_t offset, FrameKind kind, StackKind stack) {
  Frame frame;
  frame.address = {0xffffffff81000000 + offset};
  frame.kind = kind;
  frame.stack = stack;
  if (*symbol != '\0') frame.place = CodePlace{symbol, offset, 0x80, {}};
  return frame;
}

Trace irq_trace() {
  Trace trace;
  trace.method = UnwindMethod::FramePointers;
  trace.frames = {frame("do_IRQ", 0x10, FrameKind::Instruction, StackKind::Irq),
                  frame("do_read", 0x20, FrameKind::Interrupted, StackKind::Task),
                  frame("", 0x30, FrameKind::Call, StackKind::Task)};
  trace.frames[0].place->module = "lab";
  trace.frames[2].is_reliable = false;
  trace.why = "the stack can't be read";
  return trace;
}

// A guest with a vCPU in an interrupt, and a task in D that waits for a mutex.
TaskReport sample() {
  TaskReport report;
  report.guest = sample_report().guest;
  report.source = sample_report().source;
  report.now_nsec = 20'000'000'000;
  VcpuActivity cpu;
  cpu.vcpu = 0;
  cpu.cpu = 1;
  cpu.task = task(7, "reader", 'R');
  cpu.witnesses = "the stack, rq.curr";
  cpu.trace = irq_trace();
  report.vcpus = {cpu};
  TaskReport::Row& row = report.tasks.emplace_back();
  row.task = task(12, "writer", 'D');
  row.task.cpu = 0;
  row.task.last_ran_nsec = 7'500'000'000;
  row.task.kernel_thread = false;
  row.trace.emplace();
  row.trace->method = UnwindMethod::Orc;
  row.trace->end = TraceEnd::User;
  row.trace->user_ip = GuestVirtual{0x7f0000001234};
  row.trace->frames = {frame("schedule", 0x40, FrameKind::Call, StackKind::Task)};
  row.waiting.emplace();
  row.waiting->wait.object = {0xffff888000002000};
  row.waiting->wait.kind = WaitKind::Mutex;
  row.waiting->wait.name = "lab_a [lab]";
  row.waiting->owner = task(7, "reader", 'R');
  report.warnings = {"a warning"};
  return report;
}

template <typename Write>
std::string written(Write write, const TaskReport& report) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

}  // namespace

TEST_CASE("traces as text: as the kernel prints them, with what each task waits for") {
  TaskReport report = sample();
  report.tasks[0].folded = {task(13, "writer", 'D')};
  CHECK(written(write_traces_text, report) ==
        "vCPU 0 (the kernel's CPU 1): reader (7), in the kernel\n"
        "  <IRQ>\n"
        "   do_IRQ+0x10/0x80 [lab]\n"
        "  </IRQ>\n"
        "  <TASK>\n"
        "   interrupted at do_read+0x20/0x80\n"
        "   ? 0xffffffff81000030\n"
        "  </TASK>\n"
        "  incomplete: the stack can't be read\n"
        "\n"
        "writer (12) D, CPU 0, last ran 12.500 s ago\n"
        "  waits for mutex lab_a [lab], held by reader (7)\n"
        "  and 1 more with this trace: writer (13)\n"
        "  <TASK>\n"
        "   schedule+0x40/0x80\n"
        "  </TASK>\n"
        "  user mode, at 0x7f0000001234\n");
}

TEST_CASE("traces: without registers it is not said where a vCPU was") {
  TaskReport report;
  report.vcpus.resize(1);
  report.vcpus[0].has_registers = false;
  report.vcpus[0].task = task(7, "reader", 'R');
  report.vcpus[0].trace.why = "the checkpoint lacks its registers";
  CHECK(written(write_traces_text, report) ==
        "vCPU 0: reader (7)\n  incomplete: the checkpoint lacks its registers\n");
  CHECK_THAT(written(write_traces_json, report), Catch::Contains("\"mode\": null"));
}

TEST_CASE("traces as text: of what is not known nothing is said") {
  TaskReport report;
  report.vcpus.resize(1);
  report.vcpus[0].in_user_mode = true;
  report.vcpus[0].trace.end = TraceEnd::User;
  TaskReport::Row& row = report.tasks.emplace_back();
  row.task = task(5, "gone", 'Z');
  row.trace.emplace();
  row.trace->end = TraceEnd::Exited;
  CHECK(written(write_traces_text, report) ==
        "vCPU 0: task unknown, in user mode\n"
        "\n"
        "gone (5) Z\n"
        "  it has exited: there is no stack\n");
}

TEST_CASE("tasks as text: a line for each, nothing that steers a terminal") {
  TaskReport report = sample();
  TaskReport::Row& thread = report.tasks.emplace_back();
  thread.task = task(2, "k\x1b[31m", 'I');
  thread.task.ppid.reset();
  thread.task.kernel_thread = true;
  thread.depth = 2;
  TaskReport::Row& running = report.tasks.emplace_back();
  running.task = task(7, "reader", 'R');
  running.task.cpu = 1;
  running.task.on_cpu = true;
  const std::string text = written(write_tasks_text, report);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text,
             Catch::Contains("     12      12       1 D    0      12.500 s  writer  waits for "
                             "mutex lab_a [lab], held by reader (7)\n"));
  CHECK_THAT(text, Catch::Contains("      2       2       - I    -             -      [k"));
  CHECK_THAT(text, Catch::Contains("      7       7       1 R    1       running  reader\n"));
}

TEST_CASE("tasks as text: a tree without end does not fill the disk") {
  TaskReport report = sample();
  report.tasks[0].depth = 4'000'000;
  CHECK(written(write_tasks_text, report).size() < 1000);
}

TEST_CASE("waits as words: locks, readers of whom one is known, and circles") {
  Waiting waiting;
  waiting.wait.kind = WaitKind::RwSemaphore;
  waiting.wait.object = {0xffff888000002000};
  CHECK(describe(waiting) == "rw semaphore 0xffff888000002000");
  waiting.owner = task(7, "reader", 'S');
  waiting.wait.owner_is_certain = false;
  CHECK(describe(waiting) ==
        "rw semaphore 0xffff888000002000, held by readers, of whom the last may be reader (7)");
  waiting.wait.owner_is_certain = true;
  waiting.cycle = {task(12, "writer", 'D'), task(7, "reader", 'D')};
  CHECK(describe(waiting) ==
        "rw semaphore 0xffff888000002000, held by reader (7): deadlock of writer (12) reader (7)");
}

TEST_CASE("traces: the spinlock that a CPU waits for") {
  TaskReport report = sample();
  report.vcpus[0].spins_on = SpinLock{{0xffffffffc0484784}, 0x101, "some_lock [lab]"};
  CHECK_THAT(
      written(write_traces_text, report),
      Catch::Contains("\n  spins on spinlock some_lock [lab] (0x101: held, one CPU waits)\n"));
  const auto document = nlohmann::json::parse(written(write_traces_json, report));
  CHECK(document["vcpus"][0]["spins_on"] ==
        nlohmann::json(
            {{"address", "0xffffffffc0484784"}, {"name", "some_lock [lab]"}, {"word", 0x101}}));
}

TEST_CASE("traces as JSON: one document with all that is known") {
  const auto document = nlohmann::json::parse(written(write_traces_json, sample()));
  CHECK(document["now_nsec"] == 20'000'000'000);
  CHECK(document["warnings"].size() == 1);
  const auto& vcpu = document["vcpus"][0];
  CHECK(vcpu["cpu"] == 1);
  CHECK(vcpu["mode"] == "kernel");
  CHECK(vcpu["task"] == nlohmann::json({{"pid", 7}, {"comm", "reader"}}));
  CHECK(vcpu["task_by"] == "the stack, rq.curr");
  CHECK(vcpu["spins_on"].is_null());
  CHECK(vcpu["trace"]["complete"] == false);
  CHECK(vcpu["trace"]["end"] == "broken");
  CHECK(vcpu["trace"]["method"] == "frame_pointers");
  CHECK(vcpu["trace"]["why"] == "the stack can't be read");
  const auto& frames = vcpu["trace"]["frames"];
  CHECK(frames[0]["text"] == "do_IRQ+0x10/0x80 [lab]");
  CHECK(frames[0]["module"] == "lab");
  CHECK(frames[0]["stack"] == "irq");
  CHECK(frames[1]["kind"] == "interrupted");
  CHECK(frames[1]["module"].is_null());
  CHECK(frames[2]["symbol"].is_null());
  CHECK(frames[2]["reliable"] == false);
  const auto& task = document["tasks"][0];
  CHECK(task["state"] == "D");
  CHECK(task["since_it_ran_nsec"] == 12'500'000'000);
  CHECK(task["queued_nsec"].is_null());
  CHECK(task["waits_for"]["kind"] == "mutex");
  CHECK(task["waits_for"]["name"] == "lab_a [lab]");
  CHECK(task["waits_for"]["owner"]["pid"] == 7);
  CHECK(task["waits_for"]["cycle"].is_null());
  CHECK(task["trace"]["user_address"] == "0x7f0000001234");
}

TEST_CASE(
    "traces and tasks as JSON: a document that is printed piece by piece is one all the same") {
  TaskReport report = sample();
  report.tasks.push_back(report.tasks[0]);
  report.vcpus.push_back(report.vcpus[0]);
  for (const bool is_empty : {false, true}) {
    if (is_empty) report.vcpus.clear();
    if (is_empty) report.tasks.clear();
    for (const auto write : {write_traces_json, write_tasks_json}) {
      const std::string document = written(write, report);
      CHECK(document == nlohmann::ordered_json::parse(document).dump(3) + '\n');
    }
  }
}

TEST_CASE("tasks as JSON: names that are no UTF-8 don't break the document") {
  TaskReport report = sample();
  report.tasks[0].task.comm = "\xff\xfe\x01";
  report.tasks[0].trace.reset();
  const auto document = nlohmann::json::parse(written(write_tasks_json, report));
  CHECK(document["tasks"][0]["comm"].is_string());
  CHECK_FALSE(document["tasks"][0].contains("trace"));
  CHECK_FALSE(document.contains("vcpus"));
}

TEST_CASE("traces as NDJSON: each line by itself says of which guest it is") {
  std::istringstream lines(written(write_task_lines, sample()));
  std::string line;
  std::size_t count = 0;
  while (std::getline(lines, line)) {
    ++count;
    const auto object = nlohmann::json::parse(line);
    CHECK(object["release"] == "6.1.10-1.ph5");
    CHECK(object["hostname"] == "web-1");
  }
  CHECK(count == 2);
}

}  // namespace photon_dmesg::test
