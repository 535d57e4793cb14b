#include "kernel/arch/aarch64/image_place.h"

#include <algorithm>
#include <optional>

#include "kernel/arch/aarch64/memory_map.h"
#include "kernel/arch/aarch64/page_tables.h"

namespace photon_dmesg::aarch64 {
namespace {

using Range = Architecture::Range;
using Page = PageTables::Page;

// What is mapped by the same distance as `part`, around it; nothing if none of it is executable.
std::optional<Range> image_around(const PageTables& tables, const Page& part, Budget& pages) {
  const std::uint64_t at = part.virtual_address.value;
  const GuestVirtual begin{at - std::min(at, image_reach)};
  const GuestVirtual end{at + std::min(~at, image_reach)};
  Range found{part.virtual_address, part.virtual_address};
  bool is_executable = false;
  for_each_page(tables, begin, end, [&](const Page& page) {
    if (!pages.take()) return false;
    const bool moves_alike = page.virtual_address.value - page.physical_address.value ==
                             at - part.physical_address.value;
    if (!moves_alike) return true;
    found.begin = std::min(found.begin, page.virtual_address);
    found.end = std::max(found.end, page.virtual_address + page.size);
    is_executable = is_executable || page.executable;
    return true;
  });
  return is_executable ? std::optional(found) : std::nullopt;
}

std::optional<Range> find_image(const PageTables& tables, const Range& where, Budget& pages) {
  std::optional<Range> found;
  for_each_page(tables, where.begin, where.end, [&](const Page& page) {
    if (!pages.take()) return false;
    if (tables.root() - page.physical_address >= page.size) return true;
    found = image_around(tables, page, pages);
    return !found;
  });
  return found;
}

}  // namespace

Architecture::Range image_range(const PageTables& tables, Budget& pages) {
  const PageTableForm& form = tables.form();
  const GuestVirtual middle = upper_half(form);
  constexpr GuestVirtual end{~std::uint64_t{0}};
  auto found = find_image(tables, {middle, end}, pages);
  if (!found) found = find_image(tables, {first_address(form), middle}, pages);  // until 5.3
  return found.value_or(Range{middle, middle});
}

}  // namespace photon_dmesg::aarch64
