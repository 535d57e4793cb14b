#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/page_tables.h"

// The tables of kernel addresses (TTBR1_EL1): pages of 4, 16 or 64 KiB, 39 to 52 bits of addresses
// (Arm Architecture Reference Manual, D8: VMSAv8-64).
namespace photon_dmesg::aarch64 {

// The form that tables for so many bits have in pages of 1 << `page_shift` bytes.
[[nodiscard]] PageTableForm form_of(unsigned page_shift, unsigned address_bits);

// Every form that Linux can be built for, the most usual first.
[[nodiscard]] std::span<const PageTableForm> possible_forms();

// PageTables::find() and for_each_page(); the second of the latter goes on as long as `visit`
// returns true.
[[nodiscard]] std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                        GuestVirtual address);
void for_each_page(const PageTables& tables, GuestVirtual begin, GuestVirtual end,
                   const std::function<bool(const PageTables::Page&)>& visit);

// Whether `entry`, of a table on any level, maps something.
[[nodiscard]] bool is_present(std::uint64_t entry);

// Where the table is that `entry` leads to, if it looks like an entry of Linux that leads to one;
// in any form of tables whose addresses have no more than 48 bits.
[[nodiscard]] std::optional<GuestPhysical> next_table(std::uint64_t entry);

// Where the addresses begin that `form` can map.
[[nodiscard]] GuestVirtual first_address(const PageTableForm& form);

// Where the upper half of them begins. A kernel built for 52 bits leaves room for processors that
// have fewer (VA_BITS_MIN): its upper half is that of 48 bits, or of 47 with pages of 16 KiB.
[[nodiscard]] GuestVirtual upper_half(const PageTableForm& form);

// Whether the page at `root` may hold a top-level table of that form: what is in it leads to
// further tables.
[[nodiscard]] bool may_be_root(const GuestMemory& memory, GuestPhysical root,
                               const PageTableForm& form);

}  // namespace photon_dmesg::aarch64
