#include "kernel/symbols/vmlinux/dwarf_code.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {
namespace {

constexpr int deepest = 64;  // several times what compilers nest

bool covers(Dwarf_Die& die, GuestVirtual address, Budget& steps) {
  bool found = false;
  for_each_dwarf_range(die, steps, [&](Dwarf_Addr begin, Dwarf_Addr end) {
    found = found || address.value - begin < end - begin;
  });
  return found;
}

// As the counterpart of for_each_dwarf_child(), with steps.
template <typename Visit>
void for_each_child(Dwarf_Die parent, Budget& steps, Visit visit) {
  for_each_dwarf_child(parent, [&](Dwarf_Die& child) {
    if (!steps.take()) fail_dwarf_loop();
    return visit(child);
  });
}

void add_functions(Dwarf_Die parent, Budget& steps, std::vector<DwarfFunction>& functions,
                   int depth = 0) {
  if (depth > deepest) fail_dwarf_loop();
  for_each_child(parent, steps, [&](Dwarf_Die& child) {
    const int tag = elfutils().dwarf_tag(&child);
    if (tag == DW_TAG_subprogram) {
      for_each_dwarf_range(child, steps, [&](Dwarf_Addr begin, Dwarf_Addr end) {
        functions.push_back({begin, end, child});
      });
    } else if (tag == DW_TAG_namespace) {
      add_functions(child, steps, functions, depth + 1);  // of Rust
    }
    return true;
  });
}

bool has_code(Dwarf_Die& die) {
  return elfutils().dwarf_hasattr(&die, DW_AT_low_pc) != 0 ||
         elfutils().dwarf_hasattr(&die, DW_AT_ranges) != 0;
}

// False if `address` is in none of the blocks below `parent`.
bool add_inlined(Dwarf_Die parent, GuestVirtual address, Budget& steps,
                 std::vector<Dwarf_Die>& calls, int depth = 0) {
  if (depth > deepest) fail_dwarf_loop();
  bool found = false;
  for_each_child(parent, steps, [&](Dwarf_Die& child) {
    const int tag = elfutils().dwarf_tag(&child);
    if (tag == DW_TAG_inlined_subroutine && covers(child, address, steps)) {
      calls.push_back(child);
      found = true;
      add_inlined(child, address, steps, calls, depth + 1);
    } else if (tag == DW_TAG_lexical_block && !has_code(child)) {
      // Which a compiler writes for what it has left of a block.
      found = add_inlined(child, address, steps, calls, depth + 1);
    } else if (tag == DW_TAG_lexical_block && covers(child, address, steps)) {
      found = true;
      add_inlined(child, address, steps, calls, depth + 1);
    }
    return !found;
  });
  return found;
}

bool is_in_same_unit(unsigned form) {
  switch (form) {
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
      return true;
    default:
      return false;
  }
}

// What `die` is an instance of, or defines.
std::optional<Dwarf_Die> origin_of(Dwarf_Die& die, bool all_units_are_there) {
  for (const unsigned name : {DW_AT_abstract_origin, DW_AT_specification}) {
    Dwarf_Attribute attribute{};
    Dwarf_Die origin{};
    if (elfutils().dwarf_attr(&die, name, &attribute) == nullptr) continue;
    if (!all_units_are_there && !is_in_same_unit(elfutils().dwarf_whatform(&attribute))) {
      throw unusable("debug information of a function that stands in another unit");
    }
    // Not in a file beside (dwz), which nobody has named.
    if (elfutils().dwarf_whatform(&attribute) != DW_FORM_GNU_ref_alt &&
        elfutils().dwarf_formref_die(&attribute, &origin) != nullptr) {
      return origin;
    }
  }
  return std::nullopt;
}

std::string_view folder_of_build(Dwarf_Die& unit) {
  Dwarf_Attribute attribute{};
  if (elfutils().dwarf_attr(&unit, DW_AT_comp_dir, &attribute) == nullptr) return {};
  const char* folder = elfutils().dwarf_formstring(&attribute);
  return folder == nullptr ? std::string_view() : folder;
}

// "/build/./kernel/fork.c" -> "kernel/fork.c".
std::string shorten(std::string_view path, std::string_view folder) {
  const auto skip = [&](std::string_view prefix) {
    const bool is_there = path.starts_with(prefix);
    if (is_there) path.remove_prefix(prefix.size());
    return is_there;
  };
  if (!folder.empty() && path.size() > folder.size() && path.starts_with(folder) &&
      (folder.back() == '/' || path[folder.size()] == '/')) {
    path.remove_prefix(folder.size());
    while (skip("/")) {
    }
  }
  while (skip("./")) {
  }
  return std::string(path);
}

std::uint64_t number(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute{};
  Dwarf_Word value = 0;
  const bool is_there = elfutils().dwarf_attr(&die, name, &attribute) != nullptr &&
                        elfutils().dwarf_formudata(&attribute, &value) == 0;
  return is_there ? value : 0;
}

}  // namespace

