#include "kernel/printk/printk_log.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"
#include "support/first_records.h"
#include "support/fixture_guest.h"
#include "support/log_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

void check_same(const CollectedLog& log, const LogWriter& writer) {
  REQUIRE(log.records.size() == writer.kept.size());
  for (std::size_t i = 0; i < log.records.size(); ++i) {
    CAPTURE(i);
    CHECK(log.records[i].seq == writer.first_seq + i);
    CHECK(log.records[i].ts_nsec == writer.kept[i].ts_nsec);
    CHECK(log.records[i].facility == writer.kept[i].facility);
    CHECK(log.records[i].level == writer.kept[i].level);
    CHECK(log.records[i].text == writer.kept[i].text);
    CHECK(log.records[i].state == LogRecord::State::Finished);
  }
}

}  // namespace

TEST_CASE("printk_log: records come out as they were stored") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  writer.store({4333195, 0, 5, "Linux version 4.4.8", ""});
  writer.store({16486754, 0, 6, "two\nlines", ""});
  writer.store({17000000, 3, 7, "", ""});
  writer.store({18000000, 23, 0, "caf\xc3\xa9 \x1b[31m", ""});
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  check_same(log, writer);
  CHECK(log.losses.empty());
  CHECK_FALSE(log.records.front().caller);
}

TEST_CASE("printk_log: a dictionary comes out entry by entry") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  const std::string entries("SUBSYSTEM=pci\0DEVICE=+pci:0000:00:1f.0", 37 + 1);
  writer.store({1, 0, 6, "with a device", entries});
  writer.store({2, 0, 6, "with an odd one", "NOVALUE"});
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  using Entry = std::pair<std::string, std::string>;
  CHECK(log.records.at(0).dictionary ==
        std::vector<Entry>{{"SUBSYSTEM", "pci"}, {"DEVICE", "+pci:0000:00:1f.0"}});
  CHECK(log.records.at(1).dictionary == std::vector<Entry>{{"NOVALUE", ""}});
}

TEST_CASE("printk_log: a record that goes on with the line before says so") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  writer.store({1, 0, 6, "one, ", "", 4});
  writer.store({2, 0, 6, "two", "", 2 | 8});  // LOG_NEWLINE, LOG_CONT
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  CHECK_FALSE(log.records.at(0).continues);
  CHECK(log.records.at(1).continues);
}

TEST_CASE("printk_log: a buffer that wrapped any number of times gives what it still holds") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned number = 0; number < 1000; ++number) {
    writer.store(numbered_message(number));
    if (number > 50) {
      CAPTURE(number);
      writer.publish(guest);
      const CollectedLog log = guest.read_log();
      check_same(log, writer);
      CHECK(log.losses.empty());
    }
  }
  CHECK(writer.first_seq > 500);
}

TEST_CASE("printk_log: an empty log is no error") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter().publish(guest);
  CHECK(guest.read_log().records.empty());
}

TEST_CASE("printk_log: a full buffer, whose first and next index are the same, is not empty") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  // 64 records of 128 bytes fill the buffer to its last byte.
  for (unsigned number = 0; number < 64; ++number) {
    char* at = writer.buffer.data() + number * 128;
    const std::array<std::uint16_t, 3> lengths = {128, 112, 0};
    std::memset(at, 'x', 128);
    std::memset(at, 0, header_bytes);
    std::memcpy(at + 8, lengths.data(), 6);
  }
  writer.next_seq = 64;
  writer.publish(guest);
  CHECK(guest.read_log().records.size() == 64);
}

TEST_CASE("printk_log: behind a damaged record the log goes on, and the loss is counted") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned number = 0; number < 400; ++number) writer.store(numbered_message(number));
  const std::uint32_t second = writer.first_index + writer.length_at(writer.first_index);
  const auto damage = GENERATE(as<std::uint16_t>{}, 0, 3, 0x7ff0, 20);
  CAPTURE(damage);
  std::memcpy(writer.buffer.data() + second + 8, &damage, sizeof(damage));
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  REQUIRE(log.records.size() == writer.kept.size() - 1);
  CHECK(log.records[0].text == writer.kept[0].text);
  for (std::size_t i = 1; i < log.records.size(); ++i) {
    CHECK(log.records[i].seq == writer.first_seq + i + 1);
    CHECK(log.records[i].text == writer.kept[i + 1].text);
  }
  REQUIRE(log.losses.size() == 1);
  CHECK(log.losses[0] ==
        fmt::format("1 record damaged, not shown (sequence number {})", writer.first_seq + 1));
}

