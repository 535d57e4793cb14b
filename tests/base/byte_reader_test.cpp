#include "base/byte_reader.h"

#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("ByteSource: a range exists only if all of it does, however large its numbers") {
  const BufferSource source("file", as_bytes("0123456789"));
  CHECK(source.contains(0, 10));
  CHECK(source.contains(10, 0));
  CHECK_FALSE(source.contains(0, 11));
  CHECK_FALSE(source.contains(11, 0));
  CHECK_FALSE(source.contains(huge, 0));
  CHECK_FALSE(source.contains(huge, 1));
  CHECK_FALSE(source.contains(1, huge));
  CHECK_FALSE(source.contains(huge - 4, 5));
}

TEST_CASE("ByteSource: a read past the end says what was wanted and where the end is") {
  const BufferSource source("file", as_bytes("0123456789"));
  std::array<std::byte, 4> target{};
  source.read_at(6, target);
  CHECK(as_text(target) == "6789");
  check_fails(Failure::UnusableInput, "expected 4 bytes at offset 0x7, but it ends at 0xa",
              [&] { source.read_at(7, target); });
  check_fails(Failure::UnusableInput, "expected 4 bytes at offset 0xffffffffffffffff",
              [&] { source.read_at(huge, target); });
}

TEST_CASE("ByteReader: numbers are little-endian and advance the position") {
  const BufferSource source("file", as_bytes("\x01\x02\x03\x04\x05\x06\x07\x08\xff\xfe\xfd\xfc"));
  ByteReader reader(source);
  CHECK(reader.u8("a byte") == 0x01);
  CHECK(reader.u16("a short") == 0x0302);
  CHECK(reader.u32("a word") == 0x07060504);
  CHECK(reader.unsigned_of(0, "nothing") == 0);
  CHECK(reader.unsigned_of(3, "three bytes") == 0xfeff08);
  CHECK(reader.position() == 10);
  CHECK(reader.remaining() == 2);
  reader.skip(2, "the rest");
  CHECK(reader.remaining() == 0);
}

TEST_CASE("ByteReader: 8 bytes are a whole number") {
  const BufferSource source("file", as_bytes("\x88\x77\x66\x55\x44\x33\x22\x11"));
  CHECK(ByteReader(source).u64("a number") == 0x1122334455667788);
  CHECK(ByteReader(source).text(4, "text") == "\x88\x77\x66\x55");
}

TEST_CASE("ByteReader: nothing leaves the range, not even into bytes that the source has") {
  const BufferSource source("file", as_bytes("0123456789"));
  const auto reader = [&] { return ByteReader(source, 2, 5); };
  CHECK(reader().text(3, "text") == "234");
  check_fails(Failure::UnusableInput,
              "expected the flags (4 bytes) at offset 0x2, found the end at 0x5",
              [&] { (void)reader().u32("the flags"); });
  check_fails(Failure::UnusableInput, "found the end at 0x5",
              [&] { (void)reader().text(4, "text"); });
  check_fails(Failure::UnusableInput, "found the end at 0x5",
              [&] { reader().skip(huge, "a block"); });
  check_fails(Failure::UnusableInput, "found the end at 0x5",
              [&] { (void)reader().text(huge, "text"); });
}

TEST_CASE("ByteReader: a range that the source does not have is refused") {
  const BufferSource source("file", as_bytes("0123456789"));
  check_fails(Failure::UnusableInput, "ends at 0xa", [&] { ByteReader(source, 0, 11); });
  check_fails(Failure::UnusableInput, "from 0x6 to 0x5", [&] { ByteReader(source, 6, 5); });
  check_fails(Failure::UnusableInput, "ends at 0xa", [&] { ByteReader(source, 0, huge); });
}

TEST_CASE("ByteReader: a number of more than 8 bytes is refused") {
  const BufferSource source("file", as_bytes("0123456789"));
  check_fails(Failure::UnusableInput, "expected at most 8 bytes, found 9",
              [&] { (void)ByteReader(source).unsigned_of(9, "a value"); });
}

TEST_CASE("Error: context stands in front, outermost first") {
  const Error error = error_of([] {
    with_context("vm.vmss", [] { with_context("group \"cpu\"", [] { throw unusable("cut"); }); });
  });
  CHECK(std::string(error.what()) == "vm.vmss: group \"cpu\": cut");
}

}  // namespace photon_dmesg::test