std::vector<DwarfFunction> list_dwarf_functions(Dwarf_Die unit, Budget& steps) {
  std::vector<DwarfFunction> functions;
  add_functions(unit, steps, functions);
  return functions;
}

std::vector<Dwarf_Die> find_dwarf_inlined(Dwarf_Die function, GuestVirtual address, Budget& steps) {
  std::vector<Dwarf_Die> calls;
  add_inlined(function, address, steps, calls);
  return calls;
}

std::string dwarf_function_name(Dwarf_Die die, bool all_units_are_there) {
  for (int i = 0; i < deepest; ++i) {
    Dwarf_Attribute attribute{};
    if (elfutils().dwarf_attr(&die, DW_AT_name, &attribute) != nullptr) {
      const char* name = elfutils().dwarf_formstring(&attribute);
      return name == nullptr ? "" : name;
    }
    const std::optional<Dwarf_Die> origin = origin_of(die, all_units_are_there);
    if (!origin) return {};
    die = *origin;
  }
  fail_dwarf_loop();
}

SourceLine dwarf_call_site(Dwarf_Die unit, Dwarf_Die call) {
  SourceLine site;
  site.line = number(call, DW_AT_call_line);
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const std::uint64_t file = number(call, DW_AT_call_file);
  if (elfutils().dwarf_getsrcfiles(&unit, &files, &count) != 0 || file >= count) return site;
  const char* path = elfutils().dwarf_filesrc(files, file, nullptr, nullptr);
  if (path != nullptr) site.file = shorten(path, folder_of_build(unit));
  return site;
}

SourceLine dwarf_line(Dwarf_Die unit, GuestVirtual address) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (elfutils().dwarf_getsrclines(&unit, &lines, &count) != 0) {
    if (elfutils().dwarf_hasattr(&unit, DW_AT_stmt_list) == 0) return {};  // it has none
    throw unusable(fmt::format("damaged debug information: a line table can't be read: {}",
                               elfutils().dwarf_errmsg(-1)));
  }
  // The first row behind the address: libdw has sorted them. Of several at one address the last
  // counts, which dwarf_getsrc_die() does not see to.
  std::size_t begin = 0;
  std::size_t end = count;
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    Dwarf_Addr row = 0;
    elfutils().dwarf_lineaddr(elfutils().dwarf_onesrcline(lines, middle), &row);
    (row <= address.value ? begin : end) = row <= address.value ? middle + 1 : middle;
  }
  if (begin == 0) return {};
  Dwarf_Line* found = elfutils().dwarf_onesrcline(lines, begin - 1);
  bool is_end = false;
  int line = 0;
  if (elfutils().dwarf_lineendsequence(found, &is_end) != 0 || is_end) return {};
  elfutils().dwarf_lineno(found, &line);
  const char* path = elfutils().dwarf_linesrc(found, nullptr, nullptr);
  if (path == nullptr) return {};
  return {{}, shorten(path, folder_of_build(unit)), static_cast<std::uint64_t>(std::max(line, 0))};
}

}  // namespace photon_dmesg
