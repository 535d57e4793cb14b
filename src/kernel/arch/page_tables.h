#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

class Architecture;

// What a guest's processors may have chosen about the form of its page tables.
struct PageTableForm {
  unsigned levels = 4;
  unsigned page_shift = 12;    // a page is 1 << page_shift bytes
  unsigned address_bits = 48;  // that the tables map
  // x86-64: the bit of an entry that says that its page is encrypted, where memory encryption is
  // on; it is no part of the address.
  std::uint64_t encryption_mask = 0;
  // arm64: entries hold physical addresses of 52 bits, in the form that pages of 4 and 16 KiB have.
  bool wide_addresses = false;
};

// One set of page tables in guest memory, which its architecture walks.
class PageTables {
 public:
  // Tables with their top level at `root` in `memory`. Both `architecture`, as architecture_of()
  // gives it, and `memory` must outlive this object.
  PageTables(const Architecture& architecture, const GuestMemory& memory, GuestPhysical root,
             PageTableForm form)
      : architecture_(&architecture), memory_(&memory), root_(root), form_(form) {}

  // One page: where it is mapped and what it may be used for, all levels taken together.
  struct Page {
    GuestVirtual virtual_address;
    GuestPhysical physical_address;
    std::uint64_t size = 0;  // bytes
    bool writable = false;
    bool executable = false;
  };

  // The page that maps `address`; nothing if it isn't canonical or not present, or if a table on
  // the way lies outside RAM.
  [[nodiscard]] std::optional<Page> find(GuestVirtual address) const;

  // Calls `visit` for each present page that begins in [begin, end), ascending. Tables outside RAM
  // count as empty, and so does one that was walked before on the same level: what it maps is known
  // by its lowest addresses only. So there are no more pages than entries in RAM for each level.
  void for_each_page(GuestVirtual begin, GuestVirtual end,
                     const std::function<void(const Page&)>& visit) const;

  [[nodiscard]] const Architecture& architecture() const { return *architecture_; }
  [[nodiscard]] const GuestMemory& memory() const { return *memory_; }
  [[nodiscard]] GuestPhysical root() const { return root_; }
  [[nodiscard]] const PageTableForm& form() const { return form_; }
  [[nodiscard]] unsigned levels() const { return form_.levels; }

 private:
  const Architecture* architecture_;
  const GuestMemory* memory_;
  GuestPhysical root_;
  PageTableForm form_;
};

}  // namespace photon_dmesg