TEST_CASE("printk_log: a buffer of nothing but damage ends, with every record counted as lost") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned number = 0; number < 400; ++number) writer.store(numbered_message(number));
  const char fill = GENERATE('\0', '\x01', '\x10', '\xff');
  std::fill(writer.buffer.begin(), writer.buffer.end(), fill);
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  CHECK(log.records.empty());
  REQUIRE(log.losses.size() == 1);
  CHECK_THAT(log.losses[0], Catch::StartsWith(fmt::format("{} records", writer.kept.size())));
}

TEST_CASE("printk_log: variables that can't be are refused with their values") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  writer.store(numbered_message(1));
  writer.publish(guest);
  SECTION("indices behind the buffer") {
    guest.set("log_first_idx", std::uint32_t{8192});
    guest.set("log_next_idx", std::uint32_t{80000});
  }
  SECTION("no buffer at all") {
    guest.set("log_buf_len", std::uint32_t{0});
  }
  SECTION("a buffer without room for a record") {
    guest.set("log_buf_len", std::uint32_t{8});
  }
  SECTION("a buffer that is too large") {
    guest.set("log_buf_len", std::uint32_t{0xffffffff});
  }
  SECTION("a buffer that is larger than the guest") {
    guest.set("log_buf_len", std::uint32_t{1} << 31);
  }
  SECTION("a buffer that is not mapped") {
    guest.set("log_buf", std::uint64_t{0x1000});
  }
  CHECK_THROWS_AS(guest.read_log(), Error);
}

TEST_CASE("printk_log: a damaged number costs no record, and is said") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  const unsigned stored = GENERATE(20U, 300U);  // in the first lap, and later
  for (unsigned i = 0; i < stored; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  guest.set("console_seq", writer.next_seq);
  for (unsigned bit = 0; bit < 64; ++bit) {
    CAPTURE(stored, bit);
    const std::size_t said = guest.diagnostics().warnings().size();
    guest.set("log_first_seq", writer.first_seq ^ std::uint64_t{1} << bit);
    check_same(guest.read_log(), writer);
    guest.set("log_first_seq", writer.first_seq);
    guest.set("log_next_seq", writer.next_seq ^ std::uint64_t{1} << bit);
    check_same(guest.read_log(), writer);
    guest.set("log_next_seq", writer.next_seq);
    CHECK(guest.diagnostics().warnings().size() == said + 2);
  }
}

TEST_CASE("printk_log: a damaged index costs no record, and is said") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  const unsigned stored = GENERATE(20U, 300U);
  for (unsigned i = 0; i < stored; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  for (unsigned bit = 0; bit < 32; ++bit) {
    CAPTURE(stored, bit);
    const std::size_t said = guest.diagnostics().warnings().size();
    guest.set("log_first_idx", writer.first_index ^ std::uint32_t{1} << bit);
    check_same(guest.read_log(), writer);
    guest.set("log_first_idx", writer.first_index);
    guest.set("log_next_idx", writer.next_index ^ std::uint32_t{1} << bit);
    check_same(guest.read_log(), writer);
    guest.set("log_next_idx", writer.next_index);
    // Where an index leads to zeros, that is taken for the mark behind which the log goes on at the
    // buffer's beginning.
    const bool is_mark = stored == 20 && bit == 12;
    CHECK(guest.diagnostics().warnings().size() == said + (is_mark ? 1 : 2));
  }
}

TEST_CASE("printk_log: what it says of a contradiction names both numbers") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 20; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  guest.set("console_seq", std::uint64_t{20});
  guest.set("log_first_seq", std::uint64_t{4});
  check_same(guest.read_log(), writer);
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{"log_first_seq is 4 and log_next_seq is 20, but there are 20 "
                                 "records: they were numbered from 0, as log_next_seq says"});
}

