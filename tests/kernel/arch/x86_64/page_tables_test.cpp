#include "kernel/arch/x86_64/page_tables.h"

#include <catch2/catch.hpp>
#include <vector>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x400000;
constexpr GuestPhysical tables_at{0x100000};
constexpr std::uint64_t large = 0x200000;

struct Built {
  explicit Built(PagingLevels levels = PagingLevels::Four) : builder(memory, tables_at, levels) {}

  [[nodiscard]] std::optional<GuestPhysical> translate(std::uint64_t address) const {
    const std::optional<PageTables::Page> page = builder.tables().find({address});
    if (!page) return std::nullopt;
    return page->physical_address + (address - page->virtual_address.value);
  }

  FakeMemory memory{memory_size};
  PageTableBuilder builder;
};

std::vector<PageTables::Page> pages_in(const PageTables& tables, std::uint64_t begin,
                                       std::uint64_t end) {
  std::vector<PageTables::Page> pages;
  tables.for_each_page({begin}, {end},
                       [&](const PageTables::Page& page) { pages.push_back(page); });
  return pages;
}

}  // namespace

TEST_CASE("page tables: pages of every size, 4 levels") {
  Built built;
  built.builder.map({0xffffffff81000000}, {0x5000});
  built.builder.map({0xffffffff81200000}, {0x40200000}, 2);
  built.builder.map({0xffff888040000000}, {0x80000000}, 3);
  CHECK(built.translate(0xffffffff81000123) == GuestPhysical{0x5123});
  CHECK(built.translate(0xffffffff81000fff) == GuestPhysical{0x5fff});
  CHECK_FALSE(built.translate(0xffffffff81001000));
  CHECK(built.translate(0xffffffff813fffff) == GuestPhysical{0x403fffff});
  CHECK(built.translate(0xffff88807fffffff) == GuestPhysical{0xbfffffff});
  CHECK_FALSE(built.translate(0xffff888080000000));
}

TEST_CASE("page tables: 5 levels reach addresses that 4 levels call non-canonical") {
  Built five(PagingLevels::Five);
  five.builder.map({0xffffffff81000000}, {0x5000});
  five.builder.map({0xff11000000001000}, {0x6000});
  CHECK(five.translate(0xffffffff81000123) == GuestPhysical{0x5123});
  CHECK(five.translate(0xff11000000001123) == GuestPhysical{0x6123});
  CHECK_FALSE(five.translate(0x00ff000000001000 | std::uint64_t{1} << 57));
  const Built four;
  CHECK_FALSE(four.translate(0xff11000000001123));
}

TEST_CASE("page tables: an address that is not canonical is not mapped, whatever its low bits") {
  Built built;
  built.builder.map({0x0000000000401000}, {0x5000});
  CHECK(built.translate(0x401000));
  CHECK_FALSE(built.translate(0x0001000000401000));
  CHECK_FALSE(built.translate(0x8000000000401000));
}

TEST_CASE("page tables: bits beside the address are no part of it") {
  Built built;
  // No-execute, protection key, software bits, global, dirty, accessed, PAT of a large page.
  const std::uint64_t flags = pte_present | 0x7ff0000000000000 | pte_no_execute | 0xf60;
  built.builder.map({0xffffffff81000000}, {0x5000}, 1, flags);
  built.builder.map({0xffffffff81200000}, {0x40200000}, 2, flags | 0x1000);
  CHECK(built.translate(0xffffffff81000000) == GuestPhysical{0x5000});
  CHECK(built.translate(0xffffffff81201000) == GuestPhysical{0x40201000});
}

TEST_CASE("page tables: CR3 names the root between PCID and LAM bits, CR4 the levels") {
  CHECK(page_table_root(0x6000000012345fff) == GuestPhysical{0x12345000});
  CHECK(page_table_root(0x8000000012346001) == GuestPhysical{0x12346000});
  CHECK(paging_levels(0x000006f0) == PagingLevels::Four);
  CHECK(paging_levels(0x000016f0) == PagingLevels::Five);
}

