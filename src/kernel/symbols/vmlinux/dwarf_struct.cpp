#include "kernel/symbols/vmlinux/dwarf_struct.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/error.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {
namespace {

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute storage{};
  Dwarf_Word value = 0;
  if (elfutils().dwarf_attr(&die, attribute, &storage) == nullptr ||
      elfutils().dwarf_formudata(&storage, &value) != 0) {
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
  if (elfutils().dwarf_attr(&die, DW_AT_data_member_location, &storage) != nullptr &&
      elfutils().dwarf_getlocation(&storage, &operations, &count) == 0 && count == 1 &&
      operations[0].atom == DW_OP_plus_uconst) {
    return operations[0].number;
  }
  return 0;  // members of a union, and the storage of DWARF 4's bit fields, have none
}

std::optional<Dwarf_Die> type_of(Dwarf_Die& die) {
  Dwarf_Attribute storage{};
  Dwarf_Die type{};
  if (elfutils().dwarf_attr(&die, DW_AT_type, &storage) == nullptr ||
      elfutils().dwarf_formref_die(&storage, &type) == nullptr) {
    return std::nullopt;
  }
  return type;
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
    if (!is_made_of_another(static_cast<unsigned>(elfutils().dwarf_tag(&type)))) return;
    const std::optional<Dwarf_Die> next = type_of(type);
    if (!next) return;
    type = *next;
  }
  fail_dwarf_loop();
}

// The number of an array's elements; libdw can't tell it where the unit does not name its language,
// as the partial units that dwz makes.
std::uint64_t count_elements(Dwarf_Die& array) {
  std::uint64_t count = 1;
  for_each_dwarf_child(array, [&](Dwarf_Die& child) {
    if (elfutils().dwarf_tag(&child) != DW_TAG_subrange_type) return true;
    const auto bound = unsigned_attribute(child, DW_AT_upper_bound);
    count *= bound ? *bound + 1 : unsigned_attribute(child, DW_AT_count).value_or(0);
    return true;
  });
  return count;
}

std::optional<std::uint64_t> size_of(Dwarf_Die type) {
  Dwarf_Word size = 0;
  if (elfutils().dwarf_aggregate_size(&type, &size) == 0) return size;
  if (!is_made_of_another(static_cast<unsigned>(elfutils().dwarf_tag(&type)))) return std::nullopt;
  const std::optional<Dwarf_Die> inner = type_of(type);
  const std::optional<std::uint64_t> one = inner ? size_of(*inner) : std::nullopt;
  if (!one || elfutils().dwarf_tag(&type) != DW_TAG_array_type) return one;
  return *one * count_elements(type);
}

bool is_structure(unsigned tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

// The name of the structure that a type is, or that it is an array of; empty if it is neither.
std::string_view structure_name(Dwarf_Die type) {
  while (is_made_of_another(static_cast<unsigned>(elfutils().dwarf_tag(&type)))) {
    const std::optional<Dwarf_Die> inner = type_of(type);
    if (!inner) return {};
    type = *inner;
  }
  return is_structure(static_cast<unsigned>(elfutils().dwarf_tag(&type))) ? dwarf_name(type)
                                                                          : std::string_view();
}

void read_type(Dwarf_Die& die, MemberLayout& member) {
  const std::optional<Dwarf_Die> type = type_of(die);
  if (type) check_chain(*type);
  const std::optional<std::uint64_t> size = type ? size_of(*type) : std::nullopt;
  if (!size) throw unusable(fmt::format("member {}: its type can't be read", member.name));
  member.size = *size;
  member.type = structure_name(*type);
}

// The bits of a bit field, from `first` of the structure's on, are in as few bytes as can be: so
// all sources of types say the same.
void set_bits(MemberLayout& member, std::uint64_t first) {
  member.offset = first / 8;
  member.bit_shift = static_cast<unsigned>(first % 8);
  member.size = (std::uint64_t{member.bit_shift} + member.bit_width + 7) / 8;
}

MemberLayout read_member(Dwarf_Die& die, std::uint64_t base) {
  MemberLayout member;
  member.name = dwarf_name(die);
  member.offset = base + member_offset(die);
  read_type(die, member);
  const std::optional<std::uint64_t> width = unsigned_attribute(die, DW_AT_bit_size);
  if (!width) {
    return member;
  }
  member.bit_width = static_cast<unsigned>(*width);
  if (const auto from_start = unsigned_attribute(die, DW_AT_data_bit_offset)) {
    // DWARF 4 and later: counted from the structure's first bit.
    set_bits(member, base * 8 + *from_start);
  } else if (const auto from_top = unsigned_attribute(die, DW_AT_bit_offset)) {
    // DWARF 2 and 3: counted from the most significant bit of a storage unit.
    const std::uint64_t unit = unsigned_attribute(die, DW_AT_byte_size).value_or(member.size);
    set_bits(member, member.offset * 8 + unit * 8 - *from_top - *width);
  }
  return member;
}

void read_members(Dwarf_Die& structure, std::uint64_t base, std::vector<MemberLayout>& members,
                  Budget& steps, int depth = 0) {
  constexpr int deepest = 16;
  if (depth > deepest) fail_dwarf_loop();
  for_each_dwarf_child(structure, [&](Dwarf_Die& child) {
    if (elfutils().dwarf_tag(&child) != DW_TAG_member) return true;
    // An anonymous structure's or union's members count as members of the outer one.
    // Types that name each other several times make many members without a loop.
    if (!steps.take()) fail_dwarf_loop();
    std::optional<Dwarf_Die> inner = dwarf_name(child).empty() ? type_of(child) : std::nullopt;
    if (inner) {
      read_members(*inner, base + member_offset(child), members, steps, depth + 1);
    } else {
      members.push_back(read_member(child, base));
    }
    return true;
  });
}

}  // namespace

void fail_dwarf_loop() {
  throw unusable("damaged debug information: it leads back to itself");
}

std::string_view dwarf_name(Dwarf_Die& die) {
  const char* name = elfutils().dwarf_diename(&die);
  return name == nullptr ? std::string_view() : name;
}

bool is_dwarf_definition(Dwarf_Die& die) {
  return is_structure(static_cast<unsigned>(elfutils().dwarf_tag(&die))) &&
         unsigned_attribute(die, DW_AT_byte_size).has_value();
}

StructLayout read_dwarf_struct(Dwarf_Die die) {
  std::vector<MemberLayout> members;
  Budget steps("members of a structure", 4096);
  read_members(die, 0, members, steps);
  return {std::string(dwarf_name(die)), unsigned_attribute(die, DW_AT_byte_size).value_or(0),
          std::move(members)};
}

}  // namespace photon_dmesg
