#include "kernel/find/crash_kernel.h"

#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>

#include "kernel/arch/machines/machines.h"
#include "support/fixture_guest.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

constexpr GuestPhysical core_header{0x200000};
constexpr GuestPhysical note_place{0x201000};

// The fixture's symbols, and elfcorehdr_addr in place of a variable that nothing here reads.
class WithHeaderVariable final : public WithoutTypes {
 public:
  static constexpr const char* variable = "init_top_pgt";

  using WithoutTypes::WithoutTypes;
  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return WithoutTypes::find_symbol(name == "elfcorehdr_addr" ? variable : name);
  }
};

// What is found, and said, where that variable has `value`.
struct Found {
  std::optional<GuestPhysical> header;
  std::vector<std::string> warnings;
};
Found header_by_variable(std::uint64_t value, const std::string& command_line) {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("saved_command_line", guest.address("command_line").value);
  guest.memory().write_text(guest.at("command_line"), command_line + '\0');
  guest.set(WithHeaderVariable::variable, value);
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  const WithHeaderVariable symbols(guest.vmlinux());
  const GuestKernel kernel = GuestKernel::attach(*running, symbols, guest.diagnostics());
  CollectedDiagnostics diagnostics;
  const auto header = find_elf_core_header(kernel, diagnostics);
  return {header, diagnostics.warnings()};
}

std::optional<GuestPhysical> header_by(const std::string& command_line) {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("saved_command_line", guest.address("command_line").value);
  guest.memory().write_text(guest.at("command_line"), command_line + '\0');
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return find_elf_core_header(GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics()),
                              guest.diagnostics());
}

// What the fixture's kernel says of itself for a dump, which leads to its own page tables.
std::string write_vmcoreinfo(FixtureGuest& guest) {
  std::array<std::byte, 4096> table{};
  REQUIRE(guest.memory().read({*guest.vcpu().x86.cr[3]}, table));
  guest.memory().write(guest.at("init_top_pgt"), table);
  const std::uint64_t phys_base =
      FixtureGuest::load_address.value - FixtureGuest::kaslr_offset - 0x1000000;
  return fmt::format(
      "OSRELEASE=6.1.10-1.ph5\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
      "SYMBOL(swapper_pg_dir)={:x}\nNUMBER(phys_base)={}\nKERNELOFFSET={:x}\n",
      guest.address("init_uts_ns").value, guest.address("_text").value,
      guest.address("init_top_pgt").value, static_cast<std::int64_t>(phys_base),
      FixtureGuest::kaslr_offset);
}

// The fixture's kernel as the one that crashed: its own page tables, and a note that names them.
void write_core(FixtureGuest& guest, const std::string& note_name = "VMCOREINFO") {
  const std::string text = write_vmcoreinfo(guest);
  Elf64_Nhdr note{static_cast<Elf64_Word>(note_name.size() + 1),
                  static_cast<Elf64_Word>(text.size()), 0};
  guest.memory().write_value(note_place, note);
  guest.memory().write_text(note_place + sizeof(note), note_name + std::string(2, '\0'));
  guest.memory().write_text(note_place + sizeof(note) + (note_name.size() + 4) / 4 * 4, text);
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, static_cast<unsigned char*>(header.e_ident));
  header.e_phoff = sizeof(header);
  header.e_phnum = 2;
  Elf64_Phdr load{};
  load.p_type = PT_LOAD;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = note_place.value;
  segment.p_filesz = 4096;
  guest.memory().write_value(core_header, header);
  guest.memory().write_value(core_header + sizeof(header), load);
  guest.memory().write_value(core_header + sizeof(header) + sizeof(load), segment);
}

}  // namespace

TEST_CASE("crash kernel: its command line says where the crashed one's ELF header is") {
  CHECK_FALSE(header_by("root=/dev/sda1 quiet"));
  CHECK_FALSE(header_by("elfcorehdr=nothing"));
  CHECK(header_by("root=/dev/sda1 elfcorehdr=867700K") == GuestPhysical{867700 * 1024ULL});
  CHECK(header_by("elfcorehdr=0x35000000 quiet") == GuestPhysical{0x35000000});
  CHECK(header_by("elfcorehdr=4096 elfcorehdr=2M") == GuestPhysical{2 * 1024 * 1024});
  CHECK(header_by("elfcorehdr=64K@1G") == GuestPhysical{1024 * 1024 * 1024});
}

TEST_CASE("crash kernel: its variable says whether it is one, and until it is used where") {
  const std::string command_line = "root=/dev/sda1 elfcorehdr=0x35000000";
  constexpr std::uint64_t none = ~std::uint64_t{0};
  constexpr std::uint64_t used = none - 1;
  CHECK(header_by_variable(0x36000000, "quiet").header == GuestPhysical{0x36000000});
  CHECK_FALSE(header_by_variable(none, command_line).header);
  CHECK(header_by_variable(used, command_line).header == GuestPhysical{0x35000000});
  for (const std::uint64_t value : {std::uint64_t{0x36000000}, none, used}) {
    CHECK(header_by_variable(value, command_line).warnings.empty());
  }
  // As on arm64, where a device tree has told it.
  const Found unknown = header_by_variable(used, "quiet");
  CHECK_FALSE(unknown.header);
  REQUIRE(unknown.warnings.size() == 1);
  CHECK_THAT(unknown.warnings.front(), Catch::Contains("the one that crashed is not found"));
}

TEST_CASE("crash kernel: the crashed kernel is found by the VMCOREINFO in a note") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  write_core(guest);
  const auto crashed = find_crashed_kernel(guest.memory(), architecture_of(Machine::X86_64),
                                           core_header, guest.diagnostics());
  REQUIRE(crashed);
  CHECK(crashed->tables().root() == guest.at("init_top_pgt"));
  CHECK(crashed->banner().release == "6.1.10-1.ph5");
  CHECK_FALSE(crashed->vcpu);
}

TEST_CASE("find_dumped_kernel: by the VMCOREINFO that a dump carries beside the memory") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const std::string text = write_vmcoreinfo(guest);
  const auto kernel = find_dumped_kernel(guest.memory(), text, guest.diagnostics());
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == guest.at("init_top_pgt"));
  CHECK(kernel->banner().release == "6.1.10-1.ph5");
  CHECK_FALSE(find_dumped_kernel(guest.memory(), "OSRELEASE=6.1.10\n", guest.diagnostics()));
  FakeMemory other(16 * 1024 * 1024);
  CHECK_FALSE(find_dumped_kernel(other, text, guest.diagnostics()));
}

TEST_CASE("crash kernel: nothing is found where the header, the note or the tables are not") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto find = [&](GuestPhysical header) {
    return find_crashed_kernel(guest.memory(), architecture_of(Machine::X86_64), header,
                               guest.diagnostics());
  };
  CHECK_FALSE(find(core_header));
  CHECK_FALSE(find({0xffffffffff000}));
  write_core(guest, "CORE");
  CHECK_FALSE(find(core_header));
  write_core(guest);
  CHECK(find(core_header));
  guest.memory().write(guest.at("init_top_pgt"), std::vector<std::byte>(4096));
  CHECK_FALSE(find(core_header));
}

}  // namespace photon_dmesg::test
