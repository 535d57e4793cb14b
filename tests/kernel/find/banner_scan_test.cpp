#include "kernel/find/banner_scan.h"

#include <catch2/catch.hpp>
#include <set>

#include "support/fake_memory.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
const std::string banner("Linux version 6.1 (x\n\0", 22);

// Notes who reads it.
class WatchedMemory final : public GuestMemory {
 public:
  explicit WatchedMemory(const FakeMemory& memory) : memory_(memory) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const std::lock_guard lock(mutex_);
    readers_.insert(std::this_thread::get_id());
    return memory_.read(address, target);
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return memory_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }

  [[nodiscard]] std::size_t readers() const { return readers_.size(); }

 private:
  const FakeMemory& memory_;
  mutable std::mutex mutex_;
  mutable std::set<std::thread::id> readers_;
};

using Places = std::vector<GuestPhysical>;

}  // namespace

TEST_CASE("BannerScan: each banner once, wherever pieces and steps end") {
  FakeMemory memory({{GuestPhysical{0}, 10 * mib}, {GuestPhysical{1024 * mib}, 5 * mib}});
  Places places;
  for (const std::uint64_t at : {std::uint64_t{0}, mib / 4 - 10, 4 * mib - 1, 4 * mib + 64,
                                 8 * mib - 21, 10 * mib - 22, 1024 * mib, 1029 * mib - 22}) {
    places.push_back({at});
    memory.write_text({at}, banner);
  }
  CollectedDiagnostics diagnostics;
  BannerScan all(memory);
  CHECK(all.rest(diagnostics) == places);
  CHECK(all.is_done());
  CHECK(all.rest(diagnostics).empty());
  BannerScan parts(memory);
  Places found;
  while (!parts.is_done()) {
    for (const GuestPhysical place : parts.next(1, diagnostics)) found.push_back(place);
  }
  CHECK(found == places);
}

TEST_CASE("BannerScan: goes on by bytes, however many ranges these lie in") {
  constexpr std::uint64_t count = 3000;
  constexpr std::uint64_t page = 4096;
  std::vector<PhysicalRange> ranges;
  for (std::uint64_t i = 0; i < count; ++i) ranges.push_back({{i * 2 * page}, page});
  FakeMemory memory(ranges);
  memory.write_text({2 * page}, banner);
  memory.write_text({(count - 1) * 2 * page}, banner);
  CollectedDiagnostics diagnostics;
  BannerScan scan(memory);
  CHECK(scan.next(count / 2 * page, diagnostics) == Places{{2 * page}});
  CHECK_FALSE(scan.is_done());
  CHECK(scan.next(count / 2 * page, diagnostics) == Places{{(count - 1) * 2 * page}});
  CHECK(scan.is_done());
}

TEST_CASE("BannerScan: the same threads read all parts") {
  const FakeMemory memory(64 * mib);
  const WatchedMemory watched(memory);
  CollectedDiagnostics diagnostics;
  BannerScan scan(watched);
  while (!scan.is_done()) (void)scan.next(4 * mib, diagnostics);
  CHECK(watched.readers() <= std::max(1U, std::thread::hardware_concurrency()));
}

TEST_CASE("BannerScan: of no memory there is nothing to look through") {
  const FakeMemory nothing(std::vector<PhysicalRange>{});
  CollectedDiagnostics diagnostics;
  BannerScan scan(nothing);
  CHECK(scan.is_done());
  CHECK(scan.rest(diagnostics).empty());
}

}  // namespace photon_dmesg::test
