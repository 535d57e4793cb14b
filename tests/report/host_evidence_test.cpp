#include "report/host_evidence.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "report/host_findings.h"

namespace photon_dmesg::test {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t boot = 1'795'455'252 * second;  // 2026-11-23T17:34:12Z
constexpr std::int64_t hour = 3600 * second;

// Stopped 1000 s after boot.
ClockHistory stopped_clock() {
  GuestClock clock{boot, boot + 1000 * second};
  clock.raw_nsec = 1000 * second;
  clock.sleep_nsec = 0;
  return ClockHistory(clock);
}

HostLine sent(double seconds, const std::string& text, std::optional<std::int64_t> host) {
  return parse_host_line(
      {"host's time", host, "vcpu-0", fmt::format("<4>[{:12.6f}] {}", seconds, text)},
      "vmware.log");
}

LogRecord logged(double seconds, const std::string& text) {
  LogRecord record;
  record.ts_nsec = static_cast<std::uint64_t>(seconds * 1e9) + 499;  // below a microsecond
  record.text = text;
  return record;
}

std::vector<std::string> texts(const std::vector<HostLine>& lines) {
  std::vector<std::string> result;
  for (const HostLine& line : lines) result.push_back(line.text);
  return result;
}

// What of `lines` counts, and what the log lacks, where it has `records`.
HostTestimony judged(std::vector<HostLine> lines, const std::vector<LogRecord>& records,
                     const std::optional<ClockHistory>& clock = stopped_clock()) {
  HostEvidence evidence(std::move(lines));
  for (const LogRecord& record : records) evidence.add(record);
  return evidence.finish(clock);
}

using Texts = std::vector<std::string>;

TEST_CASE("What is before a line that the guest sent") {
  const HostLogLine line = {"then", 7, "vcpu-3", "<30>[   20.000001] systemd[1]: text"};
  const HostLine parsed = parse_host_line(line, "vmware.log");
  CHECK(is_of_kernel(parsed));
  CHECK(parsed.facility == 3);
  CHECK(parsed.level == 6);
  CHECK(parsed.ts_nsec == 20'000'001'000);
  CHECK(parsed.text == "systemd[1]: text");
  CHECK(parsed.host_time == "then");
  CHECK(parsed.host_nsec == 7);
  CHECK(parsed.thread == "vcpu-3");
  CHECK(raw_line(parsed) == line.text);
  const HostLine other = parse_host_line({"then", {}, "vcpu-0", "[  1.5] of Tools"}, "vmware.log");
  CHECK_FALSE(is_of_kernel(other));
  CHECK(other.text == "[  1.5] of Tools");
  CHECK(raw_line(other) == other.text);
  CHECK(record_of(other, 5).facility == 1);
  CHECK(record_of(parsed, 5).facility == 3);
}

TEST_CASE("Host's log: lines that the log has are the same, by time and text") {
  std::vector<HostLine> lines;
  for (const char* text : {"one", "two", "three"}) lines.push_back(sent(900, text, {}));
  const HostTestimony testimony =
      judged(lines, {logged(900, "one"), logged(900, "two\nthree"), logged(900.000001, "more")},
             std::nullopt);
  CHECK(texts(testimony.lines) == Texts{"one", "two", "three"});
  CHECK(testimony.logged == 3);
  CHECK(testimony.missing().empty());
  CHECK(testimony.doubts.empty());
}

TEST_CASE("Host's log: what the host may write otherwise is the same") {
  const std::string longest(950, 'x');
  const HostTestimony testimony =
      judged({sent(900, "a b", {}), sent(901, longest, {}), sent(902, "short", {})},
             {logged(900, "a\t\x80 b "), logged(901, longest + "cut"), logged(902, "shorter")},
             std::nullopt);
  CHECK(texts(testimony.missing()) == Texts{"short"});
}

TEST_CASE("Host's log: a line that was cut is found by where it was cut") {
  const std::string longest(1500, 'x');
  const auto missing = [&](const std::string& sent_text) {
    return judged({sent(900, "enough", {}), sent(900, "to know it", {}), sent(900, sent_text, {})},
                  {logged(900, "enough\nto know it\n" + longest)}, std::nullopt)
        .missing()
        .size();
  };
  CHECK(missing(longest.substr(0, 899)) == 1);  // shorter than any that was cut
  CHECK(missing(longest.substr(0, 900)) == 0);
  CHECK(missing(longest.substr(0, 1499)) == 0);
  CHECK(missing(longest) == 0);
  CHECK(missing(longest + "x") == 1);
  CHECK(missing(longest.substr(0, 1000) + "y") == 1);
}

TEST_CASE("Host's log: each of very many lines of one time is found, sent once or twice") {
  constexpr int count = 100'000;
  std::vector<HostLine> lines;
  std::vector<LogRecord> records;
  for (int i = 0; i < count; ++i) {
    lines.push_back(sent(900, fmt::format("line {}", i / 2 * 2), {}));
    records.push_back(logged(900, fmt::format("line {}", i)));
  }
  lines.push_back(sent(900.000001, "line 0", {}));
  const HostTestimony testimony = judged(std::move(lines), records, std::nullopt);
  CHECK(testimony.logged == count / 2);
  CHECK(texts(testimony.missing()) == Texts{"line 0"});
}

TEST_CASE("Host's log: lines of this boot that the log lacks are missing, each once") {
  std::vector<HostLine> lines;
  for (int dump = 0; dump < 2; ++dump) {  // at an oops, and at the panic behind it
    for (int i = 0; i < 10; ++i) lines.push_back(sent(900 + i, "line", {}));
  }
  lines.push_back(sent(910, "last", {}));
  std::vector<LogRecord> records;
  for (int i = 2; i < 10; ++i) records.push_back(logged(900 + i, "line"));
  const HostTestimony testimony = judged(lines, records, std::nullopt);
  CHECK(testimony.lines.size() == 11);
  CHECK(testimony.logged == 8);
  CHECK(texts(testimony.missing()) == Texts{"line", "line", "last"});
}

TEST_CASE("Host's log: where the log is gone the clocks tell") {
  const auto count_at = [](std::int64_t host) {
    return judged({sent(500, "text", host)}, {}).missing().size();
  };
  CHECK(count_at(boot + 500 * second) == 1);
  CHECK(count_at(boot + 555 * second) == 1);
  CHECK(count_at(boot + 565 * second) == 0);
  CHECK(count_at(boot - hour) == 0);
}

TEST_CASE("Host's log: a panic early in an earlier boot is not taken for one of this boot") {
  // A guest that panics 20 s after boot, and boots again at once: 20 s before this boot's.
  const HostTestimony testimony = judged({sent(20, "text", boot)}, {});
  CHECK(testimony.lines.empty());
  CHECK(testimony.elsewhere.size() + testimony.doubts.size() == 1);
}

TEST_CASE("Host's log: what it says of the other lines") {
  const auto only = [](const std::vector<std::string>& sentences, const char* what) {
    REQUIRE(sentences.size() == 1);
    CHECK(sentences[0].find(what) != std::string::npos);
  };
  only(judged({sent(500, "a", boot - hour)}, {}).elsewhere, "1 line that the guest sent");
  only(judged({sent(500, "a", boot - hour), sent(501, "b", boot - hour)}, {}).elsewhere,
       "2 lines that the guest sent to its host, the last at host's time by the host's clock, are "
       "of an earlier boot");
  only(judged({sent(5000, "a", boot + 5000 * second)}, {}).elsewhere,
       "came after this memory was saved");
  only(judged({sent(500, "a", boot + 900 * second)}, {}).doubts, "can't be told");
  only(judged({sent(500, "a", {})}, {}).doubts, "can't be told");
  only(judged({sent(500, "a", boot + 500 * second)}, {}, std::nullopt).doubts, "can't be told");
}

TEST_CASE("Host's log: the log knows better than the clocks") {
  std::vector<HostLine> lines;
  std::vector<LogRecord> same;
  std::vector<LogRecord> others;
  for (int i = 0; i < 10; ++i) {
    lines.push_back(sent(500 + i, "line", boot + (500 + i) * second));
    same.push_back(logged(500 + i, "line"));
    others.push_back(logged(500.5 + i, "line"));
  }
  CHECK(judged(lines, same).logged == 10);
  CHECK(judged(lines, others).lines.empty());
  for (HostLine& line : lines) *line.host_nsec -= hour;  // the guest's clock is wrong
  CHECK(judged(lines, same).logged == 10);
}

TEST_CASE("Host's log: of a later panic only what came before the stop counts") {
  std::vector<HostLine> lines = {sent(500, "a", {}), sent(501, "b", {}), sent(5000, "panic", {})};
  const HostTestimony testimony = judged(lines, {logged(500, "a"), logged(501, "b")});
  CHECK(texts(testimony.lines) == Texts{"a", "b"});
  CHECK(testimony.elsewhere.size() == 1);
}

TEST_CASE("Host's log: a dump ends where printk's clock goes back or the host hears nothing") {
  const std::vector<HostLine> lines = {sent(500, "a", boot), sent(499.5, "b", boot),
                                       sent(1, "c", boot), sent(2, "d", boot + hour)};
  const std::vector<HostDump> dumps = dumps_of(lines);
  REQUIRE(dumps.size() == 3);
  CHECK((dumps[0].begin == 0 && dumps[0].end == 2));
  CHECK((dumps[1].begin == 2 && dumps[1].end == 3));
  CHECK((dumps[2].begin == 3 && dumps[2].end == 4));
  CHECK(dumps_of({}).empty());
}

TEST_CASE("Host's log: a panic that memory lacks is found, and says whence") {
  const std::vector<HostLine> lines = {
      sent(500, "before", boot), sent(501, "Kernel panic - not syncing: it was", boot),
      sent(502, "---[ end Kernel panic - not syncing: it was ]---", boot)};
  HostTestimony testimony;
  testimony.lines = lines;
  testimony.is_logged = {true, false, false};
  const std::vector<Finding> findings = findings_of(testimony);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == FindingKind::Panic);
  CHECK(findings[0].summary == "it was");
  CHECK(findings[0].since_nsec == 501 * second);
  REQUIRE(findings[0].evidence.size() == 1);
  CHECK(findings[0].evidence[0].what ==
        "vmware.log at host's time (501.000000 s after boot): Kernel panic - not syncing: it was");
  CHECK_FALSE(findings[0].evidence[0].record);
  REQUIRE(findings[0].notes.size() == 1);
  testimony.is_logged = {true, true, true};
  CHECK(findings_of(testimony).empty());
}

}  // namespace
}  // namespace photon_dmesg::test
