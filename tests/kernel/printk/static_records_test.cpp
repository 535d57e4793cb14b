#include "kernel/printk/static_records.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/error.h"

namespace photon_dmesg::test {
namespace {

LogRecord record(std::uint64_t seq, const std::string& text) {
  LogRecord result;
  result.seq = seq;
  result.ts_nsec = seq * 1000;
  result.text = text;
  return result;
}

std::vector<LogRecord> early() {
  return {record(0, "zero"), record(1, "one"), record(2, "two")};
}

// A log of these records, which counts how many were taken from it.
class FakeLog : public StoredLog {
 public:
  explicit FakeLog(std::vector<LogRecord> records) : records_(std::move(records)) {}

  [[nodiscard]] std::uint64_t next_seq() const override { return records_.back().seq + 1; }
  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) const override {
    taken = 0;
    for (const LogRecord& record : records_) {
      if (record.seq >= end) break;
      ++taken;
      if (!sink(record)) return;
    }
    result.losses.push_back(fmt::format("before {}", end));
    result.doubts.emplace_back("a doubt");
  }

  mutable std::size_t taken = 0;

 private:
  std::vector<LogRecord> records_;
};

std::unique_ptr<FakeLog> log_of(std::vector<LogRecord> records) {
  return std::make_unique<FakeLog>(std::move(records));
}

EarlyBuffer buffer_of(std::vector<LogRecord> records) {
  return {"static ring at 0x1000", [records] { return log_of(records); }};
}

struct Read : KernelLog {
  std::vector<std::uint64_t> numbers;
  std::vector<LogRecord> records;
};

// Up to `most` records.
Read read(const StoredLog& log, std::size_t most = 100) {
  Read result;
  log.read(
      [&](LogRecord record) {
        result.numbers.push_back(record.seq);
        result.records.push_back(std::move(record));
        return result.numbers.size() < most;
      },
      result);
  return result;
}

using Numbers = std::vector<std::uint64_t>;
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("with_beginning: what the log has lost comes first, marked") {
  CollectedDiagnostics diagnostics;
  const auto log = with_beginning(log_of({record(2, "two"), record(3, "three")}),
                                  buffer_of(early()), diagnostics);
  const Read all = read(*log);
  CHECK(all.numbers == Numbers{0, 1, 2, 3});
  CHECK(all.records[1].origin == LogRecord::Origin::StaticBuffer);
  CHECK(all.records[2].origin == LogRecord::Origin::Log);
  CHECK(log->next_seq() == 4);
  CHECK(diagnostics.evidence().at(0).value == "2");
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("with_beginning: what is wrong with the records that are taken is said, of no others") {
  CollectedDiagnostics diagnostics;
  const auto log = with_beginning(log_of({record(2, "two")}), buffer_of(early()), diagnostics);
  const Read all = read(*log);
  CHECK(all.losses.at(0) == "before 2");
  CHECK(all.losses.size() == 2);
  CHECK(all.doubts.size() == 2);
}

TEST_CASE("with_beginning: a record that has lost its text is shown as such") {
  CollectedDiagnostics diagnostics;
  std::vector<LogRecord> buffer = early();
  buffer[0].state = LogRecord::State::TextLost;
  const auto log = with_beginning(log_of({record(2, "two")}), buffer_of(buffer), diagnostics);
  const Read all = read(*log);
  CHECK(all.numbers == Numbers{0, 1, 2});
  CHECK(all.records[0].state == LogRecord::State::TextLost);
}

TEST_CASE("with_beginning: a log that has lost nothing has no need of the buffer") {
  CollectedDiagnostics diagnostics;
  const EarlyBuffer unasked{"static ring at 0x1000", []() -> std::unique_ptr<StoredLog> {
                              FAIL("it was opened");
                              return nullptr;
                            }};
  CHECK(read(*with_beginning(log_of(early()), unasked, diagnostics)).numbers == Numbers{0, 1, 2});
}

TEST_CASE("with_beginning: a buffer whose records are others where the log has them is none") {
  CollectedDiagnostics diagnostics;
  const auto log = with_beginning(log_of({record(2, "another"), record(3, "three")}),
                                  buffer_of(early()), diagnostics);
  CHECK(read(*log).numbers == Numbers{2, 3});
  CHECK(diagnostics.warnings() ==
        Texts{"of the records before 2, which the log has lost, none is taken from the static ring "
              "at 0x1000: its record 2 is not that of the log"});
}

TEST_CASE("with_beginning: a buffer that can't be read is a lack") {
  CollectedDiagnostics diagnostics;
  const EarlyBuffer damaged{"static ring at 0x1000",
                            []() -> std::unique_ptr<StoredLog> { throw unusable("no ring"); }};
  const auto log = with_beginning(log_of({record(2, "two")}), damaged, diagnostics);
  CHECK(read(*log).numbers == Numbers{2});
  CHECK(diagnostics.warnings() == Texts{"of the records before 2, which the log has lost, none is "
                                        "taken from the static ring at 0x1000: no ring"});
}

TEST_CASE("with_beginning: a long log is compared only as far as the buffer reaches") {
  CollectedDiagnostics diagnostics;
  std::vector<LogRecord> records = {record(2, "two")};
  for (std::uint64_t seq = 3; seq < 1000; ++seq) records.push_back(record(seq, "later"));
  auto log = log_of(records);
  const FakeLog& later = *log;
  const auto all = with_beginning(std::move(log), buffer_of(early()), diagnostics);
  CHECK(later.taken == 1);
}

TEST_CASE("with_beginning: who wants no more gets no more") {
  CollectedDiagnostics diagnostics;
  const auto log = with_beginning(log_of({record(2, "two")}), buffer_of(early()), diagnostics);
  const Read some = read(*log, 1);
  CHECK(some.numbers == Numbers{0});
  CHECK(some.losses.empty());
}

TEST_CASE("with_beginning: records before a number are those of the buffer and of the log") {
  CollectedDiagnostics diagnostics;
  const auto log = with_beginning(log_of({record(2, "two"), record(3, "three")}),
                                  buffer_of(early()), diagnostics);
  const std::uint64_t end = GENERATE(1U, 3U);
  Numbers numbers;
  KernelLog result;
  log->read_before(
      end,
      [&](const LogRecord& record) {
        numbers.push_back(record.seq);
        return true;
      },
      result);
  CHECK(numbers.size() == end);
}

}  // namespace photon_dmesg::test
