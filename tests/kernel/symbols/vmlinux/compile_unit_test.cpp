#include "kernel/symbols/vmlinux/compile_unit.h"

#include <array>
#include <catch2/catch.hpp>
#include <initializer_list>

#include "kernel/symbols/vmlinux/dwarf_units.h"
#include "support/bytes.h"
#include "support/file_content.h"

namespace photon_dmesg::test {
namespace {

struct Range {
  std::uint64_t address;
  std::uint64_t length;
};

// One set of .debug_aranges as the compiler writes it, in the 32-bit or the 64-bit format.
std::string set_of(std::uint64_t unit, const std::vector<Range>& ranges, bool wide = false) {
  std::string body = little_endian(2, 2) + little_endian(unit, wide ? 8 : 4) + '\x08' + '\0';
  const std::size_t head = wide ? 12 : 4;
  while ((head + body.size()) % 16 != 0) body += '\0';
  for (const Range& range : ranges) {
    body += little_endian(range.address, 8) + little_endian(range.length, 8);
  }
  body += std::string(16, '\0');
  const std::string length =
      wide ? "\xff\xff\xff\xff" + little_endian(body.size(), 8) : little_endian(body.size(), 4);
  return length + body;
}

std::optional<std::uint64_t> find(const std::string& aranges, std::uint64_t address) {
  return find_unit_offset(BufferSource(".debug_aranges", as_bytes(aranges)), {address});
}

// The units of those of the functions that there are.
std::optional<CompileUnits> extract(const ElfImage& image,
                                    std::initializer_list<const char*> functions) {
  std::vector<GuestVirtual> addresses;
  for (const char* function : functions) {
    if (const auto address = image.find_symbol(function)) addresses.push_back(*address);
  }
  return extract_compile_units(image, addresses);
}

}  // namespace

TEST_CASE("find_unit_offset: the unit whose range covers the address, its end excluded") {
  const std::string table = set_of(0x10, {{0x1000, 0x100}, {0x3000, 0x10}}) +
                            set_of(0x2000, {{0x2000, 0x80}}, true) +
                            set_of(0x5000, {{0xffffffff81000000, 0x200000}});
  CHECK(find(table, 0x1000) == 0x10U);
  CHECK(find(table, 0x10ff) == 0x10U);
  CHECK_FALSE(find(table, 0x1100));
  CHECK(find(table, 0x300f) == 0x10U);
  CHECK(find(table, 0x2040) == 0x2000U);
  CHECK(find(table, 0xffffffff811fffff) == 0x5000U);
  CHECK_FALSE(find(table, 0xffffffff81200000));
  CHECK_FALSE(find(table, 0));
}

TEST_CASE("find_unit_offset: a set with other addresses than 8 bytes is passed over") {
  std::string odd = set_of(0x10, {{0x1000, 0x100}});
  odd[10] = '\x04';
  CHECK_FALSE(find(odd, 0x1000));
  CHECK(find(odd + set_of(0x20, {{0x1000, 0x100}}), 0x1000) == 0x20U);
}

TEST_CASE("find_unit_offset: a table cut anywhere finds what is whole, or nothing") {
  const std::string first = set_of(0x10, {{0x1000, 0x100}});
  const std::string table = first + set_of(0x20, {{0x2000, 0x100}});
  for (std::size_t length = 0; length < table.size(); ++length) {
    CAPTURE(length);
    const std::string cut = table.substr(0, length);
    CHECK_FALSE(find(cut, 0x2000));
    CHECK(find(cut, 0x1000).has_value() == (length >= first.size()));
  }
}

TEST_CASE("extract_compile_units: the units alone, smaller than all of them") {
  const ElfImage image{std::filesystem::path(PRINTK_RINGBUFFER_KERNEL)};
  const auto unit = extract(image, {"do_syslog"});
  const auto other = extract(image, {"other_function"});
  REQUIRE(unit);
  REQUIRE(other);
  CHECK(other->info.size() < unit->info.size());
  const auto info = image.find_section(".debug_info");
  REQUIRE(info);
  const auto all = as_text(image.read(info->range));
  CHECK(unit->info.size() < all.size());
  CHECK(all.find(as_text(unit->info)) != std::string::npos);
}

TEST_CASE("extract_compile_units: each unit once, in the order of the functions") {
  const ElfImage image{std::filesystem::path(PRINTK_RINGBUFFER_KERNEL)};
  const auto unit = extract(image, {"do_syslog"});
  const auto both = extract(image, {"do_syslog", "other_function", "do_syslog", "absent"});
  REQUIRE(both);
  CHECK(both->info.size() > unit->info.size());
  CHECK(both->info.size() < 2 * unit->info.size());
  DwarfUnits units(std::move(*both));
  REQUIRE(units.any());
  CHECK(units.find_struct("printk_info"));
  CHECK(units.find_struct("only_here"));
  CHECK_FALSE(units.find_struct("absent"));
  CHECK_FALSE(units.find_struct(""));
}

TEST_CASE("extract_compile_units: units that import none are known by their abbreviations") {
  const ElfImage image{std::filesystem::path(PRINTK_RINGBUFFER_KERNEL)};
  const auto units = extract(image, {"do_syslog"});
  REQUIRE(units);
  CHECK_FALSE(units->may_import);
  CHECK_FALSE(DwarfUnits(*units).refers_to_others());
}

TEST_CASE("extract_compile_units: abbreviations that can't be told are left to libdw") {
  const ElfImage sound{std::filesystem::path(PRINTK_RINGBUFFER_KERNEL)};
  const auto range = sound.find_section(".debug_abbrev")->range;
  std::string file = file_content(PRINTK_RINGBUFFER_KERNEL);
  file.replace(range.offset, range.size, std::string(range.size, '\xff'));
  const auto bytes = as_bytes(file);
  const ElfImage damaged("damaged", {bytes.begin(), bytes.end()});
  const auto units = extract(damaged, {"do_syslog"});
  REQUIRE(units);
  CHECK(units->may_import);
  CHECK_FALSE(DwarfUnits(*units).find_struct("printk_info"));
}

TEST_CASE("extract_compile_units: nothing where no unit can be cut out") {
  for (const char* kernel : {WITHOUT_ARANGES_KERNEL, COMPRESSED_KERNEL, WITHOUT_DWARF_KERNEL}) {
    CAPTURE(kernel);
    CHECK_FALSE(extract(ElfImage{std::filesystem::path(kernel)}, {"do_syslog"}));
  }
  const ElfImage image{std::filesystem::path(PRINTK_RINGBUFFER_KERNEL)};
  CHECK_FALSE(extract_compile_units(image, std::array{GuestVirtual{0}}));
  CHECK_FALSE(extract_compile_units(image, {}));
}

}  // namespace photon_dmesg::test
