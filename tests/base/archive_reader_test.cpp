#include "base/archive_reader.h"

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/noise.h"

namespace photon_dmesg::test {
namespace {

std::string number(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

// A zip's list of `count` empty files, each with `extra` bytes of no known kind (APPNOTE.TXT,
// 4.3.12), and its end (4.3.16).
std::string zip_list(std::size_t count, std::size_t extra) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    list += std::string("PK\x01\x02") + std::string(24, '\0') + number(1, 2) + number(extra, 2) +
            std::string(14, '\0') + "a";
    list += number(0x7777, 2) + number(extra - 4, 2) + std::string(extra - 4, '\0');
  }
  return "PK\x03\x04" + list + "PK\x05\x06" + std::string(4, '\0') + number(count, 2) +
         number(count, 2) + number(list.size(), 4) + number(4, 4) + number(0, 2);
}

}  // namespace

TEST_CASE("ArchiveReader: a zip's list is read no further than an honest one can be long") {
  const std::string long_zip = zip_list(700, 65'000);
  const BufferSource long_list("a.zip", as_bytes(long_zip));
  check_fails(Failure::UnusableInput, "its list of files goes on at", [&] {
    ArchiveReader reader(long_list);
    (void)reader.next_member();
  });
  const std::string short_zip = zip_list(300, 65'000);
  const BufferSource short_list("a.zip", as_bytes(short_zip));
  ArchiveReader reader(short_list);
  CHECK(reader.next_member().has_value());
}

TEST_CASE("ArchiveReader: behind a large member that is not read, a 7z archive goes on") {
  std::string large(std::size_t{64} << 20, '\0');
  for (std::size_t i = 0; i < large.size(); i += 4) large[i] = static_cast<char>(i >> 12);
  const std::string bytes =
      write_archive({{"vm.vmem", large}, {"vm.vmss", "checkpoint"}}, "7zip", "deflate");
  const BufferSource source("a.7z", as_bytes(bytes));
  ArchiveReader reader(source);
  REQUIRE(reader.next_member().value().path == "vm.vmem");
  SECTION("not at all") {}
  SECTION("not to its end") {
    REQUIRE(reader.next_part().has_value());
  }
  REQUIRE(reader.next_member().value().path == "vm.vmss");
  CHECK(as_text(reader.next_part().value().bytes) == "checkpoint");
}

TEST_CASE("ArchiveReader: what a 7z archive unpacks to pass over it is no part of its list") {
  const std::string bytes = write_archive(
      {{"notes", "text"}, {"disk", noise(40'000'000)}, {"vm.vmss", "checkpoint"}}, "7zip");
  const BufferSource source("a.7z", as_bytes(bytes));
  ArchiveReader reader(source);
  REQUIRE(reader.next_member().value().path == "notes");
  REQUIRE(reader.next_part().has_value());
  REQUIRE(reader.next_member().value().path == "disk");
  REQUIRE(reader.next_member().value().path == "vm.vmss");
  CHECK(as_text(reader.next_part().value().bytes) == "checkpoint");
}

}  // namespace photon_dmesg::test
