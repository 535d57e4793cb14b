#include "base/spooled_file.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

// More than two blocks, appended in pieces that fit none of them.
std::string fill(SpooledFile& file) {
  std::string content;
  for (unsigned i = 0; content.size() < 9 * mebibyte; ++i) {
    content += std::string(1 + i % 100'000, static_cast<char>(i));
  }
  for (std::size_t at = 0; at < content.size(); at += 123'457) {
    file.append(as_bytes(std::string_view(content).substr(at, 123'457)));
  }
  file.finish();
  return content;
}

}  // namespace

TEST_CASE("SpooledFile: every range reads as it was appended, across blocks too") {
  SpooledFile file;
  const std::string content = fill(file);
  REQUIRE(file.size() == content.size());
  CHECK(as_text(file.expand({4 * mebibyte - 10, 20})) == content.substr(4 * mebibyte - 10, 20));
  CHECK(as_text(file.expand({content.size() - 1, 1})) == content.substr(content.size() - 1));
  CHECK(file.expand({content.size(), 0}).empty());
  const bool same = as_text(file.expand({0, content.size()})) == content;
  CHECK(same);
}

TEST_CASE("SpooledFile: what is expanded stands at its place, the rest reads as zeros") {
  SpooledFile file;
  const std::string content = fill(file);
  (void)file.expand({5 * mebibyte, 1});
  CHECK(as_text(file.bytes().subspan(5 * mebibyte + 77, 100)) ==
        content.substr(5 * mebibyte + 77, 100));
  CHECK(as_text(file.bytes().subspan(8 * mebibyte, 3)) == std::string(3, '\0'));
}

TEST_CASE("SpooledFile: a range past the end is refused") {
  SpooledFile file;
  const std::string content = fill(file);
  check_fails(Failure::UnusableInput, "truncated", [&] { (void)file.expand({content.size(), 1}); });
  check_fails(Failure::UnusableInput, "truncated", [&] {
    (void)file.expand({~std::uint64_t{0}, 2});
  });
  check_fails(Failure::UnusableInput, "truncated", [&] {
    (void)file.expand({1, ~std::uint64_t{0}});
  });
}

TEST_CASE("SpooledFile: blocks without a needed byte are dropped, others stay whole") {
  SpooledFile file;
  const std::string content = fill(file);
  const std::array ranges = {FileRange{4 * mebibyte, mebibyte + 1}};
  file.keep_only(ranges);
  CHECK(as_text(file.expand({5 * mebibyte, 100})) == content.substr(5 * mebibyte, 100));
  check_fails(Failure::UnusableInput, "nothing was kept", [&] { (void)file.expand({0, 1}); });
  check_fails(Failure::UnusableInput, "nothing was kept", [&] {
    (void)file.expand({5 * mebibyte, mebibyte + 1});
  });
}

TEST_CASE("SpooledFile: an empty stream holds nothing") {
  SpooledFile file;
  file.finish();
  CHECK(file.size() == 0);
  CHECK(file.bytes().empty());
  check_fails(Failure::UnusableInput, "truncated", [&] { (void)file.expand({0, 1}); });
}

}  // namespace photon_dmesg::test
