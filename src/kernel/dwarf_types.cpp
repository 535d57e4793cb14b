#include "kernel/dwarf_types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// The unit that holds all of printk's structures, in every kernel since 3.11.
constexpr std::string_view printk_unit = "kernel/printk/printk.c";

std::string_view name_of(Dwarf_Die& die) {
  const char* name = dwarf_diename(&die);
  return name == nullptr ? std::string_view() : name;
}

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute storage{};
  Dwarf_Word value = 0;
  if (dwarf_attr(&die, attribute, &storage) == nullptr || dwarf_formudata(&storage, &value) != 0) {
    return std::nullopt;
  }
  return value;
}

// DW_AT_data_member_location is a constant or, in DWARF 2, an expression DW_OP_plus_uconst N.
std::uint64_t member_offset(Dwarf_Die& die) {
  if (const std::optional<std::uint64_t> constant =
          unsigned_attribute(die, DW_AT_data_member_location)) {
    return *constant;
  }
  Dwarf_Attribute storage{};
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_attr(&die, DW_AT_data_member_location, &storage) != nullptr &&
      dwarf_getlocation(&storage, &operations, &count) == 0 && count == 1 &&
      operations[0].atom == DW_OP_plus_uconst) {
    return operations[0].number;
  }
  return 0;  // members of a union, and the storage of DWARF 4's bit fields, have none
}

std::optional<Dwarf_Die> type_of(Dwarf_Die& die) {
  Dwarf_Attribute storage{};
  Dwarf_Die type{};
  if (dwarf_attr(&die, DW_AT_type, &storage) == nullptr ||
      dwarf_formref_die(&storage, &type) == nullptr) {
    return std::nullopt;
  }
  return type;
}

std::uint64_t size_of_type(Dwarf_Die& member) {
  std::optional<Dwarf_Die> type = type_of(member);
  Dwarf_Word size = 0;
  return type && dwarf_aggregate_size(&*type, &size) == 0 ? size : 0;
}

MemberLayout read_member(Dwarf_Die& die, std::uint64_t base) {
  MemberLayout member;
  member.name = name_of(die);
  member.offset = base + member_offset(die);
  member.size = size_of_type(die);
  const std::optional<std::uint64_t> width = unsigned_attribute(die, DW_AT_bit_size);
  if (!width) {
    return member;
  }
  member.bit_width = static_cast<unsigned>(*width);
  if (const auto from_start = unsigned_attribute(die, DW_AT_data_bit_offset)) {
    // DWARF 4 and later: counted from the structure's first bit.
    member.offset = base + *from_start / 8;
    member.bit_shift = static_cast<unsigned>(*from_start % 8);
    member.size = (member.bit_shift + *width + 7) / 8;
  } else if (const auto from_top = unsigned_attribute(die, DW_AT_bit_offset)) {
    // DWARF 2 and 3: counted from the most significant bit of a storage unit.
    member.size = unsigned_attribute(die, DW_AT_byte_size).value_or(member.size);
    member.bit_shift = static_cast<unsigned>(member.size * 8 - *from_top - *width);
  }
  return member;
}

void read_members(Dwarf_Die& structure, std::uint64_t base, std::vector<MemberLayout>& members) {
  Dwarf_Die child{};
  for (int more = dwarf_child(&structure, &child); more == 0;
       more = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_member) {
      continue;
    }
    // An anonymous structure's or union's members count as members of the outer one.
    std::optional<Dwarf_Die> inner = name_of(child).empty() ? type_of(child) : std::nullopt;
    if (inner) {
      read_members(*inner, base + member_offset(child), members);
    } else {
      members.push_back(read_member(child, base));
    }
  }
}

std::optional<StructLayout> find_in_unit(Dwarf_Die unit, std::string_view name) {
  Dwarf_Die child{};
  for (int more = dwarf_child(&unit, &child); more == 0; more = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_structure_type || name_of(child) != name) {
      continue;
    }
    const std::optional<std::uint64_t> size = unsigned_attribute(child, DW_AT_byte_size);
    if (!size) {
      continue;  // a declaration
    }
    std::vector<MemberLayout> members;
    read_members(child, 0, members);
    return StructLayout(std::string(name), *size, std::move(members));
  }
  return std::nullopt;
}

// The layout from the first unit that passes `wanted` and defines the structure.
template <typename Wanted>
std::optional<StructLayout> find_in_units(Dwarf* dwarf, std::string_view name, Wanted wanted) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die{};
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    if (!wanted(name_of(die))) {
      continue;
    }
    if (std::optional<StructLayout> found = find_in_unit(die, name)) {
      return found;
    }
  }
  return std::nullopt;
}

bool is_printk_unit(std::string_view unit_name) {
  return unit_name.ends_with(printk_unit);
}

}  // namespace

void DwarfTypes::End::operator()(Dwarf* dwarf) const {
  dwarf_end(dwarf);
}

DwarfTypes::DwarfTypes(const ElfImage& image)
    : image_(image), dwarf_(dwarf_begin_elf(image.handle(), DWARF_C_READ, nullptr)) {
  Dwarf_CU* unit = nullptr;
  if (!dwarf_ ||
      dwarf_get_units(dwarf_.get(), nullptr, &unit, nullptr, nullptr, nullptr, nullptr) != 0) {
    throw unusable(fmt::format(
        "{}: expected DWARF debug information, found none: this is not the vmlinux of a debuginfo "
        "package",
        image.name()));
  }
}

DwarfTypes::~DwarfTypes() = default;

const StructLayout* DwarfTypes::find_struct(std::string_view name) {
  auto known = layouts_.find(name);
  if (known == layouts_.end()) {
    std::optional<StructLayout> found = with_context(image_.name(), [&] {
      std::optional<StructLayout> layout = find_in_units(dwarf_.get(), name, is_printk_unit);
      return layout ? layout : find_in_units(dwarf_.get(), name, std::not_fn(is_printk_unit));
    });
    known = layouts_.emplace(name, std::move(found)).first;
  }
  return known->second ? &*known->second : nullptr;
}

}  // namespace photon_dmesg
