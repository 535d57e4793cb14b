#include "kernel/arch/x86_64/page_tables.h"

#include "kernel/arch/table_walk.h"
#include "kernel/arch/x86_64/x86_64.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t present_bit = 1U << 0;
constexpr std::uint64_t writable_bit = 1U << 1;
constexpr std::uint64_t large_page_bit = 1U << 7;
constexpr std::uint64_t no_execute_bit = std::uint64_t{1} << 63;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;  // bits 12..51
constexpr std::uint64_t la57_bit = 1U << 12;

// Levels count from 1 (a table of 4 KiB pages) upwards; large pages exist on levels 2 and 3.
constexpr unsigned highest_large_level = 3;
constexpr unsigned page_shift = 12;
constexpr unsigned level_bits = 9;
constexpr unsigned address_bits(unsigned levels) {
  return page_shift + level_bits * levels;
}

// Entries of x86-64's tables, for TableWalk.
class Format {
 public:
  explicit Format(const PageTableForm& form) : form_(form) {}

  [[nodiscard]] GuestVirtual complete(std::uint64_t address) const {
    const unsigned unused = 64 - form_.address_bits;
    return {static_cast<std::uint64_t>(static_cast<std::int64_t>(address << unused) >> unused)};
  }

  [[nodiscard]] std::optional<TableEntry> apply(const PageTables::Page& above, std::uint64_t entry,
                                                unsigned level) const {
    entry &= ~form_.encryption_mask;
    if ((entry & present_bit) == 0) return std::nullopt;
    TableEntry result{above, is_leaf(entry, level)};
    result.page.size = std::uint64_t{1} << (form_.page_shift + level_bits * (level - 1));
    // The low bits of a large page's address field hold the PAT bit.
    const std::uint64_t frame_mask = result.is_leaf ? ~(result.page.size - 1) : ~std::uint64_t{0};
    result.page.physical_address = {entry & address_mask & frame_mask};
    result.page.writable = above.writable && (entry & writable_bit) != 0;
    result.page.executable = above.executable && (entry & no_execute_bit) == 0;
    return result;
  }

 private:
  static bool is_leaf(std::uint64_t entry, unsigned level) {
    return level == 1 || (level <= highest_large_level && (entry & large_page_bit) != 0);
  }

  PageTableForm form_;
};

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
  const auto count = static_cast<unsigned>(levels);
  return {architecture(), memory, root,
          PageTableForm{.levels = count,
                        .page_shift = page_shift,
                        .address_bits = address_bits(count),
                        .encryption_mask = encryption_mask}};
}

std::optional<PageTables::Page> find_page(const PageTables& tables, GuestVirtual address) {
  return TableLookup(tables, Format(tables.form())).find(address);
}

void for_each_page(const PageTables& tables, GuestVirtual begin, GuestVirtual end,
                   const std::function<void(const PageTables::Page&)>& visit) {
  TableWalk<Format> walk(tables, Format(tables.form()));
  walk.for_each(begin, end, [&](const PageTables::Page& page) {
    visit(page);
    return true;
  });
}

}  // namespace x86_64
}  // namespace photon_dmesg
