#include "kernel/symbols/build_id.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

std::string note(const std::string& name, const std::string& descriptor, std::uint32_t type) {
  const auto padded = [](std::string bytes) {
    bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
    return bytes;
  };
  return little_endian(name.size(), 4) + little_endian(descriptor.size(), 4) +
         little_endian(type, 4) + padded(name) + padded(descriptor);
}

const std::string gnu("GNU\0", 4);

std::optional<std::string> find(const std::string& notes) {
  return find_build_id(BufferSource("notes", as_bytes(notes)));
}

}  // namespace

TEST_CASE("find_build_id: among other notes, as hexadecimal") {
  CHECK(find(note(gnu, "\x01\xff\x0a", 3)) == "01ff0a");
  CHECK(find(note("Xen", "12345", 1) + note(gnu, "\x12", 1) + note(gnu, "\xab", 3)) == "ab");
}

TEST_CASE("find_build_id: none where there is none") {
  CHECK_FALSE(find(""));
  CHECK_FALSE(find(note(gnu, "\x01", 1)));
  CHECK_FALSE(find(note(std::string("XNU\0", 4), "\x01", 3)));
  CHECK_FALSE(find(note(gnu, std::string(65, 'x'), 3)));
}

TEST_CASE("find_build_id: damaged notes have none, wherever they end") {
  const std::string whole = note("Linux", "xy", 257) + note(gnu, "\x01\x02\x03\x04", 3);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(find(whole.substr(0, length)));
  }
  std::string absurd = whole;
  absurd.replace(0, 4, "\xff\xff\xff\xff");
  CHECK_FALSE(find(absurd));
  absurd.replace(0, 8, little_endian(6, 4) + "\xff\xff\xff\xff");
  CHECK_FALSE(find(absurd));
}

}  // namespace photon_dmesg::test
