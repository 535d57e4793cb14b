#include "kernel/find/guest_kernel.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstddef>

#include "kernel/find/running_kernel.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/fixture_guest.h"
#include "support/open_vmlinux.h"
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

TEST_CASE(
    "GuestKernel: symbols without a banner are taken when the kernel's data is where they say") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto debug = open_vmlinux(ONLY_DEBUG_KERNEL);
  const GuestKernel kernel = attach(guest, *debug);
  CHECK(kernel.kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("GuestKernel: with less evidence than that there is a warning") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("phys_base", std::uint64_t{0x123000});
  const auto debug = open_vmlinux(ONLY_DEBUG_KERNEL);
  (void)attach(guest, *debug);
  REQUIRE(guest.diagnostics().warnings().size() == 2);
  CHECK_THAT(guest.diagnostics().warnings().back(),
             Catch::Contains("because linux_banner and init_uts_ns are where it says"));
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
