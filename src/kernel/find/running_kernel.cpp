#include "kernel/find/running_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/budget.h"
#include "base/error.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {
namespace {

std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory, const Vcpu& vcpu) {
  return architecture_of(vcpu.machine).vcpu_page_tables(memory, vcpu);
}

std::optional<GuestVirtual> instruction_pointer(const Vcpu& vcpu) {
  return architecture_of(vcpu.machine).instruction_pointer(vcpu);
}

std::string describe_tables(const Vcpu& vcpu) {
  return architecture_of(vcpu.machine).describe_tables(vcpu);
}

bool maps_banner_of(const RunningKernel& kernel, const PageTables& tables) {
  const GuestVirtual banner = kernel.banners.front().address;
  return KernelMemory(tables.memory(), tables).translate(banner) ==
         kernel.image->memory().translate(banner);
}

// Of the tables that may be the vCPU's, the first that map a kernel, unless others map more of the
// same one: those of user mode may have its text and read-only data, and none of its variables
// (page-table isolation without PCID, since Linux 4.17: pti_clone_kernel_text()).
std::optional<RunningKernel> find_kernel_of(const GuestMemory& memory, const Vcpu& vcpu,
                                            KernelImage::Pieces pieces, Budget& budget,
                                            Diagnostics& diagnostics) {
  std::optional<RunningKernel> found;
  for (const PageTables& tables : vcpu_page_tables(memory, vcpu)) {
    if (found && !maps_banner_of(*found, tables)) continue;
    auto image = std::make_shared<const KernelImage>(memory, tables, pieces);
    constexpr std::uint64_t tables_bytes = 128 * 1024;  // a step, even if nothing is mapped
    constexpr std::uint64_t page_bytes = 64;            // and a part of one, looking for the image
    const std::uint64_t steps = tables_bytes + page_bytes * image->pages_searched();
    if (!budget.take(steps + image->budget().taken())) break;
    if (found) {
      if (image->budget().taken() > found->image->budget().taken()) found->image = std::move(image);
      continue;
    }
    std::vector<FoundBanner> banners =
        find_banners(*image, BannerExtent::UpToBuildNumber, diagnostics);
    if (!banners.empty()) found = {std::move(banners), std::move(image), vcpu.index, {}};
  }
  return found;
}

bool has_same_kernel_mapped(const GuestMemory& memory, const Vcpu& vcpu,
                            const RunningKernel& kernel) {
  const std::vector<PageTables> candidates = vcpu_page_tables(memory, vcpu);
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](const PageTables& tables) { return maps_banner_of(kernel, tables); });
}

// Notices reads of what is missing.
class WatchedMemory final : public GuestMemory {
 public:
  WatchedMemory(const GuestMemory& memory, const std::vector<PhysicalRange>& missing)
      : memory_(memory), missing_(missing) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const bool is_there = memory_.read(address, target);
    missed_ = missed_ || (!is_there && (is_missing(address) || memory_.unreadable()));
    return is_there;
  }
  [[nodiscard]] std::optional<FilePlace> find_in_file(GuestPhysical address) const override {
    return memory_.find_in_file(address);
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return memory_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }

  [[nodiscard]] bool has_missed() const { return missed_; }

 private:
  [[nodiscard]] bool is_missing(GuestPhysical address) const {
    return std::any_of(missing_.begin(), missing_.end(), [&](const PhysicalRange& range) {
      return address >= range.begin && address - range.begin < range.size;
    });
  }

  const GuestMemory& memory_;
  const std::vector<PhysicalRange>& missing_;
  mutable bool missed_ = false;
};

bool may_have_own_instruction_mapped(const GuestMemory& memory, const Vcpu& vcpu,
                                     const std::vector<PhysicalRange>& missing) {
  const std::optional<GuestVirtual> at = instruction_pointer(vcpu);
  if (!at) return true;
  const Architecture& architecture = architecture_of(vcpu.machine);
  if (!architecture.map().maps_user && !architecture.is_kernel_pointer(at->value)) return true;
  const WatchedMemory watched(memory, missing);
  return vcpu_page_tables(watched, vcpu).front().find(*at) || watched.has_missed();
}

bool holds_zeros(const GuestMemory& memory, GuestPhysical page) {
  std::array<std::byte, 4096> bytes{};
  bytes.front() = std::byte{1};
  return memory.read(page, bytes) && std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) {
           return byte == std::byte{0};
         });
}

std::vector<Vcpu> with_paging(const GuestMemory& memory, const std::vector<Vcpu>& vcpus) {
  std::vector<Vcpu> paging;
  std::copy_if(vcpus.begin(), vcpus.end(), std::back_inserter(paging),
               [&](const Vcpu& vcpu) { return !vcpu_page_tables(memory, vcpu).empty(); });
  return paging;
}

