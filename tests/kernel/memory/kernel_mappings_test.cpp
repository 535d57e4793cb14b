#include "kernel/memory/kernel_mappings.h"

#include <catch2/catch.hpp>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr GuestVirtual direct{0xffff888000000000};
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t large_page = 2 * 1024 * 1024;

KernelMappings mappings_of(const PageTableBuilder& tables, const FakeMemory& memory) {
  CollectedDiagnostics diagnostics;
  const KernelMappings found = find_kernel_mappings(tables.tables(), memory, diagnostics);
  CHECK(diagnostics.warnings().empty());
  return found;
}

}  // namespace

TEST_CASE("find_kernel_mappings: the direct map, and the rest in runs") {
  FakeMemory memory(3 * large_page);
  PageTableBuilder tables(memory, {0x100000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < 3 * large_page; at += large_page) {
    tables.map(direct + at, {at}, 2);
  }
  const GuestVirtual vmalloc{0xffffc90000000000};
  tables.map(vmalloc, {8 * page});
  tables.map(vmalloc + page, {9 * page});
  tables.map(vmalloc + 2 * page, {4 * page});
  tables.map(vmalloc + 4 * page, {5 * page});
  tables.map({0xffffffff81000000}, {large_page}, 2);
  const KernelMappings found = mappings_of(tables, memory);
  CHECK(found.direct_map == direct);
  REQUIRE(found.others.size() == 4);
  CHECK(found.others[0].virtual_address == vmalloc);
  CHECK(found.others[0].physical_address == GuestPhysical{8 * page});
  CHECK(found.others[0].size == 2 * page);
  CHECK(found.others[1].virtual_address == vmalloc + 2 * page);
  CHECK(found.others[2].virtual_address == vmalloc + 4 * page);
  CHECK(found.others[3].virtual_address == GuestVirtual{0xffffffff81000000});
  CHECK(found.others[3].size == large_page);
}

TEST_CASE("find_kernel_mappings: devices, user space and espfix stacks are left out") {
  FakeMemory memory(large_page);
  PageTableBuilder tables(memory, {0x100000}, PagingLevels::Four);
  tables.map({0x400000}, {page});
  tables.map({0xffffc90000000000}, {0xfee00000});
  tables.map({0xffffff1000000000}, {page});
  const KernelMappings found = mappings_of(tables, memory);
  CHECK_FALSE(found.direct_map);
  CHECK(found.others.empty());
}

TEST_CASE(
    "find_kernel_mappings: a page that is partly RAM counts so far, and ends with its range") {
  FakeMemory memory({{GuestPhysical{0}, 0x200000}, {GuestPhysical{0x200000}, 3 * page}});
  PageTableBuilder tables(memory, {0x100000}, PagingLevels::Four);
  tables.map({0xffffffff81000000}, {0}, 2);
  tables.map({0xffffffff81200000}, {0x200000}, 2);
  const KernelMappings found = mappings_of(tables, memory);
  REQUIRE(found.others.size() == 2);
  CHECK(found.others[0].size == 0x200000);
  CHECK(found.others[1].physical_address == GuestPhysical{0x200000});
  CHECK(found.others[1].size == 3 * page);
}

TEST_CASE("find_kernel_mappings: tables that lead to themselves are walked once for each level") {
  FakeMemory memory(large_page);
  PageTableBuilder tables(memory, {0x100000}, PagingLevels::Four);
  for (std::uint64_t slot = 0; slot < 512; ++slot) {
    memory.write_value(tables.root() + slot * 8, tables.root().value | pte_present);
  }
  const KernelMappings found = mappings_of(tables, memory);
  // Once below espfix's stacks, once above them.
  CHECK(found.others.size() <= 2 * 512);
}

TEST_CASE("find_kernel_mappings: RAM that is mapped more than four times over is left out") {
  FakeMemory memory(large_page);
  PageTableBuilder tables(memory, {0x100000}, PagingLevels::Four);
  for (std::uint64_t i = 0; i < 5; ++i) {
    tables.map(GuestVirtual{0xffffc90000000000 + (2 * i + 1) * large_page}, {0}, 2);
  }
  CollectedDiagnostics diagnostics;
  const KernelMappings found = find_kernel_mappings(tables.tables(), memory, diagnostics);
  CHECK(found.others.size() == 4);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::Contains("mapped by the kernel's page tables: the rest is left out"));
}

}  // namespace photon_dmesg::test
