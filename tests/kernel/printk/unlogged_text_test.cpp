#include "kernel/printk/unlogged_text.h"

#include <catch2/catch.hpp>

#include "support/log_writer.h"
#include "support/with_struct.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t line_max = 992;
constexpr std::uint64_t a_task = 0xffff888003001980;

// A guest whose log holds one record, "stored".
std::unique_ptr<FixtureGuest> guest_of(const char* kernel) {
  auto guest = std::make_unique<FixtureGuest>(kernel);
  LogWriter writer;
  writer.store({1000, 0, 6, "stored", ""});
  writer.publish(*guest);
  return guest;
}

// Both with the fixture's own types and with the layouts known without.
std::vector<UnloggedText> read(FixtureGuest& guest) {
  const bool with_types = GENERATE(true, false);
  CAPTURE(with_types);
  const CollectedLog log =
      with_types ? guest.read_log() : guest.read_log(WithoutTypes(guest.vmlinux()));
  CHECK(log.records.size() == 1);
  return log.unlogged;
}

void write_cont(FixtureGuest& guest, const std::string& text, bool later) {
  const GuestPhysical cont = guest.at("cont");
  guest.memory().write_text(cont, text);
  guest.memory().write_value(cont + line_max, std::uint64_t{text.size()});
  const std::uint64_t owner = line_max + (later ? 8 : 16);
  guest.memory().write_value(cont + owner, a_task);
  guest.memory().write_value(cont + owner + 8, std::uint64_t{123456789});
  guest.memory().write_value(cont + owner + 16, std::uint8_t{4});
}

void write_buffer(FixtureGuest& guest, const char* symbol, unsigned cpu, const std::string& text) {
  const GuestPhysical buffer = guest.at(symbol) + 256 * cpu;
  guest.memory().write_value(buffer, static_cast<std::uint32_t>(text.size()));
  guest.memory().write_text(buffer + 32, text);
}

}  // namespace

TEST_CASE("unlogged text: nothing when every buffer is empty") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  CHECK(read(*guest).empty());
}

TEST_CASE("unlogged text: a line that waits for its end, in either form of struct cont") {
  const bool later = GENERATE(false, true);
  CAPTURE(later);
  auto guest = guest_of(later ? PRINTK_LOG_LATER_KERNEL : PRINTK_LOG_KERNEL);
  write_cont(*guest, "Checking hypervisor...", later);
  const std::vector<UnloggedText> found = read(*guest);
  REQUIRE(found.size() == 1);
  CHECK(found[0].source == UnloggedText::Source::Cont);
  CHECK(found[0].text == "Checking hypervisor...");
  CHECK(found[0].ts_nsec == 123456789);
  CHECK(found[0].level == 4);
}

TEST_CASE("unlogged text: a line that has been flushed is in the log already") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  write_cont(*guest, "flushed", false);
  guest->memory().write_value(guest->at("cont") + line_max + 40, std::uint8_t{1});
  CHECK(read(*guest).empty());
}

TEST_CASE("unlogged text: the message being formatted, while the lock is held") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  const std::optional<GuestVirtual> textbuf = guest->vmlinux().find_static("textbuf");
  REQUIRE(textbuf);
  const GuestPhysical place =
      FixtureGuest::load_address + (*textbuf - guest->vmlinux().symbol("_text"));
  SECTION("the lock is free: the text has been stored, whatever it is") {
    guest->memory().write_text(place,
                               "\x01"
                               "3half a mess");
    CHECK(read(*guest).empty());
  }
  SECTION("the lock is held: the text is new") {
    guest->set("logbuf_lock", std::uint32_t{1});
    guest->memory().write_text(place,
                               "\x01"
                               "3half a mess");
    const std::vector<UnloggedText> found = read(*guest);
    REQUIRE(found.size() == 1);
    CHECK(found[0].source == UnloggedText::Source::TextBuffer);
    CHECK(found[0].text == "half a mess");
    CHECK(found[0].level == 3);
  }
  SECTION("the lock is held, and behind what is new stands the end of the last record") {
    guest->set("logbuf_lock", std::uint32_t{1});
    guest->memory().write_text(place,
                               "\x01"
                               "3newred\n");
    const std::vector<UnloggedText> found = read(*guest);
    REQUIRE(found.size() == 1);
    CHECK(found[0].text == "new");
  }
  SECTION("the lock is held, and the text is that of the last record") {
    guest->set("logbuf_lock", std::uint32_t{1});
    guest->memory().write_text(place,
                               "\x01"
                               "6stored\n");
    CHECK(read(*guest).empty());
  }
}

