#pragma once

#include <vector>

#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

// The page tables in `memory`, which must outlive them, that `vcpu` may be using, in the order in
// which to try them: those that CR3 names; those it would name in kernel mode if it names the
// user's under page-table isolation; both again as they are with encrypted memory. Nothing in the
// registers tells which it is. Empty if it uses none (paging is off), or if its CR3 is unknown or
// zero.
[[nodiscard]] std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory, const Vcpu& vcpu);

}  // namespace photon_dmesg
