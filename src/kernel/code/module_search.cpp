#include "kernel/code/module_search.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t page_size = 4096;
constexpr std::size_t most_modules = 16384;
constexpr std::uint64_t most_pages = 1 << 19;  // all of the space that modules may lie in
// What a guest may have looked at that is none: none that is honest has more.
constexpr std::uint64_t most_candidates = 4096;
constexpr std::uint64_t largest_code = 64 * 1024 * 1024;

// struct module { enum module_state state; struct list_head list; char name[56]; ... }, aligned to
// what a cache moves at once.
constexpr std::uint64_t alignment = 64;
constexpr std::uint64_t list_at = 8;
constexpr std::uint64_t name_at = 24;
constexpr std::uint64_t name_size = 56;
constexpr std::uint64_t rest_at = name_at + name_size;
constexpr std::uint64_t rest_size = 1536;  // that core_kallsyms lies in: at 350 to 900

constexpr std::uint64_t unformed = 3;  // MODULE_STATE_UNFORMED: it is being loaded

// What begins like a struct module.
bool has_form(std::span<const std::byte> bytes) {
  if (load_u64(bytes.first<word>()) > unformed) return false;
  const std::string_view name(reinterpret_cast<const char*>(bytes.data() + name_at), name_size);
  const std::size_t length = name.find('\0');
  return length != std::string_view::npos && length > 1 &&
         std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(length), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

class Search {
 public:
  explicit Search(const KernelMemory& memory) : memory_(memory) {}

  // A struct module of the list that has code; nothing if there is none.
  [[nodiscard]] std::optional<GuestVirtual> find_any() {
    const Architecture& architecture = memory_.tables().architecture();
    const GuestVirtual begin = architecture.map().image.begin;
    std::vector<GuestVirtual> pages;
    Budget budget("pages that modules may lie in", most_pages);
    const GuestVirtual end{std::numeric_limits<std::uint64_t>::max()};
    memory_.tables().for_each_page(begin, end, [&](const PageTables::Page& page) {
      const bool may_hold = page.writable && !page.executable;
      if (!may_hold || page.size != page_size) return;
      if (budget.take()) pages.push_back(page.virtual_address);
    });
    for (const GuestVirtual page : pages) {
      if (const auto found = find_in_page(page)) return found;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_module(GuestVirtual address) const {
    std::array<std::byte, rest_at> bytes{};
    return memory_.read(address, bytes) && has_form(bytes);
  }

  [[nodiscard]] bool is_loaded(GuestVirtual address) const {
    return memory_.read_unsigned(address, word).value_or(unformed) < unformed;
  }

  [[nodiscard]] Module read(GuestVirtual address) {
    Module module;
    module.address = address;
    module.name = memory_.read_text(address + name_at, name_size).value_or("?");
    read_symbols(module);
    return module;
  }

  void warn_if_exceeded(Diagnostics& diagnostics) const {
    symbols_.warn_if_exceeded("the guest's memory", diagnostics);
  }

 private:
  [[nodiscard]] std::optional<GuestVirtual> find_in_page(GuestVirtual page) {
    std::array<std::byte, page_size> bytes{};
    if (!memory_.read(page, bytes)) return std::nullopt;
    for (std::uint64_t at = 0; at + rest_at <= page_size; at += alignment) {
      if (!has_form(std::span(bytes).subspan(at, rest_at)) || !is_listed(page + at)) continue;
      if (!candidates_.take()) return std::nullopt;
      if (is_loaded(page + at) && !read(page + at).text.empty()) return page + at;
    }
    return std::nullopt;
  }

  // Whether both neighbours in the list name it.
  [[nodiscard]] bool is_listed(GuestVirtual module) const {
    const GuestVirtual node = module + list_at;
    const auto next = pointer(node);
    const auto previous = pointer(node + word);
    return next && previous && *next != node && pointer(*next + word) == node &&
           pointer(*previous) == node;
  }

  [[nodiscard]] std::optional<GuestVirtual> pointer(GuestVirtual place) const {
    const auto value = memory_.read_unsigned(place, word);
    if (!value || !memory_.tables().architecture().is_kernel_pointer(*value)) return std::nullopt;
    return GuestVirtual{*value};
  }

  void read_symbols(Module& module) {
    for (std::uint64_t at = rest_at; at < rest_at + rest_size; at += word) {
      const auto symbols = pointer(module.address + at);
      const auto count = memory_.read_unsigned(module.address + at + word, word);
      const auto strings = pointer(module.address + at + 2 * word);
      if (!symbols || !strings || !count || *count < 2 || *count > most_module_symbols) continue;
      auto text = text_of(*symbols, *count, *strings);
      if (text.empty()) continue;
      module.text = std::move(text);
      module.symbols = *symbols;
      module.symbol_count = *count;
      module.strings = *strings;
      return;
    }
  }

  // The code that the functions of a symbol table are in; none if it is no symbol table.
  [[nodiscard]] std::vector<CodeRange> text_of(GuestVirtual symbols, std::uint64_t count,
                                               GuestVirtual strings) {
    if (!is_first_symbol(symbols) || memory_.read_unsigned(strings, 1) != 0) return {};
    // That it ends in memory, before room is made for it.
    const GuestVirtual last = symbols + (count - 1) * sizeof(Elf64_Sym);
    if (!memory_.read_unsigned(last, word) || !symbols_.take(count)) return {};
    std::vector<Elf64_Sym> table(count);
    if (!memory_.read(symbols, std::as_writable_bytes(std::span(table)))) return {};
    std::optional<GuestVirtual> lowest;
    std::optional<GuestVirtual> highest;
    for (const Elf64_Sym& symbol : std::span(table).subspan(1)) {
      // A live patch's table has symbols of what it patches too.
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE) continue;
      const GuestVirtual value{symbol.st_value};
      if (!memory_.read_unsigned(strings + symbol.st_name, 1)) return {};
      if (!is_code(value)) continue;
      lowest = std::min(lowest.value_or(value), value);
      highest = std::max(highest.value_or(value), value);
    }
    if (!lowest || *highest - *lowest > largest_code) return {};
    return {code_around(*lowest, *highest)};
  }

  [[nodiscard]] bool is_first_symbol(GuestVirtual symbols) const {
    Elf64_Sym first{};
    const Elf64_Sym none{};
    return memory_.read(symbols, std::as_writable_bytes(std::span(&first, 1))) &&
           std::memcmp(&first, &none, sizeof(none)) == 0;
  }

  [[nodiscard]] bool is_code(GuestVirtual address) const {
    const auto page = memory_.tables().find(address);
    return page && page->executable && !page->writable;
  }

  // From the first function to the end of the code that the last one is in.
  [[nodiscard]] CodeRange code_around(GuestVirtual lowest, GuestVirtual highest) const {
    GuestVirtual end{(highest.value / page_size + 1) * page_size};
    // Code of several modules, and other code, may share a large page (6.15 and later).
    const auto page = memory_.tables().find(highest);
    if (page && page->size == page_size) {
      constexpr std::uint64_t most_further = 256;
      for (std::uint64_t i = 0; i < most_further && is_code(end); ++i) end = end + page_size;
    }
    return {lowest, end - lowest};
  }

  const KernelMemory& memory_;
  Budget candidates_{"places that look like modules", most_candidates};
  Budget symbols_{"symbols of modules", most_module_symbols};
};

// The code of one ends where that of another begins, where they lie in a row.
void part_code(std::vector<Module>& modules) {
  std::vector<CodeRange*> ranges;
  for (Module& module : modules) {
    for (CodeRange& range : module.text) ranges.push_back(&range);
  }
  std::sort(ranges.begin(), ranges.end(), [](const CodeRange* left, const CodeRange* right) {
    return left->begin < right->begin;
  });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    CodeRange& before = *ranges[i - 1];
    before.size = std::min(before.size, ranges[i]->begin - before.begin);
  }
}

}  // namespace

