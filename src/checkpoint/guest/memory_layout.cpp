#include "checkpoint/guest/memory_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// x86-64 has at most 52 bits of physical address, so no honest page number has more than 40.
constexpr std::uint64_t page_limit = std::uint64_t{1} << 40;

void check_region(const MemoryRegion& region) {
  if (region.first_ppn >= page_limit || region.image_page >= page_limit ||
      region.pages >= page_limit) {
    throw unusable(fmt::format(
        "memory region out of range: PPN {:#x}, image page {:#x}, {:#x} pages; expected each below "
        "{:#x}",
        region.first_ppn, region.image_page, region.pages, page_limit));
  }
}

void check_disjoint(std::vector<MemoryRegion> regions, std::uint64_t MemoryRegion::*start,
                    std::string_view what) {
  std::sort(regions.begin(), regions.end(),
            [&](const MemoryRegion& a, const MemoryRegion& b) { return a.*start < b.*start; });
  for (std::size_t i = 1; i < regions.size(); ++i) {
    if (regions[i - 1].*start + regions[i - 1].pages > regions[i].*start) {
      throw unusable(fmt::format("memory regions overlap: two of them hold {} {:#x}", what,
                                 regions[i].*start));
    }
  }
}

void check_run(const MemoryRun& run) {
  constexpr std::uint64_t limit = page_limit * MemoryRegion::page_bytes;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  if (run.begin.value >= limit || run.size > limit - run.begin.value ||
      run.image_offset > most - run.size) {
    throw unusable(
        fmt::format("memory out of range: {:#x} bytes at physical {}, offset {:#x}; expected it to "
                    "end by {:#x}",
                    run.size, run.begin, run.image_offset, limit));
  }
}

// The memory that is spoken for, in parts that do not touch: where each begins and ends. So what
// many runs hold is passed over in one step.
class Coverage {
 public:
  // Adds [begin, end), and calls visit(begin, end) for each part of it that was not covered.
  template <typename Visit>
  void add(std::uint64_t begin, std::uint64_t end, const Visit& visit) {
    auto next = parts_.upper_bound(begin);
    if (next != parts_.begin() && std::prev(next)->second >= begin) --next;
    std::uint64_t first = begin;
    std::uint64_t at = begin;
    while (next != parts_.end() && next->first <= end) {
      if (next->first > at) visit(at, next->first);
      at = std::max(at, next->second);
      first = std::min(first, next->first);
      next = parts_.erase(next);
    }
    if (at < end) visit(at, end);
    parts_.emplace(first, std::max(at, end));
  }

 private:
  std::map<std::uint64_t, std::uint64_t> parts_;
};

// Bytes that stood for memory in several places would make a small file a guest of any size.
void check_disjoint_in_image(std::vector<MemoryRun> runs) {
  std::sort(runs.begin(), runs.end(), [](const MemoryRun& left, const MemoryRun& right) {
    return left.image_offset < right.image_offset;
  });
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const MemoryRun& before = runs[i - 1];
    if (runs[i].image_offset - before.image_offset < before.size) {
      throw unusable(fmt::format(
          "expected the bytes at offset {:#x} to be memory in one place, found physical {} and {}",
          runs[i].image_offset, before.begin + (runs[i].image_offset - before.image_offset),
          runs[i].begin));
    }
  }
}

}  // namespace

MemoryLayout::MemoryLayout(std::vector<MemoryRegion> regions, std::uint64_t image_size) {
  std::erase_if(regions, [](const MemoryRegion& region) { return region.pages == 0; });
  if (regions.empty()) {
    add({{0}, 0, image_size});
    return;
  }
  std::for_each(regions.begin(), regions.end(), check_region);
  check_disjoint(regions, &MemoryRegion::first_ppn, "guest-physical page");
  check_disjoint(regions, &MemoryRegion::image_page, "image page");
  std::sort(regions.begin(), regions.end(),
            [](const MemoryRegion& a, const MemoryRegion& b) { return a.first_ppn < b.first_ppn; });
  for (const MemoryRegion& region : regions) {
    add({{region.first_ppn * MemoryRegion::page_bytes},
         region.image_page * MemoryRegion::page_bytes,
         region.pages * MemoryRegion::page_bytes});
  }
}

MemoryLayout::MemoryLayout(const std::vector<MemoryRun>& runs) {
  // What is left of each run beside those before it.
  std::vector<MemoryRun> pieces;
  Coverage covered;
  for (const MemoryRun& run : runs) {
    check_run(run);
    if (run.size == 0) continue;
    covered.add(
        run.begin.value, run.begin.value + run.size, [&](std::uint64_t begin, std::uint64_t end) {
          pieces.push_back({{begin}, run.image_offset + (begin - run.begin.value), end - begin});
        });
  }
  check_disjoint_in_image(pieces);
  std::sort(pieces.begin(), pieces.end(),
            [](const MemoryRun& left, const MemoryRun& right) { return left.begin < right.begin; });
  for (const MemoryRun& piece : pieces) add(piece);
}

void MemoryLayout::add(const MemoryRun& run) {
  if (run.size == 0) return;  // an image without a byte
  ranges_.push_back({run.begin, run.size});
  image_offsets_.push_back(run.image_offset);
  image_size_ = std::max(image_size_, run.image_offset + run.size);
}

std::vector<PhysicalRange> MemoryLayout::cut(std::uint64_t image_size) {
  std::vector<PhysicalRange> left_out;
  const std::vector<PhysicalRange> ranges = std::exchange(ranges_, {});
  const std::vector<std::uint64_t> offsets = std::exchange(image_offsets_, {});
  image_size_ = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const std::uint64_t kept =
        std::min(ranges[i].size, image_size - std::min(image_size, offsets[i]));
    if (kept > 0) add({ranges[i].begin, offsets[i], kept});
    if (kept < ranges[i].size) left_out.push_back({ranges[i].begin + kept, ranges[i].size - kept});
  }
  return left_out;
}

std::optional<MemoryLayout::Place> MemoryLayout::find(GuestPhysical address) const {
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), address,
      [](GuestPhysical wanted, const PhysicalRange& range) { return wanted < range.begin; });
  if (after == ranges_.begin()) {
    return std::nullopt;
  }
  const PhysicalRange& range = *std::prev(after);
  const std::uint64_t inside = address - range.begin;
  if (inside >= range.size) {
    return std::nullopt;
  }
  const auto index = static_cast<std::size_t>(std::prev(after) - ranges_.begin());
  return Place{image_offsets_[index] + inside, range.size - inside};
}

}  // namespace photon_dmesg