TEST_CASE("printk_log: a length that contradicts what stands behind the text is said") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (const char* text : {"one", "two 1234567", "three"}) writer.store({1, 0, 6, text, ""});
  const std::uint16_t shorter = 9;
  std::memcpy(writer.buffer.data() + 20 + 10, &shorter, sizeof(shorter));
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  REQUIRE(log.records.size() == 3);
  CHECK(log.doubts ==
        std::vector<std::string>{"1 record whose text may end too early or too late: "
                                 "its length contradicts its block (sequence number 1)"});
}

TEST_CASE("printk_log: records that lead in a circle come to an end") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 30; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  // Nothing leads to index 0 but the wrap, and more records are said to be there than are.
  guest.set("log_first_idx", std::uint32_t{0});
  guest.set("log_next_idx", std::uint32_t{0});
  guest.set("log_next_seq", std::uint64_t{400});
  const CollectedLog log = guest.read_log();
  CHECK(log.records.size() <= 30);
  CHECK(log.losses.size() + guest.diagnostics().warnings().size() > 0);
}

TEST_CASE("printk_log: of two static variables called log_buf, printk's is taken") {
  FixtureGuest guest(PRINTK_LOG_TWICE_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 30; ++i) writer.store(numbered_message(i));
  writer.publish_at(FixtureGuest(PRINTK_LOG_KERNEL).at("log_buf"), guest);
  REQUIRE_FALSE(guest.vmlinux().find_symbol("log_buf"));
  check_same(guest.read_log(), writer);
}

TEST_CASE("printk_log: kernels before 3.11 call the record struct log") {
  FixtureGuest guest(STRUCT_LOG_KERNEL);
  LogWriter writer;
  writer.store(numbered_message(3));
  writer.publish(guest);
  check_same(guest.read_log(), writer);
}

TEST_CASE("printk_log: a caller is shown where the kernel stores one") {
  FixtureGuest guest(CALLER_LOG_KERNEL);
  LogWriter writer(20);
  writer.store(numbered_message(3));
  const std::uint32_t caller = GENERATE(12U, 0x80000003U);
  std::memcpy(writer.buffer.data() + header_bytes, &caller, sizeof(caller));
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  check_same(log, writer);
  REQUIRE(log.records.at(0).caller);
  const bool is_cpu = caller > 0x80000000U;
  CHECK(log.records[0].caller->id == (is_cpu ? 3 : 12));
  CHECK((log.records[0].caller->kind == LogCaller::Kind::Cpu) == is_cpu);
}

TEST_CASE("printk_log: without types, the layout is known") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 500; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  const CollectedLog log = guest.read_log(WithoutTypes(guest.vmlinux()));
  check_same(log, writer);
  CHECK(log.losses.empty());
}

TEST_CASE("printk_log: fragments of a line stay the records that /dev/kmsg gives") {
  constexpr std::uint8_t no_console = 1;
  constexpr std::uint8_t newline = 2;
  constexpr std::uint8_t prefix = 4;
  constexpr std::uint8_t continued = 8;
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  writer.store({1000, 0, 6, "Checking hypervisor...", "", prefix | continued});
  writer.store({2000, 0, 6, " still...", "", continued | no_console});
  writer.store({3000, 0, 6, " done", "", newline | continued});
  writer.store({4000, 0, 6, "a line", "", newline | prefix});
  writer.publish(guest);
  const CollectedLog log = guest.read_log();
  check_same(log, writer);
  CHECK(log.losses.empty());
}

TEST_CASE("printk_log: stopped between index and number, the log is put right") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 300; ++i) writer.store(numbered_message(i));
  guest.set("logbuf_lock", std::uint32_t{1});
  SECTION("a record stored, its index moved, not yet counted: it is shown, and marked") {
    writer.publish(guest);
    guest.set("log_next_seq", writer.next_seq - 1);
    const CollectedLog log = guest.read_log();
    REQUIRE(log.records.size() == writer.kept.size());
    CHECK(log.records.back().state == LogRecord::State::Unindexed);
    CHECK(log.records.back().text == writer.kept.back().text);
  }
  SECTION("a record counted, its index not yet moved") {
    writer.publish(guest);
    const std::uint32_t last = writer.last_index;
    guest.set("log_next_idx", last);
    check_same(guest.read_log(), writer);
  }
  SECTION("the first record given up by its index, not yet by its number") {
    writer.publish(guest);
    guest.set("log_first_seq", writer.first_seq - 1);
    check_same(guest.read_log(), writer);
  }
  CHECK(guest.read_log().losses.empty());
  CHECK(guest.diagnostics().warnings().empty());
}

