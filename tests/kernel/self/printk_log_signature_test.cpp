#include "kernel/self/printk_log_signature.h"

#include <catch2/catch.hpp>

#include "kernel/arch/machines/machines.h"
#include "kernel/find/running_kernel.h"
#include "support/log_writer.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr GuestVirtual image_begin{0xffffffff81000000};
constexpr GuestVirtual log_begin{0xffff888000000000};

// The functions of a fixture kernel as its own kallsyms would have them, and no variable.
Kallsyms functions_of(const FixtureGuest& guest) {
  std::vector<KallsymsTable::Symbol> symbols;
  for (const char* name :
       {"_text", "log_buf_addr_get", "log_buf_len_get", "kmsg_dump_get_line_nolock",
        "kmsg_dump_rewind_nolock", "behind_the_functions"}) {
    symbols.push_back({'T', guest.address(name), name});
  }
  symbols.push_back({'T', guest.address("_text"), "_stext"});
  return Kallsyms(KallsymsTable(std::move(symbols)), architecture_of(Machine::X86_64),
                  {0xffffffff81000000});
}

KernelImage image_of(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return {guest.memory(), running->tables()};
}

KernelMemory memory_of(FixtureGuest& guest) {
  return image_of(guest).memory();
}

std::uint64_t value(const KernelMemory& memory, GuestVirtual address, std::size_t width) {
  return memory.read_unsigned(address, width).value();
}

void check_found(FixtureGuest& guest, const LogWriter& writer) {
  const KernelMemory memory = memory_of(guest);
  const auto found = find_printk_log_by_code(memory, functions_of(guest), guest.diagnostics());
  REQUIRE(found);
  CHECK(found->log_buf == guest.address("log_buf"));
  CHECK(found->log_buf_len == guest.address("log_buf_len"));
  REQUIRE(found->range);
  CHECK(value(memory, found->range->log_first_seq, 8) == writer.first_seq);
  CHECK(value(memory, found->range->log_first_idx, 4) == writer.first_index);
  CHECK(value(memory, found->range->log_next_seq, 8) == writer.next_seq);
  CHECK(value(memory, found->range->log_next_idx, 4) == writer.next_index);
}

// The image of a kernel, 10 MiB large, with `word(i)` as its i-th word.
template <typename Word>
std::optional<PrintkLogVariables> find_by_form(Word word, std::span<const std::byte> log,
                                               CollectedDiagnostics& diagnostics) {
  constexpr std::uint64_t image_bytes = 10 * 1024 * 1024;
  constexpr std::uint64_t large_page = 2 * 1024 * 1024;
  FakeMemory memory(image_bytes + large_page);
  PageTableBuilder builder(memory, {image_bytes}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < image_bytes; at += large_page) {
    builder.map(image_begin + at, {at}, 2);
  }
  builder.map(log_begin, {image_bytes + large_page - 4096});
  memory.write({image_bytes + large_page - 4096}, log);
  for (std::uint64_t i = 0; i < image_bytes / 8; ++i) {
    memory.write_value({i * 8}, std::uint64_t{word(i)});
  }
  return find_printk_log_by_form(KernelImage(memory, builder.tables()), diagnostics);
}

}  // namespace

TEST_CASE("printk_log by code: the variables are those the functions use, at any optimization") {
  const char* kernel =
      GENERATE(as<const char*>{}, PRINTK_LOG_KERNEL, PRINTK_LOG_O2_KERNEL, PRINTK_LOG_OS_KERNEL);
  CAPTURE(kernel);
  FixtureGuest guest(kernel);
  LogWriter writer;
  for (unsigned number = 0; number < 400; ++number) {
    writer.store(numbered_message(number));
    if (number < 5 || number % 40 != 0) continue;
    CAPTURE(number);
    writer.publish(guest);
    check_found(guest, writer);
  }
}

TEST_CASE("printk_log by code: a log that was cleared is found from its beginning") {
  FixtureGuest guest(PRINTK_LOG_O2_KERNEL);
  LogWriter writer;
  for (unsigned number = 0; number < 30; ++number) writer.store(numbered_message(number));
  guest.set("clear_seq", writer.next_seq);
  guest.set("clear_idx", writer.next_index);
  for (unsigned number = 0; number < 10; ++number) writer.store(numbered_message(30 + number));
  writer.publish(guest);
  check_found(guest, writer);
}

TEST_CASE("printk_log by code: nothing without the functions, or without a log") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const KernelMemory memory = memory_of(guest);
  CHECK_FALSE(find_printk_log_by_code(memory, functions_of(guest), guest.diagnostics()));
  LogWriter writer;
  for (unsigned number = 0; number < 10; ++number) writer.store(numbered_message(number));
  writer.publish(guest);
  CHECK(find_printk_log_by_code(memory, functions_of(guest), guest.diagnostics()));
  CHECK_FALSE(
      find_printk_log_by_code(memory,
                              Kallsyms(KallsymsTable({{'T', guest.address("_text"), "_text"}}),
                                       architecture_of(Machine::X86_64), {0xffffffff81000000}),
                              guest.diagnostics()));
}

TEST_CASE("printk_log by form: the buffer of early boot, by its first record") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  CHECK_FALSE(find_static_log_buf(image_of(guest)));  // the banner itself is no record
  LogWriter writer;
  writer.store({0, 0, 5, "Linux version 4.4.8", ""});
  writer.store(numbered_message(1));
  writer.publish(guest);
  CHECK(find_static_log_buf(image_of(guest)) == guest.address("__log_buf"));
}

TEST_CASE("printk_log by form: records before the banner belong to the buffer of early boot") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (const char* group : {"cpuset", "cpu", "cpuacct"}) {
    writer.store({0, 0, 6, std::string("Initializing cgroup subsys ") + group, ""});
  }
  writer.store({0, 0, 5, "Linux version 4.4.8", ""});
  writer.store(numbered_message(1));
  writer.publish(guest);
  CHECK(find_static_log_buf(image_of(guest)) == guest.address("__log_buf"));
}

TEST_CASE("printk_log by form: the pointer to the records and the length beside it") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned number = 0; number < 300; ++number) writer.store(numbered_message(number));
  writer.publish(guest);
  const auto found = find_printk_log_by_form(image_of(guest), guest.diagnostics());
  REQUIRE(found);
  CHECK(found->log_buf == guest.address("log_buf"));
  CHECK(found->log_buf_len == guest.address("log_buf_len"));
}

TEST_CASE("printk_log by form: a log that very many words point to is given up, and that is said") {
  LogWriter writer;
  for (unsigned number = 0; number < 20; ++number) writer.store(numbered_message(number));
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(find_by_form([](std::uint64_t) { return log_begin.value; },
                           std::as_bytes(std::span(writer.buffer)).first(4096), diagnostics));
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("bytes that may be the log"));
}

TEST_CASE("printk_log by form: a length that stands around a pointer many times is tried once") {
  LogWriter writer;
  for (unsigned number = 0; number < 20; ++number) writer.store(numbered_message(number));
  const auto lengths_around_pointer = [](std::uint64_t i) {
    constexpr std::uint64_t length = std::uint64_t{1} << 22;
    return i == 1000 ? log_begin.value : length << 32 | length;
  };
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(find_by_form(lengths_around_pointer,
                           std::as_bytes(std::span(writer.buffer)).first(4096), diagnostics));
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("printk_log by form: of very many pointers the rest is left out, and that is said") {
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(
      find_by_form([](std::uint64_t i) { return log_begin.value + 4096 + i; }, {}, diagnostics));
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("places where log_buf may lead"));
}

}  // namespace photon_dmesg::test
