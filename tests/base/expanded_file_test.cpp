#include "base/expanded_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::size_t kibibyte = 1024;

std::string numbers_up_to(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + ' ';
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("ExpandedFile: what is expanded stands at its place, the rest reads as zeros") {
  const TemporaryFolder folder;
  const std::string text = numbers_up_to(500 * kibibyte + 3);
  ExpandedFile file(folder.write("file", text));
  REQUIRE(file.bytes().size() == text.size());
  CHECK(as_text(file.expand({200 * kibibyte, 100 * kibibyte})) ==
        text.substr(200 * kibibyte, 100 * kibibyte));
  CHECK(file.bytes()[0] == std::byte{0});
  CHECK(as_text(file.expand({0, text.size()})) == text);
  CHECK(as_text(file.bytes()) == text);
}

TEST_CASE("ExpandedFile: a range past the end is refused") {
  const TemporaryFolder folder;
  ExpandedFile file(folder.write("file", "text"));
  check_fails(Failure::UnusableInput, "file: truncated: expected 2 bytes at offset 0x3", [&] {
    (void)file.expand({3, 2});
  });
  check_fails(Failure::UnusableInput, "truncated", [&] {
    (void)file.expand({~std::uint64_t{0}, 2});
  });
  CHECK(file.expand({4, 0}).empty());
}

TEST_CASE("ExpandedFile: a file that shrinks is an error, and what was read stays") {
  const TemporaryFolder folder;
  const std::string text = numbers_up_to(500 * kibibyte);
  const std::filesystem::path path = folder.write("file", text);
  ExpandedFile file(path);
  (void)file.expand({0, 10});
  std::filesystem::resize_file(path, 5);
  CHECK(as_text(file.expand({0, 1000})) == text.substr(0, 1000));
  check_fails(Failure::UnusableInput, "the file became shorter", [&] {
    (void)file.expand({300 * kibibyte, 10});
  });
}

TEST_CASE("ExpandedFile: an empty file has nothing") {
  const TemporaryFolder folder;
  const ExpandedFile file(folder.write("file", ""));
  CHECK(file.bytes().empty());
}

}  // namespace photon_dmesg::test