void compare_vcpus(const GuestMemory& memory, const std::vector<Vcpu>& paging,
                   RunningKernel& kernel, Diagnostics& diagnostics) {
  for (const Vcpu& vcpu : paging) {
    const bool is_same = has_same_kernel_mapped(memory, vcpu, kernel);
    const auto interrupts = architecture_of(vcpu.machine).interrupt_table(vcpu);
    if (is_same && interrupts) kernel.interrupt_tables.push_back({vcpu.index, *interrupts});
    if (vcpu.index == kernel.vcpu) {
      continue;
    }
    if (is_same) {
      diagnostics.found({.what = "the same kernel",
                         .where = fmt::format("vCPU {}", vcpu.index),
                         .how = fmt::format("its page tables ({}) map it", describe_tables(vcpu))});
    } else {
      diagnostics.found({.what = fmt::format("not the kernel of vCPU {}", kernel.vcpu.value_or(0)),
                         .where = fmt::format("vCPU {}", vcpu.index),
                         .how = fmt::format("its page tables ({}) do not map it: it was not "
                                            "running Linux, or its registers are stale",
                                            describe_tables(vcpu))});
    }
  }
}

}  // namespace

GuestVirtual RunningKernel::linked_begin() const {
  return linked_text() +
         tables().architecture().unmapped_beginning(release_number(banner().release));
}

GuestVirtual RunningKernel::linked_text() const {
  return tables().architecture().linked_text(tables(), release_number(banner().release));
}

const FoundBanner& RunningKernel::best_banner() const {
  return *std::max_element(banners.begin(), banners.end(),
                           [](const FoundBanner& left, const FoundBanner& right) {
                             return left.banner.text.size() < right.banner.text.size();
                           });
}

std::optional<RunningKernel> find_running_kernel(const GuestMemory& memory,
                                                 const std::vector<Vcpu>& vcpus,
                                                 Diagnostics& diagnostics,
                                                 KernelImage::Pieces pieces) {
  const std::vector<Vcpu> paging = with_paging(memory, vcpus);
  // What does not run Linux has next to nothing mapped where its image would be.
  Budget budget("bytes that vCPUs have mapped where a kernel may be", 4 * KernelImage::most_bytes);
  for (const Vcpu& vcpu : paging) {
    std::optional<RunningKernel> kernel = find_kernel_of(memory, vcpu, pieces, budget, diagnostics);
    if (!kernel) {
      if (budget.exceeded()) break;
      diagnostics.found({.what = "no kernel banner",
                         .where = fmt::format("vCPU {}", vcpu.index),
                         .how = fmt::format("none is in what {} maps", describe_tables(vcpu))});
      continue;
    }
    diagnostics.found(
        {.what = "page tables at",
         .value = fmt::format("{}", kernel->tables().root()),
         .where = fmt::format("vCPU {}", vcpu.index),
         .how = fmt::format("{}-level, by {}", kernel->tables().levels(), describe_tables(vcpu))});
    for (const FoundBanner& found : kernel->banners) {
      diagnostics.found({.what = "kernel banner at",
                         .value = fmt::format("{}", found.address),
                         .how = found.banner.text});
    }
    compare_vcpus(memory, paging, *kernel, diagnostics);
    kernel->image->budget().warn_if_exceeded(memory.name(), diagnostics);
    return kernel;
  }
  budget.warn_if_exceeded(memory.name(), diagnostics);
  return std::nullopt;
}

void check_memory_belongs(const GuestMemory& memory, const std::vector<Vcpu>& vcpus,
                          const std::vector<PhysicalRange>& missing) {
  const std::vector<Vcpu> paging = with_paging(memory, vcpus);
  const bool any_mapped = std::any_of(paging.begin(), paging.end(), [&](const Vcpu& vcpu) {
    return may_have_own_instruction_mapped(memory, vcpu, missing);
  });
  if (paging.empty() || any_mapped) return;
  const Vcpu& first = paging.front();
  const bool is_zero = holds_zeros(memory, vcpu_page_tables(memory, first).front().root());
  throw Error(Failure::Mismatch,
              fmt::format("{}: not the memory of this checkpoint: expected the page tables at vCPU "
                          "{}'s {} to map its instruction at {}, found {} there{}",
                          memory.name(), first.index, describe_tables(first),
                          *instruction_pointer(first), is_zero ? "nothing but zeros" : "nothing",
                          is_zero ? ": was it copied before the snapshot was complete?" : ""));
}

bool may_run_kernel(const GuestMemory& memory, const Vcpu& vcpu, const KernelMemory& kernel) {
  const std::vector<PageTables> candidates = vcpu_page_tables(memory, vcpu);
  const std::optional<GuestVirtual> at = instruction_pointer(vcpu);
  if (!at || candidates.empty() || !architecture_of(vcpu.machine).is_image_address(*at))
    return true;
  const auto expected = kernel.translate(*at);
  const auto is_same = [&](const PageTables& tables) {
    return KernelMemory(memory, tables).translate(*at) == expected;
  };
  // The wrong candidates lead nowhere: that proves something only where all do.
  return expected ? std::any_of(candidates.begin(), candidates.end(), is_same)
                  : std::all_of(candidates.begin(), candidates.end(), is_same);
}

void warn_of_search(GuestPhysical place, Diagnostics& diagnostics) {
  diagnostics.warn(fmt::format(
      "no vCPU leads to a kernel (none is known, or its registers are missing or of firmware): "
      "using the one found in memory at physical {}, which may be left from an earlier boot",
      place));
}

}  // namespace photon_dmesg
