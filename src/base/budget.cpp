#include "base/budget.h"

#include <fmt/format.h>

namespace photon_dmesg {

void Budget::warn_if_exceeded(const std::string& where, Diagnostics& diagnostics) const {
  if (!exceeded_) return;
  diagnostics.warn_of_lack(
      fmt::format("{}: more than {} {}: the rest is left out", where, most_, what_));
}

}  // namespace photon_dmesg
