#include "checkpoint/guest/memory_layout.h"

#include <catch2/catch.hpp>

#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr std::uint64_t gib_pages = gib / 4096;

std::uint64_t offset_of(const MemoryLayout& layout, std::uint64_t address) {
  const std::optional<MemoryLayout::Place> run = layout.find({address});
  REQUIRE(run);
  return run->image_offset;
}

}  // namespace

TEST_CASE("MemoryLayout: without regions the image maps 1:1 from 0") {
  const MemoryLayout layout({}, 0x10000);
  CHECK(offset_of(layout, 0xffff) == 0xffff);
  CHECK_FALSE(layout.find({0x10000}));
  CHECK_FALSE(layout.find({~std::uint64_t{0}}));
  CHECK(layout.find({0x8000})->length == 0x8000);
}

TEST_CASE("MemoryLayout: memory above 4 GiB follows the hole's lower edge in the image") {
  const MemoryLayout layout({{0, 0, 3 * gib_pages}, {4 * gib_pages, 3 * gib_pages, gib_pages}},
                            4 * gib);
  CHECK(offset_of(layout, 3 * gib - 1) == 3 * gib - 1);
  CHECK_FALSE(layout.find({3 * gib}));
  CHECK_FALSE(layout.find({4 * gib - 1}));
  CHECK(offset_of(layout, 4 * gib) == 3 * gib);
  CHECK(offset_of(layout, 5 * gib - 1) == 4 * gib - 1);
  CHECK_FALSE(layout.find({5 * gib}));
  CHECK(layout.image_size() == 4 * gib);
}

TEST_CASE("MemoryLayout: with two holes, each region has its own place in the image") {
  // Adding up the holes, as crash does, finds the third region one hole too low or too high.
  const MemoryLayout layout({{0, 0, 16}, {32, 16, 16}, {64, 32, 16}}, 48 * 4096);
  CHECK(offset_of(layout, 15 * 4096) == 15 * 4096);
  CHECK(offset_of(layout, 32 * 4096) == 16 * 4096);
  CHECK(offset_of(layout, 64 * 4096 + 5) == 32 * 4096 + 5);
  CHECK_FALSE(layout.find({48 * 4096}));
}

TEST_CASE("MemoryLayout: regions may come in any order and lie in any order in the image") {
  const MemoryLayout layout({{64, 0, 16}, {0, 16, 16}}, 32 * 4096);
  CHECK(offset_of(layout, 0) == 16 * 4096);
  CHECK(offset_of(layout, 64 * 4096) == 0);
  CHECK(layout.ranges().front().begin == GuestPhysical{0});
}

TEST_CASE("MemoryLayout: a region without pages is none") {
  const MemoryLayout layout({{0, 0, 0}}, 0x1000);
  CHECK(offset_of(layout, 0xfff) == 0xfff);
}

TEST_CASE("MemoryLayout: overlapping or absurd regions are refused") {
  check_fails(Failure::UnusableInput, "overlap: two of them hold guest-physical page 0x8", [] {
    MemoryLayout({{0, 0, 16}, {8, 16, 16}}, 0);
  });
  check_fails(Failure::UnusableInput, "overlap: two of them hold image page 0x8", [] {
    MemoryLayout({{0, 0, 16}, {32, 8, 16}}, 0);
  });
  const std::uint64_t absurd = ~std::uint64_t{0} / 4096;
  check_fails(Failure::UnusableInput, "out of range", [&] { MemoryLayout({{absurd, 0, 1}}, 0); });
  check_fails(Failure::UnusableInput, "out of range", [&] { MemoryLayout({{0, absurd, 1}}, 0); });
  check_fails(Failure::UnusableInput, "out of range", [&] { MemoryLayout({{0, 0, absurd}}, 0); });
}

TEST_CASE("MemoryLayout: runs of any size, in any order, and of what is there twice, the first") {
  const MemoryLayout layout(
      {{{100}, 1000, 50}, {{0}, 0, 300}, {{120}, 2000, 10}, {{290}, 5000, 20}});
  CHECK(layout.find({99})->image_offset == 99);
  CHECK(layout.find({100})->image_offset == 1000);
  CHECK(layout.find({149})->image_offset == 1049);
  CHECK(layout.find({149})->length == 1);
  CHECK(layout.find({150})->image_offset == 150);
  CHECK(layout.find({299})->image_offset == 299);
  CHECK(layout.find({300})->image_offset == 5010);
  CHECK_FALSE(layout.find({310}));
  std::uint64_t end = 0;
  for (const PhysicalRange& range : layout.ranges()) {
    CHECK(range.begin.value >= end);
    end = range.begin.value + range.size;
  }
}

TEST_CASE("MemoryLayout: bytes of the image are memory in one place only") {
  const auto layout_of = [](const std::vector<MemoryRun>& runs) { return MemoryLayout(runs); };
  check_fails(Failure::UnusableInput,
              "expected the bytes at offset 0x1800 to be memory in one place, found physical "
              "0x100800 and 0x200000",
              [&] {
                (void)layout_of({{{0x200000}, 0x1800, 0x1000}, {{0x100000}, 0x1000, 0x1000}});
              });
  // What is listed twice is there once.
  CHECK(layout_of({{{0x100000}, 0x1000, 0x1000}, {{0x100000}, 0x1000, 0x1000}}).ranges().size() ==
        1);
}

TEST_CASE("MemoryLayout: runs that overlap by the hundred thousand") {
  // Each begins a page before the one before it, and all end at the same place: every run after the
  // first has one page that is new.
  constexpr std::uint64_t count = 300'000;
  std::vector<MemoryRun> runs;
  for (std::uint64_t i = 1; i <= count; ++i) {
    runs.push_back({{(count - i) * 4096}, (count - i) * 4096, i * 4096});
  }
  // And each of these holds all of it.
  for (std::uint64_t i = 0; i < count; ++i) runs.push_back({{0}, i, count * 4096});
  const MemoryLayout layout(runs);
  REQUIRE(layout.ranges().size() == count);
  CHECK(layout.find({0})->image_offset == 0);
  CHECK(layout.find({0})->length == 4096);
  CHECK_FALSE(layout.find({count * 4096}));
}

}  // namespace photon_dmesg::test
