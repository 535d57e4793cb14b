#include "checkpoint/dumps/elf_core.h"

#include <catch2/catch.hpp>

#include "base/little_endian.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/machines/machines.h"
#include "support/elf_core_builder.h"
#include "support/errors.h"
#include "support/memory_pages.h"

namespace photon_dmesg::test {
namespace {

// Reads the core in `bytes`, which must outlive the result.
GuestState read(const std::string& bytes, Completeness completeness = Completeness::Required) {
  CollectedDiagnostics diagnostics;
  return open_elf_core(std::make_unique<BufferSource>("vmss.core", as_bytes(bytes)), completeness,
                       diagnostics);
}

Vcpu busy_vcpu(std::uint32_t index) {
  Vcpu vcpu;
  vcpu.index = index;
  for (std::size_t i = 0; i < vcpu.x86.general.size(); ++i)
    vcpu.x86.general[i] = 0x1000 * index + i;
  vcpu.x86.rip = GuestVirtual{0xffffffff81234567 + index};
  vcpu.x86.rflags = 0x246;
  vcpu.x86.cs = 0x10;
  vcpu.x86.ss = 0x18;
  vcpu.x86.fs_base = GuestVirtual{0x7f0000001000};
  vcpu.x86.gs_base = GuestVirtual{0xffff888000000000};
  vcpu.x86.idt_base = GuestVirtual{0xfffffe0000000000};
  for (std::size_t i = 0; i < 5; ++i) vcpu.x86.cr[i] = 0x2000 * (index + 1) + i;
  return vcpu;
}

}  // namespace

TEST_CASE("open_elf_core: memory is where the segments' physical addresses say") {
  const std::string memory = numbered_pages(4);
  const std::string core =
      elf_core({{4 * page, memory.substr(2 * page)}, {0, memory.substr(0, 2 * page)}});
  const GuestState state = read(core);
  CHECK(page_at(*state.memory, 0) == 0U);
  CHECK(page_at(*state.memory, page) == 1U);
  CHECK_FALSE(page_at(*state.memory, 2 * page));
  CHECK(page_at(*state.memory, 5 * page) == 3U);
  CHECK_FALSE(page_at(*state.memory, 6 * page));
  CHECK(state.memory->size() == 4 * page);
}

TEST_CASE("open_elf_core: memory that is listed twice is that of the first segment") {
  const std::string memory = numbered_pages(6);
  // Pages 1 and 2, as the kernel's text is; then 0 to 3 with other contents.
  const std::string core =
      elf_core({{page, memory.substr(4 * page)}, {0, memory.substr(0, 4 * page)}});
  const GuestState state = read(core);
  CHECK(page_at(*state.memory, 0) == 0U);
  CHECK(page_at(*state.memory, page) == 4U);
  CHECK(page_at(*state.memory, 2 * page) == 5U);
  CHECK(page_at(*state.memory, 3 * page) == 3U);
  CHECK(state.memory->size() == 4 * page);
}

TEST_CASE("open_elf_core: PRSTATUS and QEMU notes give each vCPU's registers") {
  namespace notes = register_notes;
  std::string content;
  for (const std::uint32_t i : {0U, 1U}) {
    content += elf_note("CORE", NT_PRSTATUS, bytes_of(notes::make_prstatus(busy_vcpu(i), 1)));
  }
  content += elf_note("VMCOREINFO", 0, "OSRELEASE=4.4.8\n");
  content += elf_note("LINUX", 99, "ignored");
  for (const std::uint32_t i : {0U, 1U}) {
    content += elf_note("QEMU", 0, bytes_of(notes::make_qemu_state(busy_vcpu(i))));
  }
  const GuestState state = read(elf_core({{0, numbered_pages(1)}}, content));
  REQUIRE(state.vcpus.size() == 2);
  for (const std::uint32_t i : {0U, 1U}) {
    const Vcpu& found = state.vcpus[i];
    const Vcpu expected = busy_vcpu(i);
    CHECK(found.index == i);
    CHECK(found.x86.general == expected.x86.general);
    CHECK(found.x86.rip == expected.x86.rip);
    CHECK(found.x86.rflags == expected.x86.rflags);
    CHECK(found.x86.cs == expected.x86.cs);
    CHECK(found.x86.ss == expected.x86.ss);
    CHECK(found.x86.fs_base == expected.x86.fs_base);
    CHECK(found.x86.gs_base == expected.x86.gs_base);
    CHECK(found.x86.idt_base == expected.x86.idt_base);
    CHECK(found.x86.cr[3] == expected.x86.cr[3]);
    CHECK(found.x86.cr[4] == expected.x86.cr[4]);
  }
  CHECK(state.vmcoreinfo == "OSRELEASE=4.4.8\n");
}

TEST_CASE("open_elf_core: a core of vmss2core -N, whose owner's name has no NUL") {
  const std::string status = bytes_of(register_notes::make_prstatus(busy_vcpu(0), 1));
  const std::string note = little_endian(4, 4) + little_endian(status.size(), 4) +
                           little_endian(NT_PRSTATUS, 4) + "CORE" + status + little_endian(4, 4) +
                           little_endian(128, 4) + little_endian(NT_PRPSINFO, 4) + "CORE" +
                           std::string(128, '\0') + little_endian(4, 4) + little_endian(12, 4) +
                           little_endian(4, 4) + "CORE" + std::string(12, '\0');
  REQUIRE(note.size() == 524);  // as a published listing of one has it
  const std::string core = elf_core({{0, numbered_pages(2)}}, note);
  const GuestState state = read(core);
  REQUIRE(state.vcpus.size() == 1);
  CHECK(state.vcpus[0].x86.rip == busy_vcpu(0).x86.rip);
  CHECK(page_at(*state.memory, page) == 1U);
}

TEST_CASE("open_elf_core: PRSTATUS alone leaves the control registers unknown, not zero") {
  const std::string note =
      elf_note("CORE", NT_PRSTATUS, bytes_of(register_notes::make_prstatus(busy_vcpu(0), 1)));
  const GuestState state = read(elf_core({{0, numbered_pages(1)}}, note));
  REQUIRE(state.vcpus.size() == 1);
  CHECK_FALSE(state.vcpus[0].x86.cr[3]);
}

TEST_CASE("register_notes: registers stand where gdb and QEMU have them") {
  const std::string status = bytes_of(register_notes::make_prstatus(busy_vcpu(1), 42));
  const auto word_at = [&](std::size_t offset) {
    return load_unsigned(as_bytes(status).subspan(offset, 8));
  };
  // pr_pid at 32, pr_reg at 112: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi ...
  CHECK(load_unsigned(as_bytes(status).subspan(32, 4)) == 42);
  CHECK(word_at(112) == 0x100f);
  CHECK(word_at(112 + 4 * 8) == 0x1005);
  CHECK(word_at(112 + 15 * 8) == ~std::uint64_t{0});
  CHECK(word_at(112 + 16 * 8) == 0xffffffff81234568);
  CHECK(word_at(112 + 19 * 8) == 0x1004);
  const std::string qemu = bytes_of(register_notes::make_qemu_state(busy_vcpu(1)));
  const auto qemu_word = [&](std::size_t offset) {
    return load_unsigned(as_bytes(qemu).subspan(offset, 8));
  };
  CHECK(qemu_word(8 + 1 * 8) == 0x1003);                      // rbx
  CHECK(qemu_word(8 + 6 * 8) == 0x1004);                      // rsp
  CHECK(qemu_word(392 + 3 * 8) == 0x4003);                    // CR3
  CHECK(qemu_word(152 + 9 * 24 + 16) == 0xfffffe0000000000);  // IDT
}

TEST_CASE("open_elf_core: cut short anywhere, it is refused") {
  const std::string note = elf_note("CORE", NT_PRSTATUS, bytes_of(register_notes::Prstatus{}));
  const std::string whole = elf_core({{0, std::string(64, 'm')}}, note);
  for (std::size_t length = sizeof(Elf64_Ehdr); length < whole.size(); ++length) {
    CAPTURE(length);
    const std::string cut = whole.substr(0, length);
    check_fails(Failure::UnusableInput, "vmss.core: ", [&] { (void)read(cut); });
  }
}

TEST_CASE("open_elf_core: a core by virtual address only is refused with what to give instead") {
  const std::string core = elf_core(
      {{0, numbered_pages(1), 0xffff888000000000}, {0, numbered_pages(1), 0xffffffff81000000}});
  check_fails(Failure::UnusableInput, "a core from vmss2core -N", [&] { (void)read(core); });
}

TEST_CASE(
    "open_elf_core: a core that is cut short is read as far as it is there, if that will do") {
  const std::string whole = elf_core({{0, numbered_pages(4)}, {0x100000, numbered_pages(4)}});
  const std::string cut = whole.substr(0, whole.size() - 2 * page);
  check_fails(Failure::UnusableInput, "truncated: expected memory up to offset",
              [&] { (void)read(cut); });
  const GuestState state = read(cut, Completeness::NotRequired);
  CHECK(page_at(*state.memory, 0x100000 + page) == 1U);
  CHECK_FALSE(page_at(*state.memory, 0x100000 + 2 * page));
  REQUIRE(state.missing.size() == 1);
  CHECK(state.missing.front().begin == GuestPhysical{0x100000 + 2 * page});
}

TEST_CASE("open_elf_core: another machine's core is refused") {
  std::string core = elf_core({{0, numbered_pages(1)}});
  core[18] = static_cast<char>(EM_S390);
  check_fails(Failure::UnusableInput, "expected the core of an x86-64 or arm64 machine",
              [&] { (void)read(core); });
}

TEST_CASE("open_elf_core: arm64's registers") {
  register_notes::Arm64Prstatus status;
  for (std::size_t i = 0; i < status.general.size(); ++i) status.general[i] = 100 + i;
  status.sp = 0xffff80000a003c10;
  status.pc = 0xffff800008015bf4;
  status.pstate = 0x604000c5;
  const std::string_view bytes(reinterpret_cast<const char*>(&status), sizeof(status));
  std::string core = elf_core({{0x80000000, numbered_pages(1)}},
                              elf_note("CORE", NT_PRSTATUS, std::string(bytes)));
  core[18] = static_cast<char>(EM_AARCH64);
  const GuestState state = read(core);
  REQUIRE(state.vcpus.size() == 1);
  const Vcpu& vcpu = state.vcpus.front();
  CHECK(vcpu.machine == Machine::Aarch64);
  CHECK(vcpu.arm64.general[30] == 130U);
  CHECK(vcpu.arm64.sp == GuestVirtual{0xffff80000a003c10});
  CHECK(vcpu.arm64.pc == GuestVirtual{0xffff800008015bf4});
  CHECK(architecture_of(vcpu.machine).was_in_user_mode(vcpu) == false);
  CHECK_FALSE(vcpu.arm64.ttbr1);
  const auto again = register_notes::make_arm64_prstatus(vcpu, 7);
  CHECK(again.pid == 7);
  CHECK(again.general == status.general);
  CHECK(again.pstate == status.pstate);
}

TEST_CASE("open_elf_core: notes that can't be read cost what they hold, and not the memory") {
  std::string note = elf_note("CORE", NT_PRSTATUS, "x");
  note.replace(4, 4, little_endian(0xfffffff0, 4));
  const std::string core = elf_core({{0, numbered_pages(1)}}, note);
  CollectedDiagnostics diagnostics;
  const GuestState state = open_elf_core(std::make_shared<BufferSource>("vmcore", as_bytes(core)),
                                         Completeness::Required, diagnostics);
  CHECK(state.vcpus.empty());
  CHECK(state.memory->size() == 4096);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::StartsWith("vmcore: what its notes hold is not known: expected a note of at"));
}

