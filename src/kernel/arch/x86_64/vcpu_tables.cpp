#include "kernel/arch/x86_64/vcpu_tables.h"

#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/arch/x86_64/page_tables.h"

namespace photon_dmesg {

std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory, const Vcpu& vcpu) {
  std::vector<PageTables> candidates;
  const bool uses_tables = vcpu.x86.cr[3].value_or(0) != 0 &&
                           (vcpu.x86.cr[0].value_or(x86_64::cr0_paging) & x86_64::cr0_paging) != 0;
  if (!uses_tables) return candidates;
  const GuestPhysical root = page_table_root(*vcpu.x86.cr[3]);
  const PagingLevels levels = paging_levels(vcpu.x86.cr[4].value_or(0));
  const auto add = [&](std::uint64_t clear, std::uint64_t encryption) {
    candidates.push_back(
        x86_64::page_tables(memory, GuestPhysical{root.value & ~clear}, levels, encryption));
    if ((root.value & x86_64::pti_user_root) != 0) {
      candidates.push_back(
          x86_64::page_tables(memory, GuestPhysical{root.value & ~(clear | x86_64::pti_user_root)},
                              levels, encryption));
    }
  };
  add(0, 0);
  for (const std::uint64_t bit : x86_64::memory_encryption_bits) {
    if ((root.value & bit) != 0) add(bit, bit);
  }
  return candidates;
}

}  // namespace photon_dmesg
