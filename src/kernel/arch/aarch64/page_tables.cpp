#include "kernel/arch/aarch64/page_tables.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/little_endian.h"
#include "kernel/arch/table_walk.h"

namespace photon_dmesg::aarch64 {
namespace {

constexpr unsigned shift_4k = 12;
constexpr unsigned shift_16k = 14;
constexpr unsigned shift_64k = 16;
constexpr unsigned entry_shift = 3;  // of 8 bytes
constexpr unsigned widest = 52;

constexpr std::uint64_t bit(unsigned number) {
  return std::uint64_t{1} << number;
}
constexpr std::uint64_t bits(unsigned low, unsigned end) {
  return bit(end) - bit(low);
}

// Descriptors (D8.3).
constexpr std::uint64_t valid = bit(0);
constexpr std::uint64_t table_or_page = bit(1);
constexpr std::uint64_t read_only = bit(7);        // AP[2]
constexpr std::uint64_t dirty_modifier = bit(51);  // writing it is what clears AP[2]
constexpr std::uint64_t privileged_no_execute = bit(53);
constexpr std::uint64_t table_privileged_no_execute = bit(59);
constexpr std::uint64_t table_read_only = bit(62);  // APTable[1]

// Bits that are 0 in any table descriptor of Linux: above the address, and below it but for what
// the kernel marks tables with while it separates itself from user programs (11, KPTI), the
// accessed flag (10) and parts of an address of 52 bits (8, 9).
constexpr std::uint64_t never_in_table = bits(52, 59) | bits(2, 8);

unsigned highest_block_level(const PageTableForm& form) {
  constexpr unsigned level_4k = 3;  // 1 GiB
  constexpr unsigned level = 2;     // 32 MiB, 512 MiB
  return (form.page_shift == shift_4k ? level_4k : level) + (form.wide_addresses ? 1 : 0);
}

class Format {
 public:
  explicit Format(const PageTableForm& form) : form_(form) {}

  [[nodiscard]] GuestVirtual complete(std::uint64_t address) const {
    return {address | ~(bit(form_.address_bits) - 1)};
  }

  [[nodiscard]] std::optional<TableEntry> apply(const PageTables::Page& above, std::uint64_t entry,
                                                unsigned level) const {
    if ((entry & valid) == 0) return std::nullopt;
    const bool is_table = level > 1 && (entry & table_or_page) != 0;
    if (!is_table && !may_be_leaf(entry, level)) return std::nullopt;
    TableEntry result{above, !is_table};
    result.page.size = bit(form_.page_shift + (form_.page_shift - entry_shift) * (level - 1));
    result.page.physical_address =
        address_of(entry, is_table ? bit(form_.page_shift) : result.page.size);
    if (is_table) {
      result.page.writable = above.writable && (entry & table_read_only) == 0;
      result.page.executable = above.executable && (entry & table_privileged_no_execute) == 0;
    } else {
      const bool is_writable = (entry & read_only) == 0 || (entry & dirty_modifier) != 0;
      result.page.writable = above.writable && is_writable;
      result.page.executable = above.executable && (entry & privileged_no_execute) == 0;
    }
    return result;
  }

 private:
  // A page, or on the levels that have them a block.
  [[nodiscard]] bool may_be_leaf(std::uint64_t entry, unsigned level) const {
    return level == 1 ? (entry & table_or_page) != 0 : level <= highest_block_level(form_);
  }

  // Of pages of 64 KiB, bits 15 to 12 are the address's upper four. They are 0 where the processor
  // has none.
  [[nodiscard]] GuestPhysical address_of(std::uint64_t entry, std::uint64_t size) const {
    constexpr unsigned narrow = 48;
    std::uint64_t address = entry & bits(0, narrow) & ~(size - 1);
    if (form_.wide_addresses) {
      constexpr unsigned upper_two = 8;  // bits 9 and 8 are the address's 51 and 50
      constexpr unsigned upper_two_of = 50;
      address |= entry & bits(narrow, upper_two_of);
      address |= (entry >> upper_two & 3U) << upper_two_of;
    } else if (form_.page_shift == shift_64k) {
      constexpr unsigned upper_four = 12;
      address |= (entry >> upper_four & bits(0, 4)) << narrow;
    }
    return {address};
  }

