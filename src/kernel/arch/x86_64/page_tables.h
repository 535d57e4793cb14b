#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

enum class PagingLevels : unsigned { Four = 4, Five = 5 };

// Bits 12..51 of CR3: the root table. Below are PCID and cache bits, above are LAM's (Intel SDM
// volume 3, 4.5).
[[nodiscard]] GuestPhysical page_table_root(std::uint64_t cr3);

// Bit 12 of CR4: 5-level paging is on.
[[nodiscard]] PagingLevels paging_levels(std::uint64_t cr4);

// One set of x86-64 page tables in guest memory (Intel SDM volume 3, 4.5): 4 or 5 levels, pages of
// 4 KiB, 2 MiB and 1 GiB.
class PageTables {
 public:
  // Tables with their top level at `root` in `memory`, which must outlive this object.
  // `encryption_mask`: the bit of an entry that says that its page is encrypted, where memory
  // encryption (SME) is on; it is no part of the address.
  PageTables(const GuestMemory& memory, GuestPhysical root, PagingLevels levels,
             std::uint64_t encryption_mask = 0)
      : memory_(&memory), root_(root), levels_(levels), encryption_mask_(encryption_mask) {}

  // One page: where it is mapped and what it may be used for, all levels taken together.
  struct Page {
    GuestVirtual virtual_address;
    GuestPhysical physical_address;
    std::uint64_t size = 0;  // bytes: 4 KiB, 2 MiB or 1 GiB
    bool writable = false;
    bool executable = false;
  };

  // The page that maps `address`; nothing if it isn't canonical or not present, or if a table on
  // the way lies outside RAM.
  [[nodiscard]] std::optional<Page> find(GuestVirtual address) const;

  // Calls `visit` for each present page that begins in [begin, end), ascending. Tables outside RAM
  // count as empty.
  void for_each_page(GuestVirtual begin, GuestVirtual end,
                     const std::function<void(const Page&)>& visit) const;

  [[nodiscard]] GuestPhysical root() const { return root_; }
  [[nodiscard]] PagingLevels levels() const { return levels_; }

 private:
  struct Walk;
  void visit_table(const Walk& walk, unsigned level, GuestPhysical table, const Page& above) const;

  const GuestMemory* memory_;
  GuestPhysical root_;
  PagingLevels levels_;
  std::uint64_t encryption_mask_;
};

}  // namespace photon_dmesg
