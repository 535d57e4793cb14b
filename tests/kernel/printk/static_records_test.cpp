#include "kernel/printk/static_records.h"

#include <catch2/catch.hpp>

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
  void read(const RecordSink& sink, KernelLog& result) const override {
    taken = 0;
    for (const LogRecord& record : records_) {
      ++taken;
      if (!sink(record)) return;
    }
    result.losses.emplace_back("one");
  }

  mutable std::size_t taken = 0;

 private:
  std::vector<LogRecord> records_;
};

std::vector<std::uint64_t> numbers(const std::vector<LogRecord>& records) {
  std::vector<std::uint64_t> result;
  result.reserve(records.size());
  for (const LogRecord& record : records) result.push_back(record.seq);
  return result;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("lost_records: those that the log has lost, marked") {
  const std::vector<LogRecord> lost =
      lost_records(early(), FakeLog({record(2, "two"), record(3, "three")}));
  CHECK(numbers(lost) == Numbers{0, 1});
  CHECK(lost[0].origin == LogRecord::Origin::StaticBuffer);
}

TEST_CASE("lost_records: none, if the log has lost nothing or there is no buffer") {
  CHECK(lost_records(early(), FakeLog(early())).empty());
  CHECK(lost_records({}, FakeLog(early())).empty());
}

TEST_CASE("lost_records: records that differ where both have them are not of this log") {
  CHECK(lost_records(early(), FakeLog({record(2, "another"), record(3, "three")})).empty());
}

TEST_CASE("lost_records: a record that has lost its text is no gain") {
  std::vector<LogRecord> buffer = early();
  buffer[1].state = LogRecord::State::TextLost;
  CHECK(numbers(lost_records(buffer, FakeLog({record(3, "three")}))) == Numbers{0, 2});
}

TEST_CASE("lost_records: a long log is read only as far as the buffer reaches") {
  std::vector<LogRecord> records = early();
  for (std::uint64_t seq = 3; seq < 1000; ++seq) records.push_back(record(seq, "later"));
  const FakeLog log(records);
  CHECK(lost_records(early(), log).empty());
  CHECK(log.taken == 3);
}

TEST_CASE("put_before: the records come first, then the log's own with its losses") {
  const auto log =
      put_before({record(0, "zero")}, std::make_unique<FakeLog>(std::vector{record(2, "two")}));
  CHECK(numbers(collect_records(*log)) == Numbers{0, 2});
  CHECK(log->next_seq() == 3);
  KernelLog result;
  log->read([](const LogRecord&) { return true; }, result);
  CHECK(result.losses.size() == 1);
}

TEST_CASE("put_before: who wants no more gets no more") {
  const auto log = put_before({record(0, "zero"), record(1, "one")},
                              std::make_unique<FakeLog>(std::vector{record(2, "two")}));
  std::size_t taken = 0;
  KernelLog result;
  log->read([&](const LogRecord&) { return ++taken < 1; }, result);
  CHECK(taken == 1);
  CHECK(result.losses.empty());
}

}  // namespace photon_dmesg::test
