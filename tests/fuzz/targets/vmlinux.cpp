// vmlinux as a stream, whole or as far as it is needed, and in memory.
#include "kernel/symbols/vmlinux/vmlinux.h"

#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/types_of_use.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {
namespace {

void ask(const KernelSymbols& symbols) {
  constexpr std::size_t most_symbols = 32;
  (void)find_types_of_use(symbols);
  (void)banner_of(symbols);
  (void)symbols.build_id();
  (void)symbols.find_static("textbuf");
  std::size_t seen = 0;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (++seen > most_symbols) return;
    (void)symbols.find_symbol(name);
    (void)symbols.find_place(address);
  });
}

}  // namespace

void fuzz_vmlinux(Bytes bytes) {
  Input input(bytes);
  const bool only_needed = (input.byte() & 1) != 0;
  const std::string file = Input::as_string(input.rest());
  test::ShortStream stream(file);
  SilentDiagnostics diagnostics;
  const auto symbols = only_needed ? Vmlinux::load_needed(stream, file.size(), diagnostics)
                                   : Vmlinux::load(stream, file.size(), diagnostics);
  if (symbols) ask(*symbols);
}

}  // namespace photon_dmesg::fuzz
