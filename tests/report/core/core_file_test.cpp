#include "report/core/core_file.h"

#include <elf.h>

#include <array>
#include <catch2/catch.hpp>

#include "base/input_file.h"
#include "checkpoint/dumps/elf_core.h"
#include "checkpoint/guest/memory_image.h"
#include "report/core/gdb_files.h"
#include "support/fake_memory.h"
#include "support/file_content.h"
#include "support/memory_pages.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

Vcpu stopped_vcpu(std::uint32_t index) {
  Vcpu vcpu;
  vcpu.index = index;
  vcpu.x86.rip = GuestVirtual{0xffffffff81000000 + index};
  vcpu.x86.cr[3] = 0x1000 * (index + 1);
  return vcpu;
}

struct Written {
  TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  std::uint16_t machine = EM_X86_64;

  GuestState write(const GuestMemory& memory, const KernelMappings& mappings,
                   const std::vector<Vcpu>& vcpus = {},
                   const std::optional<std::string>& vmcoreinfo = std::nullopt) {
    OutputFile file(folder.path() / "vmss.core", Access::Private);
    write_core(file, {memory, machine, vcpus, mappings, vmcoreinfo}, diagnostics);
    return open_elf_core(std::make_unique<InputFile>(folder.path() / "vmss.core"),
                         Completeness::Required, diagnostics);
  }
};

}  // namespace

TEST_CASE("write_core: memory, vCPUs and VMCOREINFO come back") {
  const std::string pages = numbered_pages(64);
  const BufferSource image("vm.vmem", as_bytes(pages));
  const MemoryImage memory(image, 0, MemoryLayout({{0, 0, 32}, {0x100000, 32, 32}}, 64 * page));
  Written core;
  const GuestState state = core.write(memory, {GuestVirtual{0xffff888000000000}, {}},
                                      {stopped_vcpu(0), stopped_vcpu(1)}, "OSRELEASE=4.4.8\n");
  CHECK(page_at(*state.memory, 31 * page) == 31U);
  CHECK_FALSE(page_at(*state.memory, 32 * page));
  CHECK(page_at(*state.memory, 0x10001f * page) == 63U);
  CHECK(state.memory->size() == 64 * page);
  REQUIRE(state.vcpus.size() == 2);
  CHECK(state.vcpus[1].x86.rip == GuestVirtual{0xffffffff81000001});
  CHECK(state.vcpus[1].x86.cr[3] == 0x2000U);
  CHECK(state.vmcoreinfo == "OSRELEASE=4.4.8\n");
}

TEST_CASE("write_core: a core of arm64 has its registers and no other notes of processors") {
  FakeMemory memory(4 * page);
  Vcpu vcpu;
  vcpu.machine = Machine::Aarch64;
  vcpu.arm64.pc = GuestVirtual{0xffff800008015bf4};
  vcpu.arm64.general[30] = 0xffff8000080161ac;
  Written core;
  core.machine = EM_AARCH64;
  const GuestState state = core.write(memory, {}, {vcpu});
  REQUIRE(state.vcpus.size() == 1);
  CHECK(state.vcpus.front().machine == Machine::Aarch64);
  CHECK(state.vcpus.front().arm64.pc == vcpu.arm64.pc);
  CHECK(state.vcpus.front().arm64.general[30] == 0xffff8000080161acU);
  Elf64_Ehdr header{};
  const InputFile file(core.folder.path() / "vmss.core");
  file.read_at(0, std::as_writable_bytes(std::span(&header, 1)));
  CHECK(header.e_machine == EM_AARCH64);
  CHECK(file_content((core.folder.path() / "vmss.core").c_str()).find("QEMU") == std::string::npos);
}

TEST_CASE("write_core: memory that is in no file is written as it reads") {
  FakeMemory memory({{GuestPhysical{0}, 4 * page}, {GuestPhysical{0x100000}, 2 * page}});
  memory.write_value({0x101000}, std::uint64_t{77});
  Written core;
  const GuestState state = core.write(memory, {});
  CHECK(page_at(*state.memory, 0x101000) == 77U);
  CHECK(state.memory->size() == 6 * page);
}

TEST_CASE("write_core: mappings lie over the bytes of RAM, which come first") {
  const std::string pages = numbered_pages(8);
  const BufferSource image("vm.vmem", as_bytes(pages));
  const MemoryImage memory(image, 0, MemoryLayout({}, 8 * page));
  Written core;
  const KernelMappings mappings{GuestVirtual{0xffff888000000000},
                                {{{0xffffffff81000000}, {3 * page}, 2 * page}}};
  (void)core.write(memory, mappings);
  const InputFile file(core.folder.path() / "vmss.core");
  std::array<Elf64_Phdr, 3> segments{};
  file.read_at(sizeof(Elf64_Ehdr), std::as_writable_bytes(std::span(segments)));
  CHECK(segments[0].p_type == PT_NOTE);
  CHECK(segments[1].p_vaddr == 0xffff888000000000);
  CHECK(segments[1].p_paddr == 0);
  CHECK(segments[1].p_filesz == 8 * page);
  CHECK(segments[1].p_align == 0);
  CHECK(segments[1].p_offset % 65536 == 0);
  CHECK(segments[0].p_offset + segments[0].p_filesz <= segments[1].p_offset);
  CHECK(segments[2].p_vaddr == 0xffffffff81000000);
  CHECK(segments[2].p_paddr == 3 * page);
  CHECK(segments[2].p_offset == segments[1].p_offset + 3 * page);
}