std::vector<Module> find_modules_by_form(const GuestKernel& kernel, Diagnostics& diagnostics) {
  std::vector<Module> modules;
  Search search(kernel.memory());
  const auto first = search.find_any();
  if (!first) return modules;
  // The list has a head, which is in the kernel's image and no module.
  const ListNodes nodes = walk_list(kernel.memory(), *first + list_at, most_modules);
  std::vector<GuestVirtual> before = {*first};
  std::vector<GuestVirtual> after;
  bool is_behind_head = false;
  for (const GuestVirtual node : nodes.nodes) {
    const GuestVirtual module{node.value - list_at};
    if (kernel.memory().tables().architecture().is_image_address(node) ||
        !search.is_module(module)) {
      is_behind_head = true;
      continue;
    }
    if (!search.is_loaded(module)) continue;
    (is_behind_head ? after : before).push_back(module);
  }
  if (nodes.broken) {
    diagnostics.warn_of_lack(
        fmt::format("the list of modules is damaged: {}: some may be missing", *nodes.broken));
  }
  after.insert(after.end(), before.begin(), before.end());
  for (const GuestVirtual module : after) modules.push_back(search.read(module));
  part_code(modules);
  search.warn_if_exceeded(diagnostics);
  diagnostics.found(
      {.what = fmt::format("{} module{}", modules.size(), modules.size() == 1 ? "" : "s"),
       .how = fmt::format("by the form of {} and its list", *first)});
  return modules;
}

}  // namespace photon_dmesg
