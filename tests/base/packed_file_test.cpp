#include "base/packed_file.h"

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
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

std::shared_ptr<const ByteSource> open(const std::string& packed,
                                       SpoolLimits limits = SpoolLimits::of_machine()) {
  CollectedDiagnostics diagnostics;
  return unpack_file(BufferSource("vm.vmem.gz", as_bytes(packed)), diagnostics, limits);
}

}  // namespace

TEST_CASE("packed files: any part of what was packed can be read, in any order") {
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

TEST_CASE("packed files: members that stand one behind the other are one file") {
  CHECK(read_back(*open(gzip("one, ") + gzip("") + gzip("two")), 0, 8) == "one, two");
}

TEST_CASE("packed files: what follows the last member is passed over") {
  const std::string text = "the text";
  for (const char* rest : {"no member", "\x1f no member"}) {
    const auto file = open(gzip(text) + rest);
    REQUIRE(file->size() == text.size());
    CHECK(read_back(*file, 0, text.size()) == text);
  }
}

TEST_CASE("packed files: what packs very well is unpacked to its end") {
  const std::string zeros(5'000'001, '\0');
  const auto file = open(gzip(zeros));
  REQUIRE(file->size() == zeros.size());
  CHECK(read_back(*file, 5'000'000, 1) == std::string(1, '\0'));
}

TEST_CASE("packed files: cut short at any byte, it is refused as truncated") {
  const std::string packed = gzip("a short text");
  for (std::size_t length = 3; length < packed.size(); ++length) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput, "vm.vmem.gz: truncated",
                [&] { (void)open(packed.substr(0, length)); });
  }
}

TEST_CASE("packed files: a wrong checksum or length is refused as damage") {
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

TEST_CASE("packed files: what deflate does not have is refused as damage") {
  std::string packed = gzip("a short text");
  packed[10] |= 0x06;  // the first block's type: 3
  check_fails(Failure::UnusableInput, "vm.vmem.gz: damaged: invalid deflate data",
              [&] { (void)open(packed); });
  packed = gzip("a short text");
  packed[2] = 7;  // the method
  check_fails(Failure::UnusableInput, "vm.vmem.gz: damaged: it is not packed with deflate",
              [&] { (void)open(packed); });
}

TEST_CASE("packing_of: by the first bytes") {
  const auto named = [](const std::string& bytes) {
    return packing_of(BufferSource("a", as_bytes(bytes)));
  };
  CHECK(named(gzip("x")) == "gzip");
  for (const std::string_view packing : {"zstd", "xz", "bzip2"}) {
    CHECK(named(pack("x", packing)) == packing);
  }
  for (const char* other : {"", "\x1f\x8b", "BZ", "plain text"}) CHECK_FALSE(named(other));
}

TEST_CASE("packed files: every packing is unpacked, and its damage is refused") {
  const std::string text = long_text();
  for (const std::string_view packing : {"gzip", "zstd", "xz", "bzip2"}) {
    CAPTURE(packing);
    const std::string packed = pack(text, packing);
    const auto file = open(packed);
    REQUIRE(file->size() == text.size());
    CHECK(read_back(*file, 0, text.size()) == text);
    const std::vector<std::byte> begin =
        peek_unpacked(BufferSource("vm.vmem.gz", as_bytes(packed)), 100);
    CHECK(as_text(begin) == text.substr(0, 100));
    for (const std::size_t part : {std::size_t{8}, std::size_t{4}, std::size_t{2}}) {
      check_fails(Failure::UnusableInput, "vm.vmem.gz: ", [&] {
        (void)open(packed.substr(0, packed.size() - packed.size() / part));
      });
    }
  }
}

TEST_CASE("packed files: what is zero takes no memory, and is known to be") {
  const std::string zeros(8 * SpooledFile::block_bytes, '\0');
  const std::string text = zeros + "the text" + zeros;
  const auto file = open(gzip(text));
  CHECK(file->next_data(0) == zeros.size());
  CHECK(file->data_end(zeros.size()) == zeros.size() + SpooledFile::block_bytes);
  CHECK(file->next_data(zeros.size() + SpooledFile::block_bytes) == text.size());
  CHECK(read_back(*file, 0, text.size()) == text);
}

TEST_CASE("packed files: what unpacks to more than the limits is refused, and says to how much") {
  const std::string zeros(3 * SpooledFile::block_bytes, '\0');
  check_fails(Failure::UnusableInput, "vm.vmem.gz: it unpacks to more than 3000000 bytes", [&] {
    (void)open(gzip(zeros), {.kept = std::uint64_t{1} << 30, .unpacked = 3'000'000});
  });
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < 4 * SpooledFile::block_bytes) {
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  }
  check_fails(Failure::UnusableInput, "takes more than 1000000 bytes of memory, packed anew",
              [&] { (void)open(gzip(noise), {.kept = 1'000'000}); });
}

}  // namespace photon_dmesg::test
