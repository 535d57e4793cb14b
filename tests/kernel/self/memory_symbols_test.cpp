#include "kernel/self/memory_symbols.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "kernel/printk/kernel_log.h"
#include "support/errors.h"
#include "support/fixture_guest.h"
#include "support/kallsyms_writer.h"
#include "support/log_writer.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

std::unique_ptr<MemorySymbols> find(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return MemorySymbols::find(guest.memory(), *running, guest.diagnostics());
}

// A ring with two records, as the kernel would have written it.
void write_ring(FixtureGuest& guest) {
  constexpr std::uint64_t finalized = std::uint64_t{2} << 62;
  constexpr std::uint64_t first_id = 32;  // its slot is the first
  for (std::uint64_t i = 0; i < 2; ++i) {
    const GuestPhysical descriptor = guest.at("_printk_rb_static_descs") + 24 * i;
    guest.memory().write_value(descriptor, finalized | (first_id + i));
    guest.memory().write_value(descriptor + 8, std::uint64_t{512 + 16 * i});
    guest.memory().write_value(descriptor + 16, std::uint64_t{512 + 16 * (i + 1)});
    const GuestPhysical info = guest.at("_printk_rb_static_infos") + 88 * i;
    guest.memory().write_value(info, std::uint64_t{100 + i});
    guest.memory().write_value(info + 16, std::uint16_t{4});
    guest.memory().write_value(guest.at("__log_buf") + 16 * i, first_id + i);
    guest.memory().write_text(guest.at("__log_buf") + 16 * i + 8, i == 0 ? "zero" : "one!");
  }
  const GuestPhysical ring = guest.at("printk_rb_static");
  // No kernel has fewer than 32 descriptors; the fixture's 16 are enough for two records.
  guest.memory().write_value(ring + 0, std::uint64_t{5});
  guest.memory().write_value(ring + 8, guest.address("_printk_rb_static_descs").value);
  guest.memory().write_value(ring + 16, guest.address("_printk_rb_static_infos").value);
  guest.memory().write_value(ring + 24, first_id + 1);
  guest.memory().write_value(ring + 32, first_id);
  guest.memory().write_value(ring + 48 + 8, guest.address("__log_buf").value);
  guest.memory().write_value(ring + 48 + 16, std::uint64_t{512 + 32});
  guest.memory().write_value(ring + 48 + 24, std::uint64_t{512});
  guest.set("prb", guest.address("printk_rb_static").value);
}

}  // namespace

TEST_CASE("MemorySymbols: without any table, the ring is found by its form") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  write_ring(guest);
  const auto symbols = find(guest);
  CHECK(symbols->origin() == "ring");
  const CollectedLog log = guest.read_log(*symbols);
  REQUIRE(log.records.size() == 2);
  CHECK(log.records[0].seq == 100);
  CHECK(log.records[0].text == "zero");
  CHECK(log.records[1].text == "one!");
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("MemorySymbols: a ring that nothing points to is not the log") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  write_ring(guest);
  guest.set("prb", std::uint64_t{0});
  check_fails(Failure::UnusableInput, "was not found without symbols: give the release's ISO",
              [&] { (void)find(guest); });
}

TEST_CASE("MemorySymbols: before 5.10, the records of log_buf are found by their form") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  SECTION("not wrapped: the first record is the first there was") {
    writer.store({0, 0, 5, "Linux version 4.4.8", ""});
    for (unsigned number = 1; number < 20; ++number) writer.store(numbered_message(number));
  }
  SECTION("wrapped: the kernel's numbers are not known") {
    for (unsigned number = 0; number < 400; ++number) writer.store(numbered_message(number));
  }
  writer.publish(guest);
  const auto symbols = find(guest);
  CHECK(symbols->origin() == "records");
  const CollectedLog log = guest.read_log(*symbols);
  REQUIRE(log.records.size() >= writer.kept.size());
  for (std::size_t i = 1; i <= writer.kept.size(); ++i) {
    CHECK(log.records[log.records.size() - i].text == writer.kept[writer.kept.size() - i].text);
  }
  CHECK(log.records.front().seq == 0);
  CHECK(guest.diagnostics().warnings().size() == (writer.first_seq == 0 ? 0 : 1));
}

