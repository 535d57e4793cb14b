#include "checkpoint/vmware/block_tails.h"

#include <catch2/catch.hpp>

#include "checkpoint/vmware/fastlz.h"

namespace photon_dmesg::test {
namespace {

std::vector<std::byte> block_of(std::uint64_t index) {
  return {std::byte(index), std::byte(index >> 8)};
}

}  // namespace

TEST_CASE("BlockTails: the end of a block is kept, as far as references reach") {
  BlockTails tails;
  std::vector<std::byte> block(fastlz_reach + 2, std::byte{1});
  block[1] = std::byte{2};  // the last that is out of reach
  tails.keep(0, block);
  REQUIRE(tails.find(0) != nullptr);
  CHECK(*tails.find(0) == std::vector<std::byte>(fastlz_reach, std::byte{1}));
  CHECK(tails.find(1) == nullptr);
}

TEST_CASE("BlockTails: of however many blocks few are kept, and from any it is not far to one") {
  constexpr std::uint64_t count = 100'000;
  constexpr std::uint64_t far = 128;  // count / most, up to a power of two
  BlockTails tails;
  for (std::uint64_t i = 0; i < count; ++i) {
    tails.keep(i, block_of(i));
    CHECK(tails.count() <= BlockTails::most + BlockTails::recent);
  }
  for (std::uint64_t i = count - BlockTails::recent; i < count; ++i) {
    REQUIRE(tails.find(i) != nullptr);
    CHECK(*tails.find(i) == block_of(i));
  }
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto* tail = tails.find(i);
    if (tail != nullptr) CHECK(*tail == block_of(i));
    if (tail != nullptr) last = i;
    REQUIRE(i - last < far);
  }
}

TEST_CASE("BlockTails: blocks that come anew push out none that is kept for good") {
  BlockTails tails;
  tails.keep(0, block_of(0));
  for (int i = 0; i < 100; ++i) tails.keep(7, block_of(7));
  CHECK(tails.find(0) != nullptr);
  CHECK(tails.count() <= 4);
}

}  // namespace photon_dmesg::test
