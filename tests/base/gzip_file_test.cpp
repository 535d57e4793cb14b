#include "base/gzip_file.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/gzip_writer.h"

namespace photon_dmesg::test {
namespace {

// Longer than several blocks, none like another, and not a multiple of their size.
std::string long_text() {
  std::string text;
  while (text.size() < 3 * SpooledFile::block_bytes) text += std::to_string(text.size()) + ' ';
  return text;
}

std::string read_back(const ByteSource& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  file.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::unique_ptr<GzipFile> open(const std::string& packed) {
  CollectedDiagnostics diagnostics;
  return std::make_unique<GzipFile>(BufferSource("vm.vmem.gz", as_bytes(packed)), diagnostics);
}

}  // namespace

TEST_CASE("GzipFile: any part of what was packed can be read, in any order") {
  const std::string text = long_text();
  const auto file = open(gzip(text));
  REQUIRE(file->size() == text.size());
  CHECK(file->name() == "vm.vmem.gz");
  CHECK(read_back(*file, 0, text.size()) == text);
  for (const std::size_t offset :
       {text.size() - 10, SpooledFile::block_bytes - 5, std::size_t{7}}) {
    CHECK(read_back(*file, offset, 10) == text.substr(offset, 10));
  }
}

TEST_CASE("GzipFile: members that stand one behind the other are one file") {
  CHECK(read_back(*open(gzip("one, ") + gzip("") + gzip("two")), 0, 8) == "one, two");
}

TEST_CASE("GzipFile: what follows the last member is passed over") {
  const std::string text = "the text";
  for (const char* rest : {"no member", "\x1f no member"}) {
    const auto file = open(gzip(text) + rest);
    REQUIRE(file->size() == text.size());
    CHECK(read_back(*file, 0, text.size()) == text);
  }
}

TEST_CASE("GzipFile: what packs very well is unpacked to its end") {
  const std::string zeros(5'000'001, '\0');
  const auto file = open(gzip(zeros));
  REQUIRE(file->size() == zeros.size());
  CHECK(read_back(*file, 5'000'000, 1) == std::string(1, '\0'));
}

TEST_CASE("GzipFile: cut short at any byte, it is refused as truncated") {
  const std::string packed = gzip("a short text");
  for (std::size_t length = 3; length < packed.size(); ++length) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput, "vm.vmem.gz: truncated",
                [&] { (void)open(packed.substr(0, length)); });
  }
}

TEST_CASE("GzipFile: a wrong checksum or length is refused as damage") {
  const std::string packed = gzip("a short text");
  for (const std::size_t from_end : {std::size_t{8}, std::size_t{1}}) {
    for (const std::string& other : {std::string(), gzip("another member")}) {
      std::string damaged = other + packed;
      damaged[damaged.size() - from_end] ^= 1;
      check_fails(Failure::UnusableInput, "vm.vmem.gz: damaged: its checksum does not fit",
                  [&] { (void)open(damaged); });
    }
  }
}

TEST_CASE("GzipFile: what deflate does not have is refused as damage") {
  std::string packed = gzip("a short text");
  packed[10] |= 0x06;  // the first block's type: 3
  check_fails(Failure::UnusableInput, "vm.vmem.gz: damaged: invalid deflate data",
              [&] { (void)open(packed); });
  packed = gzip("a short text");
  packed[2] = 7;  // the method
  check_fails(Failure::UnusableInput, "vm.vmem.gz: damaged: it is not packed with deflate",
              [&] { (void)open(packed); });
}

TEST_CASE("is_gzip_file: by its first bytes") {
  const std::string packed = gzip("x");
  CHECK(is_gzip_file(BufferSource("a", as_bytes(packed))));
  CHECK_FALSE(is_gzip_file(BufferSource("b", as_bytes("\x1f\x8b"))));
  CHECK_FALSE(is_gzip_file(BufferSource("c", as_bytes("plain text"))));
}

}  // namespace photon_dmesg::test