// As linux-esx has them: text only, from _stext on, which until 4.14 stood behind _text. Of the
// fixture's own functions those of these names.
std::vector<KallsymsSample> text_symbols(const FixtureGuest& guest,
                                         const std::vector<std::string>& names) {
  std::vector<KallsymsSample> symbols;
  const std::uint64_t begin = guest.address("_text").value;
  symbols.push_back({'T', begin + 0x1c0, "_stext"});
  for (const std::string& name : names) symbols.push_back({'T', guest.address(name).value, name});
  for (unsigned i = 0; i < 600; ++i) {
    symbols.push_back({'t', begin + 0x1000 + i, "function_" + std::to_string(i)});
  }
  symbols.push_back({'T', begin + 0x2000, "_etext"});
  return symbols;
}

std::vector<KallsymsSample> esx_symbols(const FixtureGuest& guest) {
  return text_symbols(guest, {"log_buf_addr_get", "log_buf_len_get", "kmsg_dump_get_line_nolock",
                              "kmsg_dump_rewind_nolock", "behind_the_functions"});
}

TEST_CASE("MemorySymbols: before 5.10, functions are enough to find the log, by their code") {
  const KallsymsForm& form =
      GENERATE(from_range(std::begin(kallsyms_forms), std::begin(kallsyms_forms) + 3));
  CAPTURE(form.versions);
  FixtureGuest guest(PRINTK_LOG_O2_KERNEL);
  guest.memory().write_text(
      guest.at("kallsyms_room"),
      KallsymsWriter(form, esx_symbols(guest), guest.address("kallsyms_room")).write(""));
  LogWriter writer;
  for (unsigned number = 0; number < 400; ++number) writer.store(numbered_message(number));
  writer.publish(guest);
  const auto symbols = find(guest);
  CHECK(symbols->origin() == "code");
  const CollectedLog log = guest.read_log(*symbols);
  REQUIRE(log.records.size() == writer.kept.size());
  CHECK(log.records.front().seq == writer.first_seq);
  CHECK(log.records.front().text == writer.kept.front().text);
  CHECK(log.records.back().text == writer.kept.back().text);
  CHECK(log.losses.empty());
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("MemorySymbols: what VMCOREINFO names is not replaced by conclusions from code") {
  FixtureGuest guest(PRINTK_LOG_O2_KERNEL);
  guest.memory().write_text(
      guest.at("kallsyms_room"),
      KallsymsWriter(kallsyms_forms[2], esx_symbols(guest), guest.address("kallsyms_room"))
          .write(""));
  LogWriter writer;
  for (unsigned number = 0; number < 400; ++number) writer.store(numbered_message(number));
  writer.publish(guest);
  // Another variable of the same value, so that it shows who has named it.
  guest.set("console_seq", std::uint64_t{writer.first_index});
  guest.memory().write_text(
      guest.at("larger_log_buf"),
      fmt::format("OSRELEASE=4.4.8\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
                  "SYMBOL(log_first_idx)={:x}\nNUMBER(phys_base)={}\nKERNELOFFSET={:x}\n",
                  guest.address("init_uts_ns").value, guest.address("_text").value,
                  guest.address("console_seq").value,
                  FixtureGuest::load_address.value - FixtureGuest::kaslr_offset - 0x1000000,
                  FixtureGuest::kaslr_offset) +
          '\0');
  guest.set("type_in_use", guest.address("larger_log_buf").value);
  const auto symbols = find(guest);
  CHECK(symbols->find_symbol("log_first_idx") == guest.vmlinux().find_symbol("console_seq"));
  CHECK(symbols->find_symbol("log_next_idx") == guest.vmlinux().find_symbol("log_next_idx"));
}

TEST_CASE("MemorySymbols: a kernel that is linked below 16 MiB is read by its own symbols") {
  FixtureGuest guest(PRINTK_LOG_O2_KERNEL);
  // CONFIG_PHYSICAL_START=0x200000, and no KASLR.
  constexpr GuestVirtual begin{0xffffffff80200000};
  constexpr std::uint64_t large_page = 0x200000;
  PageTableBuilder builder(guest.memory(), {0x200000}, PagingLevels::Four);
  for (const std::uint64_t at : {std::uint64_t{0}, large_page}) {
    builder.map(begin + at, FixtureGuest::load_address + at, 2);
  }
  guest.vcpu().x86.cr[3] = builder.root().value;
  const auto address = [&](std::string_view name) {
    return begin + (guest.address(name) - guest.address("_text"));
  };
  std::vector<KallsymsSample> symbols = {{'T', begin.value, "_text"}, {'T', begin.value, "_stext"}};
  for (unsigned i = 0; i < 600; ++i) {
    symbols.push_back({'t', begin.value + 0x1000 + i, "function_" + std::to_string(i)});
  }
  symbols.push_back({'T', begin.value + 0x2000, "_etext"});
  for (const char* name : {"linux_banner", "log_buf", "log_buf_len", "log_first_seq",
                           "log_first_idx", "log_next_seq", "log_next_idx"}) {
    symbols.push_back({'D', address(name).value, name});
  }
  guest.memory().write_text(
      guest.at("kallsyms_room"),
      KallsymsWriter(kallsyms_forms[0], symbols, address("kallsyms_room")).write(""));
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  const auto found = MemorySymbols::find(guest.memory(), *running, guest.diagnostics());
  CHECK(found->origin() == "kallsyms");
  const GuestKernel kernel = GuestKernel::attach(*running, *found, guest.diagnostics());
  CHECK(kernel.kaslr_offset() == 0);
  CHECK(kernel.address("log_buf") == address("log_buf"));
}

namespace {

// A kallsyms of 5.x that has the log's variables too, `wrong` at another place than they are.
void write_kallsyms(FixtureGuest& guest, const std::string& wrong) {
  std::vector<KallsymsSample> symbols = text_symbols(guest, {});
  for (const char* name :
       {"linux_banner", "prb", "printk_rb_static", "clear_seq", "init_uts_ns", "vmcoreinfo_data"}) {
    const std::uint64_t off = name == wrong ? 0x100 : 0;
    symbols.push_back({'D', guest.address(name).value + off, name});
  }
  constexpr std::uint64_t behind_the_kernel = 0x100000;  // and mapped with it
  guest.memory().write_text(
      guest.at("_text") + behind_the_kernel,
      KallsymsWriter(kallsyms_forms[2], symbols, guest.address("_text") + behind_the_kernel)
          .write(""));
}

// A VMCOREINFO with the log's variables, prb at `prb`.
void write_vmcoreinfo(FixtureGuest& guest, GuestVirtual prb) {
  guest.memory().write_text(
      guest.at("vmcoreinfo_data"),
      fmt::format("OSRELEASE=6.1.10-1.ph5\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
                  "SYMBOL(prb)={:x}\nSYMBOL(clear_seq)={:x}\nKERNELOFFSET={:x}\n",
                  guest.address("init_uts_ns").value, guest.address("_text").value + 0x1c0,
                  prb.value, guest.address("clear_seq").value, FixtureGuest::kaslr_offset) +
          '\0');
}

}  // namespace

TEST_CASE("MemorySymbols: what VMCOREINFO has elsewhere than kallsyms is taken from it, and said") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  write_ring(guest);
  write_vmcoreinfo(guest, guest.address("prb"));
  const std::string wrong = GENERATE("", "prb", "clear_seq", "vmcoreinfo_data");
  CAPTURE(wrong);
  write_kallsyms(guest, wrong);
  const auto symbols = find(guest);
  CHECK(symbols->origin() == "kallsyms");
  for (const char* name : {"prb", "clear_seq", "printk_rb_static"}) {
    CHECK(symbols->find_symbol(name) == guest.vmlinux().find_symbol(name));
  }
  const bool is_named = wrong == "prb" || wrong == "clear_seq";
  CHECK(guest.diagnostics().warnings().size() == (is_named ? 1 : 0));
  CHECK(guest.read_log(*symbols).records.size() == 2);
}

TEST_CASE("MemorySymbols: a VMCOREINFO whose prb leads to no ring does not replace one that does") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  write_ring(guest);
  write_kallsyms(guest, "");
  write_vmcoreinfo(guest, guest.address("prb") + 0x100);
  const auto symbols = find(guest);
  CHECK(symbols->find_symbol("prb") == guest.vmlinux().find_symbol("prb"));
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(
      guest.diagnostics().warnings()[0],
      Catch::EndsWith(fmt::format("{} is taken, others may be wrong", guest.address("prb"))));
}

TEST_CASE("MemorySymbols: a kernel without any log needs symbols") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  check_fails(Failure::UnusableInput, "the log of Linux 4.4.8 was not found without symbols",
              [&] { (void)find(guest); });
}

}  // namespace photon_dmesg::test
