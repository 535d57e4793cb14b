#pragma once

#include <cstdint>

#include "kernel/arch/x86_64/page_tables.h"
#include "support/fake_memory.h"

namespace photon_dmesg::test {

inline constexpr std::uint64_t pte_present = 1;
inline constexpr std::uint64_t pte_writable = 2;
inline constexpr std::uint64_t pte_large = 1U << 7;
inline constexpr std::uint64_t pte_no_execute = std::uint64_t{1} << 63;

// Writes x86-64 page tables into a FakeMemory, one page of tables after the other from `first` on;
// the first is the root.
class PageTableBuilder {
 public:
  PageTableBuilder(FakeMemory& memory, GuestPhysical first, PagingLevels levels)
      : memory_(memory), root_(first), next_(first + 4096), levels_(levels) {}

  [[nodiscard]] GuestPhysical root() const { return root_; }
  [[nodiscard]] PageTables tables() const { return x86_64::page_tables(memory_, root_, levels_); }

  // Maps one page of 4 KiB (level 1), 2 MiB (2) or 1 GiB (3).
  void map(GuestVirtual from, GuestPhysical to, unsigned level = 1,
           std::uint64_t flags = pte_present | pte_writable) {
    GuestPhysical table = root_;
    for (auto at = static_cast<unsigned>(levels_); at > level; --at) {
      const GuestPhysical slot = slot_of(table, from, at);
      std::uint64_t entry = read(slot);
      if (entry == 0) {
        entry = next_.value | pte_present | pte_writable;
        next_ = next_ + 4096;
        memory_.write_value(slot, entry);
      }
      table = {entry & 0x000ffffffffff000};
    }
    memory_.write_value(slot_of(table, from, level),
                        to.value | flags | (level > 1 ? pte_large : 0));
  }

  // Sets `bit` in every entry so far, as memory encryption has it.
  void encrypt(std::uint64_t bit) {
    for (GuestPhysical at = root_; at < next_; at = at + 8) {
      if (const std::uint64_t entry = read(at); entry != 0) memory_.write_value(at, entry | bit);
    }
  }

  // Where the entry for `address` stands in `table` of `level`.
  static GuestPhysical slot_of(GuestPhysical table, GuestVirtual address, unsigned level) {
    return table + (address.value >> (12 + 9 * (level - 1)) & 511) * 8;
  }

 private:
  [[nodiscard]] std::uint64_t read(GuestPhysical slot) const {
    std::uint64_t entry = 0;
    (void)memory_.read(slot, std::as_writable_bytes(std::span(&entry, 1)));
    return entry;
  }

  FakeMemory& memory_;
  GuestPhysical root_;
  GuestPhysical next_;
  PagingLevels levels_;
};

}  // namespace photon_dmesg::test
