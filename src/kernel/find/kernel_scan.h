#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/find/running_kernel.h"
#include "kernel/memory/kernel_image.h"

namespace photon_dmesg {

// What may be spent on page tables near banners. Few pages look like page tables and are none; a
// kernel's image has at most 2^18 pages.
struct BannerBudget {
  Budget steps{"steps to the page tables of a kernel's banner", std::uint64_t{1} << 22};
  Budget bytes{"bytes mapped by page tables near banners", 4 * KernelImage::most_bytes};

  [[nodiscard]] bool is_exceeded() const { return steps.exceeded() || bytes.exceeded(); }
  void warn_if_exceeded(const std::string& name, Diagnostics& diagnostics) const {
    steps.warn_if_exceeded(name, diagnostics);
    bytes.warn_if_exceeded(name, diagnostics);
  }
};

// The kernel that one of `banners` is of, by its own page tables near it, which map it. Nothing if
// there is none, or `budget` is used up. One that an earlier
// boot has left would be found as well, which is a warning.
[[nodiscard]] std::optional<RunningKernel> find_banner_kernel(
    const GuestMemory& memory, const std::vector<GuestPhysical>& banners, BannerBudget& budget,
    Diagnostics& diagnostics);

// Looks through `memory`, from its beginning up to the first kernel, when neither a vCPU nor
// symbols lead to one: a banner anywhere, and near it the kernel's own page tables, which map it.
// Reads on every processor.
[[nodiscard]] std::optional<RunningKernel> scan_for_kernel(const GuestMemory& memory,
                                                           Diagnostics& diagnostics);

// Whether `kernel` uses the end of `memory`: its page tables map some of the last megabytes. If
// they don't, `memory` is not read as the guest has it (GuestState::other_readings).
[[nodiscard]] bool uses_end_of_memory(const RunningKernel& kernel, const GuestMemory& memory);

}  // namespace photon_dmesg
