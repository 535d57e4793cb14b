#include "kernel/code/modules.h"

#include <fmt/format.h>

#include "base/budget.h"
#include "kernel/code/module_search.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

// More than any guest has; a module takes 4 KiB at least.
constexpr std::size_t most_modules = 16384;
// Of 1.5 GiB for modules (MODULES_VADDR to MODULES_END) no one takes all.
constexpr std::uint64_t largest_code = 512 * 1024 * 1024;

// The members of struct module, by the names that they have had.
class ModuleReader {
 public:
  ModuleReader(const KernelMemory& memory, const KernelTypes& types)
      : memory_(memory), types_(types) {}

  [[nodiscard]] std::optional<Field> list() const { return types_.find("module.list"); }

  [[nodiscard]] Module read(GuestVirtual address) {
    Module module;
    module.address = address;
    module.name = read_text(memory_, address, types_.find("module.name")).value_or("?");
    read_code(module);
    read_orc(module);
    read_symbols(module);
    return module;
  }

  void warn_if_exceeded(Diagnostics& diagnostics) const {
    symbols_.warn_if_exceeded("the list of modules", diagnostics);
  }

 private:
  static void add(std::vector<CodeRange>& ranges, std::optional<GuestVirtual> begin,
                  std::optional<std::uint64_t> size) {
    if (begin && size && *size > 0 && *size <= largest_code) ranges.push_back({*begin, *size});
  }

  void add(std::vector<CodeRange>& ranges, const Module& module, std::string_view begin,
           std::string_view size) const {
    add(ranges, read_pointer(memory_, module.address, types_.find(begin)),
        read_number(memory_, module.address, types_.find(size)));
  }

  void read_code(Module& module) const {
    if (const auto parts = types_.find("module.mem")) {  // 6.4 and later: enum mod_mem_type
      add_part(module.text, module, *parts, 0);          // MOD_TEXT
      add_part(module.text, module, *parts, 4);          // MOD_INIT_TEXT
      for (std::uint64_t index = 1; index < 4; ++index) {
        add_part(module.data, module, *parts, index);  // MOD_DATA, MOD_RODATA, MOD_RO_AFTER_INIT
      }
      return;
    }
    // Since 4.5, and before. The data lie behind the code.
    add(module.text, module, "module.core_layout.base", "module.core_layout.text_size");
    add(module.text, module, "module.init_layout.base", "module.init_layout.text_size");
    add(module.data, module, "module.core_layout.base", "module.core_layout.size");
    add(module.text, module, "module.module_core", "module.core_text_size");
    add(module.text, module, "module.module_init", "module.init_text_size");
    add(module.data, module, "module.module_core", "module.core_size");
  }

  void add_part(std::vector<CodeRange>& ranges, const Module& module, const Field& parts,
                std::uint64_t index) const {
    const auto size = types_.size_of("module_memory");
    if (!size || (index + 1) * *size > parts.size) return;
    const GuestVirtual part = module.address + parts.offset + index * *size;
    add(ranges, read_pointer(memory_, part, types_.find("module_memory.base")),
        read_number(memory_, part, types_.find("module_memory.size")));
  }

  void read_orc(Module& module) const {
    const GuestVirtual at = module.address;
    const auto count = read_number(memory_, at, types_.find("module.arch.num_orcs"));
    const auto addresses = read_pointer(memory_, at, types_.find("module.arch.orc_unwind_ip"));
    const auto entries = read_pointer(memory_, at, types_.find("module.arch.orc_unwind"));
    if (count && *count <= largest_code && addresses && entries) {
      module.orc = OrcRange{*addresses, *entries, *count};
    }
  }

  void read_symbols(Module& module) {
    const auto table = read_pointer(memory_, module.address, types_.find("module.kallsyms"));
    if (!table) return;
    const auto symbols = read_pointer(memory_, *table, types_.find("mod_kallsyms.symtab"));
    const auto count = read_number(memory_, *table, types_.find("mod_kallsyms.num_symtab"));
    const auto strings = read_pointer(memory_, *table, types_.find("mod_kallsyms.strtab"));
    if (!symbols || !count || !strings || *count > most_module_symbols) return;
    if (!symbols_.take(*count)) return;
    module.symbols = *symbols;
    module.symbol_count = *count;
    module.strings = *strings;
  }

  const KernelMemory& memory_;
  const KernelTypes& types_;
  Budget symbols_{"symbols of modules", most_module_symbols};
};

}  // namespace

std::vector<Module> read_modules(const GuestKernel& kernel, const KernelTypes& types,
                                 Diagnostics& diagnostics) {
  std::vector<Module> modules;
  ModuleReader reader(kernel.memory(), types);
  const auto head = kernel.find_address("modules");
  const auto list = reader.list();
  if (!head || !list) {
    modules = find_modules_by_form(kernel, diagnostics);
    if (!modules.empty()) return modules;
    diagnostics.found(
        {.what = "no modules",
         .how = head ? "the types don't tell where module.list is" : "there is no symbol modules"});
    return modules;
  }
  const ListNodes nodes = walk_list(kernel.memory(), *head, most_modules);
  if (nodes.broken) {
    diagnostics.warn_of_lack(
        fmt::format("the list of modules is damaged: {}: some may be missing", *nodes.broken));
  }
  for (const GuestVirtual node : nodes.nodes) {
    modules.push_back(reader.read({node.value - list->offset}));
  }
  reader.warn_if_exceeded(diagnostics);
  return modules;
}

}  // namespace photon_dmesg
