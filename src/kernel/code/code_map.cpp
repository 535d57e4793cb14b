#include "kernel/code/code_map.h"

#include <elf.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "kernel/arch/architecture.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_name = 512;  // KSYM_NAME_LEN

}  // namespace

void CodeMap::ModuleRanges::add(std::size_t module, const std::vector<CodeRange>& ranges) {
  for (const CodeRange& range : ranges) all.push_back({module, range});
}

void CodeMap::ModuleRanges::make_places() {
  std::vector<AddressRange> ranges;
  for (const ModuleRange& part : all) ranges.push_back({part.range.begin, part.range.size});
  places = AddressRanges(ranges);
}

const CodeMap::ModuleRange* CodeMap::ModuleRanges::find(GuestVirtual address) const {
  const auto found = places.find(address);
  return found ? &all[*found] : nullptr;
}

CodeMap::CodeMap(const GuestKernel& kernel, std::vector<Module> modules)
    : kernel_(kernel), image_(kernel.symbols()), modules_(std::move(modules)) {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    code_.add(i, modules_[i].text);
    data_.add(i, modules_[i].data);
  }
  code_.make_places();
  data_.make_places();
}

const Module* CodeMap::find_module(GuestVirtual address) const {
  const ModuleRange* part = code_.find(address);
  return part == nullptr ? nullptr : &modules_[part->module];
}

bool CodeMap::is_in_image(GuestVirtual address) const {
  return kernel_.memory().tables().architecture().is_image_address(address) &&
         image_.is_text({address.value - kernel_.kaslr_offset()});
}

bool CodeMap::is_text(GuestVirtual address) const {
  if (is_in_image(address) || find_module(address) != nullptr) return true;
  // Code that the kernel has made itself, as of BPF programs, and modules of which nothing is
  // known.
  const KernelMemory& memory = kernel_.memory();
  if (!memory.tables().architecture().is_kernel_pointer(address.value)) return false;
  const auto page = memory.tables().find(address);
  const bool is_image = memory.tables().architecture().is_image_address(address);
  return page && page->executable && !page->writable && !is_image;
}

std::optional<CodePlace> CodeMap::place(GuestVirtual address) const {
  if (is_in_image(address)) return image_.place({address.value - kernel_.kaslr_offset()});
  const ModuleRange* part = code_.find(address);
  return part == nullptr ? std::nullopt : place_in(*part, address);
}

// A kernel without CONFIG_KALLSYMS_ALL names functions only: one that lies in front of a variable
// is no name for it.
std::optional<CodePlace> CodeMap::place_of_data(GuestVirtual address) const {
  std::optional<CodePlace> place;
  if (const ModuleRange* part = data_.find(address)) place = place_in(*part, address);
  if (!place && kernel_.memory().tables().architecture().is_image_address(address)) {
    if (const auto found = kernel_.find_place(address)) {
      place = CodePlace{found->name, found->offset, 0, {}};
    }
  }
  if (place && is_text({address.value - place->offset})) return std::nullopt;
  return place;
}

std::optional<CodePlace> CodeMap::place_of_call(GuestVirtual return_address) const {
  auto place = this->place({return_address.value - 1});
  if (place) ++place->offset;
  return place;
}

const std::vector<CodeMap::ModuleSymbol>& CodeMap::symbols_of(const Module& module) const {
  const auto [known, is_new] = symbols_.try_emplace(module.address.value);
  if (is_new) known->second = read_symbols(module);
  return known->second;
}

// In the order of its table, some at a time: a table may be larger than what is kept of it. What is
// not defined there is left out.
std::vector<CodeMap::ModuleSymbol> CodeMap::read_table(const Module& module) const {
  constexpr std::uint64_t most_at_once = 4096;
  std::vector<ModuleSymbol> symbols;
  std::vector<Elf64_Sym> part;
  for (std::uint64_t done = 0; done < module.symbol_count; done += part.size()) {
    part.resize(std::min(most_at_once, module.symbol_count - done));
    const GuestVirtual at = module.symbols + done * sizeof(Elf64_Sym);
    if (!kernel_.memory().read(at, std::as_writable_bytes(std::span(part)))) return {};
    for (const Elf64_Sym& symbol : part) {
      if (symbol.st_shndx == SHN_UNDEF) continue;
      symbols.push_back({{symbol.st_value}, symbol.st_name});
    }
  }
  return symbols;
}

// As the kernel looks for one (find_kallsyms_symbol in kernel/module/kallsyms.c): those without a
// name don't count, and of several at one address the first in the table does.
std::vector<CodeMap::ModuleSymbol> CodeMap::read_symbols(const Module& module) const {
  std::vector<ModuleSymbol> symbols = read_table(module);
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const ModuleSymbol& left, const ModuleSymbol& right) {
                     return left.address < right.address;
                   });
  std::size_t kept = 0;
  for (const ModuleSymbol& symbol : symbols) {
    const bool is_second = kept > 0 && symbols[kept - 1].address == symbol.address;
    if (!is_second && name_of(module, symbol)) symbols[kept++] = symbol;
  }
  symbols.resize(kept);
  return symbols;
}

std::optional<std::string> CodeMap::name_of(const Module& module,
                                            const ModuleSymbol& symbol) const {
  const GuestVirtual at = module.strings + symbol.name;
  // The last name may stand at the end of what is mapped.
  constexpr std::size_t short_name = 32;
  auto name = kernel_.memory().read_text(at, longest_name);
  if (!name) name = kernel_.memory().read_text(at, short_name);
  if (!name || name->empty() || name->starts_with('$') || name->starts_with(".L")) {
    return std::nullopt;
  }
  return name;
}

std::optional<CodePlace> CodeMap::place_in(const ModuleRange& part, GuestVirtual address) const {
  const Module& module = modules_[part.module];
  const std::vector<ModuleSymbol>& symbols = symbols_of(module);
  const auto after = std::upper_bound(
      symbols.begin(), symbols.end(), address,
      [](GuestVirtual wanted, const ModuleSymbol& symbol) { return wanted < symbol.address; });
  if (after == symbols.begin()) return std::nullopt;
  const ModuleSymbol& symbol = *std::prev(after);
  if (!part.range.contains(symbol.address)) return std::nullopt;
  const auto name = name_of(module, symbol);
  if (!name) return std::nullopt;
  const GuestVirtual range_end = part.range.begin + part.range.size;
  const GuestVirtual end = after == symbols.end() ? range_end : std::min(after->address, range_end);
  return CodePlace{*name, address - symbol.address, end - symbol.address, module.name};
}

}  // namespace photon_dmesg
