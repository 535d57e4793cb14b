#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "cli/inputs.h"
#include "kernel/vmlinux.h"

namespace photon_dmesg {

// A vmlinux and where it was found.
struct SymbolSource {
  std::unique_ptr<Vmlinux> vmlinux;
  std::optional<std::string> iso;
  std::optional<std::string> package;
  std::string vmlinux_path;
};

// Finds the vmlinux of the kernel `release` (absent: not known) in the file the user named.
// Packages of other releases are passed over by their header alone; where several fit, each is
// offered to `accept`, which throws Error(Mismatch) if it isn't the guest's kernel after all.
// Throws Error(Mismatch) that names the guest's release and what is there when none fits, and
// Error(UnusableInput) when there is no debug information at all.
[[nodiscard]] SymbolSource find_symbols(const Inputs& inputs,
                                        const std::optional<std::string>& release,
                                        const std::function<void(const Vmlinux&)>& accept,
                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
