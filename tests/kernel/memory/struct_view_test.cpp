#include "kernel/memory/struct_view.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

const StructLayout inner("inner", 2, {{"first", 0, 1}, {"second", 1, 1}});
const StructLayout outer(
    "outer", 12,
    {{"number", 0, 4}, {"field", 4, 2, 3, 5}, {"text", 6, 4}, {"pair", 10, 2}, {"all", 0, 12}});

}  // namespace

TEST_CASE("StructView: members by name") {
  const StructView view(outer, as_bytes(std::string_view("\x01\x02\x03\x04\xff\x00"
                                                         "ab\0dXY",
                                                         12)));
  CHECK(view.number("number") == 0x04030201);
  CHECK(view.number("field") == 0x1f);
  CHECK(view.text("text") == "ab");
  CHECK(view.nested("pair", inner).number("second") == 'Y');
}

TEST_CASE("StructView: a bit field is cut out of its bytes") {
  const auto field = [](std::uint64_t value) {
    return StructView(outer, as_bytes("1234" + little_endian(value, 2) + "567890")).number("field");
  };
  CHECK(field(0x00f8) == 0x1f);
  CHECK(field(0xff07) == 0);
  CHECK(field(0x0050) == 0x0a);
}

TEST_CASE("StructView: a bit field may take all bits of its number") {
  const StructLayout whole("whole", 8, {{"all", 0, 8, 0, 64}});
  CHECK(StructView(whole, as_bytes(little_endian(0x8070605040302010, 8))).number("all") ==
        0x8070605040302010);
}

TEST_CASE("StructView: a char array without NUL ends where the member does") {
  const StructView view(outer, as_bytes("123456abcdXY"));
  CHECK(view.text("text") == "abcd");
}

TEST_CASE("StructView: what the structure does not have is named") {
  const StructView view(outer, as_bytes("123456abcdXY"));
  check_fails(Failure::UnusableInput, "struct outer: expected a member absent",
              [&] { (void)view.number("absent"); });
  check_fails(Failure::UnusableInput, "struct outer: expected a number in all, found 12 bytes",
              [&] { (void)view.number("all"); });
  check_fails(Failure::UnusableInput, "expected a struct outer of 12 bytes in pair, found 2 bytes",
              [&] { (void)view.nested("pair", outer); });
}

TEST_CASE("StructLayout: a member that leaves its structure is refused") {
  check_fails(Failure::UnusableInput, "struct bad: member end at 4, 5 bytes, leaves the 8 bytes",
              [] {
                StructLayout("bad", 8, {{"end", 4, 5}});
              });
  check_fails(Failure::UnusableInput, "leaves the 8 bytes", [] {
    StructLayout("bad", 8, {{"end", ~std::uint64_t{0}, 2}});
  });
}

}  // namespace photon_dmesg::test
