#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/little_endian.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

// The walk of page tables that all architectures have in common: tables of 8-byte entries, each
// level's indexed by its own bits of the address. What an architecture's entries mean tells its
// `Format`, which has
//   GuestVirtual complete(std::uint64_t address) const
//                                   the address that has these bits, and above them what it must
//   std::optional<TableEntry> apply(const PageTables::Page& above, std::uint64_t entry,
//                                   unsigned level) const
//                                   what an entry maps, given the rights of the levels above it;
//                                   nothing if it is not present. The virtual address is not its.
struct TableEntry {
  PageTables::Page page;  // or, unless it is a leaf, where the next table lies and what it may map
  bool is_leaf = false;
};

template <typename Format>
class TableLookup {
 public:
  TableLookup(const PageTables& tables, Format format) : tables_(tables), format_(format) {}

  // PageTables::find().
  [[nodiscard]] std::optional<PageTables::Page> find(GuestVirtual address) const {
    const std::uint64_t inside = address.value & (span_of(form().levels + 1) - 1);
    if (format_.complete(inside) != address) return std::nullopt;
    PageTables::Page page = root();
    for (unsigned level = form().levels; level > 0; --level) {
      std::array<std::byte, entry_bytes> bytes{};
      const std::uint64_t index = (inside >> shift_of(level)) & (entries_of(level) - 1);
      if (!tables_.memory().read(page.physical_address + index * entry_bytes, bytes)) break;
      const std::optional<TableEntry> entry = format_.apply(page, load_u64(bytes), level);
      if (!entry) break;
      page = entry->page;
      if (!entry->is_leaf) continue;
      page.virtual_address = {address.value & ~(page.size - 1)};
      return page;
    }
    return std::nullopt;
  }

 protected:
  static constexpr std::size_t entry_bytes = 8;
  static constexpr unsigned entry_shift = 3;

  // Levels of tables count from 1, a table of pages, upwards.
  [[nodiscard]] const PageTableForm& form() const { return tables_.form(); }
  [[nodiscard]] PageTables::Page root() const { return {{}, tables_.root(), 0, true, true}; }
  [[nodiscard]] unsigned shift_of(unsigned level) const {
    return form().page_shift + (form().page_shift - entry_shift) * (level - 1);
  }
  // Bytes that an entry maps; of the level above all, bytes that the tables map.
  [[nodiscard]] std::uint64_t span_of(unsigned level) const {
    return std::uint64_t{1} << (level > form().levels ? form().address_bits : shift_of(level));
  }
  [[nodiscard]] std::size_t entries_of(unsigned level) const {
    return static_cast<std::size_t>(span_of(level + 1) >> shift_of(level));
  }

  const PageTables& tables_;
  Format format_;
};

// Walks all of them, which takes more to begin with.
template <typename Format>
class TableWalk : private TableLookup<Format> {
 public:
  using TableLookup<Format>::TableLookup;

  // PageTables::for_each_page(), until `visit` returns false. Returns whether it never did.
  template <typename Visit>
  bool for_each(GuestVirtual begin, GuestVirtual end, const Visit& visit) {
    for (auto& seen : seen_) seen.clear();
    return visit_table(Wanted<Visit>{begin, end, visit}, this->form().levels, this->root());
  }

 private:
  using Base = TableLookup<Format>;
  static constexpr unsigned most_levels = 5;

  template <typename Visit>
  struct Wanted {
    GuestVirtual begin;
    GuestVirtual end;
    const Visit& visit;
  };

  // `above.virtual_address` is the first address that the table maps, as its bits are.
  template <typename Visit>
  bool visit_table(const Wanted<Visit>& wanted, unsigned level, const PageTables::Page& above) {
    if (!seen_[level - 1].insert(above.physical_address.value).second) return true;
    std::vector<std::byte>& bytes = bytes_[level - 1];  // one of each level is walked at a time
    const std::size_t count = this->entries_of(level);
    const std::uint64_t span = this->span_of(level);
    bytes.resize(count * Base::entry_bytes);
    if (!this->tables_.memory().read(above.physical_address, bytes)) return true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t word = load_u64(
          std::span(bytes).subspan(i * Base::entry_bytes).template first<Base::entry_bytes>());
      if (word == 0) continue;  // as most are
      const GuestVirtual linear = above.virtual_address + i * span;
      const GuestVirtual address = this->format_.complete(linear.value);
      const std::uint64_t last = address.value + (span - 1);
      if (last < wanted.begin.value || address >= wanted.end) continue;
      auto entry = this->format_.apply(above, word, level);
      if (!entry) continue;
      if (!entry->is_leaf) {
        entry->page.virtual_address = linear;
        if (!visit_table(wanted, level - 1, entry->page)) return false;
      } else if (address >= wanted.begin) {
        entry->page.virtual_address = address;
        if (!wanted.visit(std::as_const(entry->page))) return false;
      }
    }
    return true;
  }

  // By their places: tables that lead to themselves or to each other would be walked forever, and
  // one that is mapped over and over (espfix, KASAN's shadow of nothing) almost so.
  std::array<std::unordered_set<std::uint64_t>, most_levels> seen_{};
  std::array<std::vector<std::byte>, most_levels> bytes_{};
};

}  // namespace photon_dmesg
