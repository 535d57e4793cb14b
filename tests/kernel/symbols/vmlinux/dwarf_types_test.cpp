#include "kernel/symbols/vmlinux/dwarf_types.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "kernel/memory/struct_view.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

const char* const fixtures[] = {TYPES_DWARF5_KERNEL, TYPES_DWARF4_KERNEL, TYPES_DWARF2_KERNEL};

// What the compiler itself wrote into the fixture.
std::vector<std::uint32_t> expected_numbers(const ElfImage& image, std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  const auto data = image.initial_data(*image.find_symbol("expected"), 1 << 20);
  REQUIRE(data.size() >= count * sizeof(std::uint32_t));
  std::memcpy(numbers.data(), data.data(), count * sizeof(std::uint32_t));
  return numbers;
}

}  // namespace

TEST_CASE("DwarfTypes: members stand where the compiler puts them, in every version of DWARF") {
  for (const char* fixture : fixtures) {
    CAPTURE(fixture);
    const ElfImage image{std::filesystem::path(fixture)};
    DwarfTypes types(image);
    const StructLayout* shapes = types.find_struct("shapes");
    REQUIRE(shapes != nullptr);
    const std::vector<std::uint32_t> found = {
        static_cast<std::uint32_t>(shapes->size()),
        static_cast<std::uint32_t>(shapes->member("number").offset),
        static_cast<std::uint32_t>(shapes->member("text").offset),
        static_cast<std::uint32_t>(shapes->member("nested").offset),
        static_cast<std::uint32_t>(shapes->member("pointer").offset),
        static_cast<std::uint32_t>(shapes->member("in_anonymous_struct").offset),
        static_cast<std::uint32_t>(shapes->member("in_anonymous_union").offset),
        static_cast<std::uint32_t>(shapes->member("array").offset)};
    CHECK(found == expected_numbers(image, found.size()));
    CHECK(shapes->member("other_view").offset == shapes->member("in_anonymous_union").offset);
    CHECK(shapes->member("text").size == 10);
    CHECK(shapes->member("pointer").size == 8);
    CHECK(shapes->member("array").size == 12);
    CHECK(shapes->member("nested").size == types.find_struct("inner")->size());
  }
}

TEST_CASE("DwarfTypes: bit fields hold the value the compiler stored, in every version of DWARF") {
  struct Field {
    const char* member;
    const char* variable;
    std::uint64_t value;
  };
  constexpr Field fields[] = {
      {"low", "low_set", 0x1f}, {"middle", "middle_set", 0x5}, {"crossing", "crossing_set", 0xabc}};
  for (const char* fixture : fixtures) {
    const ElfImage image{std::filesystem::path(fixture)};
    DwarfTypes types(image);
    const StructLayout& shapes = *types.find_struct("shapes");
    for (const Field& set : fields) {
      const auto bytes =
          image.initial_data(*image.find_symbol(set.variable), 1 << 20).first(shapes.size());
      for (const Field& read : fields) {
        CAPTURE(fixture, set.variable, read.member);
        const std::uint64_t value = StructView(shapes, bytes).number(read.member);
        CHECK(value == (set.member == read.member ? set.value : 0));
      }
    }
  }
}

TEST_CASE("DwarfTypes: a structure that is only declared, or not at all, has no layout") {
  const ElfImage image{std::filesystem::path(TYPES_DWARF5_KERNEL)};
  DwarfTypes types(image);
  CHECK(types.find_struct("declared_only") == nullptr);
  CHECK(types.find_struct("absent") == nullptr);
  CHECK(types.find_struct("absent") == nullptr);
}

TEST_CASE("DwarfTypes: what printk's own unit lacks is found in the others") {
  for (const char* fixture : {PRINTK_RINGBUFFER_KERNEL, WITHOUT_ARANGES_KERNEL}) {
    CAPTURE(fixture);
    const ElfImage image{std::filesystem::path(fixture)};
    DwarfTypes types(image);
    REQUIRE(types.find_struct("printk_info") != nullptr);
    REQUIRE(types.find_struct("only_here") != nullptr);
    CHECK(types.find_struct("only_here")->member("second").size == 20);
    CHECK(types.find_struct("absent") == nullptr);
  }
}

TEST_CASE("DwarfTypes: members name the structure that they are or that they are arrays of") {
  for (const char* fixture : fixtures) {
    CAPTURE(fixture);
    const ElfImage image{std::filesystem::path(fixture)};
    DwarfTypes types(image);
    const StructLayout* shapes = types.find_struct("shapes");
    REQUIRE(shapes != nullptr);
    CHECK(shapes->member("nested").type == "inner");
    for (const char* member : {"number", "text", "pointer", "low", "in_anonymous_union"}) {
      CAPTURE(member);
      CHECK(shapes->member(member).type.empty());
    }
  }
}

TEST_CASE("DwarfTypes: what tasks need is found by the functions whose units have it") {
  for (const char* fixture :
       {PRINTK_RINGBUFFER_KERNEL, WITHOUT_ARANGES_KERNEL, LINUX_DWARF2_KERNEL}) {
    CAPTURE(fixture);
    const ElfImage image{std::filesystem::path(fixture)};
    DwarfTypes types(image);
    const StructLayout* queue = types.find_struct("rq");
    REQUIRE(queue != nullptr);
    CHECK(queue->member("parts").offset == 8);
    CHECK(queue->member("parts").type == "only_here");
    CHECK(queue->member("curr").type.empty());
    CHECK(types.find_struct("tick_sched") == nullptr);
  }
}

TEST_CASE("DwarfTypes: compressed debug sections are read as others are") {
  const ElfImage image{std::filesystem::path(COMPRESSED_KERNEL)};
  DwarfTypes types(image);
  REQUIRE(types.find_struct("printk_info") != nullptr);
  CHECK(types.find_struct("printk_info")->size() == 88);
}

TEST_CASE("DwarfTypes: a vmlinux without DWARF is refused by name") {
  const ElfImage image{std::filesystem::path(WITHOUT_DWARF_KERNEL)};
  check_fails(Failure::UnusableInput,
              "without-dwarf.vmlinux: expected DWARF debug information, found none",
              [&] { const DwarfTypes types(image); });
}

TEST_CASE("DwarfTypes: units of several versions in one file, with relocations already applied") {
  const ElfImage image{std::filesystem::path(MIXED_DWARF_KERNEL)};
  REQUIRE(image.find_section(".rela.debug_info"));
  DwarfTypes types(image);
  REQUIRE(types.find_struct("printk_info") != nullptr);
  CHECK(types.find_struct("printk_info")->size() == 88);
  CHECK(types.find_struct("printk_info")->member("dev_info").offset == 24);
  REQUIRE(types.find_struct("only_here") != nullptr);
  CHECK(types.find_struct("only_here")->member("second").offset == 8);
}

TEST_CASE("DwarfTypes: types that lead back to themselves are an error, not a loop") {
  const ElfImage image{std::filesystem::path(DWARF_LOOPS_KERNEL)};
  DwarfTypes types(image);
  for (const char* name : {"inside_itself", "typedefs", "arrays", "wide"}) {
    CAPTURE(name);
    check_fails(Failure::UnusableInput, "damaged debug information: it leads back to itself",
                [&] { (void)types.find_struct(name); });
  }
  REQUIRE(types.find_struct("backwards") != nullptr);
  CHECK(types.find_struct("backwards")->size() == 8);
  // libdw goes no further than a sibling that is behind it.
  CHECK(types.find_struct("never_reached") == nullptr);
}

}  // namespace photon_dmesg::test
