#include "base/elf_notes.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

std::vector<ElfNote> read(const std::string& bytes) {
  const BufferSource source("core", as_bytes(bytes));
  ElfNotes notes(source, 0, source.size());
  std::vector<ElfNote> found;
  while (auto note = notes.next()) found.push_back(*note);
  return found;
}

}  // namespace

TEST_CASE("ELF notes: what is written is read, whatever its length") {
  std::string bytes;
  std::vector<std::string> contents;
  for (std::size_t length = 0; length < 9; ++length) {
    contents.emplace_back(length, 'x');
    bytes += make_elf_note(std::string(length, 'o'), static_cast<std::uint32_t>(length),
                           contents.back());
    CHECK(bytes.size() % 4 == 0);
  }
  const std::vector<ElfNote> found = read(bytes);
  REQUIRE(found.size() == contents.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].owner == std::string(i, 'o'));
    CHECK(found[i].type == i);
    CHECK(bytes.substr(found[i].offset, found[i].size) == contents[i]);
  }
}

TEST_CASE("ELF notes: the last one's padding may be missing, nothing else may") {
  const std::string whole = make_elf_note("CORE", 1, "12345");
  CHECK(read(whole.substr(0, whole.size() - 3)).size() == 1);
  for (std::size_t length = 12; length < whole.size() - 3; ++length) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput, "truncated", [&] { (void)read(whole.substr(0, length)); });
  }
  CHECK(read(whole.substr(0, 11)).empty());
}

TEST_CASE("ELF notes: a size that no note has is refused") {
  for (const std::size_t place : {0U, 4U}) {
    std::string bytes = make_elf_note("CORE", 1, "12345");
    bytes.replace(place, 4, little_endian(0xffffffff, 4));
    check_fails(Failure::UnusableInput, "expected a note of at most", [&] { (void)read(bytes); });
  }
}

}  // namespace photon_dmesg::test
