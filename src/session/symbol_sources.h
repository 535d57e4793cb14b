#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_stream.h"
#include "base/diagnostics.h"
#include "kernel/find/running_kernel.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/provenance.h"
#include "session/inputs.h"
#include "session/package_use.h"

namespace photon_dmesg {

// A kernel's symbols and where they were found.
struct SymbolSource {
  std::unique_ptr<KernelSymbols> symbols;
  Provenance provenance;
  std::optional<std::string> release;  // as the source says, which not every source does
  std::function<std::unique_ptr<ByteStream>()> open_package;  // opens `package` once more
};

// Which kernel's symbols are looked for; what is not known is absent.
struct WantedKernel {
  std::optional<std::string> release;
  std::optional<std::int64_t> built_at;  // seconds since 1970, by its banner
};

// Finds the symbols of `wanted` in what the user named. Packages of other releases are passed over
// by their header alone; where several fit, each is offered to `accept`, which throws
// Error(Mismatch) if it isn't the guest's kernel after all. A package that is in the cache is not
// unpacked, and one that was is put there. Throws Error(Mismatch) that names the guest's release
// and what is there when none fits, and Error(UnusableInput) when there is no kernel at all.
[[nodiscard]] SymbolSource find_symbols(const Inputs& inputs, const WantedKernel& wanted,
                                        const std::function<void(const KernelSymbols&)>& accept,
                                        const PackageUse& use, Diagnostics& diagnostics);

// The same without any file: what the guest's own memory tells. `running` is null if no vCPU leads
// to a kernel; then, and if the log can't be found so, Error(UnusableInput) says what to give.
[[nodiscard]] SymbolSource find_symbols_in_memory(
    const GuestMemory& memory, const RunningKernel* running,
    const std::function<void(const KernelSymbols&)>& accept, Diagnostics& diagnostics);

}  // namespace photon_dmesg
