#include "kernel/code/image_code.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace photon_dmesg {
namespace {

struct Bounds {
  const char* begin;
  const char* end;
};
constexpr std::array text_bounds = {Bounds{"_stext", "_etext"}, Bounds{"_sinittext", "_einittext"}};

// What the linker script provides, as scripts/kallsyms.c recognises it: such names mark borders and
// come after a function's own.
bool is_border(std::string_view name) {
  if (!name.starts_with("__")) return false;
  name.remove_prefix(2);
  return name.starts_with("start_") || name.starts_with("stop_") || name.starts_with("end_") ||
         name.ends_with("_start") || name.ends_with("_stop") || name.ends_with("_end");
}

std::size_t leading_underscores(std::string_view name) {
  return std::min(name.find_first_not_of('_'), name.size());
}

// What kallsyms leave out: local labels and mapping symbols.
bool is_left_out(std::string_view name) {
  return name.empty() || name.starts_with(".L") || name.starts_with('$');
}

}  // namespace

ImageCode::ImageCode(const KernelSymbols& symbols) {
  for (const Bounds& bounds : text_bounds) {
    const auto begin = symbols.find_symbol(bounds.begin);
    const auto end = symbols.find_symbol(bounds.end);
    if (begin && end && *begin < *end) text_.push_back({*begin, *end - *begin});
  }
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (is_left_out(name) || !(is_text(address) || is_text({address.value - 1}))) return;
    symbols_.push_back({address, static_cast<std::uint32_t>(names_.size()),
                        static_cast<std::uint32_t>(name.size())});
    names_ += name;
  });
  sort();
}

// In the order of the kernel's own table (compare_symbols in scripts/kallsyms.c), whatever order
// the source had.
void ImageCode::sort() {
  const auto by_address = [](const Symbol& left, const Symbol& right) {
    return left.address < right.address;
  };
  if (!std::is_sorted(symbols_.begin(), symbols_.end(), by_address)) {
    std::sort(symbols_.begin(), symbols_.end(), [&](const Symbol& left, const Symbol& right) {
      if (left.address != right.address) return left.address < right.address;
      const auto rank = [&](const Symbol& symbol) {
        const std::string_view name = name_of(symbol);
        return std::tuple(is_border(name), leading_underscores(name), name);
      };
      return rank(left) < rank(right);
    });
  }
}

bool ImageCode::is_text(GuestVirtual address) const {
  return text_.empty() || std::any_of(text_.begin(), text_.end(), [&](const CodeRange& range) {
           return range.contains(address);
         });
}

std::optional<CodePlace> ImageCode::place(GuestVirtual address) const {
  if (!is_text(address)) return std::nullopt;
  const auto after = std::upper_bound(
      symbols_.begin(), symbols_.end(), address,
      [](GuestVirtual wanted, const Symbol& symbol) { return wanted < symbol.address; });
  if (after == symbols_.begin()) return std::nullopt;
  const GuestVirtual begin = std::prev(after)->address;
  const auto first = std::lower_bound(
      symbols_.begin(), after, begin,
      [](const Symbol& symbol, GuestVirtual wanted) { return symbol.address < wanted; });
  const std::uint64_t size = after == symbols_.end() ? address - begin + 1 : after->address - begin;
  return CodePlace{std::string(name_of(*first)), address - begin, size, {}};
}

}  // namespace photon_dmesg
