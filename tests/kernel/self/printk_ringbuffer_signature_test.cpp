#include "kernel/self/printk_ringbuffer_signature.h"

#include <array>
#include <catch2/catch.hpp>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

// A guest that has more RAM than the test has: what lies behind it can't be read.
class LargeMemory final : public GuestMemory {
 public:
  explicit LargeMemory(const FakeMemory& memory) : memory_(memory) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    return memory_.read(address, target);
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override { return ranges_; }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }

 private:
  const FakeMemory& memory_;
  std::vector<PhysicalRange> ranges_ = {{GuestPhysical{0}, std::uint64_t{1} << 40}};
};

constexpr std::uint64_t image = 0xffffffff81000000;
constexpr std::uint64_t zeros = image + 0x1000;

// An image with what looks like the headers of `count` rings of 2^26 descriptors, which are all the
// same page of zeros and behind it nothing.
struct ImageOfRings {
  ImageOfRings(std::uint64_t count, std::uint64_t id) {
    builder.map({image}, {0});
    builder.map({zeros}, {0x1000});
    for (std::uint64_t i = 0; i < count; ++i) {
      // By every variant, of which some have a pointer more in front of the ring of data.
      memory.write_value({i * sizeof(std::uint64_t) * 12},
                         std::array<std::uint64_t, 8>{26, zeros, zeros, id, id, 26, 26, 0});
    }
  }

  std::optional<FoundRing> find() {
    const PageTables tables = x86_64::page_tables(large, builder.root(), PagingLevels::Four);
    return find_ring(KernelImage(large, tables), diagnostics);
  }

  FakeMemory memory{0x20000};
  LargeMemory large{memory};
  PageTableBuilder builder{memory, {0x10000}, PagingLevels::Four};
  CollectedDiagnostics diagnostics;
};

}  // namespace

TEST_CASE("find_ring: of what claims too many descriptors the rest is left out, and that is said") {
  ImageOfRings guest(40, 0);
  CHECK_FALSE(guest.find());
  REQUIRE(guest.diagnostics.warnings().size() == 1);
  CHECK_THAT(guest.diagnostics.warnings()[0],
             Catch::Contains("more than 268435456 descriptors of what looks like a printk_ring"));
}

TEST_CASE("find_ring: what holds neither its newest nor its oldest id is no ring") {
  ImageOfRings guest(40, 1);  // where it would be, there is the id 0
  CHECK_FALSE(guest.find());
  CHECK(guest.diagnostics.warnings().empty());
}

}  // namespace photon_dmesg::test
