#include "kernel/symbols/provenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace photon_dmesg {

std::string describe(const Provenance& provenance) {
  std::vector<std::string> parts;
  for (const auto& part :
       {provenance.iso, provenance.package, provenance.vmlinux, provenance.system_map,
        provenance.boot_image, provenance.profile, provenance.memory}) {
    if (part) parts.push_back(*part);
  }
  return fmt::format("{}", fmt::join(parts, ": "));
}

}  // namespace photon_dmesg
