#include "kernel/facts/guest_identity.h"

#include <catch2/catch.hpp>
#include <string_view>

#include "kernel/find/running_kernel.h"
#include "support/fixture_guest.h"

namespace photon_dmesg::test {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view some_uuid =
    "\x0a\x1b\x2c\x3d\x4e\x5f\x4a\x6b\x8c\x7d\x8e\x9f\xa0\xb1\xc2\xd3"sv;

GuestIdentity identity_of(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return read_guest_identity(GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics()),
                             guest.diagnostics());
}

void set_host_name(FixtureGuest& guest, std::string_view name) {
  constexpr std::uint64_t name_bytes = 65;
  guest.memory().write_text(guest.at("init_uts_ns") + name_bytes, name);
}

}  // namespace

TEST_CASE("guest identity: the host name stands before the release") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  CHECK(identity_of(guest).hostname == "photon");
  set_host_name(guest, std::string(64, 'h'));
  CHECK(identity_of(guest).hostname == std::string(64, 'h'));
}

TEST_CASE("guest identity: a guest that nobody has named has none") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  for (const std::string_view unnamed : {"(none)\0"sv, "\0"sv}) {
    set_host_name(guest, unnamed);
    CHECK_FALSE(identity_of(guest).hostname);
  }
}

TEST_CASE("guest identity: the boot id is a random UUID, once the kernel has made it") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  CHECK_FALSE(identity_of(guest).boot_id);
  guest.memory().write_text(guest.at("sysctl_bootid"), some_uuid);
  CHECK(identity_of(guest).boot_id == "0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3");
}

TEST_CASE("guest identity: bytes that are no random UUID are no boot id") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  std::string bytes(some_uuid);
  bytes[6] = '\x1a';  // version 1
  guest.memory().write_text(guest.at("sysctl_bootid"), bytes);
  CHECK_FALSE(identity_of(guest).boot_id);
  bytes = some_uuid;
  bytes[8] = '\x4c';  // another variant
  guest.memory().write_text(guest.at("sysctl_bootid"), bytes);
  CHECK_FALSE(identity_of(guest).boot_id);
}

}  // namespace photon_dmesg::test
