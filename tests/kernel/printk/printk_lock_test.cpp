#include "kernel/printk/printk_lock.h"

#include <catch2/catch.hpp>

#include "support/fixture_guest.h"

namespace photon_dmesg::test {
namespace {

bool is_held(FixtureGuest& guest, std::uint32_t value) {
  guest.set("logbuf_lock", value);
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return is_printk_lock_held(GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics()));
}

}  // namespace

TEST_CASE("printk's lock: held or free, as queued and as ticket locks of either width") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  for (const std::uint32_t free : {0U, 0x4242U, 0x00340034U}) {
    CAPTURE(free);
    CHECK_FALSE(is_held(guest, free));
  }
  for (const std::uint32_t held : {1U, 0x101U, 0x4342U, 0x00350034U}) {
    CAPTURE(held);
    CHECK(is_held(guest, held));
  }
}

}  // namespace photon_dmesg::test
