#include "session/symbol_sources.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file_stream.h"
#include "kernel/self/memory_symbols.h"
#include "kernel/symbols/profile.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/vmlinux/vmlinux.h"
#include "session/package_search.h"

namespace photon_dmesg {
namespace {

// From a file that is of one kernel.
SymbolSource read_file(const SymbolInput& input) {
  SymbolSource source;
  switch (input.kind) {
    case SymbolSourceKind::Vmlinux:
      source.symbols = Vmlinux::open(input.path);
      source.provenance.vmlinux = input.name();
      break;
    case SymbolSourceKind::SystemMap: {
      FileStream stream(*input.file);
      source.symbols = SystemMap::load(stream);
      source.provenance.system_map = input.name();
      break;
    }
    case SymbolSourceKind::Profile:
      source.symbols = Profile::read(*input.file);
      source.provenance.profile = input.name();
      break;
    default:
      throw unusable("unknown kind of symbol source");
  }
  return source;
}

}  // namespace

SymbolSource find_symbols(const Inputs& inputs, const WantedKernel& wanted,
                          const std::function<void(const KernelSymbols&)>& accept,
                          const PackageUse& use, Diagnostics& diagnostics) {
  if (holds_packages(inputs.symbols.front().kind)) {
    return PackageSearch(wanted, accept, use, diagnostics).search(inputs);
  }
  // The reason why it is not accepted is the user's answer.
  SymbolSource source = read_file(inputs.symbols.front());
  accept(*source.symbols);
  return source;
}

SymbolSource find_symbols_in_memory(const GuestMemory& memory, const RunningKernel* running,
                                    const std::function<void(const KernelSymbols&)>& accept,
                                    Diagnostics& diagnostics) {
  if (running == nullptr) {
    throw unusable(fmt::format(
        "{}: no vCPU leads to a kernel, and none was found in all of the memory: is this the "
        "memory of a Linux guest that had booted?",
        memory.name()));
  }
  auto symbols = MemorySymbols::find(memory, *running, diagnostics);
  SymbolSource source;
  source.provenance.memory = symbols->origin();
  source.symbols = std::move(symbols);
  accept(*source.symbols);
  return source;
}

}  // namespace photon_dmesg
