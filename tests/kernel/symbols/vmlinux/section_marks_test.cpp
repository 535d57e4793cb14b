#include "kernel/symbols/vmlinux/section_marks.h"

#include <catch2/catch.hpp>
#include <vector>

namespace photon_dmesg::test {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

TEST_CASE("parse_unit_header: the headers of DWARF 4 and 5") {
  const auto version_4 = parse_unit_header(bytes_of({0x20, 0, 0, 0, 4, 0, 7, 1, 0, 0, 8, 1}));
  REQUIRE(version_4);
  CHECK(version_4->size == 0x24);
  CHECK(version_4->abbreviations == 0x107);
  CHECK(version_4->abbreviations_place == 6);
  const auto version_5 = parse_unit_header(bytes_of({0x20, 0, 0, 0, 5, 0, 1, 8, 7, 1, 0, 0}));
  REQUIRE(version_5);
  CHECK(version_5->abbreviations == 0x107);
  CHECK(version_5->abbreviations_place == 8);
}

TEST_CASE("parse_unit_header: a unit must have room for its own header") {
  CHECK(parse_unit_header(bytes_of({8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1})));
  CHECK_FALSE(parse_unit_header(bytes_of({7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1})));
  CHECK_FALSE(parse_unit_header(bytes_of({0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1})));
  CHECK_FALSE(parse_unit_header(bytes_of({8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8})));
}

TEST_CASE("find_frame: entries refer to what is before them") {
  const auto frame = bytes_of({0x14, 0, 0, 0, 0x20, 0, 0, 0});
  CHECK(find_frame(frame, 0x21) == 0x18U);
  CHECK_FALSE(find_frame(frame, 0x20));
  CHECK_FALSE(is_first_frame(frame));
  const auto first = bytes_of({0x14, 0, 0, 0, 0xff, 0xff, 0xff, 0xff});
  CHECK(is_first_frame(first));
  CHECK(find_frame(first, 0) == 0x18U);
}

TEST_CASE("count_text_bytes: up to control characters or a run of zeros") {
  CHECK(count_text_bytes(bytes_of({'a', 0, 'b', 0})) == 4);
  CHECK(count_text_bytes(bytes_of({'a', 0, 'b', 1})) == 3);
  CHECK(count_text_bytes(bytes_of({'a', 0, 0, 0, 0, 'b'})) == 2);
  CHECK(count_text_bytes(bytes_of({0, 0, 0, 0, 0})) == 0);
}

}  // namespace photon_dmesg::test