TEST_CASE("unlogged text: each CPU's buffers, line by line") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  write_buffer(*guest, "nmi_print_seq", 1,
               "\x01"
               "4NMI backtrace for cpu 1\n\x01"
               "cCPU: 1 PID: 7\n\n"
               "unfinished");
  write_buffer(*guest, "safe_print_seq", 0,
               "\x01"
               "3recursion\n");
  const std::vector<UnloggedText> found = read(*guest);
  REQUIRE(found.size() == 4);
  CHECK(found[0].source == UnloggedText::Source::SafeBuffer);
  CHECK(found[0].cpu == 0);
  CHECK(found[0].text == "recursion");
  CHECK(found[0].level == 3);
  CHECK(found[1].source == UnloggedText::Source::NmiBuffer);
  CHECK(found[1].cpu == 1);
  CHECK(found[1].text == "NMI backtrace for cpu 1");
  CHECK(found[1].level == 4);
  CHECK(found[2].text == "CPU: 1 PID: 7");
  CHECK_FALSE(found[2].level);
  CHECK(found[3].text == "unfinished");
}

TEST_CASE("unlogged text: a buffer's text ends with its first NUL, and the rest is a loss") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  write_buffer(*guest, "nmi_print_seq", 1, std::string("text\0more\n", 10));
  const auto check = [&](const std::string& loss) {
    const CollectedLog log = guest->read_log();
    REQUIRE(log.unlogged.size() == 1);
    CHECK(log.unlogged[0].text == "text");
    CHECK(log.losses == std::vector<std::string>{loss});
  };
  check("of 10 bytes that nmi_print_seq of CPU 1 held only 4 are text");
  // A length that no buffer has.
  guest->memory().write_value(guest->at("nmi_print_seq") + 256, std::uint32_t{1} << 31);
  check("of 2147483648 bytes that nmi_print_seq of CPU 1 held only 4 are text");
}

TEST_CASE("unlogged text: a buffer is read to its length, however large it is") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  constexpr std::size_t lines = 120;
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += std::string(1000, 'x') + '\n';
  // In free memory; the other kind of buffer is below it, and empty.
  const bool is_nmi = guest->address("nmi_print_seq") > guest->address("safe_print_seq");
  const char* const symbol = is_nmi ? "nmi_print_seq" : "safe_print_seq";
  constexpr std::uint64_t free_place = 0x300000;
  guest->memory().write_value(guest->at("__per_cpu_offset") + 8,
                              FixtureGuest::load_address + free_place - guest->at(symbol));
  guest->memory().write_value(FixtureGuest::load_address + free_place,
                              static_cast<std::uint32_t>(text.size()));
  guest->memory().write_text(FixtureGuest::load_address + free_place + 32, text);
  const CollectedLog log = guest->read_log();
  CHECK(log.unlogged.size() == lines);
  CHECK(log.losses.empty());
}

TEST_CASE("unlogged text: a struct cont without the members that are expected hides nothing else") {
  for (const char* member : {"buf", "len", "level", "ts_nsec"}) {
    CAPTURE(member);
    auto guest = guest_of(PRINTK_LOG_KERNEL);
    write_cont(*guest, "Checking hypervisor...", false);
    write_buffer(*guest, "nmi_print_seq", 1, "\0014NMI backtrace\n");
    const StructLayout& cont = guest->vmlinux().structure("cont");
    const CollectedLog log =
        guest->read_log(WithStruct(guest->vmlinux(), without_member(cont, member)));
    CHECK(log.records.size() == 1);
    REQUIRE(log.unlogged.size() == 1);
    CHECK(log.unlogged[0].text == "NMI backtrace");
    REQUIRE(guest->diagnostics().warnings().size() == 1);
    CHECK(guest->diagnostics().warnings()[0] ==
          "the line that was waiting for its end is not known: struct cont: expected a member " +
              std::string(member) + ", found none");
  }
}

TEST_CASE("unlogged text: a buffer that several CPUs lead to is read once") {
  auto guest = guest_of(PRINTK_LOG_KERNEL);
  guest->memory().write_value(guest->at("__per_cpu_offset") + 8, std::uint64_t{0});
  write_buffer(*guest, "safe_print_seq", 0, "once\n");
  const std::vector<UnloggedText> found = read(*guest);
  REQUIRE(found.size() == 1);
  CHECK(found[0].text == "once");
  CHECK(found[0].cpu == 0);
}

}  // namespace photon_dmesg::test
