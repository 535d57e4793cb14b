#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

enum class PagingLevels : unsigned { Four = 4, Five = 5 };

// Bits 12..51 of CR3: the root table. Below are PCID and cache bits, above are LAM's (Intel SDM
// volume 3, 4.5).
[[nodiscard]] GuestPhysical page_table_root(std::uint64_t cr3);

// Bit 12 of CR4: 5-level paging is on.
[[nodiscard]] PagingLevels paging_levels(std::uint64_t cr4);

namespace x86_64 {

// Tables with their top level at `root` in `memory`, which must outlive them. `encryption_mask`:
// the bit of entries for encrypted pages (SME), if that is on.
[[nodiscard]] PageTables page_tables(const GuestMemory& memory, GuestPhysical root,
                                     PagingLevels levels, std::uint64_t encryption_mask = 0);

// PageTables::find() and for_each_page(): 4 or 5 levels, pages of 4 KiB, 2 MiB and 1 GiB (Intel SDM
// volume 3, 4.5).
[[nodiscard]] std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                        GuestVirtual address);
void for_each_page(const PageTables& tables, GuestVirtual begin, GuestVirtual end,
                   const std::function<void(const PageTables::Page&)>& visit);

}  // namespace x86_64

}  // namespace photon_dmesg
