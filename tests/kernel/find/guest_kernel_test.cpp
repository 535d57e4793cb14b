#include "kernel/find/guest_kernel.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "kernel/find/running_kernel.h"
#include "kernel/symbols/system_map.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/fixture_guest.h"
#include "support/kallsyms_writer.h"
#include "support/open_vmlinux.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

GuestKernel attach(FixtureGuest& guest, const KernelSymbols& symbols) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return GuestKernel::attach(*running, symbols, guest.diagnostics());
}

constexpr std::uint64_t expected_phys_base =
    FixtureGuest::load_address.value - FixtureGuest::kaslr_offset - 0x1000000;

// The kernel's own page table, as a kernel that runs has it; the fixture maps by a table beside.
void copy_tables(FixtureGuest& guest) {
  std::array<std::byte, 4096> table{};
  REQUIRE(guest.memory().read({*guest.vcpu().x86.cr[3]}, table));
  guest.memory().write(guest.at("init_top_pgt"), table);
}

// Where a build of the fixture's kernel that has functions too has them, behind all else.
constexpr std::uint64_t functions = 0x100000;  // behind _text, as these
constexpr std::uint64_t functions_end = 0x105000;

// The symbols of such a build, at run-time addresses.
std::vector<KallsymsSample> symbols_of_build(const FixtureGuest& guest) {
  std::vector<KallsymsSample> symbols;
  guest.vmlinux().for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    symbols.push_back({'T', address.value + FixtureGuest::kaslr_offset, std::string(name)});
  });
  const std::uint64_t text = guest.address("_text").value + functions;
  symbols.push_back({'T', text, "_stext"});
  for (unsigned i = 0; i < 600; ++i) {
    symbols.push_back({'t', text + 0x10 * i, "function_" + std::to_string(i)});
  }
  symbols.push_back({'t', text + 0x4000, "function_7"});  // another of that name
  symbols.push_back({'T', guest.address("_text").value + functions_end, "_etext"});
  return symbols;
}

// Gives the guest's kernel such a table as its own, behind all that the fixture has.
void write_kallsyms(FixtureGuest& guest, const std::vector<KallsymsSample>& symbols) {
  constexpr std::uint64_t place = 0x300000;
  guest.memory().write_text(
      FixtureGuest::load_address + place,
      KallsymsWriter(kallsyms_forms[0], symbols, guest.address("_text") + place).write(""));
}

// The System.map of such a build.
std::unique_ptr<SystemMap> system_map_of(const std::vector<KallsymsSample>& symbols) {
  std::string text;
  for (const auto& [type, address, name] : symbols) {
    text += fmt::format("{:016x} {} {}\n", address - FixtureGuest::kaslr_offset, type, name);
  }
  ShortStream stream(text, text.size());
  return SystemMap::load(stream);
}

}  // namespace

TEST_CASE("GuestKernel: KASLR offset and phys_base follow from the banner's place") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const GuestKernel kernel = attach(guest, guest.vmlinux());
  CHECK(kernel.kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK(kernel.image_place() == expected_phys_base);
  CHECK(kernel.banner().release == "6.1.10-1.ph5");
  CHECK(kernel.address("prb") == guest.address("prb"));
  CHECK(kernel.variable("phys_base", 8) == expected_phys_base);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("GuestKernel: a symbol that is missing or not mapped is named") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const GuestKernel kernel = attach(guest, guest.vmlinux());
  CHECK_FALSE(kernel.find_address("absent"));
  check_fails(Failure::UnusableInput, "\"absent\"", [&] { (void)kernel.address("absent"); });
  check_fails(Failure::UnusableInput, "\"absent\"", [&] { (void)kernel.variable("absent", 8); });
}

TEST_CASE("GuestKernel: another build's symbols are refused with both banners") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto other = open_vmlinux(PRINTK_LOG_KERNEL);
  const Error error = error_of([&] { (void)attach(guest, *other); });
  CHECK(error.failure() == Failure::Mismatch);
  CHECK_THAT(error.what(), Catch::Contains("the guest runs \"Linux version 6.1.10-1.ph5 ") &&
                               Catch::Contains("this is \"Linux version 4.4.8 "));
}

TEST_CASE(
    "GuestKernel: a banner with a build number that is not the kernel's hides none behind it") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const std::string copy = "Linux version 6.1.10-1.ph5 (copy@before) (gcc) #9 SMP\n";
  guest.memory().write_text(guest.at("unused_banner"), copy + '\0');
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  CHECK(running->banners.size() == 1);
  const GuestKernel kernel = GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics());
  CHECK(kernel.kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK_THAT(kernel.banner().text, !Catch::Contains("copy@before"));
}

TEST_CASE("GuestKernel: symbols of another architecture are refused as such") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const TemporaryFolder folder;
  std::string bytes = file_content(PRINTK_RINGBUFFER_KERNEL);
  bytes[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_AARCH64);
  const auto other = open_vmlinux(folder.write("vmlinux", bytes));
  check_fails(Failure::Mismatch, "it is of aarch64, and the guest runs on x86_64",
              [&] { (void)attach(guest, *other); });
}

TEST_CASE("GuestKernel: a phys_base variable that disagrees is a warning with both values") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("phys_base", std::uint64_t{0x123000});
  (void)attach(guest, guest.vmlinux());
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(guest.diagnostics().warnings().front(), Catch::Contains("holds 0x123000, expected"));
}

