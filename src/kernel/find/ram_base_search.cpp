#include "kernel/find/ram_base_search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "checkpoint/guest/shifted_memory.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/banner_scan.h"
#include "kernel/find/kernel_scan.h"

namespace photon_dmesg {
namespace {

// A kernel's own tables lie behind its banner, at most this far.
constexpr std::uint64_t reach = std::uint64_t{64} << 20;

// No machine has RAM higher.
constexpr std::uint64_t highest_base = std::uint64_t{1} << 48;

GuestPhysical begin_of(const GuestMemory& memory) {
  return memory.ranges().front().begin;
}

std::vector<GuestPhysical> moved(std::vector<GuestPhysical> addresses, std::uint64_t shift) {
  for (GuestPhysical& address : addresses) address = address + shift;
  return addresses;
}

// What lies near banners, each part of it once.
std::vector<PhysicalRange> surroundings(const std::vector<GuestPhysical>& banners) {
  std::uint64_t left = 8 * reach;  // what is far from the first ones is a file in the guest's cache
  std::vector<PhysicalRange> ranges;
  for (const GuestPhysical banner : banners) {
    const bool joins = !ranges.empty() && banner - ranges.back().begin <= ranges.back().size;
    if (!joins) ranges.push_back({banner, 0});
    PhysicalRange& range = ranges.back();
    const std::uint64_t grown = banner - range.begin + reach - range.size;
    if (grown > left) break;
    left -= grown;
    range.size += grown;
  }
  return ranges;
}

// The addresses, as distances from where `memory` has its RAM, at which it may be.
std::vector<std::uint64_t> possible_shifts(const GuestMemory& memory,
                                           const std::vector<GuestPhysical>& banners) {
  std::vector<std::uint64_t> found;
  for (const PhysicalRange& range : surroundings(banners)) {
    for (const Architecture* architecture : architectures()) {
      for (const std::uint64_t shift : architecture->possible_ram_shifts(memory, range)) {
        const bool is_new = std::find(found.begin(), found.end(), shift) == found.end();
        if (is_new && (begin_of(memory) + shift).value < highest_base) found.push_back(shift);
      }
    }
  }
  return found;
}

std::optional<PlacedMemory> derive_base(const std::shared_ptr<const GuestMemory>& reading,
                                        const std::vector<GuestPhysical>& banners,
                                        Diagnostics& diagnostics) {
  constexpr std::uint64_t most_tried = 8;
  Budget tried("addresses at which RAM may begin", most_tried);
  std::optional<BannerBudget> exceeded;
  for (const std::uint64_t shift : possible_shifts(*reading, banners)) {
    if (!tried.take()) break;
    BannerBudget budget;
    auto memory = std::make_unique<ShiftedMemory>(reading, shift);
    const std::vector<GuestPhysical> there = moved(banners, shift);
    SilentDiagnostics silent;
    if (!find_banner_kernel(*memory, there, budget, silent)) {
      if (budget.is_exceeded()) exceeded = budget;
      continue;
    }
    BannerBudget again;
    RunningKernel kernel = find_banner_kernel(*memory, there, again, diagnostics).value();
    return PlacedMemory{std::move(memory), std::move(kernel),
                        "its page tables lead to each other then, and map a kernel in it"};
  }
  tried.warn_if_exceeded(reading->name(), diagnostics);
  if (exceeded) exceeded->warn_if_exceeded(reading->name(), diagnostics);
  return std::nullopt;
}

}  // namespace

std::optional<PlacedMemory> find_ram_base(std::vector<std::unique_ptr<GuestMemory>> readings,
                                          Diagnostics& diagnostics) {
  if (readings.empty() || readings.front()->ranges().empty()) return std::nullopt;
  const GuestPhysical first = begin_of(*readings.front());
  BannerScan scan(*readings.front());
  const std::vector<GuestPhysical> banners = scan.rest(diagnostics);
  scan.warn_if_exceeded(diagnostics);
  for (std::unique_ptr<GuestMemory>& reading : readings) {
    BannerBudget budget;
    auto kernel = find_banner_kernel(*reading, moved(banners, begin_of(*reading) - first), budget,
                                     diagnostics);
    if (!kernel) continue;
    return PlacedMemory{std::move(reading), std::move(*kernel), "read so, there is a kernel in it"};
  }
  return derive_base(std::move(readings.front()), banners, diagnostics);
}

}  // namespace photon_dmesg
