#include "base/compressed_spool.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

// More than two of the spool's blocks, appended in pieces that fit none of them.
std::string fill(CompressedSpool& spool) {
  std::string content;
  for (unsigned i = 0; content.size() < 9 * mebibyte; ++i) {
    content += std::string(1 + i % 100'000, static_cast<char>(i));
  }
  for (std::size_t at = 0; at < content.size(); at += 123'457) {
    spool.append(as_bytes(std::string_view(content).substr(at, 123'457)));
  }
  spool.finish();
  return content;
}

std::string read_text(const CompressedSpool& spool, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  spool.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

TEST_CASE("CompressedSpool: every range reads as it was appended, across blocks too") {
  CompressedSpool spool;
  const std::string content = fill(spool);
  REQUIRE(spool.size() == content.size());
  CHECK(read_text(spool, 0, content.size()) == content);
  CHECK(read_text(spool, 4 * mebibyte - 10, 20) == content.substr(4 * mebibyte - 10, 20));
  CHECK(read_text(spool, content.size() - 1, 1) == content.substr(content.size() - 1));
  CHECK(read_text(spool, content.size(), 0).empty());
}

TEST_CASE("CompressedSpool: a range past the end is refused") {
  CompressedSpool spool;
  const std::string content = fill(spool);
  check_fails(Failure::UnusableInput, "truncated",
              [&] { (void)read_text(spool, content.size(), 1); });
  check_fails(Failure::UnusableInput, "truncated",
              [&] { (void)read_text(spool, ~std::uint64_t{0}, 2); });
}

TEST_CASE("CompressedSpool: blocks without a needed byte are dropped, others stay whole") {
  CompressedSpool spool;
  const std::string content = fill(spool);
  const std::array ranges = {CompressedSpool::Range{4 * mebibyte, 1}};
  spool.keep_only(ranges);
  CHECK(read_text(spool, 5 * mebibyte, 100) == content.substr(5 * mebibyte, 100));
  check_fails(Failure::UnusableInput, "nothing was kept", [&] { (void)read_text(spool, 0, 1); });
  check_fails(Failure::UnusableInput, "nothing was kept",
              [&] { (void)read_text(spool, 8 * mebibyte, 1); });
}

TEST_CASE("CompressedSpool: an empty stream holds nothing") {
  CompressedSpool spool;
  spool.finish();
  CHECK(spool.size() == 0);
  check_fails(Failure::UnusableInput, "truncated", [&] { (void)read_text(spool, 0, 1); });
}

}  // namespace photon_dmesg::test
