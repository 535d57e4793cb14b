#include "report/record_filter.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

// What is written, as "seq" or "seq-previous time", "|" for a gap.
class Recorder : public ReportWriter {
 public:
  void write(const LogRecord& record, std::uint64_t previous_usec) override {
    seen += (seen.empty() ? "" : " ") + std::to_string(record.seq);
    previous.push_back(previous_usec);
  }
  void leave_gap() override { seen += " |"; }

  std::string seen;
  std::vector<std::uint64_t> previous;
};

LogRecord record_of(std::uint64_t seq, std::string text, std::uint8_t level = 6) {
  LogRecord record;
  record.seq = seq;
  record.ts_nsec = seq * 1'000'000;
  record.level = level;
  record.text = std::move(text);
  return record;
}

struct Result {
  std::string seen;
  std::vector<std::uint64_t> previous;
  std::size_t offered = 0;  // records until no more were wanted
};

Result filter(const Selection& selection, const std::vector<LogRecord>& records) {
  Recorder recorder;
  RecordFilter filter(selection, recorder);
  Result result;
  for (const LogRecord& record : records) {
    ++result.offered;
    if (!filter.add(record)) break;
  }
  filter.finish();
  result.seen = recorder.seen;
  result.previous = recorder.previous;
  return result;
}

// Records 0 to 9, whose texts are "r0" to "r9".
std::vector<LogRecord> ten() {
  std::vector<LogRecord> records;
  for (std::uint64_t i = 0; i < 10; ++i) records.push_back(record_of(i, "r" + std::to_string(i)));
  return records;
}

Selection matching(const std::string& pattern, std::size_t before = 0, std::size_t after = 0) {
  Selection selection;
  selection.pattern = std::make_shared<const Pattern>(pattern, false);
  selection.lines_before = before;
  selection.lines_after = after;
  return selection;
}

}  // namespace

TEST_CASE("record filter: without a selection every record passes") {
  CHECK(filter({}, ten()).seen == "0 1 2 3 4 5 6 7 8 9");
}

TEST_CASE("record filter: by sequence number") {
  Selection selection;
  selection.first_seq = 3;
  selection.end_seq = 6;
  const Result result = filter(selection, ten());
  CHECK(result.seen == "3 4 5");
  CHECK(result.previous.front() == 0);  // what is before it is not there
  CHECK(result.offered == 7);
}

TEST_CASE("record filter: by level and facility") {
  std::vector<LogRecord> records = {record_of(0, "a", 3), record_of(1, "b", 4),
                                    record_of(2, "c", 3)};
  records[2].facility = 3;
  Selection selection;
  selection.levels.emplace().set(3);
  CHECK(filter(selection, records).seen == "0 2");
  selection.facilities.emplace().set(3);
  CHECK(filter(selection, records).seen == "2");
}