TEST_CASE("open_elf_core: absurd sizes in segments are refused") {
  std::string large = elf_core({{0, numbered_pages(1)}});
  // p_paddr of the memory's segment.
  large.replace(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + 24, 8, little_endian(~0ULL, 8));
  check_fails(Failure::UnusableInput, "memory out of range", [&] { (void)read(large); });
}

TEST_CASE("is_elf_core: a vmlinux is none") {
  const std::string core = elf_core({});
  CHECK(is_elf_core(BufferSource("core", as_bytes(core))));
  const std::string program = elf_core({}, "", ET_EXEC);
  CHECK_FALSE(is_elf_core(BufferSource("vmlinux", as_bytes(program))));
  CHECK_FALSE(is_elf_core(BufferSource("short", as_bytes("\x7f"
                                                         "ELF"))));
}

TEST_CASE("open_elf_core: notes of more vCPUs than any machine has are left out") {
  const std::string note =
      elf_note("CORE", NT_PRSTATUS, bytes_of(register_notes::make_prstatus(busy_vcpu(0), 1)));
  std::string notes;
  for (unsigned i = 0; i < 5000; ++i) notes += note;
  const std::string core = elf_core({{0, numbered_pages(1)}}, notes);
  CHECK(read(core).vcpus.size() == 4096);
}

TEST_CASE("open_elf_core: more notes than any machine has are left out, and said") {
  std::string notes;
  for (unsigned i = 0; i < 70'000; ++i) notes += elf_note("X", 1, "");
  const std::string core = elf_core({{0, numbered_pages(1)}}, notes);
  CollectedDiagnostics diagnostics;
  (void)open_elf_core(std::make_unique<BufferSource>("vmss.core", as_bytes(core)),
                      Completeness::Required, diagnostics);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{"vmss.core: more than 65536 notes: the rest is left out"});
}

}  // namespace photon_dmesg::test
