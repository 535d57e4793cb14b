#pragma once

#include <cstdint>

#include "kernel/arch/aarch64/aarch64.h"
#include "kernel/arch/aarch64/page_tables.h"
#include "support/fake_memory.h"

namespace photon_dmesg::test {

inline constexpr std::uint64_t arm64_table = 3;
inline constexpr std::uint64_t arm64_page = 0x403;  // and accessed
inline constexpr std::uint64_t arm64_read_only = 1U << 7;
inline constexpr std::uint64_t arm64_no_execute = std::uint64_t{1} << 53;

// Writes arm64's tables of kernel addresses into a FakeMemory, one page of tables after the other
// from `root` on.
class Arm64TableBuilder {
 public:
  Arm64TableBuilder(FakeMemory& memory, GuestPhysical root, const PageTableForm& form)
      : memory_(memory), form_(form), root_(root), next_(root + page()) {}

  [[nodiscard]] PageTables tables() const {
    return {aarch64::architecture(), memory_, root_, form_};
  }

  // Maps a page (level 1) or a block (above).
  void map(GuestVirtual from, GuestPhysical to, unsigned level = 1, std::uint64_t flags = 0) {
    GuestPhysical table = root_;
    for (unsigned at = form_.levels; at > level; --at) {
      const GuestPhysical slot = slot_of(table, from, at);
      std::uint64_t entry = read(slot);
      if (entry == 0) {
        entry = next_.value | arm64_table;
        next_ = next_ + page();
        memory_.write_value(slot, entry);
      }
      table = {entry & ~std::uint64_t{3}};
    }
    const std::uint64_t kind = level == 1 ? arm64_page : arm64_page & ~std::uint64_t{2};
    memory_.write_value(slot_of(table, from, level), encoded(to) | flags | kind);
  }

 private:
  [[nodiscard]] std::uint64_t page() const { return std::uint64_t{1} << form_.page_shift; }

  [[nodiscard]] GuestPhysical slot_of(GuestPhysical table, GuestVirtual address,
                                      unsigned level) const {
    const unsigned index_bits = form_.page_shift - 3;
    const unsigned shift = form_.page_shift + index_bits * (level - 1);
    const unsigned width = level == form_.levels ? form_.address_bits - shift : index_bits;
    return table + (address.value >> shift & ((std::uint64_t{1} << width) - 1)) * 8;
  }

  // As descriptors hold physical addresses of more than 48 bits.
  [[nodiscard]] std::uint64_t encoded(GuestPhysical address) const {
    if (form_.wide_addresses) {
      return (address.value & ((std::uint64_t{1} << 50) - 1)) | (address.value >> 50 & 3) << 8;
    }
    return (address.value & ((std::uint64_t{1} << 48) - 1)) | (address.value >> 48 & 15) << 12;
  }

  [[nodiscard]] std::uint64_t read(GuestPhysical slot) const {
    std::uint64_t entry = 0;
    (void)memory_.read(slot, std::as_writable_bytes(std::span(&entry, 1)));
    return entry;
  }

  FakeMemory& memory_;
  PageTableForm form_;
  GuestPhysical root_;
  GuestPhysical next_;
};

}  // namespace photon_dmesg::test
