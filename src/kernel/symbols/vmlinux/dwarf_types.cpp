#include "kernel/symbols/vmlinux/dwarf_types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <libelf.h>

#include <algorithm>

#include "base/budget.h"
#include "base/error.h"
#include "kernel/symbols/vmlinux/compile_unit.h"

namespace photon_dmesg {
namespace {

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

// Damaged debug information may lead back to itself, where libdw would follow it for ever.
[[noreturn]] void fail_loop() {
  throw unusable("damaged debug information: it leads back to itself");
}

// Calls visit(child) for each child, until it returns false.
template <typename Visit>
void for_each_child(Dwarf_Die parent, Visit visit) {
  constexpr std::uint64_t most_children = std::uint64_t{1} << 22;
  std::uint64_t count = 0;
  Dwarf_Die child{};
  for (int more = dwarf_child(&parent, &child); more == 0; more = dwarf_siblingof(&child, &child)) {
    if (++count > most_children) fail_loop();
    if (!visit(child)) return;
  }
}

// Whether a type's size follows from that of the type it names.
bool is_made_of_another(unsigned tag) {
  switch (tag) {
    case DW_TAG_typedef:
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
    case DW_TAG_array_type:
      return true;
    default:
      return false;
  }
}

void check_chain(Dwarf_Die type) {
  constexpr int longest = 64;
  for (int i = 0; i < longest; ++i) {
    if (!is_made_of_another(static_cast<unsigned>(dwarf_tag(&type)))) return;
    const std::optional<Dwarf_Die> next = type_of(type);
    if (!next) return;
    type = *next;
  }
  fail_loop();
}

// The number of an array's elements; libdw can't tell it where the unit does not name its language,
// as the partial units that dwz makes.
std::uint64_t count_elements(Dwarf_Die& array) {
  std::uint64_t count = 1;
  for_each_child(array, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) return true;
    const auto bound = unsigned_attribute(child, DW_AT_upper_bound);
    count *= bound ? *bound + 1 : unsigned_attribute(child, DW_AT_count).value_or(0);
    return true;
  });
  return count;
}

std::optional<std::uint64_t> size_of(Dwarf_Die type) {
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&type, &size) == 0) return size;
  if (!is_made_of_another(static_cast<unsigned>(dwarf_tag(&type)))) return std::nullopt;
  const std::optional<Dwarf_Die> inner = type_of(type);
  const std::optional<std::uint64_t> one = inner ? size_of(*inner) : std::nullopt;
  if (!one || dwarf_tag(&type) != DW_TAG_array_type) return one;
  return *one * count_elements(type);
}

std::uint64_t size_of_type(Dwarf_Die& member) {
  const std::optional<Dwarf_Die> type = type_of(member);
  if (type) check_chain(*type);
  const std::optional<std::uint64_t> size = type ? size_of(*type) : std::nullopt;
  if (!size) throw unusable(fmt::format("member {}: its type can't be read", name_of(member)));
  return *size;
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

void read_members(Dwarf_Die& structure, std::uint64_t base, std::vector<MemberLayout>& members,
                  Budget& steps, int depth = 0) {
  constexpr int deepest = 16;
  if (depth > deepest) fail_loop();
  for_each_child(structure, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_member) return true;
    // An anonymous structure's or union's members count as members of the outer one.
    // Types that name each other several times make many members without a loop.
    if (!steps.take()) fail_loop();
    std::optional<Dwarf_Die> inner = name_of(child).empty() ? type_of(child) : std::nullopt;
    if (inner) {
      read_members(*inner, base + member_offset(child), members, steps, depth + 1);
    } else {
      members.push_back(read_member(child, base));
    }
    return true;
  });
}

std::optional<StructLayout> find_in_unit(Dwarf_Die unit, std::string_view name) {
  std::optional<StructLayout> found;
  for_each_child(unit, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_structure_type || name_of(child) != name) return true;
    const std::optional<std::uint64_t> size = unsigned_attribute(child, DW_AT_byte_size);
    if (!size) return true;  // a declaration
    std::vector<MemberLayout> members;
    Budget steps("members of a structure", 4096);
    read_members(child, 0, members, steps);
    found.emplace(std::string(name), *size, std::move(members));
    return false;
  });
  return found;
}

// The layout from the first unit that defines the structure.
std::optional<StructLayout> find_in_units(Dwarf* dwarf, std::string_view name) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die{};
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    if (std::optional<StructLayout> found = find_in_unit(die, name)) {
      return found;
    }
  }
  return std::nullopt;
}

bool has_units(Dwarf* dwarf) {
  Dwarf_CU* unit = nullptr;
  return dwarf != nullptr &&
         dwarf_get_units(dwarf, nullptr, &unit, nullptr, nullptr, nullptr, nullptr) == 0;
}

}  // namespace

void DwarfTypes::EndElf::operator()(Elf* elf) const {
  elf_end(elf);
}

void DwarfTypes::EndDwarf::operator()(Dwarf* dwarf) const {
  dwarf_end(dwarf);
}

DwarfTypes::DwarfTypes(const ElfImage& image) : image_(&image), name_(image.name()) {
  open_printk_unit();
  if (!unit_dwarf_) {
    (void)all_units();  // is there debug information at all?
  }
}

DwarfTypes::DwarfTypes(std::string name, std::vector<std::byte> unit)
    : image_(nullptr), name_(std::move(name)) {
  open_unit(std::move(unit));
}

DwarfTypes::~DwarfTypes() = default;

void DwarfTypes::open_unit(std::vector<std::byte> unit) {
  unit_bytes_ = std::move(unit);
  unit_elf_.reset(elf_memory(reinterpret_cast<char*>(unit_bytes_.data()), unit_bytes_.size()));
  unit_dwarf_.reset(dwarf_begin_elf(unit_elf_.get(), DWARF_C_READ, nullptr));
  if (!has_units(unit_dwarf_.get())) {
    unit_dwarf_.reset();
  }
}

void DwarfTypes::open_printk_unit() {
  const std::optional<GuestVirtual> function = image_->find_symbol(printk_function);
  std::optional<std::vector<std::byte>> unit;
  if (function) {
    unit = extract_compile_unit(*image_, *function);
  }
  if (unit) open_unit(std::move(*unit));
}

Dwarf* DwarfTypes::all_units() {
  if (!all_units_) {
    const auto read_section = [&](std::string_view name) {
      if (const auto section = image_->find_section(name)) (void)image_->read(section->range);
    };
    read_section(".debug_info");
    std::for_each(unit_sections.begin(), unit_sections.end(), read_section);
    all_units_.reset(dwarf_begin_elf(image_->handle(), DWARF_C_READ, nullptr));
    if (!has_units(all_units_.get())) {
      throw unusable(fmt::format(
          "{}: expected DWARF debug information, found none: this is not the vmlinux of a "
          "debuginfo package",
          name_));
    }
  }
  return all_units_.get();
}

std::optional<StructLayout> DwarfTypes::look_up(std::string_view name) {
  if (unit_dwarf_) {
    try {
      if (std::optional<StructLayout> found = find_in_units(unit_dwarf_.get(), name)) {
        return found;
      }
    } catch (const Error&) {
      // A member's type may stand in another unit.
    }
  }
  return image_ == nullptr ? std::nullopt : find_in_units(all_units(), name);
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