TEST_CASE("page tables: a page may be written or executed only if every level says so") {
  Built built;
  built.builder.map({0xffffffff81000000}, {0x5000}, 1, pte_present | pte_no_execute);
  built.builder.map({0xffffffff81001000}, {0x6000}, 1, pte_present | pte_writable);
  const auto page = [&](std::uint64_t address) { return *built.builder.tables().find({address}); };
  CHECK_FALSE(page(0xffffffff81000000).writable);
  CHECK_FALSE(page(0xffffffff81000000).executable);
  CHECK(page(0xffffffff81001000).writable);
  CHECK(page(0xffffffff81001000).executable);
  // Take both rights away at the top.
  const GuestPhysical top = PageTableBuilder::slot_of(tables_at, {0xffffffff81000000}, 4);
  const std::uint64_t next = (tables_at + 4096).value;
  built.memory.write_value(top, next | pte_present | pte_no_execute);
  CHECK_FALSE(page(0xffffffff81001000).writable);
  CHECK_FALSE(page(0xffffffff81001000).executable);
}

TEST_CASE("page tables: a table outside RAM maps nothing") {
  Built built;
  built.builder.map({0xffffffff81000000}, {0x5000});
  const GuestPhysical top = PageTableBuilder::slot_of(tables_at, {0xffffffff81000000}, 4);
  for (const std::uint64_t outside : {memory_size, 0x000ffffffffff000UL}) {
    built.memory.write_value(top, outside | pte_present);
    CHECK_FALSE(built.translate(0xffffffff81000000));
    CHECK(pages_in(built.builder.tables(), 0xffffffff80000000, 0xffffffffc0000000).empty());
  }
}

TEST_CASE("page tables: tables that name themselves are walked once for each level") {
  Built built;
  for (std::uint64_t slot = 0; slot < 512; ++slot) {
    built.memory.write_value(tables_at + slot * 8, tables_at.value | pte_present);
  }
  CHECK(built.translate(0xffffffff81000000) == tables_at);
  // There would be 2^27 of them in a quarter of the address space.
  const auto pages = pages_in(built.builder.tables(), 0xffff800000000000, 0xffffc00000000000);
  REQUIRE(pages.size() == 512);
  CHECK(pages.front().virtual_address == GuestVirtual{0xffff800000000000});
}

TEST_CASE("page tables: one that is mapped over and over shows its pages at the lowest addresses") {
  Built built;
  built.builder.map({0xffffffff80000000}, {0x1000});
  const GuestPhysical middle = tables_at + 2 * 4096;  // its table of 2 MiB entries
  for (std::uint64_t slot = 1; slot < 512; ++slot) {
    built.memory.write_value(middle + slot * 8, (tables_at.value + 3 * 4096) | pte_present);
  }
  built.builder.map({0xffffffff80000000 + 511 * large}, {0x2000}, 2);
  const auto pages = pages_in(built.builder.tables(), 0xffffffff80000000, 0xffffffffc0000000);
  REQUIRE(pages.size() == 2);
  CHECK(pages[0].virtual_address == GuestVirtual{0xffffffff80000000});
  CHECK(pages[1].virtual_address == GuestVirtual{0xffffffff80000000 + 511 * large});
}

TEST_CASE("page tables: a walk gives the pages of a range in order, with their sizes") {
  for (const PagingLevels levels : {PagingLevels::Four, PagingLevels::Five}) {
    Built built(levels);
    built.builder.map({0xffffffff7fffe000}, {0x1000});  // below the range
    built.builder.map({0xffffffff80000000}, {0x200000}, 2);
    built.builder.map({0xffffffff80200000}, {0x2000});
    built.builder.map({0xffffffffbffff000}, {0x3000});
    built.builder.map({0xffffffffc0000000}, {0x4000});  // behind it
    const auto pages = pages_in(built.builder.tables(), 0xffffffff80000000, 0xffffffffc0000000);
    REQUIRE(pages.size() == 3);
    CHECK(pages[0].virtual_address == GuestVirtual{0xffffffff80000000});
    CHECK(pages[0].size == large);
    CHECK(pages[1].virtual_address == GuestVirtual{0xffffffff80200000});
    CHECK(pages[1].physical_address == GuestPhysical{0x2000});
    CHECK(pages[2].virtual_address == GuestVirtual{0xffffffffbffff000});
  }
}

TEST_CASE("page tables: a walk reaches the very last page of the address space") {
  Built built;
  built.builder.map({0xfffffffffffff000}, {0x5000});
  const auto pages = pages_in(built.builder.tables(), 0xffffffffffe00000, ~std::uint64_t{0});
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].physical_address == GuestPhysical{0x5000});
}

}  // namespace photon_dmesg::test
