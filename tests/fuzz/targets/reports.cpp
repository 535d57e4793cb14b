// Every output format, of records that hold anything; its output is read back.
#include <nlohmann/json.hpp>
#include <sstream>

#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "report/formats/output_format.h"
#include "report/record_filter.h"
#include "report/redaction.h"
#include "support/bytes.h"

namespace photon_dmesg::fuzz {
namespace {

using Json = nlohmann::json;

struct Log {
  ReportContext context;
  std::vector<LogRecord> records;
  std::vector<UnloggedText> unlogged;
  std::vector<std::string> warnings;
};

LogRecord take_record(Input& input, std::uint64_t seq) {
  LogRecord record;
  const unsigned bits = input.byte();
  record.seq = seq;
  record.level = bits & 7;
  record.continues = (bits & 8) != 0;
  record.state = static_cast<LogRecord::State>((bits >> 4) % 6);
  record.facility = input.byte();
  record.ts_nsec = input.number(8);
  if ((bits & 0x80) != 0) {
    record.caller = {static_cast<LogCaller::Kind>(input.byte() & 1),
                     static_cast<std::uint32_t>(input.number(4))};
  }
  record.text = input.text(2);
  for (unsigned entries = input.byte() % 4; entries > 0; --entries) {
    std::string key = input.text();
    record.dictionary.emplace_back(std::move(key), input.text());
  }
  // As the readers of logs make them.
  if (record.state == LogRecord::State::TextLost) record.text.clear();
  return record;
}

// Within what kernel/facts takes for a clock.
GuestClock take_clock(Input& input) {
  constexpr std::int64_t second = 1'000'000'000;
  constexpr std::int64_t farthest = second << 32;
  const auto number = [&](std::int64_t most) {
    return static_cast<std::int64_t>(input.number(8) % static_cast<std::uint64_t>(most));
  };
  GuestClock clock;
  clock.realtime_offset_nsec = number(farthest) - ((input.byte() & 1) != 0 ? farthest : 0);
  clock.last_update_nsec = second + number(farthest - second);
  const std::int64_t monotonic = clock.monotonic_nsec();
  if (monotonic > 0 && monotonic < std::int64_t{1} << 61) {
    clock.raw_nsec = monotonic + number(monotonic / 8 + second);
  }
  if ((input.byte() & 1) != 0) clock.sleep_nsec = number(clock.last_update_nsec);
  if ((input.byte() & 1) != 0) clock.printk_ahead_nsec = number(1200 * second) - 600 * second;
  clock.slew_rate = static_cast<double>(input.byte()) / 2560 - 0.05;
  return clock;
}

TextStyle take_style(Input& input) {
  const unsigned bits = input.byte();
  TextStyle style;
  style.decode = (bits & 1) != 0;
  style.raw = (bits & 2) != 0;
  style.force_prefix = (bits & 4) != 0;
  style.color = (bits & 8) != 0;
  style.times = combine({static_cast<TimeFormat>(input.byte() % 9)}, (bits & 16) != 0);
  return style;
}

Log take_log(Input& input) {
  Log log;
  log.context.style = take_style(input);
  const unsigned bits = input.byte();
  GuestInfo& guest = log.context.guest;
  guest.release = input.text();
  guest.banner = input.text();
  if ((bits & 1) != 0) guest.identity.hostname = input.text();
  if ((bits & 2) != 0) guest.vm_name = input.text();
  if ((bits & 4) != 0) guest.clock = ClockHistory(take_clock(input));
  log.context.source.checkpoint = input.text();
  if ((bits & 8) != 0) log.context.source.symbols.package = input.text();
  log.context.generator = "photon-dmesg 1.2.3";
  if ((bits & 16) != 0) log.warnings.push_back(input.text());
  if ((bits & 32) != 0) {
    log.unlogged.push_back({UnloggedText::Source::Cont, {}, {}, {}, 3, input.text()});
  }
  constexpr std::size_t most_records = 64;
  while (!input.empty() && log.records.size() < most_records) {
    log.records.push_back(take_record(input, log.records.size()));
  }
  return log;
}

std::string write(const Log& log, const OutputFormat& format) {
  std::ostringstream out;
  const auto writer = format.make(log.context, out);
  std::uint64_t previous_usec = 0;
  for (const LogRecord& record : log.records) {
    writer->write(record, previous_usec);
    previous_usec = record.ts_nsec / 1000;
  }
  if (format.shows_unlogged) {
    for (const UnloggedText& text : log.unlogged) writer->write(text);
  }
  writer->finish(log.warnings);
  return out.str();
}

std::size_t count_with_text(const Log& log) {
  return static_cast<std::size_t>(std::count_if(
      log.records.begin(), log.records.end(),
      [](const LogRecord& record) { return record.state != LogRecord::State::TextLost; }));
}

// dmesg prints no others.
std::size_t count_not_empty(const Log& log) {
  return static_cast<std::size_t>(
      std::count_if(log.records.begin(), log.records.end(),
                    [](const LogRecord& record) { return !record.text.empty(); }));
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

// How many entries systemd's export format holds, as its readers take it apart.
std::size_t count_entries(std::string_view text) {
  std::size_t entries = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    require(end != std::string_view::npos, "each field of an export ends with a newline");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) ++entries;
    if (line.empty() || line.find('=') != std::string_view::npos) continue;
    require(text.size() >= 8, "a field of an export has its length");
    Input length(test::as_bytes(text.substr(0, 8)));
    const std::uint64_t bytes = length.number(8);
    require(bytes < text.size() - 8 && text[8 + bytes] == '\n', "the length is the field's");
    text.remove_prefix(8 + bytes + 1);
  }
  return entries;
}

void check_json(const Log& log) {
  const std::size_t unlogged = log.unlogged.size();
  const Json document = Json::parse(write(log, output_formats[1]));
  require(document.at("dmesg").size() == log.records.size(), "json has every record");
  require(lines_of(write(log, output_formats[2])).size() == log.records.size() + unlogged,
          "ndjson has a line for every record");
  require(Json::parse(write(log, output_formats[3])).at("dmesg").size() == count_not_empty(log),
          "dmesg-json has every record that is not empty");
  require(lines_of(write(log, output_formats[4])).size() == log.records.size() + unlogged,
          "ecs has a line for every record");
  const Json otlp = Json::parse(write(log, output_formats[5]));
  require(
      otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"].size() == log.records.size() + unlogged,
      "otlp has every record");
  require(lines_of(write(log, output_formats[6])).size() == count_with_text(log),
          "journal-json has a line for every record with text");
}

// As dmesg in the locale "C": all that moves on within a text stays as it is.
bool is_shown_by_dmesg(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) {
    return (byte >= ' ' && byte <= '~') || (byte >= '\t' && byte <= '\r');
  });
}

