#include "kernel/memory/fields.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/bytes.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// An object of 32 bytes: 0, 1, 2 and so on.
struct Object {
  TaskGuest guest;
  GuestVirtual at = guest.allocate(32);

  Object() {
    for (std::uint64_t i = 0; i < 32; ++i) guest.write(at + i, i, 1);
  }
};

Field field(std::uint64_t offset, std::uint64_t size) {
  Field field;
  field.offset = offset;
  field.size = size;
  return field;
}

Field bits(std::uint64_t offset, unsigned shift, unsigned width) {
  Field field{offset, 4, shift, width, nullptr};
  return field;
}

const std::optional<Field> unknown;

}  // namespace

TEST_CASE("fields: a number of each width, little-endian and without a sign") {
  Object object;
  const KernelMemory& memory = object.guest.memory();
  CHECK(read_number(memory, object.at, field(1, 1)) == 0x01U);
  CHECK(read_number(memory, object.at, field(1, 2)) == 0x0201U);
  CHECK(read_number(memory, object.at, field(4, 4)) == 0x07060504U);
  CHECK(read_number(memory, object.at, field(8, 8)) == 0x0f0e0d0c0b0a0908U);
  object.guest.write(object.at, 0xff, 1);
  CHECK(read_number(memory, object.at, field(0, 1)) == 0xffU);
}

TEST_CASE("fields: bits of a number") {
  Object object;
  object.guest.write(object.at, 0b1011'0110, 4);
  const KernelMemory& memory = object.guest.memory();
  CHECK(read_number(memory, object.at, bits(0, 0, 1)) == 0U);
  CHECK(read_number(memory, object.at, bits(0, 1, 2)) == 0b11U);
  CHECK(read_number(memory, object.at, bits(0, 4, 4)) == 0b1011U);
}

TEST_CASE("fields: a bit field may take all bits of its number") {
  Object object;
  CHECK(read_number(object.guest.memory(), object.at, Field{8, 8, 0, 64, nullptr}) ==
        0x0f0e0d0c0b0a0908U);
}

TEST_CASE("fields: what no source knows, what is too long and what is not there has no number") {
  Object object;
  const KernelMemory& memory = object.guest.memory();
  CHECK_FALSE(read_number(memory, object.at, unknown));
  CHECK_FALSE(read_number(memory, object.at, field(0, 16)));
  CHECK_FALSE(read_number(memory, TaskGuest::nowhere, field(0, 8)));
}

TEST_CASE("fields: a null pointer is none") {
  Object object;
  object.guest.write(object.at, 0);
  const KernelMemory& memory = object.guest.memory();
  CHECK_FALSE(read_pointer(memory, object.at));
  CHECK_FALSE(read_pointer(memory, object.at, std::optional(field(0, 8))));
  CHECK(read_pointer(memory, object.at, std::optional(field(8, 8))) ==
        GuestVirtual{0x0f0e0d0c0b0a0908});
  CHECK_FALSE(read_pointer(memory, object.at, unknown));
  CHECK_FALSE(read_pointer(memory, TaskGuest::nowhere));
}

TEST_CASE("fields: a text ends with its NUL or with its array") {
  Object object;
  object.guest.write_text(object.at, "abc");
  object.guest.write_text(object.at + 8, "0123456789");
  const KernelMemory& memory = object.guest.memory();
  CHECK(read_text(memory, object.at, field(0, 8)) == "abc");
  CHECK(read_text(memory, object.at, field(8, 4)) == "0123");
  CHECK_FALSE(read_text(memory, object.at, unknown));
  CHECK_FALSE(read_text(memory, TaskGuest::nowhere, field(0, 8)));
}

TEST_CASE("fields: bytes that have been read hold no more than they are") {
  const std::string bytes = little_endian(0x0706050403020100, 8);
  const auto span = as_bytes(bytes);
  CHECK(number_in(span, field(4, 4)) == 0x07060504U);
  CHECK(number_in(span, bits(4, 8, 4)) == 5U);
  CHECK_FALSE(number_in(span, field(5, 4)));
  CHECK_FALSE(number_in(span, field(9, 1)));
  CHECK_FALSE(number_in(span, field(~std::uint64_t{0}, 4)));
  CHECK_FALSE(number_in(span, field(0, 9)));
  CHECK_FALSE(number_in(span, unknown));
}

}  // namespace photon_dmesg::test
