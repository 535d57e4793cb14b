#include "checkpoint/guest/shifted_memory.h"

#include <array>
#include <catch2/catch.hpp>

#include "support/fake_memory.h"

namespace photon_dmesg::test {
namespace {

std::shared_ptr<FakeMemory> two_ranges() {
  auto memory = std::make_shared<FakeMemory>(
      std::vector<PhysicalRange>{{GuestPhysical{0x1000}, 0x1000}, {GuestPhysical{0x4000}, 0x2000}});
  memory->write_value({0x4008}, std::uint64_t{0x1234});
  return memory;
}

std::optional<std::uint64_t> word_at(const GuestMemory& memory, GuestPhysical address) {
  std::uint64_t word = 0;
  const bool is_there = memory.read(address, std::as_writable_bytes(std::span(&word, 1)));
  return is_there ? std::optional(word) : std::nullopt;
}

}  // namespace

TEST_CASE("shifted memory: all of it lies higher, or lower") {
  const ShiftedMemory higher(two_ranges(), 0x80000000);
  CHECK(higher.size() == 0x3000);
  REQUIRE(higher.ranges().size() == 2);
  CHECK(higher.ranges()[1].begin == GuestPhysical{0x80004000});
  CHECK(word_at(higher, {0x80004008}) == 0x1234U);
  CHECK_FALSE(word_at(higher, {0x4008}));
  CHECK_FALSE(word_at(higher, {0x80002000}));
  const ShiftedMemory lower(two_ranges(), 0 - std::uint64_t{0x1000});
  CHECK(lower.ranges()[0].begin == GuestPhysical{0});
  CHECK(word_at(lower, {0x3008}) == 0x1234U);
}

TEST_CASE("shifted memory: what it is made of tells the rest") {
  const auto memory = two_ranges();
  const ShiftedMemory shifted(memory, 0x80000000);
  CHECK(shifted.name() == memory->name());
  CHECK_FALSE(shifted.unreadable());
  CHECK_FALSE(shifted.find_in_file({0x80001000}));
}

}  // namespace photon_dmesg::test
