#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "base/budget.h"
#include "kernel/symbols/kallsyms_table.h"

namespace photon_dmesg {

// Some times the names of the largest kernel: almost nothing but the table begins like one.
[[nodiscard]] Budget kallsyms_budget();

// Takes the table apart that lies somewhere in `bytes`, which stand at `address` in the guest.
// Nothing if there is none. `is_right` says whether a reading of it makes sense: the parts can be
// read in several ways, of which only one fits the kernel. `budget` is for what is read
// as tokens and names, kallsyms_budget() for all of a kernel's image. The table refers to `bytes`
// until it is told to keep() what it needs of them.
//
// The parts of the table, as scripts/kallsyms.c writes them, each aligned to 8 bytes:
//   4.4         addresses (u64), num_syms, names, markers, token_table, token_index
//   4.6 to 6.3  offsets (s32), relative_base, num_syms, names, markers, [seqs_of_names], ...
//   6.4 to 6.12 num_syms, names, markers, token_table, token_index, offsets, relative_base,
//               seqs_of_names
//   7.x         as 6.12 without relative_base: each offset counts from its own place
// num_syms and markers are u64 up to 4.19, u32 since.
[[nodiscard]] std::optional<KallsymsTable> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address, Budget& budget,
    const std::function<bool(const KallsymsTable&)>& is_right);

}  // namespace photon_dmesg