TEST_CASE("write_core: more mappings than a core has room for are left out with a warning") {
  FakeMemory memory(4 * page);
  KernelMappings mappings;
  for (std::uint64_t i = 0; i < 70000; ++i) {
    // The last ones are the largest.
    mappings.others.push_back(
        {{0xffffc90000000000 + i * 3 * page}, {page}, i < 60000 ? page : 2 * page});
  }
  Written core;
  CHECK(core.write(memory, mappings).memory->size() == 4 * page);
  REQUIRE(core.diagnostics.warnings().size() == 1);
  CHECK_THAT(core.diagnostics.warnings().front(), Catch::Contains("4468 of the kernel's 70000"));
}

TEST_CASE("write_core: memory in more ranges than e_phnum can count is all there") {
  std::vector<PhysicalRange> ranges;
  constexpr std::uint64_t count = 66000;
  for (std::uint64_t i = 0; i < count; ++i) ranges.push_back({GuestPhysical{2 * i * page}, page});
  FakeMemory memory(std::move(ranges));
  memory.write_value({2 * (count - 1) * page}, std::uint64_t{77});
  KernelMappings mappings;
  mappings.others.push_back({{0xffffc90000000000}, {0}, page});
  Written core;
  const GuestState state = core.write(memory, mappings);
  CHECK(state.memory->size() == count * page);
  CHECK(page_at(*state.memory, 2 * (count - 1) * page) == 77U);
  REQUIRE(core.diagnostics.warnings().size() == 1);
  CHECK_THAT(core.diagnostics.warnings().front(), Catch::Contains("66000 ranges of memory"));
}

TEST_CASE("write_core: what it has written is known again, other cores are not") {
  FakeMemory memory(4 * page);
  KernelMappings mappings;
  for (std::uint64_t i = 0; i < 70000; ++i) {
    mappings.others.push_back({{0xffffc90000000000 + i * 2 * page}, {page}, page});
  }
  for (const KernelMappings& few_or_many : {KernelMappings{}, mappings}) {
    Written core;
    (void)core.write(memory, few_or_many, {stopped_vcpu(0)}, "OSRELEASE=4.4.8\n");
    const std::string bytes = file_content(core.folder.path() / "vmss.core");
    const std::string_view beginning = std::string_view(bytes).substr(0, 4 << 20);
    CHECK(is_written_core(BufferSource("vmss.core", as_bytes(beginning))));
    std::string other = bytes;
    other.replace(other.find("photon-dmesg"), 6, "vmware");
    CHECK_FALSE(is_written_core(BufferSource("vmss.core", as_bytes(other))));
    for (const std::size_t size : std::initializer_list<std::size_t>{0, 10, 64, 100, 200}) {
      CHECK_FALSE(is_written_core(BufferSource("cut", as_bytes(bytes.substr(0, size)))));
    }
  }
}

TEST_CASE("make_gdbinit: begins with the thread that panicked") {
  GdbSession session{"6.1.10-1.ph5", 0, "vmss.core", std::nullopt};
  CHECK(make_gdbinit(session).find("thread") == std::string::npos);
  session.thread = 2;
  CHECK(make_gdbinit(session).ends_with("source photon.gdb\nthread 2\n"));
}

TEST_CASE("write_core: vCPUs have the pids of their tasks, idle ones numbers that no task has") {
  Vcpu vcpu;
  vcpu.index = 3;
  CHECK(thread_without_pid(vcpu) == (1 << 22) + 3);
}

TEST_CASE("make_gdbinit: what it has made is known again, and so are the macros") {
  const std::string made = make_gdbinit({"6.1.10-1.ph5", 0, "vmss.core", std::nullopt});
  CHECK(is_written_gdbinit(BufferSource(".gdbinit", as_bytes(made))));
  CHECK(is_gdb_macros(BufferSource("photon.gdb", as_bytes(gdb_macros()))));
  const std::string mine = "set print pretty on\n";
  CHECK_FALSE(is_written_gdbinit(BufferSource(".gdbinit", as_bytes(mine))));
  CHECK_FALSE(is_gdb_macros(BufferSource("photon.gdb", as_bytes(mine))));
  CHECK_FALSE(is_gdb_macros(BufferSource("photon.gdb", {})));
}

TEST_CASE("make_gdbinit: loads symbols at the offset, the core, the macros") {
  const std::string text = make_gdbinit({"6.1.10-1.ph5", 0x1a000000, "vmss.core", "vmlinux"});
  CHECK_THAT(text, Catch::Contains("\nsymbol-file vmlinux -o 0x1a000000\ncore-file vmss.core\n"
                                   "source photon.gdb\n"));
  const std::string without = make_gdbinit({"6.1.10-1.ph5", 0, "vmss.core", std::nullopt});
  CHECK_THAT(without, !Catch::Contains("\nsymbol-file"));
  CHECK_THAT(std::string(gdb_macros()), Catch::Contains("define btpid"));
}

TEST_CASE("describe_core_folder: what it says to type trusts the .gdbinit alone, in any folder") {
  const std::string text = describe_core_folder("stuck", "vmss.core", true);
  CHECK_THAT(text, Catch::Contains(
                       "  cd stuck && gdb -iex \"add-auto-load-safe-path ./.gdbinit\"    then: "));
  CHECK_THAT(text, Catch::Contains("  crash stuck/vmlinux stuck/vmss.core    then: "));
  const std::string odd = describe_core_folder("it's a\x1b[2J", "vmss.core", false);
  CHECK_THAT(odd, Catch::StartsWith("it's a\\x1b[2J: the guest"));
  CHECK_THAT(odd, Catch::Contains(R"(crash VMLINUX 'it'\''s a\x1b[2J/vmss.core')"));
}

}  // namespace photon_dmesg::test
