#include "kernel/arch/aarch64/page_tables.h"

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "support/arm64_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x400000;
constexpr GuestPhysical root{0x100000};

std::optional<GuestPhysical> translate(const PageTables& tables, std::uint64_t address) {
  const auto page = tables.find({address});
  if (!page) return std::nullopt;
  return page->physical_address + (address - page->virtual_address.value);
}

std::vector<PageTables::Page> all_pages(const PageTables& tables) {
  std::vector<PageTables::Page> pages;
  tables.for_each_page({0}, {~std::uint64_t{0}},
                       [&](const PageTables::Page& page) { pages.push_back(page); });
  return pages;
}

}  // namespace

TEST_CASE("arm64 page tables: levels follow from page size and bits") {
  struct Form {
    unsigned page_shift;
    unsigned bits;
    unsigned levels;
  };
  for (const auto& [page_shift, bits, levels] :
       {Form{12, 48, 4}, Form{12, 52, 5}, Form{12, 39, 3}, Form{14, 47, 3}, Form{14, 48, 4},
        Form{14, 52, 4}, Form{16, 42, 2}, Form{16, 48, 3}, Form{16, 52, 3}}) {
    INFO("pages of 1 << " << page_shift << " bytes, " << bits << " bits");
    CHECK(aarch64::form_of(page_shift, bits).levels == levels);
  }
}

TEST_CASE("arm64 page tables: a page is found in tables of every form") {
  for (const PageTableForm& form : aarch64::possible_forms()) {
    INFO("pages of 1 << " << form.page_shift << " bytes, " << form.address_bits << " bits");
    FakeMemory memory(memory_size);
    Arm64TableBuilder builder(memory, root, form);
    const std::uint64_t page = std::uint64_t{1} << form.page_shift;
    const GuestVirtual upper = aarch64::upper_half(form) + 5 * page;
    const GuestVirtual lower = aarch64::first_address(form) + 7 * page;
    builder.map(upper, {3 * page});
    builder.map(lower, {0x800000000000 + 4 * page}, 1, arm64_no_execute | arm64_read_only);
    CHECK(translate(builder.tables(), upper.value + 0x123) == GuestPhysical{3 * page + 0x123});
    CHECK(translate(builder.tables(), lower.value) == GuestPhysical{0x800000000000 + 4 * page});
    CHECK_FALSE(translate(builder.tables(), upper.value + page));
    // Addresses of user programs are in other tables.
    CHECK_FALSE(translate(builder.tables(), upper.value & (page * 0x1000000 - 1)));
    const auto pages = all_pages(builder.tables());
    REQUIRE(pages.size() == 2);
    CHECK(pages[0].virtual_address == lower);
    CHECK_FALSE(pages[0].executable);
    CHECK_FALSE(pages[0].writable);
    CHECK(pages[1].virtual_address == upper);
    CHECK(pages[1].executable);
    CHECK(pages[1].writable);
    CHECK(pages[1].size == page);
  }
}

TEST_CASE("arm64 page tables: blocks") {
  FakeMemory memory(memory_size);
  Arm64TableBuilder builder(memory, root, aarch64::form_of(12, 48));
  builder.map({0xffff800008000000}, {0x80200000}, 2);
  builder.map({0xffff000000000000}, {0xc0000000}, 3);
  CHECK(translate(builder.tables(), 0xffff8000081fffff) == GuestPhysical{0x803fffff});
  CHECK(translate(builder.tables(), 0xffff00003fffffff) == GuestPhysical{0xffffffff});
  CHECK_FALSE(translate(builder.tables(), 0xffff800008200000));
  FakeMemory other_memory(memory_size);
  Arm64TableBuilder other(other_memory, root, aarch64::form_of(14, 47));
  other.map({0xffffc00080000000}, {0x42000000}, 2);
  CHECK(translate(other.tables(), 0xffffc00081ffffff) == GuestPhysical{0x43ffffff});
}

TEST_CASE("arm64 page tables: physical addresses of 52 bits") {
  for (const unsigned page_shift : {12U, 14U, 16U}) {
    INFO("pages of 1 << " << page_shift << " bytes");
    FakeMemory memory(memory_size);
    Arm64TableBuilder builder(memory, root, aarch64::form_of(page_shift, 52));
    builder.map({0xffff800080000000}, {0xd000040000000});
    CHECK(translate(builder.tables(), 0xffff800080000010) == GuestPhysical{0xd000040000010});
  }
}

TEST_CASE("arm64 page tables: what is not valid, or lies outside RAM, maps nothing") {
  FakeMemory memory(memory_size);
  Arm64TableBuilder builder(memory, root, aarch64::form_of(12, 48));
  builder.map({0xffff800008000000}, {0x5000});
  const GuestPhysical last_table = root + 3 * 0x1000;
  memory.write_value(last_table + 8, std::uint64_t{0x6402});   // PROT_NONE: bit 0 is clear
  memory.write_value(last_table + 16, std::uint64_t{0x6401});  // no block on the last level
  memory.write_value(root + 8, std::uint64_t{0x7f00000000} | arm64_table);
  CHECK(all_pages(builder.tables()).size() == 1);
  CHECK_FALSE(translate(builder.tables(), 0xffff800008001000));
  CHECK_FALSE(translate(builder.tables(), 0xffff800008002000));
  CHECK_FALSE(translate(builder.tables(), 0xffff008000000000));
}

TEST_CASE("arm64 page tables: what may be a top-level table") {
  FakeMemory memory(memory_size);
  const PageTableForm form = aarch64::form_of(12, 48);
  const PageTableForm small = aarch64::form_of(12, 39);
  Arm64TableBuilder builder(memory, root, form);
  CHECK_FALSE(aarch64::may_be_root(memory, root, form));  // empty
  builder.map({0xffff800008000000}, {0x5000});
  CHECK(aarch64::may_be_root(memory, root, form));
  CHECK_FALSE(aarch64::may_be_root(memory, root + 8, form));
  CHECK_FALSE(aarch64::may_be_root(memory, {memory_size}, form));
  memory.write_value(root, std::uint64_t{0x40000401});  // a block of 1 GiB
  CHECK_FALSE(aarch64::may_be_root(memory, root, form));
  CHECK(aarch64::may_be_root(memory, root, small));
  memory.write_value(root + 8, std::uint64_t{0x7f00000000} | arm64_table);  // outside of RAM
  CHECK_FALSE(aarch64::may_be_root(memory, root, small));
  memory.write_value(root + 8, std::uint64_t{0x6f6c6c6568});  // text
  CHECK_FALSE(aarch64::may_be_root(memory, root, small));
  for (std::uint64_t at = 0; at < 0x1000; at += 8) {  // a pattern that is blocks alone
    memory.write_value({0x200000 + at}, std::uint64_t{0x0101010101010101});
  }
  CHECK_FALSE(aarch64::may_be_root(memory, {0x200000}, small));
}

}  // namespace photon_dmesg::test
