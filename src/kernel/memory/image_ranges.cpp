#include "kernel/memory/image_ranges.h"

#include "kernel/arch/x86_64/memory_map.h"

namespace photon_dmesg {
namespace {

void append_page(std::vector<ImageRange>& ranges, const PageTables::Page& page) {
  if (!ranges.empty() && ranges.back().begin + ranges.back().size == page.virtual_address) {
    ranges.back().size += page.size;
  } else {
    ranges.push_back({page.virtual_address, page.size});
  }
}

}  // namespace

ImageRanges find_image_ranges(const PageTables& tables) {
  ImageRanges ranges;
  tables.for_each_page(x86_64::start_kernel_map, x86_64::kernel_image_end,
                       [&](const PageTables::Page& page) {
                         const bool read_only = !page.writable && !page.executable;
                         append_page(read_only ? ranges.read_only : ranges.other, page);
                       });
  return ranges;
}

std::optional<GuestVirtual> find_image_begin(const PageTables& tables) {
  std::optional<GuestVirtual> begin;
  tables.for_each_page(x86_64::start_kernel_map, x86_64::kernel_image_end,
                       [&](const PageTables::Page& page) {
                         if (!begin) begin = page.virtual_address;
                       });
  return begin;
}

}  // namespace photon_dmesg