TEST_CASE("GuestKernel: symbols without a banner are taken if the guest's kallsyms says the same") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto symbols = symbols_of_build(guest);
  write_kallsyms(guest, symbols);
  const auto map = system_map_of(symbols);
  CHECK(attach(guest, *map).kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("GuestKernel: of symbols without a banner, one that lies elsewhere is another build's") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  auto symbols = symbols_of_build(guest);
  write_kallsyms(guest, symbols);
  std::string moved;
  SECTION("a function") {
    moved = "function_599";
  }
  SECTION("a variable") {
    moved = "prb";
  }
  SECTION("one of several functions of a name") {
    moved = "function_7";
  }
  CAPTURE(moved);
  std::find_if(symbols.begin(), symbols.end(), [&](const auto& symbol) {
    return symbol.name == moved;
  })->address += 0x90;
  const auto map = system_map_of(symbols);
  check_fails(Failure::Mismatch, "a build without banner whose " + moved,
              [&] { (void)attach(guest, *map); });
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("GuestKernel: a kallsyms of functions says nothing of variables of the same names") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  auto symbols = symbols_of_build(guest);
  const auto map = system_map_of(symbols);
  const std::uint64_t text = guest.address("_text").value;
  std::erase_if(symbols, [&](const auto& symbol) {
    return symbol.address < text + functions || symbol.address > text + functions_end;
  });
  symbols.push_back({'t', text + functions + 0x4100, "prb"});
  write_kallsyms(guest, symbols);
  (void)attach(guest, *map);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("GuestKernel: symbols without a banner that nothing proves are taken with a warning") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto debug = open_vmlinux(ONLY_DEBUG_KERNEL);
  SECTION("the guest has no kallsyms") {}
  SECTION("its kallsyms has hardly a symbol in common with them") {
    auto symbols = symbols_of_build(guest);
    std::erase_if(symbols, [](const auto& symbol) {
      return !symbol.name.starts_with("function_") && symbol.name != "_stext" &&
             symbol.name != "_etext" && symbol.name != "prb";
    });
    write_kallsyms(guest, symbols);
  }
  const GuestKernel kernel = attach(guest, *debug);
  CHECK(kernel.kaslr_offset() == FixtureGuest::kaslr_offset);
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(guest.diagnostics().warnings().front(),
             Catch::Contains("linux_banner and init_uts_ns are where it says, which they may be in "
                             "other builds too"));
}

TEST_CASE("GuestKernel: without kallsyms, VMCOREINFO that contradicts such symbols refuses them") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.memory().write_text(
      guest.at("vmcoreinfo_data"),
      fmt::format("OSRELEASE=6.1.10-1.ph5\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
                  "SYMBOL(prb)={:x}\nKERNELOFFSET={:x}\n",
                  guest.address("init_uts_ns").value, guest.address("_text").value,
                  guest.address("prb").value + 64, FixtureGuest::kaslr_offset) +
          '\0');
  const auto debug = open_vmlinux(ONLY_DEBUG_KERNEL);
  check_fails(Failure::Mismatch, "a build without banner whose prb is at",
              [&] { (void)attach(guest, *debug); });
}

TEST_CASE("GuestKernel: an interrupt table that contradicts such symbols counts without kallsyms") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  auto symbols = symbols_of_build(guest);
  const GuestVirtual handler = guest.address("_text") + 0x800;
  symbols.push_back({'T', handler.value + 0x90, "asm_exc_divide_error"});
  const auto map = system_map_of(symbols);
  constexpr std::uint64_t table = 0x200000;  // behind all that the fixture has
  const GuestPhysical gate = FixtureGuest::load_address + table;
  guest.memory().write_value(gate, static_cast<std::uint16_t>(handler.value));
  guest.memory().write_value(gate + 6, static_cast<std::uint16_t>(handler.value >> 16));
  guest.memory().write_value(gate + 8, static_cast<std::uint32_t>(handler.value >> 32));
  guest.vcpu().x86.idt_base = guest.address("_text") + table;
  SECTION("another build's, or a table of early boot: nothing tells which") {
    check_fails(Failure::Mismatch, "whose handler of divide errors is at",
                [&] { (void)attach(guest, *map); });
  }
  SECTION("with kallsyms, it is a table of early boot") {
    write_kallsyms(guest, symbols);
    CHECK(attach(guest, *map).kaslr_offset() == FixtureGuest::kaslr_offset);
    CHECK(guest.diagnostics().warnings().empty());
  }
}

TEST_CASE("GuestKernel: symbols without a banner are refused when init_uts_ns is elsewhere") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("init_uts_ns", std::array<char, 390>{});
  const auto debug = open_vmlinux(ONLY_DEBUG_KERNEL);
  check_fails(Failure::Mismatch, "not the guest's kernel", [&] { (void)attach(guest, *debug); });
}

TEST_CASE("GuestKernel: without a vCPU the kernel is found in memory, with a warning") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  copy_tables(guest);
  const GuestKernel kernel =
      GuestKernel::search(guest.memory(), guest.vmlinux(), guest.diagnostics());
  CHECK(kernel.kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK(kernel.image_place() == expected_phys_base);
  REQUIRE_FALSE(guest.diagnostics().warnings().empty());
  CHECK_THAT(guest.diagnostics().warnings().front(), Catch::Contains("no vCPU leads to a kernel"));
}

TEST_CASE("GuestKernel: a kernel that is nowhere in memory is refused") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto other = open_vmlinux(PRINTK_LOG_KERNEL);
  check_fails(Failure::Mismatch, "Linux version 4.4.8",
              [&] { (void)GuestKernel::search(guest.memory(), *other, guest.diagnostics()); });
}

}  // namespace photon_dmesg::test
