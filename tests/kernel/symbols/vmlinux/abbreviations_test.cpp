#include "kernel/symbols/vmlinux/abbreviations.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

using namespace std::string_literals;

// A compile unit with a name; a subprogram without children whose line is in the table itself.
const std::string unit = "\x01\x11\x01\x03\x0e\0\0"s;
const std::string function = "\x02\x2e\0\x3b\x21\xff\x01\0\0"s;
const std::string imported_unit = "\x03\x3d\0\x18\x10\0\0"s;
const std::string end(1, '\0');

std::optional<Abbreviations> parse(const std::string& table) {
  return parse_abbreviations(as_bytes(table));
}

}  // namespace

TEST_CASE("parse_abbreviations: a table ends where it says, whatever follows") {
  const std::string table = unit + function + end;
  const auto found = parse(table + unit + imported_unit + end);
  REQUIRE(found);
  CHECK(found->size == table.size());
  CHECK_FALSE(found->imports);
  CHECK(parse(end)->size == 1);
}

TEST_CASE("parse_abbreviations: an imported unit is seen wherever it stands") {
  CHECK(parse(unit + imported_unit + function + end)->imports);
  CHECK(parse(imported_unit + unit + end)->imports);
}

TEST_CASE("parse_abbreviations: numbers of several bytes, and of too many") {
  const std::string wide = "\x80\x80\x01\x91\x80\0\x01\x83\0\x8e\0\x80\0\x80\0"s;
  CHECK(parse(wide + end)->size == wide.size() + 1);
  const std::string endless(1000, '\xff');
  CHECK_FALSE(parse(endless));
  CHECK(parse(endless + "\x01\x11\x01\0\0"s + end));
}

TEST_CASE("parse_abbreviations: one that is cut anywhere is none") {
  const std::string table = unit + function + imported_unit + end;
  for (std::size_t size = 0; size < table.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse(table.substr(0, size)));
  }
}

}  // namespace photon_dmesg::test