void check_lines(const Log& log) {
  require(count_entries(write(log, output_formats[7])) == count_with_text(log),
          "journal-export has an entry for every record with text");
  const std::string syslog = write(log, output_formats[8]);
  require(is_harmless(syslog), "syslog steers no terminal");
  require(static_cast<std::size_t>(std::count(syslog.begin(), syslog.end(), '\n')) ==
              count_with_text(log),
          "syslog has a line for every record with text");
  const std::string kmsg = write(log, output_formats[9]);
  require(
      static_cast<std::size_t>(std::count(kmsg.begin(), kmsg.end(), '\0')) == count_with_text(log),
      "kmsg has every record with text");
  const std::string text = write(log, output_formats[0]);
  require(log.context.style.color || is_shown_by_dmesg(text), "text steers no terminal");
}

// Counts what a filter passes on.
class Counter final : public ReportWriter {
 public:
  void write(const LogRecord& /*record*/, std::uint64_t /*previous_usec*/) override { ++count; }
  std::size_t count = 0;
};

void check_filter(const Log& log, Selection selection) {
  const auto head = selection.head;
  const auto tail = selection.tail;
  Counter counter;
  RecordFilter filter(std::move(selection), counter);
  for (const LogRecord& record : log.records) {
    if (!filter.add(record)) break;
  }
  filter.finish();
  require(filter.taken() == counter.count, "a filter counts what it passes on");
  require(!head || counter.count <= *head, "--head passes no more than it says");
  require(!tail || counter.count <= *tail, "--tail passes no more than it says");
}

// The same log without what is private: its formats are as sound as without that.
Log redacted(const Log& original) {
  Log log = original;
  Redactor redactor;
  redact(redactor, log.context.guest);
  for (const LogRecord& record : log.records) redactor.learn(record.text);
  redact(redactor, log.context.source);
  for (LogRecord& record : log.records) redact(redactor, record);
  for (UnloggedText& text : log.unlogged) redact(redactor, text);
  redact(redactor, log.warnings);
  return log;
}

Selection take_selection(Input& input) {
  Selection selection;
  const unsigned bits = input.byte();
  if ((bits & 1) != 0) selection.head = input.byte();
  if ((bits & 2) != 0) selection.tail = input.byte();
  if ((bits & 4) != 0) selection.levels = std::bitset<256>(input.byte());
  if ((bits & 8) != 0) selection.pattern = std::make_shared<Pattern>("[0-9]e*", true);
  selection.lines_before = input.byte() % 8;
  selection.lines_after = input.byte() % 8;
  return selection;
}

}  // namespace

void fuzz_reports(Bytes bytes) {
  static_assert(output_formats.size() == 10, "each format is read back above");
  Input input(bytes);
  Selection selection = take_selection(input);
  const Log log = take_log(input);
  check_json(log);
  check_lines(log);
  check_json(redacted(log));
  check_lines(redacted(log));
  check_filter(log, std::move(selection));
}

}  // namespace photon_dmesg::fuzz
