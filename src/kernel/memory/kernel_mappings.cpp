#include "kernel/memory/kernel_mappings.h"

#include <algorithm>
#include <map>

#include "base/budget.h"
#include "kernel/arch/architecture.h"

namespace photon_dmesg {
namespace {

// Calls `visit` for the parts of `page` that are RAM.
template <typename Visit>
void for_each_ram_part(const PageTables::Page& page, const std::vector<PhysicalRange>& ranges,
                       const Visit& visit) {
  const GuestPhysical page_end = page.physical_address + page.size;
  auto range = std::upper_bound(
      ranges.begin(), ranges.end(), page.physical_address,
      [](GuestPhysical wanted, const PhysicalRange& other) { return wanted < other.begin; });
  if (range != ranges.begin()) --range;
  for (; range != ranges.end() && range->begin < page_end; ++range) {
    const GuestPhysical begin = std::max(page.physical_address, range->begin);
    const GuestPhysical end = std::min(page_end, range->begin + range->size);
    if (begin < end) {
      visit(Mapping{page.virtual_address + (begin - page.physical_address), begin, end - begin});
    }
  }
}

// A mapping never goes from one range of RAM into the next: these may lie apart in a file.
void append(std::vector<Mapping>& mappings, const Mapping& part,
            const std::vector<PhysicalRange>& ranges) {
  const bool begins_range =
      std::binary_search(ranges.begin(), ranges.end(), PhysicalRange{part.physical_address, 0},
                         [](const PhysicalRange& left, const PhysicalRange& right) {
                           return left.begin < right.begin;
                         });
  if (!mappings.empty() && !begins_range) {
    Mapping& last = mappings.back();
    if (last.virtual_address + last.size == part.virtual_address &&
        last.physical_address + last.size == part.physical_address) {
      last.size += part.size;
      return;
    }
  }
  mappings.push_back(part);
}

// The place that most of what is mapped where it may be is mapped by.
std::optional<GuestVirtual> find_direct_map(const std::vector<Mapping>& mappings,
                                            const Architecture& architecture) {
  std::map<std::uint64_t, std::uint64_t> bytes_by_place;
  for (const Mapping& mapping : mappings) {
    const std::uint64_t place = mapping.virtual_address.value - mapping.physical_address.value;
    // The kernel puts it at a multiple of 1 GiB (PUD_SIZE).
    constexpr std::uint64_t alignment = std::uint64_t{1} << 30;
    const auto& [begin, end] = architecture.map().direct_map;
    if (mapping.virtual_address >= begin && mapping.virtual_address < end &&
        place % alignment == 0) {
      bytes_by_place[place] += mapping.size;
    }
  }
  const auto best = std::max_element(
      bytes_by_place.begin(), bytes_by_place.end(),
      [](const auto& left, const auto& right) { return left.second < right.second; });
  if (best == bytes_by_place.end()) return std::nullopt;
  return GuestVirtual{best->first};
}

}  // namespace

KernelMappings find_kernel_mappings(const PageTables& tables, const GuestMemory& memory,
                                    Diagnostics& diagnostics) {
  constexpr std::uint64_t most_times = 4;
  Budget budget("bytes of RAM mapped by the kernel's page tables", most_times * memory.size());
  std::vector<Mapping> all;
  const auto add = [&](const PageTables::Page& page) {
    if (budget.exceeded()) return;
    for_each_ram_part(page, memory.ranges(), [&](const Mapping& part) {
      if (budget.take(part.size)) append(all, part, memory.ranges());
    });
  };
  for (const auto& [begin, end] : tables.architecture().map().worth_mapping) {
    tables.for_each_page(begin, end, add);
  }
  budget.warn_if_exceeded(memory.name(), diagnostics);
  KernelMappings result;
  result.direct_map = find_direct_map(all, tables.architecture());
  for (const Mapping& mapping : all) {
    const std::uint64_t place = mapping.virtual_address.value - mapping.physical_address.value;
    if (!result.direct_map || place != result.direct_map->value) result.others.push_back(mapping);
  }
  return result;
}

}  // namespace photon_dmesg
