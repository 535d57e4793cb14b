#include "kernel/printk/printk_log_buffer.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "kernel/memory/known_layouts.h"
#include "support/errors.h"
#include "support/log_writer.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

PrintkLogBuffer buffer_of(const LogWriter& writer) {
  const auto bytes = std::as_bytes(std::span(writer.buffer));
  return {known_printk_log_layout(), {bytes.begin(), bytes.end()}};
}

void check_extent(const LogWriter& writer) {
  const PrintkLogBuffer buffer = buffer_of(writer);
  const auto extent = buffer.find_extent();
  REQUIRE(extent);
  CHECK(extent->next_index == writer.next_index);
  // What the kernel gave up last may still stand there, whole.
  CHECK(extent->records >= writer.kept.size());
  CHECK(extent->records <= writer.kept.size() + 3);
  const auto count = buffer.count_records(writer.first_index, writer.next_index);
  CHECK(count == writer.kept.size());
}

}  // namespace

TEST_CASE("PrintkLogBuffer: the extent shows in the records, however often the buffer wrapped") {
  LogWriter writer;
  for (unsigned number = 0; number < 1000; ++number) {
    writer.store(numbered_message(number));
    CAPTURE(number);
    check_extent(writer);
  }
}

TEST_CASE("PrintkLogBuffer: records of one length, which stand where older ones stood") {
  LogWriter writer;
  for (unsigned number = 0; number < 500; ++number) {
    writer.store({number * 1000ULL, 0, 6, "the same length every time", ""});
    CAPTURE(number);
    check_extent(writer);
  }
}

TEST_CASE("PrintkLogBuffer: there is no extent without a record at the beginning") {
  CHECK_FALSE(buffer_of(LogWriter()).find_extent());
  LogWriter writer;
  writer.store(numbered_message(1));
  writer.buffer[8] = 1;
  CHECK_FALSE(buffer_of(writer).find_extent());
}

TEST_CASE("PrintkLogBuffer: a long lap that ends in damage is gone through once") {
  // Were it gone through from each of its records, this would take hours.
  constexpr std::size_t size = 16 * 1024 * 1024;
  std::vector<std::byte> bytes(size);
  constexpr std::uint16_t length = 16;
  for (std::size_t at = 0; at < size - 4096; at += length) {
    std::memcpy(&bytes[at + 8], &length, sizeof(length));
  }
  std::memset(&bytes[32], 0, length);  // the newest record ends here
  std::memset(&bytes[size - 4096], 0xff, 1024);
  const PrintkLogBuffer buffer(known_printk_log_layout(), std::move(bytes));
  const auto extent = buffer.find_extent();
  REQUIRE(extent);
  CHECK(extent->records == 2);
}

TEST_CASE("PrintkLogBuffer: a page that stands in it more than once is no memory of the kernel") {
  constexpr GuestVirtual log_buf{0xffff888000000100};
  FakeMemory ram(0x100000);
  PageTableBuilder builder(ram, {0x10000}, PagingLevels::Four);
  for (std::uint64_t page = 0; page < 5; ++page) {
    builder.map({0xffff888000000000 + page * 4096}, {0x20000 + page % 4 * 4096});
  }
  const KernelMemory memory(ram, builder.tables());
  const auto read = [&](std::uint64_t length) {
    return PrintkLogBuffer::read(memory, log_buf, length, known_printk_log_layout());
  };
  CHECK(read(4 * 4096 - 0x100).size() == 4 * 4096 - 0x100);
  check_fails(Failure::UnusableInput, "found the page at physical 0x20000 in several places",
              [&] { (void)read(4 * 4096); });
  check_fails(Failure::UnusableInput, "not mapped", [&] { (void)read(8 * 4096); });
}

TEST_CASE("PrintkLogBuffer: records are counted only between places they lead to") {
  LogWriter writer;
  for (unsigned number = 0; number < 20; ++number) writer.store(numbered_message(number));
  const PrintkLogBuffer buffer = buffer_of(writer);
  CHECK(buffer.count_records(0, writer.next_index) == 20);
  CHECK(buffer.count_records(writer.length_at(0), writer.next_index) == 19);
  CHECK(buffer.count_records(0, 0) == 0);
  CHECK_FALSE(buffer.count_records(0, writer.next_index - 4));
  CHECK_FALSE(buffer.count_records(20, writer.next_index));
  CHECK_FALSE(buffer.count_records(0, 100000));
  CHECK_FALSE(buffer.count_records(100000, 0));
}

}  // namespace photon_dmesg::test
