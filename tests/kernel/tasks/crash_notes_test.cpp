#include "kernel/tasks/crash_notes.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <string>

#include "checkpoint/guest/register_notes.h"
#include "support/bytes.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// A kernel that has crashed: notes are per-CPU memory, which `crash_notes` points at.
struct Crashed {
  TaskGuest guest;
  Cpu cpu;
  GuestVirtual note = guest.allocate(1024);

  Crashed() {
    constexpr std::uint64_t place = 0x3000;
    cpu.number = 3;
    cpu.per_cpu_offset = note.value - place;
    guest.write(guest.variable("crash_notes"), place);
  }

  void write_note(std::uint32_t type, const std::string& owner, std::size_t size) {
    Vcpu vcpu;
    vcpu.x86.rip = GuestVirtual{0xffffffff9b001234};
    vcpu.x86.general[4] = 0xffffc90000003f00;
    vcpu.x86.cs = std::uint16_t{0x10};
    const register_notes::Prstatus status = register_notes::make_prstatus(vcpu, 1);
    std::string bytes = little_endian(owner.size() + 1, 4) + little_endian(size, 4) +
                        little_endian(type, 4) + owner;
    bytes.resize((bytes.size() + 4) / 4 * 4);
    bytes += as_text(std::as_bytes(std::span(&status, 1)));
    guest.write_text(note, bytes);
  }

  std::optional<Vcpu> read() { return read_crash_registers(guest.kernel(), cpu); }
};

}  // namespace

TEST_CASE("crash notes: the registers of a CPU when its kernel crashed") {
  Crashed crashed;
  crashed.write_note(NT_PRSTATUS, "CORE", sizeof(register_notes::Prstatus));
  const auto vcpu = crashed.read();
  REQUIRE(vcpu);
  CHECK(vcpu->index == 3);
  CHECK(vcpu->x86.rip == GuestVirtual{0xffffffff9b001234});
  CHECK(vcpu->x86.general[4] == 0xffffc90000003f00U);
}

TEST_CASE("crash notes: a CPU that has saved none has none") {
  Crashed crashed;
  SECTION("zeros") {}
  SECTION("another note") {
    crashed.write_note(NT_PRPSINFO, "CORE", 336);
  }
  SECTION("another owner") {
    crashed.write_note(NT_PRSTATUS, "QEMU", 336);
  }
  SECTION("a shorter one") {
    crashed.write_note(NT_PRSTATUS, "CORE", 100);
  }
  SECTION("a size that goes anywhere") {
    crashed.write_note(NT_PRSTATUS, "CORE", 0xffffffff);
  }
  SECTION("rubbish") {
    crashed.guest.write_text(crashed.note, std::string(400, '\xff'));
  }
  SECTION("not mapped") {
    *crashed.cpu.per_cpu_offset += 0x1000000000;
  }
  CHECK_FALSE(crashed.read());
}

TEST_CASE("crash notes: a kernel without kexec has none") {
  TaskGuest guest;
  CHECK_FALSE(read_crash_registers(guest.kernel(), Cpu{}));
}

}  // namespace photon_dmesg::test
