#include "kernel/symbols/vmlinux/dwarf_types.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "kernel/symbols/types_of_use.h"
#include "kernel/symbols/vmlinux/compile_unit.h"

namespace photon_dmesg {

DwarfTypes::DwarfTypes(const ElfImage& image) : image_(&image), name_(image.name()) {
  units_ = open_units({printk_function});
  if (!units_) {
    (void)all_units();  // is there debug information at all?
  }
}

DwarfTypes::DwarfTypes(std::string name, std::vector<std::byte> units)
    : image_(nullptr), name_(std::move(name)) {
  units_ = std::make_unique<DwarfUnits>(std::move(units));
}

DwarfTypes::~DwarfTypes() = default;

// Null if they can't be cut out, as where they refer to others.
std::unique_ptr<DwarfUnits> DwarfTypes::open_units(
    const std::vector<std::string_view>& functions) const {
  std::vector<GuestVirtual> addresses;
  for (const std::string_view function : functions) {
    if (const auto address = image_->find_symbol(function)) addresses.push_back(*address);
  }
  auto found = extract_compile_units(*image_, addresses);
  if (!found) return nullptr;
  const bool may_import = found->may_import;
  auto units = std::make_unique<DwarfUnits>(std::move(*found));
  const bool is_complete = units->any() && !(may_import && units->refers_to_others());
  return is_complete ? std::move(units) : nullptr;
}

DwarfUnits& DwarfTypes::all_units() {
  if (!all_units_) {
    all_units_ = std::make_unique<DwarfUnits>(*image_);
    if (!all_units_->any()) {
      throw unusable(fmt::format(
          "{}: expected DWARF debug information, found none: this is not the vmlinux of a "
          "debuginfo package",
          name_));
    }
  }
  return *all_units_;
}

// Null if they can't be cut out.
DwarfUnits* DwarfTypes::units_of_use() {
  if (!are_units_open_) {
    std::vector<std::string_view> functions = functions_of_use();
    if (units_) std::erase(functions, printk_function);  // which has been looked through
    units_of_use_ = open_units(functions);
    are_units_open_ = true;
  }
  return units_of_use_.get();
}

std::optional<StructLayout> DwarfTypes::look_up(std::string_view name) {
  try {
    if (std::optional<StructLayout> found = units_ ? units_->find_struct(name) : std::nullopt) {
      return found;
    }
  } catch (const Error&) {
    // A member's type may stand in another unit.
  }
  if (image_ == nullptr) return std::nullopt;
  if (is_in_units_of_use(name)) {
    if (DwarfUnits* units = units_of_use()) return units->find_struct(name);
  }
  return all_units().find_struct(name);
}

const StructLayout* DwarfTypes::find_struct(std::string_view name) {
  auto known = layouts_.find(name);
  if (known == layouts_.end()) {
    std::optional<StructLayout> found = with_context(name_, [&] { return look_up(name); });
    known = layouts_.emplace(name, std::move(found)).first;
  }
  return known->second ? &*known->second : nullptr;
}

}  // namespace photon_dmesg
