#include "kernel/find/guest_kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "kernel/arch/architecture.h"
#include "kernel/find/banner_search.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/kallsyms_parser.h"

namespace photon_dmesg {
namespace {

// Whether `table` is that of a kernel image: its text begins and ends where such an image may.
bool fits_kernel(const KallsymsTable& table, const KernelImage& image) {
  const KernelMemory& memory = image.memory();
  const std::optional<GuestVirtual> text = table.find("_stext");
  const std::optional<GuestVirtual> text_end = table.find("_etext");
  const std::optional<GuestVirtual> banner = table.find("linux_banner");
  const Architecture::Range& place = image.tables().architecture().map().image;
  return text && text_end && *text < *text_end && *text >= place.begin && *text_end < place.end &&
         memory.translate(*text) && memory.translate(GuestVirtual{text_end->value - 1}) &&
         (!banner || banner_at(image, *banner));
}

// What stands at an address, by the hash of its name: as good as the name for a comparison, and a
// kernel has some hundred thousand.
struct HashedSymbol {
  std::size_t name = 0;
  GuestVirtual address;

  auto operator<=>(const HashedSymbol&) const = default;
};

// What of a kernel `table` has every symbol of: its text, and with CONFIG_KALLSYMS_ALL, as a
// variable shows, all of its image.
Architecture::Range extent_of(const KallsymsTable& table, const KernelImage& image) {
  if (table.find("linux_banner")) return image.tables().architecture().map().image;
  return {*table.find("_stext"), *table.find("_etext")};
}

std::vector<HashedSymbol> hash_symbols(const KallsymsTable& table) {
  std::vector<HashedSymbol> symbols;
  symbols.reserve(table.size());
  table.for_each([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    symbols.push_back({std::hash<std::string_view>()(name), address});
  });
  std::sort(symbols.begin(), symbols.end());
  return symbols;
}

}  // namespace

std::optional<KallsymsTable> find_kallsyms(const KernelImage& image, Diagnostics& diagnostics) {
  const auto is_right = [&](const KallsymsTable& table) { return fits_kernel(table, image); };
  Budget budget = kallsyms_budget();
  // The table is read-only data, but not every kernel protects that.
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) {
      auto table = parse_kallsyms(image.bytes(range), range.begin, budget, is_right);
      if (!table) continue;
      diagnostics.found({.what = "symbols",
                         .value = fmt::format("{}", table->size()),
                         .where = "kallsyms",
                         .how = fmt::format("a table in the guest's memory, in {} to {}",
                                            range.begin, range.begin + range.size)});
      return table;
    }
  }
  budget.warn_if_exceeded("kallsyms in the guest's memory", diagnostics);
  diagnostics.found(
      {.what = "no table", .where = "kallsyms", .how = "none was found in the kernel image"});
  return std::nullopt;
}

std::optional<KallsymsComparison> compare_with_kallsyms(const GuestKernel& kernel,
                                                        Diagnostics& diagnostics) {
  const std::optional<KallsymsTable> table = find_kallsyms(kernel.image(), diagnostics);
  if (!table) return std::nullopt;
  const Architecture::Range extent = extent_of(*table, kernel.image());
  const std::vector<HashedSymbol> own = hash_symbols(*table);
  KallsymsComparison comparison;
  kernel.symbols().for_each_symbol([&](std::string_view name, GuestVirtual linked, SymbolBinding) {
    const GuestVirtual address = *kernel.at_run_time(linked);
    if (comparison.difference || address < extent.begin || address >= extent.end) return;
    const HashedSymbol wanted{std::hash<std::string_view>()(name), address};
    const auto found = std::lower_bound(own.begin(), own.end(), wanted);
    if (found != own.end() && *found == wanted) {
      ++comparison.equal;
      return;
    }
    // Static functions may share a name, which then stands at several addresses.
    const bool is_behind = found != own.end() && found->name == wanted.name;
    const bool is_before = found != own.begin() && std::prev(found)->name == wanted.name;
    if (is_behind || is_before) comparison.difference = {std::string(name), address};
  });
  return comparison;
}

}  // namespace photon_dmesg
