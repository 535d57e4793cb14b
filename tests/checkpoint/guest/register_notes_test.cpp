#include "checkpoint/guest/register_notes.h"

#include <catch2/catch.hpp>
#include <optional>
#include <span>
#include <string>

namespace photon_dmesg::test {
namespace {

using register_notes::Format;

std::optional<Vcpu> taken(const Format& format, const std::string& content) {
  Vcpu vcpu;
  const bool is_one = format.take_prstatus(std::as_bytes(std::span(content)), vcpu);
  return is_one ? std::optional(vcpu) : std::nullopt;
}

}  // namespace

TEST_CASE("register notes: each format takes back what it has made") {
  Vcpu x86;
  x86.x86.rip = GuestVirtual{0xffffffff81000010};
  x86.x86.general[4] = 0xffffc90000003f00;
  const auto as_x86 =
      taken(register_notes::x86_64_format, register_notes::x86_64_format.make_prstatus(x86, 1));
  REQUIRE(as_x86);
  CHECK(as_x86->machine == Machine::X86_64);
  CHECK(as_x86->x86.rip == x86.x86.rip);
  CHECK(as_x86->x86.general[4] == x86.x86.general[4]);

  Vcpu arm64;
  arm64.arm64.pc = GuestVirtual{0xffff800008015bf4};
  arm64.arm64.general[30] = 0xffff8000080161ac;
  const auto as_arm64 =
      taken(register_notes::arm64_format, register_notes::arm64_format.make_prstatus(arm64, 1));
  REQUIRE(as_arm64);
  CHECK(as_arm64->machine == Machine::Aarch64);
  CHECK(as_arm64->arm64.pc == arm64.arm64.pc);
  CHECK(as_arm64->arm64.general[30] == arm64.arm64.general[30]);
}

TEST_CASE("register notes: what is shorter than one is none") {
  for (const Format* format : {&register_notes::x86_64_format, &register_notes::arm64_format}) {
    std::string content = format->make_prstatus({}, 1);
    CHECK(content.size() == format->prstatus_bytes);
    CHECK(taken(*format, content));
    content.pop_back();
    CHECK_FALSE(taken(*format, content));
    CHECK_FALSE(taken(*format, ""));
  }
}

TEST_CASE("register notes: QEMU writes its own for x86-64 alone") {
  REQUIRE(register_notes::x86_64_format.make_qemu_state != nullptr);
  CHECK(register_notes::x86_64_format.make_qemu_state({}).size() ==
        sizeof(register_notes::QemuCpuState));
  CHECK(register_notes::arm64_format.make_qemu_state == nullptr);
}

}  // namespace photon_dmesg::test