TEST_CASE("record filter: by time, both ends exclusive as in dmesg") {
  Selection selection;
  selection.clock = GuestClock{0, 1'000'000'000};  // booted in 1970
  selection.since_usec = 2000;
  selection.until_usec = 5000;
  CHECK(filter(selection, ten()).seen == "3 4");
  selection.since_usec = -5;  // before the boot
  CHECK(filter(selection, ten()).seen == "0 1 2 3 4");
}

TEST_CASE("record filter: by time, of records on both sides of a step of the clock") {
  ClockSigns signs;
  LogRecord stepped;  // at 5 ms
  stepped.seq = 5;
  stepped.ts_nsec = 5'000'000;
  stepped.facility = 3;
  stepped.text = "chronyd[1]: System clock was stepped by 3600.000000 seconds";
  signs.add(stepped);
  Selection selection;
  selection.clock = ClockHistory({3'600'000'000'000, 3'600'010'000'000}, signs);
  selection.since_usec = 3'000;
  CHECK(filter(selection, ten()).seen == "4 5 6 7 8 9");
  selection.until_usec = 3'600'007'000;
  CHECK(filter(selection, ten()).seen == "4 5 6");
}

TEST_CASE("record filter: differences count from the record before, shown or not") {
  Selection selection;
  selection.levels.emplace().set(3);
  const Result result =
      filter(selection, {record_of(1, "a", 3), record_of(2, "b", 6), record_of(3, "c", 3)});
  CHECK(result.previous == std::vector<std::uint64_t>{0, 2000});
}

TEST_CASE("record filter: a record without text does not count, as in dmesg") {
  const Result result = filter({}, {record_of(1, "a"), record_of(2, ""), record_of(3, "c")});
  CHECK(result.previous == std::vector<std::uint64_t>{0, 1000, 1000});
}

TEST_CASE("record filter: by text, with context and gaps") {
  CHECK(filter(matching("r[37]"), ten()).seen == "3 7");
  CHECK(filter(matching("r[37]", 1, 0), ten()).seen == "2 3 | 6 7");
  CHECK(filter(matching("r[37]", 0, 1), ten()).seen == "3 4 | 7 8");
  CHECK(filter(matching("r[37]", 2, 1), ten()).seen == "1 2 3 4 5 6 7 8");
  CHECK(filter(matching("r[05]", 3, 3), ten()).seen == "0 1 2 3 4 5 6 7 8");
  CHECK(filter(matching("none", 3, 3), ten()).seen.empty());
}

TEST_CASE("record filter: the first and the last") {
  Selection selection;
  selection.head = 3;
  const Result first = filter(selection, ten());
  CHECK(first.seen == "0 1 2");
  CHECK(first.offered == 3);
  selection.head.reset();
  selection.tail = 2;
  CHECK(filter(selection, ten()).seen == "8 9");
  selection.tail = 0;
  CHECK(filter(selection, ten()).seen.empty());
  selection.tail = 20;
  CHECK(filter(selection, ten()).seen == "0 1 2 3 4 5 6 7 8 9");
  selection = matching("r[0-4]");
  selection.tail = 2;
  CHECK(filter(selection, ten()).seen == "3 4");
  selection.tail.reset();
  selection.head = 0;
  CHECK(filter(selection, ten()).seen.empty());
}

TEST_CASE("record filter: text that is no record yet is the newest there is") {
  Recorder recorder;
  UnloggedText text;
  text.text = "half a line";
  text.level = 3;
  const auto accepts = [&](const Selection& selection) {
    return RecordFilter(selection, recorder).accepts(text);
  };
  CHECK(accepts({}));
  CHECK(accepts(matching("half")));
  CHECK_FALSE(accepts(matching("whole")));
  Selection selection;
  selection.levels.emplace().set(6);
  CHECK_FALSE(accepts(selection));
  selection.levels->set(3);
  CHECK(accepts(selection));
  selection.clock = GuestClock{};
  selection.since_usec = 100;
  CHECK(accepts(selection));
  selection.until_usec = 200;
  CHECK_FALSE(accepts(selection));
  selection = {};
  selection.facilities.emplace().set(3);
  CHECK_FALSE(accepts(selection));
  selection = {};
  selection.head = 5;
  CHECK_FALSE(accepts(selection));
  selection = {};
  selection.tail = 5;
  CHECK(accepts(selection));
}

TEST_CASE("pattern: extended regular expressions, by line") {
  CHECK(Pattern("^two$", false).matches("one\ntwo\nthree"));
  CHECK_FALSE(Pattern("one.two", false).matches("one\ntwo"));
  CHECK(Pattern("(oops|panic)", false).matches("Kernel panic"));
  CHECK_FALSE(Pattern("PANIC", false).matches("Kernel panic"));
  CHECK(Pattern("PANIC", true).matches("Kernel panic"));
  CHECK(Pattern("behind", false).matches(std::string("a\0behind", 8)));
  check_fails(Failure::Usage, "--grep (: expected an extended regular expression: Unmatched",
              [] { (void)Pattern("(", false); });
}

}  // namespace photon_dmesg::test
