#include "kernel/printk/record_checks.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

std::vector<std::string> check(const std::vector<std::uint64_t>& seconds) {
  RecordChecks checks;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    LogRecord record;
    record.seq = i;
    record.ts_nsec = seconds[i] * second;
    checks.add(record);
  }
  std::vector<std::string> doubts;
  checks.report(doubts);
  return doubts;
}

std::vector<std::string> out_of_turn(std::string_view seqs) {
  return {std::string(seqs)};
}

}  // namespace

TEST_CASE("record checks: times that go on, or back by a little, are as the kernel writes them") {
  CHECK(check({}).empty());
  CHECK(check({0, 0, 5, 3, 900, 900, 880, 1'000'000}).empty());
}

TEST_CASE("record checks: a time that the records around it contradict is out of turn") {
  const auto expected =
      out_of_turn("1 record whose time is more than a minute out of turn (sequence number 2)");
  CHECK(check({10, 20, 100'000, 30, 40}) == expected);
  CHECK(check({1000, 1010, 2, 1020, 1030}) == expected);
  CHECK(check({1000, 1010, 2}).empty());  // by itself, it may be the clock that went back
}

TEST_CASE("record checks: the first record may be the one that is wrong") {
  CHECK(check({500, 1, 2}) ==
        out_of_turn("1 record whose time is more than a minute out of turn (sequence number 0)"));
}

TEST_CASE("record checks: a clock that goes back and stays there is the kernel's own") {
  CHECK(check({1000, 1001, 5, 6, 7}).empty());
}

TEST_CASE("record checks: the kernel's record without text has no time either") {
  RecordChecks checks;
  LogRecord record;
  for (const std::uint64_t time : {1000U, 0U, 1001U, 1002U}) {
    record.ts_nsec = time * second;
    record.state = time == 0 ? LogRecord::State::TextLost : LogRecord::State::Finished;
    checks.add(record);
    ++record.seq;
  }
  std::vector<std::string> doubts;
  checks.report(doubts);
  CHECK(doubts.empty());
}

TEST_CASE("record checks: callers beyond any task's or CPU's number") {
  RecordChecks checks;
  LogRecord record;
  for (const auto& [kind, id] :
       {std::pair(LogCaller::Kind::Task, 4'194'304U), std::pair(LogCaller::Kind::Task, 4'194'305U),
        std::pair(LogCaller::Kind::Cpu, 0U), std::pair(LogCaller::Kind::Cpu, 1U << 20U)}) {
    record.caller = LogCaller{kind, id};
    checks.add(record);
    ++record.seq;
  }
  std::vector<std::string> doubts;
  checks.report(doubts);
  CHECK(doubts == std::vector<std::string>{
                      "2 records by a task or CPU that can't be (sequence numbers 1, 3)"});
}

TEST_CASE("record checks: zeros in a text are damage") {
  using State = LogRecord::State;
  const auto doubts_of = [](const std::string& text, State state = State::Finished) {
    RecordChecks checks;
    LogRecord record;
    record.text = text;
    record.state = state;
    checks.add(record);
    std::vector<std::string> doubts;
    checks.report(doubts);
    return doubts;
  };
  CHECK(doubts_of(std::string(8, '\0') + "the end of a text") ==
        std::vector<std::string>{
            "1 record with zeros in its text, which no kernel writes (sequence number 0)"});
  CHECK(doubts_of(std::string("a byte that is \0", 16)).empty());
  CHECK(doubts_of("a text too long" + std::string(8, '\0')).empty());
  CHECK(doubts_of(std::string(8, '\0')).empty());
  // Of which no length is judged.
  CHECK(doubts_of(std::string(8, '\0'), State::Partial).size() == 1);
  CHECK(doubts_of(std::string(8, '\0'), State::Reopened).size() == 1);
  CHECK(doubts_of("").empty());
}

}  // namespace photon_dmesg::test
