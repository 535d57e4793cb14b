#pragma once

#include <filesystem>
#include <memory>

#include "kernel/symbols/vmlinux/vmlinux.h"

namespace photon_dmesg::test {

// A fixture kernel's symbols.
inline std::unique_ptr<Vmlinux> open_vmlinux(const std::filesystem::path& path) {
  SilentDiagnostics diagnostics;
  return Vmlinux::open(path, diagnostics);
}

}  // namespace photon_dmesg::test
