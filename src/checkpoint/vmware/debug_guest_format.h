#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// What VMware's debug.guest files look like, which a monitor writes when the guest panics or
// triple-faults and its .vmx asks for that (monitor.mini-suspend_on_panic,
// monitor.suspend_on_triplefault). They have no magic, and all of it is packed. Source: the crash
// utility's vmware_guestdump.c.
namespace photon_dmesg::vmware::debug_guest {

struct Version {
  std::uint32_t number;
  std::string_view product;
  std::uint64_t memory_at;      // where the memory's description stands
  bool narrow_counts;           // pages and holes are counted in 32 bits
  bool names_architecture;      // a u32 behind the memory's description
  std::uint64_t first_vcpu_at;  // behind 8 bytes for each hole, if the counts are narrow
  std::uint64_t vcpu_gap;       // between a vCPU's two blocks of registers
};

inline constexpr std::array versions = {
    Version{1, "ESXi 6.7 or earlier", 21, true, false, 61, 45},
    Version{3, "ESXi 6.8", 22, false, false, 78, 45},
    Version{4, "ESXi 7.0", 22, false, false, 78, 42},
    Version{5, "ESXi 8.0", 22, false, false, 78, 42},
    Version{6, "ESXi 8.0 update 2", 23, false, false, 79, 42},
    Version{7, "ESXi 9.0", 16, false, true, 83, 42},
};

// File: u32 version, u32 number of vCPUs, ..., the memory's description, ..., the vCPUs.
// The memory's description: u64 last address, pages, u32 reserved, u32 holes, and `most_holes` of
// {first PPN, pages}; pages, PPNs and hole sizes are u64, or u32 where counts are narrow.
inline constexpr std::uint32_t most_holes = 2;
inline constexpr std::uint32_t x86_architecture = 1;
inline constexpr std::uint32_t arm64_architecture = 0;  // whose vCPUs nothing public describes

// A vCPU: u32 CR0, u64 CR2, CR3, CR4, ten u64, u64 base of the IDT; the gap; 27 u64 in the order of
// NT_PRSTATUS; reserved bytes.
inline constexpr std::uint64_t control_bytes = 116;
inline constexpr std::uint64_t reserved_bytes = 17 + 4096;

}  // namespace photon_dmesg::vmware::debug_guest
