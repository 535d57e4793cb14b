#include "kernel/arch/x86_64/page_tables.h"

#include <array>
#include <unordered_set>

#include "base/little_endian.h"
#include "kernel/arch/x86_64/x86_64.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t present_bit = 1U << 0;
constexpr std::uint64_t writable_bit = 1U << 1;
constexpr std::uint64_t large_page_bit = 1U << 7;
constexpr std::uint64_t no_execute_bit = std::uint64_t{1} << 63;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;  // bits 12..51
constexpr std::uint64_t la57_bit = 1U << 12;

constexpr std::size_t entry_bytes = 8;
constexpr std::size_t entries_per_table = 512;
using Table = std::array<std::byte, entries_per_table * entry_bytes>;

constexpr unsigned most_levels = 5;
// Levels count from 1 (a table of 4 KiB pages) upwards; large pages exist on levels 2 and 3.
constexpr unsigned highest_large_level = 3;
constexpr unsigned level_shift(unsigned level) {
  return 12 + 9 * (level - 1);
}
constexpr std::uint64_t entry_span(unsigned level) {
  return std::uint64_t{1} << level_shift(level);
}
constexpr std::size_t entry_index(GuestVirtual address, unsigned level) {
  return (address.value >> level_shift(level)) & (entries_per_table - 1);
}

bool is_leaf(std::uint64_t entry, unsigned level) {
  return level == 1 || (level <= highest_large_level && (entry & large_page_bit) != 0);
}

// What `entry` maps, given the rights of the levels above it.
PageTables::Page apply_entry(const PageTables::Page& above, std::uint64_t entry, unsigned level) {
  PageTables::Page page = above;
  page.size = entry_span(level);
  // The low bits of a large page's address field hold the PAT bit.
  const std::uint64_t frame_mask = is_leaf(entry, level) ? ~(page.size - 1) : ~std::uint64_t{0};
  page.physical_address = {entry & address_mask & frame_mask};
  page.writable = above.writable && (entry & writable_bit) != 0;
  page.executable = above.executable && (entry & no_execute_bit) == 0;
  return page;
}

constexpr std::uint64_t sign_extend(std::uint64_t address, unsigned bits) {
  const unsigned unused = 64 - bits;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << unused) >> unused);
}

unsigned address_bits(unsigned levels) {
  return level_shift(levels + 1);
}

constexpr PageTables::Page unrestricted = {{}, {}, 0, true, true};

struct Walk {
  const PageTables& tables;
  GuestVirtual begin;
  GuestVirtual end;
  const std::function<void(const PageTables::Page&)>& visit;
  // By their places: tables that lead to themselves or to each other would be walked forever, and
  // one that is mapped over and over (espfix, KASAN's shadow of nothing) almost so.
  std::array<std::unordered_set<std::uint64_t>, most_levels> seen{};
};

// `above.virtual_address` is the first address that `table` maps.
void visit_table(Walk& walk, unsigned level, GuestPhysical table, const PageTables::Page& above) {
  const auto& [levels, encryption_mask] = walk.tables.form();
  if (!walk.seen[level - 1].insert(table.value).second) return;
  Table bytes{};
  if (!walk.tables.memory().read(table, bytes)) {
    return;
  }
  for (std::size_t i = 0; i < entries_per_table; ++i) {
    const std::uint64_t entry =
        load_u64(std::span(bytes).subspan(i * entry_bytes).first<8>()) & ~encryption_mask;
    const std::uint64_t linear = above.virtual_address.value + i * entry_span(level);
    const GuestVirtual address{sign_extend(linear, address_bits(levels))};
    const std::uint64_t last = address.value + (entry_span(level) - 1);
    if ((entry & present_bit) == 0 || last < walk.begin.value || address >= walk.end) {
      continue;
    }
    PageTables::Page page = apply_entry(above, entry, level);
    page.virtual_address = address;
    if (!is_leaf(entry, level)) {
      visit_table(walk, level - 1, page.physical_address, page);
    } else if (address >= walk.begin) {
      walk.visit(page);
    }
  }
}

}  // namespace

GuestPhysical page_table_root(std::uint64_t cr3) {
  return {cr3 & address_mask};
}

PagingLevels paging_levels(std::uint64_t cr4) {
  return (cr4 & la57_bit) != 0 ? PagingLevels::Five : PagingLevels::Four;
}

namespace x86_64 {

PageTables page_tables(const GuestMemory& memory, GuestPhysical root, PagingLevels levels,
                       std::uint64_t encryption_mask) {
  return {architecture(), memory, root, {static_cast<unsigned>(levels), encryption_mask}};
}

std::optional<PageTables::Page> find_page(const PageTables& tables, GuestVirtual address) {
  const auto& [levels, encryption_mask] = tables.form();
  if (sign_extend(address.value, address_bits(levels)) != address.value) {
    return std::nullopt;
  }
  PageTables::Page page = unrestricted;
  page.physical_address = tables.root();
  for (unsigned level = levels; level > 0; --level) {
    std::array<std::byte, entry_bytes> bytes{};
    const GuestPhysical slot = page.physical_address + entry_index(address, level) * entry_bytes;
    if (!tables.memory().read(slot, bytes)) {
      return std::nullopt;
    }
    const std::uint64_t entry = load_u64(bytes) & ~encryption_mask;
    if ((entry & present_bit) == 0) {
      return std::nullopt;
    }
    page = apply_entry(page, entry, level);
    if (is_leaf(entry, level)) {
      page.virtual_address = {address.value & ~(page.size - 1)};
      return page;
    }
  }
  return std::nullopt;
}

void for_each_page(const PageTables& tables, GuestVirtual begin, GuestVirtual end,
                   const std::function<void(const PageTables::Page&)>& visit) {
  Walk walk{tables, begin, end, visit};
  visit_table(walk, tables.levels(), tables.root(), unrestricted);
}

}  // namespace x86_64
}  // namespace photon_dmesg
