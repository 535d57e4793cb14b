// The table that a kernel carries for /proc/kallsyms.
#include "kernel/self/kallsyms.h"

#include "fuzz/input.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/symbols/kallsyms_parser.h"

namespace photon_dmesg::fuzz {

void fuzz_kallsyms(Bytes bytes) {
  constexpr GuestVirtual place{0xffffffff82000000};
  constexpr std::size_t most_symbols = 8;  // that are asked for
  Input input(bytes);
  const bool any_is_right = (input.byte() & 1) != 0;  // or the second reading, or none
  unsigned readings = 0;
  Budget budget = kallsyms_budget();
  auto table = parse_kallsyms(input.rest(), place, budget, [&](const KallsymsTable& reading) {
    (void)reading.find("_text");
    return any_is_right || ++readings > 1;
  });
  if (!table) return;
  for (std::size_t i = 0; i < std::min(table->size(), most_symbols); ++i) {
    const KallsymsTable::Symbol symbol = table->symbol(i);
    (void)table->find(symbol.name);
    (void)table->find_static(symbol.name);
  }
  const Kallsyms symbols(std::move(*table), architecture_of(Machine::X86_64), {0xffffffff81000000});
  std::size_t visited = 0;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (++visited > most_symbols) return;
    (void)symbols.find_place(address);
    (void)symbols.find_function(name);
  });
}

}  // namespace photon_dmesg::fuzz
