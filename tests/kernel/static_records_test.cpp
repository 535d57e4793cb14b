#include "kernel/static_records.h"

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

}  // namespace

TEST_CASE("recover_records: what the log has lost comes first, and is marked") {
  KernelLog log;
  log.records = {record(2, "two"), record(3, "three")};
  CHECK(recover_records(early(), log) == 2);
  REQUIRE(log.records.size() == 4);
  for (std::uint64_t seq = 0; seq < 4; ++seq) {
    CHECK(log.records[seq].seq == seq);
    CHECK((log.records[seq].origin == LogRecord::Origin::StaticBuffer) == (seq < 2));
  }
}

TEST_CASE("recover_records: a log that has lost nothing stays as it is") {
  KernelLog log;
  log.records = early();
  CHECK(recover_records(early(), log) == 0);
  CHECK(log.records.size() == 3);
}

TEST_CASE("recover_records: records that differ where both have them are not of this log") {
  KernelLog log;
  log.records = {record(2, "another"), record(3, "three")};
  CHECK(recover_records(early(), log) == 0);
  CHECK(log.records.size() == 2);
}

TEST_CASE("recover_records: a record that has lost its text is no gain") {
  KernelLog log;
  log.records = {record(3, "three")};
  std::vector<LogRecord> buffer = early();
  buffer[1].state = LogRecord::State::TextLost;
  CHECK(recover_records(buffer, log) == 2);
  CHECK(log.records[1].seq == 2);
}

}  // namespace photon_dmesg::test
