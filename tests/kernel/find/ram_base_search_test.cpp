#include "kernel/find/ram_base_search.h"

#include <catch2/catch.hpp>
#include <string>

#include "checkpoint/guest/shifted_memory.h"
#include "support/arm64_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x1000000;
constexpr std::uint64_t image_bytes = 0x200000;
constexpr std::uint64_t banner_in_image = 0x80000;
constexpr std::uint64_t pointers_in_image = 0x90000;
constexpr std::uint64_t tables_in_image = 0x100000;

// An arm64 machine whose RAM begins at `base`, with a kernel in it.
class Machine64 {
 public:
  Machine64(GuestPhysical base, const PageTableForm& form)
      : base_(base), text_(aarch64::upper_half(form) + 0x8000000) {
    const GuestPhysical load = base + 0x200000;
    Arm64TableBuilder tables(*memory_, load + tables_in_image, form);
    const std::uint64_t page = std::uint64_t{1} << form.page_shift;
    for (std::uint64_t at = 0; at < image_bytes; at += page) {
      tables.map(text_ + at, load + at, 1, at < image_bytes / 2 ? 0 : arm64_no_execute);
    }
    memory_->write_text(load + banner_in_image, std::string("Linux version 6.1 (x\n\0", 23));
    for (std::uint64_t i = 0; i < 512; ++i) {
      memory_->write_value(load + pointers_in_image + i * 8, text_.value + i * 64);
    }
  }

  // Its memory as if RAM began at each of `bases`.
  [[nodiscard]] std::vector<std::unique_ptr<GuestMemory>> read_from(
      const std::vector<GuestPhysical>& bases) const {
    std::vector<std::unique_ptr<GuestMemory>> readings;
    for (const GuestPhysical base : bases) {
      readings.push_back(std::make_unique<ShiftedMemory>(memory_, base - base_));
    }
    return readings;
  }

  [[nodiscard]] FakeMemory& memory() { return *memory_; }
  [[nodiscard]] GuestPhysical base() const { return base_; }
  [[nodiscard]] GuestVirtual text() const { return text_; }

 private:
  GuestPhysical base_;
  GuestVirtual text_;
  std::shared_ptr<FakeMemory> memory_ =
      std::make_shared<FakeMemory>(std::vector<PhysicalRange>{{base_, memory_size}});
};

const std::vector<GuestPhysical> usual = {{0}, {0x80000000}, {0x40000000}};
const PageTableForm photon = aarch64::form_of(12, 48);

}  // namespace

TEST_CASE("RAM's beginning: where none of the usual ones is right the page tables tell") {
  for (const PageTableForm& form : aarch64::possible_forms()) {
    if (form.levels < 3) continue;  // two tables that lead to each other prove little
    INFO("pages of 1 << " << form.page_shift << " bytes, " << form.address_bits << " bits");
    const Machine64 machine({0x12340000}, form);
    CollectedDiagnostics diagnostics;
    const auto found = find_ram_base(machine.read_from(usual), diagnostics);
    REQUIRE(found);
    CHECK(found->memory->ranges().front().begin == machine.base());
    CHECK(found->memory->size() == memory_size);
    CHECK_THAT(found->how, Catch::Contains("page tables"));
    CHECK(found->kernel.best_banner().address == machine.text() + banner_in_image);
    CHECK(found->kernel.tables().form().address_bits == form.address_bits);
  }
}

TEST_CASE("RAM's beginning: below where it was assumed, and above 4 GiB") {
  for (const GuestPhysical base : {GuestPhysical{0x1000000}, GuestPhysical{0x8040000000}}) {
    const Machine64 machine(base, photon);
    CollectedDiagnostics diagnostics;
    const auto found = find_ram_base(machine.read_from({{0x80000000}}), diagnostics);
    REQUIRE(found);
    CHECK(found->memory->ranges().front().begin == base);
    // As any kernel that was only found in memory.
    REQUIRE(diagnostics.warnings().size() == 1);
    CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("no vCPU leads to a kernel"));
  }
}

TEST_CASE("RAM's beginning: a usual one that is right needs no proof but its kernel") {
  const Machine64 machine({0x40000000}, photon);
  CollectedDiagnostics diagnostics;
  const auto found = find_ram_base(machine.read_from(usual), diagnostics);
  REQUIRE(found);
  CHECK(found->memory->ranges().front().begin == machine.base());
  CHECK_THAT(found->how, !Catch::Contains("page tables"));
}

TEST_CASE("RAM's beginning: unknown if nothing proves one") {
  Machine64 machine({0x12340000}, photon);
  const GuestPhysical load = machine.base() + 0x200000;
  SECTION("without a banner") {
    machine.memory().write_text(load + banner_in_image, "Linus");
  }
  SECTION("without tables") {
    const std::vector<std::byte> nothing(0x10000);
    machine.memory().write(load + tables_in_image, nothing);
  }
  SECTION("tables that lead nowhere") {
    machine.memory().write_value(load + tables_in_image + 0x1000, std::uint64_t{0x7770003});
  }
  SECTION("an image that does not point into itself") {
    const std::vector<std::byte> nothing(0x1000);
    machine.memory().write(load + pointers_in_image, nothing);
  }
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(find_ram_base(machine.read_from(usual), diagnostics));
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("RAM's beginning: of nothing there is none") {
  CollectedDiagnostics diagnostics;
  CHECK_FALSE(find_ram_base({}, diagnostics));
  std::vector<std::unique_ptr<GuestMemory>> empty;
  empty.push_back(std::make_unique<FakeMemory>(std::vector<PhysicalRange>{}));
  CHECK_FALSE(find_ram_base(std::move(empty), diagnostics));
}

}  // namespace photon_dmesg::test
