#include "kernel/find/kernel_scan.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <mutex>

#include "support/fixture_guest.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

// The kernel's own page table, as a kernel that runs has it; the fixture maps by a table beside.
void copy_tables(FixtureGuest& guest) {
  std::array<std::byte, 4096> table{};
  REQUIRE(guest.memory().read({*guest.vcpu().x86.cr[3]}, table));
  guest.memory().write(guest.at("init_top_pgt"), table);
}

// Memory of 8 MiB with many banners in its first half, and `roots` that map these behind one page
// of zeros, over and over, which is as much as an image may be.
void write_banners_behind_zeros(FakeMemory& memory, std::uint64_t roots) {
  constexpr std::uint64_t large_page = 2 * 1024 * 1024;
  constexpr GuestVirtual image{0xffffffff80000000};
  const std::string banner("Linux version 6.1 (x\n\0", 22);
  for (std::uint64_t i = 0; i < 256; ++i) memory.write_text({0x1000 + i * 32}, banner);
  for (std::uint64_t i = 0; i < roots; ++i) {
    PageTableBuilder tables(memory, {0x100000 + i * 0x10000}, PagingLevels::Four);
    for (std::uint64_t at = 0; at < KernelImage::most_bytes; at += large_page) {
      tables.map(image + at, {2 * large_page}, 2);
    }
    tables.map(image + KernelImage::most_bytes, {0}, 2);
  }
}

// Behind a guest's memory more of it, of which it is noted how far it was asked for.
class LargerMemory final : public GuestMemory {
 public:
  LargerMemory(const GuestMemory& memory, GuestPhysical begin, std::uint64_t size)
      : memory_(memory), ranges_(memory.ranges()) {
    ranges_.push_back({begin, size});
  }

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const PhysicalRange& added = ranges_.back();
    if (address < added.begin) return memory_.read(address, target);
    if (address - added.begin >= added.size) return false;
    const std::lock_guard lock(mutex_);
    asked_ = std::max(asked_, address - added.begin + target.size());
    return false;
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override { return ranges_; }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }

  [[nodiscard]] std::uint64_t asked() const { return asked_; }

 private:
  const GuestMemory& memory_;
  std::vector<PhysicalRange> ranges_;
  mutable std::mutex mutex_;
  mutable std::uint64_t asked_ = 0;
};

}  // namespace

TEST_CASE("scan_for_kernel: by its banner and its own page tables, with a warning") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  copy_tables(guest);
  const auto kernel = scan_for_kernel(guest.memory(), guest.diagnostics());
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == guest.at("init_top_pgt"));
  CHECK_FALSE(kernel->vcpu);
  CHECK(kernel->best_banner().address == guest.address("linux_banner"));
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(guest.diagnostics().warnings()[0], Catch::Contains("no vCPU leads to a kernel"));
}

TEST_CASE("scan_for_kernel: what lies far behind the first kernel is not read") {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const LargerMemory larger(guest.memory(), {64 * gib}, 4 * gib);
  CHECK_FALSE(scan_for_kernel(larger, guest.diagnostics()));
  CHECK(larger.asked() >= 4 * gib);
  copy_tables(guest);
  const LargerMemory memory(guest.memory(), {64 * gib}, 4 * gib);
  const auto kernel = scan_for_kernel(memory, guest.diagnostics());
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == guest.at("init_top_pgt"));
  CHECK(memory.asked() < gib);
}

TEST_CASE("scan_for_kernel: tables that do not map themselves are not the kernel's own") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);  // its tables lie outside of the image
  CHECK_FALSE(scan_for_kernel(guest.memory(), guest.diagnostics()));
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("scan_for_kernel: tables with a user half belong to a process, or are none") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  copy_tables(guest);
  guest.memory().write_value(guest.at("init_top_pgt") + 8, std::uint64_t{1});
  CHECK_FALSE(scan_for_kernel(guest.memory(), guest.diagnostics()));
}

TEST_CASE("scan_for_kernel: nothing in empty memory, and in none") {
  FakeMemory memory(16 * 1024 * 1024);
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(scan_for_kernel(memory, diagnostics));
  FakeMemory nothing(std::vector<PhysicalRange>{});
  CHECK_FALSE(scan_for_kernel(nothing, diagnostics));
}

TEST_CASE("uses_end_of_memory: by what the kernel's tables map of it") {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  FakeMemory memory({{GuestPhysical{0}, 1 << 20}, {GuestPhysical{4 * gib}, 1 << 20}});
  PageTableBuilder tables(memory, {0x10000}, PagingLevels::Four);
  const RunningKernel kernel{
      {}, std::make_shared<const KernelImage>(memory, tables.tables()), std::nullopt, {}};
  tables.map({0xffff888000000000}, {0}, 3);
  CHECK_FALSE(uses_end_of_memory(kernel, memory));
  tables.map({0xffff888000000000 + 4 * gib}, {4 * gib}, 3);
  CHECK(uses_end_of_memory(kernel, memory));
}

TEST_CASE("scan_for_kernel: what lies near many banners is looked at once") {
  // Banners all over, and pages that look like tables but map nothing.
  constexpr std::uint64_t size = 16 * 1024 * 1024;
  FakeMemory memory(size);
  const std::string banner("Linux version 6.1 (x\n\0", 22);
  for (std::uint64_t at = 0; at < size; at += 64 * 1024) {
    for (std::uint64_t i = 0; i < 20; ++i) memory.write_text({at + i * 32}, banner);
    memory.write_value({at + 2 * 4096 - 8}, std::uint64_t{1} << 40 | pte_present);
  }
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(scan_for_kernel(memory, diagnostics));
  CHECK(diagnostics.evidence().size() == 256 * 4);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::Contains("more than 256 banners of kernels in a piece of memory"));
}

TEST_CASE("scan_for_kernel: tables that lead to themselves use up a budget, and that is said") {
  constexpr std::uint64_t pages = 4096;
  FakeMemory memory(pages * 4096);
  const std::string banner("Linux version 6.1 (x\n\0", 22);
  memory.write_text({0x100}, banner);
  // Roots that all lead to one table, and that to itself: each maps that table 2^18 times.
  const std::uint64_t table = (pages - 1) * 4096;
  for (std::uint64_t slot = 0; slot < 512; ++slot) {
    memory.write_value({table + slot * 8}, table | pte_present);
  }
  for (std::uint64_t i = 1; i < pages - 1; ++i) {
    memory.write_value({i * 4096 + 4088}, table | pte_present);
  }
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(scan_for_kernel(memory, diagnostics));
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("steps to the page tables"));
}

TEST_CASE("scan_for_kernel: what is no kernel's image is read once, however many banners it has") {
  FakeMemory memory(8 * 1024 * 1024);
  write_banners_behind_zeros(memory, 1);
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(scan_for_kernel(memory, diagnostics));
  CHECK(diagnostics.evidence().size() == 256);
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("scan_for_kernel: only so much is read of what is no kernel's image, and that is said") {
  FakeMemory memory(8 * 1024 * 1024);
  write_banners_behind_zeros(memory, 5);
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(scan_for_kernel(memory, diagnostics));
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::Contains("more than 1073741824 bytes mapped by page tables near banners"));
}

}  // namespace photon_dmesg::test
