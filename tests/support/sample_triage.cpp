#include "support/sample_triage.h"

#include <sstream>

#include "support/sample_report.h"

namespace photon_dmesg::test {
namespace {

Task task(std::int32_t pid, const std::string& comm, char state) {
  Task task;
  task.address = {0xffff888000000000 + static_cast<std::uint64_t>(pid)};
  task.pid = pid;
  task.tgid = pid;
  task.comm = comm;
  task.state = state;
  task.last_ran_nsec = 10'000'000'000;
  return task;
}

Trace trace_of(const std::string& symbol) {
  Trace trace;
  trace.method = UnwindMethod::Orc;
  trace.end = TraceEnd::User;
  trace.user_ip = GuestVirtual{0x7f0000001234};
  Frame& frame = trace.frames.emplace_back();
  frame.address = {0xffffffff81000010};
  frame.place = CodePlace{symbol, 0x10, 0x80, symbol};
  return trace;
}

Waiting waiting_for(const std::string& lock, std::uint64_t address, const Task& owner) {
  Waiting waiting;
  waiting.wait.kind = WaitKind::Mutex;
  waiting.wait.object = {address};
  waiting.wait.name = lock;
  waiting.owner = owner;
  return waiting;
}

void add_findings(TriageReport& report, const std::string& name) {
  Finding deadlock;
  deadlock.kind = FindingKind::Deadlock;
  deadlock.grade = Grade::Certain;
  deadlock.summary = name;
  deadlock.object = name;
  deadlock.task = TaskName{11, name};
  deadlock.since_nsec = 10'000'000'000;
  deadlock.cause = name;
  deadlock.evidence = {{.what = name, .value = name, .address = GuestVirtual{0xffffffff82000000}},
                       {.what = name, .record = 42, .nsec = 11'000'000'000}};
  deadlock.against = {{.what = name}};
  deadlock.notes = {name};
  deadlock.tasks = {{{11, name}, 10'000'000'000}, {{12, name}, {}}};
  Finding consequence;
  consequence.kind = FindingKind::BlockedTasks;
  consequence.summary = name;
  consequence.since_nsec = 12'000'000'000;
  consequence.evidence = {{.what = name}};
  deadlock.consequences = {consequence};
  Finding oops;
  oops.kind = FindingKind::Oops;
  oops.summary = name;
  oops.cpu = 1;
  oops.task = TaskName{13, name};
  report.verdict.findings = {deadlock, oops};
  report.verdict.circumstances = {name};
}

void add_facts(TriageReport& report, const std::string& name) {
  GuestFacts& facts = report.facts;
  facts.time.now_nsec = 30'000'000'000;
  facts.last_record_nsec = 11'000'000'000;
  const Task first = task(11, name, 'D');
  const Task second = task(12, name, 'D');
  const Task holder = task(13, name, 'S');
  facts.tasks = {{first, trace_of(name), waiting_for(name, 0xffff888000001000, second)},
                 {second, trace_of(name), waiting_for(name, 0xffff888000002000, holder)},
                 {holder, trace_of(name), {}}};
  VcpuActivity& busy = facts.vcpus.emplace_back();
  busy.cpu = 1;
  busy.task = task(14, name, 'R');
  busy.trace = trace_of(name);
  VcpuActivity& user = facts.vcpus.emplace_back();
  user.vcpu = 1;
  user.in_user_mode = true;
}

}  // namespace

TriageReport sample_triage(const std::string& name) {
  TriageReport report;
  report.generator = "photon-dmesg 1.2.3";
  report.guest = sample_report().guest;
  report.guest->release = name;
  report.guest->identity.hostname = name;
  report.source = sample_report().source;
  add_findings(report, name);
  add_facts(report, name);
  report.read_from = {name};
  report.not_read = {name};
  report.modules = {name};
  LogRecord record = sample_record();
  record.text = name;
  record.ts_nsec = 11'000'000'000;
  report.log = {.records = 1,
                .first_seq = 42,
                .last_seq = 42,
                .last_text = name,
                .newest = {record},
                .told = {record},
                .density = {3, 0, 1, 0}};
  report.inputs = {{name, 4096, std::string(64, 'a')}};
  report.screenshot = "\x89PNG\r\n\x1a\n";
  report.warnings = {name};
  return report;
}

std::string written(WriteTriage write, const TriageReport& report) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> names = {
      "</script><img src=x onerror=alert(1)>",
      "</title></style></pre></svg><script>alert(1)</script>",
      "\"><b onclick='x'>&lt;",
      "--><!-- ]]>",
      "](javascript:alert(1)) ![x](http://x/y)",
      "`</code><b>`` ``` b",
      "`",
      "```",
      "a | b \\| c \\\\| d",
      "<http://x/> # heading _emphasis_ &amp; \\",
      "\x1b[31m\xe2\x80\xae\xff\x01 red",
      " padded ",
  };
  return names;
}

}  // namespace photon_dmesg::test