  PageTableForm form_;
};

// Tells whether what stands in a page may be the entries of a top-level table of some form: tables
// that are in RAM, and no others. Blocks alone, which any odd number may be, are none.
class RootCheck {
 public:
  RootCheck(const GuestMemory& memory, const PageTableForm& form)
      : memory_(memory), form_(form), format_(form) {}

  // Whether `entry` may be one.
  [[nodiscard]] bool take(std::uint64_t entry) {
    if (entry == 0) return true;
    if ((entry & valid) == 0) return false;
    if ((entry & table_or_page) == 0) return form_.levels <= highest_block_level(form_);
    const std::uint64_t upper_address = form_.page_shift == shift_64k ? bits(12, 16) : 0;
    if ((entry & never_in_table & ~upper_address) != 0) return false;
    const auto table = format_.apply({}, entry, form_.levels);
    std::array<std::byte, 1> any{};
    if (!table || !memory_.read(table->page.physical_address, any)) return false;
    has_table_ = true;
    return true;
  }
  [[nodiscard]] bool has_table() const { return has_table_; }

 private:
  const GuestMemory& memory_;
  const PageTableForm& form_;
  Format format_;
  bool has_table_ = false;
};

}  // namespace

PageTableForm form_of(unsigned page_shift, unsigned address_bits) {
  const unsigned index_bits = page_shift - entry_shift;
  return {.levels = (address_bits - page_shift + index_bits - 1) / index_bits,
          .page_shift = page_shift,
          .address_bits = address_bits,
          .wide_addresses = address_bits == widest && page_shift != shift_64k};
}

std::span<const PageTableForm> possible_forms() {
  static const std::array all = {form_of(shift_4k, 48),  form_of(shift_4k, 52),
                                 form_of(shift_4k, 39),  form_of(shift_16k, 47),
                                 form_of(shift_16k, 48), form_of(shift_16k, 52),
                                 form_of(shift_64k, 48), form_of(shift_64k, 52),
                                 form_of(shift_64k, 42), form_of(shift_16k, 36)};
  return all;
}

std::optional<PageTables::Page> find_page(const PageTables& tables, GuestVirtual address) {
  return TableLookup(tables, Format(tables.form())).find(address);
}

void for_each_page(const PageTables& tables, GuestVirtual begin, GuestVirtual end,
                   const std::function<bool(const PageTables::Page&)>& visit) {
  TableWalk<Format>(tables, Format(tables.form())).for_each(begin, end, visit);
}

bool is_present(std::uint64_t entry) {
  return (entry & valid) != 0;
}

std::optional<GuestPhysical> next_table(std::uint64_t entry) {
  constexpr unsigned narrow = 48;
  const std::uint64_t address = entry & bits(shift_4k, narrow);
  const bool is_table = (entry & valid) != 0 && (entry & table_or_page) != 0;
  if (!is_table || (entry & never_in_table) != 0 || address == 0) return std::nullopt;
  return GuestPhysical{address};
}

GuestVirtual first_address(const PageTableForm& form) {
  return {~(bit(form.address_bits) - 1)};
}

GuestVirtual upper_half(const PageTableForm& form) {
  constexpr unsigned least_4k = 48;
  constexpr unsigned least_16k = 47;
  const unsigned least = form.page_shift == shift_16k ? least_16k : least_4k;
  const unsigned used = form.address_bits == widest ? least : form.address_bits;
  return {~(bit(used - 1) - 1)};
}

bool may_be_root(const GuestMemory& memory, GuestPhysical root, const PageTableForm& form) {
  const std::uint64_t page = bit(form.page_shift);
  constexpr std::uint64_t entry_bytes = 8;
  if (root.value % page != 0) return false;
  const unsigned below = form.page_shift + (form.page_shift - entry_shift) * (form.levels - 1);
  std::uint64_t left = entry_bytes << (form.address_bits - below);
  RootCheck check(memory, form);
  std::array<std::byte, 512> bytes{};
  for (GuestPhysical at = root; left > 0; at = at + bytes.size()) {
    const auto part = std::span(bytes).first(std::min<std::uint64_t>(left, bytes.size()));
    if (!memory.read(at, part)) return false;
    for (std::size_t i = 0; i < part.size(); i += entry_bytes) {
      if (!check.take(load_unsigned(part.subspan(i, entry_bytes)))) return false;
    }
    left -= part.size();
  }
  return check.has_table();
}

}  // namespace photon_dmesg::aarch64
