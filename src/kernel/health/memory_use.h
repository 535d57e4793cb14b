#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/find/guest_kernel.h"
#include "kernel/health/reading.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// One zone of memory in which the allocator has pages (struct zone).
struct MemoryZone {
  std::string name;  // "DMA32", "Normal"
  std::uint64_t managed_pages = 0;
  std::uint64_t free_pages = 0;
  // Below the first nobody but who frees memory gets a page; kswapd runs from the second to the
  // third (WMARK_MIN, WMARK_LOW, WMARK_HIGH).
  std::array<std::uint64_t, 3> watermarks{};
  // What it keeps besides from all that the highest zone with pages could have given: zone
  // lowmem_reserve. 0 if that is not known.
  std::uint64_t reserve = 0;

  // Whether it gives an ordinary allocation nothing more (__zone_watermark_ok(), mm/page_alloc.c).
  [[nodiscard]] bool is_exhausted() const {
    return free_pages <= watermarks[0] || free_pages - watermarks[0] <= reserve;
  }
};

// How much memory the guest had left, in pages. What is not known is absent.
struct MemoryUse {
  std::uint64_t page_bytes = 4096;
  std::optional<Reading> total_pages;
  std::optional<Reading> free_pages;
  std::vector<MemoryZone> zones;
  std::optional<std::uint64_t> oom_kills;  // since boot (4.13 and later)
  // The kernel's load averages: 1, 5 and 15 minutes, in 1/2048.
  std::optional<std::array<std::uint64_t, 3>> load;

  [[nodiscard]] std::uint64_t mib(std::uint64_t pages) const {
    return pages / ((std::uint64_t{1} << 20) / page_bytes);
  }
};

[[nodiscard]] MemoryUse read_memory_use(const GuestKernel& kernel, const KernelTypes& types,
                                        const Cpus& cpus);

}  // namespace photon_dmesg
