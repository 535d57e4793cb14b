#include "base/address_ranges.h"

#include <catch2/catch.hpp>
#include <random>

namespace photon_dmesg::test {

TEST_CASE("AddressRanges: an address is in the range that begins at or below it and ends above") {
  const AddressRanges ranges({{{0x3000}, 0x100}, {{0x1000}, 0x100}, {{0x1100}, 0x10}});
  CHECK(ranges.find({0x3000}) == 0);
  CHECK(ranges.find({0x30ff}) == 0);
  CHECK_FALSE(ranges.find({0x3100}));
  CHECK_FALSE(ranges.find({0x2fff}));
  CHECK(ranges.find({0x10ff}) == 1);
  CHECK(ranges.find({0x1100}) == 2);
  CHECK_FALSE(ranges.find({0xfff}));
  CHECK_FALSE(ranges.find({0}));
}

TEST_CASE("AddressRanges: without a range no address is in one") {
  CHECK_FALSE(AddressRanges().find({0}));
  CHECK_FALSE(AddressRanges({{{0x1000}, 0}}).find({0x1000}));
}

TEST_CASE("AddressRanges: one may reach the end of the address space, none leaves it") {
  const AddressRanges ranges({{{~std::uint64_t{0xff}}, 0x100}, {{~std::uint64_t{0xf}}, 0x1000}});
  CHECK(ranges.find({~std::uint64_t{0}}) == 0);
  CHECK_FALSE(ranges.find({0}));
  CHECK(AddressRanges({{{1}, ~std::uint64_t{0}}}).find({~std::uint64_t{0}}) == 0);
}

TEST_CASE("AddressRanges: of several that lie over each other the first has an address") {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same ranges each time
  for (int i = 0; i < 200; ++i) {
    std::vector<AddressRange> all;
    for (unsigned j = 0; j < random() % 12; ++j) all.push_back({{random() % 64}, random() % 24});
    const AddressRanges ranges(all);
    for (std::uint64_t address = 0; address < 100; ++address) {
      std::optional<std::size_t> expected;
      for (std::size_t j = all.size(); j-- > 0;) {
        if (GuestVirtual{address} - all[j].begin < all[j].size) expected = j;
      }
      CAPTURE(i, address);
      REQUIRE(ranges.find({address}) == expected);
    }
  }
}

}  // namespace photon_dmesg::test
