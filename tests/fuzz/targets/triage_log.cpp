// A log as text, as `triage --log` reads it, or as records, and what is wrong by it.
#include "base/byte_source.h"
#include "base/file_stream.h"
#include "fuzz/input.h"
#include "triage/log/log_events.h"
#include "triage/log/log_findings.h"
#include "triage/log/text_log.h"

namespace photon_dmesg::fuzz {
namespace {

// Records of several lines, of several callers.
std::uint64_t add_records(Input& input, LogEvents& events) {
  LogRecord record;
  for (; !input.empty(); ++record.seq) {
    const std::uint8_t bits = input.byte();
    record.facility = static_cast<std::uint8_t>(bits & 1);
    if ((bits & 2) != 0)
      record.caller = LogCaller{LogCaller::Kind::Cpu, static_cast<std::uint32_t>(bits >> 4)};
    if ((bits & 4) != 0) record.ts_nsec = input.number(8);
    record.text = input.text(2);
    events.add(record);
  }
  return record.seq;
}

std::uint64_t add_text(Input& input, LogEvents& events) {
  const BufferSource source("text", input.rest());
  FileStream text(source);
  std::uint64_t last = 0;
  read_text_log(text, [&](const LogRecord& record) {
    last = record.seq;
    events.add(record);
    return true;
  });
  return last;
}

void check(const LogEvent& event, std::uint64_t last) {
  require(event.first.seq <= event.last.seq && event.last.seq <= last, "an event is of the log");
  require(event.count > event.repeats.size(), "each repeat is counted");
  require(event.trace.size() <= LogEvent::most_frames, "a trace is bounded");
  require(event.headline.size() <= LogEvent::longest_text, "a text is bounded");
}

void check(const Finding& finding) {
  require(!finding.evidence.empty(), "a finding has evidence");
  for (const Witness& witness : finding.evidence) (void)describe(witness);
  for (const Finding& consequence : finding.consequences) check(consequence);
}

std::size_t count(const std::vector<Finding>& findings) {
  std::size_t sum = findings.size();
  for (const Finding& finding : findings) sum += count(finding.consequences);
  return sum;
}

}  // namespace

void fuzz_triage_log(Bytes bytes) {
  Input input(bytes);
  LogEvents reader;
  const std::uint64_t last =
      input.byte() % 2 == 0 ? add_text(input, reader) : add_records(input, reader);
  const std::vector<LogEvent> events = reader.finish();
  for (const LogEvent& event : events) check(event, last);
  std::size_t found = 0;
  for (const BootFindings& boot : findings_by_boot(events)) {
    for (const Finding& finding : boot.findings) check(finding);
    found += count(boot.findings);
  }
  require(found == events.size(), "no event is lost");
}

}  // namespace photon_dmesg::fuzz
