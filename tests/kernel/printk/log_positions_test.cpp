#include "kernel/printk/log_positions.h"

#include <catch2/catch.hpp>

#include "kernel/find/running_kernel.h"
#include "kernel/memory/known_layouts.h"
#include "support/log_writer.h"
#include "support/ring_writer.h"
#include "support/with_struct.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t enabled = 4;
constexpr std::uint64_t atomic = 256;

// 20 records in a log of before 5.10.
LogWriter twenty_records() {
  LogWriter writer;
  for (unsigned number = 0; number < 20; ++number) writer.store(numbered_message(number));
  return writer;
}

// A console of 6.1's form, put into the list that begins at console_drivers.
void add_console(FixtureGuest& guest, unsigned index, std::uint64_t flags, std::uint64_t seq,
                 bool last) {
  constexpr std::uint64_t size = 120;
  const GuestPhysical console = guest.at("consoles") + index * size;
  guest.memory().write_text(console, "ttyS");
  guest.memory().write_value(console + 72, static_cast<std::uint16_t>(flags));
  guest.memory().write_value(console + 88, seq);
  const std::uint64_t next = (guest.address("consoles") + (index + 1) * size).value;
  guest.memory().write_value(console + 112, last ? std::uint64_t{0} : next);
}

// With a log whose newest record has the number 50.
LogPositions positions_of(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return read_log_positions(GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics()), 51,
                            guest.diagnostics());
}

}  // namespace

TEST_CASE("log positions: before 5.10, the kernel's own variables") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  twenty_records().publish(guest);
  guest.set("clear_seq", std::uint64_t{7});
  guest.set("console_seq", std::uint64_t{18});
  const CollectedLog log = guest.read_log();
  CHECK(log.positions.cleared == 7);
  CHECK(log.positions.console == 18);
}

TEST_CASE("log positions: before 5.10, what the kernel moved along was not cleared") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 300; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  REQUIRE(writer.first_seq > 0);
  guest.set("clear_seq", writer.first_seq);
  CHECK(guest.read_log().positions.cleared == 0);
  guest.set("clear_seq", writer.first_seq + 1);
  CHECK(guest.read_log().positions.cleared == writer.first_seq + 1);
}

TEST_CASE("log positions: a number that no record can have is none") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  twenty_records().publish(guest);
  guest.set("clear_seq", ~std::uint64_t{0});
  guest.set("console_seq", std::uint64_t{1000000});
  const CollectedLog log = guest.read_log();
  CHECK_FALSE(log.positions.cleared);
  CHECK_FALSE(log.positions.console);
}

TEST_CASE("log positions: a latched clear_seq has two values, of which one counts") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.memory().write_value(guest.at("clear_seq") + 8, std::uint64_t{11});
  guest.memory().write_value(guest.at("clear_seq") + 16, std::uint64_t{12});
  guest.set("clear_seq", std::uint32_t{4});
  CHECK(positions_of(guest).cleared == 11);
  guest.set("clear_seq", std::uint32_t{5});
  CHECK(positions_of(guest).cleared == 12);
}

TEST_CASE("log positions: of the consoles in use, the furthest counts") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  CHECK_FALSE(positions_of(guest).console);
  guest.set("console_drivers", guest.address("consoles").value);
  add_console(guest, 0, enabled, 5, false);
  add_console(guest, 1, 0, 30, false);
  add_console(guest, 2, enabled, 9, false);
  add_console(guest, 3, enabled | atomic, 40, true);
  CHECK(positions_of(guest).console == 9);
}

TEST_CASE("log positions: a list of consoles that never ends is left") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("console_drivers", guest.address("consoles").value);
  add_console(guest, 0, enabled, 5, true);
  guest.memory().write_value(guest.at("consoles") + 112, guest.address("consoles").value);
  CHECK(positions_of(guest).console == 5);
}

TEST_CASE("log positions: a console without the members that are expected costs no other fact") {
  for (const char* member : {"flags", "seq", "next"}) {
    CAPTURE(member);
    FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
    RingWriter ring(guest);
    ring.store("booted");
    ring.publish();
    guest.set("console_drivers", guest.address("consoles").value);
    add_console(guest, 0, enabled, 1, true);
    const WithStruct symbols(guest.vmlinux(), without_member(known_console_layout(), member));
    const CollectedLog log = guest.read_log(symbols);
    CHECK(log.records.size() == 1);
    CHECK(log.positions.cleared);
    CHECK_FALSE(log.positions.console);
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK(guest.diagnostics().warnings()[0] ==
          "what had been printed is not known: struct console: expected a member " +
              std::string(member) + ", found none");
  }
}

}  // namespace photon_dmesg::test
