#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/page_tables.h"
#include "kernel/find/banner_search.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// The kernel that the guest's vCPUs were running, found without knowing its symbols.
struct RunningKernel {
  // At least one, and perhaps not all (BannerExtent): which is linux_banner only symbols can tell.
  std::vector<FoundBanner> banners;
  std::shared_ptr<const KernelImage> image;
  std::optional<std::uint32_t> vcpu;  // whose page tables map it; none: the kernel's own

  // The interrupt descriptor tables of the vCPUs that run this kernel.
  struct InterruptTable {
    std::uint32_t vcpu = 0;
    GuestVirtual base;
  };
  std::vector<InterruptTable> interrupt_tables;

  [[nodiscard]] const PageTables& tables() const { return image->tables(); }

  // Where its _text is linked, as kernels of its release are; and the lowest page of its image that
  // is mapped.
  [[nodiscard]] GuestVirtual linked_text() const;
  [[nodiscard]] GuestVirtual linked_begin() const;
  // The most detailed of the banners.
  [[nodiscard]] const FoundBanner& best_banner() const;
  // What to call this kernel.
  [[nodiscard]] const KernelBanner& banner() const { return best_banner().banner; }
};

// Follows each vCPU's CR3 to a kernel image with a banner; the first that has one is taken, the
// others must agree or are reported. A vCPU in user mode under page-table isolation is tried with
// the kernel's tables beside the user's, which may map a part of the same kernel: those that map
// more of it are taken. Nothing if no vCPU has a kernel mapped (it was in firmware, or its
// registers are missing). `pieces` is what becomes of those of its image that were searched: to be
// kept where the symbols will be looked for in them.
[[nodiscard]] std::optional<RunningKernel> find_running_kernel(
    const GuestMemory& memory, const std::vector<Vcpu>& vcpus, Diagnostics& diagnostics,
    KernelImage::Pieces pieces = KernelImage::Pieces::Kept);

// Throws Error(Mismatch) when vCPUs use page tables and none has its own instruction mapped, which
// a processor fetches through them: then `memory` is not theirs. Page tables that lie in what is
// `missing` of the memory leave it open.
void check_memory_belongs(const GuestMemory& memory, const std::vector<Vcpu>& vcpus,
                          const std::vector<PhysicalRange>& missing);

// Whether `vcpu` runs what `kernel` has at its instruction pointer; false if that is in another
// kernel's image. True where this can't be told: outside any image, or without known page tables.
[[nodiscard]] bool may_run_kernel(const GuestMemory& memory, const Vcpu& vcpu,
                                  const KernelMemory& kernel);

// Says that the kernel used is one that was only found in memory, at physical `place`.
void warn_of_search(GuestPhysical place, Diagnostics& diagnostics);

}  // namespace photon_dmesg
