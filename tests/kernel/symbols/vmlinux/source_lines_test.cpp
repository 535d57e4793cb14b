#include "kernel/symbols/vmlinux/source_lines.h"

#include <array>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"

namespace photon_dmesg::test {
namespace {

using Lines = std::vector<SourceLine>;

const std::string source = "kernel/fixtures/lines.c";

// Of the fixture's labels, innermost first.
const Lines of_innermost = {
    {"innermost", source, 10}, {"middle", source, 17}, {"outer", source, 22}};
const Lines of_middle = {{"middle", source, 16}, {"outer", source, 22}};
const Lines of_outer = {{"outer", source, 21}};

std::vector<GuestVirtual> addresses_in(const ElfImage& image) {
  std::vector<GuestVirtual> addresses;
  for (const char* label : {"in_innermost", "in_middle", "in_outer", "other_function"}) {
    const auto address = image.find_symbol(label);
    REQUIRE(address);
    addresses.push_back(*address);
  }
  return addresses;
}

std::vector<Lines> find_all(SourceLines& lines, const std::vector<GuestVirtual>& addresses) {
  std::vector<Lines> found;
  for (const GuestVirtual address : addresses) found.push_back(lines.find(address));
  return found;
}

}  // namespace

TEST_CASE("SourceLines: what is inlined at an address, innermost first, in every kind of file") {
  for (const char* kernel : {LINES_DWARF5_KERNEL, LINES_DWARF4_KERNEL, LINES_WITHOUT_ARANGES_KERNEL,
                             LINES_COMPRESSED_KERNEL, LINES_ZSTD_KERNEL}) {
    CAPTURE(kernel);
    const std::vector<GuestVirtual> addresses =
        addresses_in(ElfImage{std::filesystem::path(kernel)});
    SourceLines lines(kernel, addresses);
    const std::vector<Lines> found = find_all(lines, addresses);
    CHECK(found[0] == of_innermost);
    CHECK(found[1] == of_middle);
    CHECK(found[2] == of_outer);
    CHECK(found[3] == Lines{{"other_function", "kernel/fixtures/other_unit.c", 16}});
  }
}

TEST_CASE("SourceLines: nothing of an address that is no code") {
  const std::array addresses = {GuestVirtual{0x1000}, GuestVirtual{0xffffffffa0000000}};
  SourceLines lines(LINES_DWARF5_KERNEL, addresses);
  for (const GuestVirtual address : addresses) CHECK(lines.find(address).empty());
}

TEST_CASE("SourceLines: a vmlinux without debug information") {
  const std::array addresses = {GuestVirtual{0xffffffff81000000}};
  CHECK_THROWS_WITH(SourceLines(WITHOUT_DWARF_KERNEL, addresses),
                    Catch::Contains("expected DWARF debug information of code, found none"));
}

TEST_CASE("SourceLines: damage anywhere in the debug information is an Error or other lines") {
  const ElfImage image{std::filesystem::path(LINES_DWARF5_KERNEL)};
  const std::vector<GuestVirtual> addresses = addresses_in(image);
  const std::string sound = file_content(LINES_DWARF5_KERNEL);
  for (const char* name : {".debug_aranges", ".debug_info", ".debug_abbrev", ".debug_line",
                           ".debug_rnglists", ".debug_line_str", ".debug_str"}) {
    const auto section = image.find_section(name);
    if (!section) continue;
    for (std::uint64_t i = 0; i < section->range.size; ++i) {
      for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
        std::string damaged = sound;
        char& byte = damaged[section->range.offset + i];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ flip);
        try {
          const auto bytes = as_bytes(damaged);
          SourceLines lines("damaged", {bytes.begin(), bytes.end()}, addresses);
          (void)find_all(lines, addresses);
        } catch (const Error& error) {
          CHECK(error.failure() == Failure::UnusableInput);
        }
      }
    }
  }
}

}  // namespace photon_dmesg::test