namespace {

// The log goes on in the larger buffer, which has been given what the first one held.
void move_to_larger_buffer(FixtureGuest& guest, LogWriter& writer) {
  for (unsigned i = 10; i < 300; ++i) writer.store(numbered_message(i));
  guest.memory().write_text(guest.at("larger_log_buf"),
                            {writer.buffer.data(), writer.buffer.size()});
  guest.set("log_buf", guest.address("larger_log_buf").value);
  guest.set("log_first_seq", writer.first_seq);
  guest.set("log_next_seq", writer.next_seq);
  guest.set("log_first_idx", writer.first_index);
  guest.set("log_next_idx", writer.next_index);
}

}  // namespace

TEST_CASE("printk_log: what only the buffer of early boot still has is recovered") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  // With control groups their lines come before the banner.
  const bool has_groups = GENERATE(true, false);
  if (has_groups) {
    for (const char* group : {"cpuset", "cpu", "cpuacct"}) {
      writer.store({0, 0, 6, fmt::format("Initializing cgroup subsys {}", group), ""});
    }
  }
  writer.store({0, 0, 5, "Linux version 4.4.8", ""});
  for (unsigned i = 1; i < 10; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  const std::deque<Message> early = writer.kept;
  move_to_larger_buffer(guest, writer);
  const CollectedLog log = guest.read_log();
  REQUIRE(log.records.size() == early.size() + writer.kept.size());
  for (std::size_t i = 0; i < early.size(); ++i) {
    CHECK(log.records[i].seq == i);
    CHECK(log.records[i].text == early[i].text);
    CHECK(log.records[i].origin == LogRecord::Origin::StaticBuffer);
  }
  CHECK(log.records[early.size()].origin == LogRecord::Origin::Log);
  CHECK(log.records[early.size()].seq == writer.first_seq);
  CHECK(log.losses.empty());
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("printk_log: damage in the buffer of early boot is said if the log lost its beginning") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  writer.store({0, 0, 5, "Linux version 4.4.8", ""});
  for (unsigned i = 1; i < 10; ++i) writer.store(numbered_message(i));
  SECTION("a record with others behind it: how many there were can't be told") {
    std::uint32_t damaged = 0;
    for (int i = 0; i < 5; ++i) damaged += writer.length_at(damaged);
    writer.publish(guest);
    guest.memory().write_value(guest.at("__log_buf") + damaged + 8, std::uint16_t{0xffff});
    move_to_larger_buffer(guest, writer);
    const CollectedLog log = guest.read_log();
    CHECK(log.records.size() == 5 + writer.kept.size());
    CHECK(log.losses == std::vector<std::string>{"behind record 4 the buffer of early boot is "
                                                 "damaged: what it had there is not shown"});
  }
  SECTION("its first record: nothing tells what the buffer is") {
    writer.publish(guest);
    guest.memory().write_value(guest.at("__log_buf") + 8, std::uint16_t{0xffff});
    move_to_larger_buffer(guest, writer);
    CHECK(guest.read_log().records.size() == writer.kept.size());
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(guest.diagnostics().warnings()[0],
               Catch::EndsWith("it does not begin with the kernel's first records"));
  }
}

TEST_CASE("printk_log: who wants only the first records hears what is wrong with them") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 10; ++i) writer.store(numbered_message(i));
  std::uint32_t damaged = 0;
  for (int i = 0; i < 5; ++i) damaged += writer.length_at(damaged);
  writer.publish(guest);
  guest.memory().write_value(guest.at("__log_buf") + damaged + 8, std::uint16_t{0xffff});
  CHECK(read_first_records(guest, 5).losses.empty());
  CHECK(read_first_records(guest, 6).losses ==
        std::vector<std::string>{"1 record damaged, not shown (sequence number 5)"});
}

}  // namespace photon_dmesg::test
