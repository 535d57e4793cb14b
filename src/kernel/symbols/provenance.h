#pragma once

#include <optional>
#include <string>

namespace photon_dmesg {

// Where a kernel's symbols were found. What does not apply is absent.
struct Provenance {
  std::optional<std::string> iso;
  std::optional<std::string> package;     // inside the ISO, or on its own
  std::optional<std::string> vmlinux;     // inside the package, or on its own
  std::optional<std::string> system_map;  // instead of vmlinux
  std::optional<std::string> boot_image;  // the same: vmlinuz
  std::optional<std::string> profile;     // that replaced them all
  std::optional<std::string> memory;      // MemorySymbols::origin(): no file was needed
};

// "photon.iso: RPMS/linux-debuginfo...: /usr/lib/debug/...": from the outside in.
[[nodiscard]] std::string describe(const Provenance& provenance);

}  // namespace photon_dmesg
