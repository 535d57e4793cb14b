#include "kernel/arch/aarch64/ram_shifts.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/fake_memory.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x400000;
constexpr std::uint64_t table = 3;  // an entry's kind

// Memory that was read from 0, with tables that were written where it lies `shift` higher.
struct Moved {
  explicit Moved(std::uint64_t shift) : shift(shift) {}

  // A table at `from` that leads to one at `to`, at one of its places.
  void lead(std::uint64_t from, std::uint64_t to, std::uint64_t place = 0) {
    memory.write_value({from + place * 8}, (to + shift) | table);
  }
  [[nodiscard]] std::vector<std::uint64_t> find() const {
    return aarch64::possible_ram_shifts(memory, {{0}, memory_size});
  }

  FakeMemory memory{memory_size};
  std::uint64_t shift;
};

}  // namespace

TEST_CASE("arm64 RAM: the distance that most tables agree on is the likeliest") {
  Moved moved(0x80100000);
  moved.lead(0x100000, 0x130000);
  moved.lead(0x130000, 0x171000, 511);
  moved.lead(0x171000, 0x182000, 7);
  moved.memory.write_value({0x182008}, std::uint64_t{0x80100000} | table);
  // Of some program: its tables lead elsewhere.
  moved.lead(0x200000, 0x900000);
  const std::vector<std::uint64_t> found = moved.find();
  REQUIRE_FALSE(found.empty());
  CHECK(found.front() == moved.shift);
  CHECK(found.size() <= 4);
}

TEST_CASE("arm64 RAM: a chain of three tables weighs more than many pairs") {
  Moved moved(0x80100000);
  moved.lead(0x100000, 0x131000);
  moved.lead(0x131000, 0x172000);
  moved.memory.write_value({0x172008}, std::uint64_t{0x80100000} | table);
  // Tables that lie as far from each other as what another one leads to.
  for (std::uint64_t i = 0; i < 8; ++i) {
    moved.memory.write_value({0x200000 + i * 8}, (0x90300000 + i * 0x1000) | table);
    moved.memory.write_value({0x300000 + i * 0x1000}, std::uint64_t{0x80100000} | 1);
  }
  const std::vector<std::uint64_t> found = moved.find();
  REQUIRE(found.size() > 1);
  CHECK(found[0] == moved.shift);
  CHECK(std::find(found.begin(), found.end(), 0x90000000) != found.end());
}

TEST_CASE("arm64 RAM: one pair alone is chance, and so is a beginning between pages") {
  Moved once(0x80000000);
  once.lead(0x100000, 0x130000);
  CHECK(once.find().empty());
  Moved odd(0x80001000);
  odd.lead(0x100000, 0x130000);
  odd.lead(0x130000, 0x171000);
  odd.lead(0x171000, 0x182000);
  const auto found = odd.find();
  CHECK(std::find(found.begin(), found.end(), odd.shift) == found.end());
}

TEST_CASE("arm64 RAM: what is not mapped, and pages that programs have, lead to no tables") {
  Moved moved(0x80000000);
  moved.lead(0x100000, 0x130000);
  moved.lead(0x130000, 0x170000);
  moved.memory.write_value({0x170000}, std::uint64_t{0x80180000} | table);
  REQUIRE_FALSE(moved.find().empty());
  SECTION("not present") {
    moved.memory.write_value({0x100008}, std::uint64_t{0x1234000});
    moved.memory.write_value({0x130008}, std::uint64_t{0x1234000});
    CHECK(moved.find().empty());
  }
  SECTION("of a program") {
    constexpr std::uint64_t user = 1U << 6;
    moved.memory.write_value({0x100000}, std::uint64_t{0x80130000} | table | user);
    moved.memory.write_value({0x130000}, std::uint64_t{0x80170000} | table | user);
    CHECK(moved.find().empty());
  }
}

TEST_CASE("arm64 RAM: memory full of tables is looked at as far as a budget goes") {
  FakeMemory memory(8192 * 4096);
  for (std::uint64_t page = 0; page < 8192; ++page) {
    for (std::uint64_t slot = 0; slot < 512; ++slot) {
      memory.write_value({page * 4096 + slot * 8}, (page * 512 + slot) << 12U | table);
    }
  }
  CHECK(aarch64::possible_ram_shifts(memory, {{0}, 8192 * 4096}).size() <= 4);
}

}  // namespace photon_dmesg::test
