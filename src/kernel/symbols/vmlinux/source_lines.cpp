#include "kernel/symbols/vmlinux/source_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/dwarf_code.h"
#include "kernel/symbols/vmlinux/elfutils.h"
#include "kernel/symbols/vmlinux/packed_sections.h"

namespace photon_dmesg {
namespace {

// Several times the entries of a whole kernel that are looked at.
constexpr std::uint64_t most_steps = std::uint64_t{1} << 24;

}  // namespace

struct SourceLines::Unit {
  Dwarf_Die die{};
  bool is_listed = false;
  std::vector<DwarfFunction> functions;  // once it is
};

struct SourceLines::Range {
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  std::size_t unit = 0;  // of units_
};

SourceLines::SourceLines(const std::filesystem::path& path, std::span<const GuestVirtual> addresses)
    : image_(path), steps_("entries of debug information", most_steps) {
  open(addresses);
}

SourceLines::SourceLines(std::string name, std::vector<std::byte> file,
                         std::span<const GuestVirtual> addresses)
    : image_(std::move(name), std::move(file)), steps_("entries of debug information", most_steps) {
  open(addresses);
}

SourceLines::~SourceLines() = default;

void SourceLines::open(std::span<const GuestVirtual> addresses) {
  with_context(image_.name(), [&] {
    if (!open_some(addresses)) open_all();
  });
}

// False if units that may be needed are missing.
bool SourceLines::open_some(std::span<const GuestVirtual> addresses) {
  auto units = extract_compile_units(image_, addresses, code_sections);
  if (!units) return false;
  dwarf_ = std::make_unique<DwarfFile>(std::move(*units));
  index_units();
  return std::all_of(addresses.begin(), addresses.end(),
                     [&](GuestVirtual address) { return find_unit(address) != nullptr; });
}

void SourceLines::open_all() {
  has_all_ = true;
  auto unpacked = unpack_debug_sections(image_, code_sections);
  dwarf_ = unpacked ? std::make_unique<DwarfFile>(std::move(*unpacked))
                    : std::make_unique<DwarfFile>(image_, code_sections);
  index_units();
  if (units_.empty()) {
    throw unusable("expected DWARF debug information of code, found none");
  }
}

void SourceLines::index_units() {
  units_.clear();
  ranges_.clear();
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die{};
  while (dwarf_->get() != nullptr && elfutils().dwarf_get_units(dwarf_->get(), unit, &unit, nullptr,
                                                                nullptr, &die, nullptr) == 0) {
    const std::size_t count = ranges_.size();
    for_each_dwarf_range(die, steps_, [&](Dwarf_Addr begin, Dwarf_Addr end) {
      ranges_.push_back({begin, end, units_.size()});
    });
    if (ranges_.size() > count) units_.push_back({die, false, {}});
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& left, const Range& right) { return left.begin < right.begin; });
}

SourceLines::Unit* SourceLines::find_unit(GuestVirtual address) {
  const auto behind =
      std::upper_bound(ranges_.begin(), ranges_.end(), address.value,
                       [](std::uint64_t value, const Range& range) { return value < range.begin; });
  if (behind == ranges_.begin() || std::prev(behind)->end <= address.value) return nullptr;
  return &units_[std::prev(behind)->unit];
}

std::vector<SourceLine> SourceLines::find_in_units(GuestVirtual address) {
  Unit* unit = find_unit(address);
  if (unit == nullptr) return {};
  if (!std::exchange(unit->is_listed, true)) {
    unit->functions = list_dwarf_functions(unit->die, steps_);
  }
  SourceLine place = dwarf_line(unit->die, address);
  if (place.file.empty()) return {};
  std::vector<SourceLine> lines;
  const auto add = [&](Dwarf_Die& function) {
    place.function = dwarf_function_name(function, has_all_);
    lines.push_back(std::move(place));
  };
  const auto function = std::find_if(
      unit->functions.begin(), unit->functions.end(),
      [&](const DwarfFunction& run) { return address.value - run.begin < run.end - run.begin; });
  if (function == unit->functions.end()) {
    if (const auto symbol = image_.find_place(address)) place.function = symbol->name;
    return {std::move(place)};
  }
  std::vector<Dwarf_Die> calls = find_dwarf_inlined(function->die, address, steps_);
  std::for_each(calls.rbegin(), calls.rend(), [&](Dwarf_Die& call) {
    add(call);
    place = dwarf_call_site(unit->die, call);
  });
  add(function->die);
  return lines;
}

std::vector<SourceLine> SourceLines::find(GuestVirtual address) {
  return with_context(image_.name(), [&] {
    if (!has_all_) {
      try {
        return find_in_units(address);
      } catch (const Error&) {
        // What one unit says may stand in another.
        open_all();
      }
    }
    return find_in_units(address);
  });
}

}  // namespace photon_dmesg
