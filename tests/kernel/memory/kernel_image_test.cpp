#include "kernel/memory/kernel_image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t base = 0xffffffff81000000;

// Two pages of text, one that leads to no RAM between them, and one that is read-only.
struct Image {
  FakeMemory memory{0x80000};
  PageTableBuilder builder{memory, {0x10000}, PagingLevels::Four};

  Image() {
    builder.map({base}, {0x2000});
    builder.map({base + 0x1000}, {0x70000000});
    builder.map({base + 0x2000}, {0x3000});
    builder.map({base + 0x8000}, {0x4000}, 1, pte_present | pte_no_execute);
    memory.write_value({0x2000}, std::uint64_t{0x11});
    memory.write_value({0x3000}, std::uint64_t{0x33});
    memory.write_value({0x4000}, std::uint64_t{0x44});
  }
};

}  // namespace

TEST_CASE("KernelImage: neighbouring pages are one range, by what they may be used for") {
  Image guest;
  const KernelImage image(guest.memory, guest.builder.tables());
  REQUIRE(image.other().size() == 1);
  CHECK(image.other()[0].begin == GuestVirtual{base});
  CHECK(image.other()[0].size == 0x3000);
  REQUIRE(image.read_only().size() == 1);
  CHECK(image.read_only()[0].begin == GuestVirtual{base + 0x8000});
  CHECK(image.begin() == GuestVirtual{base});
}

TEST_CASE("KernelImage: a page that leads to no RAM is zeros, and hides nothing behind it") {
  Image guest;
  const KernelImage image(guest.memory, guest.builder.tables());
  const auto bytes = image.bytes(image.other()[0]);
  REQUIRE(bytes.size() == 0x3000);
  CHECK(bytes[0] == std::byte{0x11});
  CHECK(bytes[0x1000] == std::byte{0});
  CHECK(bytes[0x2000] == std::byte{0x33});
}

TEST_CASE("KernelImage: what was read once is not read again") {
  Image guest;
  const KernelImage image(guest.memory, guest.builder.tables());
  const auto before = image.bytes(image.read_only()[0]);
  guest.memory.write_value({0x4000}, std::uint64_t{0x55});
  CHECK(image.bytes(image.read_only()[0]).data() == before.data());
  CHECK(before[0] == std::byte{0x44});
}

TEST_CASE("KernelImage: pieces that are kept are a range as a whole, read once") {
  Image guest;
  const KernelImage image(guest.memory, guest.builder.tables());
  int pieces = 0;
  image.for_each_piece(image.other()[0], 16, [&](auto begin, auto bytes, std::uint64_t count) {
    ++pieces;
    CHECK(begin == GuestVirtual{base});
    CHECK(bytes.data() == image.bytes(image.other()[0]).data());
    CHECK(count == 0x3000);
    return true;
  });
  CHECK(pieces == 1);
}

TEST_CASE("KernelImage: pieces that are forgotten have each byte once, and what follows it") {
  constexpr std::uint64_t size = 0x31000;
  constexpr std::uint64_t longest = 100;
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < size; at += 0x1000) builder.map({base + at}, {0x20000 + at});
  builder.map({base + 0x12000}, {0x70000000});  // no RAM
  std::string expected;
  for (std::uint64_t at = 0; at < size; ++at) expected += static_cast<char>('a' + at % 251 % 26);
  memory.write_text({0x20000}, expected);
  expected.replace(0x12000, 0x1000, 0x1000, '\0');

  const KernelImage image(memory, builder.tables(), KernelImage::Pieces::Forgotten);
  REQUIRE(image.other().size() == 1);
  std::string seen;
  std::size_t enough = size + 1;
  int pieces = 0;
  const auto look = [&](GuestVirtual begin, std::span<const std::byte> bytes, std::uint64_t count) {
    ++pieces;
    CHECK(begin == GuestVirtual{base + seen.size()});
    CHECK(bytes.size() == std::min(count + longest, size - seen.size()));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    CHECK(text == std::string_view(expected).substr(seen.size(), text.size()));
    seen += text.substr(0, count);
    return seen.size() < enough;
  };
  image.for_each_piece(image.other()[0], longest, look);
  CHECK((seen == expected));
  CHECK(pieces > 1);

  // Until the visitor has seen enough.
  pieces = 0;
  seen.clear();
  enough = 1;
  image.for_each_piece(image.other()[0], longest, look);
  CHECK(pieces == 1);

  // What is there as a whole all the same is not read again.
  const auto whole = image.bytes(image.other()[0]);
  image.for_each_piece(image.other()[0], longest, [&](auto, auto bytes, auto) {
    CHECK(bytes.data() == whole.data());
    return true;
  });
}

TEST_CASE("KernelImage: words are visited data first, until the visitor has seen enough") {
  Image guest;
  const KernelImage image(guest.memory, guest.builder.tables());
  std::vector<GuestVirtual> seen;
  image.for_each_word([&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (bytes[0] != std::byte{0}) seen.push_back(address);
    return true;
  });
  CHECK(seen == std::vector<GuestVirtual>{{base}, {base + 0x2000}, {base + 0x8000}});
  int visits = 0;
  image.for_each_word([&](GuestVirtual, std::span<const std::byte>) { return ++visits < 3; });
  CHECK(visits == 3);
}

TEST_CASE("KernelImage: tables that map no image have none") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  const KernelImage image(memory, builder.tables());
  CHECK_FALSE(image.begin());
  CHECK(image.other().empty());
}

TEST_CASE("KernelImage: no more is read than an image may have, of what is mapped") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < 0x40000000 - 0x1000000; at += 0x200000) {
    builder.map({base + at}, {0}, 2);
  }
  const KernelImage image(memory, builder.tables());
  REQUIRE(image.other().size() == 1);
  CHECK(image.other()[0].begin == GuestVirtual{base});
  CHECK(image.other()[0].size == KernelImage::most_bytes);
  CHECK(image.budget().exceeded());
}

}  // namespace photon_dmesg::test
