#include "report/redaction.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <sstream>

#include "report/redacting_writer.h"
#include "support/sample_report.h"
#include "support/sample_triage.h"

namespace photon_dmesg::test {
namespace {

// What no output may have, in lower case.
const std::vector<std::string>& originals() {
  static const std::vector<std::string> list = {
      "web-1",    "example.com",  "alice",         "10.1.2.3",    "fe80::250",
      "00:50:56", "hunter2",      "s3cr3t",        "4c5300",      "6f8f1a2b",
      "j.doe",    "photon (old)", "01234567-89ab", "0123456789ab"};
  return list;
}

constexpr const char* private_text =
    "web-1 web-1.example.com /home/alice/x 10.1.2.3 fe80::250:56ff:feab:cdef 00:50:56:ab:cd:ef "
    "password=hunter2 token=s3cr3t SerialNumber: 4C530001 "
    "UUID=6f8f1a2b-0000-4c3d-8e9f-001122334455 j.doe@example.com Photon (old)";

void check_redacted(std::string text) {
  CHECK_FALSE(text.empty());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  for (const std::string& original : originals()) {
    CAPTURE(original);
    CHECK(text.find(original) == std::string::npos);
  }
}

SampleReport private_report() {
  SampleReport report = sample_report();
  report.guest.clock = ClockHistory(sample_clock);
  report.guest.banner = "Linux version 6.1.10 (j.doe@web-1)";
  report.source.checkpoint = "/home/alice/web-1.vmss";
  report.source.memory = "/home/alice/web-1.vmem";
  report.source.symbols.iso = "/home/alice/photon.iso";
  report.records.front().text = private_text;
  report.records.front().dictionary = {{"SUBSYSTEM", "usb"}, {"DEVICE", private_text}};
  UnloggedText& unlogged = report.unlogged.emplace_back();
  unlogged.text = private_text;
  HostLine& line = report.host_lines.emplace_back(sample_host_line());
  line.file = "/home/alice/vmware.log";
  line.text = private_text;
  report.warnings = {std::string("not used: ") + private_text};
  return report;
}

Task private_task() {
  Task task;
  task.pid = 12;
  task.comm = "ssh web-1";
  task.state = 'D';
  return task;
}

Trace private_trace() {
  Trace trace;
  Frame& frame = trace.frames.emplace_back();
  frame.place = CodePlace{"web-1", 1, 2, "web-1"};
  trace.why = private_text;
  return trace;
}

TaskReport private_tasks() {
  TaskReport report;
  const SampleReport sample = private_report();
  report.guest = sample.guest;
  report.source = sample.source;
  report.warnings = sample.warnings;
  VcpuActivity& vcpu = report.vcpus.emplace_back();
  vcpu.task = private_task();
  vcpu.trace = private_trace();
  TaskReport::Row& row = report.tasks.emplace_back();
  row.task = private_task();
  row.trace = private_trace();
  row.folded = {private_task()};
  Waiting& waiting = row.waiting.emplace();
  waiting.wait.name = "mount /home/alice";
  waiting.owner = private_task();
  waiting.cycle = {private_task()};
  const auto at = row.trace->frames.front().instruction().value;
  report.lines = LinesByAddress{{at, {SourceLine{"f", "/home/alice/a.c", 3}}}};
  return report;
}

InfoReport private_info() {
  InfoReport report;
  const SampleReport sample = private_report();
  report.guest = sample.guest;
  report.source = sample.source;
  report.warnings = sample.warnings;
  report.files = {{"/home/alice/web-1.vmss", "checkpoint", 1}};
  report.kernels = {{"6.1.10", "/home/alice/linux.rpm", true}};
  InfoReport::Cpu& cpu = report.registers.emplace_back();
  cpu.task = private_task();
  cpu.place = SymbolPlace{"web-1", 1};
  cpu.frames = {"web-1+0x1"};
  ListedTag& tag = report.tags.emplace_back();
  tag.text = private_text;
  report.problems = {private_text};
  return report;
}

std::string written_redacted(SampleReport report, const OutputFormat& format) {
  Redactor redactor;
  redact(redactor, report.guest);
  redact(redactor, report.source);
  std::ostringstream out;
  RedactingWriter writer(format.make(report, out), redactor);
  for (const LogRecord& record : report.records) writer.write(record, 0);
  if (format.shows_unlogged) {
    for (const UnloggedText& text : report.unlogged) writer.write(text);
    for (const HostLine& line : report.host_lines) writer.write(line);
  }
  writer.finish(report.warnings);
  return out.str();
}

TEST_CASE("No format of the log has an original of what is redacted") {
  for (const OutputFormat& format : output_formats) {
    CAPTURE(format.name);
    const std::string text = written_redacted(private_report(), format);
    check_redacted(text);
    CHECK(text.find("ip-1") != std::string::npos);
  }
}

TEST_CASE("The formats have the originals without redaction") {
  for (const OutputFormat& format : output_formats) {
    CAPTURE(format.name);
    CHECK(written(private_report(), std::string(format.name)).find("10.1.2.3") !=
          std::string::npos);
  }
}

TEST_CASE("No report of triage has an original of what is redacted") {
  for (const WriteTriage write : {write_triage_text, write_triage_json, write_triage_lines,
                                  write_triage_html, write_triage_markdown}) {
    TriageReport report = sample_triage(private_text);
    report.guest = private_report().guest;
    report.source = private_report().source;
    CHECK(written(write, report).find("10.1.2.3") != std::string::npos);
    Redactor redactor;
    redact(redactor, report);
    CHECK_FALSE(report.screenshot);
    check_redacted(written(write, report));
  }
}

TEST_CASE("No report of tasks has an original of what is redacted") {
  for (const auto write : {write_traces_text, write_tasks_text, write_traces_json, write_tasks_json,
                           write_task_lines}) {
    TaskReport report = private_tasks();
    std::ostringstream plain;
    write(report, plain);
    CHECK_THAT(plain.str(), Catch::Contains("web-1"));
    Redactor redactor;
    redact(redactor, report);
    std::ostringstream out;
    write(report, out);
    check_redacted(out.str());
    CHECK_THAT(out.str(), Catch::Contains("<host-"));
  }
}

TEST_CASE("No description of files has an original of what is redacted") {
  for (const auto write : {write_info_text, write_info_json}) {
    InfoReport report = private_info();
    Redactor redactor;
    redact(redactor, report);
    std::ostringstream out;
    write(report, out);
    check_redacted(out.str());
    CHECK_THAT(out.str(), Catch::Contains("<host-") && Catch::Contains("<user-1>"));
  }
}

TEST_CASE("All of a redacted report have the same placeholders") {
  TriageReport report = sample_triage(private_text);
  report.guest = private_report().guest;
  Redactor redactor;
  redact(redactor, report);
  CHECK(report.guest->identity.hostname == "<host-1>");
  CHECK(report.verdict.findings.front().summary == report.log.newest.front().text);
  CHECK(report.log.newest.front().text.starts_with(
      "<host-1> <host-1> /home/<user-1>/x <ip-1> <ip-2> <mac-1> password=<secret-1>"));
}

}  // namespace
}  // namespace photon_dmesg::test
