#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "kernel/arch/x86_64/page_tables.h"

namespace photon_dmesg {

// A run of mapped pages of the kernel image.
struct ImageRange {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes
};

// The kernel image as page tables map it, by what its pages may be used for. Both lists are
// ascending; neighbouring pages are one range, so that nothing is cut at a page border.
struct ImageRanges {
  std::vector<ImageRange> read_only;  // neither written nor executed: .rodata
  std::vector<ImageRange> other;      // text, data; everything in a kernel without protection
};

[[nodiscard]] ImageRanges find_image_ranges(const PageTables& tables);

// Its lowest page: the image begins with its text, and nothing is mapped below it.
[[nodiscard]] std::optional<GuestVirtual> find_image_begin(const PageTables& tables);

}  // namespace photon_dmesg
