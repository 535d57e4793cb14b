#include "kernel/find/cross_check.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "support/fixture_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t phys_base =
    FixtureGuest::load_address.value - FixtureGuest::kaslr_offset - 0x1000000;

void write_vmcoreinfo(FixtureGuest& guest, const std::string& release, std::uint64_t offset,
                      std::uint64_t base, GuestVirtual prb) {
  guest.memory().write_text(
      guest.at("vmcoreinfo_data"),
      fmt::format("OSRELEASE={}\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
                  "SYMBOL(prb)={:x}\nNUMBER(phys_base)={}\nKERNELOFFSET={:x}\n",
                  release, guest.address("init_uts_ns").value, guest.address("_text").value,
                  prb.value, base, offset) +
          '\0');
}

// Attaches the fixture's own symbols and returns what was warned of.
std::vector<std::string> warnings_of(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  (void)GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics());
  return guest.diagnostics().warnings();
}

}  // namespace

TEST_CASE("cross check: a VMCOREINFO that says the same is no news") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  CHECK(warnings_of(guest).empty());
  write_vmcoreinfo(guest, "6.1.10-1.ph5", FixtureGuest::kaslr_offset, phys_base,
                   guest.address("prb"));
  CHECK(warnings_of(guest).empty());
}

TEST_CASE("cross check: whatever VMCOREINFO says otherwise is a warning with both values") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  std::string expected;
  SECTION("KASLR offset") {
    write_vmcoreinfo(guest, "6.1.10-1.ph5", 0x5000000, phys_base, guest.address("prb"));
    expected = "KASLR offset is 0x1a000000 by the guest's memory, 0x5000000 by its VMCOREINFO";
  }
  SECTION("phys_base") {
    write_vmcoreinfo(guest, "6.1.10-1.ph5", FixtureGuest::kaslr_offset, 0x3000,
                     guest.address("prb"));
    expected = fmt::format("phys_base is {:#x} by the guest's memory, 0x3000 by its VMCOREINFO",
                           phys_base);
  }
  SECTION("a symbol") {
    write_vmcoreinfo(guest, "6.1.10-1.ph5", FixtureGuest::kaslr_offset, phys_base,
                     guest.address("prb") + 64);
    expected = fmt::format("prb is at {} by {}, at {} by the guest's VMCOREINFO",
                           guest.address("prb"), guest.vmlinux().name(), guest.address("prb") + 64);
  }
  SECTION("the release") {
    write_vmcoreinfo(guest, "6.1.9-1.ph5", FixtureGuest::kaslr_offset, phys_base,
                     guest.address("prb"));
    expected = "the banner is of Linux 6.1.10-1.ph5, the guest's VMCOREINFO of 6.1.9-1.ph5";
  }
  CHECK(warnings_of(guest) == std::vector<std::string>{expected});
}

}  // namespace photon_dmesg::test
